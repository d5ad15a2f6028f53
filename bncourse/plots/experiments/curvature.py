"""The largest eigenvalue of the Hessian along training, with and without batch norm, against 2 / rate."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, curves
from bncourse.plots.style import INK, WIDTH, Drawing, finish, style


def draw(result: Result) -> Drawing:
    """One panel for each learning rate; the dotted line is 2 / rate."""
    rates, words = [float(rate) for rate in result.config["rates"]], []
    steps = result.config["steps"] / result.config["looks"] * np.arange(1, result.config["looks"] + 1)
    with style():
        figure = Figure(figsize=(WIDTH, 0.8 + 2.0 * len(rates)))
        axes = figure.subplots(len(rates), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axis, rate in zip(axes, rates, strict=True):
            for norm in result.config["norms"]:
                runs = result.values("eigenvalues", norm=norm, rate=rate)
                curves(axis, steps, runs, NORMS[norm])
                words.append(f"rate {rate:g}, {NORMS[norm].name}: {runs[:, 0].mean():.2g} to {runs[:, -1].mean():.2g}")
            axis.axhline(2 / rate, color=INK, lw=1.2, ls=(0, (1, 3)), label="2 / rate")
            axis.set(yscale="log", ylabel="largest eigenvalue", title=f"learning rate {rate:g}")
        axes[-1].set_xlabel("step")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    limits = ", ".join(f"{2 / rate:.3g} at rate {rate:g}" for rate in rates)
    return finish(
        figure,
        "Largest eigenvalue of the Hessian along training, from the first look to the last, on a logarithmic axis. "
        f"{'; '.join(words)}. The limit 2 / rate is {limits}.",
    )
