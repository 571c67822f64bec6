"""The firmware's portable core, compiled for this machine into a library that ctypes loads."""

import ctypes
import subprocess
from collections.abc import Sequence
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "device/firmware"
HARNESS = Path(__file__).resolve().parents[1] / "firmware/harness"
NOR_FLASH = FIRMWARE / "boards/simulated/nor_flash.c"
"""The flash in memory that simulated boards have."""
FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fsanitize=undefined",
         "-fno-sanitize-recover=all", "-static-libubsan", "-ffp-contract=off")  # fmt: skip

SWITCHED = ("-include", str(HARNESS / "soft_switch.h"), "-DFLOAT32_SOFT=soft_switch")
"""Flags of a library in which `soft_switch` says whether it works as on a processor without floats."""


def everything() -> list[Path]:
    """All sources of the portable firmware, and a flash."""
    rooms = ("core", "sensors", "stages")
    return [path for room in rooms for path in sorted((FIRMWARE / room).glob("*.c"))] + [NOR_FLASH]


def build(folder: Path, harness: str, modules: Sequence[str], *more: Path, flags: Sequence[str] = ()) -> ctypes.CDLL:
    """Compile modules of the core with one file of tests/firmware/harness; undefined behaviour ends the process.

    Args:
        folder: for the library.
        harness: name of the harness file, without its ending.
        modules: of the core.
        more: further C files; their folders are searched for headers.
        flags: more of the compiler's.
    """
    sources = [*(FIRMWARE / "core" / f"{name}.c" for name in modules), HARNESS / f"{harness}.c", *more]
    rooms = (FIRMWARE / "core", FIRMWARE / "sensors", NOR_FLASH.parent, FIRMWARE, *(source.parent for source in more))
    includes = {f"-I{path}" for path in rooms}
    library = folder / f"lib{harness}.so"
    sources = list(dict.fromkeys(sources))
    objects = [folder / f"{harness}_{number}.o" for number in range(len(sources))]
    for source, target in zip(sources, objects, strict=True):
        # By themselves, so that a compiler with a memory need not compile twice what several libraries share.
        _gcc([*FLAGS, *flags, *sorted(includes), "-c", str(source), "-o", str(target)])
    _gcc([*FLAGS, "-shared", *map(str, objects), "-o", str(library), "-lm"])
    return ctypes.CDLL(str(library))


def _gcc(arguments: Sequence[str]) -> None:
    done = subprocess.run(["gcc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
