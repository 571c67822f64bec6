"""Pictures in bulk for training: scene -> counts -> decoder, through the real chain but without the bus."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import COLUMNS, CONTROL, FRAME_WORDS, PIXELS, ROWS, SUBPAGE, Words
from thermo_core.sensors.mlx90640.registers import ControlRegister, RefreshRate
from thermo_sim.chips.mlx90640 import eeprom as eeprom_contents
from thermo_sim.chips.mlx90640.radiometry import AUXILIARY_ROW, Noise, Radiometry, ResponseError, pattern
from thermo_sim.surroundings import Conditions


class PictureSource:
    """One simulated sensor that turns true temperatures to decoded pictures, about a thousand a second.

    Args:
        seed: of the EEPROM, the response errors and the noise; another seed is another sensor.
        refresh_rate_hz: subpages per second, 0.5 to 64; sets the noise.
        eeprom: (832,) words of a real sensor instead.
        error: response errors instead of random ones; `ResponseError.none()` for a calibrated sensor.
        noise: instead of the datasheet's.
        conditions: die temperature, supply, surroundings and emissivity.
        emissivity: the decoder's; that of `conditions` where omitted.

    Raises:
        UsageError: the sensor has no such refresh rate.
        EepromError: `eeprom` is no healthy sensor's.
    """

    def __init__(
        self,
        seed: int,
        refresh_rate_hz: float = 16.0,
        eeprom: Words | None = None,
        error: ResponseError | None = None,
        noise: Noise | None = None,
        conditions: Conditions | None = None,
        emissivity: float | None = None,
    ) -> None:
        self._conditions = conditions if conditions is not None else Conditions(emissivity=0.98)
        calibration = Constants.from_eeprom(eeprom if eeprom is not None else eeprom_contents.generate(seed))
        self._radiometry = Radiometry(
            calibration, error if error is not None else ResponseError.random(seed), noise, seed
        )
        self._decoder = Decoder(
            calibration, emissivity=emissivity if emissivity is not None else self._conditions.emissivity
        )
        self._control = ControlRegister(refresh_code=RefreshRate.from_hz(refresh_rate_hz))
        self._index = 0

    def move(self, conditions: Conditions) -> None:
        """Measure in other conditions from here on; the decoder keeps its emissivity."""
        self._conditions = conditions

    def words(self, celsius: NDArray[np.floating[Any]]) -> tuple[Words, Words]:
        """Both subpages of one picture as the sensor would say them, (834,) uint16 each."""
        first, second = self._words(celsius, 1)
        return first[0], second[0]

    def _words(self, celsius: NDArray[np.floating[Any]], count: int) -> tuple[Words, Words]:
        """As `words`, of so many pictures of the same, (count, 834) each."""
        frames = np.zeros((2, count, FRAME_WORDS), dtype=np.uint16)
        frames[..., CONTROL] = self._control.to_word()
        frames[1, :, SUBPAGE] = 1
        for number in (0, 1):
            where = pattern(number, self._control.chess)
            auxiliary = slice(PIXELS + number * AUXILIARY_ROW, PIXELS + (number + 1) * AUXILIARY_ROW)
            indices = range(self._index + number, self._index + 2 * count, 2)
            measured = self._radiometry.measure_still(celsius, number, indices, self._control, self._conditions)
            for place, one in enumerate(measured):
                frames[:, place, where] = one.pixels
                frames[:, place, auxiliary] = one.auxiliary
        self._index += 2 * count
        return frames[0], frames[1]

    def picture(self, celsius: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """One decoded picture, (24, 32) float32 degC, of true temperatures (24, 32) degC."""
        first, second = self.words(celsius)
        return merge(self._decoder.decode(first), self._decoder.decode(second)).celsius

    def pictures(self, celsius: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Decoded pictures, (n, 24, 32) float32 degC.

        Args:
            celsius: (n, 24, 32) true temperatures, degC.

        Raises:
            UsageError: another shape.
            SensorError: nothing of a scene is within what the sensor measures.
        """
        if celsius.ndim != 3 or celsius.shape[1:] != (ROWS, COLUMNS):
            raise UsageError(f"True temperatures have shape {celsius.shape}; give (n, {ROWS}, {COLUMNS}).")
        return np.stack([self.picture(scene) for scene in celsius])

    def still(self, celsius: NDArray[np.floating[Any]], count: int) -> NDArray[np.float32]:
        """Decoded pictures, (count, 24, 32) float32 degC, of what stays: those that `picture` gives one after another, faster.

        Args:
            celsius: (24, 32) true temperatures, degC.
            count: of pictures, 1 or more.

        Raises:
            SensorError: nothing of it is within what the sensor measures.
        """
        found = self._decoder.merged(*self._words(celsius, count))
        for error in found.errors.values():
            raise error
        return found.celsius
