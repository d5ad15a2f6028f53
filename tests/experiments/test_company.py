import torch

from bncourse.experiments.company import Encoder, samples


def test_a_discriminator_with_two_batches_sees_neither_mean_nor_scale(quick):
    result = quick("company")
    for difference in ("mean", "scale"):
        where = {"part": "discriminator", "difference": difference}
        assert result.values("batch_accuracy", feed="two batches", **where).max() < 0.6
        assert result.values("batch_accuracy", feed="one batch", **where).min() > 0.65


def test_it_still_sees_the_shape(quick):
    where = {"part": "discriminator", "difference": "shape", "feed": "two batches"}
    assert quick("company").values("batch_accuracy", **where).min() > 0.75


def test_pairs_that_share_their_groups_are_matched_by_their_company(quick):
    result = quick("company")
    same, shuffled = ({"part": "reported", "way": f"{way} groups"} for way in ("same", "shuffled"))
    assert (result.values("read_off", **same) > 0.03).all()
    assert result.difference("accuracy", same, shuffled).low > 0.0


def test_each_group_has_statistics_of_its_own():
    torch.manual_seed(0)
    encoder, x = Encoder(6, 8, 3), torch.randn(8, 6)
    together, moved = encoder(x, 4), torch.cat([x[:4], 10 + x[4:]])
    torch.testing.assert_close(encoder(moved, 4)[:4], together[:4], rtol=0, atol=0)
    torch.testing.assert_close(encoder(moved, 4)[4:], together[4:], rtol=1e-3, atol=1e-4)


def test_the_generated_samples_of_another_shape_have_the_moments_of_the_real_ones():
    generator = torch.Generator().manual_seed(0)
    made = samples("shape", 20_000, real=False, generator=generator)
    torch.testing.assert_close(made.mean(0), torch.zeros(2), rtol=0, atol=0.03)
    torch.testing.assert_close(made.std(0), torch.ones(2), rtol=0.02, atol=0)
