"""Speed as ratios: each candidate against its yardstick, side by side in one run, on one thread.

`python -m bench` prints the tables and exits with 1 if a bar is broken. `python -m bench --cuda --record FILE`
measures on a GPU and writes the figures with their provenance; it needs only NumPy and PyTorch.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
