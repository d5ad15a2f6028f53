"""Shifted digits, answered with old statistics, with those of the new kind, and with gamma and beta adapted."""

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.experiments.statistics import Interval, interval
from bncourse.plots.looks import Look, seeds
from bncourse.plots.style import DIRECT, LINES, MEAN, MUTED, VARIANCE, WIDTH, Drawing, finish, style
from bncourse.plots.tables import Numbers

LOOKS = {
    "before": Look("statistics of the training", MUTED, "v", ":"),
    "batch": Look("statistics of the test batch", DIRECT, "o", LINES[DIRECT]),
    "recomputed": Look("recomputed statistics", VARIANCE, "D", LINES[VARIANCE]),
    "tent": Look("test batch and lower entropy", MEAN, "s", LINES[MEAN]),
}


def shifts_of(result: Result) -> list[str]:
    """Return the kinds of shift that were measured, in the order of the measurement."""
    names = dict.fromkeys(name for m in result.units for name in m.values)
    return [name.removesuffix("_before") for name in names if name.endswith("_before")]


def draw(result: Result) -> Drawing:
    """Test accuracy on every kind of shift, in four ways."""
    shifts, words = shifts_of(result), []
    with style():
        figure = Figure(figsize=(WIDTH, 1.0 + 0.9 * len(shifts)))
        axis = figure.subplots()
        for place, kind in enumerate(shifts):
            said = []
            for number, way in enumerate(LOOKS):
                runs = 100 * result.values(f"{kind}_{way}", part="reported")
                seeds(axis, place + 0.18 * (number - 1.5), runs, LOOKS[way], lying=True)
                said.append(f"{LOOKS[way].name} {runs.mean():.1f}")
            words.append(f"{kind}: {', '.join(said)}")
        for way in LOOKS:
            axis.plot([], [], LOOKS[way].marker, color=LOOKS[way].color, label=LOOKS[way].name)
        axis.set(yticks=range(len(shifts)), yticklabels=shifts, ylim=(len(shifts) - 0.5, -0.5))
        axis.set_xlabel("test accuracy (%)")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return finish(figure, f"Test accuracy in percent by kind of shift. {'; '.join(words)}.")


def table(result: Result) -> Numbers:
    """Accuracy on every kind of shift in four ways, and what lower entropy adds to the test batch's statistics."""
    body = []
    for kind in shifts_of(result):
        cells = []
        for way in LOOKS:
            found = result.interval(f"{kind}_{way}", part="reported")
            cells.append(found.said(1, scale=100))
        gain = gained(result, kind)
        body.append((kind, *cells, gain.said(2, scale=100, sign="+")))
    header = ("shift", *(LOOKS[way].name for way in LOOKS), "points that lower entropy adds")
    count = len(result.config["seeds"])
    return Numbers(header, tuple(body), f"Mean and 95 % interval over {count} seeds; the last column seed by seed.")


def gained(result: Result, kind: str) -> Interval:
    """Return what lower entropy adds to the accuracy with the test batch's statistics, seed by seed."""
    tent, batch = (result.values(f"{kind}_{way}", part="reported") for way in ("tent", "batch"))
    return interval(tent - batch)
