"""Which serial ports are there, which of them could be a wearable, and who holds them; never a guess between two.

A candidate is a USB serial port (a Pi's gadget, a board's bridge) or the link of a running simulated wearable: a
symbolic link in /tmp, $TMPDIR or $XDG_RUNTIME_DIR to a pseudo-terminal, with the simulator's control socket
(`<link>.ctl`) beside it. UARTs on the board are listed but are no candidates, because consoles and modems live there.
"""

import contextlib
import os
import pwd
import socket
import stat
import struct
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from serial.tools import list_ports

from thermo_core.errors import AmbiguousPortError, PortNotFoundError
from thermo_core.text import clean

Kind = Literal["usb", "simulated", "uart"]
_SOCKET_TIMEOUT_S = 0.5
_NO_TERMINALS = frozenset({1})
"""Major number of /dev/null and the like."""
_CREDENTIALS = struct.Struct("=iII")
"""Process, user and group, as SO_PEERCRED gives them."""


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port.

    Attributes:
        path: what to open.
        kind: "usb", "simulated" or "uart".
        description: the operating system's name for it.
        serial: serial number of a USB device, "" where there is none.
        holder: program and process that hold it, "" when it is free.
        owner: user who runs the simulated wearable, "" where it is the one who asks.
        candidate: whether it may be chosen when no port is named.
    """

    path: str
    kind: Kind
    description: str
    serial: str = ""
    holder: str = ""
    owner: str = ""

    @property
    def candidate(self) -> bool:
        """Whether it may be chosen when no port is named: never somebody else's."""
        return self.kind != "uart" and not self.owner

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "candidate": self.candidate}


def find_ports() -> list[Port]:
    """Every serial port, candidates first."""
    found = [*_simulated(), *_attached()]
    return sorted(found, key=lambda port: (not port.candidate, port.path))


def choose(port: str | None) -> str:
    """The port to open: the one named, or the only candidate.

    Raises:
        PortNotFoundError: the one named is not there or its simulator has ended; or none was named and none is there.
        AmbiguousPortError: none was named and several are there.
    """
    if port is not None:
        check(port)
        return port
    candidates = [found.path for found in find_ports() if found.candidate]
    if not candidates:
        raise PortNotFoundError(
            "No wearable is attached; plug one in or start `thermo-sim wearable`, or name its port."
        )
    if len(candidates) > 1:
        raise AmbiguousPortError(f"Several ports could be the wearable; name one of {', '.join(candidates)}.")
    return candidates[0]


def check(port: str, simulated: bool = False) -> None:
    """See that a port is there before it is opened.

    Args:
        port: its path.
        simulated: it is known to be a simulated wearable's, so it must have its control socket.

    Raises:
        PortNotFoundError: it is not there, or its simulator has ended.
    """
    if not Path(port).exists():
        raise PortNotFoundError(f"There is no port {port}; run `thermo-host ports` to see those that are there.")
    # The pseudo-terminal of a dead simulator may belong to somebody's shell by now.
    if (simulated or is_simulated(port)) and not _answers(control_socket(port)):
        raise PortNotFoundError(f"The simulated wearable behind {port} has ended; start `thermo-sim wearable` again.")


def is_simulated(port: str) -> bool:
    """Whether a simulated wearable serves this port, or did until it was killed."""
    return _is_socket(control_socket(port))


def is_serial(path: str) -> bool:
    """Whether a path leads to a terminal device, as every serial port is one."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) not in _NO_TERMINALS


def control_socket(port: str) -> Path:
    """Where a simulated wearable on this port listens for the blackbody's temperature."""
    return Path(f"{port}.ctl")


def holder(port: str) -> str:
    """Program and process that hold the lock of a port, from /proc; "" where none does or it cannot be found out."""
    try:
        status = Path(port).stat()
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ""
    for fields in (line.split() for line in locks):
        if len(fields) < 6 or fields[1] != "FLOCK":
            continue
        major, minor, inode = fields[5].split(":")
        if int(inode) == status.st_ino and os.makedev(int(major, 16), int(minor, 16)) == status.st_dev:
            with contextlib.suppress(OSError):
                name = clean(Path(f"/proc/{fields[4]}/comm").read_text().strip())
                return f"{name} (process {fields[4]})"
            return f"process {fields[4]}"
    return ""


def link_folders() -> list[Path]:
    """Where links of simulated wearables are looked for."""
    folders = {Path("/tmp"), Path(tempfile.gettempdir())}
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        folders.add(Path(runtime))
    return sorted({folder.resolve() for folder in folders})


def _attached() -> list[Port]:
    return [
        Port(
            path=info.device,
            kind="usb" if info.vid is not None else "uart",
            description=clean(info.description) if info.description not in ("", "n/a") else "on-board UART",
            serial=clean(info.serial_number or ""),
            holder=holder(info.device),
        )
        for info in list_ports.comports()
    ]


def _simulated() -> list[Port]:
    found: dict[str, Port] = {}
    for folder in link_folders():
        with contextlib.suppress(OSError):
            for entry in folder.iterdir():
                port = str(entry)
                if entry.is_symlink() and _leads_to_pseudo_terminal(entry) and _answers(control_socket(port)):
                    owner = _stranger({entry.lstat().st_uid, entry.stat().st_uid, _served_by(control_socket(port))})
                    description = f"simulated wearable of {owner}" if owner else "simulated wearable"
                    found[port] = Port(port, "simulated", description, holder=holder(port), owner=owner)
    return list(found.values())


def _stranger(owners: set[int]) -> str:
    """Name of the first of these users who is not the one who runs this; "" where there is none."""
    for owner in sorted(owners - {os.getuid()}):
        try:
            return clean(pwd.getpwuid(owner).pw_name)
        except KeyError:
            return f"user {owner}"
    return ""


def _served_by(path: Path) -> int:
    """User whose process listens at a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SOCKET_TIMEOUT_S)
        try:
            connection.connect(str(path))
        except BlockingIOError:
            return path.stat().st_uid
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[1])


def _leads_to_pseudo_terminal(link: Path) -> bool:
    try:
        return str(link.resolve(strict=True)).startswith("/dev/pts/")
    except OSError:
        return False


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SOCKET_TIMEOUT_S)
        try:
            connection.connect(str(path))
        except BlockingIOError:
            return True  # so many wait to be let in that somebody must be there
        except OSError:
            return False
    return True
