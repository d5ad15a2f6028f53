"""The arms of the ablations of gamma and beta, for the runs and for the figure, which needs no PyTorch."""

from bncourse.experiments.result import Label


def arm(activation: str, **ablated: Label) -> dict[str, Label]:
    """Return the labels of an ablation: all usual but what is named; a factor of 0 is the arm that learns neither.

    >>> arm("relu", gamma=0.1)
    {'activation': 'relu', 'factor': 1.0, 'gamma': 0.1, 'learned': 'both'}
    """
    if ablated.get("factor") == 0.0:
        ablated = {"learned": "neither"}
    return {"activation": activation, "factor": 1.0, "gamma": 1.0, "learned": "both", **ablated}
