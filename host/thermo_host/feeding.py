"""Samples for sensors of kind "external", out of tables, given when it is their time."""

import csv
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from thermo_core.errors import LinkError, RefusedError, StorageError, ThermoError, UsageError
from thermo_core.file_errors import storage_error
from thermo_core.signals import Signal, Values
from thermo_core.wearable.profile import Profile
from thermo_core.wire.smp import Group, ReturnCode
from thermo_core.wire.table import GroupError
from thermo_host.link.session import sensor_number
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.describe import counted

KIND = "external"
STANDARD_INPUT = "-"
LONGEST_LINE = 16_384
LONGEST_WAIT_S = 0.2
BUSY_WAIT_S = 0.1
"""Until a sample is given again that the wearable had no room for."""
TIME = "seconds"
"""Heading of a first column that says when, in seconds from the first row."""


def fed_sensor(profile: Profile, name: str) -> int:
    """Number of a sensor that takes samples.

    Raises:
        UsageError: there is none of that name, or it measures by itself.
    """
    number = sensor_number(profile, name)
    kind = profile.sensors[number].kind
    if kind != KIND:
        taken = [one.name for one in profile.sensors if one.kind == KIND]
        has = f"give {' or '.join(taken)}" if taken else "none of its sensors takes samples"
        raise UsageError(f"{name} of the wearable is a {kind}, which measures by itself; {has}.")
    return number


class Feeding:
    """Gives the rows of a table to a sensor while the `with` block lasts, in a thread of its own.

    The wearable takes samples while it streams. A row stands for what is measured at its time, so those whose time comes while
    a wearable is waited for are passed over; rows without a time wait for it.

    Args:
        wearable: an open session.
        profile: of it.
        name: of the sensor.
        source: a .csv file, or "-" for standard input.
        speed: 2 gives it twice as fast, 0 as fast as it is taken.
        reconnect: wait for a wearable that vanished, until `go_on` says that it is back.

    Attributes:
        name: as given.
        count: samples given so far.
        missed: samples whose time came while the wearable was gone.

    Raises:
        UsageError: no such sensor.
        StorageError: the file cannot be read.
    """

    def __init__(
        self,
        wearable: Wearable,
        profile: Profile,
        name: str,
        source: str,
        speed: float = 1.0,
        *,
        reconnect: bool = False,
    ) -> None:
        self.name = name
        self.count = 0
        self.missed = 0
        self._wearable = wearable
        self._number = fed_sensor(profile, name)
        self._settings = profile.sensors[self._number]
        self._source = source
        self._speed = speed
        self._reconnect = reconnect
        self._file = opened(source)
        self._ended = threading.Event()
        self._back = threading.Event()
        self._back.set()
        self._began: float | None = None
        self._error: ThermoError | None = None
        self._thread = threading.Thread(target=self._feed, name=f"feeder of {name}", daemon=True)

    def __enter__(self) -> "Feeding":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        # Standard input may never say another word; nobody waits for it.
        if self._source != STANDARD_INPUT:
            self._thread.join()
            self._file.close()

    @property
    def done(self) -> bool:
        """Whether all of it was given.

        Raises:
            ThermoError: a row does not fit, or the wearable did not take it.
        """
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    @property
    def told(self) -> str:
        """What it came to, in words."""
        words = f"{counted(self.count, 'sample')} given to {self.name}"
        return f"{words}, {self.missed} missed while the wearable was gone" if self.missed else words

    def go_on(self, profile: Profile) -> None:
        """The wearable streams, and this is what it is: feed it again where it was waited for.

        Raises:
            UsageError: what came back has no such sensor, or it takes other samples.
        """
        if self._back.is_set():
            return
        number = fed_sensor(profile, self.name)
        if profile.sensors[number] != self._settings:
            raise UsageError(f"The sensor {self.name} takes other samples than before; start again.")
        self._number = number
        self._back.set()

    def _feed(self) -> None:
        try:
            for seconds, values in self._timed():
                if not self._wait(seconds):
                    return
                if not self._give(values, may_wait=seconds is None and self._source != STANDARD_INPUT):
                    self.missed += 1
        except ThermoError as error:
            self._error = error
        except (OSError, ValueError) as error:  # standard input that was closed
            self._error = StorageError(f"{self._source} cannot be read ({error}); give a file.")

    def _give(self, values: Values, may_wait: bool) -> bool:
        """Whether the wearable took a sample."""
        while not self._ended.is_set():
            if self._back.is_set():
                try:
                    self._wearable.feed(self._number, values)
                except LinkError as error:
                    if isinstance(error, RefusedError) and error.code == ReturnCode.BUSY and error.group < 0:
                        self._ended.wait(BUSY_WAIT_S)
                        continue
                    if not (self._reconnect and _is_away(error)):
                        raise
                    self._back.clear()
                else:
                    self.count += 1
                    return True
            if not may_wait:
                break
            self._back.wait(LONGEST_WAIT_S)
        return False

    def _timed(self) -> Iterator[tuple[float | None, Values]]:
        """Samples, and when it is their time, in seconds after the first."""
        (signal,) = self._settings.signals
        for count, (seconds, values) in enumerate(rows(self._file, self._source, signal)):
            paced = seconds is None and self._source != STANDARD_INPUT and signal.rate_hz
            yield (count / signal.rate_hz if paced else seconds), values

    def _wait(self, seconds: float | None) -> bool:
        """Until then; whether it goes on."""
        if seconds is None or not self._speed:
            return not self._ended.is_set()
        if self._began is None:
            self._began = time.monotonic() - seconds / self._speed
        while (left := self._began + seconds / self._speed - time.monotonic()) > 0:
            if self._ended.wait(min(left, LONGEST_WAIT_S)):
                return False
        return not self._ended.is_set()


def _is_away(error: LinkError) -> bool:
    """Whether an error says no more than that the wearable is not there or does not stream, which may pass."""
    if isinstance(error, RefusedError):
        return (error.group, error.code) == (Group.THERMO, GroupError.NO_LEASE)
    return True


def opened(source: str) -> IO[str]:
    """A table's file.

    Raises:
        StorageError: it cannot be read.
    """
    if source == STANDARD_INPUT:
        return sys.stdin
    try:
        return Path(source).open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise storage_error("read", Path(source), error) from error


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
