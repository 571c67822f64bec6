"""From the counts of a subpage to temperatures (datasheet section 11.2.2), and from two subpages to a picture."""

import math
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermo_core.errors import AuxiliaryDataError, SensorError, UsageError
from thermo_core.frames import (
    COLUMNS,
    FRAME_WORDS,
    ROWS,
    SUBPAGE,
    Celsius,
    DecodedSubpage,
    Mask,
    Picture,
    Words,
)
from thermo_core.frames import CONTROL as CONTROL_WORD
from thermo_core.interpolate import fill_invalid
from thermo_core.mlx90640 import registers
from thermo_core.mlx90640.calibration import Calibration
from thermo_core.mlx90640.plan import CHECKED_AUXILIARY, HALF, Plan, image_scale

KELVIN = 273.15
OPEN_AIR_K = 8.0
"""How far the surroundings are below the die where the sensor looks out into open air (the vendor's default)."""

_VBE, _GAIN, _PTAT, _VDD = (
    address - registers.RAM_START for address in (registers.VBE, registers.GAIN, registers.PTAT, registers.VDD)
)
_COMPENSATION = (registers.CP_SUBPAGE_0 - registers.RAM_START, registers.CP_SUBPAGE_1 - registers.RAM_START)
Array = NDArray[np.float64]


class Decoder:
    """Turns counts into temperatures for one sensor.

    All that stays the same between frames is computed here, once. Where every pixel lies in the second temperature
    range (0 degC to about 300 degC) and emissivity and reflected temperature are numbers, a short float32 path is
    taken, else one in float64 that covers everything.

    Args:
        calibration: constants of the sensor.
        emissivity: of the object, 0.05 to 1; a number or (24, 32).
        reflected: temperature of the surroundings that the object reflects, degC; a number, (24, 32), or None for 8 K
            below the die, which suits a sensor in open air.

    Raises:
        UsageError: emissivity or reflected temperature out of range or of the wrong shape.

    Any number of threads may use one decoder; they take turns.
    """

    def __init__(
        self, calibration: Calibration, emissivity: ArrayLike = 0.95, reflected: ArrayLike | None = None
    ) -> None:
        self.calibration = calibration
        self.emissivity = _number_or_map("Emissivity", emissivity, 0.05, 1.0)
        self.reflected = (
            None if reflected is None else _number_or_map("Reflected temperature in degC", reflected, -100.0, 1000.0)
        )
        self._plans = tuple(Plan.make(calibration, number, chess) for chess in (False, True) for number in (0, 1))
        self._resolution = tuple(2.0 ** (calibration.resolution_ee - code) for code in range(4))
        self._image_scale = image_scale(calibration)
        self._lock = Lock()
        self._counts = np.zeros(HALF + CHECKED_AUXILIARY.size, dtype=np.int16)
        self._pixel_counts = self._counts[:HALF]
        self._coefficients = np.zeros(6, dtype=np.float32)
        self._signal = np.zeros(HALF, dtype=np.float32)
        self._scaled = np.zeros(HALF, dtype=np.float32)
        self._output = np.zeros(HALF + 1, dtype=np.float32)
        self._result = self._output[:HALF]
        self._surroundings = np.zeros((), dtype=np.float32)
        self._kelvin = np.array(KELVIN, dtype=np.float32)
        slope = calibration.ks_to[1]
        uniform = self.emissivity.ndim == 0 and (self.reflected is None or self.reflected.ndim == 0)
        # Up to this slope and within the limits of _solve_fast, To rises with the signal: with u for To at slope 0, K,
        # its derivative has the sign of 1 + slope * (u - 273.15) - slope * (u - TaTr / u^3) / 4.
        self._fast = uniform and 1e-9 < abs(slope) <= 5e-4
        self._inverse_slope = np.array(1 / slope if self._fast else 0, dtype=np.float32)
        self._origin = np.array(1 / slope - KELVIN if self._fast else 0, dtype=np.float32)
        self._emissivity = float(self.emissivity) if uniform else 1.0
        self._reflected = float(self.reflected) if uniform and self.reflected is not None else None

    def decode(self, words: Words) -> DecodedSubpage:
        """Temperatures of one subpage.

        Args:
            words: (834,) uint16: RAM 0x0400-0x073F, control register, subpage number.

        Returns:
            Temperatures where `valid`, else 0. A pixel is invalid where it is broken or an outlier, where its reading
            is saturated (0x7FFF), or where no temperature gives such a signal.

        Raises:
            UsageError: not 834 uint16 words.
            AuxiliaryDataError: an auxiliary word was not measured or cannot be right; it names word and address.
            SensorError: the subpage number is neither 0 nor 1, or no pixel gave a temperature.
        """
        with self._lock:
            plan, saturated, ta, vdd = self._compensate(words, self.calibration.ks_ta, self._emissivity)
            solved = self._fast and not saturated and self._solve_fast(ta)
            valid = plan.valid if solved else self._solve(plan, ta)
            celsius: Celsius = self._output.take(plan.scatter)
        return DecodedSubpage(celsius, plan.measured, valid, ta, vdd, plan.number)

    def uncompensated_image(self, words: Words) -> Celsius:
        """The signal of one subpage without emissivity and ambient temperature, as the vendor's GetImage gives it.

        Args:
            words: as for `decode`.

        Returns:
            (24, 32) float32 in arbitrary units that rise with radiance; 0 outside the subpage and at bad pixels.

        Raises:
            UsageError, AuxiliaryDataError, SensorError: as `decode`.
        """
        with self._lock:
            plan, _, _, _ = self._compensate(words, ks_ta=0.0, emissivity=1.0)
            np.multiply(self._signal, self._image_scale, self._result)
            image: Celsius = self._output.take(plan.scatter)
        return image

    def _compensate(self, words: Words, ks_ta: float, emissivity: float) -> tuple[Plan, bool, float, float]:
        """Check a frame and leave IR / alpha, K^4, in `_signal`; return plan, whether a pixel is saturated, Ta, Vdd."""
        if not isinstance(words, np.ndarray) or words.shape != (FRAME_WORDS,) or words.dtype != np.uint16:
            raise UsageError(
                f"A subpage is an array of {FRAME_WORDS} uint16 words (RAM, control register, subpage number), not "
                f"{getattr(words, 'dtype', type(words).__name__)} of shape {np.shape(words)}; pass it as it was read."
            )
        signed = words.view(np.int16)
        item = signed.item
        control, number = words.item(CONTROL_WORD), words.item(SUBPAGE)
        if number > 1:
            raise SensorError(f"Word {SUBPAGE} says subpage {number}, but there are only 0 and 1; read the page again.")
        plan = self._plans[(control >> 11 & 2) + number]
        signed.take(plan.gather, out=self._counts, mode="clip")
        saturated = self._counts.item(self._counts.argmax()) == registers.INVALID_WORD
        if saturated:
            _refuse_invalid(signed)

        c = self.calibration
        resolution = self._resolution[control >> 10 & 3]
        dv = (item(_VDD) * resolution - c.vdd25) / c.k_vdd
        if not -0.9 < dv < 0.9:
            raise _implausible(words, _VDD, f"a supply of {dv + 3.3:.2f} V")
        ptat = item(_PTAT)
        divisor = ptat * c.alpha_ptat + item(_VBE)
        if ptat <= 0 or divisor <= 0:
            raise _implausible(words, _PTAT, "no ambient temperature")
        dta = (ptat / divisor * 262144.0 / (1 + c.kv_ptat * dv) - c.v_ptat25) / c.kt_ptat
        if not -85 < dta < 105:
            raise _implausible(words, _PTAT, f"an ambient temperature of {dta + 25:.1f} degC")
        gain_counts = item(_GAIN)
        if not 0.25 < gain_counts * resolution / c.gain < 4:
            raise _implausible(words, _GAIN, f"a gain {gain_counts * resolution / c.gain:.3g} times the calibrated one")
        gain = c.gain / gain_counts

        compensation = 0.0
        if c.tgc:
            drift = (1 + c.cp_kta * dta) * (1 + c.cp_kv * dv)
            compensation = c.tgc * (item(_COMPENSATION[number]) * gain - plan.cp_offset * drift)
        scale = 1 / (emissivity * (1 + ks_ta * dta))
        np.multiply(self._pixel_counts, plan.sensitivity, plan.scaled_counts)
        self._coefficients[:] = gain * scale, scale, dta * scale, dv * scale, dta * dv * scale, compensation * scale
        np.dot(self._coefficients, plan.terms, self._signal)
        return plan, saturated, dta + 25, dv + 3.3

    def _solve_fast(self, ta: float) -> bool:
        """Temperatures of `_signal` into `_result`; False, and nothing done, where one may leave the second range."""
        tr = ta - OPEN_AIR_K if self._reflected is None else self._reflected
        fourth = (tr + KELVIN) ** 4
        fourth -= (fourth - (ta + KELVIN) ** 4) / self._emissivity
        signal, scaled, result = self._signal, self._scaled, self._result
        low, high = signal.item(signal.argmin()), signal.item(signal.argmax())
        if not (
            0 < fourth < 4e10
            and low + fourth > 200**4
            and high + fourth < 1000**4
            and self._first_pass(low, fourth) >= self.calibration.ct[1]
            and self._first_pass(high, fourth) < self.calibration.ct[2]
        ):
            return False
        surroundings = self._surroundings
        surroundings[()] = fourth
        np.multiply(signal, self._inverse_slope, scaled)
        np.add(signal, surroundings, result)
        for _ in range(2):
            # IR / alpha / (1 + slope * To) + TaTr, slope taken out of the denominator.
            np.sqrt(result, result)
            np.sqrt(result, result)
            np.add(result, self._origin, result)
            np.divide(scaled, result, result)
            np.add(result, surroundings, result)
        np.sqrt(result, result)
        np.sqrt(result, result)
        np.subtract(result, self._kelvin, result)
        return True

    def _first_pass(self, signal: float, surroundings: float) -> float:
        """To that chooses the temperature range, for one pixel, degC."""
        u = math.sqrt(math.sqrt(signal + surroundings))
        fourth = signal / (1 + self.calibration.ks_to[1] * (u - KELVIN)) + surroundings
        return math.sqrt(math.sqrt(max(fourth, 0.0))) - KELVIN

    def _solve(self, plan: Plan, ta: float) -> Mask:
        """Temperatures of `_signal` into `_result` for any range, emissivity and surroundings; return the valid ones."""
        c = self.calibration
        emissivity = _at(self.emissivity, plan.pixels)
        reflected = _at(np.asarray(ta - OPEN_AIR_K) if self.reflected is None else self.reflected, plan.pixels)
        tr4 = (reflected + KELVIN) ** 4
        surroundings = tr4 - (tr4 - (ta + KELVIN) ** 4) / emissivity
        signal = self._signal * (self._emissivity / emissivity)
        slope, gain, corner = np.array(c.ks_to), np.array(c.range_gain), np.array(c.ct)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            to = np.sqrt(np.sqrt(signal + surroundings)) - KELVIN
            to = np.sqrt(np.sqrt(signal / (1 + slope[1] * to) + surroundings)) - KELVIN
            part = np.searchsorted(corner[1:], to, side="right")
            sensitivity = gain[part] * (1 + slope[part] * (to - corner[part]))
            to = np.sqrt(np.sqrt(signal / sensitivity + surroundings)) - KELVIN
            solved = np.isfinite(to) & (np.abs(to) < 1e6) & (self._pixel_counts != registers.INVALID_WORD)
        self._result[:] = np.where(solved, to, 0.0)
        valid: Mask = np.append(solved, False)[plan.scatter]
        if not valid.any():
            raise SensorError(
                f"No pixel of subpage {plan.number} gives a temperature; read the page again, and the EEPROM too."
            )
        return valid


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
        raise UsageError(
            f"Subpages {first.number} and {second.number} make no picture; pass both subpages of one reading pattern."
        )
    celsius = first.celsius + second.celsius
    valid = first.valid | second.valid
    if not valid.all():
        fill_invalid(celsius, valid)
    return Picture(celsius, valid, second.ta, second.vdd, index, time_us)


def _number_or_map(name: str, value: ArrayLike, low: float, high: float) -> Array:
    array = np.array(value, dtype=np.float64)
    if array.shape not in ((), (ROWS, COLUMNS)):
        raise UsageError(f"{name} has shape {array.shape}; pass a number or an array of shape ({ROWS}, {COLUMNS}).")
    if not ((array >= low) & (array <= high)).all():
        raise UsageError(f"{name} is {array.min():g} to {array.max():g}; it must lie between {low:g} and {high:g}.")
    array.flags.writeable = False
    return array


def _at(value: Array, pixels: NDArray[np.intp]) -> Array:
    return value.ravel()[pixels] if value.ndim else value


def _refuse_invalid(signed: NDArray[np.int16]) -> None:
    invalid = CHECKED_AUXILIARY[signed[CHECKED_AUXILIARY] == registers.INVALID_WORD]
    if invalid.size:
        address = registers.RAM_START + int(invalid[0])
        raise AuxiliaryDataError(
            f"Auxiliary word 0x{address:04X} reads 0x{registers.INVALID_WORD:04X}, so the sensor has not measured it; "
            "read the page again.",
            address,
            registers.INVALID_WORD,
        )


def _implausible(words: Words, index: int, what: str) -> AuxiliaryDataError:
    address, value = registers.RAM_START + index, int(words[index])
    return AuxiliaryDataError(
        f"Auxiliary word 0x{address:04X} = 0x{value:04X} gives {what}; read the page again, and check the supply if it "
        "stays so.",
        address,
        value,
    )
