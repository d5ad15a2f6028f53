import pytest

BATCH = {"norm": "batch", "training": "clean"}


@pytest.mark.parametrize("kind", ["faint", "bright"])
def test_recomputed_statistics_undo_a_change_of_contrast_or_brightness(quick, kind):
    result = quick("adabn")
    before, after = result.values(f"{kind}_before", **BATCH), result.interval(f"{kind}_after", **BATCH)
    assert before.max() < 0.75 and after.low > 0.93


def test_they_help_against_blur_and_cannot_turn_an_inverted_picture(quick):
    result = quick("adabn")
    assert result.interval("blurred_after", **BATCH).low > result.interval("blurred_before", **BATCH).mean
    assert result.interval("inverted_after", **BATCH).high < 0.1


def test_training_on_distorted_pictures_helps_without_recomputing(quick):
    result = quick("adabn")
    for kind in ("faint", "bright"):
        gain = result.difference(f"{kind}_before", BATCH | {"training": "distorted"}, BATCH)
        assert gain.low > 0.1
