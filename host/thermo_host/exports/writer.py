"""What writers of every ending are: used in a `with` block, at the end of which nothing of theirs is open."""

from pathlib import Path
from types import TracebackType
from typing import Self

from thermo_host.exports.rows import Known


class Writer:
    """A writer of one file, named as the user says."""

    @classmethod
    def names(cls, path: Path, known: Known) -> list[Path]:
        """All files that may be written for a name, as far as that is known."""
        return [path]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is open."""
