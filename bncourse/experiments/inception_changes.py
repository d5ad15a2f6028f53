"""The accelerated network of `inception` with each of its seven changes undone, one at a time.

BN-x5 has batch normalization and all seven changes of section 4.2.1 of the paper. Each row undoes one change and keeps
the other six. Rates, network and pictures are those of `inception`.
"""

from dataclasses import replace

from bncourse.experiments import inception
from bncourse.experiments.inception_recipes import CHANGES

QUESTION = "Which of the seven changes beside batch normalization does the accelerated network need?"

ROWS = (inception.BASELINE, "BN-Baseline", "BN-x5", *(f"without {change}" for change in CHANGES))

FULL = replace(inception.FULL, variants=ROWS)
QUICK = replace(
    inception.QUICK, seeds=(0, 1, 2), variants=(inception.BASELINE, "BN-x5", "without higher rate"), steps=40
)

units, measure = inception.units, inception.measure
