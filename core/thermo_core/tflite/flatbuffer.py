"""Tables, vectors and strings of a FlatBuffers file, each access checked against the file's end.

Format: https://flatbuffers.dev/internals. Offsets to children always point forward here and every path has the fixed depth
of the schema, so no file can make a reader loop; the budget bounds files whose vectors share one another's bytes.
"""

import struct
from dataclasses import dataclass, field

from thermo_core.errors import ModelError
from thermo_core.foreign import stand_in

_BUDGET_FACTOR = 4
_BUDGET_SPARE = 4096


def damaged(what: str) -> ModelError:
    """The error of a file that was cut or changed on its way; `what` finishes "because"."""
    return ModelError(f"The model file is damaged because {what}; get it again from where it was made.")


def contradictory(what: str) -> ModelError:
    """The error of a whole file whose content cannot be; `what` follows "The model"."""
    return ModelError(f"The model{what}; convert its float model anew, for which there is thermo-quantize quantize.")


@dataclass
class Buffer:
    """The file's bytes, and how many more bytes its tables may claim."""

    data: bytes
    budget: int = field(default=0)

    def __post_init__(self) -> None:
        self.budget = _BUDGET_FACTOR * len(self.data) + _BUDGET_SPARE

    def take(self, position: int, size: int, what: str) -> None:
        """Check `size` bytes at `position`.

        Raises:
            ModelError: they are not all inside the file, or the file's parts claim more bytes than the file has.
        """
        if position < 0 or size < 0 or position + size > len(self.data):
            raise damaged(f"{what} points outside of it (byte {position})")
        self.budget -= size
        if self.budget < 0:
            raise damaged("its tables share the same bytes again and again")

    def scalar(self, format_: str, position: int, what: str) -> int | float:
        """One little-endian number, `format_` as in the module struct."""
        self.take(position, struct.calcsize(f"<{format_}"), what)
        value: int | float = struct.unpack_from(f"<{format_}", self.data, position)[0]
        return value

    def integer(self, format_: str, position: int, what: str) -> int:
        """One little-endian integer."""
        return int(self.scalar(format_, position, what))

    def follow(self, position: int, what: str) -> int:
        """Where the offset at `position` points."""
        offset = self.integer("I", position, what)
        if offset == 0:
            raise damaged(f"{what} points to itself")
        return position + offset


class Table:
    """One FlatBuffers table.

    Args:
        buffer: the file.
        position: of the table's first byte.
        what: what the table is, for errors.

    Raises:
        ModelError: table or vtable lie outside of the file.
    """

    def __init__(self, buffer: Buffer, position: int, what: str) -> None:
        self._buffer = buffer
        self._position = position
        self._what = what
        vtable = position - buffer.integer("i", position, what)
        size = buffer.integer("H", vtable, what)
        self._table_size = buffer.integer("H", vtable + 2, what)
        if size < 4 or size % 2 or self._table_size < 4:
            raise damaged(f"{what} has no table of fields")
        buffer.take(vtable, size, what)
        buffer.take(position, self._table_size, what)
        self._fields = struct.unpack_from(f"<{size // 2 - 2}H", buffer.data, vtable + 4)

    def place(self, index: int, size: int) -> int | None:
        """The byte at which the `size` bytes of field `index` begin, or None where the table has no such field."""
        offset = self._fields[index] if index < len(self._fields) else 0
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._table_size:
            raise damaged(f"field {index} of {self._what} lies outside of its table")
        return self._position + int(offset)

    def scalar(self, index: int, format_: str, default: int | float) -> int | float:
        """The number in field `index`, or its default."""
        at = self.place(index, struct.calcsize(f"<{format_}"))
        return default if at is None else self._buffer.scalar(format_, at, self._what)

    def integer(self, index: int, format_: str, default: int = 0) -> int:
        """The integer in field `index`, or its default."""
        return int(self.scalar(index, format_, default))

    def table(self, index: int, what: str) -> "Table | None":
        """The table field `index` refers to, or None."""
        at = self.place(index, 4)
        return None if at is None else Table(self._buffer, self._buffer.follow(at, what), what)

    def vector(self, index: int, element_size: int, what: str) -> tuple[int, int] | None:
        """(position of the first element, count) of the vector in field `index`, or None."""
        at = self.place(index, 4)
        if at is None:
            return None
        start = self._buffer.follow(at, what)
        count = self._buffer.integer("I", start, what)
        self._buffer.take(start + 4, count * element_size, what)
        return start + 4, count

    def numbers(self, index: int, format_: str, what: str) -> tuple[int, ...]:
        """The integers of the vector in field `index`; empty where there is none."""
        return tuple(int(value) for value in self.floats(index, format_, what))

    def floats(self, index: int, format_: str, what: str) -> tuple[float, ...]:
        """The numbers of the vector in field `index`; empty where there is none."""
        found = self.vector(index, struct.calcsize(f"<{format_}"), what)
        if found is None:
            return ()
        return struct.unpack_from(f"<{found[1]}{format_}", self._buffer.data, found[0])

    def bytes_(self, index: int, what: str) -> bytes | None:
        """The byte vector in field `index`, or None."""
        found = self.vector(index, 1, what)
        return None if found is None else self._buffer.data[found[0] : found[0] + found[1]]

    def text(self, index: int, what: str) -> str:
        """The string in field `index`, with anything that is not printable made visible."""
        raw = (self.bytes_(index, what) or b"").decode("utf-8", "backslashreplace")
        return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in raw)

    def tables(self, index: int, what: str) -> "list[Table]":
        """The tables of the vector in field `index`."""
        found = self.vector(index, 4, what)
        if found is None:
            return []
        start, count = found
        where = [f"{what} {number}" for number in range(count)]
        return [Table(self._buffer, self._buffer.follow(start + 4 * n, where[n]), where[n]) for n in range(count)]


def root(data: bytes, identifier: bytes) -> Table:
    """The root table of a file.

    Raises:
        ModelError: the file is too short or bears another identifier than `identifier` (4 bytes).
    """
    if len(data) < 8 or data[4:8] != identifier:
        if found := stand_in(data):
            raise ModelError(f"The model is {found}.")
        raise ModelError(
            f"The model is not a .tflite file (it lacks the mark {identifier.decode()}); check that it is the right file."
        )
    buffer = Buffer(data)
    return Table(buffer, buffer.follow(0, "the model"), "the model")
