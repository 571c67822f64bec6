"""Who has fallen silent: a sensor that says nothing for two of its periods and a few seconds, or a whole wearable.

It looks at the clock alone, so that nothing that fails elsewhere keeps it from being noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PERIODS = 2
WHOLE = ""
"""Stands for the whole wearable in place of a sensor's name."""


@dataclass(slots=True)
class _Heard:
    """A sensor that should speak.

    Attributes:
        period_s: of its samples.
        last_s: when it spoke last.
    """

    period_s: float
    last_s: float


class Silence:
    """Watches over sensors of wearables.

    Args:
        margin_s: added to two periods of a sensor.
    """

    def __init__(self, margin_s: float) -> None:
        self.margin_s = margin_s
        self._heard: dict[str, dict[str, _Heard]] = {}

    def watch(self, wearable: str, periods_s: Mapping[str, float], now_s: float) -> None:
        """Expect these sensors of a wearable from now on, and no others; those that are expected already keep their time."""
        before = self._heard.get(wearable, {})
        self._heard[wearable] = {
            name: _Heard(period_s, before[name].last_s if name in before else now_s)
            for name, period_s in periods_s.items()
        }

    def forget(self, wearable: str) -> None:
        """Expect nothing of a wearable."""
        self._heard.pop(wearable, None)

    def watched(self) -> list[str]:
        """Wearables of which something is expected."""
        return list(self._heard)

    def heard(self, wearable: str, sensor: str, now_s: float) -> None:
        """A sensor spoke."""
        one = self._heard.get(wearable, {}).get(sensor)
        if one is not None:
            one.last_s = now_s

    def silent(self, wearable: str, now_s: float) -> dict[str, float]:
        """Seconds of silence by the name of a sensor; of WHOLE alone where the wearable says nothing at all."""
        sensors = self._heard.get(wearable, {})
        over = {
            name: now_s - one.last_s
            for name, one in sensors.items()
            if now_s - one.last_s >= PERIODS * one.period_s + self.margin_s
        }
        if not over:
            return {}
        newest_s = now_s - max(one.last_s for one in sensors.values())
        least_s = min(PERIODS * one.period_s for one in sensors.values()) + self.margin_s
        return {WHOLE: newest_s} if newest_s >= least_s else over

    def oldest_s(self, wearable: str, sensor: str | None, now_s: float) -> float | None:
        """Seconds since a sensor spoke, or since the one did that is silent longest; None where nothing is expected."""
        sensors = self._heard.get(wearable, {})
        if sensor is not None:
            return now_s - sensors[sensor].last_s if sensor in sensors else None
        return max((now_s - one.last_s for one in sensors.values()), default=None)
