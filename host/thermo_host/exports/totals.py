"""What an export has come to, in numbers."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thermo_core.signals import Signal
from thermo_host.exports.rows import Row, SampleRow, SessionRow


@dataclass(slots=True)
class Extent:
    """Of the numbers of one signal, as far as they were measured.

    Attributes:
        signal: which.
        samples: so many.
        last: the newest one.
    """

    signal: Signal
    samples: int = 0
    last: Any = None
    _low: float = np.inf
    _high: float = -np.inf
    _sum: float = 0.0
    _count: int = 0

    def add(self, row: SampleRow) -> None:
        """Take a sample."""
        self.samples += 1
        values = row.sample.values
        self.last = values
        if values.size == 1:
            self._add(*(values.item(),) * 3, 1)
            return
        shown = values[row.measured] if row.measured is not None and not row.measured.all() else values.ravel()
        if shown.size and math.isnan(shown.min()):
            shown = shown[~np.isnan(shown)]
        if shown.size:
            self._add(float(shown.min()), float(shown.max()), float(shown.sum(dtype=np.float64)), shown.size)

    def _add(self, low: float, high: float, total: float, count: int) -> None:
        if total == total:
            self._low, self._high = min(self._low, low), max(self._high, high)
            self._sum += total
            self._count += count

    @property
    def range(self) -> tuple[float, float] | None:
        """Least and greatest number; None where there is none."""
        return (self._low, self._high) if self._count else None

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "samples": self.samples,
            "unit": self.signal.unit,
            "min": round(self._low, 4) if self._count else None,
            "mean": round(self._sum / self._count, 4) if self._count else None,
            "max": round(self._high, 4) if self._count else None,
        }


@dataclass(slots=True)
class Totals:
    """What has been written.

    Attributes:
        signals: by the keys of tracks.
        rows: of each table.
        lost: blocks that are missing.
        undecodable: blocks that gave nothing: what they hold cannot be right, or their constants are not known.
    """

    signals: dict[str, Extent] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    undecodable: int = 0

    @property
    def samples(self) -> int:
        """Of all signals."""
        return sum(extent.samples for extent in self.signals.values())

    def add(self, row: Row) -> None:
        """Take a row."""
        if isinstance(row, SampleRow):
            extent = self.signals.get(row.track.key)
            if extent is None:
                extent = self.signals[row.track.key] = Extent(row.track.signal)
            extent.add(row)
        elif not isinstance(row, SessionRow):
            self.rows[row.table.key] = self.rows.get(row.table.key, 0) + 1

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "signals": {key: extent.to_map() for key, extent in self.signals.items()},
            "rows": dict(self.rows),
            "lost": self.lost,
            "undecodable": self.undecodable,
        }
