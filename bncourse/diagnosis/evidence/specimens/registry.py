"""How a specimen is kept: one wrong function, the belief that it holds, and right ones beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bncourse.diagnosis.report import Report
from bncourse.diagnosis.rules import Rules
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]
Role = Literal[
    "forward", "backward", "pair", "staged", "inference", "inference_backward", "running", "conv", "conv_backward"
]


@dataclass(frozen=True)
class Specimen:
    """A deliberately wrong program: one function, or a forward and a backward pass, that hold one belief."""

    belief: str
    role: Role
    name: str
    function: Function
    backward: Function | None = None
    """The second function of a pair."""
    beside: tuple[str, ...] = ()
    """Another belief that this one cannot be without, such as the forward pass that a gradient does not fit."""

    @property
    def forward(self) -> Function:
        """The training forward pass: the wrong one, or a right one."""
        return self.function if self.role in ("forward", "pair", "conv") else plain_forward

    @property
    def gradient(self) -> Function:
        """The training backward pass: the wrong one, or the textbook's."""
        if self.backward is not None:
            return self.backward
        return self.function if self.role in ("backward", "conv_backward") else plain_backward

    @property
    def on_feature_maps(self) -> bool:
        """Whether it shows on (N, C, H, W)."""
        return self.role in ("conv", "conv_backward")

    def diagnose(self, seed: int = 0) -> Report:
        """Diagnose it, with right functions in the places where it has none."""
        from bncourse.diagnosis.diagnose import diagnose

        inference = self.function if self.role == "inference" else reference.batch_norm_inference
        after = self.function if self.role == "inference_backward" else reference.batch_norm_inference_backward
        return diagnose(
            self.forward,
            self.gradient,
            inference=inference,
            inference_backward=after if self.role == "inference_backward" else None,
            running=self.function if self.role == "running" else right_update,
            conv=self.on_feature_maps,
            seed=seed,
        )


SPECIMENS: list[Specimen] = []


def wrong(
    belief: str, role: Role, backward: Function | None = None, *, beside: tuple[str, ...] = ()
) -> Callable[[Function], Function]:
    """Keep the decorated function as a specimen of a belief."""

    def keep(function: Function) -> Function:
        SPECIMENS.append(Specimen(belief, role, function.__name__, function, backward, beside))
        return function

    return keep


@dataclass(frozen=True)
class OtherSpecimen:
    """A wrong program for another normalization than batch norm, or under another course's rules."""

    belief: str
    name: str
    rules: Rules
    forward: Function
    backward: Function | None = None
    running: Function | None = None

    def diagnose(self, seed: int = 0) -> Report:
        """Diagnose it."""
        from bncourse.diagnosis.diagnose import diagnose

        return diagnose(self.forward, self.backward, running=self.running, seed=seed, rules=self.rules)


OTHERS: list[OtherSpecimen] = []


def plain_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
    """Normalize a batch rightly; the cache holds all that a wrong backward pass may ask for."""
    axes = (0, *range(2, x.ndim))
    across = (1, -1) + (1,) * (x.ndim - 2)
    mean, var = x.mean(axis=axes).reshape(across), x.var(axis=axes).reshape(across)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    gamma = gamma.reshape(across)
    y = gamma * x_hat + beta.reshape(across)
    return y, {"x": x, "y": y, "mean": mean, "var": var, "eps": eps, "x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}


def plain_backward(dy: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Take the textbook's closed form, with whatever normalized values the forward pass left."""
    x_hat, s, gamma = (cache[name] for name in ("x_hat", "inv_std", "gamma"))
    axes = (0, *range(2, dy.ndim))
    mean = dy.mean(axis=axes, keepdims=True)
    var = x_hat * (dy * x_hat).mean(axis=axes, keepdims=True)
    return gamma * s * (dy - mean - var), (dy * x_hat).sum(axis=axes), dy.sum(axis=axes)
