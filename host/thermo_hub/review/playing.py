"""What a window of a recording shows: its pictures, its lines, and the signals on the way to a model."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.errors import ThermoError
from thermo_core.graph.plan import Plan
from thermo_core.graph.runners import Samples
from thermo_core.quality import DOUBTFUL
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.signals import Values
from thermo_host.link.items import Telemetry
from thermo_host.screen.layout import layout, picture
from thermo_host.stream.decoding import Decoding
from thermo_host.stream.playback import Recording, announced
from thermo_hub.live.frames import picture_frame, rounded

LATE_NS = 30_000_000_000
"""What was captured in a window may arrive so much later."""
MOST_SAMPLES = 8
"""Moments of a window that a training gets: neighbours are alike."""


def played(path: Path, from_ns: int, to_ns: int) -> Iterator[tuple[int, Samples, Decoding]]:
    """Moments of a window: when, every sample that came of it, and what decodes."""
    recording = Recording(path)
    decoding = Decoding(recording.session)
    for item in announced(recording.items(from_ns, to_ns + LATE_NS), decoding.expect):
        if isinstance(item, Session):
            with contextlib.suppress(ThermoError):
                decoding.follow(item)
        elif isinstance(item, Telemetry) and isinstance(item.record, Block):
            for samples in decoding.push(item.record).passes:
                for sample in list(samples.values())[:1]:
                    utc_ns = item.captured_ns + (sample.time_us - item.record.time_us) * 1000
                    if from_ns <= utc_ns < to_ns:
                        yield utc_ns, samples, decoding


def pictures(path: Path, signal: str, from_ns: int, to_ns: int) -> bytes:
    """Pictures of a window as they travel to live pages."""
    return b"".join(
        picture_frame(0, utc_ns, picture(samples[signal].values))
        for utc_ns, samples, _ in played(path, from_ns, to_ns)
        if signal in samples
    )


def shown(path: Path, from_ns: int, to_ns: int) -> dict[str, Any]:
    """What of a window is drawn as what, and its lines; nothing that a model says."""
    session = Recording(path).session
    drawn = layout(session.plan)
    wanted = {channel.signal.name for channel in (*drawn.hearts, *drawn.channels)} | {one.name for one in drawn.bodies}
    lines: dict[str, list[list[float | None]]] = defaultdict(list)
    for utc_ns, samples, _ in played(path, from_ns, to_ns):
        for name in wanted & samples.keys():
            values = np.ravel(samples[name].values).tolist()
            lines[name].append([round(utc_ns / 1e9, 3), *(rounded(value) for value in values)])
    return {
        "lines": lines,
        "pictures": [{"signal": one.name, "unit": one.unit} for one in drawn.pictures],
        "bodies": [{"signal": one.name, "unit": one.unit} for one in drawn.bodies],
        "channels": [
            {"signal": one.signal.name, "element": one.element, "name": one.name, "unit": one.signal.unit}
            for one in (*drawn.hearts, *drawn.channels)
        ],
    }


def on_the_way(plan: Plan, model: str) -> tuple[str, ...]:
    """Names of signals between the sensors and a model's inputs, these among them; what a sensor says itself is not."""
    made = {stage.gives: stage for stage in plan.profile.stages}
    waiting = [name for one in plan.profile.models if one.name == model for name in one.inputs]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name not in found and name in made:
            found[name] = None
            waiting += made[name].inputs
    return tuple(found)


def samples_of(path: Path, model: str, from_ns: int, to_ns: int) -> tuple[list[int], dict[str, list[Values]]]:
    """Moments at which a model of a window had all that it sees, and the signals on the way there, evenly spaced.

    A moment whose input cannot be believed is left out.
    """
    newest: dict[str, Values] = {}
    rows: list[tuple[int, dict[str, Values]]] = []
    for utc_ns, samples, decoding in played(path, from_ns, to_ns):
        plan = decoding.session.plan
        names = on_the_way(plan, model)
        inputs = [name for one in plan.profile.models if one.name == model for name in one.inputs]
        newest |= {name: samples[name].values for name in names if name in samples}
        seen = [samples[name] for name in inputs if name in samples]
        believed = len(seen) == len(inputs) > 0 and not any(one.flags & DOUBTFUL for one in seen)
        if believed and all(name in newest for name in names):
            rows.append((utc_ns, {name: newest[name] for name in names}))
    at = np.unique(np.linspace(0, len(rows) - 1, min(MOST_SAMPLES, len(rows))).round().astype(int)) if rows else []
    chosen = [rows[place] for place in at]
    names = tuple(chosen[0][1]) if chosen else ()
    return [utc_ns for utc_ns, _ in chosen], {name: [values[name] for _, values in chosen] for name in names}
