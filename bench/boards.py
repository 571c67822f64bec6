"""What the built firmware needs, and what emulating its board costs: memory, stack, mailbox, line, processor time.

Run `python bench/boards.py` after `make firmware`. The first table is of the shipped wearables on the emulated Cortex-M4, whose clock
counts instructions: what a second of sensors, decoding, stages, networks and line takes while somebody listens, beside the estimate
of stages and networks alone. What comes from outside comes faster than by its own time; a second is one of its own.
Before it stand what every wearable takes of the RP2040 and the nRF52840 (`board_sizes.py`), and what a picture of the breast patch costs
with and without a floating-point unit (`per_picture.py`).
Memory comes from the linker, stack from paint that a session with self-test, correction and 16 subpages/s ran over. Times are
real and shared with whatever else the machine does.
"""

import argparse
import contextlib
import json
import math
import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import board_conformance
import board_sizes
import numpy as np
import per_picture

from firmware import SHARED
from thermo_core.errors import ThermoError
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wearable import library
from thermo_host.link.lease import TelemetryStream
from thermo_host.link.wearable import Wearable
from thermo_sim.board import Board, BoardOptions
from thermo_sim.launch import BUILD, KINDS
from thermo_sim.world_file import load_world, world_of

FIRMWARE = BUILD.parent
PROBE = FIRMWARE.parents[1] / "tests" / "firmware" / "probe" / "application.c"
PAGE_WORDS, REGISTER = 832, 0x0400
CAMERA = 0
"""Number of the breast patch's camera."""
TARGETS = {"mps2-an386": "mps2_an386", "host": "host"}


def processor_s(pid: int) -> float:
    """Processor time a process has used, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(kind: str, firmware: Path | None, folder: Path) -> Iterator[Board]:
    """A board with settled sensors."""
    with Board(BoardOptions(folder / f"line-{kind}", kind=kind, firmware=firmware, warm_up=False)) as board:
        yield board


def ask(port: int, command: str) -> bytes:
    """One command to the probe, and its answer."""
    os.write(port, command.encode() + b"\n")
    said = b""
    while not said.endswith(b"\n"):
        if not select.select([port], [], [], 10.0)[0]:
            os.write(port, b"\n" + command.encode() + b"\n")  # it still started
        else:
            said += os.read(port, 65536)
    return said


def mailbox_and_line(kind: str, folder: Path) -> None:
    """Overhead of a transaction beyond the bus, and bytes the line carries."""
    build = ["make", "--no-print-directory", "-C", str(FIRMWARE), f"BUILD={folder}/probe", f"APPLICATION={PROBE}"]
    subprocess.run([*build, TARGETS[kind]], check=True)
    with running(kind, folder / "probe" / KINDS[kind].firmware, folder) as board:
        port = os.open(board.options.link, os.O_RDWR | os.O_NOCTTY)
        try:
            ask(port, "echo ready")
            for words in (1, PAGE_WORDS):
                bits = 1 + 9 + 9 * 2 + 1 + 9 + 9 * 2 * words + 1
                bus_us = bits * 1e6 / board.hardware.bus.frequency_hz
                command = f"read 51 {REGISTER} {2 * words}"
                over = sorted(float(ask(port, command).split()[1]) - bus_us for _ in range(100))
                print(f"  {2 * words:5}-byte read beyond its {bus_us:6.0f} us on the bus: "
                      f"{statistics.median(over):4.0f} us (90 % within {over[89]:.0f})")  # fmt: skip
            began_s, heard = time.monotonic(), 0
            os.write(port, b"fill 2000\n")
            while heard < 128_000:
                heard += len(os.read(port, 65536))
            print(f"  line to the host: {heard / (time.monotonic() - began_s) / 1000:.0f} kB/s")
        finally:
            os.close(port)


def session(kind: str, folder: Path, seconds: float) -> None:
    """Processor time and stack of the wearable at its work."""
    with running(kind, None, folder) as board, Wearable.open(str(board.options.link)) as host:
        host.self_test()
        identity = PixelCorrection.identity(Stamp(host.hello().sensors[CAMERA].id))
        host.write_correction(CAMERA, replace(identity, offset=np.full((24, 32), 0.5, np.float32)))
        pages, own_s, board_s, began_s = 0, 0.0, 0.0, 0.0
        with host.stream() as stream:
            for seen in stream:
                if not isinstance(seen.record, Block) or seen.record.sensor != CAMERA:
                    continue
                pages += 1
                if pages == 1:
                    began_s, own_s, board_s = time.monotonic(), time.process_time(), processor_s(board.pid)
                elif time.monotonic() - began_s > seconds:
                    break
        took_s = time.monotonic() - began_s
        print(
            f"  {(pages - 1) / took_s:.1f} subpages/s: board {(processor_s(board.pid) - board_s) / took_s:.1%} of a core, "
            f"simulated sensors and host {(time.process_time() - own_s) / took_s:.1%}"
        )
        host.counters()
        time.sleep(3.0)
        board_s, own_s = processor_s(board.pid), time.process_time()
        time.sleep(seconds)
        print(
            f"  nobody listens: board {(processor_s(board.pid) - board_s) / seconds:.1%}, "
            f"simulated sensors {(time.process_time() - own_s) / seconds:.1%}"
        )
        used = board.status()["stack_bytes_used"]
        if used:
            print(f"  stack used: {used:,} bytes")


def wearables(folder: Path, seconds: float) -> None:
    """Memory and instructions of each shipped wearable on the emulated microcontroller, with somebody who listens."""
    print(f"{'mps2-an386':18}{'flash':>9}{'weights':>9}{'RAM':>9}{'stack':>8}{'instructions/s':>16}{'estimate':>12}")
    for name in library.names():
        build = ["make", "--no-print-directory", "-C", str(FIRMWARE), f"BUILD={folder}/{name}", f"WEARABLE={name}"]
        subprocess.run(
            [*build, f"GENERATED={folder}/{name}/generated", "mps2_an386"], check=True, stdout=subprocess.DEVNULL
        )
        elf = folder / name / KINDS["mps2-an386"].firmware
        said = subprocess.run(
            [
                sys.executable,
                str(FIRMWARE / "size_report.py"),
                str(elf),
                "--ram",
                "65536",
                "--flash",
                "98304",
                "--json",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        size = json.loads(said.stdout)
        options = BoardOptions(
            folder / f"line-{name}", wearable=name, kind="mps2-an386", firmware=elf, warm_up=False, counted=True
        )
        with Board(options) as board, Wearable.open(str(options.link)) as host, host.stream(lease_s=10.0) as stream:
            began_s = time.monotonic()
            while time.monotonic() < began_s + 5.0:
                stream.get(0.5)
            first = reported(board, stream)
            while time.monotonic() < first[0] + seconds:
                stream.get(0.5)
            last = reported(board, stream)
            stack = board.status()["stack_bytes_used"]
        took_s, passed_us, slept_us = (after - before for before, after in zip(first, last, strict=True))
        rate = 1000 * (passed_us - slept_us) / took_s / load_world(world_of(name)).pace
        print(
            f"{name:18}{size['flash_without_weights']:>9,}{size['weights']:>9,}{size['ram']:>9,}{stack:>8,}{rate:>16,.0f}"
            f"{estimate(name):>12,.0f}",
            flush=True,
        )


def reported(board: Board, stream: TelemetryStream) -> tuple[float, int, int]:
    """When a board reports next, s of this machine's clock, and its own clock and sleep then, us."""
    before = board.memory.report.now_us
    while board.memory.report.now_us == before:
        stream.get(0.01)
    return time.monotonic(), board.memory.report.now_us, board.memory.report.slept_us


def estimate(name: str) -> float:
    """Instructions a second of graph and networks, as `thermo-models wearable show` says."""
    said = subprocess.run(
        [str(Path(sys.executable).with_name("thermo-models")), "wearable", "show", name],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"about ([\d,]+) instructions/s", said.stdout)
    return float(found[1].replace(",", "")) if found is not None else math.nan


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement of processor time")
    parser.add_argument("--pictures", action="store_true", help="what a picture costs, and nothing else")
    parser.add_argument(
        "--sizes",
        nargs="*",
        metavar="WEARABLE",
        choices=library.names(),
        help="what wearables take of both boards (all where none is named), and nothing else",
    )
    parser.add_argument(
        "--conformance",
        nargs="*",
        metavar="BOARD",
        choices=sorted(KINDS),
        help="run the conformance suite on boards (rp2040 and nrf52840-fast where none is named), and nothing else",
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="of the conformance suite, as of pytest's -k")
    options = parser.parse_args()
    if options.conformance is not None:
        return board_conformance.show(options.conformance or ["rp2040", "nrf52840-fast"], options.only)
    if not options.pictures:
        board_sizes.show(options.sizes or library.names())
    if options.sizes is not None:
        return 0
    per_picture.show(SHARED)
    if options.pictures:
        return 0
    subprocess.run(["make", "--no-print-directory", "-C", str(FIRMWARE), "all", "size"], check=True)
    with tempfile.TemporaryDirectory(prefix="thermo-bench-") as name:
        wearables(Path(name), options.seconds)
        for kind in TARGETS:
            print(f"{kind} ({KINDS[kind].summary})", flush=True)
            mailbox_and_line(kind, Path(name))
            session(kind, Path(name), options.seconds)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ThermoError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"boards: {error}")
