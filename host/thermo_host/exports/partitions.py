"""Many recordings as one folder of Parquet: KEY/wearable=SERIAL/date=DAY/RECORDING.parquet, as query engines find their way in.

Days are of UTC and of the row itself, so a night lies in two. A recording comes in whole or not at all; one that cannot be read is told
and passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thermo_core.errors import StorageError, ThermoError
from thermo_core.file_errors import storage_error
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.parquet import ParquetWriter
from thermo_host.exports.rows import Column, SessionRow, Table, TableRow, file_part
from thermo_host.exports.target import Files
from thermo_host.exports.totals import Totals
from thermo_host.stream.playback import Recording

RECORDINGS = "recordings"
"""Table with a row for each recording."""
_SECOND_NS = 1_000_000_000
_COLUMNS = (
    Column("utc", "time"),
    Column("file", "text"),
    Column("serial", "text"),
    Column("profile", "text"),
    Column("bundle", "text"),
    Column("simulated", "int"),
    Column("subject", "text"),
    Column("note", "text"),
    Column("complete", "int"),
    Column("damaged", "int"),
    Column("lost", "int"),
    Column("undecodable", "int"),
    Column("notice", "text"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a recording.

    Attributes:
        path: of it.
        totals: of what was written; None where it was passed over.
        files: written.
        damaged: pieces of it that were left out.
        complete: whether it has its end.
        reason: why it was passed over; "" where it was not.
    """

    path: Path
    totals: Totals | None = None
    files: tuple[Path, ...] = ()
    damaged: int = 0
    complete: bool = True
    reason: str = ""


def export_all(
    recordings: Sequence[Path],
    folder: Path,
    choice: Choice,
    force: bool = False,
    tell: Callable[[Path, int, int], None] = lambda path, done, total: None,
) -> list[Outcome]:
    """Write recordings into a folder, and say what came of each.

    Args:
        recordings: files.
        folder: of the partitions; made where it is not there.
        choice: what of each.
        force: replace files that exist.
        tell: told (recording, bytes read, bytes in all) now and then.

    Raises:
        UsageError: a signal that is wanted is not there.
        StorageError: the folder cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file, and Parquet of many recordings goes into a folder; name another one.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("make", folder, error) from error
    outcomes = []
    for path in recordings:
        try:
            outcomes.append(_export(path, folder, choice, force, tell))
        except ThermoError as error:
            outcomes.append(Outcome(path, reason=str(error)))
    return outcomes


def _export(path: Path, folder: Path, choice: Choice, force: bool, tell: Callable[[Path, int, int], None]) -> Outcome:
    recording = Recording(path)
    decoding = Decoding(recording, choice)
    decoding.progress = lambda done, total: tell(path, done, total)
    session = recording.session
    name = f"{session.started:%Y%m%dT%H%M%SZ}-{file_part(path.stem)}.parquet"
    with Files(folder / name, force) as files:
        try:
            with _Writer(files, decoding.first, f"wearable={file_part(session.hello.serial) or '_'}", name) as writer:
                for row in decoding:
                    writer.add(row)
                key = RECORDINGS
                while key in decoding.known:
                    key += "_"
                complete = recording.complete or not decoding.ended
                hello, totals = session.hello, decoding.totals
                writer.add(
                    TableRow(
                        Table(key, _COLUMNS),
                        (
                            session.started_ns,
                            path.name,
                            hello.serial,
                            hello.profile,
                            hello.bundle,
                            int(hello.simulated),
                            session.subject,
                            session.note,
                            int(complete),
                            recording.damaged,
                            totals.lost,
                            totals.undecodable,
                            decoding.first.facts["notice"],
                        ),
                    )
                )
                writer.finish()
        except OSError as error:
            raise storage_error("write", folder, error) from error
    return Outcome(path, totals, tuple(files.written), recording.damaged, complete)


class _Writer(ParquetWriter):
    """Puts each row where its key, its wearable and its day say."""

    def __init__(self, files: Files, first: SessionRow, wearable: str, name: str) -> None:
        super().__init__(files, first)
        self._folder = files.path.parent
        self._wearable = wearable
        self._name = name
        self._places: dict[tuple[str, int], Path] = {}

    def place_of(self, key: str, utc_ns: int) -> Path:
        day = utc_ns // (86_400 * _SECOND_NS)
        place = self._places.get((key, day))
        if place is None:
            date = datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
            folder = self._folder / file_part(key) / self._wearable / f"date={date}"
            folder.mkdir(parents=True, exist_ok=True)
            place = self._places[key, day] = folder / self._name
        return place
