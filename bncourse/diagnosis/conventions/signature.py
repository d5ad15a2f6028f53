"""The parameters of a function that is not ours, each with its role: it is called by what its names mean."""

import ast
import inspect
from collections.abc import Callable
from typing import Any

from bncourse.diagnosis.conventions.errors import CannotCallError, quiet
from bncourse.diagnosis.conventions.names import ROLES, role_of
from bncourse.diagnosis.conventions.syntax import word


class Signature:
    """The parameters of a function, each with its role."""

    ORDER = ("x", "gamma", "beta")

    def __init__(self, function: Callable[..., Any], among: tuple[str, ...], *, positional: int = 0) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise CannotCallError("its parameters cannot be read") from error
        self.parameters = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        self.roles: dict[str, str] = {}
        self.guessed: list[str] = []
        """Parameters whose role only their position tells."""
        taken: set[str] = set()
        names = [one.name for one in self.parameters]
        for name in names:
            if name == "G" and "groups" in among and any(other in ROLES["gamma"] for other in names if other != "G"):
                self.roles[name] = "groups"
                taken.add("groups")
        for one in self.parameters:
            role = role_of(one.name, tuple(role for role in among if role not in taken))
            if role is not None and one.name not in self.roles:
                self.roles[one.name] = role
                taken.add(role)
        for position, role in enumerate(self.ORDER[:positional]):
            if role not in taken and position < len(self.parameters):
                name = self.parameters[position].name
                if name not in self.roles:
                    self.roles[name] = role
                    self.guessed += [name] if position else []
                    taken.add(role)

    def has(self, role: str) -> bool:
        """Whether there is a parameter of this role."""
        return role in self.roles.values()

    def name(self, role: str) -> str | None:
        """Name of the parameter of this role."""
        return next((name for name, known in self.roles.items() if known == role), None)

    def default(self, role: str) -> Any:
        """Its default, or None."""
        for one in self.parameters:
            if self.roles.get(one.name) == role and one.default is not one.empty:
                return one.default
        return None

    def mode(self, tree: ast.AST, *, train: bool) -> dict[str, Any]:
        """What says whether to train, role by role, in the words of the definition."""
        is_flag = isinstance(self.default("mode"), bool)
        return {"train": train, "eval": not train, "mode": train if is_flag else word(tree, train=train)}

    def arguments(self, values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments by position and by name for these values, role by role.

        Raises
        ------
        CannotCallError
            If a parameter without a default has no role, or no value.
        """
        by_position: list[Any] = []
        by_name: dict[str, Any] = {}
        for one in self.parameters:
            role = self.roles.get(one.name)
            if role in values:
                if one.kind is one.POSITIONAL_ONLY:
                    by_position.append(values[role])
                else:
                    by_name[one.name] = values[role]
            elif one.default is one.empty:
                raise CannotCallError(f"nothing is known to give for its parameter {one.name}")
        return by_position, by_name

    def call(self, function: Callable[..., Any], values: dict[str, Any]) -> Any:
        """Call the function with these values."""
        by_position, by_name = self.arguments(values)
        with quiet():
            return function(*by_position, **by_name)
