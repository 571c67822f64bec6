"""Numbers, texts and tables as C writes them."""

from collections.abc import Iterable, Sequence

import numpy as np

from thermo_quantize.compiler.graph.tables import boolean, real

__all__ = ["boolean", "comment", "numbers", "real", "table", "text", "texts"]

_LINE = 100


def text(value: str) -> str:
    """A string literal of its UTF-8; everything that is not plainly itself in C is octal."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in value.encode()) + '"'


def comment(value: str) -> str:
    """Text within a comment."""
    return "".join(letter if letter.isascii() and letter not in "*\\" else "?" for letter in value)


def numbers(values: Iterable[int]) -> str:
    """Whole numbers, with a comma behind each, in lines."""
    lines, line = [], "   "
    for value in values:
        if len(line) > _LINE:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([*lines, line])


def table(kind: str, name: str, values: bytes | Sequence[int]) -> str:
    """A constant table of whole numbers."""
    return f"static const {kind} {name}[] = {{\n{numbers(values)}\n}};"


def signed(data: bytes) -> list[int]:
    """Bytes as int8."""
    found: list[int] = np.frombuffer(data, np.int8).tolist()
    return found


def texts(name: str, values: Iterable[str]) -> str:
    """A constant table of texts."""
    lines = "\n".join(f"    {text(value)}," for value in values)
    return f"static const char *const {name}[] = {{\n{lines}\n}};"
