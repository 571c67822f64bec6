"""An export as SVG: the first map of the body of each signal of its segments, as a figure; `--from` says of which moment."""

from pathlib import Path
from types import TracebackType
from typing import Self

from thermo_core.body import is_body
from thermo_core.errors import UsageError
from thermo_core.quality import in_words
from thermo_host.exports.images import picture_files
from thermo_host.exports.render import scale_of
from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, Track
from thermo_host.exports.target import Files
from thermo_host.screen.body_drawing import drawing
from thermo_host.sinks.describe import utc


class SvgWriter:
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
        span: ends of the scale, degC; None takes those of each map.
        wanted: signals of segments there are; where it is known, the rest of a recording need not be read.
    """

    def __init__(
        self, files: Files, first: SessionRow, span: tuple[float, float] | None = None, wanted: int | None = None
    ) -> None:
        self._files = files
        self._span = span
        self._wanted = wanted
        self._taken: dict[str, SampleRow] = {}

    @staticmethod
    def names(path: Path, known: Known) -> list[Path]:
        """The file, or one for each signal of segments where there are several."""
        keys = [key for key, one in known.items() if isinstance(one, Track) and is_body(one.signal)]
        return picture_files(path, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is left open."""

    @property
    def done(self) -> bool:
        """Whether it has all it wants."""
        return len(self._taken) == self._wanted

    def add(self, row: Row) -> None:
        """Take a map, where it is the first of its signal."""
        if isinstance(row, SampleRow) and is_body(row.track.signal):
            self._taken.setdefault(row.track.key, row)

    def finish(self) -> list[Path]:
        """Write the files; their names.

        Raises:
            UsageError: there was no map.
        """
        if not self._taken:
            raise UsageError(
                "SVG holds maps of a body, and no signal here is the 17 temperatures of its segments; name one with --signals, or export to .csv or .parquet."
            )
        paths = picture_files(self._files.path, list(self._taken))
        for path, (key, row) in zip(paths, self._taken.items(), strict=True):
            values = row.sample.values
            low, high = scale_of(values, self._span)
            when = utc(row.utc_ns)[:23] + " UTC" if row.utc_ns else ""
            text = drawing(values, low, high, key, when, ", ".join(in_words(row.sample.flags)))
            self._files.open(path).write_text(text, encoding="utf-8")
        return self._files.written
