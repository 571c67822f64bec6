"""An export as CSV: a tidy table of each signal, of findings, alerts, events, markers and gaps, and the facts in JSON beside them."""

import contextlib
import csv
import json
import re
from collections.abc import Mapping
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from thermo_core.quality import in_words
from thermo_core.signals import Values
from thermo_host.exports.rows import Column, Known, Row, SampleRow, SessionRow, TableRow, beside, element_names
from thermo_host.exports.target import Files
from thermo_host.exports.writer import Writer
from thermo_host.moments import utc

HEAD = ("utc", "time_us")
TAIL = ("unit", "flags", "quality")
ABOUT = "about.json"
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class CsvWriter(Writer):
    """Use it in a `with` block.

    Args:
        files: where to.
        first: what holds at first.
    """

    def __init__(self, files: Files, first: SessionRow) -> None:
        self._files = files
        self._first = first
        self._later: list[dict[str, Any]] = []
        self._signals: dict[str, dict[str, Any]] = {}
        self._samples = 0
        self._stack = contextlib.ExitStack()
        self._writers: dict[str, Any] = {}
        self._elements: dict[str, list[str]] = {}
        self._words: dict[int, str] = {}
        self._thousandths = Thousandths()

    @classmethod
    def names(cls, path: Path, known: Known) -> list[Path]:
        """All files that may be written for a name, as far as that is known."""
        return [*(beside(path, f"{key}.csv") for key in known), beside(path, ABOUT)]

    def close(self) -> None:
        """Let go of what is open."""
        self._stack.close()

    def add(self, row: Row) -> None:
        """Write a row."""
        if isinstance(row, SampleRow):
            self._add_sample(row)
        elif isinstance(row, SessionRow):
            self._later.append({"after_samples": self._samples, **row.facts, "constants": _hex(row.constants)})
        else:
            self._add_table(row)

    def finish(self) -> list[Path]:
        """Write the facts; the files."""
        about = {**self._first.facts, "signals": self._signals, "constants": _hex(self._first.constants)}
        if self._later:
            about["later"] = self._later
        self._stack.close()
        path = self._files.open(beside(self._files.path, ABOUT))
        path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return self._files.written

    def _add_sample(self, row: SampleRow) -> None:
        self._samples += 1
        track, sample = row.track, row.sample
        writer = self._writers.get(track.key)
        if writer is None:
            writer = self._begin(row)
        words = self._words.get(sample.flags)
        if words is None:
            words = self._words[sample.flags] = ", ".join(in_words(sample.flags))
        # Three decimals are a tenth of the noise of any thermometer here; other units have no such measure.
        if track.signal.unit in ("degC", "K"):
            values = self._thousandths.words(sample.values)
        else:
            values = ["" if value != value else f"{value:.7g}" for value in sample.values.ravel().tolist()]
        filled = []
        if row.measured is not None:
            whole = bool(row.measured.all())
            filled = ["" if whole else " ".join(compress(self._elements[track.key], (~row.measured).ravel().tolist()))]
        moment, unit = utc(row.utc_ns) if row.utc_ns else "", cell(track.signal.unit)
        repeated = [cell(value) for value in track.facts.values()]
        writer.writerow([moment, sample.time_us, *values, *filled, unit, sample.flags, words, *repeated])

    def _begin(self, row: SampleRow) -> Any:
        track = row.track
        signal = track.signal
        elements = self._elements[track.key] = element_names(track)
        self._signals[track.key] = {"unit": signal.unit, "shape": list(signal.shape), "rate_hz": signal.rate_hz}
        filled = ["interpolated"] if row.measured is not None else []
        return self._file(track.key, [*HEAD, *elements, *filled, *TAIL, *track.facts])

    def _add_table(self, row: TableRow) -> None:
        table = row.table
        writer = self._writers.get(table.key)
        if writer is None:
            writer = self._file(table.key, [column.name for column in table.columns])
        writer.writerow([_shown(column, value) for column, value in zip(table.columns, row.values, strict=True)])

    def _file(self, key: str, columns: list[str]) -> Any:
        path = self._files.open(beside(self._files.path, f"{key}.csv"))
        writer = csv.writer(self._stack.enter_context(path.open("w", newline="", encoding="utf-8")))
        writer.writerow(map(cell, columns))
        self._writers[key] = writer
        return writer


class Thousandths(dict[int, str]):
    """Numbers with three decimals by how many thousandths they are, which are few in a picture."""

    MOST = 1 << 17

    def words(self, values: Values) -> list[str]:
        """What `format` gives of float32 numbers; "" where there is no value."""
        if not (np.abs(values) < 1e6).all():
            return ["" if value != value else f"{value:.3f}" for value in values.ravel().tolist()]
        # Exact: 24 bits of a float32 times 10 fit a float64, and both round halves to even.
        whole = np.rint(values.ravel().astype(np.float64) * 1000)
        return list(map(self.__getitem__, whole.astype(np.int64).tolist()))

    def __missing__(self, whole: int) -> str:
        if len(self) >= self.MOST:
            self.clear()
        word = self[whole] = f"{whole / 1000:.3f}"
        return word


def cell(value: Any) -> Any:
    """What a spreadsheet takes for what it is: a name that begins like a formula gets an apostrophe, numbers stay."""
    if isinstance(value, str) and value.lstrip()[:1] in _FORMULA and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _shown(column: Column, value: Any) -> Any:
    if value is None or value != value:
        return ""
    if column.kind == "time":
        return utc(value)
    return f"{value:.6g}" if column.kind == "float" else cell(value)


def _hex(constants: Mapping[str, bytes]) -> dict[str, str]:
    return {name: data.hex() for name, data in constants.items()}
