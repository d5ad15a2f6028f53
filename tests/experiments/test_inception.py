from bncourse.experiments.inception import PUBLISHED, ROWS
from bncourse.experiments.inception_network import ALL_CHANGES, CHANGES, Recipe, recipe


def test_batch_norm_alone_and_the_changes_each_save_steps(quick):
    result = quick("inception")
    rows = {variant: {"part": "reported", "variant": variant} for variant in ("Inception", "BN-Baseline", "BN-x5")}
    assert result.difference("loss", rows["Inception"], rows["BN-Baseline"]).low > 0.0
    assert result.difference("loss", rows["BN-Baseline"], rows["BN-x5"]).low > 0.0


def test_the_seven_changes_without_batch_norm_do_not_do_what_they_do_with_it(quick):
    result = quick("inception")
    alone, together = ({"part": "reported", "variant": variant} for variant in ("Changes-x5", "BN-x5"))
    assert result.difference("loss", alone, together).low > 0.0


def test_the_missing_row_is_bn_x5_without_its_normalization_and_nothing_else():
    alone, together = recipe("Changes-x5"), recipe("BN-x5")
    differing = {name for name in Recipe.__dataclass_fields__ if getattr(alone, name) != getattr(together, name)}
    assert differing == {"norm"}


def test_undoing_a_change_restores_the_baselines_value_and_nothing_else():
    full = recipe("BN-x5")
    for change, fields in CHANGES.items():
        undone = recipe(f"without {change}")
        differing = {name for name in Recipe.__dataclass_fields__ if getattr(undone, name) != getattr(full, name)}
        assert differing == set(fields)
        assert all(getattr(undone, name) == getattr(Recipe(), name) for name in fields)
    assert len(CHANGES) == 7 == len(ALL_CHANGES)


def test_the_published_table_has_our_rows():
    assert set(PUBLISHED) == set(ROWS)
