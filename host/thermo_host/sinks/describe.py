"""Telemetry as JSON objects with names and units, one for each thing that came."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from thermo_core.body import SEGMENTS, is_body
from thermo_core.graph.alerts import AlertState
from thermo_core.graph.engine import Outcome
from thermo_core.graph.plan import Plan
from thermo_core.quality import in_words
from thermo_core.recording.layout import Gap, LslSamples, LslStream, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample, Signal
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.management import SensorState
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, FindingRecord, Record, SignalRecord
from thermo_core.wire.table import OutputKind
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.moments import utc

FEW = 16
"""Numbers of a sample that are told one by one; of more their range is told."""


def describe(
    item: Item, outcome: Outcome | None, session: Session, plan: Plan, whole: bool = False
) -> list[dict[str, Any]]:
    """An item as JSON objects for `--json`; none for a block that completed no sample.

    Args:
        item: what came.
        outcome: what came of a block.
        session: what holds now.
        plan: its graph.
        whole: tell every number of every sample.
    """
    if isinstance(item, Gap):
        return [{"type": "gap", "from": utc(item.from_ns), "to": utc(item.to_ns), "reason": item.reason}]
    if isinstance(item, Marker):
        return [{"type": "marker", "utc": utc(item.at_ns), "text": item.text}]
    if isinstance(item, Lost):
        return [{"type": "lost", "since": utc(item.since_ns), "reason": item.reason}]
    if isinstance(item, Session):
        return [{"type": "session", **_session(item)}]
    if isinstance(item, LslStream):
        return [{"type": "lsl-stream", **msgspec.to_builtins(item)}]
    if isinstance(item, LslSamples):
        return [_foreign(item, whole)]
    record = item.record
    if isinstance(record, Block):
        return _samples(item, record, outcome or Outcome(), session, whole)
    head = {"utc": utc(item.captured_ns), "time_us": record.time_us}
    told = _record(record, session, plan)
    if isinstance(record, EventRecord):
        told["before_this_session"] = item.captured_ns < session.started_ns
    return [{"type": told.pop("type"), **head, **told}]


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def element_names(profile: Profile, signal: str, elements: int) -> list[str]:
    """What people call the numbers of a signal: the labels of its sensor, the signal itself for a single number, else places."""
    if elements == 1:
        return [signal]
    labels = next((sensor.labels for sensor in profile.sensors if sensor.name == signal), ())
    return [labels[at] if at < len(labels) else f"{signal}[{at}]" for at in range(elements)]


def numbers_of(profile: Profile, signal: Signal) -> list[str]:
    """What people call the numbers of a signal; those of a body by its segments."""
    return list(SEGMENTS) if is_body(signal) else element_names(profile, signal.name, signal.elements)


def number(value: float, digits: int = 4) -> float | None:
    """A number for JSON, which knows no NaN."""
    return round(float(value), digits) if math.isfinite(value) else None


def sample_facts(sample: Sample, whole: bool) -> dict[str, Any]:
    """The numbers of a sample for JSON: each of a few, or all that are wanted; the range of many."""
    values = np.asarray(sample.values, np.float64)
    if values.size == 1:
        return {"value": number(float(values.ravel()[0]))}
    if values.size <= FEW:
        return {"values": [number(value) for value in values.ravel().tolist()]}
    known = values[np.isfinite(values)]
    facts: dict[str, Any] = {
        name: number(float(of(known))) if known.size else None
        for name, of in (("min", np.min), ("mean", np.mean), ("max", np.max))
    }
    if whole:
        facts["values"] = [
            [number(value) for value in row] if isinstance(row, list) else number(row) for row in values.tolist()
        ]
    return facts


def finding_facts(record: FindingRecord, session: Session) -> dict[str, Any]:
    """A finding for JSON."""
    models = session.profile.models
    if record.model >= len(models):
        return {"model": record.model, "flags": list(in_words(record.flags))}
    model = models[record.model]
    sensors = session.profile.sensors
    facts: dict[str, Any] = {"model": model.name, "flags": list(in_words(record.flags))}
    if record.kind is OutputKind.SCORES and model.scores is not None:
        best = max(range(len(record.values)), key=lambda at: record.values[at])
        facts["label"] = model.scores[best] if best < len(model.scores) else None
        facts["scores"] = {name: round(value, 5) for name, value in zip(model.scores, record.values, strict=False)}
    elif record.kind is OutputKind.QUANTITIES:
        facts["quantities"] = {
            one.name: {"value": number(value), "unit": one.unit, "spread": one.spread}
            for one, value in zip(model.quantities or (), record.values, strict=False)
        }
    return {
        **facts,
        "fetched": record.fetched,
        "latency_us": record.latency_us,
        "inference_us": record.inference_us,
        "bundle": f"{record.bundle:08x}",
        "newest": {sensors[at].name: index for at, index in record.newest if at < len(sensors)},
        "notice": NOTICE,
    }


def alert_facts(record: AlertRecord, session: Session) -> dict[str, Any]:
    """A step of an alert for JSON."""
    change, alerts = record.change, session.profile.alerts
    known = alerts[change.alert] if change.alert < len(alerts) else None
    return {
        "alert": known.name if known else change.alert,
        "state": AlertState(change.state).name.lower(),
        "severity": known.severity if known else None,
        "text": known.text if known else None,
        "since_us": change.time_us,
        "value": number(change.value),
        "flags": list(in_words(change.flags)),
        "notice": NOTICE,
    }


def _foreign(item: LslSamples, whole: bool) -> dict[str, Any]:
    """Samples of somebody else's stream: the newest, or all that are wanted."""
    told = {"type": "lsl", "name": item.name, "utc": utc(item.times_ns[-1]), "samples": len(item.times_ns)}
    rows: Sequence[Any] = item.values or item.texts
    if whole:
        return {**told, "times": [utc(at_ns) for at_ns in item.times_ns], "values": [list(row) for row in rows]}
    return {**told, "values": list(rows[-1][:FEW])}


def _samples(item: Telemetry, block: Block, outcome: Outcome, session: Session, whole: bool) -> list[dict[str, Any]]:
    """One object for each moment of the sensor that spoke."""
    settings = session.profile.sensors[block.sensor] if block.sensor < len(session.profile.sensors) else None
    found = []
    for samples in outcome.passes if settings is not None else ():
        assert settings is not None
        main = samples.get(settings.name)
        if main is None:
            continue
        found.append(
            {
                "type": "sample",
                "utc": utc(item.captured_ns + (main.time_us - block.time_us) * 1000),
                "time_us": main.time_us,
                "sensor": settings.name,
                "index": block.index,
                "flags": list(in_words(main.flags)),
                "simulated": session.hello.simulated,
                "signals": {
                    signal.name: {"unit": signal.unit, **sample_facts(samples[signal.name], whole)}
                    for signal in settings.signals
                    if signal.name in samples
                },
                "latency_s": round((item.received_ns - item.captured_ns) / 1e9, 6),
            }
        )
    return found


def _record(record: Record, session: Session, plan: Plan) -> dict[str, Any]:
    if isinstance(record, FindingRecord):
        return {"type": "finding", **finding_facts(record, session)}
    if isinstance(record, AlertRecord):
        return {"type": "alert", **alert_facts(record, session)}
    if isinstance(record, SignalRecord):
        names = list(plan.signals)
        return {
            "type": "signal",
            "signal": names[record.signal] if record.signal < len(names) else record.signal,
            "flags": list(in_words(record.flags)),
            "first": record.first,
            "elements": record.elements,
            "values": [number(value) for value in record.values.tolist()],
        }
    if isinstance(record, EventRecord):
        sensors = session.profile.sensors
        about = record.sensor
        return {
            "type": "event",
            "code": record.code,
            "severity": record.severity.name.lower(),
            "sensor": sensors[about].name if about is not None and about < len(sensors) else about,
            "count": record.count,
            "text": record.text,
        }
    assert isinstance(record, ClockRecord)
    return {"type": "clock", "captured": record.captured, "lost": record.lost, "dropped": record.dropped}


def sensor_facts(session: Session, profile: Profile | None = None) -> list[dict[str, Any]]:
    """Sensors for JSON: what the profile says of each, the session's or another over the same sensors, and how it is."""
    sensors = (session.profile if profile is None else profile).sensors
    absent = tuple(SensorState(kind=settings.kind) for settings in sensors[len(session.hello.sensors) :])
    return [
        {
            "sensor": at,
            "name": settings.name,
            "kind": settings.kind,
            "place": settings.place,
            "id": state.id.hex(),
            "constants": state.constants,
            "rate_hz": state.rate_hz,
            "corrected": state.corrected,
            "fault": state.fault,
            "warning": state.warning,
        }
        for at, (settings, state) in enumerate(zip(sensors, (*session.hello.sensors, *absent), strict=False))
    ]


def _session(session: Session) -> Mapping[str, Any]:
    hello = session.hello
    return {
        "serial": hello.serial,
        "software": hello.software,
        "profile": hello.profile,
        "bundle": hello.bundle,
        "sensors": sensor_facts(session),
    }
