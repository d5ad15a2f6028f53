"""What the pages for teachers and students take from elsewhere when they are built, so that they cannot go stale.

Tables of the assignments from their masters; the released notebooks to download, which are the very ones that
`bncourse release` makes (nbgrader takes the solutions and hidden tests out of them); and the list of attacks from the
test suite.
"""

import posixpath
import re
import shutil
import sys
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

MASTERS = Path("assignments/masters")
DOWNLOADS = Path("assignments")
"""Where the notebooks lie in the site."""

LITE = Path("lite")
"""Where JupyterLite lies in the site."""


STATE = "masters"
"""Under this name Sphinx remembers for a page of which state of the masters it is."""

State = tuple[tuple[str, int], ...]


def opened(page: str, notebook: str) -> str:
    """The address, seen from a page, under which a notebook opens in the browser."""
    return f"{'../' * page.count('/')}{LITE.as_posix()}/notebooks/index.html?path={notebook}"


def course_in_use(source: Path) -> Any:
    """The course folder that the masters below `source` are used for, whose variants and dates its pages show."""
    from bncourse.grading.authoring.course_folder import DEFAULT_ROOT, find_course, in_use

    masters = source / MASTERS
    return find_course(in_use(masters) or source / DEFAULT_ROOT, masters)


def masters_of(source: Path) -> list[Any]:
    """Return the masters below `source`, in the order in which they are due; none where there is no such folder.

    They are the variants, with the due dates, of the course folder in use.
    """
    if not (source / MASTERS).is_dir():
        return []
    return list(_masters(source, state_of(source)))


def state_of(source: Path) -> State:
    """The masters and settings that there are, each with the time of its last change."""
    if not (source / MASTERS).is_dir():
        return ()
    files = [*sorted((source / MASTERS).glob("*.md")), *settings_of(source)]
    return tuple((str(path), path.stat().st_mtime_ns) for path in files if path.is_file())


@lru_cache(maxsize=4)
def _masters(source: Path, _: State) -> tuple[Any, ...]:
    """Load them once, for as long as none of these files changes; many pages ask."""
    from bncourse.grading.authoring.masters import load_master

    course = course_in_use(source)
    masters = []
    for name in course.assignments:
        master = load_master(source / MASTERS / f"{name}.md", course.variants.get(name))
        due = course.settings.due.get(name, master.metadata["due"])
        masters.append(replace(master, metadata={**master.metadata, "due": due}))
    return tuple(sorted(masters, key=lambda master: (str(master.metadata["due"]), master.assignment)))


def listed(source: Path, now: datetime | None = None) -> list[Any]:
    """The masters whose notebooks students may see: those whose own date, in course.toml, has come."""
    masters = masters_of(source)
    settings = course_in_use(source).settings if masters else None
    return [master for master in masters if settings is not None and settings.is_open(master.assignment, now)]


def settings_of(source: Path) -> list[Path]:
    """The files that say which course folder is in use, and what it changes; they need not exist."""
    from bncourse.grading.authoring.course import VARIANTS
    from bncourse.grading.authoring.course_folder import IN_USE
    from bncourse.grading.authoring.settings import FILE

    root = course_in_use(source).root
    return [(source / MASTERS).parent / IN_USE, root / VARIANTS, root / FILE]


class Assignments(SphinxDirective):
    """A row an assignment (`table`), what one learns in each (`goals`), or what to read for it (`schedule`).

    A schedule's content holds a line `NAME: what to read` an assignment; those without a master are left out, and so
    are links to chapters that are not in the book.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write the Markdown and let the page's own parser read it."""
        style = self.arguments[0]
        if style not in ("table", "goals", "schedule"):
            raise self.error(f"assignments: {style!r} is unknown. Expected table, goals or schedule.")
        source = Path(self.env.srcdir)
        self.env.metadata[self.env.docname][STATE] = state_of(source)
        masters = masters_of(source)
        if style == "schedule":
            lines = schedule(masters, dict(line.split(": ", 1) for line in self.content if ": " in line))
            lines = [self.without_missing_chapters(line) for line in lines]
        elif style == "table":
            shown = listed(source)
            if len(shown) < len(masters):
                self.env.note_reread()  # one more may be listed tomorrow
            lines = table(shown, self.env.docname, self.config.live_runtime)
        else:
            lines = goals(masters)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=False)

    def without_missing_chapters(self, line: str) -> str:
        """Leave out the links to chapters that this build does not have."""

        def kept(link: re.Match[str]) -> str:
            page = posixpath.normpath(posixpath.join(posixpath.dirname(self.env.docname), link[1]))
            return link[0] if page in self.env.found_docs else ""

        return re.sub(r"(?:, )?\[[^\]]*\]\((\S+?)\.md\)", kept, line)


class Attacks(SphinxDirective):
    """`{attacks}` gives a folded table for each section of the acceptance suite."""

    def run(self) -> list[nodes.Node]:
        """Read the rows from the tests."""
        source = Path(self.env.srcdir)
        for path in (source / "tests/grading/vectors").glob("*.py"):
            self.env.note_dependency(str(path))
        if str(source) not in sys.path:
            sys.path.insert(0, str(source))
        from tests.grading.vectors import STOCK
        from tests.grading.vectors.rows import COLLECTIONS

        lines = []
        for collection in COLLECTIONS:
            rows = [*collection.vectors, *collection.runs]
            lines += [f":::{{admonition}} {collection.section}: {len(rows)} rows", ":class: dropdown", ""]
            lines += ["| what was tried | a stock grader |", "|---|---|"]
            lines += [f"| {escaped(row.row)} | {STOCK[row.stock]} |" for row in rows]
            lines += [":::", ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=False)


def escaped(text: str) -> str:
    """Text that Markdown shows as it stands, also in a table's cell."""
    return "".join("\\" + sign if sign in "\\`*_{}[]<>()#+-.!|$" else sign for sign in text)


def table(masters: list[Any], page: str, live: str) -> list[str]:
    """A Markdown table; its links lead to the notebooks in the site, and open in the browser what can run there."""
    up = "../" * page.count("/")
    header = [
        "assignment",
        *(["in the browser"] if live else []),
        "notebook",
        "points (by hand)",
        "minutes (estimated)",
    ]
    lines = [f"| {' | '.join([*header, 'due (UTC)'])} |", "|---" * (len(header) + 1) + "|"]
    for master in masters:
        name, facts = master.assignment, master.metadata
        link = f'<a href="{up}{DOWNLOADS.as_posix()}/{name}.ipynb" download="{name}.ipynb">{name}.ipynb</a>'
        here = f'<a href="{opened(page, f"{name}.ipynb")}">open {name}</a>'
        if not runs_in_a_browser(master):
            here = "needs PyTorch: [start](#start) says how"
        by_hand = sum(cell.points for cell in master.cells if cell.kind == "written")
        minutes = "–".join(str(bound) for bound in facts["minutes"])
        due = str(facts["due"])[:16]
        cells = [master.title, *([here] if live else []), link, f"{facts['points']:g} ({by_hand:g})", minutes, due]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def runs_in_a_browser(master: Any) -> bool:
    """Whether an assignment needs nothing that a browser lacks."""
    return "torch" not in master.imports


def goals(masters: list[Any]) -> list[str]:
    """What a student can do after each assignment."""
    lines = []
    for master in masters:
        lines += [f"**{master.title}** (`{master.assignment}`)", ""]
        lines += [f"- {goal}" for goal in master.metadata["goals"]]
        lines.append("")
    return lines


def schedule(masters: list[Any], reading: dict[str, str]) -> list[str]:
    """A Markdown table of what to read before each assignment is due."""
    rows = [f"| `{m.assignment}` | {reading.get(m.assignment, '')} | {str(m.metadata['due'])[:10]} |" for m in masters]
    return ["| assignment | chapters to read | due |", "|---|---|---|", *rows]


def find_outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Name the pages that show the masters, where one of these or a setting has changed, come or gone."""
    now = state_of(Path(app.srcdir))
    return [page for page, known in env.metadata.items() if known.get(STATE, now) != now]


def release_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Put the released notebooks into the site, where those there are not of the masters as they are now."""
    source = Path(app.srcdir)
    if exception is not None or app.builder.format != "html" or not (source / MASTERS).is_dir():
        return
    from bncourse.grading.authoring.course import Course, notebook_digest
    from bncourse.grading.workflows.release import release

    folder = Path(app.outdir).parent / ".releases"
    course = Course(folder, source / MASTERS, f"sqlite:///{folder / 'gradebook.db'}")
    _take_settings(source, folder)
    stale = [
        name
        for name in course.assignments
        if notebook_digest(Path(app.outdir) / DOWNLOADS / f"{name}.ipynb") != course.master(name).metadata["digest"]
    ]
    if stale:
        shutil.rmtree(folder, ignore_errors=True)  # nothing is ever handed in there
        _take_settings(source, folder)
    shown = {master.assignment for master in listed(source)}
    for name in set(course.assignments) - shown:
        (Path(app.outdir) / DOWNLOADS / f"{name}.ipynb").unlink(missing_ok=True)
    for name in stale:
        if name not in shown:
            continue
        release(course, name)
        target = Path(app.outdir) / DOWNLOADS / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course.notebook("release", name), target)


def _take_settings(source: Path, folder: Path) -> None:
    """Copy the variants and dates of the course folder in use to the folder in which the site's notebooks are made."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in settings_of(source)[1:]:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
        else:
            (folder / path.name).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all this to Sphinx."""
    app.add_directive("assignments", Assignments)
    app.add_directive("attacks", Attacks)
    app.connect("env-get-outdated", find_outdated)
    app.connect("build-finished", release_notebooks)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
