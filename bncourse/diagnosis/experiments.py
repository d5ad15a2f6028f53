"""Two lines with which a student can see a belief in the own function: no expected value stands in them.

Each prints numbers that every right program makes zero, or numbers that it does not. What is said of the student's own
is the opposite, and a test runs it on the specimens.
"""

from typing import NamedTuple


class Experiment(NamedTuple):
    """Two lines to paste below the student's functions."""

    setup: str
    show: str
    zeros: bool = True
    """Whether a right program prints zeros."""
    kinds: tuple[str, ...] = ("batch",)
    """Normalizations that can be tried so."""

    @property
    def text(self) -> str:
        """One line of a message."""
        must = "must print zeros, and yours does not" if self.zeros else "must not print zeros only, and yours does"
        return f"Try it: {self.setup}; print({self.show})  # {must}"

    def on_maps(self) -> "Experiment | None":
        """The same on feature maps, where it asks for nothing that only a table has."""
        if self.setup in (_MAPS, _SQUARES) or self.setup.startswith(_MAPS_BOTH):
            return self
        maps = {_TABLE: _MAPS, _BOTH: _MAPS_BOTH, _RUN: _RUN.replace("(6, 3)", "(4, 3, 2, 5)")}.get(self.setup)
        if maps is None or any(word in self.show for word in ("axis", "[:6]", "[:, 1:]", "9, 1, 1", "x[0]")):
            return None
        return self._replace(setup=maps)


_TABLE = "x, one = np.random.randn(6, 3), np.ones(3)"
_BOTH = "x, dy = np.random.randn(2, 6, 3); g, b = 2 * np.ones(3), np.zeros(3)"
_RUN = "x, m, v = np.random.randn(6, 3) + 1, np.ones(3), 2 * np.ones(3)"
_BACK = "backward(dy, forward(x, g, b, eps=0.1)[1])"
_SMALL = "backward(dy, forward(x, g, b, eps=1e-9)[1])[0]"

_UNEQUAL = "x, dy = np.random.randn(2, 6, 3); g, b, t = np.arange(1.0, 4.0), np.zeros(3), np.roll(dy, 1, 1)"
_STILL = "x, one = np.random.randn(6, 3), np.ones(3)"
_MAPS = "x, one = np.random.randn(4, 3, 2, 5), np.ones(3)"
_SQUARES = "x, one = np.random.randn(4, 3, 5, 5), np.ones(3)"
_MAPS_BOTH = "x, dy = np.random.randn(2, 4, 3, 2, 5); g, b = 2 * np.ones(3), np.zeros(3)"
_GROUPS = "x, g, b = np.random.randn(4, 6, 2, 5), np.ones(6), np.zeros(6)"
_GROUPS_BOTH = "x, dy = np.random.randn(2, 4, 6, 2, 5); g, b, t = np.arange(1.0, 7.0), np.zeros(6), np.roll(dy, 1, 1)"
_STEP = (
    "((forward(x + 1e-4 * dy, g, b, eps=0.1)[0] - forward(x - 1e-4 * dy, g, b, eps=0.1)[0]) * dy).sum() / 2e-4"
    f" - ({_BACK}[0] * dy).sum()"
)

_STEP_ASIDE = (
    "((forward(x + 1e-4 * t, g, b, eps=0.1)[0] - forward(x - 1e-4 * t, g, b, eps=0.1)[0]) * dy).sum() / 2e-4"
    f" - ({_BACK}[0] * t).sum()"
)


def _first(call: str) -> str:
    """The first sample of what inference gives, which may be y or (y, cache)."""
    return f"np.ravel(inference({call})[0])[:3]"


TABLES = ("batch", "layer", "rms")
"""Normalizations that work on tables."""
_ROWS = ("layer", "rms")

EXPERIMENTS: dict[str, Experiment] = {
    "eps changes y": Experiment(
        _TABLE, "forward(x, one, one, eps=0.1)[0] - forward(x, one, one, eps=9.0)[0]", zeros=False, kinds=TABLES
    ),
    "width of y": Experiment(
        _TABLE, "forward(x, one, 0 * one, eps=0.5)[0].var(axis=0) - x.var(axis=0) / (x.var(axis=0) + 0.5)"
    ),
    "samples twice": Experiment(
        _TABLE, "forward(np.vstack([x, x]), one, one, eps=0.1)[0][:6] - forward(x, one, one, eps=0.1)[0]"
    ),
    "shift of x": Experiment(_TABLE, "forward(x + 9, one, one)[0] - forward(x, one, one)[0]", kinds=("batch", "layer")),
    "units of x": Experiment(
        _TABLE, "forward(10 * x, one, one, eps=1e-9)[0] - forward(x, one, one, eps=1e-9)[0]", kinds=TABLES
    ),
    "features apart": Experiment(_TABLE, "(forward(x * [9, 1, 1], one, one)[0] - forward(x, one, one)[0])[:, 1:]"),
    "mean of y": Experiment(_TABLE, "forward(x, 3 * one, 5 * one)[0].mean(axis=0) - 5"),
    "batch that does not vary": Experiment(_TABLE, "forward(0 * x + 7, 3 * one, 5 * one, eps=0.5)[0] - 5"),
    "double gamma": Experiment(
        _TABLE, "forward(x, 2 * one, 0 * one)[0] - 2 * forward(x, one, 0 * one)[0]", kinds=TABLES
    ),
    "shuffle": Experiment(_TABLE, "forward(x[::-1], one, one)[0] - forward(x, one, one)[0][::-1]"),
    "sum of dx": Experiment(_BOTH, f"{_SMALL}.sum(axis=0)"),
    "dx along y": Experiment(_BOTH, f"({_SMALL} * forward(x, g, b, eps=1e-9)[0]).sum(axis=0)"),
    "written into in forward": Experiment(
        "x, one = np.random.randn(6, 3), np.ones(3); kept = x.copy(); forward(x, one, one)", "x - kept", kinds=TABLES
    ),
    "written into in dx": Experiment(f"{_BOTH}; kept = dy.copy(); {_BACK}", "dy - kept", kinds=TABLES),
    "twice in forward": Experiment(_TABLE, "forward(x, one, one)[0] - forward(x, one, one)[0]", kinds=TABLES),
    "twice in dx": Experiment(_BOTH, f"{_BACK}[0] - {_BACK}[0]", kinds=TABLES),
    "another x in forward": Experiment(
        _TABLE, "forward(x, one, one)[0] - forward(x[::-1] ** 3 + 1, one, one)[0]", zeros=False, kinds=TABLES
    ),
    "another x in dx": Experiment(
        _BOTH, f"{_BACK}[0] - backward(2 * dy, forward(x, g, b, eps=0.1)[1])[0]", zeros=False, kinds=TABLES
    ),
    "shape in forward": Experiment(_TABLE, "np.shape(forward(x, one, one)[0]) != x.shape", kinds=TABLES),
    "shape in dx": Experiment(_BOTH, f"np.shape({_BACK}[0]) != x.shape", kinds=TABLES),
    "shape in dgamma": Experiment(_BOTH, f"np.size({_BACK}[1]) != 3", kinds=TABLES),
    "shape in dbeta": Experiment(_BOTH, f"np.size({_BACK}[2]) != 3", kinds=TABLES),
    "small step": Experiment(_BOTH, _STEP),
    "step with unequal gamma": Experiment(_UNEQUAL, _STEP_ASIDE, kinds=("layer", "rms")),
    "step with unequal gamma of maps": Experiment(_GROUPS_BOTH, _STEP_ASIDE, kinds=("group", "instance")),
    "step of gamma": Experiment(
        _BOTH,
        f"((forward(x, g + 1, b, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {_BACK}[1]",
        kinds=TABLES,
    ),
    "step of beta": Experiment(
        _BOTH,
        f"((forward(x, g, b + 1, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {_BACK}[2]",
        kinds=TABLES,
    ),
    "momentum zero": Experiment(_RUN, "np.subtract(update(m, v, x, momentum=0.0), (m, v))"),
    "momentum one": Experiment(
        _RUN, "np.subtract(update(m, v, x, momentum=1.0), update(x[0], x[1] ** 2, x, momentum=1.0))"
    ),
    "momentum changes": Experiment(
        _RUN, "np.subtract(update(m, v, x, momentum=0.2), update(m, v, x, momentum=0.7))", zeros=False
    ),
    "statistics shifted": Experiment(_RUN, "update(m, v, x + 9, momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]"),
    "statistics scaled": Experiment(
        _RUN, "update(m, 0 * v, 3 * x, momentum=0.5)[1] - 9 * update(m, 0 * v, x, momentum=0.5)[1]"
    ),
    "steady mean": Experiment(
        _RUN, "update(m, v, np.vstack([x, x]), momentum=0.5)[0] - update(m, v, x, momentum=0.5)[0]"
    ),
    "batch twice": Experiment(
        _RUN,
        "update(m, v, np.vstack([x, x]), momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]",
        zeros=False,
    ),
    "batch twice, biased": Experiment(
        _RUN, "update(m, v, np.vstack([x, x]), momentum=0.5)[1] - update(m, v, x, momentum=0.5)[1]"
    ),
    "constant batch": Experiment(_RUN, "1e6 * update(m, 0 * v, 0 * x, momentum=0.5)[1]"),
    "half way": Experiment(_RUN, "update(m, v, x, momentum=0.5)[0] - (m + update(m, v, x, momentum=1.0)[0]) / 2"),
    "first batch": Experiment(_RUN, "np.subtract(update(0 * m, v / 2, x, momentum=0.0), (0 * m, v / 2))"),
    "statistics apart": Experiment(
        _RUN,
        "np.subtract(update(m, v, x * [9, 1, 1], momentum=0.5), update(m, v, x, momentum=0.5))[:, 1:]",
    ),
    "old variances": Experiment(
        _RUN,
        "update(m, 9 * v, x, momentum=0.5)[1] - 2 * update(m, 5 * v, x, momentum=0.5)[1]"
        " + update(m, v, x, momentum=0.5)[1]",
    ),
    "one sample alone": Experiment(
        _STILL,
        f"{_first('x, one, one, one, 2 * one')}"
        f" - {_first('np.vstack([x[:1], 3 * x[1:] + 5]), one, one, one, 2 * one')}",
    ),
    "at the running mean": Experiment(
        _STILL, f"{_first('0 * x + 3, 2 * one, 5 * one, 3 * one, 2 * one, eps=0.5')} - 5"
    ),
    "double gamma in inference": Experiment(
        _STILL,
        f"{_first('x, 2 * one, 0 * one, one, 2 * one')} - 2 * {_first('x, one, 0 * one, one, 2 * one')}",
    ),
    "four times the variance": Experiment(
        _STILL,
        f"2 * {_first('x, one, 0 * one, 0 * one, 4 * one, eps=1e-9')}"
        f" - {_first('x, one, 0 * one, 0 * one, one, eps=1e-9')}",
    ),
    "eps changes inference": Experiment(
        _STILL,
        f"{_first('x, one, 0 * one, one, 2 * one, eps=0.1')} - {_first('x, one, 0 * one, one, 2 * one, eps=9.0')}",
        zeros=False,
    ),
    "eps for variance": Experiment(
        _STILL,
        f"{_first('x, one, 0 * one, 0 * one, 3 * one, eps=0.5')}"
        f" - {_first('x, one, 0 * one, 0 * one, 2.5 * one, eps=1.0')}",
    ),
    "dy of the others": Experiment(
        f"{_BOTH}; cache = inference(x, g, b, b, g)[1]",
        "inference_backward(dy, cache)[0][0] - inference_backward(np.vstack([dy[:1], 3 * dy[1:] + 1]), cache)[0][0]",
    ),
    "bright corner": Experiment(_MAPS, "forward(x + np.eye(2, 5), one, one)[0] - forward(x, one, one)[0]", zeros=False),
    "bright image": Experiment(
        _MAPS, "forward(x + np.arange(4.0).reshape(4, 1, 1, 1), one, one)[0] - forward(x, one, one)[0]", zeros=False
    ),
    "channels apart": Experiment(
        _MAPS,
        "(forward(x * np.reshape([9, 1, 1], (3, 1, 1)), one, one)[0] - forward(x, one, one)[0])[:, 1:]",
    ),
    "places": Experiment(
        _SQUARES, "(forward(x, one, 0 * one)[0] * (x - x.mean(axis=(0, 2, 3), keepdims=True)) < 0).sum()"
    ),
    "pixels twice": Experiment(
        f"{_MAPS_BOTH}; xx, dd = np.concatenate([[x, dy], [x, dy]], axis=4)",
        "backward(dd, forward(xx, g, b, eps=0.1)[1])[0][..., :5] - backward(dy, forward(x, g, b, eps=0.1)[1])[0]",
    ),
    "samples apart": Experiment(
        _TABLE,
        "(forward(np.vstack([x[:1], 3 * x[1:] + 5]), one, one)[0] - forward(x, one, one)[0])[0]",
        kinds=("layer", "rms"),
    ),
    "samples apart of maps": Experiment(
        _GROUPS,
        "(forward(np.vstack([x[:1], 3 * x[1:] + 5]), g, b)[0] - forward(x, g, b)[0])[0]",
        kinds=("group", "instance"),
    ),
    "groups apart": Experiment(
        f"{_GROUPS}; other = x.copy(); other[:, 2] *= 9",
        "(forward(other, g, b)[0] - forward(x, g, b)[0])[:, 3:]",
        kinds=("group", "instance"),
    ),
    "groups together": Experiment(
        f"{_GROUPS}; other = x.copy(); other[:, 2] *= 9",
        "(forward(other, g, b)[0] - forward(x, g, b)[0])[:, :2]",
        zeros=False,
        kinds=("group",),
    ),
    "width of y of rows": Experiment(
        _TABLE,
        "forward(x, one, 0 * one, eps=0.5)[0].var(axis=1) - x.var(axis=1) / (x.var(axis=1) + 0.5)",
        kinds=("layer",),
    ),
    "mean of y of rows": Experiment(_TABLE, "forward(x, 3 * one, 5 * one)[0].mean(axis=1) - 5", kinds=("layer",)),
    "samples twice of rows": Experiment(
        _TABLE,
        "forward(np.hstack([x, x]), np.ones(6), np.ones(6), eps=0.1)[0][:, :3] - forward(x, one, one, eps=0.1)[0]",
        kinds=_ROWS,
    ),
    "features apart of rows": Experiment(
        _TABLE,
        "(forward(np.vstack([x[:1], 3 * x[1:] + 5]), one, one)[0] - forward(x, one, one)[0])[0]",
        kinds=_ROWS,
    ),
    "mean kept": Experiment(
        _TABLE, "forward(x + 9, one, one)[0] - forward(x, one, one)[0]", zeros=False, kinds=("rms",)
    ),
}
"""By name; the catalogue says which one shows a belief."""


WHERE = {"layer": " of rows", "rms": " of rows", "group": " of maps", "instance": " of maps"}
"""How the experiment of another normalization is called, where it is another one."""


def experiment_of(name: str, kind: str, part: str) -> str:
    """Name of the experiment that shows a belief in a normalization; "" where none does.

    Parameters
    ----------
    name : str
        Which one shows it in batch norm.
    kind : str
        Which normalization.
    part : str
        Where it shows; every wrong dx is seen by a small step.
    """
    where = WHERE.get(kind, "")
    step = "step with unequal gamma" + where.replace(" of rows", "")
    tried = (name + where, name, *([step] if part == "dx" and name else []))
    return next((one for one in tried if one in EXPERIMENTS and kind in EXPERIMENTS[one].kinds), "")
