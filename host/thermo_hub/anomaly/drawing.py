"""The annotated picture as SVG and as PNG: colours, isotherms, what stands out, scale, time, and that it informs only."""

import base64
import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from thermo_core.signals import Values
from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE
from thermo_host.screen.heatmap import resampled
from thermo_host.screen.palette import TABLE, levels
from thermo_hub.anomaly.deviation import Overlay, blurred
from thermo_hub.anomaly.labels import Labels, Place
from thermo_hub.anomaly.occlusion import Rest
from thermo_hub.anomaly.outlines import Line, outlines
from thermo_hub.anomaly.regions import Region

SCALE = 24
"""Units of the drawing to a pixel of the sensor."""
HEAD, FOOT, MARGIN = 52.0, 118.0, 20.0
ISOTHERMS = 8
PAPER, INK, FAINT = "#101014", "#ebebeb", "#a8a8b0"
OWN, MIRROR, REST = "#ffffff", "#7fe3ff", "#b6f09c"
_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the drawing says of where it comes from.

    Attributes:
        title: of it.
        when: in words.
        known: lines on calibration, uncertainty and quality.
    """

    title: str
    when: str
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line to draw, in the drawing's units."""

    points: Line
    colour: str
    width: float
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A text to draw; `anchor` is start, middle or end, `y` its base line."""

    x: float
    y: float
    text: str
    colour: str
    size: float
    anchor: str = "start"
    halo: bool = False


@dataclass(slots=True)
class Drawing:
    """Everything upon the picture, for whoever draws it.

    Attributes:
        width, height: of it.
        image: the picture in colours.
        bar: the scale in colours.
        strokes, words: upon them, in order.
    """

    width: float
    height: float
    image: Image.Image
    bar: Image.Image
    strokes: list[Stroke] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)


def draw(values: Values, overlay: Overlay | None, subject: Subject, resting: tuple[Rest, ...] = ()) -> Drawing:
    """Work the drawing out.

    Args:
        values: (rows, columns) degC; NaN where there is no value.
        overlay: what stands out; None where that is not known yet.
        subject: where it comes from.
        resting: what findings rest on.
    """
    rows, columns = values.shape
    width, height = columns * SCALE + 2 * MARGIN, rows * SCALE + HEAD + FOOT
    known = values[np.isfinite(values)]
    low, high = (float(np.percentile(known, 0.5)), float(np.percentile(known, 99.5))) if known.size else (20.0, 40.0)
    if high - low < 1.5:
        low, high = (low + high - 1.5) / 2, (low + high + 1.5) / 2
    large = resampled(values, SCALE / 2)
    coloured = TABLE[levels(np.nan_to_num(large, nan=low), low, high)]
    coloured[np.isnan(large)] = (90, 90, 90)
    bar = TABLE[np.linspace(0, len(TABLE) - 1, 256).round().astype(np.intp)][None]
    drawing = Drawing(width, height, Image.fromarray(coloured), Image.fromarray(bar))
    labels = Labels((MARGIN, HEAD, width - MARGIN, height - FOOT))
    isotherms = _isotherms(drawing, values, low, high)
    if overlay is not None:
        for places, colour, dashed in ((overlay.mirror, MIRROR, True), (overlay.own, OWN, False)):
            _places(drawing, places, colour, dashed, labels)
    for rest in resting:
        drawing.strokes += [Stroke(_placed(line), REST, 2.5, dashed=True) for line in rest.outline]
    _name(drawing, isotherms, labels)
    _around(drawing, overlay, subject, (low, high), resting)
    return drawing


def to_svg(drawing: Drawing) -> str:
    """As an SVG file, in which nothing is fetched from elsewhere."""
    wide, high = drawing.width - 2 * MARGIN, drawing.height - HEAD - FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawing.width:.0f}" height="{drawing.height:.0f}" '
        f'viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" font-family="DejaVu Sans, sans-serif">',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        _embedded(drawing.image, MARGIN, HEAD, wide, high),
        _embedded(drawing.bar, MARGIN, HEAD + high + 12, wide, 12),
    ]
    for stroke in drawing.strokes:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in stroke.points)
        dashes = ' stroke-dasharray="9 6"' if stroke.dashed else ""
        for colour, extra in ((PAPER, 3.0), (stroke.colour, 0.0)):
            if extra and stroke.width < 2:
                continue
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{stroke.width + extra:g}" '
                f'stroke-linejoin="round"{dashes if not extra else ""}/>'
            )
    for words in drawing.words:
        halo = f' stroke="{PAPER}" stroke-width="4" paint-order="stroke" stroke-linejoin="round"' if words.halo else ""
        lines.append(
            f'<text x="{words.x:.1f}" y="{words.y:.1f}" fill="{words.colour}" font-size="{words.size:g}" '
            f'text-anchor="{words.anchor}"{halo}>{escape(clean(words.text))}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def to_png(drawing: Drawing, factor: int = 2) -> bytes:
    """As a PNG file, `factor` pixels to a unit."""
    whole = Image.new("RGB", (round(drawing.width * factor), round(drawing.height * factor)), PAPER)
    wide, high = round((drawing.width - 2 * MARGIN) * factor), round((drawing.height - HEAD - FOOT) * factor)
    left, top = round(MARGIN * factor), round(HEAD * factor)
    whole.paste(drawing.image.resize((wide, high), Image.Resampling.BILINEAR), (left, top))
    whole.paste(drawing.bar.resize((wide, 12 * factor)), (left, top + high + 12 * factor))
    pen = ImageDraw.Draw(whole)
    for stroke in drawing.strokes:
        points = [(x * factor, y * factor) for x, y in stroke.points]
        pieces = list(_dashes(points, 9.0 * factor, 6.0 * factor)) if stroke.dashed else [points]
        if stroke.width >= 2:
            pen.line(points, fill=PAPER, width=round((stroke.width + 3) * factor), joint="curve")
        for piece in pieces:
            pen.line(piece, fill=stroke.colour, width=max(1, round(stroke.width * factor)), joint="curve")
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for words in drawing.words:
        pen.text(
            (words.x * factor, words.y * factor),
            clean(words.text),
            fill=words.colour,
            font=ImageFont.load_default(words.size * factor),
            anchor=anchors[words.anchor],
            stroke_width=2 * factor if words.halo else 0,
            stroke_fill=PAPER,
        )
    written = io.BytesIO()
    whole.save(written, "PNG")
    return written.getvalue()


def _isotherms(drawing: Drawing, values: Values, low: float, high: float) -> list[tuple[str, Line]]:
    """Draw them; the text of each, and its longest line."""
    step = next((step for step in _STEPS if (high - low) / step <= ISOTHERMS), 10.0)
    smooth = resampled(blurred(values), 2)
    named = []
    for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1):
        found = [line for line in outlines(smooth, number * step) if len(line) >= 8]
        lines = [_placed((x / 2, y / 2) for x, y in line) for line in found]
        drawing.strokes += [Stroke(line, "#d8d8de", 1.0) for line in lines]
        if lines:
            named.append((f"{number * step:.1f}", max(lines, key=len)))
    return named


def _name(drawing: Drawing, isotherms: list[tuple[str, Line]], labels: Labels) -> None:
    """Write temperatures upon isotherms, each where there is room along its line; those without room stay unnamed."""
    for text, line in isotherms:
        along = (line[int(len(line) * share)] for share in (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9))
        place = labels.place(text, 13, ((x, y + 5, "middle") for x, y in along))
        if place is not None:
            drawing.words.append(Words(place[0], place[1], text, INK, 13, place[2], halo=True))


def _places(drawing: Drawing, places: tuple[Region, ...], colour: str, dashed: bool, labels: Labels) -> None:
    for number, place in enumerate(places):
        for line in place.outline:
            drawing.strokes.append(Stroke(_placed(line), colour, 2.5, dashed))
        if number == 0:
            (x, y) = _placed([place.peak])[0]
            drawing.strokes += [
                Stroke(((x - 12, y), (x + 12, y)), colour, 2.5),
                Stroke(((x, y - 12), (x, y + 12)), colour, 2.5),
            ]
            text, around = f"+{place.kelvin:.1f} K", _around_peak(x, y, below=dashed)
            at = labels.place(text, 20, around) or around[0]
            drawing.words.append(Words(at[0], at[1], text, colour, 20, at[2], halo=True))


def _around_peak(x: float, y: float, below: bool) -> list[Place]:
    """Where the text of a peak may stand; the two kinds of peaks begin on two sides."""
    up, down = y - 14, y + 34
    heights = (down, up, y + 64, y - 44) if below else (up, down, y - 44, y + 64)
    return [(x + by, height, anchor) for height in heights for by, anchor in ((16, "start"), (-16, "end"))]


def _around(
    drawing: Drawing, overlay: Overlay | None, subject: Subject, scale: tuple[float, float], resting: tuple[Rest, ...]
) -> None:
    low, high = scale
    width, below = drawing.width, drawing.height - FOOT
    say = drawing.words.append
    say(Words(MARGIN, 32, subject.title, INK, 19))
    say(Words(width - MARGIN, 32, subject.when, FAINT, 15, "end"))
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        unit = " °C" if share == 1 else ""
        say(
            Words(
                MARGIN + share * (width - 2 * MARGIN),
                below + 42,
                f"{low + share * (high - low):.1f}{unit}",
                INK,
                14,
                anchor,
            )
        )
    if overlay is not None:
        own = "learning what is usual" if not overlay.ready else f"{len(overlay.own)} warmer than usual for this person"
        say(
            Words(
                MARGIN,
                below + 66,
                f"white: {own};  blue, dashed: {len(overlay.mirror)} warmer than the mirrored side",
                INK,
                14,
            )
        )
    words = [f"green, dashed: what {rest.label} ({rest.score:.0%}) rests on" for rest in resting if rest.outline]
    say(Words(MARGIN, below + 86, "; ".join([*words, *subject.known]), FAINT, 13))
    say(Words(MARGIN, below + 106, NOTICE, INK, 14))


def _placed(points: Iterable[tuple[float, float]]) -> Line:
    return tuple((MARGIN + x * SCALE, HEAD + y * SCALE) for x, y in points)


def _embedded(image: Image.Image, x: float, y: float, width: float, height: float) -> str:
    written = io.BytesIO()
    image.save(written, "PNG")
    data = base64.b64encode(written.getvalue()).decode()
    return (
        f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _dashes(points: list[tuple[float, float]], on: float, off: float) -> Iterable[list[tuple[float, float]]]:
    """A polyline cut into dashes of a length with gaps of another."""
    piece, left, drawing = [points[0]], on, True
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = float(np.hypot(x1 - x0, y1 - y0))
        done = 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if drawing:
                yield [*piece, at]
            piece, drawing = [at], not drawing
            left = on if drawing else off
        left -= length - done
        piece.append((x1, y1))
    if drawing and len(piece) > 1:
        yield piece
