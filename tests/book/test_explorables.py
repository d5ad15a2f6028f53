"""The explorables compute what the package computes, and a keyboard is enough to move them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bncourse.experiments.mean_gradient import mean_gradient
from bncourse.numpy_bn import batch_norm_backward_staged, batch_norm_forward, batch_norm_inference
from bncourse.numpy_bn.running import RunningStatistics
from tools.book import ROOT

pytestmark = pytest.mark.browser

SCRIPTS = ROOT / "book" / "_static" / "explorables"
TOLERANCE = {"rtol": 1e-6, "atol": 1e-9}


@pytest.fixture(scope="module")
def arithmetic(browser: Any) -> Any:
    """Call a function of batchnorm.js in the browser."""
    page = browser.new_page()
    page.add_script_tag(path=str(SCRIPTS / "batchnorm.js"))

    def call(name: str, *arguments: Any) -> Any:
        return page.evaluate("([name, given]) => BatchNorm[name](...given)", [name, list(arguments)])

    yield call
    page.close()


def golden(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """A batch, an upstream gradient, gamma and beta."""
    rng = np.random.default_rng(seed)
    return 3.0 + 2.0 * rng.standard_normal(count), rng.standard_normal(count), rng.normal(), rng.normal()


@pytest.mark.parametrize("count", [2, 5, 64])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_the_transform_agrees_with_numpy_bn(arithmetic: Any, count: int, eps: float) -> None:
    x, _, gamma, beta = golden(count, count)
    found = arithmetic("forward", x.tolist(), gamma, beta, eps)
    y, cache = batch_norm_forward(x[:, None], np.array([gamma]), np.array([beta]), eps=eps)
    np.testing.assert_allclose(found["y"], y[:, 0], **TOLERANCE)
    np.testing.assert_allclose(found["xHat"], cache.x_hat[:, 0], **TOLERANCE)
    np.testing.assert_allclose(found["invStd"], cache.inv_std[0], **TOLERANCE)


@pytest.mark.parametrize("count", [2, 5, 64])
def test_the_three_paths_agree_with_the_stages(arithmetic: Any, count: int) -> None:
    x, dy, gamma, _ = golden(count, count)
    found = arithmetic("paths", x.tolist(), dy.tolist(), gamma, 0.1)
    _, cache = batch_norm_forward(x[:, None], np.array([gamma]), np.zeros(1), eps=0.1)
    gradients, stages = batch_norm_backward_staged(dy[:, None], cache)
    np.testing.assert_allclose(found["direct"], stages.dx_direct[:, 0], **TOLERANCE)
    np.testing.assert_allclose(found["mean"], stages.dx_through_mean[:, 0], **TOLERANCE)
    np.testing.assert_allclose(found["variance"], stages.dx_through_var[:, 0], **TOLERANCE)
    numerical = arithmetic("finiteDifferences", x.tolist(), dy.tolist(), gamma, 0.1, 1e-4)
    np.testing.assert_allclose(numerical, gradients.dx[:, 0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("offset", [0.0, -1.5, 2.0])
def test_the_two_parts_about_any_center_agree_with_the_package(arithmetic: Any, offset: float) -> None:
    x, dy, _, _ = golden(6, 6)
    center = x.mean() + offset
    found = arithmetic("aboutCenter", x.tolist(), dy.tolist(), center, 0.1)
    parts = mean_gradient(x, dy, center, eps=0.1)
    np.testing.assert_allclose(found["direct"], parts.direct, **TOLERANCE)
    np.testing.assert_allclose(found["term"], parts.through_var, **TOLERANCE)
    np.testing.assert_allclose(found["slope"], 2.0 * offset, **TOLERANCE)

    def loss(values: np.ndarray) -> float:
        deviation = values - values.mean() - offset
        return float((dy * deviation).sum() / np.sqrt((deviation**2).mean() + 0.1))

    numerical = [(loss(x + step) - loss(x - step)) / 2e-6 for step in 1e-6 * np.eye(6)]
    np.testing.assert_allclose(found["dx"], numerical, rtol=1e-6, atol=1e-8)


def test_the_running_statistics_agree_with_the_package(arithmetic: Any) -> None:
    rng = np.random.default_rng(0)
    statistics = RunningStatistics(1, momentum=0.3)
    running = {"mean": 0.0, "var": 1.0}
    for _ in range(4):
        batch = 2.0 + rng.standard_normal((8, 1))
        statistics.update(batch.mean(axis=0), batch.var(axis=0), 8)
        running = arithmetic("updateRunning", running, batch[:, 0].tolist(), 0.3)
    np.testing.assert_allclose(running["mean"], statistics.mean[0], **TOLERANCE)
    np.testing.assert_allclose(running["var"], statistics.var[0], **TOLERANCE)


def test_inference_agrees_with_numpy_bn(arithmetic: Any) -> None:
    x, _, gamma, beta = golden(1, 6)
    found = arithmetic("inference", x.tolist(), gamma, beta, {"mean": 2.0, "var": 5.0}, 0.1)
    one = np.ones(1)
    y, _ = batch_norm_inference(x[:, None], gamma * one, beta * one, 2.0 * one, 5.0 * one, eps=0.1)
    np.testing.assert_allclose(found, y[:, 0], **TOLERANCE)


def test_the_lag_of_the_drift_is_that_of_a_moving_average(arithmetic: Any) -> None:
    told = {"steps": 400, "batch": 64, "speed": 0.1, "momentum": 0.1, "seed": 7}
    last = arithmetic("drift", told)["trace"][-1]
    np.testing.assert_allclose(last["truth"] - last["running"], 0.1 * 0.9 / 0.1, atol=0.15)


def opened(browser: Any, site: Path, page: str, name: str) -> tuple[Any, Any]:
    """A page, and the explorable on it."""
    tab = browser.new_page()
    tab.goto(f"file://{site}/book/{page}.html")
    place = tab.locator(f'[data-explorable="{name}"].bn-live')
    place.wait_for()
    return tab, place


def test_paths_by_keyboard_gives_the_expected_sums(browser: Any, site: Path) -> None:
    tab, place = opened(browser, site, "gradients/graph", "paths")
    told = place.locator(".bn-told")
    assert "Sum of dx: 0.000" in told.text_content()
    place.get_by_role("checkbox", name="through the mean").focus()
    tab.keyboard.press("Space")
    _, cache = batch_norm_forward(np.array([[1.0], [2.0], [4.0], [9.0]]), np.ones(1), np.zeros(1))
    _, stages = batch_norm_backward_staged(np.array([[1.0], [0.0], [0.0], [0.0]]), cache)
    left = float((stages.dx_direct + stages.dx_through_var).sum())
    assert f"Sum of dx: {left:.3f}" in told.text_content()
    place.get_by_role("slider", name="sample 4").focus()
    tab.keyboard.press("ArrowLeft")
    assert place.get_by_role("slider", name="sample 4").get_attribute("aria-valuenow") == "8.90"
    tab.close()


def test_transform_by_keyboard_gives_the_expected_moments(browser: Any, site: Path) -> None:
    tab, place = opened(browser, site, "transform/transform", "transform")
    place.get_by_role("slider", name="sample 5").focus()
    tab.keyboard.press("PageDown")
    x = np.array([-3.0, -1.0, 0.5, 1.0, 4.0])
    assert f"x: mean {x.mean():.3f}, variance {x.var():.3f}." in place.locator(".bn-told").text_content()
    assert "y: mean 0.000, variance 1.000." in place.locator(".bn-told").text_content()
    place.get_by_role("slider", name="β").focus()
    tab.keyboard.press("ArrowRight")
    assert "y: mean 0.100, variance 1.000." in place.locator(".bn-told").text_content()
    tab.close()


def test_center_by_keyboard_reaches_the_mean_where_the_slope_is_flat(browser: Any, site: Path) -> None:
    tab, place = opened(browser, site, "gradients/vanishing_term", "center")
    told = place.locator(".bn-told")
    assert "slope 4.000" in told.text_content()
    assert "dx is wrong by 0.0 %" not in told.text_content()
    place.get_by_role("slider", name="center").focus()
    for key in ("PageDown", "PageDown"):  # from 6 to 4, the mean
        tab.keyboard.press(key)
    assert "slope 0.000" in told.text_content()
    assert "term through the spread 0.000" in told.text_content()
    assert "dx is wrong by 0.0 %" in told.text_content()
    tab.close()


def test_drift_by_keyboard_stands_still_without_drift(browser: Any, site: Path) -> None:
    tab, place = opened(browser, site, "inference/population_statistics", "drift")
    before = place.locator(".bn-told").text_content()
    place.get_by_role("slider", name="momentum (weight of the new)").focus()
    tab.keyboard.press("End")  # momentum 1: the running mean is the last batch's
    after = place.locator(".bn-told").text_content()
    assert after != before
    assert "mean 0.000 in training and 0.000 in inference" in after
    tab.close()


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("gradients/graph", "paths"),
        ("transform/transform", "transform"),
        ("inference/population_statistics", "drift"),
        ("gradients/vanishing_term", "center"),
    ],
)
def test_without_javascript_a_figure_stands_in(browser: Any, site: Path, page: str, name: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"file://{site}/book/{page}.html")
    figure = tab.locator(f'[data-explorable="{name}"] svg[role="img"]')
    assert figure.count() == 1
    assert figure.bounding_box()["height"] > 100
    context.close()


def test_the_transform_shows_where_outputs_started_and_leads_back(browser: Any, site: Path) -> None:
    tab, place = opened(browser, site, "transform/transform", "transform")
    rings = place.locator('circle[fill="none"]')
    start = place.locator(".bn-told").text_content()
    assert rings.count() == 0
    place.get_by_role("slider", name="sample 5").focus()
    tab.keyboard.press("PageDown")
    assert rings.count() > 0
    place.get_by_role("button", name="start again").press("Enter")
    assert rings.count() == 0
    assert place.locator(".bn-told").text_content() == start
    tab.close()


def test_a_dark_page_is_printed_in_the_light(browser: Any, site: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto(f"file://{site}/book/notation.html")
    theme = "document.documentElement.dataset.theme"
    assert tab.evaluate(theme) == "dark"
    tab.emulate_media(media="print")
    tab.wait_for_function(f"{theme} === 'light'")
    tab.emulate_media(media="screen")
    tab.wait_for_function(f"{theme} === 'dark'")
    context.close()
