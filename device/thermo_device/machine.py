"""What the machine that the agent runs on calls itself."""

import platform
import socket
from pathlib import Path

from thermo_core.text import clean

LONGEST_NAME = 64
LARGEST_FILE = 4096


def platform_name() -> str:
    """What the machine is: its model where the device tree says so, otherwise system and processor."""
    return _said(Path("/proc/device-tree/model")) or clean(f"{platform.system()} {platform.machine()}", LONGEST_NAME)


def host_name() -> str:
    """How the network calls this machine."""
    return clean(socket.gethostname(), LONGEST_NAME)


def serial_number() -> str:
    """What tells this machine from all others: the board's serial number, or else the system's machine id."""
    return _said(Path("/proc/device-tree/serial-number")) or _said(Path("/etc/machine-id")) or "unknown"


def _said(path: Path) -> str:
    """What a file of the system says, in one line; "" where there is none or it says nothing."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE)
    except OSError:
        return ""
    return clean(data.decode("utf-8", "replace").strip("\0\n "), LONGEST_NAME)
