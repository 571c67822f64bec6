"""Kinds of boards, and the command that starts each."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from thermo_core.errors import UsageError
from thermo_sim.mailbox import SIZE

BUILD = Path(__file__).resolve().parents[2] / "device" / "firmware" / "build"
"""Where `make firmware` puts what it builds."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a board is started with.

    Attributes:
        firmware: the file to run.
        memory: the file of shared memory.
        serial: descriptor of the serial line's socket.
        doorbell: descriptor of the doorbell's socket.
        gdb: where to listen for a debugger; None does not.
        wearable: whose sensors an emulator has that brings its own.
        counted: an emulated processor makes one instruction a nanosecond, by its own clock.
    """

    firmware: Path
    memory: Path
    serial: int
    doorbell: int
    gdb: Path | None
    wearable: str
    counted: bool = False


def _qemu(launch: Launch) -> list[str]:
    emulator = shutil.which("qemu-system-arm")
    if emulator is None:
        raise UsageError(
            "qemu-system-arm is not installed, so no microcontroller can be emulated; apt install qemu-system-arm."
        )
    memory = str(launch.memory).replace(",", ",,")
    command = [emulator, "-nodefaults", "-nographic", "-no-user-config", "-machine", "mps2-an386,memory-backend=psram"]
    command += ["-object", f"memory-backend-file,id=psram,size={SIZE},mem-path={memory},share=on"]
    for name, descriptor in (("line", launch.serial), ("bell", launch.doorbell)):
        command += ["-chardev", f"socket,id={name},fd={descriptor}", "-serial", f"chardev:{name}"]
    if launch.counted:
        command += ["-icount", "shift=0"]
    if launch.gdb is not None:
        path = str(launch.gdb).replace(",", ",,")
        command += ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"]
    return [*command, "-kernel", str(launch.firmware)]


def _program(launch: Launch) -> list[str]:
    if launch.gdb is not None:
        raise UsageError("The board host is a program of this computer; debug it with gdb -p, without --gdb.")
    return [str(launch.firmware.absolute()), str(launch.serial), str(launch.doorbell), str(launch.memory)]


def _labwired(launch: Launch) -> list[str]:
    if find_spec("labwired") is None:
        raise UsageError(
            "labwired is not installed, so no nRF52840 can be emulated; pip install 'thermo-edge[boards]' brings it."
        )
    if launch.gdb is not None:
        raise UsageError("labwired listens to no debugger; leave --gdb out, or debug on the board mps2-an386.")
    program = [sys.executable, "-m", "thermo_sim.nrf52840.labwired_sensors"]
    return [*program, str(launch.firmware.absolute()), str(launch.serial), launch.wearable]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of board.

    Attributes:
        firmware: below the build folder.
        summary: what it is, for people.
        command: how it is started; None where it is emulated in this process.
        line_buffer: memory the kernel may use between board and pump: the less, the sooner a full line is felt. An
            emulated UART sends bytes one by one, each of which takes hundreds.
        loader: bootloader that starts a firmware in its slots, below the build folder; "" where there is none.
        own_sensors: whose models of sensors it reads, where the emulator has its own; "" for those of the simulator.
    """

    firmware: str
    summary: str
    command: Callable[[Launch], list[str]] | None
    line_buffer: int
    loader: str = ""
    own_sensors: str = ""


KINDS: Mapping[str, Kind] = {
    "mps2-an386": Kind("mps2_an386/wearable.elf", "emulated Cortex-M4F", _qemu, 1 << 16, "mps2_an386/loader.elf"),
    "nrf52840": Kind("nrf52840_labwired/wearable.elf", "emulated nRF52840, much slower than real time", None, 1 << 16),
    "nrf52840-labwired": Kind(
        "nrf52840_labwired/wearable.elf",
        "the same with labwired's own models of sensors",
        _labwired,
        1 << 16,
        own_sensors="labwired",
    ),
    "nrf52840-fast": Kind(
        "nrf52840/wearable.elf",
        "the nRF52840's own firmware on a processor of unicorn and devices of ours, in real time",
        None,
        1 << 16,
        "nrf52840/loader.elf",
    ),
    "host": Kind("host/wearable", "Linux program", _program, 1 << 11),
    "rp2040": Kind(
        "rp2040/wearable.bin",
        "emulated Raspberry Pi Pico, much slower than real time",
        None,
        1 << 16,
        "rp2040/loader.elf",
    ),
}
