"""Whether a piece of code can do more than bind names and compute, as in replacing what a library holds.

What it might have changed is then not looked for, because there is no end to it (a class of the standard library, a
function's code, a thread's decimal context): the code that runs after it gets a process of its own.
"""

import dis
import types
from collections.abc import Iterator
from typing import Any

STORES = frozenset(dis.opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR"))
IMPORT_NAME = dis.opmap["IMPORT_NAME"]
_OWN = (("self",), ("ctx",))
"""What a method calls its own object, to which it may give attributes."""
HARMLESS_MODULES = """
__future__ abc cmath collections copy dataclasses enum fractions functools itertools math numbers numpy operator random
statistics string time torch typing
"""
"""Importing them only loads them; what they offer besides stands in the lists below."""
POWERFUL = """
attrgetter breakpoint compile delattr eval exec get_ipython get_type_hints getattr global_enum globals help input
locals memoryview methodcaller open register setattr update_wrapper vars wraps
__builtins__ __code__ __defaults__ __dict__ __func__ __globals__ __import__ __self__ __subclasses__ __wrapped__
backends builtins ctypes ctypeslib f2py gc inspect lib library linecache modules os patch rcParams sys testing threading
types utils
"""
"""Functions by which anything can be reached or is given attributes, and parts of libraries that hold a state."""
STATES = ("set", "use_", "enable_", "disable_", "register_", "__")
"""How functions begin that set a state, and what the language itself holds."""
PLAIN = """
set setdefault register_buffer register_parameter setup_context
__future__ __init__ __name__ __module__ __qualname__ __doc__ __annotations__ __class__ __call__
"""
"""What begins so and is harmless: sets, and what classes and layers hold of themselves."""
_HARMLESS_MODULES, _POWERFUL, _PLAIN = (frozenset(words.split()) for words in (HARMLESS_MODULES, POWERFUL, PLAIN))


def only_binds(code: types.CodeType, own: frozenset[str] | set[str] = frozenset()) -> bool:
    """Whether running this code, and what it defines, changes nothing but the names that it binds.

    Parameters
    ----------
    code : code object
        Of a statement, or of a function.
    own : set of str
        Names that the student's cells have bound: a helper called `set_up` is no library's.
    """
    return all(_one_only_binds(part, own) for part in _with_inner(code))


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code object, and those of the functions and classes in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _with_inner(constant)


def _one_only_binds(code: types.CodeType, own: frozenset[str] | set[str]) -> bool:
    in_class = "__qualname__" in code.co_names  # a class may define what the language asks of it
    in_method = in_class or code.co_varnames[:1] in _OWN
    for name in code.co_names:
        if name in _POWERFUL:
            return False
        private = name[:1] == "_" and name[:2] != "__"  # what a library holds for itself, or a class of one's own
        if private and name not in own and not in_method:
            return False
        if name.startswith(STATES) and not (name in _PLAIN or name in own or (in_class and name[:2] == "__")):
            return False
    operations = code.co_code[::2]
    if any(store in operations for store in STORES) and not _stores_in_itself(code):
        return False
    return IMPORT_NAME not in operations or all(module in _HARMLESS_MODULES for module in _imported(code))


def _stores_in_itself(code: types.CodeType) -> bool:
    """Whether every attribute that is stored is one of the first argument, which is the object itself."""
    if code.co_varnames[:1] not in _OWN or not code.co_argcount:
        return False
    earlier: list[tuple[str, Any]] = []
    for instruction in dis.get_instructions(code):
        if instruction.opcode in STORES:
            added = [("LOAD_FAST", code.co_varnames[0]), ("COPY", 1), ("LOAD_ATTR", instruction.argval)]
            at = next((at for at in range(len(earlier) - 3, -1, -1) if earlier[at : at + 3] == added), None)
            if earlier[-1] != added[0] and (earlier[-1][0] != "SWAP" or at is None):
                return False
        earlier.append((instruction.opname, instruction.argval))
    return True


def _imported(code: types.CodeType) -> Iterator[str]:
    """The top-level names of the modules that are imported."""
    for instruction in dis.get_instructions(code):
        if instruction.opcode == IMPORT_NAME:
            yield str(instruction.argval).split(".")[0]
