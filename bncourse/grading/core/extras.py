"""Which of the package's extras brings a module."""

EXTRAS = {
    "nbgrader": "grading",
    "jupytext": "grading",
    "sqlalchemy": "grading",
    "torch": "torch",
    "jupyter_book": "book",
}
"""Modules, and the extra that brings each."""
