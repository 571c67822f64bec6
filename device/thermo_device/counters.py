"""Counts of everything that went wrong or was dropped, by name and sensor; names are those of `thermo_core.wire.events`."""

import threading
from typing import Protocol

Key = tuple[str, int | None]
"""Name, and the sensor it is about; None for none."""


class Tally(Protocol):
    """Where one part of a wearable counts."""

    def add(self, name: str, count: int = 1) -> None:
        """Count `count` more of `name`."""

    def get(self, name: str) -> int:
        """How many of `name` so far."""


class Counters:
    """Counts by name; any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Key, int] = {}

    def add(self, name: str, count: int = 1, sensor: int | None = None) -> None:
        """Count `count` more of `name`."""
        with self._lock:
            self._counts[name, sensor] = self._counts.get((name, sensor), 0) + count

    def get(self, name: str) -> int:
        """How many of `name` so far, of all sensors together."""
        with self._lock:
            return sum(count for (counted, _), count in self._counts.items() if counted == name)

    def of(self, sensor: int) -> Tally:
        """Where a sensor counts."""
        return _OfSensor(self, sensor)

    def snapshot(self) -> dict[str, int]:
        """All counts at one moment, by name; a name that never counted is absent."""
        totals: dict[str, int] = {}
        for (name, _), count in self.by_sensor().items():
            totals[name] = totals.get(name, 0) + count
        return dict(sorted(totals.items()))

    def by_sensor(self) -> dict[Key, int]:
        """All counts at one moment, by name and sensor."""
        with self._lock:
            return dict(self._counts)


class _OfSensor:
    """One sensor's part of the counts."""

    def __init__(self, counters: Counters, sensor: int) -> None:
        self._counters, self._sensor = counters, sensor

    def add(self, name: str, count: int = 1) -> None:
        self._counters.add(name, count, self._sensor)

    def get(self, name: str) -> int:
        return self._counters.by_sensor().get((name, self._sensor), 0)
