"""What a recording measured, in a few numbers: signals, findings, alerts."""

from collections import Counter
from typing import Any

import numpy as np

from thermo_core.graph.alerts import AlertState
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import LslSamples
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import NOTICE
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_host.link.items import Item, Telemetry
from thermo_host.moments import utc
from thermo_host.sinks.describe import counted, element_names, number

FEW = 16
"""Numbers of a signal that are summed one by one; more are summed together."""


class _Sums:
    """Of one number."""

    def __init__(self) -> None:
        self.count, self.total = 0, 0.0
        self.low, self.high = np.inf, -np.inf

    def add(self, values: Any) -> None:
        if values.size:
            self.count += 1
            self.total += float(values.mean())
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    def to_map(self, unit: str) -> dict[str, Any]:
        if not self.count:
            return {"samples": 0, "unit": unit, "min": None, "mean": None, "max": None}
        mean = number(self.total / self.count)
        return {"samples": self.count, "unit": unit, "min": number(self.low), "mean": mean, "max": number(self.high)}


class Summary:
    """Takes items as a monitor does and keeps sums alone, however long the recording.

    Args:
        session: whose it is at the start.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._started_ns = session.started_ns
        self._first_ns = self._last_ns = 0
        self._sums: dict[str, tuple[str, _Sums]] = {}
        self._labels: dict[str, Counter[str]] = {}
        self._quantities: dict[str, tuple[str, _Sums]] = {}
        self._raised: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """Take an item and what came of it."""
        if isinstance(item, Session):
            self._session = item
        if isinstance(item, LslSamples):
            self._foreign[item.name] += len(item.times_ns)
        if not isinstance(item, Telemetry):
            return
        self._first_ns = self._first_ns or item.received_ns
        self._last_ns = item.received_ns
        record = item.record
        if outcome is not None:
            self._add(outcome)
        elif isinstance(record, FindingRecord):
            self._find(record)
        elif isinstance(record, AlertRecord) and record.change.state is AlertState.RAISED:
            alerts = self._session.profile.alerts
            if record.change.alert < len(alerts):
                self._raised[alerts[record.change.alert].name] += 1

    def _add(self, outcome: Outcome) -> None:
        profile = self._session.profile
        for sensor in profile.sensors:
            signal = sensor.signals[0]
            for samples in outcome.passes:
                if sensor.name not in samples:
                    continue
                values = samples[sensor.name].values.ravel()
                few = len(values) <= FEW
                names = element_names(profile, sensor.name, signal.elements) if few else [sensor.name]
                for name, part in zip(names, values.reshape(-1, 1) if few else values[None], strict=True):
                    known = part[~np.isnan(part)].astype(np.float64)
                    self._sums.setdefault(name, (signal.unit, _Sums()))[1].add(known)

    def _find(self, record: FindingRecord) -> None:
        if record.model >= len(self._session.profile.models):
            return
        model = self._session.profile.models[record.model]
        if model.scores is not None:
            label = "no value"
            if record.values:
                best = max(range(len(record.values)), key=lambda at: record.values[at])
                label = model.scores[best] if best < len(model.scores) else str(best)
            self._labels.setdefault(model.name, Counter())[label] += 1
        for one, value in zip(model.quantities or (), record.values, strict=False):
            if not np.isnan(value):
                self._quantities.setdefault(f"{model.name}.{one.name}", (one.unit, _Sums()))[1].add(np.array([value]))

    def idle(self) -> None:
        """Nothing waits."""

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seconds": round((self._last_ns - self._first_ns) / 1e9, 3),
            "signals": {name: sums.to_map(unit) for name, (unit, sums) in self._sums.items()},
            "labels": {name: dict(labels) for name, labels in self._labels.items()},
            "quantities": {name: sums.to_map(unit) for name, (unit, sums) in self._quantities.items()},
            "alerts": dict(self._raised),
            "lsl": dict(self._foreign),
            "notice": NOTICE,
        }

    def words(self) -> str:
        """For people."""
        lines = [f"From {utc(self._started_ns)[:19]} UTC, {(self._last_ns - self._first_ns) / 1e9:.1f} s."]
        for known in (self._sums, self._quantities):
            for name, (unit, sums) in known.items():
                if sums.count:
                    mean = sums.total / sums.count
                    lines.append(
                        f"{name}: {sums.low:.2f} to {sums.high:.2f}, mean {mean:.2f} {shown_unit(unit)}".rstrip() + "."
                    )
        for name, labels in self._labels.items():
            lines.append(f"{name}: {', '.join(f'{label} {count}' for label, count in sorted(labels.items()))}.")
        if self._raised:
            lines.append(f"Alerts raised: {', '.join(f'{name} {count}' for name, count in self._raised.items())}.")
        lines += [f"LSL {name}: {counted(count, 'sample')}." for name, count in self._foreign.items()]
        if self._labels or self._quantities or self._raised:
            lines.append(NOTICE)
        return "\n".join(lines)


def shown_unit(unit: str) -> str:
    """A unit as people write it."""
    return "°C" if unit == "degC" else unit
