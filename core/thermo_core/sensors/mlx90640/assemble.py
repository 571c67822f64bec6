"""Pairing the subpages of a sensor to pictures as they come."""

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import SensorError, ThermoError, UsageError
from thermo_core.sensors.mlx90640.auxiliary import ManyReadings
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture, Subpage, Words
from thermo_core.sensors.mlx90640.quick_many import Half


class PictureAssembler:
    """Pairs consecutive subpages of one sensor and decodes them to pictures.

    Each subpage is part of at most one picture. Where a subpage is missing, comes twice, cannot be decoded, or has another
    reading pattern or other constants than the one before, the older half is dropped and the next one starts a picture.

    Args:
        decoder: of the sensor.

    Attributes:
        decoder: may be exchanged between two subpages, for another emissivity.
        lost: subpages missing from the sequence of indices so far.
        repeated: subpages ignored so far because their index had just been seen.
        unpaired: good subpages that became part of no picture so far.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.lost = 0
        self.repeated = 0
        self.unpaired = 0
        self._waiting: Subpage | None = None
        self._pattern = (0, False)
        self._last: Subpage | None = None
        self._gap = 0

    @property
    def waits(self) -> bool:
        """Whether a subpage waits for its other half."""
        return self._waiting is not None

    def copy(self) -> "PictureAssembler":
        """Another one in the same state, with the same decoder."""
        return copy.copy(self)

    def push(self, subpage: Subpage) -> Picture | None:
        """Take one subpage; return a picture where it completes one.

        An index below the last one means that the device started again, and the sequence starts anew.

        Raises:
            UsageError: the subpage is of another sensor than those before.
            UsageError, AuxiliaryDataError, SensorError: as `Decoder.picture`; the next subpage may follow.
        """
        if not self._advance(subpage):
            return None
        waiting = self._partner(subpage, self._pattern_of(subpage))
        if waiting is None:
            return None
        return self.decoder.picture(waiting.words, subpage.words, subpage.index, subpage.time_us)

    def push_many(self, subpages: Sequence[Subpage], words: Words) -> list[Picture | SensorError | UsageError | None]:
        """As `push` of one after another, several times faster.

        Args:
            subpages: in order.
            words: (n, 834) uint16, of all of them.

        Returns:
            The picture each completes, or the error that `push` would raise.

        Raises:
            UsageError: a subpage is of another sensor than those before.
        """
        readings = self.decoder.check_many(words)
        good, numbers, chess = readings.good.tolist(), readings.number.tolist(), readings.chess.tolist()
        found: list[Picture | SensorError | UsageError | None] = [None] * len(subpages)
        rows = {id(subpage): row for row, subpage in enumerate(subpages)}
        older: list[int] = []
        newer: list[int] = []
        row = 0
        while row < len(subpages):
            if row <= 1 and self._steady(subpages[row:], readings.pick(slice(row, None))):
                end = row + (len(subpages) - row) // 2 * 2
                older += range(row, end, 2)
                newer += range(row + 1, end, 2)
                self._last, row = subpages[end - 1], end
                continue
            subpage = subpages[row]
            if self._advance(subpage):
                try:
                    pattern = (numbers[row], chess[row]) if good[row] else self._pattern_of(subpage)
                    waiting = self._partner(subpage, pattern)
                    if waiting is not None and id(waiting) in rows:
                        older.append(rows[id(waiting)])
                        newer.append(row)
                    elif waiting is not None:  # it came before these
                        found[row] = self.decoder.picture(waiting.words, subpage.words, subpage.index, subpage.time_us)
                except (SensorError, UsageError) as error:
                    found[row] = error
            row += 1
        if newer:
            halves = (Half(words[at], readings.pick(at)) for at in (_evenly(older), _evenly(newer)))
            pictures = self.decoder.pairs(*halves)
            tas, vdds = pictures.ta.tolist(), pictures.vdd.tolist()
            for place, row in enumerate(newer):
                index, time_us = subpages[row].index, subpages[row].time_us
                found[row] = pictures.errors.get(place) or Picture(
                    pictures.celsius[place], pictures.valid[place], tas[place], vdds[place], index, time_us
                )
        return found

    def _steady(self, subpages: Sequence[Subpage], readings: ManyReadings) -> bool:
        """Whether subpages go on where the last one ended and are halves of pictures by turns, with nothing amiss."""
        last = self._last
        if len(subpages) < 2 or self._waiting is not None or not readings.good.all():
            return False
        first = subpages[0] if last is None else last
        start = subpages[0].index if last is None else last.index + 1
        return (
            (readings.number[1:] != readings.number[:-1]).all()
            and (readings.chess == readings.chess[0]).all()
            and [subpage.index for subpage in subpages] == list(range(start, start + len(subpages)))
            and {subpage.sensor for subpage in subpages} == {first.sensor}
            and len({subpage.constants for subpage in subpages}) == 1
        )

    def _advance(self, subpage: Subpage) -> bool:
        """Take note of a subpage; whether it is no repetition."""
        last, self._gap = self._last, 0
        if last is not None:
            if subpage.sensor != last.sensor:
                raise UsageError(
                    f"Subpage of sensor {subpage.sensor} came to the assembler of sensor {last.sensor}; keep one for each."
                )
            self._gap = subpage.index - last.index - 1
            if self._gap == -1:
                self.repeated += 1
                return False
            self.lost += max(0, self._gap)
        self._last = subpage
        return True

    def _pattern_of(self, subpage: Subpage) -> tuple[int, bool]:
        try:
            return self.decoder.check(subpage.words)
        except ThermoError:
            self.unpaired += self._waiting is not None
            self._waiting = None
            raise

    def _partner(self, subpage: Subpage, pattern: tuple[int, bool]) -> Subpage | None:
        """The subpage that it makes a picture with; without one it waits itself."""
        waiting, self._waiting = self._waiting, None
        follows = waiting is not None and not self._gap and waiting.constants == subpage.constants
        if follows and pattern == (1 - self._pattern[0], self._pattern[1]):
            return waiting
        self.unpaired += waiting is not None
        self._waiting, self._pattern = subpage, pattern
        return None


def _evenly(rows: list[int]) -> slice | NDArray[np.intp]:
    """Rows of an array, as a slice of it where they lie evenly."""
    step = rows[1] - rows[0] if len(rows) > 1 else 1
    if rows == list(range(rows[0], rows[-1] + 1, step)):
        return slice(rows[0], rows[-1] + 1, step)
    return np.array(rows)
