"""Made-up days of trends, so that pages of a demonstration have something to show; each is marked as made up by its calibration."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from math import cos, pi
from random import Random

from thermo_hub.store.store import Store
from thermo_hub.trends.keeper import MINUTE_NS, Minute, TrendKeeper

SERIES = (
    ("skin.mean", "skin mean", 33.6, 0.35),
    ("skin.max", "skin max", 35.4, 0.35),
    ("spots.0", "thermistor 1", 33.9, 0.3),
)
"""Name, label, level in degC, and half of the daily swing."""
SAMPLES = 20
MADE_UP = "made up"
BATCH_MINUTES = 120


def fill(store: Store, wearables: Sequence[str], days: float = 1.0, seed: int = 0, now_ns: int | None = None) -> None:
    """Fill the days before now: a daily swing, some noise, and an hour in which the wearable was off.

    Args:
        store: of a hub that does not run yet.
        wearables: ids.
        days: how many.
        seed: of what is made up.
        now_ns: end of it; now where left out.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    keeper = TrendKeeper(store, lambda: None)
    last = now_ns // MINUTE_NS * MINUTE_NS
    count = round(days * 24 * 60)
    for wearable in wearables:
        rng = Random(f"{seed} {wearable}")
        minutes: list[Minute] = []
        for at in range(count):
            start_ns = last - (count - at) * MINUTE_NS
            if at % 1440 not in range(780, 840):
                minutes += _minute(wearable, start_ns, rng)
            if len(minutes) >= BATCH_MINUTES * len(SERIES):
                keeper.add(minutes, start_ns + MINUTE_NS)
                minutes = []
        keeper.add(minutes, now_ns)
        keeper.settle()


def _minute(wearable: str, start_ns: int, rng: Random) -> Iterator[Minute]:
    hour = start_ns / MINUTE_NS / 60 % 24
    for name, label, level, swing in SERIES:
        middle = level + swing * cos((hour - 2) / 24 * 2 * pi) + rng.gauss(0, 0.03)
        counts = Counter(round(1000 * (middle + rng.gauss(0, 0.05))) for _ in range(SAMPLES))
        ambient = round(1000 * (24 + 2 * cos((hour - 15) / 24 * 2 * pi)))
        yield Minute(wearable, name, label, "degC", start_ns, counts, 0, 0, ambient, 130, MADE_UP)
