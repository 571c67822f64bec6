"""Power cuts of the RP2040's own bootloader program while a host brings in a firmware: see rp2040_fast."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from firmware_slots import program
from rp2040_fast import FLASH, KINDS, SLOTS, FastBench, PowerCutError, PowerUp
from two_slots import FIRMWARE

from thermo_core.firmware.signed import parse, sign
from thermo_core.image import Version

FLASH_BYTES = 0x160000
_KEPT = slice(0x150000, 0x151000)
_HEADER = 256
_CONFIRMED = bytes.fromhex("01ffffffffffffff77c295f360d2ef7f3552500f2cb67980")
_LOOP = bytes.fromhex("fee7")
Chip = type[PowerUp]
_TEARS = ("partly", "garbage")


@dataclass(frozen=True)
class Cut:
    """Where the power fails, and what that leaves."""

    operation: int
    kind: str
    seed: int


@dataclass(frozen=True)
class Scene:
    """A chip with its loader and firmware 1.0.0 in slot A, confirmed, and what is brought in.

    Attributes:
        flash: content of the flash chip.
        new: firmware 2.0.0 for slot B.
    """

    flash: bytes
    new: bytes


def loader(folder: Path) -> tuple[bytes, Ed25519PrivateKey]:
    """The RP2040's loader as it is flashed, and the private key whose firmware it trusts."""
    keys = {name: Ed25519PrivateKey.generate() for name in ("firmware", "models")}
    for name, key in keys.items():
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(public)
    target = folder / "rp2040" / "loader.elf"
    given = [f"FIRMWARE_KEY={folder}/firmware.pem", f"MODEL_KEY={folder}/models.pem"]
    command = ["make", "-C", str(FIRMWARE), f"BUILD={folder}", f"GENERATED={folder}/generated", *given, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    binary = folder / "loader.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(target), str(binary)], check=True)
    return binary.read_bytes(), keys["firmware"]


def scene(folder: Path) -> Scene:
    """Build the loader and set the scene; something that is kept lies behind the slots."""
    code, key = loader(folder)
    old, new = (
        sign(
            program(SLOTS[slot][0], 8, header=_HEADER) + _LOOP * 996,
            Version(slot + 1),
            key,
            address=SLOTS[slot][0],
            header_size=_HEADER,
        )
        for slot in (0, 1)
    )
    flash = bytearray(b"\xff" * FLASH_BYTES)
    flash[: len(code)] = code
    begin, end = (address - FLASH for address in SLOTS[0])
    flash[begin : begin + len(old)] = old
    flash[end - len(_CONFIRMED) : end] = _CONFIRMED
    flash[_KEPT] = random.Random(0).randbytes(_KEPT.stop - _KEPT.start)
    return Scene(bytes(flash), new)


def live(scene: Scene, flash: bytearray, cut: Cut | None, chip: Chip = FastBench) -> int:
    """The loader hears a host, which sends what is missing, marks it and resets; then the first start of it.

    Args:
        scene: what is brought in.
        flash: content of the chip, which is changed.
        cut: where the power fails; None where it does not.
        chip: how it runs.

    Returns:
        Operations of the flash chip.

    Raises:
        PowerCutError: it failed.
    """
    digest = parse(scene.new).sha512
    bench = _bench(chip, flash, cut, 0, watchdog=True)
    host = bench.host()
    if digest not in [state.hash for state in host.images()]:
        host.upload(scene.new)
    host.test_image(digest)
    host._requests.standard.reset()
    bench.run()
    bench.finish()
    operations = bench.operations
    bench = _bench(chip, flash, cut, operations)
    bench.run()
    bench.finish()
    assert bench.started == 1, f"after {cut} slot {bench.started} was started and not the new firmware"
    return operations + bench.operations


def check(scene: Scene, flash: bytearray, after: object, chip: Chip = FastBench) -> None:
    """After a cut: the old firmware starts, or the new one on trial, and the start after that is the old one's."""
    for start in range(2):
        bench = chip(flash)
        bench.run()
        bench.finish()
        assert bench.started is not None, f"after {after} nothing starts"
        if bench.started == 0:
            break
        assert start == 0 and bench.operations == 1, f"after {after} a firmware that was not confirmed is started again"
    assert bench.started == 0, f"after {after} the confirmed firmware is gone"
    assert flash[_KEPT] == scene.flash[_KEPT], f"after {after} what is kept was changed"


def cuts(operations: int, tears: int) -> Iterator[Cut]:
    """Each operation undone, done, and torn so many times in either way."""
    for operation in range(operations):
        for kind in KINDS:
            for seed in range(tears if kind in _TEARS else 1):
                yield Cut(operation, kind, seed)


def cut_once(scene: Scene, cut: Cut, chip: Chip = FastBench) -> bytearray:
    """A chip after one cut, checked."""
    flash = bytearray(scene.flash)
    try:
        live(scene, flash, cut, chip)
        raise AssertionError(f"the power did not fail at {cut}")
    except PowerCutError:
        pass
    left = bytearray(flash)
    check(scene, flash, cut, chip)
    return left


def cut_twice(scene: Scene, first: Cut, second: Cut) -> None:
    """A cut, another while a host goes on, and then the update all the same."""
    flash = cut_once(scene, first)
    try:
        live(scene, flash, second)
    except PowerCutError:
        check(scene, bytearray(flash), (first, second))
    live(scene, flash, None)


def _bench(chip: Chip, flash: bytearray, cut: Cut | None, passed: int, watchdog: bool = False) -> PowerUp:
    if cut is None:
        return chip(flash, watchdog)
    return chip(flash, watchdog, cut.operation - passed, cut.kind, cut.seed)
