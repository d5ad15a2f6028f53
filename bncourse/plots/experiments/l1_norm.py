"""L1 batch norm: how large the term is that vanishes for the variance, and what dropping it costs."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, WIDTH, Drawing, finish, style

LOOKS = {
    ("l1", "normal"): Look("L1, normal data", DIRECT, "o", LINES[DIRECT]),
    ("l1", "exponential"): Look("L1, exponential data", MEAN, "s", LINES[MEAN]),
    ("l2", "exponential"): Look("variance, exponential data", MUTED, "v", ":"),
}


def draw(result: Result) -> Drawing:
    """The term beside the direct path, and the error of dx without it, against the batch size."""
    sizes = [int(size) for size in result.config["sizes"]]
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 5.6))
        axes = figure.subplots(2, 1, sharex=True)
        panels = (("share", "term / direct path"), ("dx_error", "error of dx without it"))
        for axis, (name, title) in zip(axes, panels, strict=True):
            for number, ((norm, shape), look) in enumerate(LOOKS.items()):
                means = []
                for place, size in enumerate(sizes):
                    runs = result.values(name, norm=norm, shape=shape, size=size)
                    seeds(axis, place + 0.2 * (number - 1), runs, look)
                    means.append(f"{runs.mean():.2f} at m = {size}")
                words.append(f"{title}, {look.name}: {', '.join(means)}")
            axis.set(ylabel=title, ylim=(-0.02, None))
        axes[-1].set_xticks(range(len(sizes)), [str(size) for size in sizes])
        axes[-1].set_xlabel("batch size m")
        for look in LOOKS.values():
            axes[0].plot([], [], look.marker, color=look.color, label=look.name)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Two panels against the batch size. {'; '.join(words)}.")
