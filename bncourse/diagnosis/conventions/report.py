"""What is said of a file: one report a function, as text and as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bncourse.diagnosis.report import Finding

Status = Literal["right", "mistaken", "missing", "unreadable"]
WORDS = {
    "right": "right",
    "mistaken": "mistaken",
    "missing": "not written yet",
    "unreadable": "could not be looked at",
}


@dataclass(frozen=True)
class Place:
    """Where one change of the file makes right what no belief explains."""

    line: int
    """Of the file, or of the code cell, from 1."""
    at: str
    """What stands there, as it is written."""
    change: str
    """Of which kind the change is: it completes "The change is" and does not say the right code."""
    source: str = ""
    """The whole line."""
    whole: bool = True
    """Whether everything that was looked at is right with it; else this function is."""
    cell: int = 0
    """Number of the notebook's code cell, from 1; 0 in a script."""
    more: tuple[tuple[int, str], ...] = ()
    """Other lines that the same change is made in."""

    @property
    def where(self) -> str:
        """Number of the line, and of the code cell that it stands in."""
        return f"line {self.line}" + (f" of code cell {self.cell}" if self.cell else "")

    def text(self) -> str:
        """The line, and two sentences."""
        right = "everything that was looked at" if self.whole else "this function"
        there = f", at `{self.at}`" if self.at and self.at != self.source else ""
        here = "one change in this line" if not self.more else "the same change in each of these lines"
        lines = [f"{self.where.capitalize()}: {self.source}", *(f"Line {line}: {text}" for line, text in self.more)]
        said = f"With {here}{there}, {right} is right. The change is {self.change}."
        return "\n".join([*lines, said])

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Place":
        """Undo what a report's data say of it."""
        line, cell, whole = int(data["line"]), int(data["cell"]), bool(data["whole"])
        more = tuple((int(number), str(text)) for number, text in data["more"])
        return cls(line, str(data["at"]), str(data["change"]), str(data["source"]), whole, cell, more)


@dataclass
class FunctionReport:
    """One function, or one method, of a file."""

    name: str
    what: str
    """What it was taken for: "batch norm, forward" or the like."""
    status: Status = "right"
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Harmless oddities."""
    differences: tuple[str, ...] = ()
    """Where the course's convention differs from PyTorch's."""
    reason: str = ""
    """Why it could not be looked at."""
    paste_first: str = ""
    """Lines that let the experiments call the functions of the file."""
    place: Place | None = None
    """Where one change makes it right, if no belief explains what is wrong."""

    @classmethod
    def judged(
        cls,
        name: str,
        what: str,
        findings: tuple[Finding, ...],
        notes: tuple[str, ...] = (),
        differences: tuple[str, ...] = (),
    ) -> "FunctionReport":
        """Say what is wrong with a function that could be called; without findings it is right."""
        return cls(name, what, _status(findings), findings, notes, differences)

    def keep(self, findings: tuple[Finding, ...]) -> None:
        """Leave only these findings; without any it is right."""
        self.findings, self.status = findings, _status(findings)

    def text(self, hint: int = 2) -> str:
        """Readable in a terminal."""
        lines = [f"{self.name} ({self.what}): {WORDS[self.status]}"]
        if self.reason:
            lines.append(f"  {self.reason}")
        if self.place:
            lines.append("  " + self.place.text().replace("\n", "\n  "))
        for found in self.findings:
            lines.append("  - " + found.text(hint).replace("\n", "\n    "))
        if self.paste_first:
            lines.append("  To try it, paste first:\n    " + self.paste_first.replace("\n", "\n    "))
        lines += [f"  Note: {note}" for note in self.notes]
        lines += [f"  Convention: {one}" for one in self.differences]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "what": self.what,
            "status": self.status,
            "findings": [found.data() for found in self.findings],
            "notes": list(self.notes),
            "differences": list(self.differences),
            "reason": self.reason,
            "paste_first": self.paste_first,
            "place": {**asdict(self.place), "text": self.place.text()} if self.place else None,
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "FunctionReport":
        """Undo `data`."""
        findings = tuple(Finding.of_data(one) for one in data["findings"])
        words = {name: str(data[name]) for name in ("name", "what", "reason", "paste_first")}
        if data["status"] not in WORDS:
            raise ValueError(f"status is {data['status']!r}. Expected one of {', '.join(WORDS)}.")
        lists = {name: tuple(map(str, data[name])) for name in ("notes", "differences")}
        reason, first = words["reason"], words["paste_first"]
        place = Place.of_data(data["place"]) if data.get("place") else None
        return cls(
            *(words["name"], words["what"], data["status"], findings, lists["notes"], lists["differences"]),
            *(reason, first, place),
        )


def _status(findings: tuple[Finding, ...]) -> Status:
    return "mistaken" if findings else "right"


@dataclass
class FileReport:
    """All that was found in a file."""

    file: str
    convention: str = ""
    """Name of the convention that it was taken for, "" where nothing was found."""
    title: str = ""
    functions: list[FunctionReport] = field(default_factory=list)
    problem: str = ""
    """Why nothing could be looked at."""

    @property
    def code(self) -> int:
        """Exit code: 0 right, 1 mistaken, 2 unreadable."""
        statuses = {one.status for one in self.functions}
        if "mistaken" in statuses:
            return 1
        return 0 if "right" in statuses and "unreadable" not in statuses else 2

    @property
    def status(self) -> str:
        """One of right, mistaken and unreadable."""
        return ("right", "mistaken", "unreadable")[self.code]

    def text(self, hint: int = 2) -> str:
        """Readable in a terminal."""
        if self.problem:
            return f"{self.file}: {self.problem}"
        names = ", ".join(one.name for one in self.functions)
        head = f"{self.file}: found {names}; taken for: {self.title}."
        return "\n\n".join([head, *(one.text(hint) for one in self.functions)])

    def data(self) -> dict[str, Any]:
        """Plain data, as `--json` prints it."""
        return {
            "file": self.file,
            "status": self.status,
            "convention": {"name": self.convention, "title": self.title},
            "problem": self.problem,
            "functions": [one.data() for one in self.functions],
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "FileReport":
        """Undo `data`; what a process sends is read with it.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no report.
        """
        functions = [FunctionReport.of_data(one) for one in data["functions"]]
        name, title = str(data["convention"]["name"]), str(data["convention"]["title"])
        return cls(str(data["file"]), name, title, functions, str(data["problem"]))
