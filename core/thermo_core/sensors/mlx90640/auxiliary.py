"""From the auxiliary words of a subpage to what all its pixels share: Ta, Vdd, gain, the compensation pixel."""

import struct
import sys
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import AuxiliaryDataError, SensorError, UsageError
from thermo_core.sensors.mlx90640 import registers
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import (
    AUXILIARY_WORDS,
    CONTROL,
    FRAME_WORDS,
    PIXELS,
    SUBPAGE,
    Mask,
    Words,
)

_CHECKED = tuple(
    address
    for address in range(registers.AUXILIARY_START, registers.AUXILIARY_START + AUXILIARY_WORDS)
    if address not in registers.UNUSED_AUXILIARY
)
_USED = (
    registers.VBE,
    registers.CP_SUBPAGE_0,
    registers.GAIN,
    registers.PTAT,
    registers.CP_SUBPAGE_1,
    registers.VDD,
)
_START = 2 * PIXELS
_LAYOUT = struct.Struct(
    "=" + "".join("h" if registers.AUXILIARY_START + i in _USED else "2x" for i in range(AUXILIARY_WORDS)) + "HH"
)
"""The words used here, signed, then control register and subpage number."""
_unpack = _LAYOUT.unpack_from
_REQUIRED = struct.Struct(
    "=" + "".join("H" if registers.AUXILIARY_START + i in _CHECKED else "2x" for i in range(AUXILIARY_WORDS))
)
"""The words that must have been measured."""
_INVALID = registers.INVALID_WORD.to_bytes(2, sys.byteorder)
_CHESS = 0x1000
_LEAST_DV, _MOST_DV = -0.9, 0.9
_LEAST_DTA, _MOST_DTA = -85.0, 105.0
_LEAST_RATIO, _MOST_RATIO = 0.25, 4.0
_WORD, _SHAPE = np.dtype(np.uint16), (FRAME_WORDS,)
_PLACES = [address - registers.RAM_START for address in _USED]
_REQUIRED_PLACES = [address - registers.RAM_START for address in _CHECKED]

Number = TypeVar("Number", float, NDArray[np.float64])

Readings = tuple[int, bool, float, float, float, float, bytes]
"""What the pixels of a subpage share, as a plain tuple for speed.

Subpage 0 or 1; whether in chess pattern; ambient temperature above 25 degC, K; supply above 3.3 V, V; what counts are
to be multiplied with; signal of the compensation pixel times TGC, counts; the words as bytes.
"""


@dataclass(frozen=True, slots=True)
class ManyReadings:
    """`Readings` of many subpages, an array of each.

    Attributes:
        number: (n,) 0 or 1.
        chess: (n,) bool.
        dta, dv, gain, compensation: (n,) float64.
        good: (n,) bool, False where `AuxiliaryReader.read` refuses the subpage and the numbers mean nothing.
    """

    number: NDArray[np.uint16]
    chess: Mask
    dta: NDArray[np.float64]
    dv: NDArray[np.float64]
    gain: NDArray[np.float64]
    compensation: NDArray[np.float64]
    good: Mask

    def pick(self, places: NDArray[np.intp] | slice) -> "ManyReadings":
        """Of some of them."""
        return ManyReadings(
            self.number[places],
            self.chess[places],
            self.dta[places],
            self.dv[places],
            self.gain[places],
            self.compensation[places],
            self.good[places],
        )


class AuxiliaryReader:
    """Reads and checks the auxiliary words of one sensor's subpages."""

    def __init__(self, constants: Constants) -> None:
        c = constants
        self._tgc, self._cp_kta, self._cp_kv = c.tgc, c.cp_kta, c.cp_kv
        self._vdd25, self._k_vdd, self._calibrated_gain = c.vdd25, c.k_vdd, c.gain
        self._alpha_ptat, self._kv_ptat, self._v_ptat25, self._kt_ptat = c.alpha_ptat, c.kv_ptat, c.v_ptat25, c.kt_ptat
        self._resolution = tuple(2.0 ** (c.resolution_ee - code) for code in range(4))
        other_pattern = c.cp_offset[1] + c.il_chess_c[0]
        calibrated, other = c.cp_offset, (c.cp_offset[0], other_pattern)
        self._cp_offset = (other, calibrated) if c.chess_calibrated else (calibrated, other)

    def read(self, words: Words) -> Readings:
        """The readings of one subpage.

        Args:
            words: (834,) uint16: RAM 0x0400-0x073F, control register, subpage number.

        Raises:
            UsageError: not 834 uint16 words.
            SensorError: the subpage number is neither 0 nor 1.
            AuxiliaryDataError: a word was not measured or cannot be right.
        """
        if not isinstance(words, np.ndarray) or words.shape != _SHAPE or words.dtype != _WORD:
            raise UsageError(
                f"A subpage is an array of {FRAME_WORDS} uint16 words (RAM, control register, subpage number), not "
                f"{getattr(words, 'dtype', type(words).__name__)} of shape {np.shape(words)}; pass it as it was read."
            )
        data = words.tobytes()
        vbe, cp0, gain_counts, ptat, cp1, vdd, control, number = _unpack(data, _START)
        if number > 1:
            raise SensorError(f"Word {SUBPAGE} says subpage {number}, but there are only 0 and 1; read the page again.")
        if data.find(_INVALID, _START) >= 0 and registers.INVALID_WORD in _REQUIRED.unpack_from(data, _START):
            raise _not_measured(_REQUIRED.unpack_from(data, _START))
        resolution = self._resolution[control >> 10 & 3]
        dv = self._supply(vdd, resolution)
        if not _LEAST_DV < dv < _MOST_DV:
            raise _implausible(words, registers.VDD, f"a supply of {dv + 3.3:.2f} V")
        divisor = self._divisor(ptat, vbe)
        if ptat <= 0 or divisor <= 0:
            raise _implausible(words, registers.PTAT, "no ambient temperature")
        dta = self._ambient(ptat, divisor, dv)
        if not _LEAST_DTA < dta < _MOST_DTA:
            raise _implausible(words, registers.PTAT, f"an ambient temperature of {dta + 25:.1f} degC")
        ratio = gain_counts * resolution / self._calibrated_gain
        if not _LEAST_RATIO < ratio < _MOST_RATIO:
            raise _implausible(words, registers.GAIN, f"a gain reading {ratio:.3g} times the calibrated one")
        gain = self._calibrated_gain / gain_counts
        chess = control & _CHESS != 0
        compensation = 0.0
        if self._tgc:
            offset = self._cp_offset[chess][number]
            compensation = self._compensation(cp1 if number else cp0, gain, offset, dta, dv)
        return number, chess, dta, dv, gain, compensation, data

    def read_many(self, words: Words) -> ManyReadings:
        """The readings of many subpages, the same as `read` of each.

        Args:
            words: (n, 834) uint16.

        Raises:
            UsageError: not uint16 words of such a shape.
        """
        if not isinstance(words, np.ndarray) or words.ndim != 2 or words.shape[1:] != _SHAPE or words.dtype != _WORD:
            raise UsageError(
                f"Subpages are an array of (n, {FRAME_WORDS}) uint16 words, not {getattr(words, 'dtype', type(words).__name__)} of "
                f"shape {np.shape(words)}; pass them as they were read."
            )
        vbe, cp0, gain_counts, ptat, cp1, vdd = words[:, _PLACES].view(np.int16).T.astype(np.float64)
        control, number = words[:, CONTROL], words[:, SUBPAGE]
        resolution = np.array(self._resolution)[control >> 10 & 3]
        chess: Mask = control & _CHESS != 0
        with np.errstate(all="ignore"):
            dv = self._supply(vdd, resolution)
            divisor = self._divisor(ptat, vbe)
            dta = self._ambient(ptat, divisor, dv)
            ratio = gain_counts * resolution / self._calibrated_gain
            gain = self._calibrated_gain / gain_counts
            compensation = np.zeros(len(words))
            if self._tgc:
                second = number != 0
                offset = np.array(self._cp_offset)[chess.astype(np.intp), second.astype(np.intp)]
                compensation = self._compensation(np.where(second, cp1, cp0), gain, offset, dta, dv)
            good: Mask = (number <= 1) & (words[:, _REQUIRED_PLACES] != registers.INVALID_WORD).all(axis=1)
            good &= (dv > _LEAST_DV) & (dv < _MOST_DV) & (ptat > 0) & (divisor > 0)
            good &= (dta > _LEAST_DTA) & (dta < _MOST_DTA) & (ratio > _LEAST_RATIO) & (ratio < _MOST_RATIO)
        return ManyReadings(number, chess, dta, dv, gain, compensation, good)

    def _supply(self, vdd: Number, resolution: Number) -> Number:
        """Above 3.3 V, V."""
        return (vdd * resolution - self._vdd25) / self._k_vdd

    def _divisor(self, ptat: Number, vbe: Number) -> Number:
        return ptat * self._alpha_ptat + vbe

    def _ambient(self, ptat: Number, divisor: Number, dv: Number) -> Number:
        """Above 25 degC, K."""
        return (ptat / divisor * 262144.0 / (1 + self._kv_ptat * dv) - self._v_ptat25) / self._kt_ptat

    def _compensation(self, counts: Number, gain: Number, offset: Number, dta: Number, dv: Number) -> Number:
        drift = (1 + self._cp_kta * dta) * (1 + self._cp_kv * dv)
        return self._tgc * (counts * gain - offset * drift)


def _not_measured(values: tuple[int, ...]) -> AuxiliaryDataError:
    address = _CHECKED[values.index(registers.INVALID_WORD)]
    return AuxiliaryDataError(
        f"Auxiliary word 0x{address:04X} reads 0x{registers.INVALID_WORD:04X}, so the sensor has not measured it; read "
        "the page again.",
        address,
        registers.INVALID_WORD,
    )


def _implausible(words: Words, address: int, what: str) -> AuxiliaryDataError:
    value = int(words[address - registers.RAM_START])
    return AuxiliaryDataError(
        f"Auxiliary word 0x{address:04X} = 0x{value:04X} gives {what}; read the page again, and check the supply if it "
        "stays so.",
        address,
        value,
    )
