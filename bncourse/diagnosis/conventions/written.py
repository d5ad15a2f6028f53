"""How arrays are written for a student's functions: in their own layout, and as tensors where they take tensors."""

from bncourse.diagnosis.conventions.arrays import Orientation


class Written:
    """Expressions for one layout.

    Parameters
    ----------
    orientation : Orientation
        How the student lays out x and gamma.
    torch : bool
        Whether the functions take tensors.
    """

    def __init__(self, orientation: Orientation, *, torch: bool) -> None:
        self.orientation, self.torch = orientation, torch

    @property
    def plain(self) -> bool:
        """Whether arrays can be handed on as they are."""
        return not self.torch and self.orientation == Orientation()

    def _laid(self, name: str) -> str:
        if self.orientation.channels == "last":
            return f"np.moveaxis({name}, 1, -1)"
        return f"{name}.T" if self.orientation.channels == "rows" else name

    def _shaped(self, name: str) -> str:
        if self.orientation.vector == "flat":
            return name
        shape = {
            "first": "(1, -1) + (1,) * (x.ndim - 2)",
            "last": "(1,) * (x.ndim - 1) + (-1,)",
            "rows": "(-1, 1)",
        }[self.orientation.channels]
        return f"np.reshape({name}, {shape})"

    def _tensor(self, text: str, *, leaf: bool) -> str:
        if not self.torch:
            return text
        whole = f"np.ascontiguousarray({text})"
        return f"torch.tensor({whole}, requires_grad=True)" if leaf else f"torch.tensor({whole})"

    def x(self, name: str) -> str:
        """A batch, of which a gradient is asked."""
        return self._tensor(self._laid(name), leaf=True)

    def still_x(self, name: str) -> str:
        """A batch, or an upstream gradient."""
        return self._tensor(self._laid(name), leaf=False)

    def vector(self, name: str) -> str:
        """Gamma or beta, of which a gradient is asked."""
        return self._tensor(self._shaped(name), leaf=True)

    def still(self, name: str) -> str:
        """One number a channel."""
        return self._tensor(self._shaped(name), leaf=False)

    def array(self, name: str) -> str:
        """What came back, as an array."""
        return f"{name}.detach().numpy()" if self.torch else name

    def back(self, name: str) -> str:
        """A batch that came back, in our layout."""
        array = self.array(name)
        if self.orientation.channels == "last":
            return f"np.moveaxis({array}, -1, 1)"
        return f"{array}.T" if self.orientation.channels == "rows" else array

    def flat(self, name: str) -> str:
        """One number a channel that came back."""
        return f"np.ravel({self.array(name)})"


def autograd(orientation: Orientation) -> list[str]:
    """The gradient of a forward pass that has kept y and its leaves."""
    its = Written(orientation, torch=True)
    return [
        "def backward(dy, kept):",
        "    y, leaves = kept",
        f"    found = torch.autograd.grad(y, leaves, {its.still_x('dy')})",
        f"    return {its.back('found[0]')}, {its.flat('found[1]')}, {its.flat('found[2]')}",
    ]
