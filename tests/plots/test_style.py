import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from bncourse.plots.checking import caught, step_sizes, verdicts
from bncourse.plots.explorable import explorable
from bncourse.plots.geometry import circle_of_three, projection_spectrum, regression
from bncourse.plots.graph import EDGES, computational_graph
from bncourse.plots.stand_ins import following, number_lines
from bncourse.plots.style import LEGIBLE, LINES, VARIABLES, WIDTH, Drawing, finish, smallest_text, style, with_theme
from bncourse.plots.vanishing import projection_product, rounding, spread_about

BATCH = np.array([1.0, 2.0, 4.0, 9.0, 3.0, 5.5])

DRAWINGS = {
    "graph": lambda: computational_graph(),
    "graph, backward": lambda: computational_graph(backward=True),
    "spread": lambda: spread_about(BATCH, {"zero": 0.0}),
    "projections": lambda: projection_product((BATCH - BATCH.mean()) / BATCH.std()),
    "rounding": lambda: rounding(np.array([1.0, 10.0]), {"float32": np.array([1e-7, 1e-6])}),
    "regression": lambda: regression(np.array([-1.0, 0.0, 1.0]), np.array([0.3, -0.2, 1.0])),
    "circle": lambda: circle_of_three(BATCH[:3], np.array([1.0, 0.0, -1.0]), np.array([0.1, 0.2, -0.3])),
    "spectrum": lambda: projection_spectrum(np.array([0.1, 1.0, 10.0]), np.array([0.09, 0.5, 0.9])),
    "steps": lambda: step_sizes(np.array([1e-2, 1e-4]), {"central": np.array([1e-4, 1e-8])}),
    "verdicts": lambda: verdicts(["wrong"], ["ones", "random"], np.array([[False, True]])),
    "caught": lambda: caught({"ones": 3, "laws": 9}, 10, ["laws"]),
    "number lines": lambda: number_lines(BATCH),
    "following": lambda: following(),
}


@pytest.fixture(params=DRAWINGS, scope="module")
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return DRAWINGS[request.param]()


def test_a_figure_has_words_for_those_who_do_not_see_it(drawing: Drawing) -> None:
    assert len(drawing.alt) > 40
    assert 'role="img"' in drawing.svg
    assert "aria-label=" in drawing.svg.split(">", 1)[0]
    assert "nan" not in drawing.alt.split()


def test_the_words_of_a_figure_are_legible_however_narrow_the_page_is(drawing: Drawing) -> None:
    wide = float(re.findall(r'viewBox="0 0 ([\d.]+)', drawing.svg)[0])
    narrowest = float(re.findall(r"min-width: (\d+)px", drawing.svg)[0])
    assert smallest_text(drawing.svg) * narrowest / wide >= LEGIBLE - 0.02
    assert narrowest <= 360, "it would scroll on a phone"


def test_small_words_make_a_figure_scroll_and_not_shrink() -> None:
    with style():
        figure = Figure(figsize=(WIDTH, 1))
        figure.text(0.1, 0.5, "small", fontsize=8)
        drawing = finish(figure, "A figure with the word small in it, for this test alone, and no axes.")
    assert f"min-width: {96 * WIDTH:.0f}px" in drawing.svg  # its full width: 8 points are 10.7 pixels there


def test_a_power_of_ten_is_as_high_as_other_words() -> None:
    with style():
        figure = Figure(figsize=(WIDTH, 2))
        axis = figure.subplots()
        axis.loglog([1e-3, 1e3], [2, 5])
        drawing = finish(figure, "A line in a figure with two logarithmic axes, for this test alone.")
    assert "10⁻³" in drawing.svg
    assert "3×10⁰" in drawing.svg
    assert smallest_text(drawing.svg) == 11


def test_a_legend_that_is_too_wide_gets_fewer_columns() -> None:
    with style():
        figure = Figure(figsize=(WIDTH, 3))
        axis = figure.subplots()
        for number in range(4):
            axis.plot([0, 1], [0, number], label=f"a condition with a long name, number {number}")
        figure.legend(loc="outside lower center", ncols=4)
        finish(figure, "Four lines and a legend with four long names, for this test alone.")
    assert figure.legends[0].get_window_extent().width <= figure.bbox.width


def test_a_figure_takes_its_colors_from_the_theme(drawing: Drawing) -> None:
    fixed = set(re.findall(r"(?:fill|stroke)[:=] ?\"?(#[0-9a-f]{6})", drawing.svg))
    assert fixed == set(), "colors that do not follow the theme"
    assert "var(--bn-" in drawing.svg


def test_a_figure_shares_no_id_with_another(drawing: Drawing) -> None:
    ids = re.findall(r'\bid="([^"]+)"', drawing.svg)
    assert len(ids) == len(set(ids))
    assert all(re.match(r"f[0-9a-f]{6}-", one) for one in ids)
    referred = re.findall(r"url\(#([^)]+)\)", drawing.svg) + re.findall(r'href="#([^"]+)"', drawing.svg)
    assert set(referred) <= set(ids)


def test_a_figure_is_drawn_the_same_twice(drawing: Drawing, request: pytest.FixtureRequest) -> None:
    assert DRAWINGS[request.node.callspec.params["drawing"]]().svg == drawing.svg


def test_the_words_of_a_figure_are_text() -> None:
    assert "through the variance" in computational_graph().svg
    assert "<text" in spread_about(BATCH, {}).svg


def test_every_color_of_a_path_has_its_own_pattern() -> None:
    assert len({str(line) for line in LINES.values()}) == len(LINES)
    assert set(LINES) <= set(VARIABLES)


def luminance(color: str) -> float:
    """Relative luminance of an sRGB color."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", VARIABLES)
def test_colors_stand_out_from_white_and_from_black_where_there_is_no_theme(color: str) -> None:
    own = luminance(color)
    if VARIABLES[color] != "--bn-grid":
        assert 1.05 / (own + 0.05) >= 3.0
        assert (own + 0.05) / 0.05 >= 3.0


def test_the_theme_is_left_behind_with_the_block() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["axes.grid"]
    with style():
        assert mpl.rcParams["axes.grid"] is True
    assert mpl.rcParams["axes.grid"] == before


def test_with_theme_keeps_other_colors() -> None:
    assert with_theme("fill: #123456") == "fill: #123456"


def test_the_graph_has_the_edges_of_the_transform() -> None:
    from_mean = {edge.end for edge in EDGES if edge.start == "mean"}
    from_x = {edge.end for edge in EDGES if edge.start == "x"}
    assert from_mean == {"x_hat", "var"}
    assert from_x == {"x_hat", "mean", "var"}


def test_an_explorable_carries_its_figure_and_its_start() -> None:
    alive = explorable("paths", number_lines(BATCH), x=[1.0, 2.0])
    html = alive._repr_html_()
    assert 'data-explorable="paths"' in html
    assert "&quot;x&quot;: [1.0, 2.0]" in html
    assert "<svg" in html


def test_an_unknown_explorable_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected one of transform, paths, drift"):
        explorable("path", number_lines(BATCH))
