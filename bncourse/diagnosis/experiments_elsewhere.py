"""Experiments on layer, RMS, group and instance norm, where those on batch norm ask for something else."""

from bncourse.diagnosis.experiment import GROUPS, GROUPS_BOTH, IMAGES, ROWS, TABLE, Experiment
from bncourse.diagnosis.experiments_of_calls import BACK

OTHER = f"{GROUPS}; other = x.copy(); other[:, 2] *= 9"
"""The same maps, but for one channel of the first group."""
_MOVED = "(forward(other, one, one)[0] - forward(x, one, one)[0])"
_CHANGED_SAMPLES = "(forward(np.vstack([x[:1], 3 * x[1:] + 5]), one, one)[0] - forward(x, one, one)[0])[0]"
_PER_GROUP, _PER_CHANNEL = ".reshape(4, 2, -1)", "(axis=(2, 3))"


def _width(values: str, mean: str) -> str:
    """The variance of y beside what the variance of x and eps make of it."""
    y = values.format("forward(x, one, 0 * one, eps=0.5)[0]")
    return f"{y}.var{mean} - 1 / (1 + 0.5 / {values.format('x')}.var{mean})"


_SEEN_IN_DX = f"* dy).sum(axis=(0, 2, 3)) - {BACK}"
ELSEWHERE: dict[str, Experiment] = {
    "samples apart": Experiment(TABLE, _CHANGED_SAMPLES, kinds=ROWS),
    "samples apart of maps": Experiment(GROUPS, _CHANGED_SAMPLES, kinds=IMAGES),
    "groups apart": Experiment(OTHER, f"{_MOVED}[:, 3:]", kinds=IMAGES),
    "features apart of maps": Experiment(OTHER, f"{_MOVED}[:, 3:]", kinds=IMAGES),
    "channels apart of maps": Experiment(OTHER, f"{_MOVED}[:, 3:]", kinds=IMAGES),
    "groups together": Experiment(OTHER, f"{_MOVED}[:, :2]", zeros=False, kinds=("group",)),
    "features apart of rows": Experiment(TABLE, _CHANGED_SAMPLES, kinds=ROWS),
    "width of y of rows": Experiment(TABLE, _width("{}", "(axis=1)"), kinds=("layer",)),
    "width of y of squares": Experiment(
        TABLE,
        "(forward(x, one, 0 * one, eps=0.5)[0] ** 2).mean(axis=1) - 1 / (1 + 0.5 / (x**2).mean(axis=1))",
        kinds=("rms",),
    ),
    "width of y of groups": Experiment(GROUPS, _width(f"{{}}{_PER_GROUP}", "(axis=2)"), kinds=("group",)),
    "width of y of pictures": Experiment(GROUPS, _width("{}", _PER_CHANNEL), kinds=("instance",)),
    "mean of y of rows": Experiment(TABLE, "forward(x, 3 * one, 5 * one)[0].mean(axis=1) - 5", kinds=("layer",)),
    "mean of y of squares": Experiment(TABLE, "forward(x, 0 * one, 5 * one)[0] - 5", kinds=("rms",)),
    "mean of y of groups": Experiment(
        GROUPS, f"forward(x, 3 * one, 5 * one)[0]{_PER_GROUP}.mean(axis=2) - 5", kinds=("group",)
    ),
    "mean of y of pictures": Experiment(
        GROUPS, f"forward(x, 3 * one, 5 * one)[0].mean{_PER_CHANNEL} - 5", kinds=("instance",)
    ),
    "samples twice of rows": Experiment(
        TABLE,
        "forward(np.hstack([x, x]), np.ones(6), np.ones(6), eps=0.1)[0][:, :3] - forward(x, one, one, eps=0.1)[0]",
        kinds=ROWS,
    ),
    "samples twice of maps": Experiment(
        GROUPS,
        "forward(np.concatenate([x, x], axis=3), one, one, eps=0.1)[0][..., :5] - forward(x, one, one, eps=0.1)[0]",
        kinds=IMAGES,
    ),
    "step of gamma of maps": Experiment(
        GROUPS_BOTH,
        f"((forward(x, g + 1, b, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) {_SEEN_IN_DX}[1]",
        kinds=IMAGES,
    ),
    "step of beta of maps": Experiment(
        GROUPS_BOTH,
        f"((forward(x, g, b + 1, eps=0.1)[0] - forward(x, g, b, eps=0.1)[0]) {_SEEN_IN_DX}[2]",
        kinds=IMAGES,
    ),
}
"""By name; one that stands for another of batch norm has its name and a word more."""
