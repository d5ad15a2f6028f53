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

    @property
    def text(self) -> str:
        """One line of a message."""
        must = "must print zeros, and yours does not" if self.zeros else "must not print zeros only, and yours does"
        return f"Try it: {self.setup}; print({self.show})  # {must}"


_TABLE = "x, one = np.random.randn(6, 3), np.ones(3)"
_BOTH = "x, dy = np.random.randn(2, 6, 3); g, b = 2 * np.ones(3), np.zeros(3)"
_RUN = "x, m, v = np.random.randn(6, 3) + 1, np.ones(3), 2 * np.ones(3)"
_BACK = "backward(dy, forward(x, g, b, eps=0.1)[1])"
_SMALL = "backward(dy, forward(x, g, b, eps=1e-9)[1])[0]"

EXPERIMENTS: dict[str, Experiment] = {
    "eps changes y": Experiment(
        _TABLE, "forward(x, one, one, eps=0.1)[0] - forward(x, one, one, eps=9.0)[0]", zeros=False
    ),
    "width of y": Experiment(
        _TABLE, "forward(x, one, 0 * one, eps=0.5)[0].var(axis=0) - x.var(axis=0) / (x.var(axis=0) + 0.5)"
    ),
    "samples twice": Experiment(
        _TABLE, "forward(np.vstack([x, x]), one, one, eps=0.1)[0][:6] - forward(x, one, one, eps=0.1)[0]"
    ),
    "shift of x": Experiment(_TABLE, "forward(x + 9, one, one)[0] - forward(x, one, one)[0]"),
    "units of x": Experiment(_TABLE, "forward(10 * x, one, one, eps=1e-9)[0] - forward(x, one, one, eps=1e-9)[0]"),
    "features apart": Experiment(_TABLE, "(forward(x * [9, 1, 1], one, one)[0] - forward(x, one, one)[0])[:, 1:]"),
    "mean of y": Experiment(_TABLE, "forward(x, 3 * one, 5 * one)[0].mean(axis=0) - 5"),
    "double gamma": Experiment(_TABLE, "forward(x, 2 * one, 0 * one)[0] - 2 * forward(x, one, 0 * one)[0]"),
    "shuffle": Experiment(_TABLE, "forward(x[::-1], one, one)[0] - forward(x, one, one)[0][::-1]"),
    "sum of dx": Experiment(_BOTH, f"{_SMALL}.sum(axis=0)"),
    "dx along y": Experiment(_BOTH, f"({_SMALL} * forward(x, g, b, eps=1e-9)[0]).sum(axis=0)"),
    "small step": Experiment(
        _BOTH,
        "((forward(x + 1e-4 * dy, g, b, eps=0.1)[0] - forward(x - 1e-4 * dy, g, b, eps=0.1)[0]) * dy).sum() / 2e-4"
        f" - ({_BACK}[0] * dy).sum()",
    ),
    "step of gamma": Experiment(
        _BOTH,
        f"((forward(x, g + 1, b, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {_BACK}[1]",
    ),
    "step of beta": Experiment(
        _BOTH,
        f"((forward(x, g, b + 1, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) * dy).sum(axis=0) - {_BACK}[2]",
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
}
"""By name; the catalogue says which one shows a belief."""
