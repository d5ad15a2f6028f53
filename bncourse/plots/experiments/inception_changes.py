"""The accelerated network with each of its seven changes undone."""

from bncourse.plots.experiments.inception import contributions as draw

__all__ = ["draw"]
