"""Residual convolutional networks: accuracy of every normalization at every depth."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.experiments.depth import LOOKS
from bncourse.plots.looks import seeds
from bncourse.plots.style import WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers, numbers


def draw(result: Result) -> Drawing:
    """Draw every seed's test accuracy, each network at its own best learning rate."""
    depths, norms, words = result.config["depths"], result.config["norms"], []
    with style():
        figure = Figure(figsize=(WIDTH, 3.6))
        axis = figure.subplots()
        for number, norm in enumerate(norms):
            said = []
            for position, depth in enumerate(depths):
                runs = 100 * result.values("accuracy", part="reported", norm=norm, depth=depth)
                seeds(axis, position + 0.14 * (number - (len(norms) - 1) / 2), runs, LOOKS[norm])
                said.append(f"{runs.mean():.1f} at {depth} blocks")
            axis.plot([], [], LOOKS[norm].marker, color=LOOKS[norm].color, label=LOOKS[norm].name)
            words.append(f"{LOOKS[norm].name}: {', '.join(said)}")
        axis.set_xticks(range(len(depths)), [f"{depth} blocks" for depth in depths])
        axis.set(ylabel="test accuracy (%)", ylim=(0, 100), xlim=(-0.5, len(depths) - 0.5))
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(figure, f"Test accuracy in percent of residual convolutional networks. {'; '.join(words)}.")


def table(result: Result) -> Numbers:
    """Accuracy of every network at its own best learning rate."""
    return numbers(result, {"accuracy": "test accuracy"}, where={"part": "reported"})
