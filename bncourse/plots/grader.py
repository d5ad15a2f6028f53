"""The grader's two compartments, as SVG written by hand: what lies where, and what crosses the border."""

from collections.abc import Iterator

from bncourse.plots.style import DIRECT, GRID, INK, MEAN, MUTED, VARIANCE, Drawing, label, with_theme

WIDTH, HEIGHT = 560, 380

TRUSTED = ("the tests, hidden ones too", "the reference", "seeds, expected values", "the verdicts")
UNTRUSTED = (
    "the student's answers",
    "Python and NumPy",
    "nothing else:",
    "no tests, no network,",
    "no classmates' files",
)

ALT = (
    "Two boxes with a border between them. The oracle, on the left, is trusted and holds the tests, the reference, "
    "the seeds and the verdicts. The worker, on the right, stands in a sandbox and holds the student's answers, "
    "Python and NumPy, and nothing else. Raw inputs cross the border to the worker; bytes with a type and a shape, "
    "numbers and strings come back, never objects. The notebook's answers go to the worker, everything else is taken "
    "from the master, which goes to the oracle. Verdicts go from the oracle to the gradebook."
)


def two_compartments() -> Drawing:
    """Draw the oracle, the worker, and the border between them.

    Returns
    -------
    Drawing
    """
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">', "<defs>"]
    for name, color in (("in", DIRECT), ("out", MEAN), ("rest", MUTED)):
        parts.append(
            f'<marker id="tip-{name}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.8 L10 5 L0 9.2 Z" fill="{color}"/></marker>'
        )
    parts.append("</defs>")
    parts += _box(12, 96, 194, 196, VARIANCE, "oracle, trusted", TRUSTED)
    parts += _box(354, 96, 194, 196, MEAN, "worker, in a sandbox", UNTRUSTED)
    border = f'stroke="{INK}" stroke-width="1.6" stroke-dasharray="2 6" stroke-linecap="round"'
    parts += [f'<path d="M280 {start} V{end}" {border}/>' for start, end in ((74, 122), (182, 208), (268, 330))]
    parts += [*_arrow("M212 150 H346", "in", DIRECT), *_arrow("M348 236 H214", "out", MEAN)]
    parts += [_words(280, 141, "raw inputs", DIRECT), _words(280, 170, "handles", DIRECT)]
    parts += [_words(280, 227, "bytes, type, shape", MEAN), _words(280, 256, "numbers, strings", MEAN)]
    parts += [_words(109, 34, "the master", INK), _words(451, 34, "the notebook handed in", INK)]
    parts += [*_arrow("M109 44 V88", "rest", MUTED), *_arrow("M451 44 V88", "rest", MUTED)]
    parts += [_words(102, 70, "all but answers", MUTED, "end"), _words(459, 70, "answers", MUTED, "start")]
    parts += [*_arrow("M109 296 V344", "rest", MUTED), _words(117, 326, "one verdict a test", MUTED, "start")]
    parts.append(_words(12, 366, "gradebook, then feedback and exports", INK, "start"))
    parts.append(_words(280, 62, "the border", INK))
    parts.append("</svg>")
    svg = label("\n".join(parts), ALT, unit=1)
    return Drawing(with_theme(svg), ALT)


def _box(x: float, y: float, width: float, height: float, color: str, title: str, lines: tuple[str, ...]) -> list[str]:
    """Draw a compartment: its name in its color, and what lies in it."""
    middle = x + width / 2
    rows = [_words(middle, y + 62 + 26 * place, line, INK) for place, line in enumerate(lines)]
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="none" stroke="{color}" '
        'stroke-width="2.6"/>',
        f'<path d="M{x + 14} {y + 40} H{x + width - 14}" stroke="{GRID}" stroke-width="1.4"/>',
        _words(middle, y + 27, title, color, weight=700),
        *rows,
    ]


def _words(x: float, y: float, text: str, color: str, anchor: str = "middle", weight: int = 400) -> str:
    """Write a line."""
    place = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} font-size="13.5" font-weight="{weight}" fill="{color}">{text}</text>'


def _arrow(path: str, tip: str, color: str) -> Iterator[str]:
    """Draw a way with a tip at its end."""
    yield f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.4" marker-end="url(#tip-{tip})"/>'
