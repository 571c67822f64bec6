"""From the counts of a subpage to temperatures (datasheet section 11.2.2), and from two subpages to a picture."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermo_core.errors import SensorError, UsageError
from thermo_core.sensors.mlx90640.auxiliary import AuxiliaryReader, ManyReadings, Readings
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import Array, background_terms, temperatures
from thermo_core.sensors.mlx90640.frames import (
    COLUMNS,
    PIXELS,
    ROWS,
    Celsius,
    DecodedSubpage,
    Mask,
    Picture,
    Pictures,
    Words,
)
from thermo_core.sensors.mlx90640.interpolate import Filling, fill_invalid
from thermo_core.sensors.mlx90640.limits import EMISSIVITY, OBJECT_CELSIUS, REFLECTED_CELSIUS, hint_of_unit
from thermo_core.sensors.mlx90640.long_many import LongWay
from thermo_core.sensors.mlx90640.quick import QuickPicture
from thermo_core.sensors.mlx90640.quick_law import Law
from thermo_core.sensors.mlx90640.quick_many import Half, QuickPictures
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask


class Decoder:
    """Turns counts into temperatures for one sensor.

    `decode` takes one subpage, in float64. `picture` takes two and is the way for live pictures: all that stays the
    same between frames is computed here, once, and where the scene allows a short float32 path is taken, which is within
    0.0005 K of the other (`quick_law.TOLERANCE_K` and `ROUNDING_K`). `pictures` takes many pairs, as of a recording, and gives
    the bytes of `picture`; `merged` takes many and gives those of `merge` of `decode` of each.

    Args:
        constants: constants of the sensor.
        emissivity: of the object, 0.05 to 1; a number or (24, 32).
        reflected: temperature of the surroundings that the object reflects, -100 to 200 degC; a number, (24, 32), or
            None for 8 K below the die, which suits a sensor in open air.

    Raises:
        UsageError: emissivity or reflected temperature out of range or of the wrong shape.

    Any number of threads may use one decoder.
    """

    def __init__(self, constants: Constants, emissivity: ArrayLike = 0.95, reflected: ArrayLike | None = None) -> None:
        self.constants = constants
        self.emissivity = _number_or_map("emissivity", emissivity, EMISSIVITY)
        self.reflected = None
        if reflected is not None:
            self.reflected = _number_or_map("reflected temperature", reflected, REFLECTED_CELSIUS, "degC")
        self._reader = AuxiliaryReader(constants)
        self._read = self._reader.read
        interleaved, chess = (background_terms(constants, chess).reshape(4, PIXELS) for chess in (False, True))
        self._background = interleaved, chess
        self._good = np.ones((ROWS, COLUMNS), dtype=np.bool_)
        self._good.ravel()[list(constants.bad)] = False
        self._good.flags.writeable = False
        self._alpha = np.where(self._good, constants.alpha, 1.0)
        self._filling = None if self._good.all() else Filling(self._good)
        self._long = LongWay(constants, self.emissivity, self.reflected, self._background, self._alpha, self._good)
        self._law = Law(constants, self.emissivity, self.reflected)
        self._quick = QuickPicture(self._law)
        self._many: dict[bool, QuickPictures] = {}

    def check(self, words: Words) -> tuple[int, bool]:
        """Subpage number, and whether in chess pattern, of a subpage; raises what `decode` would, short of solving it."""
        number, chess, *_ = self._read(words)
        return number, chess

    def check_many(self, words: Words) -> ManyReadings:
        """What many subpages say of themselves, (n, 834) uint16 words; one that `check` refuses is not `good` there."""
        return self._reader.read_many(words)

    def decode(self, words: Words) -> DecodedSubpage:
        """Temperatures of one subpage.

        Args:
            words: (834,) uint16: RAM 0x0400-0x073F, control register, subpage number.

        Returns:
            Temperatures where `valid`, else 0. A pixel is invalid where it is broken or an outlier, where its reading
            is saturated (0x7FFF), or where no temperature that the sensor measures (`limits`) gives such a signal.

        Raises:
            UsageError: not 834 uint16 words.
            AuxiliaryDataError: an auxiliary word was not measured or cannot be right; it names word and address.
            SensorError: the subpage number is neither 0 nor 1, or no pixel gave a temperature.
        """
        return self._decode(self._read(words))

    def picture(self, first: Words, second: Words, index: int = 0, time_us: int = 0) -> Picture:
        """Temperatures of two subpages, merged; the same as `merge` of `decode` of each, and much quicker.

        Args:
            first: the older subpage, (834,) uint16.
            second: the newer one.
            index: what the picture is to carry: index of the newer subpage.
            time_us: likewise: end of the newer capture, microseconds.

        Raises:
            UsageError: not 834 uint16 words each, or not both subpages of one reading pattern.
            AuxiliaryDataError, SensorError: as `decode`.
        """
        older, newer = self._read(first), self._read(second)
        if older[0] == newer[0] or older[1] != newer[1]:
            raise _no_picture(older[0], newer[0])
        celsius = self._quick.solve(newer, older) if older[0] else self._quick.solve(older, newer)
        if celsius is None:
            return merge(self._decode(older), self._decode(newer), index, time_us)
        if self._filling is not None:
            self._filling.apply(celsius)
        return Picture(celsius, self._good, newer[2] + 25, newer[3] + 3.3, index, time_us)

    def pictures(self, first: Words, second: Words) -> Pictures:
        """Temperatures of many pairs of subpages: the bytes that `picture` gives of each, several times faster.

        Args:
            first: (n, 834) uint16, the older subpage of each.
            second: (n, 834) uint16, the newer one.

        Raises:
            UsageError: not uint16 words of such shapes. What is wrong with one pair is among the errors of the result.
        """
        older, newer = (Half(words, self.check_many(words)) for words in _as_many(first, second))
        return self.pairs(older, newer)

    def pairs(self, first: Half, second: Half) -> Pictures:
        """As `pictures`, of words that were read (`check_many`)."""
        newer = second.readings
        celsius = np.zeros((len(first.words), ROWS, COLUMNS), np.float32)
        quick = np.zeros(len(celsius), np.bool_)
        for number, chess, at in _alike(first, second):
            zero, one = (second, first) if number else (first, second)
            part = celsius if at.size == len(celsius) else celsius[at]
            quick[at] = self._solver(chess).solve(zero.pick(at), one.pick(at), part)
            if part is not celsius:
                celsius[at] = part
        if self._filling is not None:
            self._filling.apply(celsius)
        valid = np.broadcast_to(self._good, celsius.shape)
        if not quick.all():
            valid = valid.copy()
        errors = _one_by_one(self.picture, first.words, second.words, ~quick, celsius, valid)
        return Pictures(celsius, valid, newer.dta + 25, newer.dv + 3.3, errors)

    def merged(self, first: Words, second: Words) -> Pictures:
        """Temperatures of many pairs of subpages in float64: the bytes that `merge` of `decode` of each gives, several times faster.

        Args, Raises:
            As `pictures`.
        """
        older, newer = (Half(words, self.check_many(words)) for words in _as_many(first, second))
        celsius, valid = np.zeros((len(first), PIXELS), np.float32), np.zeros((len(first), PIXELS), np.bool_)
        good = np.zeros(len(first), np.bool_)
        for number, chess, at in _alike(older, newer):
            some, known = np.zeros((at.size, PIXELS), np.float32), np.zeros((at.size, PIXELS), np.bool_)
            found = self._long.solve(older.pick(at), number, chess, some, known)
            found &= self._long.solve(newer.pick(at), 1 - number, chess, some, known)
            celsius[at], valid[at], good[at] = some, known, found
        pictures, masks = celsius.reshape(-1, ROWS, COLUMNS), valid.reshape(-1, ROWS, COLUMNS)
        usual = good & (masks == self._good).all(axis=(1, 2))
        if self._filling is not None:
            whole = pictures[usual]
            self._filling.apply(whole)
            pictures[usual] = whole
        for place in np.flatnonzero(good & ~usual).tolist():
            fill_invalid(pictures[place], masks[place])

        def each(one: Words, other: Words) -> Picture:
            return merge(self.decode(one), self.decode(other))

        errors = _one_by_one(each, first, second, ~good, pictures, masks)
        return Pictures(pictures, masks, newer.readings.dta + 25, newer.readings.dv + 3.3, errors)

    def _solver(self, chess: bool) -> QuickPictures:
        solver = self._many.get(chess)
        if solver is None:
            solver = self._many[chess] = QuickPictures(self._law, self._law.patterns[chess])
        return solver

    def uncompensated_image(self, words: Words) -> Celsius:
        """The signal of one subpage without emissivity and ambient temperature, as the vendor's GetImage gives it.

        Args:
            words: as for `decode`.

        Returns:
            (24, 32) float32 in arbitrary units that rise with radiance; 0 outside the subpage and at bad pixels.

        Raises:
            UsageError, AuxiliaryDataError, SensorError: as `decode`.
        """
        readings = self._read(words)
        number, chess = readings[:2]
        image = self._signal(readings) / self._alpha * _image_scale(self.constants)
        return np.where(subpage_mask(number, chess) & self._good, image, 0).astype(np.float32)

    def _signal(self, readings: Readings) -> Array:
        """What the object alone makes each pixel read, (24, 32), counts."""
        _, chess, dta, dv, gain, compensation, data = readings
        counts = np.frombuffer(data, np.int16, PIXELS).reshape(ROWS, COLUMNS)
        background = np.array((1.0, dta, dv, dta * dv)).dot(self._background[chess]).reshape(ROWS, COLUMNS)
        signal: Array = counts * gain - background - compensation
        return signal

    def _decode(self, readings: Readings) -> DecodedSubpage:
        c = self.constants
        number, chess, dta, dv, _, _, data = readings
        ta = dta + 25
        measured = subpage_mask(number, chess)
        x = self._signal(readings) / (self._alpha * self.emissivity * (1 + c.ks_ta * dta))
        to = temperatures(x, self._long.around(ta), c)
        saturated = np.frombuffer(data, np.int16, PIXELS).reshape(ROWS, COLUMNS) == INVALID_WORD
        coldest, hottest = OBJECT_CELSIUS
        valid: Mask = measured & self._good & ~saturated & (to >= coldest) & (to <= hottest)
        if not valid.any():
            raise SensorError(
                f"No pixel of subpage {number} gives a temperature of {coldest:g} to {hottest:g} degC, which is what the "
                "sensor measures; check what it looks at, emissivity and reflected temperature, and whether the EEPROM "
                "is this sensor's."
            )
        celsius = np.where(valid, to, 0).astype(np.float32)
        return DecodedSubpage(celsius, measured, valid, ta, dv + 3.3, number)


def merge(first: DecodedSubpage, second: DecodedSubpage, index: int = 0, time_us: int = 0) -> Picture:
    """One picture of two subpages, invalid pixels filled from their neighbours.

    Args:
        first: the older subpage.
        second: the newer one, in the same reading pattern.
        index: what the picture is to carry: index of the newer subpage.
        time_us: likewise: end of the newer capture, microseconds.

    Raises:
        UsageError: both are the same subpage, or the reading pattern changed between them.
        SensorError: no pixel is valid.
    """
    # The second pixel of row 0 belongs to another subpage in chess pattern than in interleaved rows.
    if first.number == second.number or first.measured[0, 1] == second.measured[0, 1]:
        raise _no_picture(first.number, second.number)
    celsius = first.celsius + second.celsius
    valid = first.valid | second.valid
    if not valid.all():
        fill_invalid(celsius, valid)
    return Picture(celsius, valid, second.ta, second.vdd, index, time_us)


def _number_or_map(name: str, value: ArrayLike, limits: tuple[float, float], unit: str = "") -> Array:
    array = np.array(value, dtype=np.float64)
    if array.shape not in ((), (ROWS, COLUMNS)):
        raise UsageError(f"The {name} has shape {array.shape}; pass a number or an array of shape ({ROWS}, {COLUMNS}).")
    low, high = limits
    wrong = array[~((array >= low) & (array <= high))]
    if wrong.size:
        given, unit = float(wrong.flat[0]), unit and f" {unit}"
        hint = hint_of_unit(given) if unit else ""
        raise UsageError(f"The {name} is {given:g}{unit}; it must lie between {low:g} and {high:g}{unit}{hint}.")
    array.flags.writeable = False
    return array


def _as_many(first: Words, second: Words) -> tuple[Words, Words]:
    if np.shape(first) != np.shape(second):
        raise UsageError(
            f"Subpages of shapes {np.shape(first)} and {np.shape(second)} make no pictures; pass as many of both."
        )
    return first, second


def _alike(first: Half, second: Half) -> Iterator[tuple[int, bool, NDArray[np.intp]]]:
    """Places of pairs that make pictures, with the number of their first subpages and their pattern, which are theirs all."""
    older, newer = first.readings, second.readings
    alike = older.good & newer.good & (older.number != newer.number) & (older.chess == newer.chess)
    for chess in (False, True):
        for number in (0, 1):
            at = np.flatnonzero(alike & (older.chess == chess) & (older.number == number))
            if at.size:
                yield number, chess, at


def _one_by_one(
    decoded: Callable[[Words, Words], Picture], first: Words, second: Words, which: Mask, celsius: Celsius, valid: Mask
) -> dict[int, SensorError | UsageError]:
    """Overwrite some of many pictures with what is decoded of each pair by itself; why it is none, by its place."""
    errors: dict[int, SensorError | UsageError] = {}
    for place in np.flatnonzero(which).tolist():
        try:
            picture = decoded(first[place], second[place])
        except (SensorError, UsageError) as error:
            errors[place], celsius[place] = error, 0
        else:
            celsius[place], valid[place] = picture.celsius, picture.valid
    return errors


def _no_picture(first: int, second: int) -> UsageError:
    return UsageError(f"Subpages {first} and {second} make no picture; pass both subpages of one reading pattern.")


def _image_scale(constants: Constants) -> float:
    """The vendor's GetImage multiplies with 1e-6 / alpha, raised by a power of two until the largest reaches 32768."""
    largest = 1e-6 / constants.alpha[constants.alpha > 0].min()
    return float(1e-6 * 2.0 ** max(0, math.ceil(math.log2(32768 / largest))))
