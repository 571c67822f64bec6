"""Seeds of fuzz_eeprom: simulated sensors and what they measure.

python device/firmware/fuzz/make_eeprom_corpus.py device/firmware/fuzz/corpus/eeprom
"""

import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.registers import ControlRegister
from thermo_sim.chips.mlx90640.eeprom import encode, random_parameters
from thermo_sim.chips.mlx90640.radiometry import Radiometry, pattern
from thermo_sim.surroundings import Conditions

SENSORS = (
    (1, 34.0, ControlRegister(), {}, 0.98, float("nan")),
    (2, 34.0, ControlRegister(chess=False, resolution_code=0), {"tgc": 1.0}, 0.95, 25.0),
    (3, 260.0, ControlRegister(resolution_code=3), {"chess_calibrated": False}, 0.9, float("nan")),
    (4, -25.0, ControlRegister(), {"broken": (7, 100), "outlier": (300, 767)}, 1.0, float("nan")),
)


def main(folder: Path) -> None:
    """Write one file a sensor."""
    for seed, celsius, control, changes, emissivity, reflected in SENSORS:
        eeprom = encode(replace(random_parameters(seed), **changes))  # type: ignore[arg-type]
        radiometry = Radiometry(Constants.from_eeprom(eeprom), seed=seed)
        ram = np.zeros(832, np.uint16)
        number = seed % 2
        for half in (0, 1):
            measured = radiometry.measure(np.full((24, 32), celsius), half, 0, control, Conditions())
            ram[pattern(half, control.chess)] = measured.pixels
            ram[768 + 32 * half : 800 + 32 * half] = measured.auxiliary
        rest = struct.pack("<HHff", control.to_word(), number, emissivity, reflected)
        (folder / f"sensor-{seed}").write_bytes(eeprom.astype("<u2").tobytes() + ram.astype("<u2").tobytes() + rest)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
