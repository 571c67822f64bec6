"""What exports share that draw the first sample of each signal they can draw; `--from` says of which moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from thermo_core.errors import UsageError
from thermo_host.exports.render import scale_of
from thermo_host.exports.rows import Known, Row, SampleRow, SessionRow, Track, beside
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer

Span = tuple[float, float]


def files_of(path: Path, keys: Sequence[str]) -> list[Path]:
    """The file, or one for each signal where there are several."""
    return [path] if len(keys) == 1 else [beside(path, f"{key}{path.suffix}") for key in keys]


def files_known(path: Path, known: Known, draws: Callable[[Track], bool]) -> list[Path]:
    """`files_of` the signals that can be drawn."""
    return files_of(path, [key for key, one in known.items() if isinstance(one, Track) and draws(one)])


@dataclass(frozen=True, slots=True)
class Drawing:
    """One way to draw.

    Attributes:
        draws: whether it can draw a signal.
        draw: (file, key of the signal, its sample, ends of the scale) -> the file is there.
        nothing: what is said where no signal can be drawn.
    """

    draws: Callable[[Track], bool]
    draw: Callable[[Path, str, SampleRow, Span], None]
    nothing: str


class FirstOfEach(Writer):
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
        span: ends of the scale; None takes those of each sample.
        wanted: signals there are that can be drawn; where it is known, the rest of a recording need not be read.

    Attributes:
        drawing: how.
    """

    drawing: ClassVar[Drawing]

    def __init__(self, files: Files, first: SessionRow, span: Span | None = None, wanted: int | None = None) -> None:
        self._files = files
        self._span = span
        self._wanted = wanted
        self._taken: dict[str, SampleRow] = {}

    @classmethod
    def names(cls, path: Path, known: Known) -> list[Path]:
        """All files that may be written for a name, as far as that is known."""
        return files_known(path, known, cls.drawing.draws)

    @property
    def done(self) -> bool:
        """Whether it has all it wants."""
        return len(self._taken) == self._wanted

    def add(self, row: Row) -> None:
        """Take a sample, where it is the first of its signal."""
        if isinstance(row, SampleRow) and self.drawing.draws(row.track):
            self._taken.setdefault(row.track.key, row)

    def finish(self) -> list[Path]:
        """Write the files; their names.

        Raises:
            UsageError: there was nothing to draw.
        """
        if not self._taken:
            raise UsageError(self.drawing.nothing)
        paths = files_of(self._files.path, list(self._taken))
        for path, (key, row) in zip(paths, self._taken.items(), strict=True):
            self.drawing.draw(self._files.open(path), key, row, scale_of(row.sample.values, self._span))
        return self._files.written
