"""The campaign of power cuts: harness/power_cuts.c under AddressSanitizer and UBSan, with images signed here."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware_library import FIRMWARE, HARNESS, NOR_FLASH
from firmware_slots import CHOICE, KEY, THIRD_PARTY, UPDATE, image, third_party

from thermo_core.firmware.signed import sign
from thermo_core.image import Version

SCENARIOS = (
    "update", "update for good", "first image", "confirm", "revert", "update again", "resume", "erase", "calibration",
    "model", "model for good", "first model", "model confirm", "model revert", "model again", "model resume", "model erase",
    "model lies", "lies for good",
)  # fmt: skip
_PAYLOAD = 150
_FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
          "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What was done: operations of flash from beginning to end, cuts, second cuts, lives in all."""

    operations: int
    cuts: int
    second_cuts: int
    lives: int


def program(folder: Path) -> Path:
    """Compile the campaign; Ed25519 and SHA-512 are built for speed and without sanitizers, which would take nearly all time."""
    foreign = []
    for source in third_party():
        foreign.append(folder / f"{source.stem}.o")
        subprocess.run(["gcc", "-O2", "-w", "-c", "-o", foreign[-1], source], check=True)
    core = [FIRMWARE / "core" / f"{name}.c" for name in ("flash", "crc", "text", "board", "store")]
    own = [HARNESS / f"{name}.c" for name in ("failing_flash", "power_cuts", "power_cuts_container")]
    sources = [*core, *UPDATE, FIRMWARE / "update" / "model_slots.c", CHOICE, NOR_FLASH, *own]
    rooms = {FIRMWARE, *(source.parent for source in sources)}
    includes = [f"-I{room}" for room in sorted(rooms)]
    target = folder / "power_cuts"
    command: list[str | Path] = ["gcc", *_FLAGS, *includes, "-isystem", THIRD_PARTY, *sources, *foreign, "-o", target]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    key = KEY.public_key().public_bytes_raw()
    images = (
        *(image(slot, version, _PAYLOAD) for slot, version in ((0, "1.0.0"), (0, "2.0.0"), (1, "2.0.0"))),
        *(
            sign(says * _PAYLOAD, Version(version), KEY, header_size=32)
            for says, version in ((b"W", 1), (b"W", 2), (b"L", 3))
        ),
    )
    (folder / "images").write_bytes(key + b"".join(len(one).to_bytes(4, "little") + one for one in images))
    return target


def run(program: Path, scenario: str, depth: int, stride: int = 1) -> Counts:
    """Cut one scenario at each operation.

    Args:
        program: as compiled.
        scenario: one of SCENARIOS.
        depth: 1, or 2 for a second cut during recovery.
        stride: of the second cuts each so-many-th is made.

    Raises:
        AssertionError: a device was lost; the sentence says after which cuts.
    """
    command = [str(program), str(program.parent / "images"), scenario, str(depth), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr or f"the campaign ended with {done.returncode}")
    return Counts(*map(int, done.stdout.split()))
