import re
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from bncourse.diagnosis.notebook import say_what_is_missing

BEGIN = "from bncourse.diagnosis.notebook import say_what_is_missing\nsay_what_is_missing()"


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell(BEGIN)
    yield shell
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["raise NotImplementedError()"], "Your code is still missing.\n"),
        (
            ["def forward(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()", "assert forward(1)"],
            "Your code is still missing. Look at forward.\n",
        ),
        (["raise NotImplementedError('Your code is still missing.')"], "Your code is still missing.\n"),
    ],
)
def test_an_unwritten_answer_shows_one_line(
    shell: InteractiveShell, cells: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, result = [shell.run_cell(cell) for cell in cells]
    assert isinstance(result.error_in_exec, NotImplementedError)
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    "cell", ["1 / 0", "raise NotImplementedError('no such kernel')", "assert 1 == 2, 'One is one.'"]
)
def test_every_other_error_keeps_its_traceback(
    shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(cell)
    said = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert "Traceback (most recent call last)" in said and f"1 {cell}" in said


def test_without_a_notebook_nothing_happens() -> None:
    InteractiveShell.clear_instance()
    say_what_is_missing()
    with pytest.raises(NotImplementedError, match=r"^$"):
        raise NotImplementedError
