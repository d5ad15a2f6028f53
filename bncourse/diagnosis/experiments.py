"""The experiments by name, those on values first, and which of them shows a belief."""

from bncourse.diagnosis.experiment import (
    ALL,
    BOTH,
    IMAGES,
    MAPS,
    MAPS_BOTH,
    RUN,
    SQUARES,
    TABLE,
    TABLES,
    UNEQUAL,
    Experiment,
)
from bncourse.diagnosis.experiments_elsewhere import ELSEWHERE
from bncourse.diagnosis.experiments_of_calls import BACK, OF_CALLS
from bncourse.numpy_bn.functional import Stages

CENTERED = ("batch", "layer", *IMAGES)
"""Normalizations that subtract a mean."""

_SMALL = "backward(dy, forward(x, g, b, eps=1e-9)[1])[0]"

_STEP = (
    "((forward(x + 1e-4 * dy, g, b, eps=0.1)[0] - forward(x - 1e-4 * dy, g, b, eps=0.1)[0]) * dy).sum() / 2e-4"
    f" - ({BACK}[0] * dy).sum()"
)

STEP_ASIDE = (
    "((forward(x + 1e-4 * t, g, b, eps=0.1)[0] - forward(x - 1e-4 * t, g, b, eps=0.1)[0]) * dy).sum() / 2e-4"
    f" - ({BACK}[0] * t).sum()"
)


def _first(call: str) -> str:
    """The first sample of what inference gives, which may be y or (y, cache)."""
    return f"np.ravel(inference({call})[0])[:3]"


EXPERIMENTS: dict[str, Experiment] = {
    "eps changes y": Experiment(
        TABLE, "forward(x, one, one, eps=0.1)[0] - forward(x, one, one, eps=9.0)[0]", zeros=False, kinds=ALL
    ),
    "width of y": Experiment(
        TABLE, "forward(x, one, 0 * one, eps=0.5)[0].var(axis=0) - x.var(axis=0) / (x.var(axis=0) + 0.5)"
    ),
    "samples twice": Experiment(
        TABLE, "forward(np.vstack([x, x]), one, one, eps=0.1)[0][:6] - forward(x, one, one, eps=0.1)[0]"
    ),
    "shift of x": Experiment(TABLE, "forward(x + 9, one, one)[0] - forward(x, one, one)[0]", kinds=CENTERED),
    "units of x": Experiment(
        TABLE, "forward(10 * x, one, one, eps=1e-9)[0] - forward(x, one, one, eps=1e-9)[0]", kinds=ALL
    ),
    "features apart": Experiment(TABLE, "(forward(x * [9, 1, 1], one, one)[0] - forward(x, one, one)[0])[:, 1:]"),
    "mean of y": Experiment(TABLE, "forward(x, 3 * one, 5 * one)[0].mean(axis=0) - 5"),
    "batch that does not vary": Experiment(
        TABLE, "forward(0 * x + 7, 3 * one, 5 * one, eps=0.5)[0] - 5", kinds=CENTERED
    ),
    "double gamma": Experiment(TABLE, "forward(x, 2 * one, 0 * one)[0] - 2 * forward(x, one, 0 * one)[0]", kinds=ALL),
    "own statistics": Experiment(
        TABLE, "forward(10 * x + 9, one, one, eps=1e-9)[0] - forward(x, one, one, eps=1e-9)[0]", kinds=CENTERED
    ),
    "shuffle": Experiment(TABLE, "forward(x[::-1], one, one)[0] - forward(x, one, one)[0][::-1]", kinds=ALL),
    "sum of dx": Experiment(BOTH, f"{_SMALL}.sum(axis=0)"),
    "dx along y": Experiment(BOTH, f"({_SMALL} * forward(x, g, b, eps=1e-9)[0]).sum(axis=0)"),
    "small step": Experiment(BOTH, _STEP),
    "step with unequal gamma": Experiment(UNEQUAL, STEP_ASIDE, kinds=ALL),
    "step of gamma": Experiment(
        BOTH,
        f"((forward(x, g + 1, b, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {BACK}[1]",
        kinds=TABLES,
    ),
    "step of beta": Experiment(
        BOTH,
        f"((forward(x, g, b + 1, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {BACK}[2]",
        kinds=TABLES,
    ),
    "momentum zero": Experiment(RUN, "np.subtract(update(m, v, x, momentum=0.0), (m, v))"),
    "momentum one": Experiment(
        RUN, "np.subtract(update(m, v, x, momentum=1.0), update(x[0], x[1] ** 2, x, momentum=1.0))"
    ),
    "momentum changes": Experiment(
        RUN, "np.subtract(update(m, v, x, momentum=0.2), update(m, v, x, momentum=0.7))", zeros=False
    ),
    "statistics shifted": Experiment(RUN, "update(m, v, x + 9, momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]"),
    "statistics scaled": Experiment(
        RUN, "update(m, 0 * v, 3 * x, momentum=0.5)[1] - 9 * update(m, 0 * v, x, momentum=0.5)[1]"
    ),
    "steady mean": Experiment(
        RUN, "update(m, v, np.vstack([x, x]), momentum=0.5)[0] - update(m, v, x, momentum=0.5)[0]"
    ),
    "batch twice": Experiment(
        RUN,
        "update(m, v, np.vstack([x, x]), momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]",
        zeros=False,
    ),
    "batch twice, biased": Experiment(
        RUN, "update(m, v, np.vstack([x, x]), momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]"
    ),
    "one correction": Experiment(
        f"{RUN}; n = x.size // len(m)",
        "(2 * n - 1) * update(m, 0 * v, np.vstack([x, x]), momentum=1.0)[1]"
        " - 2 * (n - 1) * update(m, 0 * v, x, momentum=1.0)[1]",
    ),
    "steady": Experiment(
        f"{RUN}; u = update(0 * m, 0 * v, x, momentum=1.0)", "np.subtract(update(*u, x, momentum=0.5), u)"
    ),
    "constant batch": Experiment(RUN, "1e6 * update(m, 0 * v, 0 * x, momentum=0.5)[1]"),
    "half way": Experiment(RUN, "update(m, v, x, momentum=0.5)[0] - (m + update(m, v, x, momentum=1.0)[0]) / 2"),
    "first batch": Experiment(RUN, "np.subtract(update(0 * m, v / 2, x, momentum=0.0), (0 * m, v / 2))"),
    "one another": Experiment(RUN, "update(m + 1, v, x, momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]"),
    "statistics apart": Experiment(
        RUN,
        "np.subtract(update(m, v, x * [9, 1, 1], momentum=0.5), update(m, v, x, momentum=0.5))[:, 1:]",
    ),
    "old variances": Experiment(
        RUN,
        "update(m, 9 * v, x, momentum=0.5)[1] - 2 * update(m, 5 * v, x, momentum=0.5)[1]"
        " + update(m, v, x, momentum=0.5)[1]",
    ),
    "still in inference": Experiment(RUN, "np.subtract(after_inference(m, v, x), (m, v))"),
    "one sample alone": Experiment(
        TABLE,
        f"{_first('x, one, one, one, 2 * one')}"
        f" - {_first('np.vstack([x[:1], 3 * x[1:] + 5]), one, one, one, 2 * one')}",
    ),
    "at the running mean": Experiment(TABLE, f"{_first('0 * x + 3, 2 * one, 5 * one, 3 * one, 2 * one, eps=0.5')} - 5"),
    "double gamma in inference": Experiment(
        TABLE,
        f"{_first('x, 2 * one, 0 * one, one, 2 * one')} - 2 * {_first('x, one, 0 * one, one, 2 * one')}",
    ),
    "four times the variance": Experiment(
        TABLE,
        f"2 * {_first('x, one, 0 * one, 0 * one, 4 * one, eps=1e-9')}"
        f" - {_first('x, one, 0 * one, 0 * one, one, eps=1e-9')}",
    ),
    "eps changes inference": Experiment(
        TABLE,
        f"{_first('x, one, 0 * one, one, 2 * one, eps=0.1')} - {_first('x, one, 0 * one, one, 2 * one, eps=9.0')}",
        zeros=False,
    ),
    "eps for variance": Experiment(
        TABLE,
        f"{_first('x, one, 0 * one, 0 * one, 3 * one, eps=0.5')}"
        f" - {_first('x, one, 0 * one, 0 * one, 2.5 * one, eps=1.0')}",
    ),
    "dy of the others": Experiment(
        f"{BOTH}; cache = inference(x, g, b, b, g)[1]",
        "inference_backward(dy, cache)[0][0] - inference_backward(np.vstack([dy[:1], 3 * dy[1:] + 1]), cache)[0][0]",
    ),
    "bright corner": Experiment(MAPS, "forward(x + np.eye(2, 5), one, one)[0] - forward(x, one, one)[0]", zeros=False),
    "bright image": Experiment(
        MAPS, "forward(x + np.arange(4.0).reshape(4, 1, 1, 1), one, one)[0] - forward(x, one, one)[0]", zeros=False
    ),
    "channels apart": Experiment(
        MAPS,
        "(forward(x * np.reshape([9, 1, 1], (3, 1, 1)), one, one)[0] - forward(x, one, one)[0])[:, 1:]",
    ),
    "places": Experiment(
        SQUARES, "(forward(x, one, 0 * one)[0] * (x - x.mean(axis=(0, 2, 3), keepdims=True)) < 0).sum()"
    ),
    "pixels twice": Experiment(
        f"{MAPS_BOTH}; xx, dd = np.concatenate([[x, dy], [x, dy]], axis=4)",
        "backward(dd, forward(xx, g, b, eps=0.1)[1])[0][..., :5] - backward(dy, forward(x, g, b, eps=0.1)[1])[0]",
    ),
    **ELSEWHERE,
    **OF_CALLS,
}
"""By name; the catalogue says which one shows a belief."""


WHERE = {
    "layer": (" of rows",),
    "rms": (" of squares", " of rows"),
    "group": (" of groups", " of maps"),
    "instance": (" of pictures", " of maps"),
}
"""How the experiment of another normalization is called, where it is another one."""
PLACES = {"conv": "forward", "running_mean": "running", "running_var": "running"}
"""Whose calls a part belongs to, where that is not the part itself."""
STEPS = {"dx": "small step", "dgamma": "step of gamma", "dbeta": "step of beta"}
"""What shows any wrong gradient."""


def experiments_for(see: str, part: str, kind: str, *, own_part: bool = False) -> list[str]:
    """Names of the experiments that may show a belief, the one that its message tells first.

    Parameters
    ----------
    see : str
        What the catalogue names.
    part : str
        Where the belief shows.
    kind : str
        Of which normalization.
    own_part : bool
        Whether that is where it shows by the catalogue.
    """
    if part in Stages._fields:
        return [f"stage {part}"]
    here = f"{see} in {PLACES.get(part, part)}"
    if here in EXPERIMENTS:
        return [here] if _fits(here, kind) else []
    name = _of_kind(see if own_part else STEPS.get(part, see), kind)
    found = [name] if name else []
    step = _of_kind("step with unequal gamma" if kind != "batch" else "small step", kind)
    return [*found, step] if part == "dx" and step not in found else found


def _of_kind(name: str, kind: str) -> str:
    """The experiment of this name for a normalization; "" where there is none."""
    return next((f"{name}{where}" for where in (*WHERE.get(kind, ()), "") if _fits(f"{name}{where}", kind)), "")


def _fits(name: str, kind: str) -> bool:
    one = EXPERIMENTS.get(name)
    return one is not None and kind in one.kinds and one.made_for(kind) is not None
