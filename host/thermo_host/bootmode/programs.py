"""Programs of others that put a firmware on a microcontroller: pyOCD by a debug probe, stm32loader or stm32flash by the boot ROM of an STM32."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from thermo_core.errors import ImageFormatError, LinkError, UsageError
from thermo_host.bootmode.firmware_file import Firmware

STM32_FLASH = range(0x08000000, 0x08200000)
_TARGETS: Mapping[str, str] = MappingProxyType({"rp2040": "rp2040", "nrf52840": "nrf52840"})
"""pyOCD's name of each chip."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of others.

    Attributes:
        name: of the command.
        install: command that brings it.
        arguments: (firmware, its bytes as a file, port or serial number of a probe, chip) -> what it is called with.
    """

    name: str
    install: str
    arguments: Callable[[Firmware, Path, str | None, str | None], list[str]]


def _pyocd(firmware: Firmware, content: Path, where: str | None, chip: str | None) -> list[str]:
    target = _TARGETS.get(chip or firmware.chip or "")
    if target is None:
        raise UsageError(f"Say with --chip which chip the probe is on: {', '.join(_TARGETS)}.")
    probe = ["--uid", where] if where is not None else []
    return [
        "flash",
        "--target",
        target,
        *probe,
        "--base-address",
        hex(firmware.segments[0].address),
        "--format",
        "bin",
        str(content),
    ]


def _stm32(firmware: Firmware, where: str | None) -> tuple[str, str]:
    """Where it begins, and the port."""
    address = firmware.segments[0].address
    if address not in STM32_FLASH:
        raise ImageFormatError(f"{firmware.path} begins at {address:#x}, which is no flash of an STM32.")
    if where is None:
        raise UsageError("Name the serial port of the STM32 before the firmware.")
    return hex(address), where


def _stm32flash(firmware: Firmware, content: Path, where: str | None, chip: str | None) -> list[str]:
    start, port = _stm32(firmware, where)
    if chip is not None:
        raise UsageError("stm32flash finds out itself which STM32 it is; leave --chip out.")
    return ["-w", str(content), "-f", "-v", "-S", start, "-g", start, port]


def _stm32loader(firmware: Firmware, content: Path, where: str | None, chip: str | None) -> list[str]:
    start, port = _stm32(firmware, where)
    family = ["--family", chip] if chip is not None else []
    return [
        "--port",
        port,
        *family,
        "--erase",
        "--write",
        "--verify",
        "--address",
        start,
        "--go-address",
        start,
        str(content),
    ]


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "pyocd": Program("pyocd", "pip install pyocd", _pyocd),
        "stm32flash": Program("stm32flash", "apt install stm32flash", _stm32flash),
        "stm32loader": Program("stm32loader", "pip install stm32loader", _stm32loader),
    }
)


def command(name: str) -> list[str]:
    """How a program is called: the one beside this Python, or on the PATH.

    Raises:
        UsageError: it is not installed.
    """
    program = PROGRAMS[name]
    beside = Path(sys.executable).with_name(program.name)
    found = str(beside) if beside.exists() else shutil.which(program.name)
    if found is None:
        raise UsageError(f"{program.name} is not installed; `{program.install}` brings it.")
    return [found]


def flash(name: str, firmware: Firmware, where: str | None, chip: str | None = None, say: Sequence[str] = ()) -> int:
    """Run a program on a firmware; bytes that it programmed. What it prints goes to the terminal.

    Args:
        name: key of `PROGRAMS`.
        firmware: in one piece.
        where: serial port, or serial number of a probe; None where only one is there.
        chip: as the program names it.
        say: further arguments.

    Raises:
        UsageError: it is not installed, or needs to be told more.
        ImageFormatError: the firmware is in several pieces, or not for such a chip.
        LinkError: the program failed.
    """
    if len(firmware.segments) > 1:
        raise ImageFormatError(
            f"{firmware.path} has pieces at {len(firmware.segments)} places, and {name} is given one; flash a .bin of each."
        )
    with tempfile.TemporaryDirectory(prefix="thermo-host-") as folder:
        content = Path(folder) / "firmware.bin"
        content.write_bytes(firmware.segments[0].data)
        arguments = PROGRAMS[name].arguments(firmware, content, where, chip)
        done = subprocess.run([*command(name), *arguments, *say], check=False, stdout=sys.stderr)
    if done.returncode:
        raise LinkError(f"{name} ended with code {done.returncode}; what it said stands above.")
    return firmware.bytes_count
