"""The whole wearable behind its bootloader on an emulated RP2040, from the genuine boot ROM on: first flash, update, confirm, revert.

    python bench/rp2040_update.py FIRST.zip SECOND.zip THIRD.zip

FIRST holds a bootloader too; the versions rise (`thermo-quantize firmware --sign ... --loader loader.elf`). FIRST is programmed as
`thermo-host flash --via uf2` does; SECOND is brought in by the very code of `thermo-host flash`, tried and confirmed; THIRD is tried and not confirmed, and
after a reset SECOND runs again, as it does after THIRD was tried once more and the watchdog bit. Time is emulated: half an hour of one core.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from rp2040_bench import Bench, Host

from thermo_core.errors import ThermoError
from thermo_core.firmware import first_flash
from thermo_core.firmware.archive import unpack
from thermo_core.wire.management import Hello
from thermo_host.flash_firmware import FirmwareCandidate, flash_firmware
from thermo_host.link.wearable import Wearable

FLASH = 0x10000000
SLOTS = range(0x10010000, 0x10090000)
LOADER_US = 20_000_000
"""Emulated time in which a loader has started a firmware, its hearing of hosts after a watchdog's reset among it."""


class Behind(Host):
    """A host of a board whose firmware a bootloader starts."""

    def wait(self) -> Hello:
        """Wait until a firmware runs, and answers."""
        machine = self.line._bench.machine
        assert machine.run_until(lambda: machine.chip.core.pc in SLOTS, LOADER_US)
        machine.run_until(lambda: False, 500_000)
        return self.hello()

    def reset(self, timeout_s: float = 0.0) -> Hello:  # type: ignore[override]
        """Have it restart, and wait for what then runs."""
        machine = self.line._bench.machine
        starts = machine.starts
        super().reset()
        assert machine.run_until(lambda: machine.starts > starts, LOADER_US)
        return self.wait()


def main() -> None:
    """Do all of it, and say what runs after each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs=3, type=Path, metavar="FIRMWARE.zip")
    files = [unpack(path.read_bytes()) for path in parser.parse_args().files]
    flash = bytearray(b"\xff" * (1 << 21))
    for segment in first_flash.segments(files[0]):
        flash[segment.address - FLASH : segment.end - FLASH] = segment.data
    begun = time.monotonic()
    bench = Bench(bytes(flash))
    host = Behind(bench)

    def say(what: str) -> None:
        states = ", ".join(
            f"slot {one.slot}: {one.version}{' active' * bool(one.active)}{' confirmed' * bool(one.confirmed)}"
            for one in host.images()
            if not one.image
        )
        print(
            f"{time.monotonic() - begun:6.0f} s, emulated {bench.machine.now_us() / 1e6:5.1f} s: {what}: {states}",
            flush=True,
        )

    def runs() -> str:
        return next(str(one.version) for one in host.images() if one.active and not one.image)

    one, two, three = (str(file.version) for file in files)
    try:
        host.wait()
        assert runs() == one
        say("first flash")
        wearable = cast(Wearable, cast(Any, host))
        done = flash_firmware(wearable, FirmwareCandidate(files[1]), step=lambda name: print(f"  {name}", flush=True))
        assert (done.version, done.previous, done.confirmed, runs()) == (two, one, True, two)
        say("updated")
        flash_firmware(wearable, FirmwareCandidate(files[2]), confirm=False)
        assert runs() == three
        say("on trial")
        host.reset()
        assert runs() == two
        say("reverted by a reset")
        (other,) = (state for state in host.images() if not state.active and not state.image)
        host.test_image(bytes(other.hash or b""))
        host.reset()
        assert runs() == three
        starts = bench.machine.starts
        bench.machine.skip(4_100_000)
        assert bench.machine.run_until(lambda: bench.machine.starts > starts, 1_000_000)
        host.wait()
        assert runs() == two
        say("reverted by the watchdog")
    except (AssertionError, ThermoError) as error:
        sys.exit(f"rp2040_update: {error!r}")


if __name__ == "__main__":
    main()
