"""From the auxiliary words of a subpage to what all its pixels share: Ta, Vdd, gain, the compensation pixel."""

import struct
import sys

import numpy as np

from thermo_core.errors import AuxiliaryDataError, SensorError, UsageError
from thermo_core.sensors.mlx90640 import registers
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.frames import AUXILIARY_WORDS, FRAME_WORDS, PIXELS, SUBPAGE, Words

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
_WORD, _SHAPE = np.dtype(np.uint16), (FRAME_WORDS,)


Readings = tuple[int, bool, float, float, float, float, bytes]
"""What the pixels of a subpage share, as a plain tuple for speed.

Subpage 0 or 1; whether in chess pattern; ambient temperature above 25 degC, K; supply above 3.3 V, V; what counts are
to be multiplied with; signal of the compensation pixel times TGC, counts; the words as bytes.
"""


class AuxiliaryReader:
    """Reads and checks the auxiliary words of one sensor's subpages."""

    def __init__(self, constants: Constants) -> None:
        self._sensor = c = constants
        self._tgc = c.tgc
        self._numbers = c.vdd25, c.k_vdd, c.alpha_ptat, c.kv_ptat, c.v_ptat25, c.kt_ptat, c.gain
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
        vdd25, k_vdd, alpha_ptat, kv_ptat, v_ptat25, kt_ptat, calibrated_gain = self._numbers
        resolution = self._resolution[control >> 10 & 3]
        dv = (vdd * resolution - vdd25) / k_vdd
        if not -0.9 < dv < 0.9:
            raise _implausible(words, registers.VDD, f"a supply of {dv + 3.3:.2f} V")
        divisor = ptat * alpha_ptat + vbe
        if ptat <= 0 or divisor <= 0:
            raise _implausible(words, registers.PTAT, "no ambient temperature")
        dta = (ptat / divisor * 262144.0 / (1 + kv_ptat * dv) - v_ptat25) / kt_ptat
        if not -85 < dta < 105:
            raise _implausible(words, registers.PTAT, f"an ambient temperature of {dta + 25:.1f} degC")
        ratio = gain_counts * resolution / calibrated_gain
        if not 0.25 < ratio < 4:
            raise _implausible(words, registers.GAIN, f"a gain reading {ratio:.3g} times the calibrated one")
        gain = calibrated_gain / gain_counts
        chess = control & 0x1000 != 0
        compensation = 0.0
        if self._tgc:
            c = self._sensor
            drift = (1 + c.cp_kta * dta) * (1 + c.cp_kv * dv)
            compensation = c.tgc * ((cp1 if number else cp0) * gain - self._cp_offset[chess][number] * drift)
        return number, chess, dta, dv, gain, compensation, data


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
