"""Places for short texts upon a picture: each where it first fits, within the picture and beside those that stand already."""

from collections.abc import Iterable
from dataclasses import dataclass, field

WIDE = 0.62
"""Width of a character, in heights of the text."""
APART = 3.0
"""Between two texts, in units of the drawing."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Place = tuple[float, float, str]
"""Where a text may stand: x, y of its base line, and whether x is its "start", "middle" or "end"."""


@dataclass(slots=True)
class Labels:
    """Texts that stand upon a picture.

    Attributes:
        within: the picture.
        taken: boxes of those that stand.
    """

    within: Box
    taken: list[Box] = field(default_factory=list)

    def place(self, text: str, size: float, places: Iterable[Place]) -> Place | None:
        """The first of some places at which a text fits, which is taken by it; None where it fits at none of them."""
        for place in places:
            box = _box(text, size, place)
            if _inside(box, self.within) and not any(_meet(box, other) for other in self.taken):
                self.taken.append(box)
                return place
        return None


def _box(text: str, size: float, place: Place) -> Box:
    x, y, anchor = place
    width = WIDE * size * len(text)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, y - size, left + width, y + 0.25 * size


def _inside(box: Box, outer: Box) -> bool:
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def _meet(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] + APART
        and other[0] < one[2] + APART
        and one[1] < other[3] + APART
        and other[1] < one[3] + APART
    )
