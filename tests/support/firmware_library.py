"""The firmware's portable core, compiled for this machine into a library that ctypes loads."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

from compiled_once import compile_c, objects

FIRMWARE = Path(__file__).resolve().parents[2] / "device/firmware"
HARNESS = Path(__file__).resolve().parents[1] / "firmware/harness"
NOR_FLASH = FIRMWARE / "boards/simulated/nor_flash.c"
"""The flash in memory that simulated boards have."""
FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fsanitize=undefined",
         "-fno-sanitize-recover=all", "-static-libubsan", "-ffp-contract=off")  # fmt: skip

ROOMS = (".", "core", "sensors", "stages", "update", "boot", "boards/simulated", "generated/third_party")
"""Folders of the firmware's headers."""
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
    sources = list(
        dict.fromkeys([*(FIRMWARE / "core" / f"{name}.c" for name in modules), HARNESS / f"{harness}.c", *more])
    )
    library = folder / f"lib{harness}.so"
    own = [source for source in sources if FIRMWARE not in source.parents]
    command = ["gcc", *FLAGS, *flags, *(f"-I{FIRMWARE / room}" for room in ROOMS)]
    made = objects([source for source in sources if source not in own], command, folder)
    command += [f"-I{path}" for path in sorted({source.parent for source in own})]
    for number, source in enumerate(own):
        made.append(folder / f"{harness}_{number}.o")
        compile_c([*command, "-c", str(source), "-o", str(made[-1])])
    compile_c(["gcc", *FLAGS, "-shared", *map(str, made), "-o", str(library), "-lm"])
    return ctypes.CDLL(str(library))
