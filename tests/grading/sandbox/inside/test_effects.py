"""What code can do beside binding names, seen from its instructions."""

import pytest

from bncourse.grading.sandbox.inside.effects import only_binds

HARMLESS = {
    "a function": "def f(x):\n    mean = x.mean(axis=0)\n    return (x - mean) / np.sqrt(x.var(axis=0))",
    "its own object": "class A:\n    def __init__(self):\n        self.m = 0\n    def f(self):\n        self.m += 1",
    "a layer": "class L(M):\n    def __init__(self):\n        super().__init__()\n        self.register_buffer('a', 0)",
    "an entry": "def f(dx):\n    dx[0] = 1.0\n    dx += 2\n    return {**{}, 'a': dx}",
    "imports": "import numpy as np\nfrom math import sqrt\nfrom collections.abc import Callable",
    "a context": "def f(x):\n    with np.errstate(all='ignore'):\n        return 1 / x",
    "private names": "class A:\n    _n = 0\n    def f(self):\n        self._m = self._n\n        return self._f()",
    "a set": "seen = set()\nseen.add(1)",
    "an operator": "class V:\n    def __add__(self, o):\n        return 1\n    def __eq__(self, o):\n        return 1",
}
EFFECTS = {
    "a library's function": "import math\nmath.sqrt = lambda x: x",
    "inside a function": "def f():\n    import math\n    math.sqrt = None",
    "inside a lambda": "f = lambda: setattr(np, 'mean', None)",
    "precision": "import decimal\ndecimal.getcontext().prec = 3",
    "a function's code": "np.mean.__code__ = (lambda *a: 0).__code__",
    "through a dictionary": "vars(np)['mean'] = None",
    "by its dictionary": "np.__dict__['mean'] = None",
    "a class": "torch.nn.Module.forward = None",
    "a class from within": "class A:\n    def f(self):\n        type(self).x = 1",
    "another's attribute": "class A:\n    def f(self, other):\n        other.x = 1",
    "deleting": "del np.mean",
    "a state": "np.seterr(all='ignore')",
    "torch's default": "torch.set_default_dtype(torch.float64)",
    "another module": "import warnings",
    "a module of the sandbox": "from inside.codec import Decoder",
    "mock": "from unittest import mock",
    "a string": "exec('import math; math.sqrt = 0')",
    "reflection": "getattr(np, 'seterr')(all='ignore')",
    "a flag": "x.flags.writeable = False",
    "augmented": "class A:\n    def f(self, o):\n        o.x += 1",
    "in a comprehension": "[setattr(np, n, 0) for n in ('mean',)]",
    "a default": "f.__defaults__ = (1,)",
    "a loop": "for np.mean in (0, 1):\n    pass",
    "a with": "with open('x') as np.mean:\n    pass",
    "an attribute by its name": "operator.attrgetter('__dict__')(math)['sqrt'] = None",
    "a method by its name": "operator.methodcaller('__setattr__', 'sqrt', None)(math)",
    "wrapping": "@functools.wraps(f, assigned=['sqrt'])\ndef g(x):\n    return x",
    "a library's own table": "copy._deepcopy_dispatch[list] = None",
    "a function's use of it": "def f():\n    return collections._sys.modules",
    "a module within another": "dataclasses.sys.path.clear()",
    "a base class": "numbers.Number.register(list)",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_binds(name: str) -> None:
    assert only_binds(compile(HARMLESS[name], "<cell>", "exec"))


@pytest.mark.parametrize("name", EFFECTS)
def test_what_does_more(name: str) -> None:
    assert not only_binds(compile(EFFECTS[name], "<cell>", "exec"))


def test_a_name_of_ones_own_is_no_librarys() -> None:
    code = compile("set_up(3)", "<cell>", "exec")
    assert only_binds(code, {"set_up"})
    assert not only_binds(code)
