"""Why a dx is wrong: paths first, then the textbook's form of another forward pass, then fingerprints."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis import call, fingerprints, paths
from bncourse.diagnosis.layouts import Layout
from bncourse.diagnosis.trials import Candidate, Trial, View, survives

Array = np.ndarray[Any, Any]

TEXTBOOK = "closed-form-of-another-forward"
NO_MEAN = (1.0, 0.0, -1.0)


def explain_dx(trial: Trial, *, right: bool) -> tuple[str, ...]:
    """Name the fewest beliefs that give the student's dx, also on probes that were not searched."""
    allowed = trial.allowed(trial.values["dx"].dtype)
    if not right and not trial.inference and mixes(trial):
        return (TEXTBOOK,)
    for candidate in _candidates(trial, right=right, allowed=allowed):
        bound = max(1e-6, 1e3 * allowed) if right else 1e-4
        if survives(trial, "dx", candidate.predict, bound):
            return without_eps(trial, "dx", candidate.beliefs)
    return ()


def without_eps(trial: Trial, part: str, beliefs: tuple[str, ...]) -> tuple[str, ...]:
    """Tell a tiny constant in the place of eps from none at all: without one, a set that does not vary is 0 / 0."""
    if "backward-eps-ignored" not in beliefs:
        return beliefs
    x = trial.probe.rows(trial.probe.x).copy()
    x[:, 0] = 2.0
    constant = replace(trial.probe, x=trial.probe.layout.back(x, trial.probe.x.shape))
    try:
        replace(trial, probe=constant, caches=[], values={}, _cached={}).part(part)
    except call.Slip:
        return beliefs
    return tuple("backward-eps-hard-coded" if one == "backward-eps-ignored" else one for one in beliefs)


def _candidates(trial: Trial, *, right: bool, allowed: float) -> Iterator[Candidate]:
    """Everything that explains the searched probe: one belief, then fingerprints, then two."""
    views = _views(trial, right=right)
    for number in (0, 1):
        for view in views:
            yield from _by_paths(trial, view, number, allowed)
        if number == 0 and not right and not trial.inference:
            yield from _textbooks(trial, allowed)
    yield from _by_reshapes(trial, allowed)
    for plain in (True, False):
        for view in views:
            yield from _by_fingerprints(trial, view, allowed, plain=plain)
    for view in views:
        yield from _by_paths(trial, view, 2, allowed)


def _views(trial: Trial, *, right: bool) -> list[View]:
    layout = trial.probe.layout
    found = []
    if not right and trial.switches is not None:
        own = {"sets": layout, "sample": Layout("layer"), "places": Layout("instance"), "batch": Layout()}
        if trial.switches.axes in own:
            found.append(View("own", own[trial.switches.axes]))
    found.append(View("right", layout))
    if trial.inference:
        found.append(View("batch", layout))
    elif layout.kind != "batch" and trial.probe.x.ndim == 2:
        found.append(View("right", Layout()))
    return found


def _truths(trial: Trial, view: View, basis: paths.Basis) -> list[tuple[tuple[str, ...], Array]]:
    """Coefficients that a right backward pass has here, and beliefs which shift them."""
    centered = view.layout.centered
    textbook = np.array(paths.RIGHT if centered else NO_MEAN)
    if trial.inference:
        return [((), np.array([1.0, 0, 0])), (("training-backward-in-inference",), np.array(paths.RIGHT))]
    if view.model == "own":
        if trial.own is None:
            return [((TEXTBOOK,), textbook)]
        probe = replace(trial.probe, layout=view.layout)
        weights = _weights(trial, basis, probe)
        return [((), weights), ((TEXTBOOK,), textbook)] if weights is not None else [((TEXTBOOK,), textbook)]
    truths: list[tuple[tuple[str, ...], Array]] = [((), textbook)]
    if not centered:
        truths.append((("rms-mean-path",), np.array(paths.RIGHT)))
    if view.layout != trial.probe.layout:
        truths = [(("backward-wrong-axis",), one) for _, one in truths]
    return truths


def _weights(trial: Trial, basis: paths.Basis, probe: Any) -> Array | None:
    """With which weights the three paths reach the loss in the student's own forward pass."""
    if trial.own is None or probe.layout != trial.probe.layout:
        return None
    return trial.own.weights(basis, probe)


def _by_paths(trial: Trial, view: View, number: int, allowed: float) -> Iterator[Candidate]:
    dx = view.layout.rows(trial.values["dx"].array)
    known = trial.moves(view)
    bound = 1e-4 if view.model == "own" else max(1e-6, 100 * allowed)
    for way, (gamma, basis, front, _) in enumerate(trial.bases(view)):
        if gamma and number == 2:
            continue
        with np.errstate(all="ignore"):
            inner = dx / front
        if not np.isfinite(inner).all():
            continue
        coefficients, residual = paths.fit(inner, basis)
        if residual > 100 * allowed:
            continue
        for one in paths.fits(coefficients, _truths(trial, view, basis), known, bound, basis, number):
            named = tuple(dict.fromkeys(((gamma,) if gamma else ()) + one.beliefs))
            if not named:
                continue

            def predict(other: Trial, way: int = way, one: paths.Fit = one) -> Array:
                _, basis, front, _ = other.bases(view)[way]
                start = _truths(other, view, basis)[one.truth][1]
                weights = paths.starts([((), start)], basis.terms.shape[2])[0][1] * one.factors(other.moves(view))
                return view.layout.back(front * basis.combine(weights), other.probe.x.shape)

            yield Candidate(named, predict)


def _by_fingerprints(trial: Trial, view: View, allowed: float, *, plain: bool) -> Iterator[Candidate]:
    """Programs outside of the span; where not `plain`, with a factor that some other belief of the span gives."""
    dx = view.layout.rows(trial.values["dx"].array)
    known = trial.moves(view)
    scalings = (
        [int(one) for one in np.flatnonzero(np.ptp(known.factors, axis=1).max(axis=1) == 0)] if not plain else [-1]
    )
    for way, (gamma, _, front, arrays) in enumerate(trial.bases(view)):
        if gamma and not plain:
            continue
        for position, (belief, inner) in enumerate(fingerprints.candidates(arrays)):
            expected = front * inner
            size = np.abs(expected).max(axis=0) + 1e-300
            for scaling in scalings:
                factor = known.factors[scaling, 0] if scaling >= 0 else 1.0
                with np.errstate(all="ignore"):
                    worst = float((np.abs(dx - factor * expected) / (np.abs(factor) * size)).max())
                if not worst <= 100 * allowed:
                    continue
                more = (known.beliefs[scaling],) if scaling >= 0 else ()
                named = tuple(dict.fromkeys((belief, *((gamma,) if gamma else ()), *more)))

                def predict(other: Trial, way: int = way, position: int = position, scaling: int = scaling) -> Array:
                    _, _, front, arrays = other.bases(view)[way]
                    found = front * fingerprints.candidates(arrays)[position][1]
                    if scaling >= 0:
                        found = found * other.moves(view).factors[scaling, 0]
                    return view.layout.back(found, other.probe.x.shape)

                yield Candidate(named, predict)


def _by_reshapes(trial: Trial, allowed: float) -> Iterator[Candidate]:
    """The right gradient of a table into which feature maps were reshaped or transposed wrongly, or out of it."""
    probe = trial.probe
    if trial.inference or probe.layout.kind != "batch" or probe.x.ndim == 2:
        return

    def results(other: Trial) -> list[Array]:
        rows, shape = other.probe.rows, other.probe.x.shape
        model = other.expected.right
        x_hat, inv_std = (rows(np.broadcast_to(one, shape)) for one in (model.x_hat, model.inv_std))
        found = []
        dy, last = other.probe.dy, np.moveaxis(other.probe.dy, 1, -1)
        tables = [dy.reshape(-1, shape[1]), dy.reshape(shape[1], -1).T, last.reshape(shape[1], -1).T, rows(dy)]
        for table in tables:
            inside = other.probe.gain * table
            dx = inv_std * (inside - inside.mean(axis=0) - x_hat * (inside * x_hat).mean(axis=0))
            found += [dx.reshape(shape), other.probe.layout.back(dx, shape)]
        ways = found[-1].swapaxes(-1, -2).reshape(shape), _turned(dx, shape)
        return [*found[:-1], *ways]

    for position, expected in enumerate(results(trial)):
        if np.abs(trial.values["dx"].array - expected).max() <= 100 * allowed * np.abs(expected).max():

            def predict(other: Trial, position: int = position) -> Array:
                return results(other)[position]

            exchanged = position >= len(results(trial)) - 2
            yield Candidate(("conv-rows-columns" if exchanged else "conv-reshape",), predict)


def _turned(table: Array, shape: tuple[int, ...]) -> Array:
    """Rows and columns of maps taken for each other on the way back from a table."""
    return np.moveaxis(table.reshape(shape[0], *shape[:1:-1], shape[1]), -1, 1).swapaxes(-1, -2)


def _textbooks(trial: Trial, allowed: float) -> Iterator[Candidate]:
    """The closed form with the normalized values of another forward pass than the right one."""

    def normalized(other: Trial, which: int) -> tuple[Array, Array]:
        probe = other.probe
        gamma, beta = (probe.layout.across(one, probe.x.ndim) for one in (probe.gamma, probe.beta))
        model = other.own_model
        inv_std = np.broadcast_to(model.inv_std, probe.x.shape)
        if which == 0:
            return model.x_hat, inv_std
        y = call.pair(call.call(other.forward, "forward", probe.x, probe.gamma, probe.beta, eps=probe.eps), "forward")[
            0
        ]
        with np.errstate(all="ignore"):
            x_hat = (np.asarray(y) - beta) / gamma
        return x_hat, np.ones_like(x_hat) if which == 1 else np.broadcast_to(other.expected.right.inv_std, x_hat.shape)

    def bracket(other: Trial, which: int) -> Array:
        x_hat, front = normalized(other, which)
        rows = other.probe.rows
        inside, x_hat = other.probe.gain * rows(other.probe.dy), rows(np.broadcast_to(x_hat, other.probe.x.shape))
        return np.asarray(rows(front) * (inside - inside.mean(axis=0) - x_hat * (inside * x_hat).mean(axis=0)))

    for which in (0, 1, 2):
        try:
            found, dx = bracket(trial, which), trial.probe.rows(trial.values["dx"].array)
            factor = _factor(dx, found)
        except call.Slip:
            return
        with np.errstate(all="ignore"):
            worst = np.abs(dx - factor * found).max(axis=0) / np.abs(factor * found).max(axis=0)
        if (
            not (worst <= 100 * allowed).all()
            or not (factor > 0).all()
            or (which != 1 and np.abs(factor - 1).max() > 1e-6)
        ):
            continue

        def predict(other: Trial, which: int = which) -> Array:
            found, dx = bracket(other, which), other.probe.rows(other.part("dx").array)
            factor = _factor(dx, found) if which == 1 else 1.0
            return other.probe.layout.back(factor * found, other.probe.x.shape)

        yield Candidate((TEXTBOOK,), predict)


def _factor(dx: Array, expected: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray((dx * expected).sum(axis=0) / (expected * expected).sum(axis=0))


def mixture(trial: Trial) -> bool:
    """Whether dx is the right formula with the standard deviation of either forward pass, own or right, in each place.

    Such a backward pass is right as soon as the forward pass is, from which it takes some of its values. With the
    student's own everywhere it is the textbook's form of that forward pass, which is another matter.
    """
    if trial.switches is None or trial.switches.axes != "sets" or trial.switches.center not in ("mean", "none"):
        return False
    rows, layout = trial.probe.rows, trial.probe.layout
    inside, matrix = trial.probe.gain * rows(trial.probe.dy), rows(trial.probe.x)
    centered = matrix - matrix.mean(axis=0) if layout.centered else matrix
    own, right = (
        rows(np.broadcast_to(one, trial.probe.x.shape))
        for one in (trial.own_model.inv_std, trial.expected.right.inv_std)
    )
    terms = inside, np.broadcast_to(inside.mean(axis=0), inside.shape), centered * (inside * centered).mean(axis=0)
    dx = rows(trial.part("dx").array)
    for direct in (own, right):
        for mean in (own, right):
            for power in range(4):
                if direct is mean is own and power == 3:
                    continue
                expected = direct * terms[0] - mean * terms[1] * layout.centered
                expected = expected - own**power * right ** (3 - power) * terms[2]
                if np.abs(dx - expected).max() <= 1e-6 * np.abs(expected).max():
                    return True
    return False


def mixes(trial: Trial) -> bool:
    """Whether it is such a mixture on every probe."""
    try:
        return all(mixture(one) for one in (trial, *trial.fresh()))
    except call.Slip:
        return False
