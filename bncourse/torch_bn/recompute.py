"""Recomputing the statistics of a trained model: precise batch norm, and AdaBN on another domain.

Running averages lag behind the weights and remember the last few batches only. Here the weights are held still
and the moments of everything that a loader yields are merged with their counts, so the result does not depend on
the order of the batches and is not an average of averages. On the training data this is precise batch norm; on
unlabeled data of another domain, with the weights of the old one, it is AdaBN.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

import torch

from bncourse.torch_bn.moments import batch_moments, merge_moments
from bncourse.torch_bn.results import Moments
from bncourse.torch_bn.running import unbiased

BatchNormLayer = torch.nn.modules.batchnorm._BatchNorm
Progress = Callable[[int, int | None], object]


def recompute_statistics(
    model: torch.nn.Module, loader: Iterable[Any], *, layerwise: bool = False, progress: Progress | None = None
) -> dict[str, int]:
    """Give every batch norm layer the mean and variance of its input over all that `loader` yields.

    A layer's input depends on how the layers before it normalize. By default they use each batch's own statistics,
    as in training: one pass, with batches of training size. With `layerwise=True` they use their own recomputed
    statistics: one pass for each layer, and then each layer's input has, in evaluation mode, exactly the mean and the
    variance that it is normalized with, however the data are cut into batches. (A layer called several times in one
    pass pools its calls, with its old statistics in between.)

    Everything but batch norm is in evaluation mode meanwhile, so nothing drops out. Modes are restored afterwards,
    `num_batches_tracked` keeps counting training steps only, and if anything fails, the old statistics come back.
    Of several processes each recomputes from its own loader: give all of them the same data.

    Parameters
    ----------
    model : torch.nn.Module
        Any model with batch norm layers that keep statistics, PyTorch's or this package's.
    loader : iterable of tensors, or of tuples or lists that begin with one
        Inputs are moved to the model's device. With `layerwise=True` it is iterated once for each layer.
    layerwise : bool
        Recompute the layers one after another.
    progress : callable, optional
        Called as `progress(done, total)` after each batch; `total` is None where the loader has no length.

    Returns
    -------
    dict
        Values per channel that each layer's statistics rest on, by the layer's name, in the order of their calls.
        A layer that the model did not call keeps its statistics and is missing here.

    Raises
    ------
    ValueError
        If the model has no such layer, the loader yields nothing, or a layer sees one value per channel.
    TypeError
        If a batch is neither a tensor nor a tuple or list that begins with one.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    >>> recompute_statistics(model, [torch.tensor([[2.0], [4.0]]), torch.tensor([[9.0]])], layerwise=True)
    {'0': 3}
    >>> model[0].running_mean, model[0].running_var
    (tensor([5.]), tensor([13.]))
    """
    layers = {
        name: m for name, m in model.named_modules() if isinstance(m, BatchNormLayer) and m.running_mean is not None
    }
    if not layers:
        raise ValueError(
            f"model of type {type(model).__name__} has no batch norm layer that keeps statistics. Expected at least "
            "one with track_running_stats=True. Was it folded away?"
        )
    report = _Reporter(progress, len(loader) if isinstance(loader, Sized) else None)
    with torch.no_grad(), _held_still(model, layers):
        if not layerwise:
            for layer in layers.values():
                layer.train()
            gathered = _gather(model, loader, layers, report)
            _store(layers, gathered)
            return {name: moments.count for name, moments in gathered.items()}
        # In evaluation mode the first layer's input is final; once it is stored, so is the second layer's, and so on.
        report.passes = len(layers)
        gathered = _gather(model, loader, layers, report)
        names = list(gathered)
        report.passes = len(names)
        for name in names:
            if name != names[0]:
                gathered |= _gather(model, loader, {name: layers[name]}, report)
            _store(layers, {name: gathered[name]})
        return {name: gathered[name].count for name in names}


def _gather(
    model: torch.nn.Module, loader: Iterable[Any], layers: dict[str, BatchNormLayer], report: "_Reporter"
) -> dict[str, Moments]:
    """Run the model over the loader; return the merged moments of each layer's input, in the order of the calls."""
    gathered: dict[str, Moments] = {}

    def note(name: str, x: torch.Tensor) -> None:
        mean, var, count = batch_moments(x.detach())
        part = Moments(mean.cpu().double(), var.cpu().double(), count)
        gathered[name] = merge_moments(gathered[name], part) if name in gathered else part

    def hook(name: str) -> Callable[..., None]:
        return lambda module, args, kwargs: note(name, args[0] if args else kwargs["input"])

    handles = [layer.register_forward_pre_hook(hook(name), with_kwargs=True) for name, layer in layers.items()]
    try:
        device = next(iter(layers.values())).running_mean.device  # type: ignore[union-attr]
        before = report.done
        for batch in loader:
            model(_input_of(batch).to(device))
            report.step()
        if report.done == before:
            raise ValueError(
                "loader yielded no batch" + (" in the second pass" if before else "") + ". Expected a DataLoader or a "
                "list; a generator is empty after one pass. Is the data set smaller than a batch, with drop_last?"
            )
    finally:
        for handle in handles:
            handle.remove()
    return gathered


def _store(layers: dict[str, BatchNormLayer], gathered: dict[str, Moments]) -> None:
    """Write the moments into the layers' buffers: the mean, and PyTorch's unbiased variance."""
    for name, (mean, var, count) in gathered.items():
        if count < 2:
            raise ValueError(
                f"loader gave the layer {name!r} one value per channel, which has no variance. Expected at least two."
            )
        layer = layers[name]
        layer.running_mean.copy_(mean)  # type: ignore[union-attr]
        layer.running_var.copy_(unbiased(var, count))  # type: ignore[union-attr]


def _input_of(batch: Any) -> torch.Tensor:
    """Take the input of a batch: itself, or its first entry."""
    x = batch[0] if isinstance(batch, tuple | list) and batch else batch
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            f"loader yielded a {type(batch).__name__}. Expected a tensor, or a tuple or list that begins with one; "
            "for others use a generator such as (batch['image'] for batch in loader)."
        )
    return x


class _Reporter:
    """Counts batches over all passes and tells the caller."""

    def __init__(self, progress: Progress | None, steps: int | None) -> None:
        self.progress, self.steps, self.passes, self.done = progress, steps, 1, 0

    def step(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, None if self.steps is None else self.steps * self.passes)


@contextmanager
def _held_still(model: torch.nn.Module, layers: dict[str, BatchNormLayer]) -> Iterator[None]:
    """Evaluation mode for the length of a block; the statistics of before if it fails, the step counts anyway."""
    modes = [(module, module.training) for module in model.modules()]
    steps = [layer.num_batches_tracked for layer in layers.values() if layer.num_batches_tracked is not None]
    steps_before = [count.clone() for count in steps]
    buffers = [buffer for layer in layers.values() for buffer in layer.buffers()]
    before = [buffer.clone() for buffer in buffers]
    model.eval()
    try:
        yield
    except BaseException:
        for buffer, old in zip(buffers, before, strict=True):
            buffer.copy_(old)
        raise
    finally:
        for module, mode in modes:
            module.training = mode
        for count, old in zip(steps, steps_before, strict=True):
            count.copy_(old)
