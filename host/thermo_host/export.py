"""Recordings and raw dumps as arrays: decoded pictures and all that came with them, written as .npz or .csv."""

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.frames import COLUMNS, ROWS, Picture, Words
from thermo_core.profile import NOTICE
from thermo_core.wire.records import SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_host.describe import CHANNEL_STATES, channel_names, label_names, utc
from thermo_host.files import replacing
from thermo_host.lease import Telemetry
from thermo_host.pictures import DecodeSettings
from thermo_host.playback import Recording

FORMATS = (".npz", ".csv")
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
TEXT_COLUMNS = ("utc", "channel", "state", "label")


@dataclass(slots=True)
class Table:
    """Rows under named columns."""

    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Everything that an export writes.

    Attributes:
        celsius: (n, 24, 32) float32, degC.
        valid: (n, 24, 32) bool, False where interpolated.
        ta: (n,) float64, die temperature, degC.
        vdd: (n,) float64, supply, V.
        index: (n,) int64, of the newer subpage.
        utc_ns: (n,) int64, end of the newer capture, nanoseconds since 1970 UTC; 0 where it is unknown.
        sensor: (n,) int64, number of the sensor.
        eeproms: (832,) uint16 by number of the sensor.
        thermistors: one row a reading: utc, sensor, channel, celsius, state, counts.
        verdicts: one row a verdict: utc, index, label, alert, latency, inference time, then a score a class.
        lost: subpages missing.
        invalid: subpages whose counts cannot be right.
    """

    celsius: NDArray[np.float32]
    valid: NDArray[np.bool_]
    ta: NDArray[np.float64]
    vdd: NDArray[np.float64]
    index: NDArray[np.int64]
    utc_ns: NDArray[np.int64]
    sensor: NDArray[np.int64]
    eeproms: dict[int, Words]
    thermistors: Table
    verdicts: Table
    lost: int = 0
    invalid: int = 0


def decode_recording(
    recording: Recording, settings: DecodeSettings | None = None, progress: Callable[[int], None] = lambda count: None
) -> Decoded:
    """Decode a recording anew, with other settings where wanted.

    Args:
        recording: what to decode.
        settings: emissivity, reflected temperature, with or without per-pixel calibration.
        progress: called with the number of pictures so far.

    Raises:
        RecordingError, EepromError, UsageError.
    """
    session = recording.session
    pictures = session.pictures(settings)
    found: list[tuple[int, int, Picture]] = []
    thermistors = Table(["utc", "sensor", "channel", "celsius", "state", "counts"])
    verdicts = Table(["utc", "index", "label", "alert", "latency_us", "inference_us"])
    for item in recording:
        if not isinstance(item, Telemetry):
            continue
        record = item.record
        if isinstance(record, SubpageRecord):
            picture = pictures.push(record)
            if picture is not None:
                found.append((item.captured_ns, record.sensor, picture))
                progress(len(found))
        elif isinstance(record, ThermistorRecord):
            names = channel_names(session, record.sensor, len(record.channels))
            for name, channel in zip(names, record.channels, strict=True):
                state = CHANNEL_STATES[channel.state]
                row = [utc(item.captured_ns), record.sensor, name, channel.celsius, state, channel.counts]
                thermistors.rows.append(row)
        elif isinstance(record, VerdictRecord):
            labels = label_names(session, len(record.scores))
            verdicts.columns += [f"score {label}" for label in labels[len(verdicts.columns) - 6 :]]
            label = labels[record.label] if record.label < len(labels) else str(record.label)
            head = [utc(item.captured_ns), record.index, label, record.alert, record.latency_us, record.inference_us]
            verdicts.rows.append([*head, *(round(score, 5) for score in record.scores)])
    return collect(
        found,
        dict(session.eeproms),
        thermistors,
        verdicts,
        pictures.lost,
        pictures.invalid,
    )


def collect(
    found: Iterable[tuple[int, int, Picture]],
    eeproms: dict[int, Words],
    thermistors: Table | None = None,
    verdicts: Table | None = None,
    lost: int = 0,
    invalid: int = 0,
) -> Decoded:
    """Stack pictures, given as (UTC ns, sensor, picture)."""
    all_of = list(found)
    pictures = [picture for _, _, picture in all_of]
    shape = (len(pictures), ROWS, COLUMNS)
    return Decoded(
        celsius=np.array([p.celsius for p in pictures], dtype=np.float32).reshape(shape),
        valid=np.array([p.valid for p in pictures], dtype=np.bool_).reshape(shape),
        ta=np.array([p.ta for p in pictures], dtype=np.float64),
        vdd=np.array([p.vdd for p in pictures], dtype=np.float64),
        index=np.array([p.index for p in pictures], dtype=np.int64),
        utc_ns=np.array([ns for ns, _, _ in all_of], dtype=np.int64),
        sensor=np.array([sensor for _, sensor, _ in all_of], dtype=np.int64),
        eeproms=eeproms,
        thermistors=thermistors or Table(["utc", "sensor", "channel", "celsius", "state", "counts"]),
        verdicts=verdicts or Table(["utc", "index", "label", "alert", "latency_us", "inference_us"]),
        lost=lost,
        invalid=invalid,
    )


def write(decoded: Decoded, path: Path) -> list[Path]:
    """Write it to `path`, by its ending; returns the files written. A .csv has its thermistors and verdicts beside it.

    Raises:
        UsageError: another ending.
        StorageError: it cannot be written.
    """
    check_format(path)
    return _write_npz(decoded, path) if path.suffix == ".npz" else _write_csv(decoded, path)


def check_format(path: Path) -> None:
    """Refuse a name whose ending says no format.

    Raises:
        UsageError: it ends otherwise.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"{path} ends in neither {' nor '.join(FORMATS)}; give it one of these endings.")


def _write_npz(decoded: Decoded, path: Path) -> list[Path]:
    arrays: dict[str, Any] = {
        "celsius": decoded.celsius,
        "valid": decoded.valid,
        "ta_c": decoded.ta,
        "vdd_v": decoded.vdd,
        "index": decoded.index,
        "utc_ns": decoded.utc_ns,
        "utc": np.array([utc(ns) if ns else "" for ns in decoded.utc_ns.tolist()], dtype=np.str_),
        "sensor": decoded.sensor,
        "notice": np.array(NOTICE),
    }
    arrays |= {f"eeprom_{number}": words for number, words in decoded.eeproms.items()}
    for name, table in (("thermistor", decoded.thermistors), ("verdict", decoded.verdicts)):
        columns = list(zip(*table.rows, strict=False)) if table.rows else [()] * len(table.columns)
        for column, values in zip(table.columns, columns, strict=False):
            arrays[f"{name}_{column.replace(' ', '_')}"] = _column(column, values)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return [path]


def _column(name: str, values: tuple[Any, ...]) -> NDArray[Any]:
    if name == "celsius" or name.startswith("score"):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array(values, dtype=np.str_ if name in TEXT_COLUMNS else None)


def _write_csv(decoded: Decoded, path: Path) -> list[Path]:
    columns = ["utc", "sensor", "index", "ta_c", "vdd_v"]
    columns += [f"r{row:02d}c{column:02d}" for row in range(ROWS) for column in range(COLUMNS)]
    moments = [utc(ns) if ns else "" for ns in decoded.utc_ns.tolist()]
    rows = (
        [moments[at], decoded.sensor[at], decoded.index[at], f"{decoded.ta[at]:.3f}", f"{decoded.vdd[at]:.4f}"]
        + [f"{value:.3f}" for value in decoded.celsius[at].ravel().tolist()]
        for at in range(len(moments))
    )
    written = [_write_table(path, columns, rows)]
    for name, table in (("thermistors", decoded.thermistors), ("verdicts", decoded.verdicts)):
        if table.rows:
            written.append(_write_table(path.with_name(f"{path.stem}-{name}.csv"), table.columns, table.rows))
    return written


def _cell(value: Any) -> Any:
    """What a spreadsheet takes for what it is: a name that begins like a formula gets an apostrophe, numbers stay."""
    if isinstance(value, str) and value.lstrip()[:1] in _FORMULA and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _write_table(path: Path, columns: list[str], rows: Iterable[list[Any]]) -> Path:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(_cell, columns))
        writer.writerows(map(_cell, row) for row in rows)
    return path
