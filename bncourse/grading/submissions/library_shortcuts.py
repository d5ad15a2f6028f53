"""A student's code in; the names of PyTorch that do the assignment's work out."""

import ast
import re
from collections.abc import Iterable

_NORM = r"(batch|instance|layer|group|rms)_norm"
_OTHERS = (
    r"(Sync|Lazy)?(Batch|Instance)Norm[123]d|SyncBatchNorm|(Layer|Group|RMS)Norm|fuse_(conv|linear)_bn\w*"
    r"|enable_grad|vjp|jvp|jacrev|jacfwd|jacobian|forward_ad|make_dual"
)
SHORTCUT = re.compile(rf"(native_|cudnn_|_)*{_NORM}\w*|{_OTHERS}")
"""A name: the library's normalization and folding, and derivatives taken by autograd inside of a function."""
MAY_NAME_ONE = re.compile(f"{_NORM}|{_OTHERS}")
"""What stands in a text that has such a name somewhere; found in linear time."""


def library_names(tree: ast.AST) -> set[str]:
    r"""What a piece of code takes out of a library: attributes, and what it imports.

    >>> sorted(library_names(ast.parse("from torch.func import vjp\ny = F.batch_norm(x)")))
    ['batch_norm', 'func', 'torch', 'vjp']
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            whole = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            names.update(part for name in whole for part in name.split(".") if part)
        elif isinstance(node, ast.Call) and _is_getattr(node):
            names.update(part.value for part in node.args if isinstance(part, ast.Constant) and type(part.value) is str)
    return names


def _is_getattr(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "getattr"


def shortcuts(tree: ast.AST, own: Iterable[ast.AST]) -> list[str]:
    """Shortcuts that a piece of code names and the master's own code does not, in alphabetical order."""
    used = {name for name in library_names(tree) if SHORTCUT.fullmatch(name)}
    for one in own:
        if not used:
            break
        used -= library_names(one)
    return sorted(used)
