"""Several processes with small parts of a batch: local, accumulated and synchronized statistics, and one process."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, VARIANCE, WIDTH, Drawing, finish, style

WAYS = {
    "joined": Look("one process,\nthe whole batch", INK, "P", "-"),
    "synchronized": Look("synchronized", DIRECT, "o", LINES[DIRECT]),
    "local": Look("local", MEAN, "s", LINES[MEAN]),
    "accumulated": Look("accumulated\ngradients", VARIANCE, "D", LINES[VARIANCE]),
}


def draw(result: Result) -> Drawing:
    """Test accuracy of the four ways, a panel for each number of samples a process."""
    locals_ = [int(count) for count in result.labels("local")]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 1.0 + 2.0 * len(locals_)))
        axes = figure.subplots(len(locals_), 1, sharex=True, squeeze=False)[:, 0]
        for axis, local in zip(axes, locals_, strict=True):
            for place, (way, look) in enumerate(WAYS.items()):
                runs = 100 * result.values(f"{way}_accuracy", local=local)
                seeds(axis, place, runs, look)
                words.append(f"{way}, {local} samples a process: {runs.mean():.1f}")
            axis.set(title=f"{result.config['processes']} processes of {local} samples", ylabel="test accuracy (%)")
        axes[-1].set_xticks(range(len(WAYS)), [look.name for look in WAYS.values()])
        axes[-1].set_xlim(-0.5, len(WAYS) - 0.3)
    return finish(figure, f"Mean test accuracy in percent, with every seed as a dot: {'; '.join(words)}.")
