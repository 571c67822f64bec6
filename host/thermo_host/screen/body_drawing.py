"""A body as SVG: front and back, each segment in the colour of its temperature with its number on it, and a scale."""

from xml.sax.saxutils import escape

import numpy as np

from thermo_core.body import SEGMENTS
from thermo_core.signals import Values
from thermo_core.wearable.profile import NOTICE
from thermo_host.screen.body_blocks import colour_of
from thermo_host.screen.body_shapes import BACK, FRONT, HEIGHT, WIDTH, parts
from thermo_host.screen.palette import TABLE

SCALE = 2.4
"""Pixels a unit of the figure."""
MARGIN, HEAD, FOOT = 24.0, 44.0, 78.0
BETWEEN = 60.0
_PAPER, _INK, _FAINT = "#101014", "#ebebeb", "#a0a0a5"


def drawing(values: Values, low: float, high: float, title: str, when: str, quality: str) -> str:
    """An SVG file.

    Args:
        values: (17,) degC; NaN where there is no value.
        low: number of the scale's cold end.
        high: of its warm one.
        title: what it is of.
        when: in words.
        quality: what is in doubt, in words.
    """
    width = 2 * WIDTH * SCALE + BETWEEN + 2 * MARGIN
    height = HEAD + HEIGHT * SCALE + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="sans-serif">',
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
        _text(MARGIN, 20, title, _INK, 14),
        _text(width - MARGIN, 20, when, _FAINT, 12, "end"),
    ]
    for number, view in enumerate((FRONT, BACK)):
        left = MARGIN + number * (WIDTH * SCALE + BETWEEN)
        sides = ("R", "L") if view == FRONT else ("L", "R")
        lines.append(f'<g id="{view}" transform="translate({left:.1f} {HEAD:.0f}) scale({SCALE:g})">')
        for segment, points in parts(view):
            value = float(values[segment])
            said = f"{value:.1f} °C" if np.isfinite(value) else "no value"
            corners = " ".join(f"{x:g},{y:g}" for x, y in points)
            lines.append(
                f'<polygon points="{corners}" fill="{colour_of(value, low, high)}" stroke="{_PAPER}" stroke-width="0.8" '
                f'stroke-linejoin="round"><title>{escape(SEGMENTS[segment])}: {said}</title></polygon>'
            )
        lines += [_number(segment, points, float(values[segment]), low, high) for segment, points in parts(view)]
        lines.append("</g>")
        middle, below = left + WIDTH * SCALE / 2, HEAD + HEIGHT * SCALE + 14
        lines.append(_text(middle, below, view, _FAINT, 12, "middle"))
        lines += [
            _text(left + at * WIDTH * SCALE, below, side, _FAINT, 12, "middle")
            for at, side in zip((0.1, 0.9), sides, strict=True)
        ]
    lines += _bar(low, high, width, HEAD + HEIGHT * SCALE + 26)
    lines.append(_text(MARGIN, height - 8, NOTICE, _FAINT, 12))
    lines.append(_text(width - MARGIN, height - 8, quality, _FAINT, 12, "end"))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _number(segment: int, points: tuple[tuple[float, float], ...], value: float, low: float, high: float) -> str:
    x, y = (float(np.mean([point[axis] for point in points])) for axis in (0, 1))
    bright = np.isfinite(value) and value > low + 0.65 * (high - low)
    said = f"{value:.1f}" if np.isfinite(value) else "-"
    return _text(x, y + 1.5, said, "#101014" if bright else "#ffffff", 4.2, "middle")


def _bar(low: float, high: float, width: float, top: float) -> list[str]:
    steps = TABLE[np.linspace(0, len(TABLE) - 1, 24).round().astype(int)].tolist()
    each = (width - 2 * MARGIN) / len(steps)
    found = [
        f'<rect x="{MARGIN + at * each:.2f}" y="{top:.1f}" width="{each + 0.5:.2f}" height="10" fill="#{r:02x}{g:02x}{b:02x}"/>'
        for at, (r, g, b) in enumerate(steps)
    ]
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        said = f"{low + share * (high - low):.1f}" + (" °C" if share == 1 else "")
        found.append(_text(MARGIN + share * (width - 2 * MARGIN), top + 24, said, _INK, 12, anchor))
    return found


def _text(x: float, y: float, words: str, colour: str, size: float, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}">{escape(words)}</text>'
