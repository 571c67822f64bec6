"""How far a person's skin is from what is usual of it, and its left from its right.

The picture is the mean of two seconds, less its own median: a warm room moves all of it and tells nothing. From what is usual it is
told by the stage `reference` of the wearables' graphs, which learns the person's own picture over weeks, moves each new one to lie as it
does, and learns nothing that is far from it: hub and wearables mean the same by it. The mirrored
side is the picture flipped about its middle; of their difference what changes slowly from place to place is taken away, since a patch sits
a little askew and a lamp stands on one side. How much pictures differ at all is the spread of a difference (1.4826 times its median
magnitude), and what differs by much more stands out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from thermo_core.signals import Signal, Values
from thermo_core.stages import OPS
from thermo_core.stages.reference import Reference
from thermo_core.stages.stage import Moments, Recursive
from thermo_hub.anomaly.regions import Limits, Region, regions

CALM_S = 2.0
"""Pictures whose mean is looked at."""
BLUR_PIXELS = 1.0
"""Standard deviation of the Gaussian that takes what is left of the sensor's noise."""
SLOW_PIXELS = 8.0
"""Of the one whose result is what the two sides differ by as a whole."""
LEAST_SPREAD_K = 0.1
MEMORY_S = 5_184_000.0
"""Two months over which what is usual follows the person."""
LIMIT_K = 1.0
MOST_SHIFT_PIXELS = 2.5
NOISE_K = 0.1
MAD_TO_DEVIATION = 1.4826
OWN = Limits(3.0, 0.3)
MIRROR = Limits(2.5, 0.7)
"""Two sides of a healthy body differ by tenths of a kelvin."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What stands out of a picture.

    Attributes:
        signal: whose picture.
        utc_ns: of its newest moment.
        own: places warmer than is usual for the person.
        mirror: places warmer than the mirrored side.
        ready: whether what is usual is known.
        learned_s, learn_s: how long it was learned, and how long that takes.
    """

    signal: str
    utc_ns: int
    own: tuple[Region, ...]
    mirror: tuple[Region, ...]
    ready: bool
    learned_s: float
    learn_s: float

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "signal": self.signal,
            "utc": round(self.utc_ns / 1e6, 1),
            "own": {
                "ready": self.ready,
                "learned_s": round(self.learned_s, 1),
                "learn_s": self.learn_s,
                "regions": [region.to_map() for region in self.own],
            },
            "mirror": {"regions": [region.to_map() for region in self.mirror]},
        }


class Deviation:
    """Of one signal of pictures of one wearable.

    Args:
        signal: it.
        learn_s: seconds of learning before anything is said of what is usual.
    """

    def __init__(self, signal: Signal, learn_s: float) -> None:
        self.signal = signal
        self._learn_s = learn_s
        stage = Reference(
            of="calm",
            gives="new",
            give=("difference",),
            memory_s=MEMORY_S,
            least_s=learn_s,
            limit=LIMIT_K,
            most_shift=MOST_SHIFT_PIXELS,
            noise=NOISE_K,
        )
        self._sum = np.zeros(signal.shape)
        self._flags = 0
        self._count = 0
        self._began_ns = 0
        op = OPS["reference"]
        assert isinstance(op, Recursive)
        # Two seconds a sample.
        self._learner: Any = op.start(stage, (Signal("calm", signal.shape, "K", 1 / CALM_S, "calm"),))

    @property
    def state(self) -> bytes:
        """What is usual, to be kept."""
        state: bytes = self._learner.save()
        return state

    @property
    def samples(self) -> int:
        """From how many it was learned."""
        return int(self._learner.progress.samples)

    def load(self, state: bytes) -> None:
        """Know what was kept; raises ValueError where it is not of such a picture."""
        self._learner.load(state)

    def push(self, utc_ns: int, values: Values, flags: int) -> Overlay | None:
        """Take a picture; what stands out, once every two seconds."""
        if utc_ns - self._began_ns > 2 * CALM_S * 1e9 or utc_ns < self._began_ns:
            self._count = 0
        if not self._count:
            self._began_ns, self._flags = utc_ns, 0
            self._sum = np.zeros(self.signal.shape)
        self._sum = self._sum + values
        self._flags |= flags
        self._count += 1
        if utc_ns - self._began_ns < (CALM_S - 0.05) * 1e9:
            return None
        calm = (self._sum / self._count).astype(np.float32)
        self._count = 0
        return self._look(utc_ns, calm, self._flags)

    def _look(self, utc_ns: int, calm: Values, flags: int) -> Overlay:
        known = np.isfinite(calm)
        level = np.median(calm[known]) if known.any() else np.nan
        above = blurred((calm - level).astype(np.float32))
        moments = Moments(np.array([utc_ns // 1000]), (above[None],), np.array([flags & 0xFFFF], np.uint16))
        difference, _ = self._learner.run(moments)
        progress = self._learner.progress
        own = _outstanding(blurred(difference[0]), OWN) if progress.ready else ()
        apart = (above - above[:, ::-1]).astype(np.float32)
        apart -= blurred(apart, SLOW_PIXELS)
        return Overlay(
            self.signal.name,
            utc_ns,
            own,
            _outstanding(apart, MIRROR),
            bool(progress.ready),
            progress.learned_us / 1e6,
            self._learn_s,
        )


def _outstanding(difference: Values, limits: Limits) -> tuple[Region, ...]:
    """Places at which a difference in kelvin is far from what it is elsewhere."""
    known = difference[np.isfinite(difference)]
    spread = max(float(np.median(np.abs(known))) * MAD_TO_DEVIATION if known.size else 0.0, LEAST_SPREAD_K)
    return regions((difference / np.float32(spread)).astype(np.float32), difference, limits)


def blurred(values: Values, pixels: float = BLUR_PIXELS) -> Values:
    """Smoothed with a Gaussian of a standard deviation in pixels; pixels without a value weigh nothing."""
    known = np.isfinite(values)
    weight = ndimage.gaussian_filter(known.astype(np.float32), pixels, mode="nearest")
    smooth = ndimage.gaussian_filter(np.where(known, values, 0).astype(np.float32), pixels, mode="nearest")
    with np.errstate(invalid="ignore", divide="ignore"):
        blurred: Values = np.where(known, smooth / weight, np.nan).astype(np.float32)
    return blurred
