"""A class of any course that normalizes: what its text, its bases and its signatures say."""

import ast
import inspect
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bncourse.diagnosis.conventions.arrays import Orientation
from bncourse.diagnosis.conventions.class_text import attributes, averaged, of_gamma
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.names import BACKWARD as BACKWARD_WORD
from bncourse.diagnosis.conventions.names import role_of
from bncourse.diagnosis.conventions.reach import uses_torch
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.slots import Slot, find
from bncourse.diagnosis.conventions.source import Program

MADE_WITH = ("running_mean", "running_var", "eps", "dims", "features", "gamma", "beta", "momentum", "groups")
RUNNING = re.compile(r"(running|moving|ema|avg|average|stats|state|pop)\w*\.", re.I)
"""Names of dicts that hold running statistics under names that say no more than mean and var."""
FORWARD = ("forward", "__call__", "call", "fprop", "forward_pass", "fwd")
BACKWARD = ("backward", "bprop", "backward_pass", "bwd", "backprop", "grad")


@dataclass
class StudentClass:
    """A class with a forward pass, and perhaps a backward pass."""

    name: str
    made: type
    tree: ast.ClassDef
    program: Program
    kind: str
    orientation: Orientation = field(default_factory=Orientation)
    written: set[str] = field(default_factory=set)
    """Arguments that a call has changed in place."""
    torch: bool = field(init=False)
    text: str = field(init=False, repr=False)
    """Everything that is written in it and in the classes of the file that it inherits from."""

    def __post_init__(self) -> None:
        """See what it is made of."""
        bases = {base.__module__.split(".")[0] for base in self.made.__mro__}
        self.torch = "torch" in bases or uses_torch(self.tree, self.program)
        self.module = "torch" in bases
        self.trees = [
            self.program.trees[one.__name__] for one in self.made.__mro__ if one.__name__ in self.program.trees
        ]
        self.text = " ".join(ast.dump(tree) for tree in self.trees)
        self.attributes, self.averaged = attributes(self.trees), averaged(self.trees)

    def find(self, layer: Any, role: str) -> Slot | None:
        """Find the place of a parameter or a statistic; Flax, and buffers of modules, may call them mean and var."""
        flax = "use_running_average" in self.text or "batch_stats" in self.text
        slot = find(layer, role)
        if slot is None and role.startswith("running"):
            slot = find(layer, f"plain {role}")
            if slot is not None and not flax and not (self.module and slot.path.startswith("_buffers.")):
                return slot if slot.key in self.averaged or RUNNING.match(slot.path) else None
        return slot

    @cached_property
    def switches(self) -> dict[str, type]:
        """What other classes of the file say of the mode for all, as `Tensor.training` in tinygrad."""
        others = (self.program.namespace.get(name) for name in self.program.trees)
        return {
            name: other
            for other in others
            if isinstance(other, type) and other not in self.made.__mro__
            for name, value in vars(other).items()
            if isinstance(value, bool) and role_of(name, ("train", "eval")) and name in self.attributes
        }

    @property
    def forward_name(self) -> str:
        """Name of its forward pass."""
        own = [name for name in FORWARD if any(name in vars(one) for one in self.made.__mro__ if self._own(one))]
        if not own and (method := of_gamma(self.trees, lambda name: not BACKWARD_WORD.search(name))):
            return method
        if not own:
            raise CannotCallError("it has no method forward")
        if own[0] == "__call__" and "call" in own and _takes_anything(self.made):
            return "call"  # what a base class hands on
        return own[0]

    @property
    def backward_name(self) -> str | None:
        """Name of its backward pass, where it has one."""
        named = (name for name in BACKWARD if any(name in vars(one) for one in self.made.__mro__ if self._own(one)))
        return next(named, None) or of_gamma(self.trees, lambda name: name != self.forward_name, gradient=True)

    def _own(self, one: type) -> bool:
        return one is not object and not one.__module__.startswith("torch")

    def signature(self, layer: Any) -> Signature:
        """Parameters of its forward pass."""
        among = ("train", "eval", "mode", "running_mean", "running_var", "x", "gamma", "beta", "eps", "momentum")
        return Signature(getattr(layer, self.forward_name), among, positional=1)

    def constructor(self) -> Signature:
        """Parameters that one is made with; a first one of no other use is the number of features."""
        signature = Signature(self.made, MADE_WITH)
        for one in signature.parameters:  # bias=True asks whether there is one
            if isinstance(one.default, bool) and signature.roles.get(one.name) in ("gamma", "beta"):
                del signature.roles[one.name]
        needed = [one.name for one in signature.parameters if one.default is one.empty]
        for name in needed:
            statistic = role_of(name, ("mean", "var")) if name not in signature.roles else None
            if statistic is not None and not signature.has(f"running_{statistic}"):
                signature.roles[name] = f"running_{statistic}"
        unknown = [name for name in needed if name not in signature.roles or name == "m"]
        if unknown and not signature.has("features"):
            signature.roles[unknown[0]] = "features"
        return signature


def _takes_anything(made: type) -> bool:
    call = next(vars(one)["__call__"] for one in made.__mro__ if "__call__" in vars(one))
    parameters = inspect.signature(call).parameters.values()
    return any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)


def flags_of(made: type) -> list[str]:
    """Names of what a class says of its mode for all its objects."""
    return [name for one in made.__mro__[:-1] for name, value in vars(one).items() if isinstance(value, bool)]
