"""Where on a picture something is: what a model or a cut-out looks at, and what stands out from the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from thermo_core import schema
from thermo_core.errors import ProfileError, SchemaError
from thermo_core.graph.plan import Node, Plan, plan
from thermo_core.signals import Values
from thermo_core.wearable.profile import Model, Profile
from thermo_host.exports.rows import is_picture

STANDS_OUT_K = 1.0
"""How much warmer than the median a pixel is that is drawn as standing out; three times a camera's noise."""
FEWEST_PIXELS = 4
_AT_CORNERS_TOO = np.ones((3, 3), np.bool_)
MOST = 4
"""Spots that are drawn, those of the greatest contrast."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels.

    Attributes:
        row, column: of its first pixel, counted from 0 at the top left.
        rows, columns: how many.
        name: of what it is.
    """

    row: int
    column: int
    rows: int
    columns: int
    name: str


def warm_spots(celsius: Values) -> list[Box]:
    """Connected pixels that stand out from a picture's median, greatest contrast first; pixels without a value do not count.

    Args:
        celsius: (rows, columns), degC.
    """
    known = np.isfinite(celsius)
    if not known.any():
        return []
    contrast = np.where(known, celsius - np.float32(np.median(celsius[known])), -np.inf)
    labels, count = ndimage.label(contrast >= STANDS_OUT_K, _AT_CORNERS_TOO)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[number] >= FEWEST_PIXELS:
            height = float(contrast[rows, columns][labels[rows, columns] == number].max())
            box = Box(
                rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start, f"+{height:.1f} K"
            )
            found.append((height, box))
    return [box for _, box in sorted(found, key=lambda one: -one[0])[:MOST]]


def looked_at(facts: Mapping[str, Any]) -> dict[str, list[Box]]:
    """What models and cut-outs look at, by the names of pictures of sensors; a model's box has its name.

    Args:
        facts: as `about` gives them.
    """
    try:
        whole = plan(schema.from_plain(facts["profile_whole"], Profile, "profile"))
    except (KeyError, SchemaError, ProfileError):
        return {}
    made = {node.gives.name: node for node in whole.nodes}
    found: dict[str, list[Box]] = {}
    for node in whole.nodes:
        is_model = isinstance(node.what, Model)
        if not is_model and _corner(node) is None:
            continue
        name = node.what.name if isinstance(node.what, Model) else node.gives.name
        asked = [signal.name for signal in node.inputs] if is_model else [node.gives.name]
        for source, box in {place for one in asked for place in _places(one, whole, made, name)}:
            found.setdefault(source, []).append(box)
    return found


def _places(name: str, whole: Plan, made: Mapping[str, Node], label: str) -> list[tuple[str, Box]]:
    """Where on pictures of sensors a signal lies; the whole picture where it cannot be told closer."""
    node = made.get(name)
    if node is None:
        signal = whole.signals.get(name)
        if signal is None or not is_picture(signal):
            return []
        rows, columns = signal.shape
        return [(name, Box(0, 0, rows, columns, label))]
    below = [place for signal in node.inputs for place in _places(signal.name, whole, made, label)]
    corner = _corner(node)
    if corner is None:
        return below
    rows, columns = node.gives.shape
    return [
        # Of what was scaled or merged before it cannot be told where it lies.
        (source, Box(box.row + corner[0], box.column + corner[1], rows, columns, label))
        if (box.rows, box.columns) == node.inputs[0].shape
        else (source, box)
        for source, box in below
    ]


def _corner(node: Node) -> tuple[int, int] | None:
    return None if isinstance(node.what, Model) else node.what.corner
