"""What a picture of a recording on disk costs, from the file to temperatures, beside the decoder alone in the same run.

The file is read, its CRCs are checked, records are parsed, counts unpacked, pairs of subpages decoded. "Block by block" is how a live
stream is read and how any recording can be; "announced" is how exports, summaries and reruns read one. Both give the same bytes,
which is checked here first.

    python bench/recording.py [--rounds N] [--vectors FILE.npz]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from decode import MANY, SHARED, SPACING_US, blocks_of, noisy, record, seconds

from thermo_core.recording.container import Container, Message
from thermo_core.recording.content import read_message
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.sensors.mlx90640.frames import Celsius
from thermo_core.sensors.mlx90640.kind import CameraReader
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_host.exports.decoding import Decoding
from thermo_host.exports.rows import SampleRow
from thermo_host.link.items import Telemetry
from thermo_host.stream.playback import AHEAD, Recording, announced


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--vectors", type=Path, default=SHARED / "golden" / "mlx90640" / "s2_signaloid.npz")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if not arguments.vectors.is_file():
        parser.error(f"{arguments.vectors} does not exist; name a file with `eeprom` and `frames` by --vectors")
    data = np.load(arguments.vectors)
    frames = [np.array(frame) for frame in data["frames"]]
    pages = noisy(frames, MANY)
    blocks = blocks_of(pages)
    settings = Mlx90640Settings(name="skin", path=(0x33,), emissivity=0.98)
    eeprom = data["eeprom"].astype("<u2").tobytes()
    decoder = Decoder(Constants.from_eeprom(data["eeprom"]), settings.emissivity)
    packed = [codec.decode(block.data, block.index) for block in blocks]
    with tempfile.TemporaryDirectory() as folder:
        recording = record(Path(folder) / "made.mcap", data["eeprom"], blocks)

        def pictures(together: bool) -> Iterator[Celsius]:
            reader = CameraReader(settings, eeprom, None)
            items = recording.items()
            for item in announced(items, reader.expect) if together else items:
                if isinstance(item, Telemetry) and isinstance(item.record, Block):
                    for moment in reader.push(item.record):
                        yield moment["skin"].values

        def decode_alone() -> None:
            for first, second in zip(pages[::2], pages[1::2], strict=True):
                decoder.picture(first, second)

        def read_file() -> None:
            with recording.path.open("rb") as file:
                for message in Container(file, recording.size):
                    if isinstance(message, Message):
                        read_message(message)

        def unpack_alone() -> None:
            counts = CountsDecoder()
            for one in packed:
                counts.decode(one)

        def unpack_together() -> None:
            counts = CountsDecoder()
            for start in range(0, len(packed), AHEAD):
                counts.decode_many(packed[start : start + AHEAD])

        def exported() -> None:
            for row in Decoding(Recording(recording.path)):
                assert isinstance(row, SampleRow)

        wanted = [decoder.picture(*pair).celsius.tobytes() for pair in zip(pages[::2], pages[1::2], strict=True)]
        for together in (False, True):
            if [celsius.tobytes() for celsius in pictures(together)] != wanted:
                sys.exit("A recording gives other bytes than the decoder; that is a defect.")
        rows: dict[str, Callable[[], object]] = {
            "decoder alone, one at a time": decode_alone,
            "decoder alone, side by side": lambda: decoder.pictures(pages[::2], pages[1::2]),
            "file to records": read_file,
            "counts to words, one at a time": unpack_alone,
            "counts to words, side by side": unpack_together,
            "recording, block by block": lambda: sum(1 for _ in pictures(False)),
            "recording, announced": lambda: sum(1 for _ in pictures(True)),
            "recording, as export reads it": exported,
        }
        times: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(arguments.rounds):
            for name, action in rows.items():
                times[name].append(seconds(action, 1) / MANY)
        size = recording.size / MANY
    print(
        f"{arguments.vectors.name}, {MANY} pictures of {1e6 / SPACING_US / 2:g} Hz in {size:.0f} bytes each, CPU time, "
        f"{arguments.rounds} rounds in turn; equal bytes\n"
    )
    base = times["decoder alone, one at a time"]
    print(f"{'':32}{'us/picture, best':>18}{'ratio':>9}{'median':>11}{'ratio':>9}")
    for name, values in times.items():
        print(f"{name:32}", end="")
        for figure, width in ((min, 18), (statistics.median, 11)):
            value = figure(values)
            print(f"{value * 1e6:{width}.1f}{value / figure(base):8.1f}x", end="")
        print()


if __name__ == "__main__":
    main()
