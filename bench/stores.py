"""What a picture costs in each form that a recording can be exported to: bytes on disk, CPU to write it, CPU to read it with the form's own library.

Writing is from the recording, decoding included; reading is of all pictures as arrays. Below it what a picture costs that is given to
LSL, and that is told to Foxglove.

    python bench/stores.py [--rounds N] [--vectors FILE.npz]
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import foxglove
import numpy as np
import pyarrow.parquet as pq
import zarr
from decode import MANY, SHARED, blocks_of, noisy, record
from mcap.reader import make_reader

from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.foxglove import Scene
from thermo_host.exports.rows import Row, SampleRow
from thermo_host.lsl.outlets import LslOutlets
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.playback import Recording

PICTURE = Choice(("skin",))


def size_of(path: Path) -> int:
    """Bytes of a file or of all files in a folder."""
    return (
        sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) if path.is_dir() else path.stat().st_size
    )


def npz(path: Path) -> int:
    with np.load(path) as data:
        return len(data["skin"])


def parquet(path: Path) -> int:
    column = pq.read_table(path)["value"].combine_chunks()
    return len(column.flatten().to_numpy().reshape(-1, 24, 32))


def by_duckdb(path: Path) -> int:
    with duckdb.connect() as database:
        return len(
            database.execute(f"SELECT list_max(value) FROM read_parquet('{path}')").fetchnumpy()['list_max("value")']
        )


def store(path: Path) -> int:
    return len(zarr.open_group(path, mode="r")["skin/celsius"][:])  # type: ignore[arg-type, index]


def images(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in make_reader(file).iter_messages(topics=["/skin"]))


def cpu(action: Callable[[], object], rounds: int) -> float:
    """Least CPU seconds of all threads of a call."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        action()
        best = min(best, time.process_time() - began)
    return best


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--vectors", type=Path, default=SHARED / "golden" / "mlx90640" / "s2_signaloid.npz")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if not arguments.vectors.is_file():
        parser.error(f"{arguments.vectors} does not exist; name a file with `eeprom` and `frames` by --vectors")
    data = np.load(arguments.vectors)
    pages = noisy([np.array(frame) for frame in data["frames"]], MANY)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = record(folder / "made.mcap", data["eeprom"], blocks_of(pages))
        print(f"{MANY} pictures of {arguments.vectors.name}; best of {arguments.rounds}, CPU time of all threads\n")
        print(f"{'form':26}{'bytes/picture':>15}{'us to write':>13}{'us to read':>12}")
        print(
            f"{'.mcap, the recording':26}{recording.size / MANY:15.0f}{'':13}{decoded(recording, arguments.rounds):12.1f}"
        )
        for words, file, options, read, written in (
            (".npz", "a.npz", {}, npz, "a.npz"),
            (".parquet, pyarrow", "a.parquet", {}, parquet, "a-skin.parquet"),
            (".parquet, DuckDB's maximum", "a.parquet", {}, by_duckdb, "a-skin.parquet"),
            (".zarr, 0.01 degC", "a.zarr", {}, store, "a.zarr"),
            (".zarr, float32", "b.zarr", {"whole": True}, store, "b.zarr"),
            (".mcap for Foxglove", "a.mcap", {}, images, "a.mcap"),
        ):

            def write(file: str = file, options: dict[str, bool] = options) -> None:
                decoding = Decoding(recording, PICTURE)
                target.write(decoding, folder / file, decoding.first, True, **options)

            took = cpu(write, arguments.rounds)
            path = folder / written
            assert read(path) == MANY
            back = cpu(lambda path=path, read=read: read(path), arguments.rounds)  # type: ignore[misc]
            print(f"{words:26}{size_of(path) / MANY:15.0f}{took / MANY * 1e6:13.1f}{back / MANY * 1e6:12.1f}")
            shutil.rmtree(path, ignore_errors=True)
        rows: list[Row] = list(Decoding(recording, PICTURE))
        print(f"\n{'live':26}{'us/picture':>15}")
        print(f"{'LSL, 768 channels':26}{to_lsl(recording):15.1f}")
        print(f"{'Foxglove, boxes and all':26}{to_foxglove(recording, rows):15.1f}")


def decoded(recording: Recording, rounds: int) -> float:
    """CPU of a picture of the recording decoded, us."""
    took = cpu(lambda: sum(isinstance(row, SampleRow) for row in Decoding(Recording(recording.path), PICTURE)), rounds)
    return took / MANY * 1e6


def to_lsl(recording: Recording) -> float:
    """CPU of a picture that goes to LSL, with nobody listening, us."""
    monitor = Monitor(recording.session)
    told = [(item, monitor.push(item)) for item in recording]
    with LslOutlets(monitor.decoding, 0) as outlets:
        began = time.process_time()
        for item, outcome in told:
            outlets.take(item, outcome)
        return (time.process_time() - began) / MANY * 1e6


def to_foxglove(recording: Recording, rows: list[Row]) -> float:
    """CPU of a picture that Foxglove is told, with its server waiting, us."""
    context = foxglove.Context()
    server = foxglove.start_server(host="127.0.0.1", port=0, context=context)
    scene = Scene(context, Decoding(recording, PICTURE).first)
    began = time.process_time()
    for row in rows:
        scene.add(row)
    took = time.process_time() - began
    scene.close()
    server.stop()
    return took / MANY * 1e6


if __name__ == "__main__":
    main()
