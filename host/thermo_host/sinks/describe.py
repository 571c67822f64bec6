"""Telemetry as JSON objects with names and units, one for each thing that came."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from thermo_core.profile import NOTICE

from thermo_core.recording.layout import Gap
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_core.wire.records import EventRecord, SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_host.link.lease import Lost
from thermo_host.link.session import Item, Session

CHANNEL_STATES = ("ok", "open", "shorted", "missing")


def describe(
    item: Item, picture: Picture | None, session: Session, whole: bool = False, corrected: bool = False
) -> dict[str, Any] | None:
    """An item as a JSON object for `--json`; None for a subpage that completed no picture.

    Args:
        item: what came.
        picture: what it completed.
        session: what holds now; names channels and labels.
        whole: put all temperatures of a picture in, not only minimum, mean and maximum.
        corrected: whether the picture has its per-pixel calibration.
    """
    if isinstance(item, Gap):
        return {"type": "gap", "from": utc(item.from_ns), "to": utc(item.to_ns), "reason": item.reason}
    if isinstance(item, Lost):
        return {"type": "lost", "since": utc(item.since_ns), "reason": item.reason}
    if isinstance(item, Session):
        return {"type": "session", **_session(item)}
    record = item.record
    head: dict[str, Any] = {"utc": utc(item.captured_ns), "time_us": record.time_us}
    if isinstance(record, SubpageRecord):
        if picture is None:
            return None
        shown = picture.celsius[picture.valid]
        content = {
            "type": "picture",
            **head,
            "sensor": record.sensor,
            "index": picture.index,
            "uncalibrated": not corrected,
            "simulated": session.hello.simulated,
            "valid_pixels": int(picture.valid.sum()),
            "min_c": round(float(shown.min()), 3) if shown.size else None,
            "mean_c": round(float(shown.mean()), 3) if shown.size else None,
            "max_c": round(float(shown.max()), 3) if shown.size else None,
            "ta_c": round(picture.ta, 3),
            "vdd_v": round(picture.vdd, 4),
            "latency_s": round((item.received_ns - item.captured_ns) / 1e9, 6),
        }
        if whole:
            content["celsius"] = [[round(float(value), 3) for value in row] for row in picture.celsius]
        return content
    if isinstance(record, ThermistorRecord):
        return {"type": "thermistors", **head, "sensor": record.sensor, "channels": _channels(record, session)}
    if isinstance(record, VerdictRecord):
        return {"type": "verdict", **head, **_verdict(record, session)}
    if isinstance(record, EventRecord):
        severity = record.severity.name.lower()
        return {
            "type": "event",
            **head,
            "code": record.code,
            "severity": severity,
            "count": record.count,
            "text": record.text,
            "before_this_session": item.captured_ns < session.started_ns,
        }
    return {"type": "clock", **head, "captured": record.captured, "lost": record.lost, "dropped": record.dropped}


def utc(nanoseconds: int) -> str:
    """ISO 8601 with zone, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds")


def utc_of_second(unix_s: int) -> str:
    """ISO 8601 with zone of a whole second; one that no calendar has is told as what it is."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{unix_s} s after 1970"


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def channel_names(session: Session, sensor: int, count: int) -> list[str]:
    """Names of an array's channels, numbers where the wearable gives none."""
    names: tuple[str, ...] = ()
    with contextlib.suppress(StopIteration):
        names = next(info.channels for info in session.hello.sensors if info.sensor == sensor and info.channels)
    return [names[at] if at < len(names) else f"channel {at}" for at in range(count)]


def label_names(session: Session, count: int) -> list[str]:
    """Names of the model's classes, numbers where the wearable gives none."""
    names = session.hello.labels
    return [names[at] if at < len(names) else f"class {at}" for at in range(count)]


def _session(session: Session) -> dict[str, Any]:
    hello = session.hello
    return {
        "serial": hello.serial,
        "software": hello.software,
        "profile": hello.profile,
        "model": hello.model,
        "calibrated": hello.calibrated,
        "sensors": [
            {
                "sensor": sensor.sensor,
                "kind": sensor.kind,
                "id": sensor.id.hex(),
                "generation": sensor.generation,
                "fingerprint": f"{sensor.fingerprint:08x}",
                "warning": sensor.warning,
            }
            for sensor in hello.sensors
        ],
    }


def _channels(record: ThermistorRecord, session: Session) -> list[dict[str, Any]]:
    names = channel_names(session, record.sensor, len(record.channels))
    return [
        {"name": name, "celsius": channel.celsius, "state": CHANNEL_STATES[channel.state], "counts": channel.counts}
        for name, channel in zip(names, record.channels, strict=True)
    ]


def _verdict(record: VerdictRecord, session: Session) -> dict[str, Any]:
    names = label_names(session, len(record.scores))
    return {
        "index": record.index,
        "label": names[record.label] if record.label < len(names) else str(record.label),
        "scores": {name: round(score, 5) for name, score in zip(names, record.scores, strict=True)},
        "alert": record.alert,
        "uncalibrated": record.uncalibrated,
        "doubtful": record.doubtful,
        "fast_kernels": record.fast_kernels,
        "simulated": record.simulated,
        "pictures": record.pictures,
        "latency_us": record.latency_us,
        "inference_us": record.inference_us,
        "model": ".".join(str(part) for part in record.model_version[:3])
        + (f"+{record.model_version[3]}" if record.model_version[3] else ""),
        "notice": NOTICE,
    }
