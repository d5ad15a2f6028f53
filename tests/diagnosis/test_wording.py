"""What is true of batch norm is said of other normalizations only where it is true of them."""

import pytest

from bncourse.diagnosis import beliefs
from bncourse.diagnosis.wording import STATISTICS

NOT_CONV = [one for one in beliefs().values() if one.part in ("forward", "dx", "dgamma", "dbeta", "any")]


@pytest.mark.parametrize("kind", STATISTICS)
def test_gradients_of_gamma_and_beta_are_summed_over_the_batch_everywhere(kind: str) -> None:
    for entry in NOT_CONV:
        if entry.part in ("dgamma", "dbeta"):
            assert " over the features" not in entry.in_words_of(kind).hints[2], entry.id
            assert entry.in_words_of(kind).hints[2].count("batch") == entry.hints[2].count("batch"), entry.id


@pytest.mark.parametrize("kind", STATISTICS)
def test_no_axis_of_a_table_is_named_where_the_statistics_lie_elsewhere(kind: str) -> None:
    for entry in NOT_CONV:
        if entry.part == "dx":
            assert not any("axis 0" in hint for hint in entry.in_words_of(kind).hints), entry.id


def test_rms_norm_has_neither_mean_nor_variance_nor_a_sum_of_dx() -> None:
    for entry in NOT_CONV:
        if entry.part == "dx" and not entry.id.startswith(("rms-", "mean-path", "law-dx-sums")):
            said = entry.in_words_of("rms")
            for text in (said.belief, *said.hints):
                assert "variance" not in text, (entry.id, text)
                assert "must sum to zero" not in text, (entry.id, text)


@pytest.mark.parametrize("kind", STATISTICS)
def test_a_sentence_keeps_its_capital_and_names_keep_theirs(kind: str) -> None:
    for entry in NOT_CONV:
        said = entry.in_words_of(kind)
        for before, after in zip(entry.hints, said.hints, strict=True):
            assert before[0].isupper() == after[0].isupper() or after.startswith("dx "), (entry.id, after)


def test_whole_samples_stay_samples() -> None:
    entry = beliefs()["law-permutation"].in_words_of("layer")
    assert entry.belief == "the order of the samples matters"
    assert beliefs()["normalized-over-batch"].in_words_of("layer").belief.startswith("a feature is normalized over the")
    assert beliefs()["count-of-features"].in_words_of("group").belief == "the count is the number of samples"
