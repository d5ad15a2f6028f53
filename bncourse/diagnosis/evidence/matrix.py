"""Checks by specimens, as data: which wrong programs each check lets pass.

The book shows it as a table, beside the same table for the checks that other courses use.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import checks
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.evidence.correct_programs import RIGHT, Right, on_feature_maps
from bncourse.diagnosis.evidence.other_checks import OTHER_CHECKS
from bncourse.diagnosis.evidence.specimens import OTHERS, SPECIMENS, Specimen
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import functional as reference

TRAINING = ("forward", "backward", "pair")
"""Roles of the specimens that every check of a forward and a backward pass could catch."""


class Program(NamedTuple):
    """A program under test: one function for every task of the course."""

    belief: str
    """Id in the catalogue, or "" for a right program."""
    name: str
    role: str
    forward: Function
    backward: Function
    staged: Function
    reference_forward: Function
    """The forward pass whose cache `staged` reads."""
    inference: Function
    inference_backward: Function
    running: Function
    maps_forward: Function
    maps_backward: Function


class Row(NamedTuple):
    """One program, and what each check made of it."""

    belief: str
    name: str
    role: str
    """Which function is wrong, as in `Specimen.role`; "" for a right program."""
    caught: dict[str, bool]
    """By check: True where it raised. What a check does not look at passes."""


class Matrix(NamedTuple):
    """Programs by checks."""

    ours: tuple[str, ...]
    others: tuple[str, ...]
    right: tuple[Row, ...]
    wrong: tuple[Row, ...]

    def let_pass(self, check: str, roles: tuple[str, ...] = TRAINING) -> tuple[str, ...]:
        """Beliefs with a specimen that this check lets pass, each once; by default those about training on tables."""
        rows = [row for row in self.wrong if row.role in roles and not row.caught[check]]
        return tuple(dict.fromkeys(row.belief for row in rows))

    def table(self) -> list[list[str]]:
        """Rows of text: a head, then one row for each program; a cross where it was caught."""
        names = (*self.ours, *self.others)
        rows = [["belief", "program", *names]]
        for row in (*self.right, *self.wrong):
            rows.append([row.belief or "none: right", row.name, *("x" if row.caught[name] else "" for name in names)])
        return rows


OURS: dict[str, Callable[[Program, int], None]] = {
    "check_forward": lambda p, seed: checks.check_forward(p.forward, seed=seed),
    "check_backward": lambda p, seed: checks.check_backward(p.forward, p.backward, seed=seed),
    "check_dx": lambda p, seed: checks.check_dx(p.forward, p.backward, seed=seed),
    "check_dgamma": lambda p, seed: checks.check_dgamma(p.forward, p.backward, seed=seed),
    "check_dbeta": lambda p, seed: checks.check_dbeta(p.forward, p.backward, seed=seed),
    "check_staged": lambda p, seed: checks.check_staged(p.reference_forward, p.staged, seed=seed),
    "check_laws": lambda p, seed: checks.check_laws(p.forward, p.backward, seed=seed),
    "check_inference": lambda p, seed: checks.check_inference(p.inference, seed=seed),
    "check_inference_backward": lambda p, seed: checks.check_inference_backward(
        reference.batch_norm_inference, p.inference_backward, seed=seed
    ),
    "check_running": lambda p, seed: checks.check_running(p.running, seed=seed),
    "check_conv": lambda p, seed: checks.check_conv(p.maps_forward, p.maps_backward, seed=seed),
}


def program_of(specimen: Specimen) -> Program:
    """The program of a specimen: one wrong function among right ones."""
    maps = specimen.on_feature_maps

    def chosen(role: str, right: Any) -> Any:
        return specimen.function if specimen.role == role else right

    return Program(
        specimen.belief,
        specimen.name,
        specimen.role,
        specimen.forward,
        specimen.gradient,
        chosen("staged", reference.batch_norm_backward_staged),
        reference.batch_norm_forward,
        chosen("inference", reference.batch_norm_inference),
        chosen("inference_backward", reference.batch_norm_inference_backward),
        chosen("running", right_update),
        specimen.forward if maps else reference.batch_norm_forward,
        specimen.gradient if maps else reference.batch_norm_backward,
    )


def program_of_right(right: Right) -> Program:
    """The program of a right pair."""
    maps = on_feature_maps(right)
    return Program(
        "",
        right.name,
        "",
        right.forward,
        right.backward,
        reference.batch_norm_backward_staged,
        reference.batch_norm_forward,
        reference.batch_norm_inference,
        reference.batch_norm_inference_backward,
        right_update,
        maps.forward,
        maps.backward,
    )


def catches(check: Callable[[Program, int], None], program: Program, seed: int) -> bool:
    """Whether a check of the course raises on a program."""
    try:
        check(program, seed)
    except checks.Misconception:
        return True
    return False


def make_matrix(seed: int = 0) -> Matrix:
    """Run every check on every right program and every specimen.

    Parameters
    ----------
    seed : int
        Of our checks; the others have none.
    """

    def row(program: Program) -> Row:
        caught = {name: catches(check, program, seed) for name, check in OURS.items()}
        with np.errstate(all="ignore"):
            caught |= {name: not check(program.forward, program.backward) for name, check in OTHER_CHECKS.items()}
        return Row(program.belief, program.name, program.role, caught)

    right = tuple(row(program_of_right(one)) for one in RIGHT)
    return Matrix(tuple(OURS), tuple(OTHER_CHECKS), right, tuple(row(program_of(one)) for one in SPECIMENS))


class OtherRow(NamedTuple):
    """A wrong layer, group, instance or RMS norm, or an update under another course's rules."""

    kind: str
    belief: str
    name: str
    named: str
    """The first belief that is said of it, "" where none is."""


def other_rows(seed: int = 0) -> tuple[OtherRow, ...]:
    """Diagnose every wrong program for another normalization than ours, or another course's rules.

    Parameters
    ----------
    seed : int
        Of the probes.
    """
    found = ((one, one.diagnose(seed).beliefs) for one in OTHERS)
    return tuple(OtherRow(one.rules.kind, one.belief, one.name, next(iter(said), "")) for one, said in found)
