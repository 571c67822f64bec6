"""Training curves as an SVG picture, drawn without a plotting library so that a run folder needs none."""

import math
from collections.abc import Mapping
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
