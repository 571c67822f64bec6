"""The newest numbers of a wearable for whoever wants numbers and no records: what a home shows, say."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from thermo_core.recording.session import Session
from thermo_core.signals import Signal
from thermo_core.wearable.profile import NOTICE
from thermo_host.screen.layout import is_picture, picture
from thermo_hub.events import Measured, Sampled

VOLT = "V"
DIGITS = 3


def pictures(session: Session) -> list[Signal]:
    """Pictures of temperature that its sensors give."""
    sensed = [session.plan.signals[sensor.name] for sensor in session.profile.sensors]
    return [signal for signal in sensed if is_picture(signal) and signal.unit == "degC"]


def supplies(session: Session) -> list[Signal]:
    """Signals of its supply: single numbers in V."""
    sensed = [signal for sensor in session.profile.sensors for signal in sensor.signals]
    return [signal for signal in sensed if signal.unit == VOLT and signal.elements == 1]


class Numbers:
    """The newest numbers of a wearable."""

    def __init__(self) -> None:
        self._pictures: dict[str, Mapping[str, float | None]] = {}
        self._supplies: dict[str, float | None] = {}
        self._age_s: float | None = None
        self._at_ns = 0

    def sampled(self, event: Sampled) -> None:
        """Take a sample."""
        signal = event.signal
        if is_picture(signal) and signal.unit == "degC":
            values = picture(event.values)
            known = values[np.isfinite(values)]
            found = (known.min(), known.mean(), known.max()) if known.size else (math.nan,) * 3
            self._pictures[signal.name] = dict(zip(("min", "mean", "max"), map(_number, found), strict=True))
        elif signal.unit == VOLT and signal.elements == 1:
            self._supplies[signal.name] = _number(event.values.reshape(-1)[0])
        else:
            return
        self._at_ns = max(self._at_ns, event.utc_ns)

    def measured(self, event: Measured) -> None:
        """Take how its line does."""
        self._age_s = round(max([event.age_s, *event.stale.values()]), 1)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "at_ms": self._at_ns // 1_000_000,
            "pictures": self._pictures,
            "supply": self._supplies,
            "age_s": self._age_s,
            "notice": NOTICE,
        }


def _number(value: Any) -> float | None:
    return round(float(value), DIGITS) if math.isfinite(value) else None
