"""Beliefs about the answers of the assignments that ask for more than a forward and a backward pass.

One file of text and one of programs for each assignment: `shift.toml` holds the sentences, `shift.py` the programs
that hold the beliefs. `name_belief` is what a test cell calls.
"""

from bncourse.diagnosis.tasks.question import believes, is_right_with, name_belief

__all__ = ["believes", "is_right_with", "name_belief"]
