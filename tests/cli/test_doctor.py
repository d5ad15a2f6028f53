import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.sandbox import bubblewrap
from bncourse.grading.workflows import doctor


@pytest.mark.sandbox
def test_it_states_the_level_and_the_measured_speed(sandbox: None) -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "full" in result.output and "submissions a second" in result.output.replace("\n", " ")


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = (("bubblewrap", False, "install bubblewrap"), ("namespaces", False, "needs it"), ("filter", True, ""))
    monkeypatch.setattr(bubblewrap, "probe", lambda: bubblewrap.Report(layers))
    result = CliRunner().invoke(main, ["doctor", "--no-speed"])
    assert result.exit_code == 1
    assert "This machine cannot grade yet: sandbox: bubblewrap: missing: install bubblewrap" in result.output


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "no_such_module_of_ours", "grading")
    findings = {finding.what: finding for finding in doctor.examine(speed=False)}
    assert not findings["no_such_module_of_ours"].fine
    assert "pip install 'bncourse[grading]'" in findings["no_such_module_of_ours"].says
