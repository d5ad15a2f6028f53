"""A module's name in; which extra of the package installs it out."""

EXTRAS = {
    "nbgrader": "grading",
    "jupytext": "grading",
    "sqlalchemy": "grading",
    "torch": "torch",
    "jupyter_book": "book",
}
"""Modules, and the extra that brings each."""
