"""Columns of numbers put by on disk until their length is known."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 1 << 20
"""Bytes that are held at once."""
BLOCK_ROWS = 8192
"""Rows at most, of which a reader may make something larger."""

_CODES = {"f8": "d", "i8": "q", "u2": "H", "u4": "I"}
"""Single numbers as `struct` packs them, which takes a fifth of the time."""


class Spool:
    """One column in a file of its own.

    Args:
        path: of the file.
        dtype: of a number.
        row: shape of a row.

    Attributes:
        rows: so far.
    """

    def __init__(self, path: Path, dtype: Any, row: tuple[int, ...] = ()) -> None:
        self.rows = 0
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._row = row
        code = "" if row else _CODES.get(self._dtype.str[1:], "")
        self._number = struct.Struct(f"<{code}").pack if code else None
        self._file: IO[bytes] = path.open("w+b")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a number, as it is read."""
        return self._dtype

    @property
    def nothing(self) -> Any:
        """Stands for a number that is not there."""
        return np.nan if self._dtype.kind == "f" else -1

    @property
    def block_rows(self) -> int:
        """Rows of each of its blocks but the last."""
        row_bytes = self._dtype.itemsize * int(np.prod(self._row, dtype=np.int64))
        return min(BLOCK_ROWS, max(1, BLOCK_BYTES // row_bytes))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole column."""
        return (self.rows, *self._row)

    def add(self, value: Any) -> None:
        """Add a row."""
        self._file.write(np.asarray(value, self._dtype).tobytes() if self._number is None else self._number(value))
        self.rows += 1

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All rows, some at a time."""
        self._file.flush()
        self._file.seek(0)
        size = self.block_rows * self._dtype.itemsize * int(np.prod(self._row, dtype=np.int64))
        while data := self._file.read(size):
            yield np.frombuffer(data, self._dtype).reshape(-1, *self._row)
        self._file.seek(0, 2)

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):
            self._file.close()


class TextSpool(Spool):
    """Texts of which few differ, put by as numbers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "<u4")
        self._numbers: dict[str, int] = {"": 0}

    @property
    def dtype(self) -> np.dtype[Any]:
        """As wide as the longest of them."""
        return np.dtype(f"<U{max(1, *map(len, self._numbers))}")

    def add(self, value: Any) -> None:
        """Add a text."""
        super().add(self._numbers.setdefault(str(value), len(self._numbers)))

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All texts, some at a time."""
        names = np.array(list(self._numbers), dtype=self.dtype)
        for numbers in super().blocks():
            yield names[numbers]
