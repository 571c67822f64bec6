"""What a recording measured, in a few numbers: temperatures, thermistors, verdicts."""

from typing import Any

import numpy as np
from thermo_core.profile import NOTICE

from thermo_core.recording.layout import Gap
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_core.wire.records import ThermistorRecord, VerdictRecord
from thermo_host.link.lease import Telemetry
from thermo_host.link.session import Session
from thermo_host.sinks.describe import channel_names, label_names, utc


class Summary:
    """Takes items as a monitor does and keeps sums alone, however long the recording.

    Args:
        session: whose it is at the start.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pictures = 0
        self._coldest, self._hottest, self._sum = np.inf, -np.inf, 0.0
        self._first_ns = self._last_ns = 0
        self._thermistors: dict[str, list[float]] = {}
        self._labels: dict[str, int] = {}
        self._alerts = 0

    def push(self, item: Telemetry | Gap | Session, picture: Picture | None) -> None:
        """Take an item and the picture that it completed."""
        if isinstance(item, Session):
            self._session = item
        if not isinstance(item, Telemetry):
            return
        self._first_ns = self._first_ns or item.received_ns
        self._last_ns = item.received_ns
        if picture is not None and picture.valid.any():
            shown = picture.celsius[picture.valid]
            self._pictures += 1
            self._coldest, self._hottest = min(self._coldest, shown.min()), max(self._hottest, shown.max())
            self._sum += float(shown.mean())
        record = item.record
        if isinstance(record, ThermistorRecord):
            names = channel_names(self._session, record.sensor, len(record.channels))
            for name, channel in zip(names, record.channels, strict=True):
                if channel.celsius is not None:
                    count_and_sum = self._thermistors.setdefault(name, [0.0, 0.0])
                    count_and_sum[0] += 1
                    count_and_sum[1] += channel.celsius
        elif isinstance(record, VerdictRecord):
            names = label_names(self._session, len(record.scores))
            label = names[record.label] if record.label < len(names) else str(record.label)
            self._labels[label] = self._labels.get(label, 0) + 1
            self._alerts += record.alert

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seconds": round((self._last_ns - self._first_ns) / 1e9, 3),
            "min_c": round(float(self._coldest), 3) if self._pictures else None,
            "mean_c": round(self._sum / self._pictures, 3) if self._pictures else None,
            "max_c": round(float(self._hottest), 3) if self._pictures else None,
            "thermistors_c": {name: round(total / count, 3) for name, (count, total) in self._thermistors.items()},
            "verdicts": self._labels,
            "alerts": self._alerts,
            "notice": NOTICE,
        }

    def words(self) -> str:
        """For people."""
        lines = [f"From {utc(self._session.started_ns)[:19]} UTC, {(self._last_ns - self._first_ns) / 1e9:.1f} s."]
        if self._pictures:
            mean = self._sum / self._pictures
            lines.append(f"Pictures: {self._coldest:.2f} to {self._hottest:.2f} °C, mean {mean:.2f} °C.")
        if self._thermistors:
            each = (f"{name} {total / count:.2f}" for name, (count, total) in self._thermistors.items())
            lines.append(f"Thermistors, mean: {', '.join(each)} °C.")
        if self._labels:
            each = (f"{label} {count}" for label, count in sorted(self._labels.items()))
            lines.append(f"Verdicts: {', '.join(each)}; {self._alerts} with alert. {NOTICE}")
        return "\n".join(lines)
