from collections.abc import Callable

from bncourse.plots import layer_norm


def test_company_shows_the_four_kinds(sound: Callable[..., str]) -> None:
    shown = sound(layer_norm.company(samples=4, channels=6, groups=2))
    for kind in ("batch norm", "layer norm", "group norm", "instance norm"):
        assert kind in shown
