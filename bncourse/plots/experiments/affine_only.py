"""Accuracy with only gamma and beta trained, beside everything, the read-out, and as many random weights."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, WIDTH, Drawing, finish, style

LOOKS = (Look("", DIRECT, "o", LINES[DIRECT]), Look("", MEAN, "s", LINES[MEAN]))


def draw(result: Result) -> Drawing:
    """Test accuracy of each way of training, for each width."""
    ways, widths, words = result.config["trained"], result.config["widths"], []
    with style():
        figure = Figure(figsize=(WIDTH, 1.2 + 0.6 * len(ways)))
        axis = figure.subplots()
        for number, (width, look) in enumerate(zip(widths, LOOKS, strict=False)):
            for place, way in enumerate(ways):
                where = {"part": "reported", "trained": way, "width": width}
                runs = 100 * result.values("accuracy", **where)
                seeds(axis, place + 0.3 * (number - 0.5), runs, look, lying=True)
                words.append(f"{way}, width {width}: {runs.mean():.1f}")
            axis.plot([], [], look.marker, color=look.color, label=f"width {width}")
        axis.set(yticks=range(len(ways)), yticklabels=ways, ylim=(len(ways) - 0.5, -0.5), xlabel="test accuracy (%)")
        axis.set_ylabel("what is trained")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent by what is trained: {'; '.join(words)}.")
