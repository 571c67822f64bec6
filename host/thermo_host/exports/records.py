"""Findings, alerts, events, markers and gaps as rows of tables."""

from collections.abc import Mapping

from thermo_core.graph.plan import Plan
from thermo_core.quality import in_words
from thermo_core.recording.layout import Gap, Marker
from thermo_core.wearable.profile import Model
from thermo_core.wire.events import FAULTS, NOTICES
from thermo_core.wire.records import AlertRecord, EventRecord, FindingRecord
from thermo_host.exports.rows import Column, Table, TableRow, Track

_UTC = Column("utc", "time")
_QUALITY = (Column("flags", "int"), Column("quality", "text"))
_FOUND = (
    Column("fetched", "int"),
    Column("latency_us", "int", "us"),
    Column("inference_us", "int", "us"),
    Column("bundle", "text"),
)
_ALERTS = (
    Column("alert", "text"),
    Column("state", "text"),
    Column("since", "time"),
    Column("value", "float"),
    *_QUALITY,
    Column("severity", "text"),
    Column("text", "text"),
)
_EVENTS = (
    Column("code", "int"),
    Column("name", "text"),
    Column("severity", "text"),
    Column("sensor", "text"),
    Column("count", "int"),
    Column("text", "text"),
)
_NAMES = {event.code: name for name, event in (*FAULTS.items(), *NOTICES.items())}


class Tables:
    """Makes rows of what is no block.

    Args:
        plan: the wearable.
        known: tracks and tables by their keys, none of which another may have; the tables made here are added.
    """

    def __init__(self, plan: Plan, known: dict[str, Track | Table]) -> None:
        self._profile = plan.profile
        self._origins = [plan.origins(model.raw) for model in plan.profile.models]
        self._findings = [
            _table(f"findings-{model.name}", _finding_columns(model, self._names(one)), known)
            for model, one in zip(plan.profile.models, self._origins, strict=True)
        ]
        self._alerts = _table("alerts", _ALERTS, known)
        self._events = _table("events", _EVENTS, known)
        self._markers = _table("markers", (Column("text", "text"),), known)
        self._gaps = _table("gaps", (Column("until", "time"), Column("reason", "text")), known)

    @property
    def keys(self) -> list[str]:
        """Of all tables."""
        return [table.key for table in (*self._findings, self._alerts, self._events, self._markers, self._gaps)]

    def of_host(self, item: Gap | Marker) -> TableRow:
        """A row of what the host added."""
        if isinstance(item, Marker):
            return TableRow(self._markers, (item.at_ns, item.text), item.text or "marker")
        return TableRow(self._gaps, (item.from_ns, item.to_ns, item.reason), f"gap: {item.reason}")

    def of(self, record: FindingRecord | AlertRecord | EventRecord, utc_ns: int) -> TableRow | None:
        """A row of what the wearable said; None where it names what the profile does not have."""
        if isinstance(record, FindingRecord):
            return self._finding(record, utc_ns)
        if isinstance(record, AlertRecord):
            return self._alert(record, utc_ns)
        return TableRow(
            self._events,
            (
                utc_ns,
                record.code,
                _NAMES.get(record.code, ""),
                record.severity.name.lower(),
                self._sensor(record.sensor),
                record.count,
                record.text,
            ),
            record.text,
        )

    def _finding(self, record: FindingRecord, utc_ns: int) -> TableRow | None:
        if record.model >= len(self._findings):
            return None
        model, table = self._profile.models[record.model], self._findings[record.model]
        outputs = model.outputs
        if len(record.values) not in (0, len(outputs)):
            return None
        values = record.values or (None,) * len(outputs)
        winner = ""
        if model.scores is not None and record.values:
            winner = outputs[max(range(len(outputs)), key=lambda place: record.values[place])]
        newest = dict(record.newest)
        return TableRow(
            table,
            (
                utc_ns,
                record.time_us,
                *([winner] if model.scores is not None else []),
                *values,
                record.flags,
                ", ".join(in_words(record.flags)),
                int(record.fetched),
                None if record.fetched else record.latency_us,
                None if record.fetched else record.inference_us,
                f"{record.bundle.to_bytes(4, 'little').hex()}",
                *(newest.get(sensor) for sensor in self._origins[record.model]),
            ),
        )

    def _alert(self, record: AlertRecord, utc_ns: int) -> TableRow | None:
        change = record.change
        if change.alert >= len(self._profile.alerts):
            return None
        alert = self._profile.alerts[change.alert]
        since_ns = max(0, utc_ns - (record.time_us - change.time_us) * 1000)
        state = change.state.name.lower()
        return TableRow(
            self._alerts,
            (
                utc_ns,
                alert.name,
                state,
                since_ns,
                change.value,
                change.flags,
                ", ".join(in_words(change.flags)),
                alert.severity,
                alert.text or "",
            ),
            f"alert {alert.name}: {state}",
        )

    def _names(self, sensors: tuple[int, ...]) -> list[str]:
        return [self._profile.sensors[number].name for number in sensors]

    def _sensor(self, number: int | None) -> str:
        sensors = self._profile.sensors
        if number is None:
            return ""
        return sensors[number].name if number < len(sensors) else str(number)


def _finding_columns(model: Model, sensors: list[str]) -> tuple[Column, ...]:
    units: Mapping[str, str] = {one.name: one.unit for one in model.quantities or ()}
    said = [Column(name, "float", units.get(name, "")) for name in model.outputs]
    newest = [Column(f"newest_block_{name}", "int") for name in sensors]
    winner = [Column("winner", "text")] if model.scores is not None else []
    return (Column("time_us", "int", "us"), *winner, *said, *_QUALITY, *_FOUND, *newest)


def _table(name: str, columns: tuple[Column, ...], known: dict[str, Track | Table]) -> Table:
    key, count = name, 1
    while (table := Table(key, (_UTC, *columns))) != known.get(key, table):
        count += 1
        key = f"{name}-{count}"
    known[key] = table
    return table
