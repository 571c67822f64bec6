"""Hold-out error before and after calibration, for several simulated sensors, set-points and averages.

    python bench/calibration.py [--sensors N]

The product's procedure runs on the device's acquisition over a simulated bus, without a serial line and faster than
time. The last rows carry the constants to another die temperature, where one ambient knows less than two.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from thermo_core.profile import PictureSensor as PictureSensorSettings

from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture
from thermo_device.acquisition import PictureSensor
from thermo_device.counters import Counters
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.procedure import Outcome, calibrate
from thermo_host.calibrate.reference import EXACT
from thermo_host.calibrate.settings import Settings
from thermo_host.calibrate.source import Subject
from thermo_sim.hardware import SimulatedHardware

HOLD_OUTS = (31.3, 34.7, 36.9, 39.2)
FIVE = (25.0, 30.0, 34.0, 37.0, 40.0)


class Bench:
    """A simulated sensor as source and its blackbody as reference."""

    name = "simulator"
    uncertainty = EXACT

    def __init__(self, seed: int) -> None:
        settings = PictureSensorSettings()
        self._hardware = SimulatedHardware.from_profile("breast-patch", seed, warm_up_tau_s=0.0)
        self._sensor = PictureSensor(self._hardware.bus, self._hardware.clock, settings, Counters())
        self._sensor.start()
        calibration = self._sensor.calibration
        assert calibration is not None
        self._assembler = PictureAssembler(Decoder(calibration, settings.emissivity, settings.reflected_celsius))
        self._subpage_us = 1e6 / settings.refresh_rate_hz
        self._from_us = 0
        self.subject = Subject(
            sensor_id=calibration.device_id,
            name="bench",
            serial=str(seed),
            software="",
            profile="breast-patch",
            simulated=True,
            pictures_per_second=settings.refresh_rate_hz / 2,
            emissivity=settings.emissivity,
            reflected=settings.reflected_celsius,
        )

    def restart(self) -> None:
        """Nothing begun before now is taken."""
        self._from_us = self._hardware.clock.now_us()

    def pause(self) -> None:
        """Simulated time stands still by itself."""

    def next_picture(self) -> Picture:
        """The next picture."""
        while True:
            picture = self._assembler.push(self._sensor.next_subpage())
            if picture is not None and picture.time_us - 2.2 * self._subpage_us >= self._from_us:
                return picture

    def thermistor_counts(self) -> tuple[float, ...]:
        """None here."""
        return ()

    def set_point(self, celsius: float) -> float:
        """Bring the blackbody there."""
        self._hardware.set_blackbody(celsius)
        return celsius

    def ambient(self, celsius: float) -> None:
        """Bring the room there; the die settles 8 K above."""
        self._hardware.set_ambient(celsius)

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


def judge_elsewhere(bench: Bench, outcome: Outcome, ambient: float) -> tuple[float, float, float]:
    """RMSE before and after, and averaging noise, of a hold-out at another ambient."""
    bench.ambient(ambient)
    bench.set_point(34.7)
    bench.restart()
    pictures = [bench.next_picture() for _ in range(256)]
    shown = np.mean([picture.celsius for picture in pictures], axis=0, dtype=np.float64)
    ta = float(np.mean([picture.ta for picture in pictures]))
    noise = np.std([picture.celsius for picture in pictures], axis=0, ddof=1) / np.sqrt(len(pictures))
    after = outcome.correction.apply(shown.astype(np.float32), ta).astype(np.float64)
    return _rms(shown - 34.7), _rms(after - 34.7), _rms(noise)


def measure(plan: Plan, seed: int) -> tuple[float, float, float, float]:
    """RMSE before and after, averaging noise, and seconds a sensor of this plan would take."""
    bench = Bench(seed)
    outcome = calibrate(bench, bench, plan.settings, created_unix_s=0)
    seconds = _seconds(outcome.observations)
    if plan.judged_at is not None:
        return (*judge_elsewhere(bench, outcome, plan.judged_at), seconds)
    return outcome.before.rmse, outcome.after.rmse, outcome.after.noise, seconds


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
