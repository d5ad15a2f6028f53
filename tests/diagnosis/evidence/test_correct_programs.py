import functools

import numpy as np
import pytest

from bncourse.diagnosis import diagnose, forwards
from bncourse.diagnosis.checks import check_backward, check_conv, check_laws
from bncourse.diagnosis.evidence.correct_programs import RIGHT, Right, on_feature_maps
from bncourse.diagnosis.probes import RECIPE, make_probe
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import batch_norm_inference, batch_norm_inference_backward

SEEDS = [30, pytest.param(1000, marks=pytest.mark.long)]


@pytest.mark.parametrize("seeds", SEEDS)
def test_no_right_program_is_ever_diagnosed(seeds: int) -> None:
    false = [
        (one.name, seed, str(report))
        for seed in range(seeds)
        for one in RIGHT
        if not (report := diagnose(one.forward, one.backward, seed=seed)).correct
    ]
    assert false == []


@pytest.mark.parametrize("seeds", SEEDS)
def test_no_right_program_of_any_task_is_ever_diagnosed(seeds: int) -> None:
    reference = RIGHT[0]
    for seed in range(seeds):
        report = diagnose(
            reference.forward,
            reference.backward,
            inference=batch_norm_inference,
            inference_backward=batch_norm_inference_backward,
            running=right_update,
            conv=True,
            seed=seed,
        )
        assert report.correct, (seed, str(report))
        check_laws(reference.forward, reference.backward, seed=seed)


@pytest.mark.parametrize("one", RIGHT, ids=lambda one: one.name)
def test_right_programs_obey_the_laws_and_pass_on_feature_maps(one: Right) -> None:
    maps = on_feature_maps(one)
    for seed in range(15):
        check_laws(one.forward, one.backward, seed=seed)
        check_backward(one.forward, one.backward, seed=seed)
        check_conv(maps.forward, maps.backward, seed=seed)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("offset", [0.7, 1e2, 1e4])
def test_right_programs_pass_at_large_offsets_and_in_single_precision(
    offset: float, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = functools.partial(make_probe, recipe=RECIPE._replace(offset=offset), dtype=dtype)
    monkeypatch.setattr(forwards, "make_probe", far)
    for one in RIGHT:
        for seed in range(10):
            report = diagnose(one.forward, one.backward, seed=seed)
            assert report.correct, (one.name, seed, str(report))


def test_results_in_single_precision_pass_with_a_note() -> None:
    single = next(one for one in RIGHT if one.name == "float32 inside")
    report = diagnose(single.forward, single.backward)
    assert report.correct
    assert any("float32" in note for note in report.notes)


def test_right_programs_write_into_nothing_of_the_callers() -> None:
    rng = np.random.default_rng(0)
    for one in RIGHT:
        x, dy = rng.standard_normal((2, 6, 3))
        before = x.copy(), dy.copy()
        _, cache = one.forward(x, np.ones(3), np.zeros(3))
        one.backward(dy, cache)
        np.testing.assert_array_equal(x, before[0])
        np.testing.assert_array_equal(dy, before[1])
