"""Chess against interleaved pattern of an MLX90640 on the same scenes: time on the bus, noise, and what is left between two subpages.

Run `python bench/patterns.py`. Pictures come over the simulated bus as the agent reads them, of sensors warmed up, with the noise of
the data sheet and without their own error.

noise     standard deviation of a pixel over the pictures of a still scene, median of all pixels, K
stripes   mean error of the pixels of subpage 1 less that of subpage 0, K: rows in interleaved pattern, a checkerboard in chess; the
          mean of all pictures, which calibration removes, and the standard deviation from picture to picture
error     RMS of all pixels and pictures against the truth at the picture's time, K
"""

import argparse
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.bus_load import clocks
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import RAM_WORDS, Celsius
from thermo_core.sensors.mlx90640.registers import page_reads, subpage_mask
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_sim.chips.mlx90640.chip import SimulatedMlx90640
from thermo_sim.chips.mlx90640.eeprom import generate
from thermo_sim.clock import VirtualClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.scenes import STRAIGHT, Hand, Map, Scene, View, breast_patch

Pattern = Literal["chess", "interleaved"]
PATTERNS: tuple[Pattern, Pattern] = ("chess", "interleaved")
WARMING_K_PER_S = 0.5


@dataclass(frozen=True, slots=True)
class Warming:
    """A scene that warms evenly.

    Attributes:
        scene: as it is at first.
    """

    scene: Scene

    def celsius(self, time_s: float, view: View = STRAIGHT) -> Map:
        """(24, 32) degC."""
        return self.scene.celsius(time_s, view) + WARMING_K_PER_S * time_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=400, help="pictures of each row, 2 or more")
    parser.add_argument("--seed", type=int, default=1, help="of sensor, scene and noise")
    options = parser.parse_args()
    if options.pictures < 2:
        parser.error("give 2 pictures or more")
    print(
        "clocks of a page's reads: all words at once / own rows and auxiliary words / from the first own row to the end"
    )
    for number in (0, 1):
        rows = sum(clocks((2, 2 * words)) for _, words in page_reads(number, chess=False))
        rest = RAM_WORDS - page_reads(number, chess=False)[0][0]
        print(f"  subpage {number}: {clocks((2, 2 * RAM_WORDS)):,} / {rows:,} / {clocks((2, 2 * rest)):,}")
    print(f"{'scene':24}{'Hz':>4}{'pattern':>14}{'noise':>9}{'stripes':>16}{'error':>9}{'lost':>6}")
    scenes: tuple[tuple[str, Scene], ...] = (
        ("still skin", breast_patch(options.seed)),
        (f"warming {WARMING_K_PER_S:g} K/s", Warming(breast_patch(options.seed))),
        ("moving hand", Hand(options.seed)),
    )
    for name, scene in scenes:
        for rate_hz in (16.0, 64.0) if name != "still skin" else (8.0, 16.0, 64.0):
            for pattern in PATTERNS:
                seen, true, lost = _pictures(scene, rate_hz, pattern, options.pictures, options.seed)
                off = seen - true
                one = subpage_mask(1, pattern == "chess")
                stripes = off[:, one].mean(axis=1) - off[:, ~one].mean(axis=1)
                noise = f"{np.median(seen.std(axis=0)):9.3f}" if name == "still skin" else f"{'':9}"
                print(
                    f"{name:24}{rate_hz:4.0f}{pattern:>14}{noise}{stripes.mean():9.3f} ±{stripes.std():5.3f}{_rms(off):9.3f}{lost:6d}"
                )


def _rms(values: NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _pictures(
    scene: Scene, rate_hz: float, pattern: Pattern, count: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Pictures and the truth at their times, (n, 24, 32) degC each, and subpages lost."""
    bus = SimulatedBus(VirtualClock(), 1_000_000)
    bus.attach(SimulatedMlx90640(generate(seed), scene.celsius, seed=seed))
    counters = Counters()
    settings = Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz, pattern=pattern)
    sensor = PictureSensor(settings, Place(0, bus, bus.clock, counters))
    sensor.start()
    if sensor.constants is None:
        raise SystemExit("The simulated sensor gave no constants.")
    assembler = PictureAssembler(Decoder(sensor.constants, emissivity=1.0))
    seen: list[Celsius] = []
    true: list[Map] = []
    while len(seen) < count:
        picture = assembler.push(sensor.next_subpage())
        if picture is not None:
            seen.append(picture.celsius)
            true.append(scene.celsius(picture.time_us / 1e6))
    return np.array(seen, np.float64), np.array(true), counters.get("blocks_lost")


if __name__ == "__main__":
    main()
