"""The line of a TOML file that a field stands on: tomllib tells values, not where they came from."""

import re

_HEADER = re.compile(r"^\s*\[(?P<array>\[)?\s*(?P<name>[A-Za-z0-9_.\"' -]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"^\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]*\")\s*=")
_STEP = re.compile(r"\.?(?P<name>[A-Za-z0-9_-]+)|\[(?P<index>\d+)\]")


def line_of(text: str, path: str) -> int:
    """Line number, from 1, of the deepest part of `path` that stands on a line of its own.

    Args:
        text: of the file.
        path: of the field, as ".sensors[0].rate_hz"; "" for the whole file.

    Returns:
        The field's line, or that of the table it is missing from; 1 where neither is found.
    """
    wanted = tuple(int(step["index"]) if step["index"] else step["name"] for step in _STEP.finditer(path))
    best, depth = 1, 0
    for number, place in _places(text):
        shared = _shared(place, wanted)
        if shared == len(place) and shared > depth:
            best, depth = number, shared
    return best


def _places(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """Lines on which a table or a key begins, with their full names."""
    found: list[tuple[int, tuple[str | int, ...]]] = []
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(_without_long_strings(text).splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            table = _table(header["name"], bool(header["array"]), counts)
            found.append((number, table))
        elif key is not None:
            found.append((number, (*table, key["key"].strip('"'))))
    return found


def _table(name: str, is_array: bool, counts: dict[tuple[str | int, ...], int]) -> tuple[str | int, ...]:
    place: tuple[str | int, ...] = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for position, part in enumerate(parts):
        place = (*place, part)
        last = position == len(parts) - 1
        if last and is_array:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _without_long_strings(text: str) -> str:
    """The text with nothing but line ends in its multi-line strings."""
    return re.sub(r'"""(.|\n)*?"""|' + r"'''(.|\n)*?'''", lambda found: '""' + "\n" * found[0].count("\n"), text)


def _shared(place: tuple[str | int, ...], wanted: tuple[str | int, ...]) -> int:
    count = 0
    for one, other in zip(place, wanted, strict=False):
        if one != other:
            break
        count += 1
    return count
