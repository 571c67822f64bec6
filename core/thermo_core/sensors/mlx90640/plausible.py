"""Whether EEPROM words are those of a sensor: each block against what sensors hold, its neighbours and physics.

The EEPROM has no checksum, so a word that rotted or was overwritten is known by its value alone. What no sensor can
hold is refused. What a sensor might hold but those that are known do not is a doubt: the words are used, and whoever
shows a temperature says so. A pixel whose word lies out of line with the other 767 is left out like one the factory
flagged. What flips of single bits come to is printed by `python bench/eeprom.py`.

Limits of doubt are the spread over two full and seven partial EEPROMs of real sensors of both fields of view, with a
margin of about its own width. All is decided in whole numbers, so that a microcontroller decides alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core.errors import BadPixelsError, EepromError
from thermo_core.sensors.mlx90640.frames import COLUMNS
from thermo_core.sensors.mlx90640.registers import EEPROM_START

FIRST_PIXEL = 64
"""Index of the first pixel's word in the EEPROM."""
MAX_BAD_PIXELS = 4
"""Broken and outlier pixels together that the datasheet allows."""
MAX_DOUBTFUL_PIXELS = 8
MAX_STRONG_DOUBTS = 2
"""With more of the doubts that no good sensor gives, the words are none of a sensor's."""
LONGEST_RUN = 7
"""Equal words in a row; more were written by mistake. Words of 0 are allowed in any number."""
LARGEST_OFFSET = 1024
"""Counts of a mean offset; real ones are about -60."""
OFFSET_TO_COMPENSATION = 24
"""Counts between the mean offset of the pixels and the compensation pixel's."""
KTA_RATIO = 3, 2
"""Largest to smallest of the four mean temperature drifts."""
BEND = 6
"""Second difference of row or column corrections, steps."""
OUT_OF_LINE = 25
"""Square of how many standard deviations an offset may lie from the mean of all."""
_CLIPPED = 16
"""Offsets count no more than this towards the standard deviation, so that the one in question does not excuse itself."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A word that known sensors do not hold.

    Attributes:
        address: I2C address of the word.
        value: the word.
        what: what it gives.
    """

    address: int
    value: int
    what: str

    def __str__(self) -> str:
        return f"EEPROM word 0x{self.address:04X} = 0x{self.value:04X}: {self.what}"


@dataclass(frozen=True, slots=True)
class _Range:
    """A field and the values that known sensors hold; `signed` fields are two's complement."""

    word: int
    shift: int
    bits: int
    signed: bool
    low: int
    high: int
    strong: bool
    name: str


_RANGES = (
    _Range(0x10, 12, 4, False, 4, 4, True, "a Vbe weight"),
    _Range(0x10, 8, 4, False, 2, 3, True, "a row scale of the offsets"),
    _Range(0x10, 4, 4, False, 0, 2, True, "a column scale of the offsets"),
    _Range(0x10, 0, 4, False, 0, 0, True, "a pixel scale of the offsets"),
    _Range(0x11, 0, 16, True, -128, -16, True, "a mean offset"),
    _Range(0x20, 12, 4, False, 7, 8, True, "a scale of the sensitivities"),
    _Range(0x20, 8, 4, False, 8, 9, True, "a row scale of the sensitivities"),
    _Range(0x20, 4, 4, False, 9, 10, True, "a column scale of the sensitivities"),
    _Range(0x20, 0, 4, False, 5, 6, True, "a pixel scale of the sensitivities"),
    _Range(0x21, 0, 16, False, 10240, 15360, True, "a mean sensitivity"),
    _Range(0x30, 0, 16, True, 5000, 7000, True, "a gain"),
    _Range(0x31, 0, 16, True, 12090, 12320, True, "a PTAT reference"),
    _Range(0x32, 0, 10, True, 330, 352, True, "a PTAT slope"),
    _Range(0x32, 10, 6, True, 4, 16, True, "a PTAT supply coefficient"),
    _Range(0x33, 8, 8, True, -108, -84, True, "a supply slope"),
    _Range(0x33, 0, 8, False, 104, 168, True, "a supply reference"),
    _Range(0x38, 12, 2, False, 2, 2, False, "a resolution of calibration"),
    _Range(0x3A, 0, 10, True, -100, -40, True, "a compensation offset"),
    _Range(0x3C, 8, 8, True, -32, -4, False, "a sensitivity to ambient"),
    _Range(0x3C, 0, 8, True, -24, 24, False, "a weight of the compensation pixels"),
    _Range(0x3D, 0, 8, True, -128, 0, False, "a sensitivity slope below 0 degC"),
    _Range(0x3D, 8, 8, True, -128, 0, False, "a sensitivity slope above 0 degC"),
    _Range(0x3E, 0, 8, True, -128, 0, False, "a sensitivity slope of the third range"),
    _Range(0x3E, 8, 8, True, -128, 0, False, "a sensitivity slope of the fourth range"),
)
_NORMAL_KTA = 80, 170
"""Of the four mean drifts, in 1/16384 per kelvin."""
_NORMAL_KV = 3, 12
"""Of the four supply drifts, in 1/16 per volt."""
_CURVES = (
    (0x12, 6, 2, "row corrections of the offsets"),
    (0x18, 8, 4, "column corrections of the offsets"),
    (0x22, 6, 1, "row corrections of the sensitivities"),
    (0x28, 8, 1, "column corrections of the sensitivities"),
)
"""First word, words, how many places on the next row or column of the same kind is, name."""


def field(word: int, shift: int, bits: int, signed: bool = True) -> int:
    """`bits` bits of a word from bit `shift` on, as two's complement where `signed`."""
    value = word >> shift & (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def bad_pixels(words: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Pixels (row * 32 + column) that the factory gave no constants (a word of 0) and that it flagged (lowest bit).

    Args:
        words: 832, of 0x2400-0x273F.

    Raises:
        BadPixelsError: more than 4 together, or two that touch (also diagonally).
    """
    pixels = words[FIRST_PIXEL:]
    broken = tuple(index for index, value in enumerate(pixels) if value == 0)
    outlier = tuple(index for index, value in enumerate(pixels) if value & 1)
    bad = sorted((*broken, *outlier))
    if len(bad) > MAX_BAD_PIXELS:
        fifth = bad[MAX_BAD_PIXELS]
        raise BadPixelsError(
            f"The EEPROM marks {len(broken)} broken and {len(outlier)} outlier pixels, {MAX_BAD_PIXELS} are allowed "
            f"(the fifth is word 0x{_address(fifth):04X} = 0x{pixels[fifth]:04X}); read it again, and replace the "
            "sensor if it stays so.",
            _address(fifth),
            pixels[fifth],
        )
    for position, first in enumerate(bad):
        for second in bad[position + 1 :]:
            if abs(first // COLUMNS - second // COLUMNS) <= 1 and abs(first % COLUMNS - second % COLUMNS) <= 1:
                raise BadPixelsError(
                    f"Bad pixels {first} and {second} touch (EEPROM word 0x{_address(second):04X} = "
                    f"0x{pixels[second]:04X}); read it again, and replace the sensor if it stays so.",
                    _address(second),
                    pixels[second],
                )
    return broken, outlier


def doubtful_pixels(words: Sequence[int], bad: Sequence[int]) -> tuple[int, ...]:
    """Good pixels whose offset lies out of line with those of all others, ascending.

    The factory parts offsets into mean, row and column corrections and what is left for each pixel, which is small: a
    flip of one of its two highest bits shows.

    Args:
        words: 832, of 0x2400-0x273F.
        bad: pixels that do not count.

    Raises:
        EepromError: more than `MAX_DOUBTFUL_PIXELS`.
    """
    offsets = {index: field(word, 10, 6) for index, word in enumerate(words[FIRST_PIXEL:]) if index not in bad}
    spread = sum(min(abs(offset), _CLIPPED) ** 2 for offset in offsets.values())
    found = tuple(index for index, offset in offsets.items() if offset**2 * len(offsets) > OUT_OF_LINE * spread)
    if len(found) > MAX_DOUBTFUL_PIXELS:
        first = found[0]
        raise EepromError(
            f"{len(found)} pixel words of the EEPROM lie out of line with the others (the first is 0x"
            f"{_address(first):04X} = 0x{words[FIRST_PIXEL + first]:04X}); read it again, and restore or replace the "
            "sensor if it stays so.",
            _address(first),
            words[FIRST_PIXEL + first],
        )
    return found


def doubts(words: Sequence[int], doubtful: Sequence[int] = ()) -> tuple[Doubt, ...]:
    """What known sensors do not hold, in order of addresses; nothing for a sensor in order.

    Args:
        words: 832, of 0x2400-0x273F.
        doubtful: as `doubtful_pixels` says.

    Raises:
        EepromError: words that no sensor can hold, or so many doubts that these are no sensor's.
    """
    _refuse_impossible(words)
    found = _header_doubts(words)
    strong = [(index, what) for index, what, strong in found if strong]
    if len(strong) > MAX_STRONG_DOUBTS:
        index, what = strong[0]
        raise _no_sensor(words, index, f"{what}, and {len(strong) - 1} more constants that no sensor has")
    if doubtful:
        first = FIRST_PIXEL + doubtful[0]
        number = len(doubtful)
        what = "an offset" if number == 1 else f"the first of {number} offsets"
        found.append((first, f"{what} out of line with those of the other pixels", False))
    return tuple(Doubt(EEPROM_START + index, words[index], what) for index, what, _ in sorted(found))


def _refuse_impossible(words: Sequence[int]) -> None:
    run = 1
    for index in range(1, len(words)):
        run = run + 1 if words[index] == words[index - 1] != 0 else 1
        if run > LONGEST_RUN:
            first = index - run + 1
            raise _no_sensor(words, first, f"the first of {LONGEST_RUN + 1} or more equal words")
    offset = field(words[0x11], 0, 16)
    if abs(offset) > LARGEST_OFFSET:
        raise _no_sensor(words, 0x11, f"a mean offset of {offset} counts")


def _header_doubts(words: Sequence[int]) -> list[tuple[int, str, bool]]:
    """(index of the word, what it gives, whether no good sensor gives it), at most one a field or block."""
    found: list[tuple[int, str, bool]] = []
    for known in _RANGES:
        value = field(words[known.word], known.shift, known.bits, known.signed)
        if not known.low <= value <= known.high:
            wanted = f"{known.low} to {known.high}" if known.low < known.high else f"{known.low}"
            found.append((known.word, f"{known.name} of {value}, where sensors have {wanted}", known.strong))
    mean, compensation = field(words[0x11], 0, 16), field(words[0x3A], 0, 10)
    if abs(mean - compensation) > OFFSET_TO_COMPENSATION:
        found.append((0x11, f"a mean offset of {mean}, far from the compensation pixel's of {compensation}", True))
    kta = [field(words[0x36 + i // 2], 8 - i % 2 * 8, 8) for i in range(4)]
    shift = 6 - field(words[0x38], 4, 4, False)
    low, high = _NORMAL_KTA
    if not all(low <= _scaled(value, shift) <= high for value in kta):
        found.append((0x36, f"mean drifts of {min(kta)} to {max(kta)} at this scale", True))
    elif max(kta) * KTA_RATIO[1] > min(kta) * KTA_RATIO[0]:
        found.append((0x36, f"mean drifts as different as {min(kta)} and {max(kta)}", True))
    kv = [field(words[0x34], shift, 4) for shift in (12, 8, 4, 0)]
    low, high = _NORMAL_KV
    if not all(low <= _scaled(value, 4 - field(words[0x38], 8, 4, False)) <= high for value in kv):
        found.append((0x34, f"supply drifts of {min(kv)} to {max(kv)} at this scale", True))
    for first, count, step, name in _CURVES:
        places = [field(words[first + i // 4], i % 4 * 4, 4) for i in range(4 * count)]
        for i in range(len(places) - 2 * step):
            if abs(places[i] - 2 * places[i + step] + places[i + 2 * step]) >= BEND:
                found.append((first + (i + step) // 4, f"{name} that jump", False))
                break
    return found


def _scaled(value: int, shift: int) -> int:
    """value * 2^shift, rounded down."""
    return value << shift if shift >= 0 else value >> -shift


def _no_sensor(words: Sequence[int], index: int, what: str) -> EepromError:
    return EepromError(
        f"EEPROM word 0x{EEPROM_START + index:04X} = 0x{words[index]:04X}: {what}; read the EEPROM again, and restore "
        "or replace the sensor if it stays so.",
        EEPROM_START + index,
        words[index],
    )


def _address(pixel: int) -> int:
    return EEPROM_START + FIRST_PIXEL + pixel
