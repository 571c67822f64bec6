"""Where on a body a sensor sits: segments, and sites between them with names."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.people.table import SEGMENTS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Skin at one spot.

    Attributes:
        name: of it.
        share: of each segment in it, (17,).
        offset_k: warmer than these by so much.
        spread_k: standard deviation between people of what it is warmer by.
    """

    name: str
    share: Array
    offset_k: float = 0.0
    spread_k: float = 0.08

    @property
    def segment(self) -> int:
        """Number of the segment that it is mostly of."""
        return int(np.argmax(self.share))


_SITES: Mapping[str, tuple[Mapping[str, float], float, float]] = {
    # Wrists of real people: 32.7 +- 2.0 degC in rooms.
    "LWrist": ({"LArm": 0.6, "LHand": 0.4}, -1.7, 0.6),
    "RWrist": ({"RArm": 0.6, "RHand": 0.4}, -1.7, 0.6),
    "LForearm": ({"LArm": 1.0}, 0.0, 0.15),
    "RForearm": ({"RArm": 1.0}, 0.0, 0.15),
    "LFinger": ({"LHand": 1.0}, -0.6, 0.5),
    "RFinger": ({"RHand": 1.0}, -0.6, 0.5),
    "LPalm": ({"LHand": 1.0}, 0.2, 0.2),
    "RPalm": ({"RHand": 1.0}, 0.2, 0.2),
    # Left and right of a healthy forehead differ by 0.18 +- 0.18 K.
    "LForehead": ({"Head": 1.0}, 0.0, 0.13),
    "RForehead": ({"Head": 1.0}, 0.0, 0.13),
    "Forehead": ({"Head": 1.0}, 0.0, 0.1),
    "LCanthus": ({"Head": 1.0}, 0.9, 0.15),
    "RCanthus": ({"Head": 1.0}, 0.9, 0.15),
    "Cheek": ({"Head": 1.0}, -0.9, 0.3),
    "Nose": ({"Head": 0.7, "RHand": 0.3}, -1.5, 0.8),
    "Sternum": ({"Chest": 1.0}, 0.1, 0.15),
    "LBreast": ({"Chest": 1.0}, -0.4, 0.2),
    "RBreast": ({"Chest": 1.0}, -0.4, 0.2),
}
SITES = (*SEGMENTS, *_SITES)
"""Names that `place` takes."""


def place(name: str) -> Place:
    """A segment or site by name.

    Raises:
        UsageError: there is none.
    """
    if name in SEGMENTS:
        return Place(name, np.eye(len(SEGMENTS))[SEGMENTS.index(name)])
    if name not in _SITES:
        raise UsageError(f"There is no place {name!r} on a body; use one of {', '.join(SITES)}.")
    parts, offset_k, spread_k = _SITES[name]
    share = np.zeros(len(SEGMENTS))
    for segment, part in parts.items():
        share[SEGMENTS.index(segment)] = part
    return Place(name, share, offset_k, spread_k)
