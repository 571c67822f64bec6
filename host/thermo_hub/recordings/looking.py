"""Looking at a recording again: what is in it, its numbers over time, and its pictures."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.errors import ThermoError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Signal, Values
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_host.link.items import Telemetry
from thermo_host.moments import utc
from thermo_host.screen.layout import layout, picture
from thermo_host.sinks.describe import alert_facts, finding_facts
from thermo_host.stream.decoding import Decoding
from thermo_host.stream.playback import Recorded, Recording, announced
from thermo_hub.live.frames import picture_frame, rounded
from thermo_hub.security.aliases import Names

STEPS = 600
"""Points of a line and pictures of a recording that are shown at most."""
MOST_FINDINGS = 2000


@dataclass(frozen=True, slots=True)
class Brief:
    """A recording in the list.

    Attributes:
        name: of the file.
        size: bytes.
        facts: whose it is and when it began; only a `problem` where it cannot be read.
    """

    name: str
    size: int
    facts: dict[str, Any]


def brief(path: Path) -> Brief:
    """What is known of a recording from its beginning."""
    size = path.stat().st_size
    try:
        session = Recording(path).session
    except ThermoError as error:
        return Brief(path.name, size, {"problem": str(error)})
    hello = session.hello
    facts = {
        "serial": hello.serial,
        "profile": hello.profile,
        "bundle": hello.bundle,
        "simulated": hello.simulated,
        "started": utc(session.started_ns),
        "subject": session.subject,
        "note": session.note,
    }
    return Brief(path.name, size, facts)


def facts_for(one: Brief, wearable: str, names: Names) -> dict[str, Any]:
    """Whose a recording is, as a visitor may know it.

    Args:
        one: the recording.
        wearable: id of the wearable that it is of.
        names: as the visitor may know them.
    """
    if not names.hidden or "problem" in one.facts:
        return one.facts
    subject = names.person(one.facts["subject"] or wearable)
    return {**one.facts, "serial": names.wearable(wearable), "subject": subject, "note": ""}


def told_to(shown: dict[str, Any], names: Names) -> dict[str, Any]:
    """A recording as a page shows it, without what people wrote where its visitor may not know of whom."""
    return {
        **shown,
        "name": names.recording(shown["name"]),
        "markers": [{**one, "text": names.text(one["text"])} for one in shown["markers"]],
        "gaps": [{**one, "reason": names.text(one["reason"])} for one in shown["gaps"]],
    }


def whole(path: Path) -> dict[str, Any]:
    """A recording as a page shows it: lines, findings, alerts, gaps and markers.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is none of ours.
    """
    recording = Recording(path)
    shown = layout(recording.session.plan)
    lines: dict[str, list[tuple[float, Values]]] = defaultdict(list)
    findings: list[dict[str, Any]] = []
    told: dict[str, list[dict[str, Any]]] = {"alerts": [], "gaps": [], "markers": []}
    wanted = {channel.signal.name for channel in (*shown.hearts, *shown.channels)} | {s.name for s in shown.bodies}
    session, first_ns, last_ns = recording.session, 0, 0
    for item, outcome, session in _played(recording):
        if isinstance(item, Gap):
            told["gaps"].append({"from": item.from_ns / 1e6, "to": item.to_ns / 1e6, "reason": item.reason})
        elif isinstance(item, Marker):
            told["markers"].append({"utc": item.at_ns / 1e6, "text": item.text})
        elif isinstance(item, Telemetry):
            first_ns, last_ns = first_ns or item.captured_ns, max(last_ns, item.captured_ns)
            record = item.record
            if isinstance(record, FindingRecord) and len(findings) < MOST_FINDINGS:
                findings.append({**finding_facts(record, session), "utc": item.captured_ns / 1e6})
            elif isinstance(record, AlertRecord):
                told["alerts"].append({**alert_facts(record, session), "utc": item.captured_ns / 1e6})
            for name, utc_ns, values in _samples(item, outcome):
                if name in wanted:
                    lines[name].append((utc_ns / 1e9, values))
    return {
        "name": path.name,
        "started": utc(recording.session.started_ns),
        "from": first_ns / 1e6,
        "to": last_ns / 1e6,
        "complete": recording.complete,
        "damaged": recording.damaged,
        "lines": {name: thinned(rows) for name, rows in lines.items()},
        "findings": findings,
        **told,
    }


def pictures(path: Path, signal: str, most: int = STEPS) -> Iterator[bytes]:
    """Pictures of a recording as they travel to live pages, evenly spaced where there are more than are wanted."""
    recording = Recording(path)
    times = [utc_ns for _, utc_ns, _ in _pictures(recording, signal)]
    every = max(1, -(-len(times) // most))
    for number, (_, utc_ns, values) in enumerate(_pictures(recording, signal)):
        if number % every == 0:
            yield picture_frame(0, utc_ns, picture(values))


def thinned(rows: list[tuple[float, Values]], most: int = STEPS) -> list[list[float | None]]:
    """A line in even steps of time, each the mean of what lies in it; steps without a sample are left out, so that gaps stay gaps."""
    if not rows:
        return []
    times = np.array([row[0] for row in rows])
    values = np.array([np.ravel(row[1]) for row in rows], np.float64)
    step = max(1.0, (times[-1] - times[0]) / most)
    places = ((times - times[0]) // step).astype(np.int64)
    found = []
    for place in np.unique(places):
        inside = values[places == place]
        mean = inside.mean(axis=0)
        found.append([round(float(times[0] + place * step), 2), *(rounded(value) for value in mean)])
    return found


def _pictures(recording: Recording, signal: str) -> Iterator[tuple[str, int, Values]]:
    for item, outcome, _ in _played(recording):
        if isinstance(item, Telemetry):
            yield from (one for one in _samples(item, outcome) if one[0] == signal)


def _played(recording: Recording) -> Iterator[tuple[Recorded, Outcome | None, Session]]:
    """Items of a recording, what came of each block, and the session that holds."""
    decoding = Decoding(recording.session)
    for item in announced(recording.items(), decoding.expect):
        outcome = None
        if isinstance(item, Session):
            with contextlib.suppress(ThermoError):
                decoding.follow(item)
        elif isinstance(item, Telemetry) and isinstance(item.record, Block):
            outcome = decoding.push(item.record)
        yield item, outcome, decoding.session


def _samples(item: Telemetry, outcome: Outcome | None) -> Iterator[tuple[str, int, Values]]:
    for samples in outcome.passes if outcome is not None else ():
        for name, sample in samples.items():
            yield name, item.captured_ns + (sample.time_us - item.record.time_us) * 1000, sample.values


def channels(path: Path) -> dict[str, Any]:
    """What of a recording is drawn as what."""
    shown = layout(Recording(path).session.plan)

    def of(signal: Signal) -> dict[str, Any]:
        rows = signal.shape[0] if len(signal.shape) > 1 else 1
        return {
            "signal": signal.name,
            "unit": signal.unit,
            "rows": rows,
            "columns": signal.shape[-1] if signal.shape else 1,
        }

    return {
        "pictures": [of(signal) for signal in shown.pictures],
        "bodies": [of(signal) for signal in shown.bodies],
        "channels": [
            {"signal": one.signal.name, "element": one.element, "name": one.name, "unit": one.signal.unit}
            for one in (*shown.hearts, *shown.channels)
        ],
    }
