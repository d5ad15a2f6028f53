"""The pictures by which a learning rate is chosen, and those that no choice has seen."""

from torch import nn

from bncourse.experiments.data import training_count
from bncourse.experiments.training import Tensors, accuracy, tensors
from bncourse.experiments.tuning import TunedConfig


def pictures(config: TunedConfig, part: str, *, train: int | None = None) -> Tensors:
    """Return the training pictures without the held-out ones; to be tested on these (tuning) or on the test set.

    Parameters
    ----------
    config : TunedConfig
    part : {"tuning", "reported"}
    train : int, optional
        Only so many training pictures.
    """
    x, y, x_test, y_test = tensors(config.data, device=config.device)
    cut = training_count(config.data, len(x), config.held_out)
    if part == "tuning":
        x_test, y_test = x[cut:], y[cut:]
    chosen = slice(0, cut if train is None else train)
    return Tensors(x[chosen], y[chosen], x_test, y_test)


def score(model: nn.Module, data: Tensors, part: str) -> dict[str, float]:
    """Return the accuracy by the name of what it was measured on: `held_out` in tuning, `accuracy` on the test set."""
    return {"held_out" if part == "tuning" else "accuracy": accuracy(model, data.x_test, data.y_test)}
