"""Speed as ratios: each candidate against its yardstick, side by side in one run, on one thread.

`python -m bench` prints the tables and exits with 1 if a bar is broken. `python -m bench --cuda --record FILE`
measures on a GPU and writes the figures with their provenance; it needs only NumPy and PyTorch.

Why three bars are out of reach
-------------------------------
In one quiet run the geometric means were 1.45 against native, 0.60 against the textbook, 1.73 in eager mode and 1.15
compiled. Figures in nanoseconds for a float32 value, one thread, from the quieter minutes of a shared virtual machine
(2 MiB of second-level cache, AVX-512). In other minutes all of them double, those of fetching and storing most.

| step | ns |
|---|---|
| NumPy: multiply, add or subtract a piece in the second-level cache | 0.10 - 0.13 |
| its sums by BLAS; its sums of products by einsum, by dot | 0.05; 0.17; 0.06 |
| fetch an array from beyond that cache | 0.17 - 0.25 |
| store an array there (which fetches it first) | 0.35 - 0.7 |
| native batch norm, forward and backward | 2.0 - 2.3 for (N, C), 3 for maps |

*NumPy against native.* Native moves five arrays. `numpy_bn` moves the same five, and x_hat twice more (stored
forward, fetched backward), which takes 0.6 to 0.9, and its twelve operations cannot be fused: six of them wait for
memory anyway, six add 0.1 each. That is 1.25 to 1.4 times native's time, where the bar is 1.0. A version that keeps
x in the cache instead of x_hat, and so needs ten operations, was measured at 1.06 (1.31, 0.87, 1.27, 0.92, 1.0). It
was not taken: the cache is (x_hat, inv_std, gamma), as the course's equations have it and its readers unpack it;
and NumPy does not notice, as PyTorch does, an x that is changed between forward and backward: the gradient would be
wrong without a word. The same twelve operations against the textbook's chain are 0.47 to 0.59, not 0.5, and at
(64, 1024), where every array stays in the cache and moving less gains nothing, 0.95.

*Eager PyTorch.* Nine operations on whole tensors (0.2 - 0.3 a sum, 0.3 - 0.5 a product) are 3.0 to 3.5. Walking over
pieces in the cache was measured and is no faster: an operation on a small piece costs 1.5 microseconds more. At
(64, 1024) native takes 150 microseconds, and what it takes to enter and leave a function written in Python, to
check its arguments and to work out a dozen vectors takes 120 before any value of x is touched.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
