"""Where a mistake lies that no belief explains: one change of the student's own source after which all is right."""

from bncourse.diagnosis.conventions.repair.search import Budget, find_place

__all__ = ["Budget", "find_place"]
