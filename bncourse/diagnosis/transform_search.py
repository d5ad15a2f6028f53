"""Which program of a family gives this y: with one switch turned, then with two.

What fits is tried again on probes that the search has not used; of several that fit there, the first of the catalogue
is taken.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.catalogue import order_of
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.transform_families import FAMILIES, TOGETHER, USUAL, Switches, right_switches
from bncourse.diagnosis.transforms import moments_of, size_of, transform

Array = np.ndarray[Any, Any]


def _is_unusual(setting: str) -> bool:
    return setting.startswith("constant") and float(setting.split()[-1]) not in USUAL


class Explanation(NamedTuple):
    """Switches that reproduce what was seen, and the beliefs that turned them."""

    switches: Switches
    beliefs: tuple[str, ...]


@lru_cache(maxsize=16)
def programs(kind: str) -> tuple[Explanation, ...]:
    """All programs of a family with at most two switches turned: the simplest first, then in the catalogue's order."""
    family, right = FAMILIES[kind], right_switches(kind)
    turns = [(switch, setting, belief) for switch, settings in family.items() for setting, belief in settings.items()]
    found = [Explanation(right, ())]
    found += [Explanation(right._replace(**{switch: setting}), (belief,)) for switch, setting, belief in turns]
    for one, other in combinations(turns, 2):
        if one[0] == other[0] or _is_unusual(one[1]) or _is_unusual(other[1]):
            continue
        both = frozenset({one[2], other[2]})
        beliefs = (TOGETHER[both],) if both in TOGETHER else tuple(dict.fromkeys((one[2], other[2])))
        found.append(Explanation(right._replace(**{one[0]: one[1], other[0]: other[1]}), beliefs))
    return tuple(sorted(found, key=lambda one: (len(one.beliefs), order_of(one.beliefs))))


@lru_cache(maxsize=64)
def _outputs(key: tuple[Any, ...], kind: str, beliefs: int) -> tuple[tuple[Explanation, ...], Array]:
    """All programs that hold so many beliefs, and what they give on the probe of this key."""
    probe = make_probe(key[0], spatial=key[1], layout=key[2], eps=key[3])
    chosen = tuple(program for program in programs(kind) if len(program.beliefs) == beliefs)
    inference, moments = kind == "inference", dict[tuple[str, str, str], tuple[Array, Array]]()
    results = []
    for switches in (program.switches for program in chosen):
        decides = (switches.axes, switches.center, switches.variance)
        if decides not in moments:
            moments[decides] = moments_of(probe, switches, inference=inference)
        results.append(transform(probe, switches, inference=inference, moments=moments[decides]).y)
    return chosen, np.stack([np.broadcast_to(result, probe.x.shape) for result in results])


def matches(y: Array, probe: Probe, kind: str, allowed: float) -> Iterable[Explanation]:
    """Every program of the family that gives this y: the simplest first, then in the catalogue's order.

    Parameters
    ----------
    y : array
        What the student's function returned.
    probe : Probe
        For which inputs.
    kind : str
        Which family.
    allowed : float
        Tolerance relative to the size of the terms.
    """
    wanted = np.broadcast_to(y, probe.x.shape).ravel()
    size = np.broadcast_to(size_of(probe), probe.x.shape).ravel()
    for beliefs in (1, 2):
        chosen, outputs = _outputs(probe.key, kind, beliefs)
        near = np.arange(len(chosen))
        for part in (slice(FIRST), slice(FIRST, None)):  # the first few values tell most programs apart
            there = outputs.reshape(len(chosen), -1)[near, part]
            with np.errstate(all="ignore"):
                relative = np.abs(there - wanted[part]) / np.maximum(size[part], np.abs(there))
            near = near[relative.max(axis=1, initial=0) <= allowed]
        for position in near:
            yield chosen[position]


FIRST = 8
"""Values of y that are compared before the others are."""


def explain(y: Array, probe: Probe, kind: str, allowed: float) -> Explanation | None:
    """Return the first of `matches`, or None."""
    return next(iter(matches(y, probe, kind, allowed)), None)
