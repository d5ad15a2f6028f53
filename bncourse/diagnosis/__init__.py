"""Find out what the learner believed. This package may import `gradcheck`, `numpy_bn` and `conventions`.

`diagnose` says all that is wrong with a batch normalization, and which mistaken belief explains it; `checks` holds
what notebooks call; `catalogue` lists the beliefs; `specimens` holds a wrong program for each, on which the checks are
proven.
"""

from bncourse.diagnosis.catalogue import Belief, beliefs
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.report import Finding, Misconception, Report

__all__ = ["Belief", "Finding", "Misconception", "Report", "beliefs", "diagnose"]
