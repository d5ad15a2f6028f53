"""What a student wrote for a private `pytorch` in; the same with the names and layouts of the published one out.

The function and the module are turned round where they run, by the notebook's own first cell. This turns round what a
test asks of the module's class and of `fold`. It computes with what it is handed and imports no PyTorch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

PUBLISHED = "running_var"
LAYOUTS = {"OIHW": (0, 1, 2, 3), "HWIO": (2, 3, 1, 0), "IOHW": (1, 0, 2, 3)}
"""For each order of the axes of a convolution's weight, where the published axes O, I, H, W are found."""


@dataclass(frozen=True)
class RestatedTorch:
    """The conventions of a private `pytorch` that its tests turn round.

    Parameters
    ----------
    spread : {"var", "std", "precision"}
        What is kept in the place of the running variance, as `running_std` for example.
    weights : {"OIHW", "HWIO", "IOHW"}
        The order of the axes of a convolution's weight.
    """

    spread: Literal["var", "std", "precision"] = "var"
    weights: Literal["OIHW", "HWIO", "IOHW"] = "OIHW"

    @property
    def name(self) -> str:
        """What the student's module calls what it keeps of the spread."""
        return f"running_{self.spread}"

    def said(self, name: str) -> str:
        """The student's name of what is published under this name."""
        return self.name if name == PUBLISHED else name

    def module(self, kind: Callable[..., Any]) -> "RenamedClass":
        """The class of a module."""
        return RenamedClass(kind, {self.name: PUBLISHED})

    def fold(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`fold`, of a weight with output channels first and a running variance."""
        there = LAYOUTS[self.weights]
        back = tuple(there.index(axis) for axis in range(4))

        def way(weight: Any, bias: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float) -> tuple[Any, Any]:
            kept = weight.permute(there).contiguous()
            folded, found = function(kept, bias, gamma, beta, mean, self.spread_of(var), eps)
            return folded.permute(back) if folded.ndim == 4 else folded, found

        return way

    def spread_of(self, var: Any) -> Any:
        """What is kept of a variance."""
        return {"std": var**0.5, "precision": 1 / var}.get(self.spread, var)


class RenamedClass:
    """A module's class, whose modules are known by the published names."""

    def __init__(self, kind: Any, names: dict[str, str]) -> None:
        self._kind, self._names = kind, names

    def __call__(self, *arguments: Any, **settings: Any) -> "Renamed":
        """Make a module."""
        return Renamed(self._kind(*arguments, **settings), self._names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind, name)


class Renamed:
    """A module of which one tensor has another name: what is asked by the published name is answered by the own.

    Parameters
    ----------
    module
        The student's.
    names : dict
        The published name of each tensor by the own one.
    """

    def __init__(self, module: Any, names: dict[str, str]) -> None:
        self._module, self._names = module, names
        self._own = {published: own for own, published in names.items()}

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            raise AttributeError(name)
        return getattr(self._module, self._own.get(name, name))

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """Parameters by their published names."""
        return self._published(self._module.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        """Buffers by their published names."""
        return self._published(self._module.named_buffers())

    def state_dict(self) -> dict[str, Any]:
        """The state by its published names; what bears a published name and should not is another tensor's."""
        return dict(self._published(self._module.state_dict().items()))

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Load a state of published names."""
        return self._module.load_state_dict({self._own.get(name, name): value for name, value in state.items()})

    def _published(self, named: Any) -> Iterator[tuple[str, Any]]:
        for name, value in named:
            yield self._names.get(name, f"{name} of the published layer" if name in self._own else name), value
