"""From the counts of a subpage to temperatures (datasheet section 11.2.2), and from two subpages to a picture."""

import math

import numpy as np
from numpy.typing import ArrayLike

from thermo_core.errors import SensorError, UsageError
from thermo_core.sensors.mlx90640.auxiliary import AuxiliaryReader, ManyReadings, Readings
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.equations import OPEN_AIR_K, Array, background_terms, surroundings
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
from thermo_core.sensors.mlx90640.quick import QuickPicture
from thermo_core.sensors.mlx90640.quick_law import Law
from thermo_core.sensors.mlx90640.quick_many import Half, QuickPictures
from thermo_core.sensors.mlx90640.registers import INVALID_WORD, subpage_mask
from thermo_core.units import KELVIN


class Decoder:
    """Turns counts into temperatures for one sensor.

    `decode` takes one subpage, in float64. `picture` takes two and is the way for live pictures: all that stays the
    same between frames is computed here, once, and where the scene allows a short float32 path is taken, which is within
    0.0005 K of the other (`quick_law.TOLERANCE_K` and `ROUNDING_K`). `pictures` takes many pairs, as of a recording, and gives
    the bytes of `picture`.

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
        self._background = tuple(background_terms(constants, chess).reshape(4, PIXELS) for chess in (False, True))
        self._good = np.ones((ROWS, COLUMNS), dtype=np.bool_)
        self._good.ravel()[list(constants.bad)] = False
        self._good.flags.writeable = False
        self._alpha = np.where(self._good, constants.alpha, 1.0)
        self._filling = None if self._good.all() else Filling(self._good)
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
        if np.shape(first) != np.shape(second):
            raise UsageError(
                f"Subpages of shapes {np.shape(first)} and {np.shape(second)} make no pictures; pass as many of both."
            )
        return self.pairs(Half(first, self.check_many(first)), Half(second, self.check_many(second)))

    def pairs(self, first: Half, second: Half) -> Pictures:
        """As `pictures`, of words that were read (`check_many`)."""
        older, newer = first.readings, second.readings
        alike = older.good & newer.good & (older.number != newer.number) & (older.chess == newer.chess)
        count = len(alike)
        celsius = np.zeros((count, ROWS, COLUMNS), np.float32)
        quick = np.zeros(count, np.bool_)
        for chess in (False, True):
            for number in (0, 1):
                at = np.flatnonzero(alike & (older.chess == chess) & (older.number == number))
                if at.size:
                    zero, one = (second, first) if number else (first, second)
                    part = celsius if at.size == count else celsius[at]
                    quick[at] = self._solver(chess).solve(zero.pick(at), one.pick(at), part)
                    if part is not celsius:
                        celsius[at] = part
        if self._filling is not None:
            self._filling.apply(celsius)
        valid = np.broadcast_to(self._good, celsius.shape)
        errors: dict[int, SensorError | UsageError] = {}
        if not quick.all():
            valid = valid.copy()
            for place in np.flatnonzero(~quick).tolist():
                try:
                    picture = self.picture(first.words[place], second.words[place])
                except (SensorError, UsageError) as error:
                    errors[place], celsius[place] = error, 0
                else:
                    celsius[place], valid[place] = picture.celsius, picture.valid
        return Pictures(celsius, valid, newer.dta + 25, newer.dv + 3.3, errors)

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
        reflected = np.asarray(ta - OPEN_AIR_K) if self.reflected is None else self.reflected
        tatr = surroundings(ta, reflected, self.emissivity)
        x = self._signal(readings) / (self._alpha * self.emissivity * (1 + c.ks_ta * dta))
        slope, gain, corner = np.array(c.ks_to), np.array(c.range_gain), np.array(c.ct)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            to = np.sqrt(np.sqrt(x + tatr)) - KELVIN
            to = np.sqrt(np.sqrt(x / (1 + slope[1] * to) + tatr)) - KELVIN
            part = np.searchsorted(corner[1:], to, side="right")
            to = np.sqrt(np.sqrt(x / (gain[part] * (1 + slope[part] * (to - corner[part]))) + tatr)) - KELVIN
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


def _no_picture(first: int, second: int) -> UsageError:
    return UsageError(f"Subpages {first} and {second} make no picture; pass both subpages of one reading pattern.")


def _image_scale(constants: Constants) -> float:
    """The vendor's GetImage multiplies with 1e-6 / alpha, raised by a power of two until the largest reaches 32768."""
    largest = 1e-6 / constants.alpha[constants.alpha > 0].min()
    return float(1e-6 * 2.0 ** max(0, math.ceil(math.log2(32768 / largest))))
