"""A picture in colours with its scale, time and notice, as an image."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from thermo_core.signals import Values
from thermo_core.wearable.profile import NOTICE
from thermo_host.screen.palette import TABLE, levels

WIDTH = 640
"""Least pixels of an image's width; a measured pixel becomes a whole number of them."""
LINE, BAR, MARGIN = 20, 12, 8
TEXT_SIZE = 13
_PAPER, _INK, _FAINT = (16, 16, 20), (235, 235, 235), (160, 160, 165)


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands around a picture.

    Attributes:
        name: of the signal.
        when: in words.
        quality: what is in doubt, in words.
        unit: of the numbers.
        low, high: numbers of the scale's ends.
    """

    name: str
    when: str
    quality: str
    unit: str
    low: float
    high: float


def size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of the image of a picture of that shape; both even, as video wants them."""
    rows, columns = shape
    factor = max(1, -(-WIDTH // columns))
    height = rows * factor + 3 * LINE + BAR + MARGIN
    return columns * factor + columns * factor % 2, height + height % 2


def image(values: Values, caption: Caption) -> Image.Image:
    """An RGB image; what has no value is grey.

    Args:
        values: (rows, columns) float32.
        caption: what stands around it.
    """
    rows, columns = values.shape
    width, height = size(values.shape)
    factor = width // columns
    coloured = TABLE[levels(np.nan_to_num(values, nan=caption.low), caption.low, caption.high)]
    coloured[np.isnan(values)] = (90, 90, 90)
    whole = Image.new("RGB", (width, height), _PAPER)
    shown = Image.fromarray(coloured).resize((columns * factor, rows * factor), Image.Resampling.NEAREST)
    whole.paste(shown, (0, LINE))
    draw = ImageDraw.Draw(whole)
    _text(draw, (MARGIN, 2), caption.name, _INK)
    _text(draw, (width - MARGIN, 2), caption.when, _INK, right=True)
    below = LINE + rows * factor + 4
    whole.paste(_bar(width - 2 * MARGIN), (MARGIN, below))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = MARGIN + round(share * (width - 2 * MARGIN))
        number = f"{caption.low + share * (caption.high - caption.low):.1f}"
        if share == 1.0:
            _text(draw, (at, below + BAR + 1), f"{number} {caption.unit}".strip(), _INK, right=True)
        else:
            _text(draw, (at - (0 if share == 0 else 12), below + BAR + 1), number, _INK)
    _text(draw, (MARGIN, below + BAR + LINE), NOTICE, _FAINT)
    _text(draw, (width - MARGIN, below + BAR + LINE), caption.quality[:60], _FAINT, right=True)
    return whole


def scale_of(values: NDArray[np.float32], given: tuple[float, float] | None) -> tuple[float, float]:
    """Ends of the scale: as given, or the least and greatest number."""
    if given is not None:
        return given
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return low, high if high > low else low + 1.0


@lru_cache(maxsize=4)
def _bar(width: int) -> Image.Image:
    steps = np.linspace(0, len(TABLE) - 1, width).round().astype(np.intp)
    return Image.fromarray(np.repeat(TABLE[steps][None], BAR, axis=0))


def _text(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, colour: tuple[int, int, int], right: bool = False
) -> None:
    draw.text(at, text, fill=colour, font=_font(), anchor="ra" if right else "la")


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow brings this one along, so a picture looks the same on every machine.
    return ImageFont.load_default(TEXT_SIZE)
