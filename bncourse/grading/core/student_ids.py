"""Which folder names can be a student's id: those that nbgrader's patterns, pages and database read as they stand."""

import re

from bncourse.grading.core.plain_text import one_line

LONGEST = 128
"""Characters of an id that nbgrader's database has room for."""
_HALF = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PATTERN = re.compile(r"[*?\[\]]")
_PAGE = re.compile(r'[<>"\\]')


def why_refused(name: str) -> str:
    """Why a folder's name cannot be a student's id; empty if it can.

    >>> why_refused("ada"), why_refused("[x]")
    ('', "nbgrader's file patterns misread * ? [ ]")
    """
    if _HALF.search(name):
        return "its name is not UTF-8"
    if _CONTROL.search(name):
        return "its name holds a control character"
    if name.startswith("."):
        return "nbgrader passes over names that begin with a dot"
    if _PATTERN.search(name):
        return "nbgrader's file patterns misread * ? [ ]"
    if _PAGE.search(name):
        return 'nbgrader writes names into its pages as they are, and < > " \\ would be read as a part of them'
    if len(name) > LONGEST:
        return f"its name has more than {LONGEST} characters"
    return ""


def shown_id(name: str) -> str:
    r"""A student's id, or what is no id, as a terminal can show it.

    >>> shown_id("a\x1b[2J")
    'a\\x1b[2J'
    """
    return one_line(name, LONGEST)
