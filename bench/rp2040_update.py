"""The whole wearable behind its bootloader on an emulated RP2040, from the genuine boot ROM on: first flash, update, confirm, revert.

    python bench/rp2040_update.py FIRST.zip SECOND.zip THIRD.zip
    python bench/rp2040_update.py FIRST.zip --model MODEL.img      the first flash, and then a model for it instead

FIRST holds a bootloader too; the versions rise (`thermo-quantize firmware --sign ... --loader loader.elf`). FIRST is programmed as
`thermo-host flash --via uf2` does; SECOND is brought in by the very code of `thermo-host flash`, tried and confirmed; THIRD is tried and not confirmed, and
after a reset SECOND runs again, as it does after THIRD was tried once more and the watchdog bit. Time is emulated: half an hour of one core.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from rp2040_bench import Bench, Host
from rp2040_fast import FLASH, SLOTS

from thermo_core.errors import ThermoError
from thermo_core.firmware import first_flash
from thermo_core.firmware.archive import FirmwareFile, unpack
from thermo_core.wire.management import Hello
from thermo_host.flash_firmware import FirmwareCandidate, flash_firmware
from thermo_host.flash_model import flash_model, load_model
from thermo_host.link.wearable import Wearable

LOADER_US = 20_000_000
"""Emulated time in which a loader has started a firmware, its hearing of hosts after a watchdog's reset among it."""


class Behind(Host):
    """A host of a board whose firmware a bootloader starts."""

    def wait(self) -> Hello:
        """Wait until a firmware runs, and answers."""
        machine = self.line._bench.machine
        assert machine.run_until(lambda: machine.chip.core.pc in range(SLOTS[0][0], SLOTS[1][1]), LOADER_US)
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
    parser.add_argument("files", nargs="+", type=Path, metavar="FIRMWARE.zip")
    parser.add_argument("--model", type=Path, help="signed container for it")
    arguments = parser.parse_args()
    if len(arguments.files) != (1 if arguments.model else 3):
        parser.error("give three firmwares, or one and --model")
    files = [unpack(path.read_bytes()) for path in arguments.files]
    flash = bytearray(b"\xff" * (1 << 21))
    for segment in first_flash.segments(files[0]):
        flash[segment.address - FLASH : segment.end - FLASH] = segment.data
    begun = time.monotonic()
    bench = Bench(bytes(flash))
    host = Behind(bench)

    def say(what: str) -> None:
        states = ", ".join(
            f"image {one.image or 0}, slot {one.slot}: {one.version}{' active' * bool(one.active)}{' confirmed' * bool(one.confirmed)}"
            for one in host.images()
        )
        print(
            f"{time.monotonic() - begun:6.0f} s, emulated {bench.machine.now_us() / 1e6:5.1f} s: {what}: {states}",
            flush=True,
        )

    try:
        host.wait()
        assert runs(host) == str(files[0].version)
        say("first flash")
        if arguments.model:
            exchange_model(host, arguments.model, say)
        else:
            exchange_firmware(bench, host, files, say)
    except (AssertionError, ThermoError) as error:
        sys.exit(f"rp2040_update: {error!r}")


def runs(host: Host, image: int = 0) -> str:
    """Version of the image that runs."""
    return next((str(one.version) for one in host.images() if one.active and (one.image or 0) == image), "")


def exchange_firmware(bench: Bench, host: Behind, files: Sequence[FirmwareFile], say: Callable[[str], None]) -> None:
    """Update, and revert by a reset and by the watchdog."""
    one, two, three = (str(file.version) for file in files)
    wearable = cast(Wearable, cast(Any, host))
    done = flash_firmware(wearable, FirmwareCandidate(files[1]), step=lambda name: print(f"  {name}", flush=True))
    assert (done.version, done.previous, done.confirmed, runs(host)) == (two, one, True, two)
    say("updated")
    flash_firmware(wearable, FirmwareCandidate(files[2]), confirm=False)
    assert runs(host) == three
    say("on trial")
    host.reset()
    assert runs(host) == two
    say("reverted by a reset")
    (other,) = (state for state in host.images() if not state.active and not state.image)
    host.test_image(bytes(other.hash or b""))
    host.reset()
    assert runs(host) == three
    starts = bench.machine.starts
    bench.machine.skip(4_100_000)
    assert bench.machine.run_until(lambda: bench.machine.starts > starts, 1_000_000)
    host.wait()
    assert runs(host) == two
    say("reverted by the watchdog")


def exchange_model(host: Behind, path: Path, say: Callable[[str], None]) -> None:
    """A container takes the place of what is compiled in, and is confirmed."""
    model = load_model(path)
    assert model is not None and host.takes_models() == model.fit
    wearable = cast(Wearable, cast(Any, host))
    done = flash_model(wearable, model, step=lambda name: print(f"  {name}", flush=True))
    assert done.confirmed and runs(host, 1) == str(model.image.version)
    say("with another model")


if __name__ == "__main__":
    main()
