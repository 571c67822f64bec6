"""Time of a full picture (two subpages and their merging) beside the Adafruit driver's own calculation, in one run.

One at a time, as they come; side by side, as where a recording is gone over; from the words, from packed blocks, and from a recording
on disk (read, checked, unpacked, decoded); and in float64, as simulated pictures are.

    python bench/decode.py [--vectors FILE.npz] [--rounds N]

FILE holds `eeprom` (832,) and `frames` (2, 834), both subpages of one picture; the default is the golden recording of a
real sensor. The driver runs unmodified on a bus that answers from memory; only its arithmetic is timed.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import adafruit_mlx90640
import numpy as np
from export import session

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.decode import Decoder, merge
from thermo_core.sensors.mlx90640.frames import PIXELS, Picture, Subpage, Words
from thermo_core.sensors.mlx90640.kind import CameraReader
from thermo_core.sensors.mlx90640.registers import EEPROM_START
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wire.records import RecordHeader, encode
from thermo_core.wire.table import RecordType
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import AHEAD, Recording, announced

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = 20
"""In the stretch that is read block by block."""
SPACING_US = 62_500
MANY = 1024
"""In the stretch that is read at once."""
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


def noisy(frames: Sequence[Words], pictures: int) -> Words:
    """(2 * pictures, 834) words of subpages with noise of a count."""
    pages = np.stack(frames)[np.arange(2 * pictures) % 2]
    noise = np.rint(np.random.default_rng(0).normal(0, 1, (len(pages), PIXELS))).astype(np.int16)
    pages[:, :PIXELS] += noise.view(np.uint16)
    return np.asarray(pages, np.uint16)


def blocks_of(pages: Words) -> list[Block]:
    """Subpages as they travel, 16 a second; the noise has each packed by its differences."""
    encoder, made = CountsEncoder(), []
    for index, words in enumerate(pages):
        packed = encoder.encode(Subpage(words, index, SPACING_US * index))
        made.append(Block(SPACING_US * index, 0, 0, index, codec.encode(packed, index)))
    return made


def record(path: Path, eeprom: Words, blocks: Sequence[Block]) -> Recording:
    """The blocks in a recording of a breast patch."""
    started_ns = 1_700_000_000_000_000_000
    with Recorder(path, session(eeprom)) as recorder:
        for sequence, block in enumerate(blocks):
            ns = started_ns + block.time_us * 1000
            header = RecordHeader(RecordType.BLOCK, sequence, block.time_us)
            recorder.add(Telemetry(ns, ns, header, block, encode(block, sequence)))
    return Recording(path)


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

    def in_float64() -> Picture:
        return merge(decoder.decode(first), decoder.decode(second))

    pages = noisy([first, second], MANY)
    packed = blocks_of(pages)
    packed_few = packed[: 2 * PICTURES]
    settings = Mlx90640Settings(name="skin", path=(0x33,), emissivity=0.95)
    eeprom = data["eeprom"].astype("<u2").tobytes()
    reader = CameraReader(settings, eeprom, None)

    def blocks_alone() -> None:
        for block in packed_few:
            reader.push(block)

    def blocks_together() -> None:
        together = CameraReader(settings, eeprom, None)
        for start in range(0, len(packed), AHEAD):
            together.expect(packed[start : start + AHEAD])
            for block in packed[start : start + AHEAD]:
                together.push(block)

    def file_together() -> None:
        together = CameraReader(settings, eeprom, None)
        for item in announced(recording.items(), together.expect):
            if isinstance(item, Telemetry) and isinstance(item.record, Block):
                together.push(item.record)

    def adafruit() -> None:
        for words in lists:
            driver._CalculateTo(words, 0.95, driver._GetTa(words) - 8, theirs)

    adafruit()
    difference = float(np.abs(ours().celsius.ravel() - np.array(theirs)).max())
    # slices of about equal length, so that other programs disturb each alike
    rows: dict[str, tuple[Callable[[], object], int, int]] = {
        "Adafruit driver": (adafruit, 1, 1),
        "one at a time": (ours, 150, 1),
        "one at a time, emissivity map": (with_maps, 100, 1),
        "one at a time, reflected map": (with_reflections, 100, 1),
        "one at a time, from blocks": (blocks_alone, 2, PICTURES),
        "side by side": (lambda: decoder.pictures(pages[::2], pages[1::2]), 1, MANY),
        "side by side, emissivity map": (lambda: maps.pictures(pages[::2], pages[1::2]), 1, MANY),
        "side by side, from blocks": (blocks_together, 1, MANY),
        "side by side, from a recording": (file_together, 1, MANY),
        "in float64, one at a time": (in_float64, 20, 1),
        "in float64, side by side": (lambda: decoder.merged(pages[::2], pages[1::2]), 1, MANY),
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    with tempfile.TemporaryDirectory() as folder:
        recording = record(Path(folder) / "made.mcap", data["eeprom"], packed)
        for _ in range(arguments.rounds):
            for name, (action, repeats, pictures) in rows.items():
                times[name].append(seconds(action, repeats) / pictures)
    print(
        f"{arguments.vectors.name}, CPU time, {arguments.rounds} rounds in turn; largest difference {difference:.4f} K\n"
    )
    print(f"{'':32}{'us/picture, best':>18}{'ratio':>9}{'median':>11}{'ratio':>9}")
    for name, values in times.items():
        print(f"{name:32}", end="")
        for figure, width in ((min, 18), (statistics.median, 11)):
            value = figure(values)
            print(f"{value * 1e6:{width}.1f}{figure(times['Adafruit driver']) / value:8.1f}x", end="")
        print()


if __name__ == "__main__":
    main()
