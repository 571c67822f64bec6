"""What every wearable takes of both boards' flash and RAM, and whether it fits: alone, and in a slot behind the bootloader.

Called by `boards.py`. Sizes are the linker's; where a slot is too small, the linker says by how much.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from thermo_sim.launch import BUILD

FIRMWARE = BUILD.parent


@dataclass(frozen=True)
class Room:
    """What a board has, bytes: flash for a firmware without a bootloader, RAM, and a slot as board.mk has them."""

    alone: int
    ram: int
    slot: int


ROOMS = {"rp2040": Room(0x150000, 0x40000, 0x7EC00), "nrf52840": Room(0x90000, 0x40000, 0x3EC00)}


def show(wearables: Sequence[str]) -> None:
    """Build and print."""
    print(f"{'':18}{'':10}{'code':>9}{'weights':>9}{'flash':>9}{'RAM':>9}{'of it':>7}{'alone':>8}  in a slot")
    with tempfile.TemporaryDirectory(prefix="thermo-bench-") as name:
        folder = Path(name)
        keys = _keys(folder)
        for wearable in wearables:
            for board, room in ROOMS.items():
                given = [f"BUILD={folder}", f"GENERATED={folder}/generated", f"WEARABLE={wearable}", *keys]
                command = ["make", "--no-print-directory", "-C", str(FIRMWARE), *given]
                subprocess.run([*command, board], check=True, stdout=subprocess.DEVNULL)
                size = _size(folder / board / "wearable.elf", room)
                flash = size["flash_without_weights"] + size["weights"]
                print(
                    f"{wearable:18}{board:10}{size['flash_without_weights']:>9,}{size['weights']:>9,}{flash:>9,}"
                    f"{size['ram']:>9,}{size['ram'] / room.ram:>7.0%}{flash / room.alone:>8.0%}"
                    f"  {_slot(command, folder / board / 'slot_b.elf', room)}",
                    flush=True,
                )


def _slot(command: list[str], elf: Path, room: Room) -> str:
    done = subprocess.run([*command, str(elf)], capture_output=True, text=True, check=False)
    if over := re.search(r"overflowed by (\d+) bytes", done.stderr):
        return f"does not fit by {int(over[1]):,} bytes"
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args, stderr=done.stderr)
    row = subprocess.run(["arm-none-eabi-size", str(elf)], capture_output=True, text=True, check=True).stdout
    text, data = map(int, row.splitlines()[1].split()[:2])
    return f"{text + data:,} bytes, {(text + data) / room.slot:.0%}"


def _size(elf: Path, room: Room) -> dict[str, int]:
    given = ["--ram", str(room.ram), "--flash", str(room.alone), "--json"]
    command = [sys.executable, str(FIRMWARE / "size_report.py"), str(elf), *given]
    found: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def _keys(folder: Path) -> list[str]:
    """A key for firmware and one for models, because a real board refuses those of development."""
    given = []
    for role in ("FIRMWARE", "MODEL"):
        public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path = folder / f"{role}.pem"
        path.write_bytes(public)
        given.append(f"{role}_KEY={path}")
    return given
