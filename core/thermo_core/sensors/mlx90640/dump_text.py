"""Numbers in text that a person or another tool wrote: CSV, C arrays, JSON, lists of numbers, hex logs, lines of xxd.

Text is cut into runs, sequences of numbers that belong together: the end of a line as long as a frame, what stands between
brackets, or what stands between two words.
"""

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from thermo_core.errors import StorageError

FRAME_LENGTHS = (832, 834)
LONGEST_LEAD = 8
"""Columns before the words of a frame, such as its number and its time."""
MOST_RUNS = 200_000
SAMPLE = 1 << 20
"""Characters that are looked at to tell words from temperatures."""

_COMMENT = re.compile(r"//.*|/\*.*?\*/")
_SEPARATOR = re.compile(r"[\s,;\"']+")
_INTEGER = re.compile(r"0[xX][0-9A-Fa-f]+|[+-]?[0-9]+")
_DECIMAL = re.compile(r"[0-9]\.[0-9]")
_TOKEN = re.compile(r"[{}\[\]()]|[A-Za-z_]\w*|0[xX][0-9A-Fa-f]+|[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OFFSET = re.compile(r"^\s*(?:0x)?[0-9A-Fa-f]{2,16}\s*:|^[0-9A-Fa-f]{7,8}(?=\s)")
_CHARACTERS = re.compile(r"\s\s+\S{1,16}\s*$|\|.*$")
_HEX_LINE = re.compile(r"[0-9A-Fa-f]{1,4}(?:[\s,]+[0-9A-Fa-f]{1,4})*")
_HEX_STRING = re.compile(r"(?:[0-9A-Fa-f]{4}){2,}")


@dataclass(slots=True)
class Run:
    """Numbers that belong together.

    Attributes:
        label: the last word before them.
        values: as written.
        octets: whether they were written as bytes, in two hexadecimal digits each.
    """

    label: str = ""
    values: "array[int]" = field(default_factory=lambda: array("i"))
    octets: bool = False


def find_runs(text: str, name: object) -> list[Run]:
    """Runs of whole numbers in a text.

    Args:
        text: of a file.
        name: how errors call it.

    Raises:
        StorageError: it holds temperatures instead of words, numbers of more than 32 bits, or far too many runs.
    """
    lines = [_COMMENT.sub("", line) for line in text.splitlines()]
    try:
        if _is_hex_log(lines):
            return _hex_log(lines)
        if any("{" in line or "[" in line for line in lines):
            runs = _bracketed(lines)
        else:
            runs = _lines(lines)
    except OverflowError as error:
        raise StorageError(f"{name} holds numbers of more than 16 bits, so they are no words of the sensor.") from error
    if sum(len(run.values) for run in runs) < len(_DECIMAL.findall(text, 0, SAMPLE)):
        raise StorageError(
            f"{name} holds numbers with decimals: temperatures or voltages and not the 16-bit words that the sensor sent."
        )
    if len(runs) > MOST_RUNS:
        raise StorageError(f"{name} holds too many pieces for one dump; save it in several files.")
    return runs


def _bracketed(lines: Iterable[str]) -> list[Run]:
    """C arrays, Python lists, JSON: what stands between the innermost brackets, with the last word before them."""
    runs: list[Run] = []
    depth, run = 0, Run()
    for line in lines:
        for token in _TOKEN.findall(line):
            if token in "{}[]()":
                if run.values:
                    runs.append(run)
                depth = max(0, depth + (1 if token in "{[(" else -1))
                run = Run(run.label)
            elif token[0].isalpha() or token[0] == "_":
                run = Run(token)
            elif depth and _INTEGER.fullmatch(token):
                run.values.append(_number(token))
    return runs


def _lines(lines: Iterable[str]) -> list[Run]:
    """Lines of numbers under headings; a line as long as a frame is one, behind at most a few columns of its own."""
    runs: list[Run] = []
    run = Run()
    for line in lines:
        fields = [text for text in _SEPARATOR.split(line) if text]
        lead = len(fields)
        while lead and _INTEGER.fullmatch(fields[lead - 1]):
            lead -= 1
        words = fields[lead:]
        if not fields or (lead == 0 and len(fields) < min(FRAME_LENGTHS)):
            run.values.extend(map(_number, words))
            continue
        if run.values:
            runs.append(run)
        run = Run(" ".join(fields[: min(lead, LONGEST_LEAD)]))
        if len(words) >= min(FRAME_LENGTHS) and lead <= LONGEST_LEAD:
            runs.append(Run(run.label, array("i", map(_number, words))))
    return [*runs, run] if run.values else runs


def _hex_log(lines: Iterable[str]) -> list[Run]:
    runs: list[Run] = []
    run = Run()
    for line in lines:
        groups = _hex_groups(line)
        if groups is None:
            if run.values:
                runs.append(run)
            run = Run(" ".join(line.split())[:80])
            continue
        run.octets = (run.octets or not run.values) and all(len(group) == 2 for group in groups)
        run.values.extend(int(group, 16) for group in groups)
    return [*runs, run] if run.values else runs


def _is_hex_log(lines: list[str]) -> bool:
    """Whether most lines are hexadecimal without saying so: groups of at most four digits, with letters among them."""
    sample = [line for line in lines[:200] if line.strip()]
    groups = [found for line in sample if (found := _hex_groups(line))]
    letters = any(re.search("[A-Fa-f]", group) for found in groups for group in found)
    return letters and 2 * len(groups) > len(sample)


def _hex_groups(line: str) -> list[str] | None:
    """The groups of a hexadecimal line, without the offset before them and the characters behind; None for another line."""
    whole = line.strip()
    if _HEX_STRING.fullmatch(whole):
        return [whole[at : at + 4] for at in range(0, len(whole), 4)]
    content = _CHARACTERS.sub("", _OFFSET.sub("", line)).strip(" ,\t\r")
    return _SEPARATOR.split(content) if _HEX_LINE.fullmatch(content) else None


def _number(text: str) -> int:
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)
