"""A whole wearable behind its bootloader on an emulated board, from its reset vector or boot ROM on: first flash, updates, models, reverts.

    python bench/board_update.py nrf52840                   the genuine Cortex-M4F programs in unicorn: half a minute of one core
    python bench/board_update.py rp2040                     the whole chip in rp2040py, which takes far longer
    python bench/board_update.py rp2040 --only models

Programs, keys and models are made anew, the flash is programmed as `thermo-host flash` does with a blank board, and the rest goes over
the serial line by the very code of `thermo-host flash`, as image 0 and as image 1. Of each, an upload is cut by the power and goes on where
it was; no request erases more than a block, and the first one its slot's last block too; it is tried and confirmed; the next version is
tried, not confirmed and taken back at a reset. A firmware that hangs on its trial is taken back by the watchdog. Time is emulated.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

import nrf52840_bench
import rp2040_bench
import rp2040_fast
from virtual_host import Host

from thermo_core.errors import ThermoError
from thermo_core.firmware import first_flash
from thermo_core.firmware.archive import FirmwareFile, unpack
from thermo_core.wire.management import Hello
from thermo_host.flash_firmware import FirmwareCandidate, flash_firmware
from thermo_host.flash_model import ModelCandidate, flash_model, load_model
from thermo_host.link.wearable import Wearable
from thermo_sim.launch import BUILD

FIRMWARE = BUILD.parent
TOOLS = Path(sys.executable).parent
LOADER_US = 20_000_000
"""Emulated time in which a loader has started a firmware, its hearing of hosts after a watchdog's reset among it."""
WATCHDOG_US = 4_100_000
FIRST_ERASES = 2
"""Blocks that the first request of an upload erases: its own, and the last one of the slot, whose notes are of another image."""
CUT_AT = 0.4
"""Part of an upload that has come when the power fails."""
WEARABLE = "breast-patch"
NEW = ("1.1.0", "1.2.0")
"""Versions of the models, above that which is compiled in."""


@dataclass(frozen=True)
class Kind:
    """A board that can be emulated.

    Attributes:
        target: its processor, as containers are compiled for.
        flash_at: where its flash begins.
        flash_bytes: its size.
        bench: makes one with this flash, its chips on its bus.
        in_slot: whether a firmware runs, and not the loader.
        erased: blocks of flash erased so far.
        power_on: have the supply fail and come again.
    """

    target: str
    flash_at: int
    flash_bytes: int
    bench: Callable[[bytes], Any]
    in_slot: Callable[[Any], bool]
    erased: Callable[[Any], int]
    power_on: Callable[[Any], None]


SECTOR_ERASE = 0x20
RP2040_SLOTS = range(rp2040_fast.SLOTS[0][0], rp2040_fast.SLOTS[1][1])
KINDS = {
    "nrf52840": Kind(
        target="m4",
        flash_at=0,
        flash_bytes=1 << 20,
        bench=nrf52840_bench.Bench,
        in_slot=lambda machine: machine.slot is not None,
        erased=lambda machine: int(machine.erased),
        power_on=lambda machine: machine.power_on(),
    ),
    "rp2040": Kind(
        target="m0plus",
        flash_at=rp2040_fast.FLASH,
        flash_bytes=1 << 21,
        bench=rp2040_bench.Bench,
        in_slot=lambda machine: machine.chip.core.pc in RP2040_SLOTS,
        erased=lambda machine: sum(command == SECTOR_ERASE for command, _ in machine.flash_writes),
        power_on=lambda machine: machine.power_on(),
    ),
}


@dataclass(frozen=True)
class Made:
    """What is flashed: one after another, each newer than the one before."""

    firmwares: tuple[FirmwareFile, ...]
    models: tuple[ModelCandidate, ...]


def make(board: str, folder: Path) -> Made:
    """Keys, programs and models."""
    keys = {role: folder / f"{role}.pem" for role in ("firmware", "models")}
    for key in keys.values():
        _tool("thermo-host", "keygen", key)
    public = {role: key.with_suffix(".pub.pem") for role, key in keys.items()}
    given = [f"BUILD={folder}", f"GENERATED={folder}/generated", f"WEARABLE={WEARABLE}", f"BOARD={board}"]
    given += [f"FIRMWARE_KEY={public['firmware']}", f"MODEL_KEY={public['models']}"]
    _run("make", "--no-print-directory", "-C", FIRMWARE, "update", *given)
    built = folder / board
    signed = ["--sign", built / "slot_a.elf", "--sign", built / "slot_b.elf", "--loader", built / "loader.elf"]
    signed += ["--key", keys["firmware"], "--board", board]
    firmwares = []
    for version in (1, 2, 3):
        path = folder / f"firmware-{version}.zip"
        _tool("thermo-quantize", "firmware", *signed, "--version", f"{version}.0.0", "--out", path)
        firmwares.append(unpack(path.read_bytes()))
    return Made(tuple(firmwares), tuple(_models(KINDS[board].target, keys["models"], public["models"], folder)))


def _models(target: str, key: Path, public: Path, folder: Path) -> Iterator[ModelCandidate]:
    for version in NEW:
        bundle, path = folder / f"bundle-{version}.img", folder / f"model-{version}.img"
        _tool("thermo-quantize", "sign", "--wearable", WEARABLE, "--version", version, "--key", key, "--out", bundle)
        made = ["--container", "--target", target, "--public-key", public, "--key", key, "--out", path]
        _tool("thermo-quantize", "firmware", bundle, *made)
        model = load_model(path)
        assert model is not None
        yield model


def _tool(name: str, *words: object) -> None:
    _run(TOOLS / name, *words)


def _run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ThermoError(f"{words[0]} failed: {done.stderr.strip()[-2000:]}")


class PowerCutError(Exception):
    """The power failed in the midst of an upload."""


class Behind(Host):
    """A host of a board whose firmware a bootloader starts."""

    def __init__(self, kind: Kind, bench: Any) -> None:
        super().__init__(bench)
        self._kind, self._machine = kind, bench.machine

    def wait(self) -> Hello:
        """Wait until a firmware runs, and answers."""
        assert self._machine.run_until(lambda: self._kind.in_slot(self._machine), LOADER_US), "nothing was started"
        self._machine.run_until(lambda: False, 500_000)
        return self.hello()

    def reset(self, timeout_s: float = 0.0) -> Hello:  # type: ignore[override]
        """Have it restart, and wait for what then runs."""
        starts = self._machine.starts
        super().reset()
        assert self._machine.run_until(lambda: self._machine.starts > starts, LOADER_US), "it did not restart"
        return self.wait()

    def power_cut(self) -> None:
        """Have the supply fail and come again."""
        self._kind.power_on(self._machine)
        self.wait()

    def hang(self) -> None:
        """Have its main loop hang until the watchdog bites."""
        starts = self._machine.starts
        self._machine.skip(WATCHDOG_US)
        assert self._machine.run_until(lambda: self._machine.starts > starts, 1_000_000), "the watchdog did not bite"
        self.wait()

    def runs(self, image: int = 0) -> str:
        """Version of what runs."""
        return next((str(one.version) for one in self.images() if one.active and (one.image or 0) == image), "")


@dataclass
class Progress:
    """How an upload goes.

    Attributes:
        erased: how many blocks were erased so far.
        cut: the power fails in it.
        began: bytes that were there after its first request.
    """

    erased: Callable[[], int]
    cut: bool
    began: int | None = None
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.erased()

    def __call__(self, done: int, total: int) -> None:
        """Called after each part."""
        erased = self.erased() - self._before
        assert erased <= (FIRST_ERASES if self.began is None else 1), f"a request at {done} erased {erased} blocks"
        self.began = done if self.began is None else self.began
        self._before += erased
        if self.cut and done > CUT_AT * total:
            raise PowerCutError


@dataclass(frozen=True)
class Update:
    """What is done on one board."""

    kind: Kind
    bench: Any
    host: Behind
    began: float

    def say(self, what: str) -> None:
        """What was done, and what is in the slots after it."""
        states = ", ".join(
            f"image {one.image or 0}, slot {one.slot}: {one.version}{' active' * bool(one.active)}{' confirmed' * bool(one.confirmed)}"
            for one in self.host.images()
        )
        took, emulated = time.monotonic() - self.began, self.bench.machine.now_us() / 1e6
        print(f"{took:6.0f} s, emulated {emulated:5.1f} s: {what}: {states}", flush=True)

    def firmwares(self, files: tuple[FirmwareFile, ...]) -> None:
        """Update, and reverts by a reset and by the watchdog."""
        host = self.host
        one, two, three = (str(file.version) for file in files)
        done = self._interrupted("firmware", lambda progress: self._flash(files[1], progress, confirm=True))
        assert (done.version, done.previous, done.confirmed, host.runs()) == (two, one, True, two)
        self.say("updated")
        self._flash(files[2], lambda _done, _total: None, confirm=False)
        assert host.runs() == three
        self.say("on trial")
        host.reset()
        assert host.runs() == two
        self.say("reverted by a reset")
        (other,) = (state for state in host.images() if not state.active and not state.image)
        host.test_image(bytes(other.hash or b""))
        host.reset()
        assert host.runs() == three
        host.hang()
        assert host.runs() == two
        self.say("reverted by the watchdog")

    def models(self, models: tuple[ModelCandidate, ...]) -> None:
        """A container takes the place of what is compiled in and is confirmed; the next one is taken back."""
        host = self.host
        one, two = models
        assert host.takes_models() == one.fit
        wearable = cast(Wearable, cast(Any, host))
        done = self._interrupted("model", lambda progress: flash_model(wearable, one, progress=progress))
        assert done.confirmed and host.runs(1) == str(one.image.version) == host.hello().bundle
        self.say("with another model")
        flash_model(wearable, two, confirm=False)
        assert host.runs(1) == str(two.image.version)
        self.say("with a model on trial")
        host.reset()
        assert host.runs(1) == str(one.image.version) == host.hello().bundle
        self.say("its model reverted by a reset")

    def _flash(self, file: FirmwareFile, progress: Callable[[int, int], None], confirm: bool) -> Any:
        wearable = cast(Wearable, cast(Any, self.host))
        return flash_firmware(wearable, FirmwareCandidate(file), confirm=confirm, progress=progress)

    def _interrupted(self, what: str, flash: Callable[[Progress], Any]) -> Any:
        """Flash something whose upload is cut by the power once."""
        try:
            flash(Progress(self._erased, cut=True))
            raise AssertionError("the power did not fail")
        except PowerCutError:
            self.host.power_cut()
        again = Progress(self._erased, cut=False)
        done = flash(again)
        assert again.began, "the upload began anew"
        print(f"  {what} of {done.uploaded:,} bytes: cut at {CUT_AT:.0%}, went on at {again.began:,}", flush=True)
        return done

    def _erased(self) -> int:
        return self.kind.erased(self.bench.machine)


def main() -> None:
    """Do all of it, and say what runs after each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("board", choices=KINDS)
    parser.add_argument("--only", choices=("firmwares", "models"), help="these alone (default both)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="thermo-bench-") as name:
            made = make(arguments.board, Path(name))
        update = begin(KINDS[arguments.board], made.firmwares[0])
        if arguments.only != "models":
            update.firmwares(made.firmwares)
        if arguments.only != "firmwares":
            update.models(made.models)
    except (AssertionError, ThermoError) as error:
        sys.exit(f"board_update: {error!r}")


def begin(kind: Kind, file: FirmwareFile) -> Update:
    """A board after its first flash."""
    flash = bytearray(b"\xff" * kind.flash_bytes)
    for segment in first_flash.segments(file):
        flash[segment.address - kind.flash_at : segment.end - kind.flash_at] = segment.data
    bench = kind.bench(bytes(flash))
    update = Update(kind, bench, Behind(kind, bench), time.monotonic())
    update.host.wait()
    assert update.host.runs() == str(file.version)
    update.say("first flash")
    return update


if __name__ == "__main__":
    main()
