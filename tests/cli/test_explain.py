from click.testing import CliRunner

from bncourse.cli.explain import command
from bncourse.diagnosis import beliefs


def test_without_ids_it_lists_every_belief() -> None:
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    for entry in beliefs().values():
        assert entry.id in result.output
        assert entry.belief in result.output


def test_with_ids_it_explains_each_in_full() -> None:
    result = CliRunner().invoke(command, ["momentum-swapped", "eps-outside-root"])
    assert result.exit_code == 0
    entry = beliefs()["momentum-swapped"]
    for text in (entry.sentence, entry.truth, entry.symptom, *entry.hints, entry.link):
        assert text in result.output
    assert result.output.index("momentum-swapped") < result.output.index("eps-outside-root")


def test_a_part_is_listed_alone() -> None:
    result = CliRunner().invoke(command, ["--part", "running"])
    assert "momentum-swapped" in result.output
    assert "eps-outside-root" not in result.output


def test_an_unknown_id_or_part_is_one_line_and_exit_code_two() -> None:
    for arguments, expected in (
        (["eps-outside"], "eps-outside-root"),
        (["--part", "dz"], "dgamma"),
        (["qqq"], "lists"),
    ):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 2
        assert expected in result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""
