"""Windows of a recording that are worth a physician's eyes: those of which a model is least certain, and those of alerts."""

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.graph.alerts import AlertState
from thermo_core.recording.session import Session
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_core.wire.table import OutputKind
from thermo_host.link.items import Telemetry
from thermo_host.screen.layout import layout, picture_shape
from thermo_host.stream.playback import Recording

WINDOW_NS = 10_000_000_000
"""Length of a window: some dozen pictures, and as many findings."""
MOST_UNCERTAIN = 8
"""Windows of a recording and a model that are chosen by uncertainty."""


@dataclass(frozen=True, slots=True)
class Window:
    """One of them.

    Attributes:
        model: name of the model.
        classes: of it.
        from_ns, to_ns: ends.
        uncertainty: normalised entropy of the mean scores, 0 to 1.
        alerts: names of the wearable's own that were raised in it.
        finding: what the model said, for JSON.
        chosen: whether it is among the least certain, or has an alert.
    """

    model: str
    classes: tuple[str, ...]
    from_ns: int
    to_ns: int
    uncertainty: float
    alerts: tuple[str, ...]
    finding: dict[str, Any]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What is in a recording.

    Attributes:
        session: whose it is, at its end.
        from_ns, to_ns: of its telemetry; 0 where there is none.
        windows: all of them, in their order.
        pictures: rows and columns by signal.
        complete: whether it has its end.
    """

    session: Session
    from_ns: int
    to_ns: int
    windows: tuple[Window, ...]
    pictures: dict[str, tuple[int, int]]
    complete: bool


def look_through(path: Path) -> Looked:
    """Every window of a recording that has findings in classes.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is none of ours.
    """
    recording = Recording(path)
    session, first_ns, last_ns = recording.session, 0, 0
    said: dict[tuple[str, int], list[FindingRecord]] = defaultdict(list)
    raised: dict[int, list[str]] = defaultdict(list)
    classes: dict[str, tuple[str, ...]] = {}
    for item in recording:
        if isinstance(item, Session):
            session = item
        if not isinstance(item, Telemetry):
            continue
        first_ns = min(first_ns or item.captured_ns, item.captured_ns)
        last_ns = max(last_ns, item.captured_ns)
        record, models, alerts = item.record, session.profile.models, session.profile.alerts
        if isinstance(record, FindingRecord) and record.kind is OutputKind.SCORES and record.model < len(models):
            model = models[record.model]
            if model.scores is not None and len(model.scores) == len(record.values):
                classes[model.name] = tuple(model.scores)
                said[model.name, item.captured_ns // WINDOW_NS].append(record)
        elif isinstance(record, AlertRecord) and record.change.state == AlertState.RAISED:
            raised[item.captured_ns // WINDOW_NS] += [one.name for one in alerts[record.change.alert :][:1]]
    windows = [
        _window(model, classes[model], number, records, tuple(dict.fromkeys(raised.get(number, ()))), first_ns, last_ns)
        for (model, number), records in sorted(said.items())
        if len(records[0].values) == len(classes[model])
    ]
    pictures = {one.name: _rows_columns(one.shape) for one in layout(session.plan).pictures}
    return Looked(session, first_ns, last_ns, tuple(_chosen(windows)), pictures, recording.complete)


def entropy(scores: Any) -> float:
    """Normalised entropy of scores: 0 where one class has all, 1 where each has the same.

    Scores of classes that exclude each other are taken as shares of their sum.
    """
    shares = np.clip(np.asarray(scores, np.float64), 0.0, None)
    total = float(shares.sum())
    if total <= 0 or len(shares) < 2:
        return 1.0
    shares = shares[shares > 0] / total
    return float(min(1.0, max(0.0, -(shares * np.log(shares)).sum() / math.log(len(np.atleast_1d(scores))))))


def _window(
    model: str,
    classes: tuple[str, ...],
    number: int,
    records: list[FindingRecord],
    alerts: tuple[str, ...],
    first_ns: int,
    last_ns: int,
) -> Window:
    """The part of a stretch of time that the recording has."""
    mean = np.mean([record.values for record in records], axis=0)
    best = int(np.argmax(mean))
    finding = {
        "label": classes[best],
        "scores": {name: round(float(value), 5) for name, value in zip(classes, mean, strict=True)},
        "findings": len(records),
        "alerts": list(alerts),
        "bundle": f"{records[-1].bundle:08x}",
    }
    from_ns, to_ns = max(number * WINDOW_NS, first_ns), min((number + 1) * WINDOW_NS, last_ns + 1)
    return Window(model, classes, from_ns, to_ns, entropy(mean), alerts, finding, bool(alerts))


def _chosen(windows: list[Window]) -> list[Window]:
    """The same, of which the least certain of each model are chosen beside those with alerts."""
    ranked: dict[str, list[Window]] = defaultdict(list)
    for one in sorted(windows, key=lambda one: (-one.uncertainty, one.from_ns)):
        ranked[one.model].append(one)
    best = {(one.model, one.from_ns) for rows in ranked.values() for one in rows[:MOST_UNCERTAIN]}
    return [
        Window(one.model, one.classes, one.from_ns, one.to_ns, one.uncertainty, one.alerts, one.finding,
               one.chosen or (one.model, one.from_ns) in best)
        for one in windows
    ]  # fmt: skip


def _rows_columns(shape: tuple[int, ...]) -> tuple[int, int]:
    rows, columns = picture_shape(shape)
    return rows, columns
