"""Statistics for inference, gathered while training: running averages, and those of the whole population.

Inference needs one mean and one variance per channel that no other sample of the batch can change. The paper takes the
population's (Algorithm 2); practice keeps running averages, which cost nothing but lag behind the weights.
"""

from typing import Any

import numpy as np

from bncourse.conventions import MOMENTUM, check_momentum, check_num_features, check_statistics
from bncourse.numpy_bn.moments import merge_moments
from bncourse.numpy_bn.results import Array, Moments
from bncourse.shapes import Inexact


def unbiased(var: Array, count: int) -> Array:
    """Estimate of the population's variance from a batch's: var * count / (count - 1).

    Equation :eq:`eq-variance-bias`, chapter "Population statistics".
    """
    return var * (count / (count - 1))


def update_running(running_mean: Array, running_var: Array, moments: Moments, weight: float) -> None:
    """Move running statistics, in place, towards a batch's mean and unbiased variance; `weight` is that of the new.

    Equation :eq:`eq-moving-average`, chapter "Population statistics".
    """
    mean, var, count = moments
    running_mean[...] = (1.0 - weight) * running_mean + weight * mean
    running_var[...] = (1.0 - weight) * running_var + weight * unbiased(var, count)


class RunningStatistics:
    r"""Running mean and variance: what PyTorch keeps in a layer's buffers.

    .. math:: r \leftarrow (1 - \text{momentum})\, r + \text{momentum}\; \hat r

    with the batch's mean, and the *unbiased* estimate of the variance, for :math:`\hat r`. They start at 0 and 1.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    momentum : float or None
        Weight of the new value, in [0, 1]. None weighs all batches alike (the cumulative mean): 1, 1/2, 1/3, ...
    dtype : dtype
        Of `mean` and `var`.

    Raises
    ------
    ValueError
        If `num_features` is not positive, or `momentum` lies outside [0, 1].

    Examples
    --------
    One batch (1, 3): mean 2, biased variance 1, unbiased variance 2.

    >>> running = RunningStatistics(1, momentum=0.5)
    >>> running.update(np.array([2.0]), np.array([1.0]), count=2)
    >>> running.mean.tolist(), running.var.tolist(), running.num_batches
    ([1.0], [1.5], 1)
    """

    def __init__(
        self,
        num_features: int,
        *,
        momentum: float | None = MOMENTUM,
        dtype: Any = np.float64,
    ) -> None:
        check_num_features(num_features)
        check_momentum(momentum)
        self.num_features = num_features
        self.momentum = momentum
        self.mean = np.zeros(num_features, dtype)
        self.var = np.ones(num_features, dtype)
        self.num_batches = 0

    def update(self, mean: Inexact[Array, " c"], var: Inexact[Array, " c"], count: int) -> None:
        """Take in one batch's moments.

        Parameters
        ----------
        mean, var : arrays of shape (C,)
            The batch's mean and its *biased* variance, as the transform used them.
        count : int
            Values per channel in that batch, 2 or more.

        Raises
        ------
        ValueError
            If a shape does not fit, or `count` is less than 2.
        """
        check_statistics(mean.shape, var.shape, count, self.num_features)
        self.num_batches += 1
        weight = 1.0 / self.num_batches if self.momentum is None else self.momentum
        update_running(self.mean, self.var, Moments(mean, var, count), weight)


class PopulationStatistics:
    r"""Statistics of a whole training set for a network whose weights do not change.

    Two answers from the same batches. `algorithm_2` is the paper's, as written:
    :math:`E[x] = E_B[\mu_B]` and :math:`Var[x] = \frac{m}{m-1} E_B[\sigma_B^2]`, each batch counting alike.
    `exact` joins the batches with their counts, which also holds the spread between the batches' means, and so
    equals the moments of all values at once.

    Equation :eq:`eq-algorithm-2`, chapter "Population statistics".

    Parameters
    ----------
    num_features : int
        The number of channels C.

    Examples
    --------
    The batches (1, 3) and (8, 8): within them the variance is 1 and 0, over all four values 9.5.

    >>> population = PopulationStatistics(1)
    >>> population.update(np.array([2.0]), np.array([1.0]), count=2)
    >>> population.update(np.array([8.0]), np.array([0.0]), count=2)
    >>> population.algorithm_2()
    (array([5.]), array([1.]))
    >>> population.exact()
    Moments(mean=array([5.]), var=array([9.5]), count=4)
    """

    def __init__(self, num_features: int) -> None:
        self.num_features = num_features
        self._averages = RunningStatistics(num_features, momentum=None)
        self._merged = Moments(self._averages.mean, self._averages.mean, 0)

    def update(self, mean: Inexact[Array, " c"], var: Inexact[Array, " c"], count: int) -> None:
        """Take in one batch's mean, biased variance and count, as `RunningStatistics.update` does."""
        self._averages.update(mean, var, count)
        self._merged = merge_moments(self._merged, (mean.astype(np.float64), var.astype(np.float64), count))

    def algorithm_2(self) -> tuple[Array, Array]:
        """Mean and variance by Algorithm 2 of the paper, line 10: averages over the batches."""
        return self._averages.mean, self._averages.var

    def exact(self) -> Moments:
        """Mean, biased variance and count of all values seen."""
        return self._merged
