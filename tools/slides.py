"""Build the three lectures: `python -m tools.slides` leaves them in _build/slides, to show, print and read offline.

A lecture is a text in `slides/`, and what it shows is the book's own. A block `{chapter-cell} PAGE NAME` stands for the
cell of that page whose figure has that name (`PAGE #3`: its third visible cell), and the cells of the page before it
run unseen. `{chapter-equation} LABEL` stands for the equation with that label. So a lecture has no code, figure or
formula of its own that could grow old. Sphinx makes reveal.js slides of the result, with sphinx-revealjs, which brings
all that a browser needs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tools.book import ROOT

LECTURES, WORK = ROOT / "slides", ROOT / "_build" / "slides_source"
CELL = re.compile(r"^(```+)\{code-cell\}.*?^\1$", re.MULTILINE | re.DOTALL)
SHOW = re.compile(r"^```\{chapter-cell\} (\S+) (\S+)\n((?::.*\n)*)```$", re.MULTILINE)
EQUATION = re.compile(r"^```\{chapter-equation\} (\S+)\n```$", re.MULTILINE)
KERNEL = "kernelspec: {display_name: Python 3, language: python, name: python3}"


class Missing(ValueError):
    """A lecture asks for a cell or an equation that the book has not."""


def hidden(cell: str) -> bool:
    """Whether a page shows nothing of a cell, neither code nor output."""
    return "remove-cell" in cell


def unseen(cell: str) -> str:
    """The cell without its options, run but not shown."""
    lines = [line for line in cell.split("\n")[1:-1] if not line.startswith(":")]
    return "\n".join(["```{code-cell} python", ":tags: [remove-cell]", *lines, "```"])


def shown(cell: str, options: str) -> str:
    """The cell as a slide shows it: its code or its output, without the page's caption."""
    lines = [line for line in cell.split("\n")[1:-1] if not line.startswith(":")]
    return "\n".join(
        ["```{code-cell} python", *(options.strip() or ":tags: [remove-input]").split("\n"), *lines, "```"]
    )


def place(cells: list[str], name: str) -> int:
    """Which cell of a page is meant.

    Raises
    ------
    Missing
        If none of them is.
    """
    if name.startswith("#"):
        visible = [number for number, cell in enumerate(cells) if not hidden(cell)]
        if int(name[1:]) <= len(visible):
            return visible[int(name[1:]) - 1]
    for number, cell in enumerate(cells):
        if re.search(rf"name: {re.escape(name)}[,}}]", cell):
            return number
    raise Missing(name)


def equation(label: str, book: Path) -> str:
    """The displayed equation with this label, as the chapter writes it.

    Raises
    ------
    Missing
        If no page has it.
    """
    for page in sorted(book.rglob("*.md")):
        if found := re.search(rf"\$\$((?:(?!\$\$).)+)\$\$ \({label}\)", page.read_text("utf-8"), re.DOTALL):
            return f"$${found[1]}$$"
    raise Missing(label)


def expand(lecture: str, root: Path = ROOT) -> str:
    """Put the book's cells and equations into the text of a lecture."""
    done: dict[str, int] = {}

    def cell(wanted: re.Match[str]) -> str:
        page, name, options = wanted.groups()
        cells = [found[0] for found in CELL.finditer((root / f"{page}.md").read_text("utf-8"))]
        try:
            here = place(cells, name)
        except Missing as error:
            raise Missing(f"{page}.md has no cell {name!r}") from error
        before = [unseen(one) for one in cells[done.get(page, 0) : here]]
        done[page] = max(done.get(page, 0), here + 1)
        return "\n\n".join([*before, shown(cells[here], options)])

    lecture = EQUATION.sub(lambda wanted: equation(wanted[1], root / "book"), lecture)
    return SHOW.sub(cell, lecture)


def configuration(root: Path) -> str:
    """Sphinx's settings: the book's mathematics and bibliography, and reveal.js as sphinx-revealjs brings it."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    settings = {
        "project": "Batch normalization, by hand",
        "author": "The bncourse authors",
        "extensions": ["myst_nb", "sphinx_revealjs", "sphinx.ext.mathjax", "sphinxcontrib.bibtex"],
        "myst_enable_extensions": ["amsmath", "attrs_inline", "colon_fence", "dollarmath"],
        "myst_dmath_double_inline": True,
        "bibtex_bibfiles": ["references.bib"],
        "bibtex_reference_style": "author_year",
        "nb_execution_mode": "cache",
        "nb_execution_timeout": 600,
        "nb_execution_raise_on_error": True,
        "nb_mime_priority_overrides": [["revealjs", "text/html", 0]],
        "nb_merge_streams": True,
        "exclude_patterns": ["_static"],
        "html_static_path": ["_static"],
        "revealjs_static_path": ["_static"],
        "revealjs_css_files": ["bncourse.css", "slides.css"],
        "revealjs_style_theme": "white",
        "revealjs_use_section_ids": True,
        "revealjs_html_theme": "revealjs-basic",
        "revealjs_script_plugins": [{"name": "RevealNotes", "src": "revealjs/plugin/notes/notes.js"}],
        "revealjs_script_conf": {"hash": True, "slideNumber": "c/t", "width": 1100, "height": 700, "margin": 0.04},
        "mathjax_path": config["mathjax_path"],
        "mathjax3_config": config["mathjax3_config"],
        "suppress_warnings": ["myst.header", "misc.highlighting_failure"],
    }
    lines = ["import sys", f"sys.path[:0] = [{str(root)!r}, {str(root / 'book' / '_ext')!r}]"]
    ending = ["", "def setup(app):", "    from bncourse_book import bring_mathjax", ""]
    ending.append("    app.connect('build-finished', bring_mathjax)")
    return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in settings.items()), *ending, ""])


def prepare(root: Path, work: Path) -> list[str]:
    """Write the expanded lectures and Sphinx's settings into a folder; return the lectures' names."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "_static").mkdir(parents=True)
    lectures = sorted(path.stem for path in (root / "slides").glob("*.md"))
    for name in lectures:
        (work / f"{name}.md").write_text(expand((root / "slides" / f"{name}.md").read_text("utf-8"), root), "utf-8")
    shutil.copy(root / "book" / "references.bib", work)
    shutil.copy(root / "book" / "_static" / "bncourse.css", work / "_static")
    shutil.copy(root / "slides" / "slides.css", work / "_static")
    (work / "conf.py").write_text(configuration(root), "utf-8")
    toc = "\n".join(["# Three lectures", "", "```{toctree}", *lectures, "```", ""])
    (work / "index.md").write_text(toc, "utf-8")
    return lectures


def build(root: Path = ROOT, output: Path | None = None) -> int:
    """Build the lectures; return Sphinx's exit status."""
    output = output or root / "_build" / "slides"
    work = root / "_build" / "slides_source"
    prepare(root, work)
    command = [sys.executable, "-m", "sphinx", "-b", "revealjs", "-q", "-W", "--keep-going", str(work), str(output)]
    settings = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONPATH": str(root)}
    return subprocess.run(command, env=os.environ | settings, check=False).returncode


def main() -> int:
    """Build and say where the lectures lie."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if status := build():
        return status
    print(f"The lectures lie in {ROOT / '_build' / 'slides'}.")
    print("Open one in a browser; S shows the speaker's notes, and ?print-pdf after the address prints it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
