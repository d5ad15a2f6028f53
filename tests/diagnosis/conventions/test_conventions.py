"""Files as students of many courses write them: right ones pass, mistaken ones are named, and nothing false is said."""

import re
from typing import Any

import pytest

from bncourse.diagnosis.conventions import diagnose_source, files
from bncourse.diagnosis.conventions.repair import Budget
from tests.diagnosis.conventions.corpus.reading import Program, as_file, programs

FORMS = ("cs231n", "classes", "functions", "torch", "functional", "written_first")
PROGRAMS = {f"{form} {one.name}": one for form in FORMS for one in programs(form)}
LITTLE = {"unknown", "law-derivative"}
"""What is said where no belief and no other law was found broken."""


@pytest.fixture(autouse=True)
def search_in_the_long_run_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beliefs are looked for here; the search for a change, which takes longer, has tests of its own."""
    if request.node.get_closest_marker("long") is None:
        monkeypatch.setattr(files, "Budget", lambda: Budget(tries=0, events=0))


def report_of(source: str, convention: str | None = None) -> dict[str, Any]:
    text, name = as_file(source)
    return diagnose_source(text, convention, name)


def beliefs(report: dict[str, Any]) -> tuple[str, ...]:
    findings = [found["belief"] or "unknown" for one in report["functions"] for found in one["findings"]]
    return tuple(dict.fromkeys(findings))


def check(program: Program, numbers: slice) -> None:
    for wrong in program.wrong[numbers]:
        report = report_of(wrong.source)
        assert (beliefs(report) or (report["status"],)) == wrong.said, wrong.cause


def test_the_corpus_is_large_and_its_right_programs_differ() -> None:
    assert len(PROGRAMS) >= 60
    assert len({re.sub(r"\s", "", one.source) for one in PROGRAMS.values()}) == len(PROGRAMS)
    assert sum(len(one.wrong) for one in PROGRAMS.values()) >= 120


def test_nearly_every_mistake_is_named_or_fairly_described() -> None:
    wrong = [one for program in PROGRAMS.values() for one in program.wrong if one.said != ("right",)]
    described = [one for one in wrong if set(one.said) - LITTLE]
    assert len(described) >= 0.95 * len(wrong)
    named = [one for one in wrong if any(not said.startswith("law-") for said in {*one.said} - LITTLE)]
    assert len(named) >= 0.85 * len(wrong)


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_programs_pass_and_their_first_mistake_is_named(name: str) -> None:
    report = report_of(PROGRAMS[name].source)
    assert report["status"] == "right", report
    check(PROGRAMS[name], slice(1))


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_mistake_is_named(name: str) -> None:
    check(PROGRAMS[name], slice(1, None))


@pytest.mark.parametrize(
    ("name", "cause", "convention"),
    [
        ("classes cmu-1d", "alpha weighs the new value", "cmu"),
        ("cs231n spatial-reuse", "momentum weighs the new value", "cs231n"),
        ("torch module-1d", "momentum weighs the old value", "pytorch"),
    ],
)
def test_a_difference_of_convention_is_a_mistake_where_the_course_is_declared(
    name: str, cause: str, convention: str
) -> None:
    source = next(one.source for one in PROGRAMS[name].wrong if one.cause == cause)
    plain = report_of(source)
    assert plain["status"] == "right"
    assert "momentum weighs the" in plain["functions"][0]["differences"][0]
    assert beliefs(report_of(source, convention)) == ("momentum-swapped",)


def test_two_arrays_that_a_function_writes_into_are_told_of() -> None:
    source = next(one.source for one in PROGRAMS["functions in-place"].wrong if "overwritten" in one.cause)
    assert any("the caller's x" in note for note in report_of(source)["functions"][0]["notes"])
    source = PROGRAMS["functions closure"].source.replace(
        "return cache(dy)", "dx = cache(dy)\n    dy *= 2\n    return dx"
    )
    assert any("upstream gradient" in note for note in report_of(source)["functions"][1]["notes"])


def test_what_a_wrong_forward_pass_averages_is_no_difference_between_courses() -> None:
    for name, cause in (("classes flax-like", "the mean square"), ("classes cmu-2d", "pixels are not counted")):
        source = next(one.source for one in PROGRAMS[name].wrong if cause in one.cause)
        assert not any("running_var" in said for said in report_of(source)["functions"][0]["differences"])


def test_one_slip_in_training_and_in_inference_is_said_once() -> None:
    source = next(one.source for one in PROGRAMS["torch functional-flag"].wrong if "no root" in one.cause)
    function = report_of(source)["functions"][0]
    assert [found["belief"] for found in function["findings"]] == ["variance-without-root"]
    assert "The same shows in inference." in function["notes"]


def test_a_linear_layer_with_a_dict_of_parameters_is_no_normalization() -> None:
    source = "def linear(params, x):\n    return x @ params['weight'] + params['bias']\n"
    assert "nothing in it looks like a normalization" in report_of(source)["problem"]


def test_the_lines_to_paste_call_a_function_of_params_and_state() -> None:
    wrong = next(one for one in PROGRAMS["functional tuples"].wrong if "gamma's gradient" in one.cause)
    backward = report_of(wrong.source)["functions"][-1]
    assert "def normalize_of_arrays(" in backward["paste_first"]
    names: dict[str, Any] = {}
    exec(f"{wrong.source}\n{backward['paste_first']}", names)
    y, cache = names["forward"](names["np"].eye(3), names["np"].ones(3), names["np"].zeros(3))
    assert [one.shape for one in names["backward"](y, cache)] == [(3, 3), (3,), (3,)]
