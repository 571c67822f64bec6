"""What the screen, its panel and its one line say in the same words."""

import numpy as np

from thermo_core.graph.alerts import AlertState
from thermo_core.quality import in_words
from thermo_core.wearable.profile import Alert, Model
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import OutputKind
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.newest import NewestFinding
from thermo_host.sinks.summary import shown_unit

BEHIND_S = 1.0
"""Less is what any computer is now and then."""


def duration(seconds: float) -> str:
    """How long, for people."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
    return f"{seconds // 86400:.0f} d {seconds % 86400 // 3600:.0f} h"


def old(seconds: float) -> str:
    """How long ago, for people."""
    return f"{duration(seconds)} ago"


def learned(monitor: Monitor) -> list[str]:
    """What is known of the wearer, a line for each stage that learns, with its age."""
    lines = []
    for one, progress in monitor.decoding.engine.learners.progress():
        words = f"{one.name}: learned {duration(progress.learned_us / 1e6)}"
        if progress.age_us:
            words += f", {duration(progress.age_us / 1e6)} old"
        if progress.ready < progress.parts:
            words += ", not ready" if not progress.ready else f", ready for {progress.ready} of {progress.parts} parts"
        lines.append(words)
    return lines


def silence(monitor: Monitor, silent_s: float) -> str:
    """What is wrong while nothing comes."""
    reason = monitor.lost.reason if monitor.lost is not None else "the wearable is silent"
    return f"NO DATA, the last came {old(silent_s)}: {reason}" + ("; waiting for it" if monitor.lost else "")


def behind(monitor: Monitor) -> str:
    """How far this computer is behind what the wearable sends; "" where it keeps up."""
    return f"{duration(monitor.behind_s)} behind" if monitor.behind_s >= BEHIND_S else ""


def faults(monitor: Monitor) -> list[str]:
    """Why sensors give nothing, or nothing that can be believed."""
    found = []
    for number, (sensor, state) in enumerate(
        zip(monitor.session.profile.sensors, monitor.session.hello.sensors, strict=False)
    ):
        for reason in (monitor.decoding.faults.get(number, "") or state.fault, state.warning):
            if reason:
                found.append(f"{sensor.name}: {reason}")
    return found


def winner(record: FindingRecord, model: Model) -> tuple[str, float]:
    """Label with the greatest score."""
    best = max(range(len(record.values)), key=lambda at: record.values[at])
    labels = model.scores or ()
    return (labels[best] if best < len(labels) else f"class {best}"), record.values[best]


def marks(monitor: Monitor, record: FindingRecord) -> list[str]:
    """What a reader of a finding must know of how it came about."""
    bundle = monitor.session.hello.bundle
    fetched = ["fetched"] if record.fetched else []
    return [*([f"bundle {bundle}"] if bundle else []), *fetched, *in_words(record.flags)]


def figure(value: float | None, unit: str) -> str:
    """A number as a person reads it, with its unit; a dash where there is none."""
    words = shown_unit(unit)
    if value is None or not np.isfinite(value):
        return f"- {words}".rstrip()
    digits = 2 if abs(value) < 1000 else 0
    if unit == "bpm":
        digits = 0
    return f"{value:.{digits}f} {words}".rstrip()


def spread_words(spread: float | None) -> str:
    """What a quantity may be off by, with two digits; "" where that is not known."""
    return f"\u00b1 {float(f'{spread:.2g}'):g}" if spread else ""


def finding_words(monitor: Monitor, number: int, newest: NewestFinding) -> str:
    """A finding in one line."""
    model, record = monitor.session.profile.models[number], newest.record
    if record.kind is OutputKind.NONE or not record.values:
        return f"{model.name}: no value"
    if model.scores is not None:
        label, score = winner(record, model)
        return f"{label} {score:.0%}"
    parts = [
        f"{one.name} {figure(value, one.unit)} {spread_words(one.spread)}".rstrip()
        for one, value in zip(model.quantities or (), record.values, strict=False)
    ]
    return ", ".join(parts)


def raised(monitor: Monitor) -> list[Alert]:
    """Alerts that somebody should look at now."""
    return [
        alert
        for number, alert in enumerate(monitor.session.profile.alerts)
        if monitor.alert_state(number) is AlertState.RAISED and monitor.alert_age_s(number) is None
    ]
