"""liblsl set up before its first use: how far streams are seen, and who can reach their ports.

LSL has no password. Its configuration says how far streams are announced and looked for, but its ports listen on every address of the
computer whatever that says; in the scope "machine" they are tied to the loopback device besides, where the system can do so.
"""

import contextlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from thermo_core.errors import UsageError
from thermo_host.extras import imported

PORTS = range(16571, 16572 + 32)
"""Those that liblsl takes."""
CONFIGURATION = "LSLAPICFG"
"""Variable of the environment that names a configuration of liblsl's own."""
BRACKETS = 9
_LOOPBACK = b"lo\0"


def configured() -> bool:
    """Whether a configuration of LSL's own says how far, and not we."""
    return bool(os.environ.get(CONFIGURATION))


class Scope(StrEnum):
    """How far streams are announced and looked for."""

    MACHINE = "machine"
    LINK = "link"
    SITE = "site"


def load(scope: Scope) -> Any:
    """The package pylsl, with that scope unless LSLAPICFG names a configuration; the first call of a process decides.

    Raises:
        UsageError: it is not installed.
    """
    try:
        pylsl = imported("pylsl", "lsl", "LSL")
    except RuntimeError as error:
        raise UsageError(
            "LSL needs liblsl, which pylsl does not find; its wheels for Linux, macOS and Windows bring it, else install it from "
            "https://github.com/sccn/liblsl/releases."
        ) from error
    if not configured():
        # Nothing of its own log: what happens to streams is told by whoever uses it.
        pylsl.set_config_content(f"[multicast]\nResolveScope = {scope}\n[log]\nlevel = -3\n")
    return pylsl


def local_minus_monotonic_s(pylsl: Any) -> float:
    """LSL's clock less Python's monotonic one, seconds; of some readings that with the least time around it."""
    readings = []
    for _ in range(BRACKETS):
        before = time.monotonic_ns()
        local = pylsl.local_clock()
        after = time.monotonic_ns()
        readings.append((after - before, local - (before + after) / 2e9))
    return float(min(readings)[1])


def keep_to_machine() -> bool:
    """Tie the ports of liblsl in this process to the loopback device; whether all of them are.

    On systems where a program cannot see its own sockets nothing is done, and they stay open to the network.
    """
    found, tied = 0, 0
    for descriptor in _sockets():
        found += 1
        with contextlib.suppress(OSError, AttributeError), socket.socket(fileno=os.dup(descriptor)) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _LOOPBACK)
            tied += 1
    return 0 < found == tied


def _sockets() -> Iterator[int]:
    """Descriptors of sockets at liblsl's ports that wait for others."""
    with contextlib.suppress(OSError):
        for each in list(Path("/proc/self/fd").iterdir()):
            descriptor = int(each.name)
            with contextlib.suppress(OSError):
                if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                    continue
                with socket.socket(fileno=os.dup(descriptor)) as one:
                    if one.family not in (socket.AF_INET, socket.AF_INET6) or one.getsockname()[1] not in PORTS:
                        continue
                    waits = one.type == socket.SOCK_DGRAM or one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if waits:
                    yield descriptor
