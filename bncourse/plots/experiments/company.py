"""Where company leaks: matching with and without the groups of the training, and a discriminator's two batches."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, WIDTH, Drawing, finish, style

WITH = Look("in batches as in training", MEAN, "s", LINES[MEAN])
WITHOUT = Look("in other batches, or alone", DIRECT, "o", LINES[DIRECT])


def draw(result: Result) -> Drawing:
    """Above, pairs matched by the contrastive networks; below, what discriminators tell apart."""
    ways, words = result.config["ways"], []
    with style():
        figure = Figure(figsize=(WIDTH, 6.6))
        above, below = figure.subplots(2, 1, height_ratios=[len(ways), 6])
        for place, way in enumerate(ways):
            where = {"part": "reported", "way": way}
            for name, look, beside in (("accuracy", WITH, -0.15), ("without_company", WITHOUT, 0.15)):
                runs = 100 * result.values(name, **where)
                seeds(above, place + beside, runs, look, lying=True)
                words.append(f"{way}, {look.name}: {runs.mean():.0f}")
        above.set(yticks=range(len(ways)), yticklabels=ways, ylim=(len(ways) - 0.5, -0.5), xlim=(0, 102))
        above.set(xlabel="pairs matched (%)", title="two views of a digit, matched")
        names = [(difference, feed) for difference in result.config["differences"] for feed in result.config["feeds"]]
        for place, (difference, feed) in enumerate(names):
            where = {"part": "discriminator", "difference": difference, "feed": feed}
            for name, look, beside in (("batch_accuracy", WITH, -0.15), ("single_accuracy", WITHOUT, 0.15)):
                runs = 100 * result.values(name, **where)
                seeds(below, place + beside, runs, look, lying=True)
                words.append(f"{difference}, {feed}, {look.name}: {runs.mean():.0f}")
        below.axvline(50, color=INK, lw=1, ls=(0, (1, 3)))
        below.set(yticks=range(len(names)), yticklabels=[f"{d}, {f}" for d, f in names], ylim=(len(names) - 0.5, -0.5))
        below.set(xlim=(0, 102), xlabel="real and generated told apart (%)", title="a discriminator, by what differs")
        for look in (WITH, WITHOUT):
            above.plot([], [], look.marker, color=look.color, label=look.name)
        figure.legend(*above.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Share of right answers in percent. {'; '.join(words)}.")
