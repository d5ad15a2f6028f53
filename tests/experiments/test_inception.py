def test_batch_norm_alone_and_the_changes_each_save_steps(quick):
    result = quick("inception")
    rows = {variant: {"part": "reported", "variant": variant} for variant in ("Inception", "BN-Baseline", "BN-x5")}
    assert result.difference("loss", rows["Inception"], rows["BN-Baseline"]).low > 0.0
    assert result.difference("loss", rows["BN-Baseline"], rows["BN-x5"]).low > 0.0


def test_the_seven_changes_without_batch_norm_do_not_do_what_they_do_with_it(quick):
    result = quick("inception")
    alone, together = ({"part": "reported", "variant": variant} for variant in ("Changes-x5", "BN-x5"))
    assert result.difference("loss", alone, together).low > 0.0
