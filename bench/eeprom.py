"""What a flip of any one bit of a sensor's EEPROM comes to: all 13,312 of them.

Run `python bench/eeprom.py`. Real sensors are read from shared/golden/mlx90640 beside the checkout where it is there;
a simulated one is always tried. One picture of each is decoded with the EEPROM as it is and with every flip of it.

refused    the EEPROM gives an error
flagged    it decodes, and `Constants.doubts` says that something is wrong
bad pixel  the flip marks a pixel as broken or outlier, which is filled in from its neighbours
silent     none of these: the temperatures are taken for true
  > 1 K    of the silent: flips that move a pixel by more than 1 K
  whole    of the silent: flips that move the median of the picture by more than 0.5 K, and the largest such move
Every flip after the sensor was first seen changes its fingerprint, a CRC-32, and is told whatever it does; `silent` is what
is left where a sensor was never seen in order.
"""

import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ThermoError
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Picture, Words
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource

GOLDEN = Path(os.environ.get("THERMO_SHARED", Path(__file__).parents[2] / "shared")) / "golden" / "mlx90640"
PIXEL_K, WHOLE_K = 1.0, 0.5


def sensors() -> list[tuple[str, Words, NDArray[np.uint16]]]:
    """(name, EEPROM, two subpages) of each sensor."""
    found = []
    for path in sorted(GOLDEN.glob("s[0-9]_*.npz")):
        with np.load(path) as data:
            found.append((path.stem, data["eeprom"], data["frames"][:2]))
    words = eeprom.generate(3)
    scene = np.full((24, 32), 33.0)
    scene[8:16, 10:22] = 37.0
    found.append(("simulated, seed 3", words, np.array(PictureSource(3, 16.0, eeprom=words).words(scene))))
    return found


def picture(words: Words, frames: NDArray[np.uint16]) -> tuple[Constants, Picture]:
    """Constants and picture; raises a `ThermoError` where there is none."""
    calibration = Constants.from_eeprom(words)
    return calibration, Decoder(calibration).picture(frames[0], frames[1])


def row(name: str, words: Words, frames: NDArray[np.uint16]) -> str:
    """One line of the table."""
    _, right = picture(words, frames)
    refused = flagged = bad = silent = pixels = whole = same_print = 0
    largest = 0.0
    for place in range(words.size):
        for bit in range(16):
            flipped = words.copy()
            flipped[place] ^= 1 << bit
            same_print += zlib.crc32(flipped.tobytes()) == zlib.crc32(words.tobytes())
            try:
                calibration, wrong = picture(flipped, frames)
            except ThermoError:
                refused += 1
                continue
            both = right.valid & wrong.valid
            moved = np.abs(wrong.celsius - right.celsius)[both]
            if calibration.doubts:
                flagged += 1
            elif not np.array_equal(right.valid, wrong.valid):
                bad += 1
            else:
                silent += 1
                pixels += bool(moved.max() > PIXEL_K)
                whole += bool(np.median(moved) > WHOLE_K)
                largest = max(largest, float(np.median(moved)) if np.median(moved) > WHOLE_K else 0.0)
    assert same_print == 0
    return f"| {name} | {refused:,} | {flagged:,} | {bad:,} | {silent:,} | {pixels:,} | {whole}, {largest:.1f} K |"


def main() -> None:
    """Print the table."""
    print("| sensor | refused | flagged | bad pixel | silent | > 1 K | whole |\n|---|---|---|---|---|---|---|")
    for sensor in sensors():
        print(row(*sensor), flush=True)


if __name__ == "__main__":
    main()
