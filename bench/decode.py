"""Time of a full picture (two subpages and their merging) beside the Adafruit driver's own calculation, in one run.

    python bench/decode.py [--vectors FILE.npz] [--rounds N]

FILE holds `eeprom` (832,) and `frames` (2, 834), both subpages of one picture; the default is the golden recording of a
real sensor. The driver runs unmodified on a bus that answers from memory; only its arithmetic is timed.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import adafruit_mlx90640
import numpy as np

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import PIXELS, Picture, Subpage, Words
from thermo_core.sensors.mlx90640.kind import CameraReader
from thermo_core.sensors.mlx90640.registers import EEPROM_START
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = 20
"""In the stretch that is read from blocks."""
SHARED = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))


class EepromBus:
    """As much of busio.I2C as the driver's constructor needs: a chip that holds nothing but an EEPROM."""

    def __init__(self, eeprom: Words) -> None:
        self.data = eeprom.astype(">u2").tobytes()

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def writeto(self, address: int, buffer: bytes, **_: object) -> None:
        pass

    def writeto_then_readfrom(
        self, address: int, out: bytes, into: bytearray, *, in_end: int | None = None, **_: object
    ) -> None:
        start = 2 * (int.from_bytes(out[:2], "big") - EEPROM_START)
        size = len(into) if in_end is None else in_end
        into[:size] = self.data[start : start + size]


def blocks_of(frames: Sequence[Words]) -> list[Block]:
    """PICTURES pictures as they travel, with noise of a count, so that each subpage is packed by its differences."""
    rng, encoder, made = np.random.default_rng(0), CountsEncoder(), []
    for index in range(2 * PICTURES):
        words = np.array(frames[index % 2])
        noise = np.rint(rng.normal(0, 1, PIXELS)).astype(np.int16)
        words[:PIXELS] = (words[:PIXELS].view(np.int16) + noise).view(np.uint16)
        packed = encoder.encode(Subpage(words, index, 62_500 * index))
        made.append(Block(62_500 * index, 0, 0, index, codec.encode(packed, index)))
    return made


def seconds(action: Callable[[], object], repeats: int) -> float:
    """Mean time of one call, of this thread alone: other programs' load does not enter."""
    start = time.thread_time()
    for _ in range(repeats):
        action()
    return (time.thread_time() - start) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--vectors", type=Path, default=SHARED / "golden" / "mlx90640" / "s2_signaloid.npz")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    if not arguments.vectors.is_file():
        parser.error(f"{arguments.vectors} does not exist; name a file with `eeprom` and `frames` by --vectors")
    data = np.load(arguments.vectors)
    first, second = (np.array(frame) for frame in data["frames"])

    decoder = Decoder(Constants.from_eeprom(data["eeprom"]))
    rng = np.random.default_rng(0)
    maps = Decoder(decoder.constants, rng.uniform(0.93, 0.97, (24, 32)))
    reflecting = Decoder(decoder.constants, np.full((24, 32), 0.95), rng.uniform(18, 24, (24, 32)))
    driver = adafruit_mlx90640.MLX90640(EepromBus(data["eeprom"]))
    lists = [first.tolist(), second.tolist()]
    theirs = [0.0] * 768

    def ours() -> Picture:
        return decoder.picture(first, second)

    def with_maps() -> Picture:
        return maps.picture(first, second)

    def with_reflections() -> Picture:
        return reflecting.picture(first, second)

    packed = blocks_of([first, second])
    reader = CameraReader(
        Mlx90640Settings(name="skin", path=(0x33,), emissivity=0.95), data["eeprom"].astype("<u2").tobytes(), None
    )

    def from_blocks() -> None:
        for block in packed:
            reader.push(block)

    def adafruit() -> None:
        for words in lists:
            driver._CalculateTo(words, 0.95, driver._GetTa(words) - 8, theirs)

    adafruit()
    difference = float(np.abs(ours().celsius.ravel() - np.array(theirs)).max())
    # slices of about equal length, so that other programs disturb each alike
    rows = {
        "Adafruit driver": (adafruit, 1),
        "thermo_core": (ours, 300),
        "thermo_core, emissivity map": (with_maps, 200),
        "thermo_core, reflected map": (with_reflections, 200),
        "thermo_core, from blocks": (from_blocks, 40 // PICTURES),
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(arguments.rounds):
        for name, (action, repeats) in rows.items():
            pictures = PICTURES if action is from_blocks else 1
            times[name].append(seconds(action, repeats) / pictures)
    print(
        f"{arguments.vectors.name}, CPU time, {arguments.rounds} rounds in turn; largest difference {difference:.4f} K\n"
    )
    print(f"{'':30}{'us/picture, best':>18}{'ratio':>9}{'median':>11}{'ratio':>9}")
    for name, values in times.items():
        print(f"{name:30}", end="")
        for figure, width in ((min, 18), (statistics.median, 11)):
            value = figure(values)
            print(f"{value * 1e6:{width}.1f}{figure(times['Adafruit driver']) / value:8.1f}x", end="")
        print()


if __name__ == "__main__":
    main()
