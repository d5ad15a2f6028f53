from pathlib import Path

import pytest

from bncourse.grading.authoring.masters import MasterError, list_masters, load_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import master_of, public_master, release_notebook, source_notebook

FRONT = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
bncourse:
  assignment: tiny
  title: A tiny one
  points: 3
  due: "2027-01-02 03:04:05 UTC"
  minutes: [5, 10]
  goals: [to add]
  imports: [numpy]
  seconds_per_test: 2
  seconds_in_all: 20
---
"""
BODY = """
# Add

```{code-cell} ipython3
---
nbgrader: {grade_id: add, kind: answer}
---
def add(a, b):
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test-add, kind: test, points: 2}
---
assert add(1, 2) == 3
### BEGIN HIDDEN TESTS
assert add(5, 5) == 10
### END HIDDEN TESTS
```

+++ {"grade_id": "why", "kind": "written", "points": 1}

### BEGIN SOLUTION
Because.
### END SOLUTION
"""


def written(folder: Path, text: str, name: str = "tiny") -> Path:
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_master_gives_its_facts_and_cells(tmp_path: Path) -> None:
    master = load_master(written(tmp_path, FRONT + BODY))
    assert (master.assignment, master.title, master.imports) == ("tiny", "A tiny one", ("numpy",))
    assert (master.seconds_per_test, master.seconds_in_all) == (2.0, 20.0)
    assert [(cell.grade_id, cell.kind, cell.points) for cell in master.cells] == [
        ("text-1", "text", 0.0),
        ("add", "answer", 0.0),
        ("test-add", "test", 2.0),
        ("why", "written", 1.0),
    ]
    assert list_masters(tmp_path) == ["tiny"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 3", "points: 4", "add up to 3"),
        ("  title: A tiny one\n", "", "bncourse.title is missing"),
        ("points: 3\n", "points: 3\n  colour: red\n", "bncourse.colour is unknown"),
        ("2027-01-02 03:04:05 UTC", "soon", "bncourse.due is 'soon'"),
        ("assignment: tiny", "assignment: other", "Expected the file's name"),
        ("grade_id: test-add, kind: test", "grade_id: add, kind: test", "more than one cell"),
        ("kind: answer}", "kind: guess}", "kind is 'guess'"),
        ("kind: answer}", "kind: answer, points: 1}", "Expected more than 0 for test and written cells, else none"),
        ("kind: test, points: 2}", "kind: given}", "hidden tests stand in a cell of kind 'given'"),
        (
            "    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION\n",
            "    return a + b\n",
            "each of them needs one",
        ),
        ("    ### END SOLUTION\n", "", "has no END SOLUTION"),
        ("### END HIDDEN TESTS\n", "", "has no END HIDDEN TESTS"),
        ("assert add(1, 2) == 3", "assert add(1, 2 == 3", "was never closed"),
        ("grade_id: add,", "grade_id: 'a b',", "letters, digits and dashes"),
    ],
)
def test_a_master_with_a_fault_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in FRONT + BODY
    with pytest.raises(MasterError, match=f"tiny.md.*{said}"):
        load_master(written(tmp_path, (FRONT + BODY).replace(old, new, 1)))


SUBSTITUTE = """\
  substitutes:
    - answer: add
      tests: [test-add]
      code: |
        def add(a, b):
            return 7
"""


def test_a_substitute_is_read_and_goes_with_the_notebook(tmp_path: Path) -> None:
    text = FRONT.replace("  title:", f"{SUBSTITUTE}  title:") + BODY
    master = load_master(written(tmp_path, text))
    (one,) = master.substitutes
    assert (one.answer, one.tests, one.code) == ("add", ("test-add",), "def add(a, b):\n    return 7\n")
    assert Master.deserialized(master.serialized) == master
    assert master_of(source_notebook(master)).substitutes == master.substitutes
    public = public_master(release_notebook(master))
    assert public is not None and public.substitutes == master.substitutes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answer: add", "answer: test-add", "names no answer"),
        ("[test-add]", "[add]", "Expected names of tests"),
        ("[test-add]", "[]", "Expected names of tests"),
        ("      tests: [test-add]\n", "", "Expected a list of mappings with answer, tests and code"),
        ("def add(a", "def add(a:", "is no code"),
        ("def add(a", "def other(a", r"defines \['other'\]. Expected \['add'\]"),
    ],
)
def test_a_substitute_with_a_fault_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SUBSTITUTE
    text = FRONT.replace("  title:", f"{SUBSTITUTE.replace(old, new)}  title:") + BODY
    with pytest.raises(MasterError, match=f"tiny.md.*{said}"):
        load_master(written(tmp_path, text))


def test_a_given_cell_may_not_import_the_package(tmp_path: Path) -> None:
    text = FRONT + "\n```{code-cell} ipython3\nimport bncourse\n```\n" + BODY
    with pytest.raises(MasterError, match="bncourse is not installed"):
        load_master(written(tmp_path, text))


def test_a_master_without_facts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match="no mapping named bncourse"):
        load_master(written(tmp_path, "# Only text\n"))
