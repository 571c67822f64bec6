"""Hold-out error before and after calibration, for several simulated sensors, set-points and averages.

    python bench/calibration.py [--sensors N]

The product's procedure runs on pictures of the simulator's radiometry, without a serial line and faster than time. The last rows
carry the constants to another die temperature, where one ambient knows less than two.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.outcome import CameraFit
from thermo_host.calibrate.procedure import calibrate
from thermo_host.calibrate.procedures import Reading
from thermo_host.calibrate.reference import EXACT
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject, Target
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.surroundings import Conditions

HOLD_OUTS = (31.3, 34.7, 36.9, 39.2)
FIVE = (25.0, 30.0, 34.0, 37.0, 40.0)
DIE_RISE_K = 8.0
PICTURE_US = 125_000


class Bench:
    """A simulated camera as source and its blackbody as reference."""

    name = "simulator"
    uncertainty = EXACT

    def __init__(self, seed: int) -> None:
        settings = Mlx90640Settings(name="skin", path=(0x33,))
        words = eeprom.generate(seed)
        constants = Constants.from_eeprom(words)
        self._seed, self._words = seed, words
        self._decoder = Decoder(constants, settings.emissivity, settings.reflected_celsius)
        self._blackbody = np.full((24, 32), 30.0)
        self._time_us = 0
        self.ambient(25.0)
        target = Target(0, settings, constants.device_id, SensorConstants(0, words.astype("<u2").tobytes()))
        self.subject = Subject("bench", str(seed), "", "bench", True, target)

    def restart(self) -> None:
        """Simulated time stands still by itself."""

    def pause(self) -> None:
        """Simulated time stands still by itself."""

    def next_reading(self) -> Reading:
        """The next picture."""
        first, second = (self._decoder.decode(words) for words in self._source.words(self._blackbody))
        picture = merge(first, second)
        self._time_us += PICTURE_US
        return Reading(self._time_us, picture.celsius, picture.valid, picture.ta)

    def beside(self) -> Mapping[int, tuple[float, ...]]:
        """None here."""
        return {}

    def set_point(self, celsius: float) -> float:
        """Bring the blackbody there."""
        self._blackbody = np.full((24, 32), celsius)
        return celsius

    def ambient(self, celsius: float) -> None:
        """Bring the room there; the die settles above it."""
        conditions = Conditions(celsius + DIE_RISE_K, 3.31, celsius, 0.98)
        self._source = PictureSource(self._seed, 16.0, self._words, conditions=conditions)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Plan:
    """One row of the table."""

    name: str
    settings: Settings
    judged_at: float | None = None
    """Ambient at which the hold-out is measured, where it is another than that of the fit."""


PLANS = (
    Plan("2 set-points, --quick", Settings((30.0, 37.0), (34.7,), 64, 128, warm_up_s=0.0)),
    Plan("2 set-points", Settings((30.0, 37.0), (34.7,), 256, 256)),
    Plan("5 set-points", Settings(FIVE, HOLD_OUTS, 256, 256)),
    Plan("5 set-points, 2 ambients", Settings(FIVE, HOLD_OUTS, 128, 256, ambients=(20.0, 30.0))),
    Plan("2 set-points, die 5 K warmer", Settings((30.0, 37.0), (34.7,), 256, 256), 30.0),
    Plan(
        "2 set-points, 2 ambients, die 5 K warmer",
        Settings((30.0, 37.0), (34.7,), 128, 256, ambients=(20.0, 30.0)),
        30.0,
    ),
)


def judge_elsewhere(bench: Bench, camera: CameraFit, ambient: float) -> tuple[float, float, float]:
    """RMSE before and after, and averaging noise, of a hold-out at another ambient."""
    bench.ambient(ambient)
    bench.set_point(34.7)
    bench.restart()
    pictures = [bench.next_reading() for _ in range(256)]
    shown = np.mean([picture.celsius for picture in pictures], axis=0, dtype=np.float64)
    ta = float(np.mean([picture.ta for picture in pictures]))
    noise = np.std([picture.celsius for picture in pictures], axis=0, ddof=1) / np.sqrt(len(pictures))
    after = camera.correction.apply(shown.astype(np.float32), ta).astype(np.float64)
    return _rms(shown - 34.7), _rms(after - 34.7), _rms(noise)


def measure(plan: Plan, seed: int) -> tuple[float, float, float, float]:
    """RMSE before and after, averaging noise, and seconds a sensor of this plan would take."""
    bench = Bench(seed)
    outcome = calibrate(bench, bench, plan.settings, created_unix_s=0)
    camera = outcome.camera
    assert camera is not None
    seconds = _seconds(outcome.observations)
    if plan.judged_at is not None:
        return (*judge_elsewhere(bench, camera, plan.judged_at), seconds)
    return camera.before.rmse, camera.after.rmse, camera.after.noise, seconds


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt((values**2).mean()))


def _seconds(observations: tuple[Observation, ...]) -> float:
    return sum(observation.seconds for observation in observations)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--sensors", type=int, default=3, help="simulated sensors a row")
    sensors = parser.parse_args().sensors
    begun = time.perf_counter()
    print(f"RMSE over all 768 pixels at hold-out points, {sensors} simulated sensors, K")
    print(f"{'':42}{'before':>8}{'after':>8}{'worst':>8}{'noise':>8}{'pictures last':>15}")
    for plan in PLANS:
        figures = np.array([measure(plan, seed) for seed in range(1, sensors + 1)])
        before, after, noise, seconds = figures.mean(axis=0)
        print(f"{plan.name:42}{before:8.3f}{after:8.3f}{figures[:, 1].max():8.3f}{noise:8.3f}{seconds:13.0f} s")
    print("after and worst hold the noise of averaging a finite number of pictures, given in the next column")
    print(f"computed in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
