"""Figures of the chapter on layer, group and instance normalization."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bncourse.plots.style import DIRECT, INK, MUTED, WIDTH, Drawing, finish, style


def company(samples: int, channels: int, groups: int) -> Drawing:
    """Draw the samples and channels of a batch, and who shares a mean with the marked map in each kind."""
    sample, channel = 1, 1
    size = channels // groups
    n, c = np.arange(samples)[:, None], np.arange(channels)[None, :]
    same_sample, same_channel, same_group = n == sample, c == channel, c // size == channel // size
    everywhere = np.ones((samples, channels), bool)
    shares = {
        "batch norm": same_channel & everywhere,
        "layer norm": same_sample & everywhere,
        "group norm": same_sample & same_group,
        "instance norm": same_sample & same_channel,
    }
    with style():
        figure = Figure(figsize=(WIDTH, 4.2))
        for axis, (name, shared) in zip(figure.subplots(2, 2).flat, shares.items(), strict=True):
            for (row, column), filled in np.ndenumerate(shared):
                color, alpha = (DIRECT, 0.75) if filled else (MUTED, 0.35)
                axis.add_patch(Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, facecolor=color, alpha=alpha, lw=0))
            axis.plot(channel + 0.5, sample + 0.5, "x", color=INK, ms=9, mew=2.4)
            axis.set(xlim=(0, channels), ylim=(samples, 0), aspect="equal", xticks=[], yticks=[], title=name)
            axis.set(xlabel="channels", ylabel="samples")
            axis.spines[:].set_visible(False)
            axis.grid(visible=False)
    return finish(
        figure,
        f"Four grids of {samples} samples by {channels} channels. The squares that share a mean with the marked one "
        "are filled: in batch norm its whole column, in layer norm its whole row, in group norm the half of its row "
        "that is its group, in instance norm the square itself.",
    )
