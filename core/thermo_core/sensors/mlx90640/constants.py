"""From the MLX90640's EEPROM to the constants of its equations (datasheet section 11.2.2)."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermo_core.errors import EepromError, UsageError
from thermo_core.sensors.mlx90640.frames import COLUMNS, PIXELS, ROWS, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.plausible import FIRST_PIXEL, Doubt, bad_pixels, doubtful_pixels, doubts
from thermo_core.sensors.mlx90640.plausible import field as _field
from thermo_core.sensors.mlx90640.registers import EEPROM_START, EEPROM_WORDS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Constants:
    """What one sensor's EEPROM says, in the datasheet's names and true units.

    Attributes:
        vdd25: counts of the supply measurement at 3.3 V and 25 degC.
        k_vdd: counts per volt.
        kv_ptat: 1/V.
        kt_ptat: counts per kelvin.
        v_ptat25: counts.
        alpha_ptat: dimensionless.
        gain: gain reference, counts.
        tgc: weight of the compensation pixels.
        ks_ta: 1/K.
        ks_to: sensitivity slope of the four object temperature ranges, 1/K.
        ct: lower corner of the four ranges, degC.
        resolution_ee: resolution code the constants refer to (0: 16 bit to 3: 19 bit).
        chess_calibrated: calibrated in chess pattern; otherwise interleaved.
        alpha: (24, 32) float64, sensitivity, counts/K^4, TGC already taken off.
        offset: (24, 32) float64, counts.
        kta: (24, 32) float64, 1/K.
        kv: (24, 32) float64, 1/V.
        cp_alpha: sensitivity of the two compensation pixels, counts/K^4.
        cp_offset: their offsets, counts.
        cp_kta: 1/K.
        cp_kv: 1/V.
        il_chess_c: corrections of the reading pattern that was not calibrated, counts.
        broken: indices (row * 32 + column) of pixels without calibration.
        outlier: indices of pixels the factory flagged.
        doubtful: indices of pixels whose word is out of line with all others.
        doubts: words that known sensors do not hold; nothing for a sensor in order.
        device_id: 6 bytes, unique to the sensor.
        eeprom: (832,) uint16, the words all of this came from.

    Arrays are read-only. Two of them are equal only where they are the same object.
    """

    vdd25: int
    k_vdd: int
    kv_ptat: float
    kt_ptat: float
    v_ptat25: int
    alpha_ptat: float
    gain: int
    tgc: float
    ks_ta: float
    ks_to: tuple[float, float, float, float]
    ct: tuple[float, float, float, float]
    resolution_ee: int
    chess_calibrated: bool
    alpha: Array
    offset: Array
    kta: Array
    kv: Array
    cp_alpha: tuple[float, float]
    cp_offset: tuple[float, float]
    cp_kta: float
    cp_kv: float
    il_chess_c: tuple[float, float, float]
    broken: tuple[int, ...]
    outlier: tuple[int, ...]
    doubtful: tuple[int, ...]
    doubts: tuple[Doubt, ...]
    device_id: bytes
    eeprom: Words

    @property
    def bad(self) -> tuple[int, ...]:
        """Pixels that give no temperature, broken, outlier and doubtful ones, ascending."""
        return tuple(sorted((*self.broken, *self.outlier, *self.doubtful)))

    @property
    def range_gain(self) -> tuple[float, float, float, float]:
        """Sensitivity of each object temperature range at its corner, relative to 0 degC (datasheet's AlphaCorr)."""
        k0, k1, k2, _ = self.ks_to
        third = 1 + k1 * self.ct[2]
        return 1 / (1 + k0 * (self.ct[1] - self.ct[0])), 1.0, third, third * (1 + k2 * (self.ct[3] - self.ct[2]))

    @classmethod
    def from_eeprom(cls, words: ArrayLike) -> "Constants":
        """Extract and check all constants.

        Args:
            words: 832 words, I2C addresses 0x2400-0x273F.

        Raises:
            UsageError: not 832 words of 16 bits.
            BadPixelsError: more than 4 broken and outlier pixels, or two that touch (also diagonally).
            EepromError: a word no healthy sensor holds; it names the address and the value.
        """
        eeprom = _checked_words(words)
        try:
            return cls._extract(eeprom)
        except EepromError as error:
            try:
                swapped = cls._extract(eeprom.byteswap())
            except EepromError:
                raise error from None
            raise EepromError(
                "The two bytes of each EEPROM word are exchanged; read them high byte first, as sensor "
                f"{swapped.device_id.hex().upper()} sends them."
            ) from None

    @classmethod
    def _extract(cls, eeprom: Words) -> "Constants":
        word = eeprom.tolist()
        if len(set(word)) == 1:
            raise EepromError(
                f"All EEPROM words read 0x{word[0]:04X}, so no sensor answered; "
                "check its wiring and supply, then read again.",
                EEPROM_START,
                word[0],
            )
        tgc = _signed(word[60] & 0xFF, 8) / 32
        cp_alpha = _compensation_alpha(word)
        kta_scale, kv_scale = 2.0 ** ((word[56] >> 4 & 15) + 8), 2.0 ** (word[56] >> 8 & 15)
        cp_offset = float(_signed(word[58] & 0x3FF, 10))
        broken, outlier = bad_pixels(word)
        doubtful = doubtful_pixels(word, (*broken, *outlier))
        pixels = eeprom[FIRST_PIXEL:].reshape(ROWS, COLUMNS).astype(np.int64)
        kta, kv = _pixel_kta(word, pixels) / kta_scale, _pixel_kv(word) / kv_scale
        alpha = _pixel_alpha(word, pixels) - tgc * (cp_alpha[0] + cp_alpha[1]) / 2
        offset = _pixel_offset(word, pixels)
        for array in (eeprom, alpha, offset, kta, kv):
            array.flags.writeable = False
        constants = cls(
            vdd25=((word[51] & 0xFF) - 256) * 32 - 8192,
            k_vdd=_signed(word[51] >> 8, 8) * 32,
            kv_ptat=_signed(word[50] >> 10, 6) / 4096,
            kt_ptat=_signed(word[50] & 0x3FF, 10) / 8,
            v_ptat25=_signed(word[49], 16),
            alpha_ptat=(word[16] >> 12) / 4 + 8,
            gain=_signed(word[48], 16),
            tgc=tgc,
            ks_ta=_signed(word[60] >> 8, 8) / 8192,
            ks_to=_ks_to(word),
            ct=_corners(word[63]),
            resolution_ee=word[56] >> 12 & 3,
            chess_calibrated=not word[10] & 0x0800,
            alpha=alpha,
            offset=offset,
            kta=kta,
            kv=kv,
            cp_alpha=cp_alpha,
            cp_offset=(cp_offset, cp_offset + _signed(word[58] >> 10, 6)),
            cp_kta=_signed(word[59] & 0xFF, 8) / kta_scale,
            cp_kv=_signed(word[59] >> 8, 8) / kv_scale,
            il_chess_c=(
                _signed(word[53] & 0x3F, 6) / 16,
                _signed(word[53] >> 6 & 0x1F, 5) / 2,
                _signed(word[53] >> 11, 5) / 8,
            ),
            broken=broken,
            outlier=outlier,
            doubtful=doubtful,
            doubts=doubts(word, doubtful),
            device_id=device_id(eeprom),
            eeprom=eeprom,
        )
        _check_plausible(constants, word)
        return constants


def _checked_words(words: ArrayLike) -> Words:
    array = np.asarray(words)
    if array.shape != (EEPROM_WORDS,) or array.dtype.kind not in "iu":
        raise UsageError(
            f"An MLX90640 EEPROM is {EEPROM_WORDS} integers, not {array.dtype} of shape {array.shape}; "
            "pass the words of 0x2400-0x273F."
        )
    if array.min() < 0 or array.max() > 0xFFFF:
        raise UsageError("EEPROM words lie outside 0 to 65535; pass them as unsigned 16-bit words.")
    return array.astype(np.uint16)


def _signed(value: int, bits: int) -> int:
    return _field(value, 0, bits)


def _signed_array(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    return np.where(values >> (bits - 1), values - (1 << bits), values)


def _nibbles(words: list[int]) -> NDArray[np.int64]:
    """Signed 4-bit fields, lowest nibble of the first word first."""
    return np.array([_signed(word >> shift & 15, 4) for word in words for shift in (0, 4, 8, 12)], dtype=np.int64)


def _by_parity(odd_odd: int, even_odd: int, odd_even: int, even_even: int) -> Array:
    """(24, 32) array of four values by row and column; the datasheet counts rows and columns from 1."""
    return np.tile(np.array([[odd_odd, odd_even], [even_odd, even_even]], dtype=np.float64), (ROWS // 2, COLUMNS // 2))


def _pixel_alpha(word: list[int], pixels: NDArray[np.int64]) -> Array:
    remainder, column, row = word[32] & 15, word[32] >> 4 & 15, word[32] >> 8 & 15
    counts = (
        word[33]
        + (_nibbles(word[34:40])[:, np.newaxis] << row)
        + (_nibbles(word[40:48]) << column)
        + (_signed_array(pixels >> 4 & 0x3F, 6) << remainder)
    )
    scaled: Array = counts / 2.0 ** ((word[32] >> 12) + 30)
    return scaled


def _pixel_offset(word: list[int], pixels: NDArray[np.int64]) -> Array:
    remainder, column, row = word[16] & 15, word[16] >> 4 & 15, word[16] >> 8 & 15
    counts: NDArray[np.int64] = (
        _signed(word[17], 16)
        + (_nibbles(word[18:24])[:, np.newaxis] << row)
        + (_nibbles(word[24:32]) << column)
        + (_signed_array(pixels >> 10, 6) << remainder)
    )
    return np.asarray(counts, dtype=np.float64)


def _pixel_kta(word: list[int], pixels: NDArray[np.int64]) -> Array:
    mean = _by_parity(
        _signed(word[54] >> 8, 8), _signed(word[54] & 0xFF, 8), _signed(word[55] >> 8, 8), _signed(word[55] & 0xFF, 8)
    )
    scaled: Array = mean + (_signed_array(pixels >> 1 & 7, 3) << (word[56] & 15))
    return scaled


def _pixel_kv(word: list[int]) -> Array:
    odd_odd, even_odd, odd_even, even_even = (_signed(word[52] >> shift & 15, 4) for shift in (12, 8, 4, 0))
    return _by_parity(odd_odd, even_odd, odd_even, even_even)


def _compensation_alpha(word: list[int]) -> tuple[float, float]:
    first = _signed(word[57] & 0x3FF, 10) / 2.0 ** ((word[32] >> 12) + 27)
    return first, first * (1 + _signed(word[57] >> 10, 6) / 128)


def _ks_to(word: list[int]) -> tuple[float, float, float, float]:
    scale = 2.0 ** ((word[63] & 15) + 8)
    values = [_signed(field, 8) / scale for pair in word[61:63] for field in (pair & 0xFF, pair >> 8)]
    return values[0], values[1], values[2], values[3]


def _corners(word: int) -> tuple[float, float, float, float]:
    step = (word >> 12 & 3) * 10
    third = float((word >> 4 & 15) * step)
    return -40.0, 0.0, third, third + (word >> 8 & 15) * step


def _check_plausible(constants: Constants, word: list[int]) -> None:
    """Refuse constants that no sensor has and that would divide by zero or turn a temperature's sign."""

    def refuse(index: int, what: str) -> NoReturn:
        raise EepromError(
            f"EEPROM word 0x{EEPROM_START + index:04X} = 0x{word[index]:04X} gives {what}; read the EEPROM again, and "
            "restore or replace the sensor if it stays so.",
            EEPROM_START + index,
            word[index],
        )

    if constants.gain <= 0:
        refuse(48, f"a gain of {constants.gain}")
    if constants.v_ptat25 <= 0:
        refuse(49, f"a PTAT reference of {constants.v_ptat25}")
    if constants.kt_ptat <= 0:
        refuse(50, f"a PTAT slope of {constants.kt_ptat:g} counts/K")
    if constants.k_vdd >= 0:
        refuse(51, f"a supply slope of {constants.k_vdd} counts/V")
    if abs(constants.ks_ta) > 0.008:
        refuse(60, f"a sensitivity that changes by {constants.ks_ta:.3g} per kelvin of ambient temperature")
    if not constants.ct[1] < constants.ct[2] < constants.ct[3]:
        refuse(63, f"temperature ranges from 0 to {constants.ct[2]:g} to {constants.ct[3]:g} degC")
    for name, index, slope, span in (
        ("below 0", 61, constants.ks_to[0], constants.ct[1] - constants.ct[0]),
        ("above 0", 61, constants.ks_to[1], constants.ct[2]),
        (f"above {constants.ct[2]:g}", 62, constants.ks_to[2], constants.ct[3] - constants.ct[2]),
    ):
        if not 0.1 < 1 + slope * span < 10:
            refuse(index, f"{1 + slope * span:.3g} times the sensitivity across the range {name} degC")
    if np.abs(constants.kta).max() > 0.25:
        refuse(56, f"an offset that changes by {np.abs(constants.kta).max():.3g} per kelvin")
    if np.abs(constants.kv).max() > 4:
        refuse(56, f"an offset that changes by {np.abs(constants.kv).max():.3g} per volt")
    good = np.ones(PIXELS, dtype=np.bool_)
    good[list(constants.bad)] = False
    impossible = np.flatnonzero(good & (constants.alpha.ravel() <= 0))
    if impossible.size > PIXELS // 8:
        refuse(33, "no sensitivity to most pixels")
    if impossible.size:
        refuse(FIRST_PIXEL + int(impossible[0]), f"pixel {impossible[0]} no sensitivity")
