"""What a layer is, and how layers make a network, in NumPy.

A layer keeps what its backward pass needs from its last forward pass; `Sequential` chains them. There is no
automatic differentiation: what you see is what runs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Layer(ABC):
    """A step of a network: `forward`, its derivative `backward`, parameters, and a mode.

    Subclasses name their learned arrays in `parameter_names` and other stored ones in `buffer_names`;
    `backward` leaves the parameters' gradients in `gradients`, under the same names.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ()
    buffer_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.training = True
        self.gradients: dict[str, Array] = {}

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Compute the layer's output, and keep what `backward` needs."""

    @abstractmethod
    def backward(self, dy: Array) -> Array:
        """Compute the gradient for the input of the last `forward` from the gradient for its output."""

    def __call__(self, x: Array) -> Array:
        """Run `forward`."""
        return self.forward(x)

    def train(self, mode: bool = True) -> "Layer":  # PyTorch's signature
        """Switch to training mode, or out of it."""
        self.training = mode
        return self

    def eval(self) -> "Layer":
        """Switch to inference mode."""
        return self.train(False)

    def parameters(self) -> dict[str, Array]:
        """Learned arrays by name; an optimizer changes them in place."""
        return {name: getattr(self, name) for name in self.parameter_names if getattr(self, name) is not None}

    def _state(self) -> dict[str, Array]:
        """Parameters and buffers by name, not copied."""
        buffers = {name: getattr(self, name) for name in self.buffer_names if getattr(self, name) is not None}
        return self.parameters() | buffers

    def state_dict(self) -> dict[str, Array]:
        """Copies of parameters and buffers, under PyTorch's names."""
        return {name: value.copy() for name, value in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the values of a state, this layer's or a PyTorch module's (its tensors on the CPU).

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs. Nothing is changed then.
        """
        own = self._state()
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            raise ValueError(
                f"state has not the names {missing}, and has the unknown names {unknown}. "
                "Expected the names of this layer's state_dict(). Were affine and track_running_stats the same?"
            )
        values = {name: np.asarray(value) for name, value in state.items()}
        for name, value in values.items():
            if value.shape != own[name].shape:
                raise ValueError(f"state[{name!r}] has shape {value.shape}. Expected {own[name].shape}.")
        for name, value in values.items():
            own[name][...] = value


class Sequential(Layer):
    """A chain of layers; its names are those of PyTorch, such as "0.weight"."""

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Array) -> Array:
        """Apply the layers in order."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy: Array) -> Array:
        """Apply the layers' backward passes in reverse order."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        self.gradients = {
            f"{position}.{name}": value
            for position, layer in enumerate(self.layers)
            for name, value in layer.gradients.items()
        }
        return dy

    def train(self, mode: bool = True) -> "Sequential":  # PyTorch's signature
        """Switch every layer to training mode, or out of it."""
        super().train(mode)
        for layer in self.layers:
            layer.train(mode)
        return self

    def parameters(self) -> dict[str, Array]:
        """Learned arrays of all layers."""
        return {
            f"{i}.{name}": value for i, layer in enumerate(self.layers) for name, value in layer.parameters().items()
        }

    def _state(self) -> dict[str, Array]:
        return {
            f"{position}.{name}": value
            for position, layer in enumerate(self.layers)
            for name, value in layer._state().items()
        }
