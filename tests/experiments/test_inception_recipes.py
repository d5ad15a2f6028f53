from bncourse.experiments.inception_recipes import ALL_CHANGES, CHANGES, PUBLISHED, ROWS, Recipe, recipe


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
