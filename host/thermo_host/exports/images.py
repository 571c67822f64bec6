"""An export as PNG: the first picture of each signal of pictures; `--from` says of which moment."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from thermo_core.errors import UsageError
from thermo_core.quality import in_words
from thermo_host.exports.render import Caption, image, scale_of
from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, Track, beside
from thermo_host.exports.target import Files
from thermo_host.sinks.describe import utc


def no_pictures(kind: str) -> UsageError:
    """The error for an export that holds none."""
    return UsageError(
        f"{kind} holds pictures, and no signal here is one; choose others with --signals, or export to .csv or .parquet."
    )


def picture_files(path: Path, keys: Sequence[str]) -> list[Path]:
    """A file for each signal of pictures."""
    return [path] if len(keys) == 1 else [beside(path, f"{key}{path.suffix}") for key in keys]


def known_picture_files(path: Path, known: Known) -> list[Path]:
    """The file, or one for each signal of pictures where there are several."""
    return picture_files(path, [key for key, one in known.items() if isinstance(one, Track) and one.is_picture])


class PngWriter:
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
        span: ends of the scale; None takes those of each picture.
        wanted: signals of pictures there are; where it is known, the rest of a recording need not be read.
    """

    def __init__(
        self, files: Files, first: SessionRow, span: tuple[float, float] | None = None, wanted: int | None = None
    ) -> None:
        self._files = files
        self._span = span
        self._wanted = wanted
        self._taken: dict[str, SampleRow] = {}

    names = staticmethod(known_picture_files)

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
        """Take a picture, where it is the first of its signal."""
        if isinstance(row, SampleRow) and row.track.is_picture:
            self._taken.setdefault(row.track.key, row)

    def finish(self) -> list[Path]:
        """Write the files; their names.

        Raises:
            UsageError: there was no picture.
        """
        if not self._taken:
            raise no_pictures("PNG")
        paths = picture_files(self._files.path, list(self._taken))
        for path, (key, row) in zip(paths, self._taken.items(), strict=True):
            values = row.sample.values
            low, high = scale_of(values, self._span)
            when = utc(row.utc_ns) if row.utc_ns else ""
            quality = ", ".join(in_words(row.sample.flags))
            caption = Caption(key, when, quality, row.track.signal.unit, low, high)
            image(values, caption).save(self._files.open(path), format="PNG")
        return self._files.written
