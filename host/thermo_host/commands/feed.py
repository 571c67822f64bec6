"""`thermo-host feed`: give a wearable what it has no sensor for, from a table."""

import csv
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated

import numpy as np
import typer

from thermo_core.errors import StorageError, UsageError
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Signal, Values
from thermo_host.commands.common import BaudOption, JsonOption, Output, TimeoutOption
from thermo_host.commands.progress import ProgressLine
from thermo_host.files import storage_error
from thermo_host.link.session import profile_of, sensor_number
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.sinks.describe import counted

KIND = "external"
LONGEST_LINE = 16_384
TIME = "seconds"
"""Heading of a first column that says when, in seconds from the first row."""


def command(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[PORT] SENSOR FILE", help="Port, if more than one; the sensor's name; a .csv, or - to read on."
        ),
    ],
    speed: Annotated[float, typer.Option(help="2 gives it twice as fast, 0 as fast as it is taken.", min=0.0)] = 1.0,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Give samples to a sensor of kind "external": a row of numbers each, after an optional heading.

    A first column headed "seconds" says when; without one rows follow at the sensor's rate, those of standard input as they
    come. A field that is empty or nan is no value.
    """
    if not 2 <= len(arguments) <= 3:
        raise UsageError(
            f"{len(arguments)} arguments were given; give a port if there are several, a sensor and a file."
        )
    port, name, source = (arguments[0] if len(arguments) == 3 else None), arguments[-2], arguments[-1]
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        profile = profile_of(wearable)
        number = sensor_number(profile, name)
        settings = profile.sensors[number]
        if settings.kind != KIND:
            taken = [one.name for one in profile.sensors if one.kind == KIND]
            has = f"give {' or '.join(taken)}" if taken else "none of its sensors takes samples"
            raise UsageError(f"{name} of the wearable is a {settings.kind}, which measures by itself; {has}.")
        with _opened(source) as file, ProgressLine(output.progress) as progress:
            count = 0
            for values in _paced(file, source, settings, speed):
                wearable.feed(number, values)
                count += 1
                if progress.due:
                    progress.show(f"{counted(count, 'sample')} given to {name}")
        told = wearable.port
    output.result({"port": told, "sensor": name, "samples": count}, f"{counted(count, 'sample')} given to {name}.")


def _opened(source: str) -> IO[str]:
    if source == "-":
        return sys.stdin
    try:
        return Path(source).open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise storage_error("read", Path(source), error) from error


def _paced(file: IO[str], source: str, settings: SensorSettings, speed: float) -> Iterator[Values]:
    """Samples when it is their time."""
    (signal,) = settings.signals
    began: float | None = None
    for count, (seconds, values) in enumerate(rows(file, source, signal)):
        if seconds is None and source != "-" and signal.rate_hz:
            seconds = count / signal.rate_hz
        if seconds is not None and speed:
            began = time.monotonic() - seconds / speed if began is None else began
            wait = began + seconds / speed - time.monotonic()
            if wait > 0:
                time.sleep(wait)
        yield values


def rows(lines: Iterable[str], source: str, signal: Signal) -> Iterator[tuple[float | None, Values]]:
    """Samples of a table, and when each is, in seconds; None where the table does not say.

    Args:
        lines: of CSV; the first may be a heading.
        source: how errors call the table.
        signal: what a row is a sample of.

    Raises:
        UsageError: a row has another count of numbers, or something that is none.
        StorageError: it is no text.
    """
    timed = False
    try:
        for number, row in enumerate(csv.reader(_short(lines, source)), start=1):
            fields = [field.strip() for field in row]
            if not any(fields):
                continue
            if number == 1 and _is_heading(fields):
                timed = fields[0].lower() == TIME
                continue
            where = f"{source}, line {number}"
            numbers = [_number(field, where) for field in fields]
            seconds = numbers.pop(0) if timed else None
            if seconds is not None and not np.isfinite(seconds):
                raise UsageError(f"{where}: the time is missing; write seconds from the first row.")
            if len(numbers) != signal.elements:
                raise UsageError(
                    f"{where} has {counted(len(numbers), 'number')}; a sample of {signal.name} has {signal.elements}."
                )
            yield seconds, np.array(numbers, np.float32).reshape(signal.shape)
    except (UnicodeDecodeError, csv.Error) as error:
        raise StorageError(f"{source} is no table of text ({error}); save it as CSV in UTF-8.") from error


def _short(lines: Iterable[str], source: str) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise StorageError(f"{source} has a line of more than {LONGEST_LINE} characters; save it as CSV.")
        yield line


def _is_heading(fields: list[str]) -> bool:
    for field in fields:
        try:
            float(field or "nan")
        except ValueError:
            return True
    return False


def _number(field: str, where: str) -> float:
    try:
        value = float(field or "nan")
    except ValueError as error:
        raise UsageError(f"{where}: {field!r:.40} is no number; correct it.") from error
    if np.isinf(value) or abs(value) > 3e38:
        raise UsageError(f"{where}: {field} is beyond what can be sent; correct it.")
    return value
