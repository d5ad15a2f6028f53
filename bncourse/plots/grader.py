"""The grader's two compartments, as SVG written by hand: what lies where, and what crosses the border."""

from collections.abc import Iterator

from bncourse.plots.style import DIRECT, GRID, INK, MEAN, MUTED, VARIANCE, Drawing, label, with_theme

WIDTH, HEIGHT = 440, 552

TRUSTED = ("tests, hidden ones too", "the reference", "seeds, expected values", "the verdicts")
UNTRUSTED = (
    "the student's answers",
    "Python and NumPy",
    "nothing else:",
    "no tests, no network,",
    "no classmates' files",
)

ALT = (
    "Two boxes with a border between them. The oracle, above, is trusted and holds the tests, the reference, "
    "the seeds and the verdicts. The worker, below, stands in a sandbox and holds the student's answers, "
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
    parts += _box(72, VARIANCE, "oracle, trusted", TRUSTED[:2], TRUSTED[2:])
    parts += _box(332, MEAN, "worker, in a sandbox", UNTRUSTED[:2], UNTRUSTED[2:])
    border = f'stroke="{INK}" stroke-width="1.6" stroke-dasharray="2 6" stroke-linecap="round"'
    parts.append(f'<path d="M12 262 H428" {border}/>')
    parts.append(_words(204, 254, "the border", INK))
    parts += [*_arrow("M120 182 V324", "in", DIRECT), *_arrow("M292 326 V184", "out", MEAN)]
    parts += [_words(112, 238, "raw inputs", DIRECT, "end"), _words(112, 296, "handles", DIRECT, "end")]
    parts += [
        _words(300, 238, "bytes, type, shape", MEAN, "start"),
        _words(300, 296, "numbers, strings", MEAN, "start"),
    ]
    parts += [_words(120, 22, "the master", INK), *_arrow("M120 32 V64", "rest", MUTED)]
    parts.append(_words(112, 54, "all but answers", MUTED, "end"))
    parts += [_words(428, 22, "gradebook, feedback, exports", INK, "end"), *_arrow("M330 68 V34", "rest", MUTED)]
    parts.append(_words(322, 54, "one verdict a test", MUTED, "end"))
    parts += [_words(120, 542, "the notebook handed in", INK), *_arrow("M120 522 V470", "rest", MUTED)]
    parts.append(_words(130, 502, "answers", MUTED, "start"))
    parts.append("</svg>")
    svg = label("\n".join(parts), ALT, unit=1)
    return Drawing(with_theme(svg), ALT)


def _box(y: float, color: str, title: str, left: tuple[str, ...], right: tuple[str, ...]) -> list[str]:
    """Draw a compartment: its name in its color, and below it what lies in it, in two columns."""
    columns = ((116, left), (324, right))
    rows = [_words(x, y + 62 + 24 * place, line, INK) for x, lines in columns for place, line in enumerate(lines)]
    height = 82 + 24 * (max(len(left), len(right)) - 1)
    return [
        f'<rect x="12" y="{y}" width="416" height="{height}" rx="10" fill="none" stroke="{color}" stroke-width="2.6"/>',
        f'<path d="M26 {y + 38} H414" stroke="{GRID}" stroke-width="1.4"/>',
        _words(220, y + 26, title, color, weight=700),
        *rows,
    ]


def _words(x: float, y: float, text: str, color: str, anchor: str = "middle", weight: int = 400) -> str:
    """Write a line."""
    place = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} font-size="13.5" font-weight="{weight}" fill="{color}">{text}</text>'


def _arrow(path: str, tip: str, color: str) -> Iterator[str]:
    """Draw a way with a tip at its end."""
    yield f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.4" marker-end="url(#tip-{tip})"/>'
