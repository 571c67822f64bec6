"""A bundle of FHIR R4 resources: who, with what device, what was measured each hour, what models said, and what became of alerts.

A wearer is a pseudonym. Temperatures of the skin are LOINC 61008-9, rates of the heart 8867-4; all else has a code of our own, and nothing is
ever a measured core temperature: what a model estimates is `preliminary` until a clinician says otherwise.
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from thermo_core.errors import UsageError
from thermo_core.wearable.profile import NOTICE
from thermo_hub.fhir.check import check
from thermo_hub.store.store import Store
from thermo_hub.store.tables import METADATA, WEARABLE

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
OURS = "urn:thermo-edge:code"
SPACE = uuid.UUID("6f0f1a3e-2d7c-5c0a-9b5e-7a1f3b0c9d21")
UCUM_CODES = {"degC": "Cel", "K": "K", "bpm": "/min", "V": "V", "%": "%", "Pa": "Pa", "g": "[g]", "": "1"}
SCALE = 1000
HOUR_WIDTH = 1
MOST_HOURS = 24 * 93
PRIORITIES = {"info": "routine", "warning": "urgent", "urgent": "stat"}


def bundle(store: Store, wearable: str, from_ns: int, to_ns: int, key: bytes) -> dict[str, Any]:
    """Everything of a wearable in a window.

    Args:
        store: of the hub.
        wearable: its id.
        from_ns: begin of the window, nanoseconds since 1970 UTC.
        to_ns: its end.
        key: secret of the hub, by which the pseudonym is made; another one makes another pseudonym.

    Raises:
        UsageError: there is no such wearable, or the window is none or too long.
    """
    if not from_ns < to_ns <= from_ns + MOST_HOURS * 3_600_000_000_000:
        raise UsageError("The window ends before it begins, or is longer than 93 days; choose another.")
    # Of other parts, which are met in the store.
    all_series, rollups, all_alerts, all_steps = (
        METADATA.tables[name] for name in ("trend_series", "trend_rollup", "alert", "alert_step")
    )
    with store.read() as connection:
        worn = connection.execute(select(WEARABLE).where(WEARABLE.c.id == wearable)).first()
        if worn is None:
            raise UsageError(f"There is no wearable {wearable!r:.80}; look at the wall for those that are.")
        series = connection.execute(
            select(all_series).where(all_series.c.wearable == wearable).order_by(all_series.c.id)
        ).all()
        hours = connection.execute(
            select(rollups).where(
                rollups.c.series.in_([one.id for one in series]),
                rollups.c.width == HOUR_WIDTH,
                rollups.c.start_ns >= from_ns,
                rollups.c.start_ns < to_ns,
                rollups.c.n > 0,
            )
        ).all()
        alerts = connection.execute(
            select(all_alerts).where(
                all_alerts.c.wearable == wearable, all_alerts.c.raised_ns >= from_ns, all_alerts.c.raised_ns < to_ns
            )
        ).all()
        steps = connection.execute(
            select(all_steps)
            .where(all_steps.c.alert.in_([one.id for one in alerts]))
            .order_by(all_steps.c.alert, all_steps.c.number)
        ).all()
    pseudonym = hashlib.blake2b(wearable.encode(), key=key[:64], digest_size=8).hexdigest()
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": f"{OURS}:pseudonym", "value": pseudonym}],
    }
    device: dict[str, Any] = {
        "resourceType": "Device",
        "status": "active",
        "identifier": [{"system": f"{OURS}:serial", "value": worn.serial}],
        "deviceName": [{"name": worn.profile, "type": "model-name"}],
        "note": [{"text": NOTICE}],
    }
    who, what = _url("Patient", pseudonym), _url("Device", wearable)
    entries: list[tuple[str, dict[str, Any]]] = [(who, patient), (what, device)]
    latest = {row.series: row for row in sorted(hours, key=lambda row: row.start_ns)}
    for one in series:
        if one.id in latest:
            entries.append((_url("DeviceMetric", wearable, one.name), _metric(one, latest[one.id], what)))
    by_id = {one.id: one for one in series}
    for row in hours:
        url = _url("Observation", wearable, by_id[row.series].name, row.start_ns)
        entries.append((url, _observation(by_id[row.series], row, who, what)))
    for alert in alerts:
        url = _url("Flag", alert.id)
        entries.append((url, _flag(alert, who, what)))
        mine = [step for step in steps if step.alert == alert.id]
        entries += [(_url("Communication", alert.id, step.number), told) for step, told in _told(alert, mine, who, url)]
    made = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _moment(to_ns),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
    check(made)
    return made


def _metric(series: Any, newest: Any, device: str) -> dict[str, Any]:
    calibrated = bool(newest.calibration)
    return {
        "resourceType": "DeviceMetric",
        "type": _code(series),
        "unit": _coded(UCUM, UCUM_CODES.get(series.unit, "1"), series.unit or "1"),
        "source": {"reference": device},
        "category": "calculation" if _is_said(series) else "measurement",
        "calibration": [{"state": "calibrated" if calibrated else "not-calibrated"}],
    }


def _observation(series: Any, row: Any, patient: str, device: str) -> dict[str, Any]:
    components = [("5th percentile", row.p5), ("95th percentile", row.p95), ("least", row.low), ("greatest", row.high)]
    found = {
        "resourceType": "Observation",
        "status": "preliminary" if _is_said(series) else "final",
        "category": [
            _coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")
        ],
        "code": _code(series),
        "subject": {"reference": patient},
        "device": {"reference": device},
        "effectivePeriod": {"start": _moment(row.start_ns), "end": _moment(row.end_ns)},
        "valueQuantity": _quantity(round(row.total / row.n), series.unit),
        "component": [
            {"code": _coded(OURS, name.replace(" ", "-"), name), "valueQuantity": _quantity(value, series.unit)}
            for name, value in components
        ],
        "note": [{"text": _note(row)}],
    }
    if _is_said(series):
        found["method"] = _coded(OURS, "model-estimate", "estimate of a model on the wearable, not a measurement")
    elif series.unit == "degC":
        found["bodySite"] = _coded(OURS, series.name, series.label)
    return found


def _flag(alert: Any, patient: str, device: str) -> dict[str, Any]:
    period = {"start": _moment(alert.raised_ns)}
    if alert.resolved_ns is not None:
        period["end"] = _moment(alert.resolved_ns)
    return {
        "resourceType": "Flag",
        "identifier": [{"system": f"{OURS}:alert", "value": alert.id}],
        "status": "active" if alert.resolved_ns is None else "inactive",
        "code": _coded(OURS, alert.rule, f"{alert.text} {NOTICE}"),
        "subject": {"reference": patient},
        "author": {"reference": device},
        "period": period,
    }


def _told(alert: Any, steps: Sequence[Any], patient: str, flag: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What was said to whom, and that somebody has seen it."""
    seen = next((step for step in steps if step.state == "acknowledged"), None)
    for step in steps:
        if step.state in ("notified", "escalated"):
            told: dict[str, Any] = {
                "resourceType": "Communication",
                "status": "completed",
                "priority": PRIORITIES[alert.severity],
                "subject": {"reference": patient},
                "about": [{"reference": flag}],
                "sent": _moment(step.at_ns),
                "payload": [{"contentString": f"{alert.text} {NOTICE}"}],
            }
            if seen is not None and seen.at_ns >= step.at_ns:
                told["received"] = _moment(seen.at_ns)
                told["recipient"] = [{"display": seen.by}]
            yield step, told


def _is_said(series: Any) -> bool:
    """Whether a model said it: such series are labelled by their model."""
    return ": " in series.label


def _code(series: Any) -> dict[str, Any]:
    if _is_said(series):
        return _coded(OURS, series.name, series.label)
    if series.unit == "degC":
        return _coded(LOINC, "61008-9", "Body surface temperature")
    if series.unit == "bpm":
        return _coded(LOINC, "8867-4", "Heart rate")
    return _coded(OURS, series.name, series.label)


def _note(row: Any) -> str:
    parts = [f"{row.n} samples, {row.doubtful} left out as doubtful, {row.lost} blocks lost"]
    parts.append(f"calibration {row.calibration}" if row.calibration else "uncalibrated")
    if row.uncertainty is not None:
        parts.append(f"uncertainty {row.uncertainty / SCALE:g} (k = 2)")
    if row.ambients:
        parts.append(f"ambient {row.ambient / row.ambients / SCALE:.1f} degC")
    return f"{', '.join(parts)}. {NOTICE}"


def _quantity(steps: int, unit: str) -> dict[str, Any]:
    return {"value": steps / SCALE, "unit": unit or "1", "system": UCUM, "code": UCUM_CODES.get(unit, "1")}


def _coded(system: str, code: str, words: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code.replace(" ", "-"), "display": words}], "text": words}


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds")


def _url(*parts: object) -> str:
    """The same for the same thing, so that a receiver who gets a bundle again makes nothing twice."""
    return f"urn:uuid:{uuid.uuid5(SPACE, ' '.join(map(str, parts)))}"
