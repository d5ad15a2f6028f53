"""Experiments on what comes back from a call, before any law is asked for: errors, structure, type, digits, stages."""

from bncourse.diagnosis.experiment import ALL, BOTH, FALSE, NO_ERROR, RUN, TABLE, Experiment
from bncourse.numpy_bn.functional import Stages

FORWARD = "forward(x, one, one, eps=0.1)"
BACK = "backward(dy, forward(x, g, b, eps=0.1)[1])"
BACK_SCALED = "backward({}, forward(3 * x, g, b, eps=0.9)[1])"
STILL = "inference(x, one, one, one, 2 * one, eps=0.1)"
CALLS = {
    "forward": (TABLE, FORWARD, (0,), ALL, 2),
    "dx": (BOTH, BACK, (0,), ALL, 3),
    "dgamma": (BOTH, BACK, (1,), ALL, 3),
    "dbeta": (BOTH, BACK, (2,), ALL, 3),
    "inference": (TABLE, STILL, (0,), ("batch",), 0),
    "inference_backward": (
        f"{BOTH}; cache = inference(x, g, b, b, g)[1]",
        "inference_backward(dy, cache)",
        (0,),
        ("batch",),
        3,
    ),
    "stages": (BOTH, "staged(dy, forward(x, g, b, eps=0.1)[1])", (1,), ("batch",), 2),
    "running": (RUN, "update(m, v, x, momentum=0.5)", (0, 1), ("batch",), 2),
}
"""The call of each part, which of its results are looked at, where it is so, and how many it returns; 0 for y alone."""


def _of_a_call(
    setup: str, call: str, places: tuple[int, ...], kinds: tuple[str, ...], count: int
) -> dict[str, Experiment]:
    """One experiment for each thing that can be wrong with a result as such."""
    named, values = f"{setup}; found = {call}", [f"found[{place}]" for place in places]
    # a feature that is constant, one that hardly varies, and one like any other
    edge = f"{setup}; x[:, 0], x[:, 1] = 7, -9 + 1e-6 * x[:, 1]; found = {call}"
    structure = f"not isinstance(found, (tuple, list)) or len(found) != {count}"
    types = " or ".join(f'np.asarray({value}).dtype not in ("float32", "float64")' for value in values)
    nothing = " or ".join(f"{value} is None" for value in ("found", *(values if count else ())))
    found = {
        "error": Experiment(setup, f"0 * len({call})", kinds=kinds, comment=NO_ERROR),
        "finite": Experiment(
            edge, " + ".join(f"(~np.isfinite({value})).sum()" for value in values), kinds=kinds, comment=NO_ERROR
        ),
        "type": Experiment(named, types, kinds=kinds, comment=FALSE),
        "nothing": Experiment(named, nothing, kinds=kinds, comment=FALSE),
    }
    if "staged" in call:  # a mapping of gradients, of which only some are numbers a feature
        found = {name: found[name] for name in ("error", "nothing")}
    if count:
        found["number"] = Experiment(named, structure, kinds=kinds, comment=FALSE)
    if count == 3:
        names = '{*map(str, found)} != {"dx", "dgamma", "dbeta"}'
        found["names"] = Experiment(named, names, kinds=kinds, comment=FALSE)
    return found


def _digits(call: str, scaled: str, *, by: int = 1) -> str:
    """What x in units a third as large must change exactly, to fifteen digits."""
    return f"1e9 * ({f'{by} * ' if by > 1 else ''}{scaled} - {'' if by > 1 else '3 * '}{call})"


def _of_arguments() -> dict[str, Experiment]:
    """Whether arguments are written into, calls repeat, results follow what is given, and have its shape."""
    y = "forward(x, one, one)"
    other_x, found = "forward(x[::-1] ** 3 + 1, one, one)", dict[str, Experiment]()
    for part, (setup, call, (place, *_), kinds, _) in list(CALLS.items())[:4]:
        value, given = f"{call}[{place}]", "x" if part == "forward" else "dy"
        other = other_x if part == "forward" else call.replace("(dy,", "(dy[::-1] ** 3 + 1,")
        one = y if part == "forward" else call
        wrong = f"np.size({value}) != len(g)" if place else f"np.shape({value}) != x.shape"
        found |= {
            f"written into in {part}": Experiment(
                f"{setup}; kept = {given}.copy(); {one}", f"{given} - kept", kinds=kinds
            ),
            f"twice in {part}": Experiment(setup, f"{one}[{place}] - {one}[{place}]", kinds=kinds),
            f"another x in {part}": Experiment(setup, f"{one}[{place}] - {other}[{place}]", zeros=False, kinds=kinds),
            f"shape in {part}": Experiment(setup, wrong, kinds=kinds, comment=FALSE),
        }
    return found


PRECISE = {
    "forward": Experiment(
        TABLE,
        _digits("forward(x, one, 0 * one, eps=0.1)[0]", "forward(3 * x, 3 * one, 0 * one, eps=0.9)[0]"),
        kinds=ALL,
    ),
    "dx": Experiment(BOTH, _digits(f"{BACK}[0]", f"{BACK_SCALED.format('dy')}[0]", by=3), kinds=ALL),
    "dgamma": Experiment(BOTH, _digits(f"{BACK}[1]", f"{BACK_SCALED.format('3 * dy')}[1]"), kinds=ALL),
    "dbeta": Experiment(BOTH, _digits(f"{BACK}[2]", f"{BACK_SCALED.format('3 * dy')}[2]"), kinds=ALL),
    "inference": Experiment(
        TABLE,
        _digits(
            "np.ravel(inference(x, one, 0 * one, one, 2 * one, eps=0.1)[0])[:3]",
            "np.ravel(inference(3 * x, 3 * one, 0 * one, 3 * one, 18 * one, eps=0.9)[0])[:3]",
        ),
    ),
}
"""With x three times as large, and eps nine times, y and the gradients are known multiples, but for rounding."""

_NODES = "x, dy = np.random.randn(2, 6, 3); g, m, v, h = 2 * np.ones(3), x.mean(axis=0), x.var(axis=0), 1e-5"
_LOSS = (
    "V = lambda m: ((x - m) ** 2).mean(axis=0); L = lambda x, m, v: (dy * g * (x - m) / np.sqrt(v + 0.1)).sum(axis=0)"
)
_STAGED = "found = staged(dy, forward(x, g, 0 * g, eps=0.1)[1])[1]"
_AS_DICT = 'found = getattr(found, "_asdict", lambda: found)()'
_MOVED_STAGE = {
    "dx_hat": "L(x {} h * dy * np.sqrt(v + 0.1), m, v)",
    "dvar": "L(x, m, v {} h)",
    "dmean_direct": "L(x, m {} h, v)",
    "dmean_through_var": "L(x, m, V(m {} h))",
    "dmean": "L(x, m {} h, V(m {} h))",
    "dx_direct": "L(x {} h * dy, m, v)",
    "dx_through_var": "L(x, m, (x {} h * dy).var(axis=0))",
    "dx_through_mean": "L(x, (x {} h * dy).mean(axis=0), V((x {} h * dy).mean(axis=0)))",
}
"""The loss after a small step of one node of the graph, all the others held."""


def _of_stages() -> dict[str, Experiment]:
    """What each stage predicts, beside what the loss does when its node moves a little."""
    found = {}
    for stage in Stages._fields:
        moved = _MOVED_STAGE[stage]
        value = f'found["{stage}"]'
        predicted = f"({value} * dy).sum(axis=0)" if "dy" in moved else value
        slope = f"({moved.replace('{}', '+')} - {moved.replace('{}', '-')}) / (2 * h)"
        found[f"stage {stage}"] = Experiment(f"{_NODES}; {_LOSS}; {_STAGED}; {_AS_DICT}", f"{slope} - {predicted}")
    names = " ".join(Stages._fields)
    missing = f'len({{*"{names}".split()}} - {{*map(str, getattr(found, "_fields", found))}})'
    return {**found, "stage names": Experiment(f"{BOTH}; {_STAGED}", missing)}


OF_CALLS: dict[str, Experiment] = {
    **{f"{name} in {part}": one for part, how in CALLS.items() for name, one in _of_a_call(*how).items()},
    **_of_arguments(),
    **{f"digits in {part}": one for part, one in PRECISE.items()},
    "cache in forward": Experiment(f"{TABLE}; found = {FORWARD}", "found[1] is None", kinds=ALL, comment=FALSE),
    **_of_stages(),
}
