import pytest
import torch

from bncourse.torch_bn import (
    BatchNormLSTMCell,
    CellParameters,
    PerStepBatchNorm,
    lstm_step_forward,
)

EPS = 0.1


def cell(seed=0, **options):
    torch.manual_seed(seed)
    made = BatchNormLSTMCell(3, 2, 4, eps=EPS, **options).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


def run(module, sequence):
    state = module.start(sequence.shape[1])
    states = []
    for step, x in enumerate(sequence):
        state = module(x, state, step)
        states.append(state)
    return states


def sequence(steps=4, samples=6, seed=1):
    torch.manual_seed(seed)
    return torch.randn(steps, samples, 3, dtype=torch.float64)


def test_a_training_step_is_the_function():
    module = cell()
    x = sequence()[0]
    state = tuple(torch.randn(2, 6, 2, dtype=torch.float64))
    parameters = CellParameters(
        module.weight_x,
        module.weight_h,
        module.bias,
        module.norm_x.weight,
        module.norm_h.weight,
        module.norm_c.weight,
        module.norm_c.bias,
    )
    expected, _ = lstm_step_forward(x, *state, parameters, eps=EPS)
    for found, wanted in zip(module(x, state, 0), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-14)


def test_gradients_through_time_reach_every_parameter_and_pass_gradcheck():
    module, x = cell(), sequence().requires_grad_()
    h, _ = run(module, x)[-1]
    dy = torch.randn_like(h)
    inputs = [x, *module.parameters()]
    found = torch.autograd.grad(h, inputs, dy)
    assert torch.autograd.gradcheck(lambda x: run(module, x)[-1][0], (x,), atol=1e-7)
    assert all(gradient.abs().max() > 0 for gradient in found)


def test_statistics_are_kept_for_each_time_step():
    module, x = cell(momentum=1.0), sequence()
    run(module, x)
    sums = x @ module.weight_x.T
    torch.testing.assert_close(module.norm_x.running_mean, sums.mean(dim=1), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(module.norm_x.running_var, sums.var(dim=1), rtol=1e-12, atol=1e-13)
    assert module.norm_c.num_batches_tracked.tolist() == [1, 1, 1, 1]
    assert torch.equal(module.norm_h.running_mean[0], torch.zeros(8, dtype=torch.float64))
    assert (module.norm_h.running_mean[1:] != 0).all()


def test_late_steps_use_the_last_steps_statistics():
    layer = PerStepBatchNorm(1, 2, momentum=1.0, eps=EPS)
    x = torch.tensor([[1.0], [3.0]])
    layer(x, 0), layer(10 * x, 1)
    layer.eval()
    torch.testing.assert_close(layer(x, 7), layer(x, 1), rtol=0, atol=0)
    assert not torch.equal(layer(x, 0), layer(x, 1))


def test_a_cumulative_mean_is_kept_for_each_step_by_itself():
    layer = PerStepBatchNorm(1, 2, momentum=None)
    for value, step in ((1.0, 0), (3.0, 0), (7.0, 1)):
        layer(torch.tensor([[value - 1], [value + 1]]), step)
    torch.testing.assert_close(layer.running_mean, torch.tensor([[2.0], [7.0]]), rtol=0, atol=0)


def test_in_evaluation_a_sequence_does_not_depend_on_its_batch_mates():
    module, x = cell(), sequence()
    for seed in range(3):
        run(module, sequence(seed=seed))
    module.eval()
    together, alone = run(module, x)[-1][0], run(module, x[:, :1])[-1][0]
    torch.testing.assert_close(together[:1], alone, rtol=1e-12, atol=1e-13)


def test_the_state_travels_with_state_dict():
    module, x = cell(), sequence()
    run(module, x)
    other = cell(seed=9)
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(run(other.eval(), x)[-1][0], run(module.eval(), x)[-1][0], rtol=0, atol=0)


def test_gamma_starts_at_a_tenth_and_one_shift_is_enough():
    module = BatchNormLSTMCell(3, 2, 4)
    assert torch.equal(module.norm_x.weight, torch.full((8,), 0.1))
    assert module.norm_x.bias is None
    assert module.norm_h.bias is None
    assert torch.equal(module.norm_c.bias, torch.zeros(2))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: PerStepBatchNorm(2, 0), r"max_steps is 0\. Expected 1 or more"),
        (lambda: PerStepBatchNorm(0, 1), r"num_features is 0"),
        (lambda: PerStepBatchNorm(2, 1, eps=-1.0), r"eps is -1\.0"),
        (lambda: PerStepBatchNorm(2, 1, momentum=2.0), r"momentum is 2\.0"),
        (lambda: BatchNormLSTMCell(3, 0, 1), r"num_features is 0"),
        (lambda: PerStepBatchNorm(2, 1)(torch.ones(3, 2), -1), r"step is -1\. Expected 0 for the first time step"),
        (lambda: PerStepBatchNorm(2, 1)(torch.ones(1, 2), 0), r"one value per channel"),
        (lambda: PerStepBatchNorm(2, 1)(torch.ones(3, 4), 0), r"gamma has shape \(2,\), but x has 4 channels"),
    ],
)
def test_wrong_arguments_are_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
