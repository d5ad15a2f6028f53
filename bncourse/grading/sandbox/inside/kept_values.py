"""Values of the student's process in; copies or handles of them out, and answers to what is asked of a handle.

It runs in the untrusted compartment: what a handle stands for stays here, where the student's code can reach it anyway.
"""

import sys
import types
from collections.abc import Callable
from typing import Any

from .array_likes import copied
from .channel import Channel
from .codec import Decoder, Encoder
from .wire_types import Handle, Parts, Tensor

PLAIN_KINDS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
PLAIN_OF: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__pos__, float: float.__pos__}
"""How a text or a number of the student's own kind, such as the member of an enumeration, becomes a plain one."""
MAX_ITEMS = 10_000


class KeptValues(Decoder):
    """Keeps, under numbers, what does not cross as a copy."""

    trusted = True

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.kept: dict[int, Any] = {}
        self.numbers = 0
        self.leaves: list[Any] = []
        """Tensors of the present request that want gradients."""
        self.graphs: dict[int, list[Any]] = {}
        """By the number of a tensor, the leaves that it was made from."""
        self.encoder = Encoder(self.leave)

    # --- what crosses ---

    def leave(self, value: Any) -> Any:
        """Say how a value that is not plain leaves: as its plain base, as parts, or as a handle."""
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self.leave_tensor(torch, value)
        other = copied(value)
        if other is not value:
            return other
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and isinstance(fields, tuple) and all(type(f) is str for f in fields):
            return Parts(self.keep(type(value)), type(value).__name__[:100], fields, tuple(tuple.__iter__(value)))
        for base, plain in PLAIN_OF.items():
            if isinstance(value, base):
                return plain(value)
        for base in (dict, list, tuple):
            if isinstance(value, base):
                return Parts(self.keep(value), f"={base.__name__}", ("value",), (base(value),))
        kind = "class" if isinstance(value, type) else "function" if isinstance(value, PLAIN_KINDS) else "object"
        if kind == "object" and callable(value):
            kind = "callable"
        name = getattr(value, "__name__", "") if kind in ("class", "function") else type(value).__name__
        return Handle(self.keep(value), kind, str(name)[:100])

    def leave_tensor(self, torch: Any, value: Any) -> Tensor:
        """Say how a tensor leaves: its values, and, if it wants gradients, a handle by which they can be asked for."""
        plain = value.detach().cpu()
        plain = plain.float() if plain.dtype == torch.bfloat16 else plain
        if not value.requires_grad:
            return Tensor(0, str(value.dtype), False, plain.numpy(), None)
        number = self.keep(value)
        self.graphs[number] = list(self.leaves)
        grad: Any = False
        if value.is_leaf:
            grad = None if value.grad is None else value.grad.detach().cpu().numpy()
        return Tensor(number, str(value.dtype), True, plain.numpy(), grad)

    def keep(self, value: Any) -> int:
        """Keep a value under a number."""
        self.numbers += 1
        self.kept[self.numbers] = value
        return self.numbers

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Find what a handle stands for, or make a function that asks the other side."""
        if kind == "callback":
            return lambda *args, **kwargs: self.ask(number, args, kwargs)
        return self.kept[number]

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Build a named tuple of the class it came from."""
        made = self.kept.get(number)
        return tuple.__new__(made, values) if made is not None else super().parts(0, name, fields, values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> Any:
        """Find the original of a leaf, or make a new tensor."""
        import torch

        if number in self.kept:
            return self.kept[number]
        made = torch.from_numpy(array).to(getattr(torch, dtype.removeprefix("torch.")))
        if wants_grad:
            self.leaves.append(made.requires_grad_(True))
        return made

    def ask(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the other side."""
        self.channel.send(self.encoder.encode(("callback", number, args, kwargs)))
        kind, value = self.decode(self.channel.receive())
        if kind == "raised":
            raise RuntimeError(value)
        return value

    # --- requests ---

    def do_pull(self, number: int, cotangent: Any) -> Any:
        """Take a cotangent back through the graph of a tensor; returns the gradients of the inputs it came from."""
        import torch

        leaves = self.graphs[number]
        for leaf in leaves:
            leaf.grad = None
        torch.autograd.backward(self.kept[number], cotangent.detach(), retain_graph=True)
        return "value", [leaf.grad for leaf in leaves], ()

    def do_attribute(self, target: Any, name: str) -> Any:
        """Get an attribute."""
        return "value", getattr(target, name), ()

    def do_set(self, target: Any, name: str, value: Any) -> Any:
        """Set an attribute."""
        setattr(target, name, value)
        return "value", None, ()

    def do_item(self, target: Any, key: Any) -> Any:
        """Get an item."""
        return "value", target[key], ()

    def do_put(self, target: Any, key: Any, value: Any) -> Any:
        """Set an item."""
        target[key] = value
        return "value", None, ()

    def do_length(self, target: Any) -> Any:
        """Take the length."""
        return "value", len(target), ()

    def do_items(self, target: Any) -> Any:
        """Iterate over something, not for ever."""
        return "value", [value for value, _ in zip(target, range(MAX_ITEMS), strict=False)], ()

    def do_instance(self, target: Any, kind: Any) -> Any:
        """Say whether one value is an instance of another."""
        return "value", bool(isinstance(target, kind)), ()

    def do_free(self, numbers: list[int]) -> Any:
        """Forget values that the other side has let go."""
        for number in numbers:
            self.kept.pop(number, None)
            self.graphs.pop(number, None)
        return "value", None, ()
