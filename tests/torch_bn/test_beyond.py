import copy
import pickle

import pytest
import torch

from bncourse.torch_bn import BatchNorm, BatchRenorm, GhostBatchNorm, Normalization, fold_model

EPS = 0.1


def batches(steps=3, shape=(6, 3, 2), seed=0):
    torch.manual_seed(seed)
    return [1.0 + 2.0 * torch.randn(shape) for _ in range(steps)]


@pytest.mark.parametrize(
    "layer", [GhostBatchNorm(3, 4), BatchRenorm(3, 2.0, 1.0), Normalization(3, "layer"), Normalization(4, "group", 2)]
)
def test_layers_survive_deepcopy_and_pickling_and_train(layer):
    channels = layer.weight.numel()
    (x,) = batches(1, (6, channels, 2))
    y = layer(x)
    y.pow(2).sum().backward()
    assert layer.weight.grad.abs().sum() > 0
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(other) == repr(layer)
        torch.testing.assert_close(other.eval()(x), layer.eval()(x), rtol=0, atol=0)


def test_ghost_batch_norm_is_batch_norm_called_once_for_each_ghost_batch():
    ghost, plain = GhostBatchNorm(3, 4, EPS, 0.5), BatchNorm(3, EPS, 0.5)
    for x in batches():
        expected = torch.cat([plain(x[:4]), plain(x[4:])])
        torch.testing.assert_close(ghost(x), expected, rtol=1e-6, atol=1e-6)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(ghost.get_buffer(name), buffer, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(ghost.eval()(x), plain.eval()(x), rtol=1e-6, atol=1e-6)


def test_batch_renorm_begins_as_batch_norm_and_ends_as_inference():
    renorm, plain = BatchRenorm(3, eps=EPS, momentum=0.5), BatchNorm(3, EPS, 0.5)
    for x in batches():
        torch.testing.assert_close(renorm(x), plain(x), rtol=1e-6, atol=1e-6)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(renorm.get_buffer(name), buffer, rtol=1e-6, atol=1e-6)
    renorm.r_max = renorm.d_max = 1e9
    expected = plain.eval()(x)
    torch.testing.assert_close(renorm(x), expected, rtol=1e-5, atol=1e-5)
    renorm.load_state_dict(plain.state_dict())
    torch.testing.assert_close(renorm.eval()(x), expected, rtol=1e-6, atol=1e-6)


def test_batch_renorm_corrects_with_the_statistics_of_before_the_batch():
    layer = BatchRenorm(1, 1e9, 1e9, eps=0.0, momentum=1.0)
    x = torch.tensor([[4.0], [6.0]])
    torch.testing.assert_close(layer(x), x, rtol=0, atol=1e-6)
    torch.testing.assert_close(layer.running_mean, torch.tensor([5.0]), rtol=0, atol=1e-6)


def test_normalization_equals_the_modules_of_pytorch():
    (x,) = batches(1, (4, 6, 3))
    for ours, theirs in [
        (Normalization(6, "group", 3, EPS), torch.nn.GroupNorm(3, 6, EPS)),
        (Normalization(6, "layer", None, EPS), torch.nn.GroupNorm(1, 6, EPS)),
        (Normalization(6, "instance", None, EPS), torch.nn.InstanceNorm1d(6, EPS, affine=True)),
    ]:
        with torch.no_grad():
            ours.weight.normal_()
            ours.bias.normal_()
        theirs.load_state_dict(ours.state_dict())
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.eval()(x), ours.train()(x), rtol=0, atol=0)


@pytest.mark.parametrize("norm", [lambda: GhostBatchNorm(3, 2), lambda: BatchRenorm(3, 3.0, 5.0)])
def test_relatives_that_infer_like_batch_norm_fold_like_it(norm):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), norm())
    for _ in range(3):
        model(torch.randn(6, 2))
    x = torch.randn(5, 2)
    folded = fold_model(model.eval())
    assert isinstance(folded[1], torch.nn.Identity)
    torch.testing.assert_close(folded(x), model(x), rtol=1e-5, atol=1e-5)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"ghost_size is 0\. Expected the number of samples"):
        GhostBatchNorm(3, 0)
    with pytest.raises(ValueError, match=r"r_max is 0\.5"):
        BatchRenorm(3, 0.5)
    with pytest.raises(ValueError, match=r"eps is -1\.0"):
        Normalization(3, "layer", eps=-1.0)
    with pytest.raises(ValueError, match=r"num_features is 0"):
        Normalization(0, "layer")
    with pytest.raises(ValueError, match=r"groups is 2, but x has 3 channels"):
        Normalization(3, "group", 2)
    with pytest.raises(ValueError, match=r"kind is 'rms'"):
        Normalization(3, "rms")
