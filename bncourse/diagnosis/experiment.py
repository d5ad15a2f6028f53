"""What an experiment is: two lines with which a student can see a belief in the own function, and no expected value.

Most print numbers that every right program makes zero, or numbers that it does not. What is said of the student's own
is the opposite, and a test runs it on the specimens.
"""

import re
from typing import NamedTuple

TABLE = "x, one = np.random.randn(6, 3), np.ones(3)"
BOTH = "x, dy = np.random.randn(2, 6, 3); g, b = 2 * np.ones(3), np.zeros(3)"
RUN = "x, m, v = np.random.randn(6, 3) + 1, np.ones(3), 2 * np.ones(3)"
UNEQUAL = "x, dy = np.random.randn(2, 6, 3); g, b, t = np.arange(1.0, 4.0), np.zeros(3), np.roll(dy, 1, 1)"
MAPS = "x, one = np.random.randn(4, 3, 2, 5), np.ones(3)"
SQUARES = "x, one = np.random.randn(4, 3, 5, 5), np.ones(3)"
MAPS_BOTH = "x, dy = np.random.randn(2, 4, 3, 2, 5); g, b = 2 * np.ones(3), np.zeros(3)"
GROUPS = "x, one = np.random.randn(4, 6, 2, 5), np.ones(6)"
GROUPS_BOTH = "x, dy = np.random.randn(2, 4, 6, 2, 5); g, b = 2 * np.ones(6), np.zeros(6)"
GROUPS_UNEQUAL = "x, dy = np.random.randn(2, 4, 6, 2, 5); g, b, t = np.arange(1.0, 7.0), np.zeros(6), np.roll(dy, 1, 1)"
"""What the first line makes: inputs, and the parameters that go with them."""

FALSE = "must print False, and yours prints True"
NO_ERROR = "must print zeros, without an error"
"""Comments for what no number shows; the second claims nothing of the student's own."""

TABLES = ("batch", "layer", "rms")
"""Normalizations that work on tables."""
ROWS = ("layer", "rms")
IMAGES = ("group", "instance")
ALL = (*TABLES, *IMAGES)


class Experiment(NamedTuple):
    """Two lines to paste below the student's functions."""

    setup: str
    show: str
    zeros: bool = True
    """Whether a right program prints zeros."""
    kinds: tuple[str, ...] = ("batch",)
    """Normalizations that can be tried so."""
    comment: str = ""
    """What is said of the numbers, where it is neither that they must be zeros nor that they must not."""

    @property
    def text(self) -> str:
        """One line of a message."""
        must = "must print zeros, and yours does not" if self.zeros else "must not print zeros only, and yours does"
        return f"Try it: {self.setup}; print({self.show})  # {self.comment or must}"

    def made_for(self, kind: str, *, maps: bool = False) -> "Experiment | None":
        """The same on the inputs of a normalization; None where it asks for what only other inputs have.

        Parameters
        ----------
        kind : str
            Which normalization.
        maps : bool
            Whether batch normalization is that of feature maps.
        """
        if kind in IMAGES:
            return self._on(_OF_GROUPS)
        return self._on(_OF_MAPS, axes="axis=(0, 2, 3)") if maps and kind == "batch" else self

    def _on(self, inputs: dict[str, str], axes: str = "") -> "Experiment | None":
        """Exchange the first line; sums over samples become sums over samples and pixels."""
        known = (*inputs.values(), SQUARES)
        if self.setup.startswith(known):
            return self
        made = next((made for made in inputs if self.setup.startswith(made)), None)
        show = re.sub(r"axis=0\b", axes, self.show) if axes else self.show
        if made is None or any(word in show for word in _ONLY_TABLES):
            return None
        return self._replace(setup=self.setup.replace(made, inputs[made]), show=show.replace("[:6]", "[:4]"))


_OF_MAPS = {TABLE: MAPS, BOTH: MAPS_BOTH, RUN: RUN.replace("(6, 3)", "(4, 3, 2, 5)")}
_OF_GROUPS = {TABLE: GROUPS, BOTH: GROUPS_BOTH, UNEQUAL: GROUPS_UNEQUAL}
_ONLY_TABLES = ("axis=0", "axis=1", "[:, 1:]", "[9, 1, 1]", "x[0]", "hstack")
"""Words of a second line that makes sense for tables alone."""
