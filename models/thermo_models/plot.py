"""Curves as SVG pictures, drawn without a plotting library so that a run folder needs none."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from thermo_models.fit import Curves

WIDTH, HEIGHT, MARGIN = 640, 360, 48
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")


def curves_svg(title: str, curves: Mapping[str, Curves]) -> str:
    """Loss by epoch on a logarithmic scale; training solid, validation dashed.

    Args:
        title: above the picture.
        curves: by name of the fold.
    """
    every = [v for c in curves.values() for v in (*c.training, *c.validation) if v > 0 and math.isfinite(v)]
    low, high = (math.log10(min(every)), math.log10(max(every))) if every else (0.0, 1.0)
    high = max(high, low + 0.1)
    longest = max([2, *(len(c.training) for c in curves.values())])

    def points(values: tuple[float, ...]) -> str:
        return " ".join(
            f"{MARGIN + (WIDTH - 2 * MARGIN) * i / (longest - 1):.1f},"
            f"{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (math.log10(v) - low) / (high - low):.1f}"
            for i, v in enumerate(values)
            if v > 0 and math.isfinite(v)
        )

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{MARGIN}" y="24">{escape(title)}</text>',
        f'<text x="4" y="{MARGIN}">{10**high:.3g}</text><text x="4" y="{HEIGHT - MARGIN}">{10**low:.3g}</text>',
        f'<text x="{MARGIN}" y="{HEIGHT - 16}">epoch 1</text>',
        f'<text x="{WIDTH - MARGIN - 24}" y="{HEIGHT - 16}">{longest}</text>',
        f'<path d="M{MARGIN},{MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" stroke="#999"/>',
    ]
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        for values, dash in ((curve.training, "none"), (curve.validation, "4 3")):
            lines.append(
                f'<polyline points="{points(values)}" fill="none" stroke="{colour}" stroke-dasharray="{dash}">'
                f"<title>{escape(name)}</title></polyline>"
            )
    return "\n".join([*lines, "</svg>", ""])


def lines_svg(
    title: str, panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], limits: tuple[float, float]
) -> str:
    """Lines through points, panel beside panel on one pair of axes, with a legend below.

    Args:
        title: above the picture.
        panels: name to lines; a line's name, the same in all panels, to its (x, y).
        limits: least and largest y.
    """
    side, top, gap = 240, 56, 40
    low, high = limits
    every = [x for lines in panels.values() for points in lines.values() for x, _ in points] or [0.0, 1.0]
    first, last = min(every), max(max(every), min(every) + 1e-9)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    width, bottom = gap + len(panels) * (side + gap), top + side
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 64}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{bottom + 64}" fill="white"/><text x="{gap}" y="20">{escape(title)}</text>',
    ]
    for number, (panel, lines) in enumerate(panels.items()):
        left = gap + number * (side + gap)

        def place(x: float, y: float, left: int = left) -> tuple[float, float]:
            return left + side * (x - first) / (last - first), bottom - side * (y - low) / (high - low)

        picture.append(f'<text x="{left}" y="{top - 10}">{escape(panel)}</text>')
        for step in range(4):
            y = low + (high - low) * step / 3
            at = place(first, y)[1]
            picture.append(f'<path d="M{left},{at:.1f}H{left + side}" stroke="#ddd"/>')
            picture.append(f'<text x="{left - 4}" y="{at + 4:.1f}" text-anchor="end">{y:.1f}</text>')
        for x in sorted({x for points in lines.values() for x, _ in points}):
            at = place(x, low)[0]
            picture.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{x:.3g}</text>')
        for name, points in lines.items():
            colour = COLOURS[names.index(name) % len(COLOURS)]
            path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
            picture.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for number, name in enumerate(names):
        left, colour = gap + number * 220, COLOURS[number % len(COLOURS)]
        picture.append(f'<path d="M{left},{bottom + 40}h24" stroke="{colour}" stroke-width="2"/>')
        picture.append(f'<text x="{left + 30}" y="{bottom + 44}">{escape(name)}</text>')
    return "\n".join([*picture, "</svg>", ""])
