"""Change the functional files in every small way, one change at a time: each must fail a test.

`python -m tools.mutants [MODULE ...]` prints the changes that no test noticed, and exits with 1 if one of them has no
written reason in `REASONS`, or a reason is out of date. A child process runs the tests with the changed module in the
place of the real one; no file is touched.
"""

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = {
    "bncourse.numpy_bn.functional": [
        "tests/numpy_bn/test_functional.py",
        "tests/validation/test_arguments.py",
        "tests/acceptance/test_properties.py",
    ],
    "bncourse.torch_bn.functional": [
        "tests/torch_bn/test_functional.py",
        "tests/validation/test_arguments.py",
        "tests/acceptance/test_properties.py",
    ],
    "bncourse.torch_bn.autograd": ["tests/torch_bn/test_layer.py", "tests/validation/test_arguments.py"],
    "bncourse.numpy_bn.inference": ["tests/numpy_bn/test_functional.py", "tests/validation/test_arguments.py"],
    "bncourse.torch_bn.inference": ["tests/torch_bn/test_functional.py", "tests/validation/test_arguments.py"],
    "bncourse.numpy_bn.moments": ["tests/numpy_bn/test_moments.py"],
    "bncourse.torch_bn.moments": [
        "tests/torch_bn/test_moments.py",
        "tests/torch_bn/test_running.py",
        "tests/test_twins.py",
    ],
    "bncourse.numpy_bn.running": ["tests/numpy_bn/test_running.py"],
    "bncourse.torch_bn.running": ["tests/torch_bn/test_running.py", "tests/test_twins.py"],
}
WARM = [
    "numpy",
    "torch",
    "pytest",
    "hypothesis.strategies",
    "mpmath",
    "torch._dynamo",
    "torch.fx.experimental.symbolic_shapes",
]
"""Imported once, for all children."""

REASONS: dict[tuple[str, str], str] = {}
"""(module, change or a part of it) of a survivor: why no test can, or should, notice it."""

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
}


def changes(tree: ast.Module) -> Iterator[tuple[ast.AST, str, Any]]:
    """Every node, field and new value that make one small change."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
                yield node, "op", ARITHMETIC[type(op)]()
            case ast.Compare(ops=[op]) if type(op) in COMPARISON:
                yield node, "ops", [COMPARISON[type(op)]()]
            case ast.UnaryOp(op=ast.USub()):
                yield node, "op", ast.UAdd()
            case ast.Constant(value=bool() as value):
                yield node, "value", not value
            case ast.Constant(value=int() | float() as value):
                yield node, "value", value + 1
            case ast.If() | ast.IfExp():
                yield node, "test", ast.Constant(value=True)
                yield node, "test", ast.Constant(value=False)
            case ast.Expr(value=ast.Call()):
                yield node, "value", ast.Constant(value=None)


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, change in words, and source of each mutant; annotations are left alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in [*node.args.args, *node.args.kwonlyargs, *filter(None, [node.args.vararg])]:
                argument.annotation = None
    statements = {node: found for found in ast.walk(tree) if isinstance(found, ast.stmt) for node in ast.walk(found)}
    for node, field, new in list(changes(tree)):
        statement = statements[node]
        before, text = getattr(node, field), _first_line(statement)
        setattr(node, field, new)
        yield statement.lineno, f"{text}  =>  {_first_line(statement)}", ast.unparse(ast.fix_missing_locations(tree))
        setattr(node, field, before)


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


class Substitute(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a given source."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source = module, source

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Answer for that one module."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the source."""
        exec(compile(self.source, self.module, "exec"), module.__dict__)


def passes(module: str, source: str, seconds: int) -> bool:
    """Whether the module's tests pass with this source, in a child process."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            sys.meta_path.insert(0, Substitute(module, source))
            import hypothesis
            import pytest

            once = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # a failure is not made smaller first
            hypothesis.settings.register_profile(
                "mutants", max_examples=10, database=None, derandomize=True, phases=once
            )
            hypothesis.settings.load_profile("mutants")
            options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
            status = pytest.main([*options, *TESTS[module]])
        os._exit(int(status))
    return os.waitpid(child, 0)[1] == 0


def survivors(module: str, seconds: int) -> tuple[int, list[tuple[int, str]]]:
    """The number of changes tried, and line and change of each that no test noticed."""
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text()
    if not passes(module, source, 10 * seconds):
        raise SystemExit(f"{module}: its tests fail without any change")
    tried = list(mutants(source))
    return len(tried), [(line, change) for line, change, mutated in tried if passes(module, mutated, seconds)]


def reason(module: str, change: str) -> tuple[str, str] | None:
    """Key of the reason that is written for a change, or None."""
    return next((key for key in REASONS if key[0] == module and key[1] in change), None)


def table(rows: list[tuple[str, int, list[str]]]) -> str:
    """Counts of each module and the reasons of its survivors, as Markdown."""
    lines = ["| module | changes | noticed by a test | not noticed | why not |", "|---|---|---|---|---|"]
    for module, count, left in rows:
        keys = dict.fromkeys(reason(module, change) or (module, change) for change in left)
        reasons = "<br>".join(f"`{change}`: {REASONS.get((module, change), 'NO REASON')}" for _, change in keys)
        lines.append(f"| `{module}` | {count} | {count - len(left)} | {len(left)} | {reasons} |")
    return "\n".join(lines)


def main() -> int:
    """Exit code: 1 if a survivor has no reason, or a reason no survivor."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description="does every small change fail a test?")
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE")
    parser.add_argument("--seconds", type=int, default=120, help="of processor time for the tests of one change")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ["CI"] = os.environ.get("CI", "")
    for name in WARM:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    unexplained, rows = 0, []
    for module in options.modules:
        unused = {key for key in REASONS if key[0] == module}
        count, found = survivors(module, options.seconds)
        rows.append((module, count, [change for _, change in found]))
        for line, change in found:
            key = reason(module, change)
            unused -= {key}
            if key is None:
                unexplained += 1
                print(f"{module}:{line}: NO TEST NOTICES, and no reason is written: {change}", flush=True)
        for _, change in unused:
            unexplained += 1
            print(f"{module}: a reason is written for a change that a test notices, or that is gone: {change}")
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    print(table(rows))
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
