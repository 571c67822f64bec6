"""Pictures in bulk for training: scene -> counts -> decoder, through the real chain but without the bus."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import COLUMNS, CONTROL, FRAME_WORDS, PIXELS, RAM_WORDS, ROWS, SUBPAGE, Words
from thermo_core.sensors.mlx90640.registers import ControlRegister, RefreshRate
from thermo_sim.chips.mlx90640 import eeprom as eeprom_contents
from thermo_sim.chips.mlx90640.radiometry import Noise, Radiometry, ResponseError, pattern
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
        frame = np.zeros(FRAME_WORDS, dtype=np.uint16)
        frame[CONTROL] = self._control.to_word()
        frames: list[Words] = []
        rows = []
        for number in (0, 1):
            measured = self._radiometry.measure(celsius, number, self._index, self._control, self._conditions)
            self._index += 1
            frame[pattern(number, self._control.chess)] = measured.pixels
            rows.append(measured.auxiliary)
        frame[PIXELS:RAM_WORDS] = np.concatenate(rows)
        for number in (0, 1):
            frame[SUBPAGE] = number
            frames.append(frame.copy())
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
        """
        if celsius.ndim != 3 or celsius.shape[1:] != (ROWS, COLUMNS):
            raise UsageError(f"True temperatures have shape {celsius.shape}; give (n, {ROWS}, {COLUMNS}).")
        return np.stack([self.picture(scene) for scene in celsius])
