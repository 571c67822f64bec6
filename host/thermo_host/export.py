"""Recordings and raw dumps as pictures in degC with all that came with them, one by one, and in files of arrays and tables.

Nothing is held but what is being written, so a night takes no more memory than a minute.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.errors import StorageError, UsageError
from thermo_core.recording.content import LATEST_NS
from thermo_core.sensors.mlx90640.frames import Picture, Words
from thermo_core.wire.records import SubpageRecord, ThermistorRecord, VerdictRecord
from thermo_host.about import about
from thermo_host.export_csv import CsvWriter
from thermo_host.export_npz import NpzWriter
from thermo_host.link.lease import Telemetry
from thermo_host.link.session import Session
from thermo_host.pictures import DecodeSettings
from thermo_host.sinks.describe import CHANNEL_STATES, channel_names, label_names
from thermo_host.stream.playback import Progress, Recording
from thermo_host.tables import PictureRow, Row, SessionRow, TableRow, Writer

WRITERS: dict[str, type[Writer]] = {".npz": NpzWriter, ".csv": CsvWriter}


@dataclass(slots=True)
class Totals:
    """What has been written, in numbers.

    Attributes:
        pictures: so many.
        lost: subpages missing.
        invalid: subpages that cannot be decoded: their counts cannot be right, or their EEPROM is not known.
        last: the last picture.
    """

    pictures: int = 0
    lost: int = 0
    invalid: int = 0
    last: Picture | None = None
    _low: float = np.inf
    _high: float = -np.inf
    _sum: float = 0.0
    _pixels: int = 0
    _ta: float = 0.0
    _vdd: float = 0.0

    def add(self, picture: Picture) -> None:
        """Take a picture."""
        self.pictures += 1
        self.last = picture
        self._ta += picture.ta
        self._vdd += picture.vdd
        shown = picture.celsius[picture.valid]
        if shown.size:
            self._low, self._high = min(self._low, float(shown.min())), max(self._high, float(shown.max()))
            self._sum += float(shown.sum(dtype=np.float64))
            self._pixels += shown.size

    def to_map(self) -> dict[str, Any]:
        """For JSON; temperatures are of valid pixels."""
        return {
            "pictures": self.pictures,
            "min_c": round(self._low, 3) if self._pixels else None,
            "mean_c": round(self._sum / self._pixels, 3) if self._pixels else None,
            "max_c": round(self._high, 3) if self._pixels else None,
            "ta_c": round(self._ta / self.pictures, 3) if self.pictures else None,
            "vdd_v": round(self._vdd / self.pictures, 4) if self.pictures else None,
            "lost": self.lost,
            "invalid": self.invalid,
        }


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a recording, by the times of arrival.

    Attributes:
        from_ns, to_ns: nanoseconds since 1970 UTC.
    """

    from_ns: int = 0
    to_ns: int = LATEST_NS


class Decoding:
    """A recording decoded anew, with other settings where wanted. Iterate over it once for its rows.

    Args:
        recording: what to decode.
        settings: emissivity, reflected temperature, with or without per-pixel calibration.
        window: what of it.

    Attributes:
        totals: of the pictures so far.
        progress: told (bytes read, bytes in all) now and then.

    Raises:
        RecordingError, EepromError, UsageError.
    """

    def __init__(
        self, recording: Recording, settings: DecodeSettings | None = None, window: Window | None = None
    ) -> None:
        self.totals = Totals()
        self.progress: Progress = lambda done, total: None
        self._recording = recording
        self._settings = settings or DecodeSettings()
        self._window = window or Window()
        self._session = recording.session
        self._pictures = recording.session.pictures(self._settings)

    @property
    def about(self) -> dict[str, Any]:
        """Whose it is and how it is decoded; at first, then as far as the rows have come."""
        corrected = any(reader.corrected for reader in self._pictures.readers.values())
        return about(self._session, self._settings, corrected)

    @property
    def eeproms(self) -> dict[int, Words]:
        """(832,) uint16 by number of the sensor."""
        return dict(self._recording.session.eeproms)

    def __iter__(self) -> Iterator[Row]:
        before = (0, 0)
        begun = False
        for item in self._recording.items(self._window.from_ns, self._window.to_ns, self.progress):
            if isinstance(item, Session):
                yield self._change(item)
            if not isinstance(item, Telemetry):
                continue
            if not begun and item.received_ns >= self._window.from_ns:
                # What was lost in the lead is not of this window.
                begun, before = True, self._missing()
            for row in self._rows(item):
                if begun:
                    if isinstance(row, PictureRow):
                        self.totals.add(row.picture)
                    yield row
            now = self._missing()
            self.totals.lost, self.totals.invalid = now[0] - before[0], now[1] - before[1]

    def _missing(self) -> tuple[int, int]:
        """Subpages that did not come, and those that cannot be decoded, so far."""
        return self._pictures.lost, self._pictures.invalid + self._pictures.strange

    def _change(self, session: Session) -> SessionRow:
        before, self._pictures = self._pictures, session.pictures(self._settings)
        self._pictures.follow(before)
        self._session = session
        generations = {sensor.sensor: sensor.generation for sensor in session.hello.sensors}
        return SessionRow(self.about, session.eeproms, generations)

    def _rows(self, item: Telemetry) -> Iterator[Row]:
        record, session = item.record, self._session
        if isinstance(record, SubpageRecord):
            picture = self._pictures.push(record)
            if picture is not None:
                yield PictureRow(item.captured_ns, record.sensor, picture, record.generation)
        elif isinstance(record, ThermistorRecord):
            names = channel_names(session, record.sensor, len(record.channels))
            for name, channel in zip(names, record.channels, strict=True):
                yield TableRow(
                    "thermistor",
                    item.captured_ns,
                    {
                        "sensor": record.sensor,
                        "channel": name,
                        "celsius": channel.celsius,
                        "state": CHANNEL_STATES[channel.state],
                        "counts": channel.counts,
                        "simulated": session.hello.simulated,
                    },
                )
        elif isinstance(record, VerdictRecord):
            names = label_names(session, len(record.scores))
            yield TableRow("verdict", item.captured_ns, _verdict(record, names))


def _verdict(record: VerdictRecord, names: list[str]) -> dict[str, Any]:
    version = record.model_version
    return {
        "index": record.index,
        "label": names[record.label] if record.label < len(names) else str(record.label),
        "alert": record.alert,
        "latency_us": record.latency_us,
        "inference_us": record.inference_us,
        "pictures": record.pictures,
        "uncalibrated": record.uncalibrated,
        "doubtful": record.doubtful,
        "fast_kernels": record.fast_kernels,
        "simulated": record.simulated,
        "model": ".".join(map(str, version[:3])) + (f"+{version[3]}" if version[3] else ""),
        **{f"score {name}": round(score, 5) for name, score in zip(names, record.scores, strict=True)},
    }


def check_target(path: Path, force: bool = False) -> None:
    """See that a file can be written under a name, before anything is decoded.

    Raises:
        UsageError: its ending says no format.
        StorageError: it exists and `force` is off.
    """
    if path.suffix not in WRITERS:
        raise UsageError(f"{path} ends in neither {' nor '.join(WRITERS)}; give it one of these endings.")
    for existing in WRITERS[path.suffix].names(path):
        if existing.exists() and not force:
            raise StorageError(f"{existing} exists; choose another name, or replace it with --force.")


def write(
    rows: Iterable[Row], path: Path, facts: dict[str, Any], eeproms: dict[int, Words], force: bool = False
) -> list[Path]:
    """Write rows to `path`, by its ending; the files written. A .csv has thermistors, verdicts and facts beside it.

    Args:
        rows: pictures and what came with them, in order.
        path: ends in .npz or .csv.
        facts: whose they are and how they came about.
        eeproms: (832,) uint16 by number of the sensor.
        force: replace files that exist.

    Raises:
        UsageError: another ending.
        StorageError: it exists, or cannot be written; then nothing of it is left.
    """
    check_target(path, force)
    with WRITERS[path.suffix](path, facts, eeproms) as writer:
        for row in rows:
            writer.add(row)
        return writer.finish()
