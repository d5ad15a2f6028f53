"""A process with its libraries loaded in; the same process out, with every path of a worker run once.

A fork begins with all that the warm process has learned. What a fork does for the first time it pays for alone:
Python adapts code that has run a few times, libraries look things up when they are first asked. Without this,
50 submissions to the PyTorch assignment took 1.9 times the processor time (NumPy's: no difference).
"""

import linecache
import os
import random
import socket
import sys
from typing import Any

import numpy as np

from .codec import Encoder
from .wire_types import Handle
from .worker import Worker

CELL = """\
import numpy as np
from math import sqrt
table = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 4.5]])
def center(x, scale=2.0, *, axis=0):
    mean = x.mean(axis=axis, keepdims=True)
    var = ((x - mean) ** 2).sum(axis=axis) / len(x)
    root = 1 / np.sqrt(var + 1e-3)
    parts = {"mean": mean, "root": root, "rows": len(x)}
    return (x - mean) * root * scale, parts
def back(y, parts):
    return y * parts["root"], (y * parts["mean"]).sum(axis=0), y.var(axis=0)
moved, parts = center(table)
print(moved.shape, parts)
np.random.default_rng(0).standard_normal((2, 2)).reshape(-1).max()
"""
BROKEN = "def wrong(x):\n    raise ValueError('no')\nwrong(1)\n1 +"
TORCH = """\
import torch, warnings
from torch.utils._python_dispatch import TorchDispatchMode
class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, eps):
        var = ((x - x.mean(dim=[0], keepdim=True)) ** 2).mean(dim=[0])
        ctx.save_for_backward(x, scale)
        return scale.reshape([1, -1]) * x + 0 / torch.sqrt(var + eps)
    @staticmethod
    def backward(ctx, dy):
        x, scale = ctx.saved_tensors
        return dy * scale, (dy * x).sum(dim=[0]), None
class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(2))
        self.register_buffer("mean", torch.zeros(2))
    def forward(self, x):
        with torch.no_grad():
            self.mean.lerp_(x.var(dim=[0]), 0.1)
        return Scale.apply(x, self.scale, 0.1)
class Watch(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls):
        return False
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return operation(*args, **(kwargs or {}))
layer = Layer().double()
layer.load_state_dict(layer.state_dict())
with torch.no_grad():
    layer.scale.copy_(torch.ones(2))
for kind in (torch.float32, torch.float64):
    inputs = [torch.ones(shape, dtype=kind).detach().clone().requires_grad_() for shape in ((3, 2), (2,))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.autograd.gradcheck(lambda *v: Scale.apply(*v, 0.1), inputs, raise_exception=False)
with Watch(), torch.set_grad_enabled(True):
    y = layer(inputs[0])
torch.autograd.grad(y, (inputs[0], layer.scale), y)
torch.nn.functional.mse_loss(layer(inputs[0]), torch.zeros_like(y)).backward()
print(y.detach(), layer)
"""
"""What is loaded and learned at the first use of a gradient check, a layer, an optimizer, a mode that watches."""
ROUNDS, TORCH_ROUNDS = 12, 3


def rehearse() -> None:
    """Serve a few harmless requests as a worker does, and leave everything as it was."""
    names = ("__main__", "IPython", "IPython.display")
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    streams = sys.stdout, sys.stderr
    states: tuple[Any, ...] = random.getstate(), np.random.get_state()  # noqa: NPY002  (what students' code uses)
    ours, theirs = socket.socketpair()
    worker = Worker(ours.detach())
    try:
        sys.stdout = sys.stderr = worker.output
        if "torch" in sys.modules:
            states += (sys.modules["torch"].get_rng_state(),)
            for _ in range(TORCH_ROUNDS):
                worker.do_run("torch", TORCH, False, [], 1, False)
        for _ in range(ROUNDS):
            worker.numbers = 0
            for request in _requests():
                worker.reply(request)
                theirs.recv(1 << 18)
        worker.do_anew()
    finally:
        sys.stdout, sys.stderr = streams
        os.close(worker.channel.descriptor)
        theirs.close()
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)
        linecache.clearcache()
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        if "torch" in sys.modules:
            sys.modules["torch"].set_rng_state(states[2])


def _requests() -> list[bytes]:
    x = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 4.5]])
    center, back, wrong = Handle(1, "", ""), Handle(2, "", ""), Handle(3, "", "")
    parts = {"mean": x[:1], "root": x[0], "rows": 3}
    asked = [
        ("run", "one", CELL, False, [], 1, True),
        ("get", "center"),
        ("get", "back"),
        ("call", center, (x,), {}),
        ("call", center, (x, 1.0), {"axis": 0}),
        ("call", back, (x, parts), {}),
        ("watch", back, (x, parts), {}, True),
        ("run", "two", BROKEN, True, [0], 2, False),
        ("get", "wrong"),
        ("call", wrong, (x,), {}),
        ("free", [1, 2]),
    ]
    return [Encoder().encode(request) for request in asked]
