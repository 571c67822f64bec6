"""What a container's tables share with the firmware that runs them: C structures, told apart by a mark of the headers that declare them.

A mark changes with every declaration in a header and in those that it includes; comments and white space do not count. So a
container and a firmware of different versions are told apart, and no table is ever read as another structure.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Profile

FIRMWARE = Path(__file__).resolve().parents[2] / "device" / "firmware"
MARK_BYTES = 8
_BESIDES = {
    "model": ("network_stage", "network.h"),
    "learning": ("learned_operations", "learned.h"),
    "registration": ("registration_find", "stages/registration.h"),
}
"""What a graph may need besides its stages, and where it is declared: the runner of networks, what keeps what is learned of the wearer, and
how one picture is laid over another."""
FUNCTIONS = frozenset({"registration"})
"""Those that are no objects."""
_PLACES = ("core", "sensors", "stages", "")
_INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_WORD = re.compile(r"\w+")
_SHARED = ("profile.h", "network.h", "history.h", "order.h")


def offers() -> dict[str, str]:
    """C names of what a firmware may offer, by the name that a container asks for."""
    return {op: f"{op}_stage" for op in sorted(OPS)} | {name: symbol for name, (symbol, _) in _BESIDES.items()}


def needs(texts: Iterable[str]) -> list[str]:
    """What C texts take of that, by name."""
    words = set(_WORD.findall("\n".join(texts)))
    return [name for name, symbol in offers().items() if symbol in words]


def header_of(name: str) -> str:
    """The header that declares it."""
    return _BESIDES[name][1] if name in _BESIDES else f"stages/{name}.h"


def sensors_digest(profile: Profile) -> bytes:
    """SHA-256 of the sensors: a container is for firmware with the very same."""
    return hashlib.sha256(schema.to_cbor({"sensors": profile.sensors})).digest()


@cache
def mark(name: str) -> bytes:
    """Of a stage, or of what else `offers` names: changes with its parameters and its state."""
    return _digest([header_of(name)])[:MARK_BYTES]


@cache
def structures() -> int:
    """Of all that every graph shares with the firmware."""
    return int.from_bytes(_digest(_SHARED)[:4], "little")


def _digest(headers: list[str] | tuple[str, ...]) -> bytes:
    texts: dict[str, str] = {}
    for header in headers:
        _gather(header, texts)
    plain = "\n".join(" ".join(_COMMENT.sub(" ", texts[name]).split()) for name in sorted(texts))
    return hashlib.sha256(plain.encode()).digest()


def _gather(header: str, texts: dict[str, str]) -> None:
    if header in texts:
        return
    path = next((path for path in (FIRMWARE / place / header for place in _PLACES) if path.is_file()), None)
    if path is None:
        raise UsageError(
            f"The firmware's header {header} is not below {FIRMWARE}, so nothing can be made for it; use a checkout of thermo-edge."
        )
    texts[header] = path.read_text()
    for included in _INCLUDE.findall(texts[header]):
        _gather(included, texts)
