"""What each wearable needs on the RP2040: flash, RAM, stack, and how much of its 125 MHz a second of it takes.

Run `python bench/rp2040.py [NAME ...]`; all wearables that come with the product where none is named. Each is built with make and run on
rp2040py with its chips, while a host listens. Cycles are those of the emulator: of a Cortex-M0+ whose flash never makes it wait; on silicon
it does, where code is not in the 16 kB of its cache. What comes from outside is not given, so what rests on it is not computed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from rp2040_bench import Bench
from virtual_host import Host

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable import library
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_core.wire.records import FindingRecord
from thermo_sim.launch import BUILD, KINDS

FIRMWARE = BUILD.parent
HZ = 125_000_000
STARTED_US, SECOND_US = 3_000_000, 1_000_000
PAGES_HZ = 8.0
"""At which a camera is measured too, beside its own rate."""


def build(name: str, folder: Path) -> Path:
    """The firmware of a wearable."""
    command = ["make", "--no-print-directory", "-C", str(FIRMWARE), f"BUILD={folder}", f"WEARABLE={name}"]
    subprocess.run([*command, f"GENERATED={folder}/generated", "rp2040"], check=True, stdout=subprocess.DEVNULL)
    return folder / KINDS["rp2040"].firmware


def sizes(elf: Path) -> dict[str, int]:
    """As `make size` counts them."""
    command = [sys.executable, str(FIRMWARE / "size_report.py"), str(elf), "--ram", "262144", "--flash", "131072"]
    found: dict[str, int] = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True).stdout)
    return found


def measured(bench: Bench, host: Host, seconds: float) -> tuple[float, float, float]:
    """Cycles, blocks and findings of a second, while somebody listens."""
    host.stream(lambda records: False, STARTED_US, patient=False)
    core = bench.machine.chip.core
    before, from_us = core.cycles, bench.machine.now_us()
    heard = host.stream(lambda records: False, round(seconds * SECOND_US), patient=False)
    took_s = (bench.machine.now_us() - from_us) / SECOND_US
    blocks, findings = (sum(isinstance(one, kind) for one in heard) / took_s for kind in (Block, FindingRecord))
    return (core.cycles - before) / took_s, blocks, findings


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("names", nargs="*", metavar="NAME", default=library.names())
    parser.add_argument("--seconds", type=float, default=4.0, help="emulated time that is measured")
    options = parser.parse_args()
    print(
        f"{'rp2040':18}{'flash':>9}{'weights':>9}{'RAM':>9}{'cycles/s':>14}{'of 125 MHz':>12}{'blocks/s':>10}{'findings/s':>12}"
    )
    with tempfile.TemporaryDirectory(prefix="bench-rp2040-") as place:
        for name in options.names:
            firmware = build(name, Path(place) / name)
            size = sizes(firmware.with_suffix(".elf"))
            row = f"{name:18}{size['flash_without_weights']:>9,}{size['weights']:>9,}{size['ram']:>9,}"
            bench = Bench(firmware.read_bytes(), wearable=name)
            host = Host(bench)
            cameras = [
                number
                for number, sensor in enumerate(read(resolve(name)).profile.sensors)
                if isinstance(sensor, Mlx90640Settings) and sensor.rate_hz > PAGES_HZ
            ]
            for rate in (None, *([PAGES_HZ] if cameras else [])):
                if rate is not None:
                    row = f"{'':2}{f'at {rate:g} pages/s':43}"
                    for camera in cameras:
                        host.set_rate(camera, rate)
                cycles, blocks, findings = measured(bench, host, options.seconds)
                print(f"{row}{cycles:>14,.0f}{cycles / HZ:>12.1%}{blocks:>10.1f}{findings:>12.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
