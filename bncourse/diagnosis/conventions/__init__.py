"""Any course's batch norm: a student's file is found, translated and diagnosed.

`diagnose_file` and `diagnose_source` need NumPy alone; code that imports more (PyTorch, say) needs that too.
"""

from bncourse.diagnosis.conventions.files import diagnose_file, diagnose_source
from bncourse.diagnosis.conventions.known import CONVENTIONS, Convention
from bncourse.diagnosis.conventions.report import FileReport, FunctionReport

__all__ = ["CONVENTIONS", "Convention", "FileReport", "FunctionReport", "diagnose_file", "diagnose_source"]
