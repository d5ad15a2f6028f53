from collections.abc import Callable

import numpy as np

from bncourse.plots import modes


def test_company_tells_the_range_and_the_one_output_of_inference(sound: Callable[..., str]) -> None:
    sound(modes.company(np.array([1.0, 1.5, 2.5]), 2.0), "from 1.0 to 2.5", "2.00")
