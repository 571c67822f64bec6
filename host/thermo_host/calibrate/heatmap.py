"""Maps of 24 x 32 values as tiny PNG pictures and their colour bars."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thermo_host.calibrate.observation import Flags, Floats

DIVERGING = ("2166ac", "67a9cf", "d1e5f0", "f7f7f7", "fddbc7", "ef8a62", "b2182b")
"""Blue below, white at, red above zero (ColorBrewer RdBu)."""
SEQUENTIAL = ("0d0887", "5b02a3", "9a179b", "cb4678", "eb7852", "fbb32f", "f0f921")
"""Dark to light (after matplotlib's plasma)."""
MARK = (0, 200, 83)


@dataclass(frozen=True, slots=True)
class Scale:
    """Colours over a range.

    Attributes:
        low, high: values at the ends.
        anchors: hexadecimal colours, evenly spaced.
    """

    low: float
    high: float
    anchors: tuple[str, ...] = SEQUENTIAL

    def rgb(self, values: Floats) -> NDArray[np.uint8]:
        """(..., 3) colours; values beyond the ends take the ends' colour."""
        table = np.array([[int(anchor[i : i + 2], 16) for i in (0, 2, 4)] for anchor in self.anchors], np.float64)
        span = self.high - self.low or 1.0
        place = np.clip((np.asarray(values) - self.low) / span, 0, 1) * (len(table) - 1)
        colours = [np.interp(place, np.arange(len(table)), table[:, channel]) for channel in range(3)]
        pixels: NDArray[np.uint8] = np.rint(np.stack(colours, axis=-1)).astype(np.uint8)
        return pixels

    def css_gradient(self) -> str:
        """A CSS gradient from left (low) to right (high)."""
        return f"linear-gradient(to right,{','.join('#' + anchor for anchor in self.anchors)})"


def symmetric(*maps: NDArray[np.floating[Any]]) -> Scale:
    """A diverging scale around zero that holds 99 % of the given values."""
    size = max(1e-3, max(float(np.percentile(np.abs(values), 99)) for values in maps))
    return Scale(-size, size, DIVERGING)


def spanning(values: Floats) -> Scale:
    """A sequential scale from the 1st to the 99th percentile."""
    low, high = np.percentile(values, [1, 99])
    return Scale(float(low), float(high))


def png(values: Floats, scale: Scale, marked: Flags | None = None) -> bytes:
    """A PNG of one pixel a value; `marked` ones are green."""
    rgb = scale.rgb(values)
    if marked is not None:
        rgb[marked] = MARK
    made = io.BytesIO()
    Image.fromarray(rgb).save(made, format="PNG", optimize=True)
    return made.getvalue()


def data_uri(image: bytes) -> str:
    """For the src of an img element."""
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
