"""The computational graph of the transform, as SVG written by hand: five nodes and the ways between them."""

from typing import NamedTuple

from bncourse.plots.style import DIRECT, GRID, INK, MEAN, MUTED, VARIANCE, Drawing, label, with_theme

WIDTH, HEIGHT, RADIUS = 560, 345, 25


class Node(NamedTuple):
    """A value of the graph: where it stands, how it is written, and its name in the code."""

    x: float
    y: float
    sign: str
    name: str


NODES = {
    "x": Node(46, 168, "x", "x"),
    "mean": Node(164, 62, "μ", "mean"),
    "var": Node(262, 238, "σ²", "var"),
    "x_hat": Node(384, 168, "x̂", "x_hat"),
    "y": Node(498, 168, "y", "y"),
    "gamma": Node(452, 62, "γ", "gamma"),
    "beta": Node(528, 62, "β", "beta"),
}


class Edge(NamedTuple):
    """A way from one value to the next, the path of dx it belongs to, and how far it bends."""

    start: str
    end: str
    path: str
    bend: float = 0.0


EDGES = (
    Edge("x", "x_hat", "direct"),
    Edge("x", "mean", "mean"),
    Edge("mean", "x_hat", "mean", 18),
    Edge("x", "var", "variance", -14),
    Edge("var", "x_hat", "variance", -10),
    Edge("mean", "var", "vanishing", -8),
    Edge("x_hat", "y", "rest"),
    Edge("gamma", "y", "rest"),
    Edge("beta", "y", "rest"),
)

COLORS = {"direct": DIRECT, "mean": MEAN, "variance": VARIANCE, "vanishing": MEAN, "rest": MUTED}
DASHES = {"direct": "", "mean": "9 4", "variance": "2 3.5", "vanishing": "1 7", "rest": ""}

ALT_FORWARD = (
    "Computational graph. x leads to the mean, to the variance and straight to x hat. The mean leads to x hat, "
    "and by a dotted edge to the variance. The variance leads to x hat. x hat, gamma and beta lead to y."
)
ALT_BACKWARD = (
    "The same graph with its arrows turned around. The gradient of x hat flows back to x by three ways: straight, "
    "through the mean, and through the variance. A dotted edge from the variance to the mean carries the term that "
    "vanishes."
)


def computational_graph(*, backward: bool = False) -> Drawing:
    """Draw the graph of Algorithm 1, with the three paths of dx in their colors.

    Parameters
    ----------
    backward : bool
        Turn the arrows around and write at each node the gradient that gathers there.

    Returns
    -------
    Drawing
    """
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">', "<defs>"]
    for path, color in COLORS.items():
        parts.append(
            f'<marker id="tip-{path}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="7.5" markerHeight="7.5" '
            'markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            f'<path d="M0 0.8 L10 5 L0 9.2 Z" fill="{color}"/></marker>'
        )
    parts.append("</defs>")
    parts += [_edge(edge, backward=backward) for edge in EDGES]
    parts += [_node(node, backward=backward) for node in NODES.values()]
    parts += _legend()
    parts.append("</svg>")
    alt = ALT_BACKWARD if backward else ALT_FORWARD
    svg = label("\n".join(parts), alt, unit=1)
    return Drawing(with_theme(svg), alt)


def _edge(edge: Edge, *, backward: bool) -> str:
    """Draw one way as a curve from rim to rim."""
    start, end = NODES[edge.start], NODES[edge.end]
    dx, dy = end.x - start.x, end.y - start.y
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = dx / length, dy / length
    middle = ((start.x + end.x) / 2 + uy * edge.bend * 2, (start.y + end.y) / 2 - ux * edge.bend * 2)
    first, last = _rim(start, middle), _rim(end, middle)
    color, dash = COLORS[edge.path], DASHES[edge.path]
    tip = f'marker-{"start" if backward else "end"}="url(#tip-{edge.path})"'
    pattern = f' stroke-dasharray="{dash}" stroke-linecap="round"' if dash else ""
    return (
        f'<path class="bn-edge bn-edge-{edge.path}" '
        f'd="M{first[0]:.1f} {first[1]:.1f} Q{middle[0]:.1f} {middle[1]:.1f} {last[0]:.1f} {last[1]:.1f}" '
        f'fill="none" stroke="{color}" stroke-width="2.6"{pattern} {tip}/>'
    )


def _rim(node: Node, towards: tuple[float, float]) -> tuple[float, float]:
    """The point where a way from the node towards a point leaves the node's circle."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    length = (dx * dx + dy * dy) ** 0.5
    reach = RADIUS + 3
    return node.x + dx / length * reach, node.y + dy / length * reach


def _node(node: Node, *, backward: bool) -> str:
    """Draw one value: its sign in a circle, its name in the code underneath."""
    name = f"d{node.name}" if backward else node.name
    above = node.y < HEIGHT / 4
    name_y = node.y - RADIUS - 8 if above else node.y + RADIUS + 17
    middle = f'x="{node.x}" text-anchor="middle"'
    return (
        f'<circle cx="{node.x}" cy="{node.y}" r="{RADIUS}" fill="none" stroke="{GRID}" stroke-width="1.6"/>'
        f'<text {middle} y="{node.y + 7}" font-size="21" font-style="italic" fill="{INK}">{node.sign}</text>'
        f'<text {middle} y="{name_y}" font-size="17.2" fill="{MUTED}">{name}</text>'
    )


def _legend() -> list[str]:
    """Name the three ways, and the fourth that vanishes."""
    entries = [("direct", "direct"), ("mean", "through the mean"), ("variance", "through the variance")]
    entries.append(("vanishing", "through the mean, by the variance: 0"))
    parts = []
    for place, (path, text) in enumerate(entries):
        x, y = 14 + 216 * (place % 2), 304 + 24 * (place // 2)
        pattern = f' stroke-dasharray="{DASHES[path]}" stroke-linecap="round"' if DASHES[path] else ""
        parts.append(
            f'<path d="M{x} {y} h26" stroke="{COLORS[path]}" stroke-width="2.8"{pattern}/>'
            f'<text x="{x + 34}" y="{y + 4.5}" font-size="17.2" fill="{INK}">{text}</text>'
        )
    return parts
