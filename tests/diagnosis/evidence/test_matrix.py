import numpy as np
import pytest

from bncourse.diagnosis.checks import Misconception, check_staged
from bncourse.diagnosis.evidence.matrix import OURS, TRAINING, Matrix, catches, make_matrix, other_rows, program_of
from bncourse.diagnosis.evidence.specimens import SPECIMENS, Specimen
from bncourse.numpy_bn import batch_norm_forward


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return make_matrix(seed=1)


def name_of(specimen: Specimen) -> str:
    return f"{specimen.belief}:{specimen.name}"


def test_right_programs_pass_every_check_of_ours(matrix: Matrix) -> None:
    assert len(matrix.right) >= 13
    for row in matrix.right:
        assert [name for name in matrix.ours if row.caught[name]] == [], row.name


def test_every_specimen_fails_a_check_of_ours(matrix: Matrix) -> None:
    for row in matrix.wrong:
        assert any(row.caught[name] for name in matrix.ours), row.name


RELEVANT = {
    "forward": "check_forward",
    "backward": "check_backward",
    "pair": "check_backward",
    "staged": "check_staged",
    "inference": "check_inference",
    "inference_backward": "check_inference_backward",
    "running": "check_running",
    "conv": "check_conv",
    "conv_backward": "check_conv",
}


@pytest.mark.parametrize("specimen", SPECIMENS, ids=name_of)
def test_the_check_of_its_own_task_catches_a_specimen_for_every_seed(specimen: Specimen) -> None:
    program = program_of(specimen)
    assert all(catches(OURS[RELEVANT[specimen.role]], program, seed) for seed in range(5))


@pytest.mark.parametrize("specimen", [one for one in SPECIMENS if one.role != "staged"], ids=name_of)
def test_every_specimen_is_diagnosed_as_itself(specimen: Specimen) -> None:
    for seed in range(12):
        beliefs = [belief for belief in specimen.diagnose(seed).beliefs if belief not in specimen.beside]
        assert beliefs[:1] == [specimen.belief], (seed, beliefs)


@pytest.mark.parametrize("specimen", [one for one in SPECIMENS if one.role == "staged"], ids=name_of)
def test_staged_specimens_are_named_by_their_check(specimen: Specimen) -> None:
    with pytest.raises(Misconception) as caught:
        check_staged(batch_norm_forward, specimen.function)
    assert caught.value.belief == specimen.belief


def test_checks_of_other_courses_let_known_slips_pass(matrix: Matrix) -> None:
    assert "variance-path-missing" in matrix.let_pass("dy of ones")
    assert "mean-path-missing" in matrix.let_pass("sum of squares")
    assert "variance-path-flipped" in matrix.let_pass("dy of ones")
    assert {"variance-unbiased", "variance-path-missing"} <= set(matrix.let_pass("mean and std of y"))
    assert "eps-outside-root" in matrix.let_pass("one decimal")


def test_check_forward_and_check_backward_together_let_no_training_slip_pass(matrix: Matrix) -> None:
    for row in matrix.wrong:
        if row.role in TRAINING:
            assert row.caught["check_forward"] or row.caught["check_backward"], row.name


def test_the_table_is_complete_and_rectangular(matrix: Matrix) -> None:
    table = matrix.table()
    assert np.shape(table) == (1 + len(matrix.right) + len(SPECIMENS), 2 + len(matrix.ours) + len(matrix.others))
    assert table[1][0] == "none: right"


def test_every_other_normalization_has_rows_and_each_is_named() -> None:
    rows = other_rows(seed=2)
    assert {row.kind for row in rows} >= {"layer", "group", "instance", "rms"}
    assert [row for row in rows if row.named != row.belief] == []
