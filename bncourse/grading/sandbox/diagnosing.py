"""A student's file in; what its functions believe out, found inside the grader's sandbox."""

import math
from pathlib import Path

from bncourse.diagnosis.conventions.apart import diagnose_apart, imported_modules
from bncourse.diagnosis.conventions.files import read_text
from bncourse.diagnosis.conventions.report import FileReport
from bncourse.grading.core.plain_text import inert
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.sandbox.forkserver import MEMORY_MIB, TMP_MIB, TORCH_MEMORY_MIB
from bncourse.grading.sandbox.syscalls import call_filter


def diagnose_in_sandbox(path: str | Path, convention: str | None = None, *, seconds: float) -> FileReport:
    """Diagnose a file without network, without your files, and with the grader's limits.

    What the report says comes out of the sandbox, where the file's own code runs too: a file that was written to
    deceive can say that it is right. What gives marks is the grader, which keeps the two apart.

    Parameters
    ----------
    path, convention, seconds
        As in `diagnose_apart`.

    Raises
    ------
    SandboxError
        If a layer of the sandbox is missing here.
    """
    bubblewrap.probe().require("full")
    text = read_text(Path(path))
    if isinstance(text, FileReport):
        return text
    wanted = imported_modules(text)
    modules = tuple(name for name in wanted if bubblewrap.distribution_paths((name,)))
    limits = {
        "memory_mib": TORCH_MEMORY_MIB if "torch" in modules else MEMORY_MIB,
        "tmp_mib": TMP_MIB,
        "cpu_seconds": math.ceil(100 * seconds),
    }
    extra = {"limits": limits, "filter": call_filter().hex()}
    command = bubblewrap.diagnosis_command(modules)
    report = diagnose_apart(path, convention, seconds=seconds, command=command, extra=extra)
    report.problem = inert(report.problem)
    for one in report.functions:
        one.name, one.what, one.reason = inert(one.name), inert(one.what), inert(one.reason)
        one.notes, one.differences = tuple(map(inert, one.notes)), tuple(map(inert, one.differences))
    return report
