"""What both ends must know of a container (thermo_quantize.container): how its first bytes tell it, and the firmware that it is for."""

import struct
from dataclasses import dataclass

from thermo_core.errors import ImageFormatError

MAGIC = 0x444F4D54
"""TMOD, little-endian."""
ABI = 2
"""Rises with every change of a container's own structures, or of how a network is called."""
TARGET_BYTES = 16
HEADER = struct.Struct(f"<IHHII{TARGET_BYTES}sIIIIIIIIIIII32s")
_SIZE, _TARGET, _STRUCTURES = 3, 5, 16
"""Fields of the header."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What a container is compiled for, or what a firmware takes.

    Attributes:
        target: the processor, as the compiler names it.
        structures: mark of the structures that tables and firmware share.
    """

    target: str
    structures: int


def is_container(payload: bytes) -> bool:
    """Whether an image's payload begins as one."""
    return payload[:4] == MAGIC.to_bytes(4, "little")


def fit_of(payload: bytes) -> Fit:
    """What a container is compiled for.

    Raises:
        ImageFormatError: it is no whole container, or of another ABI.
    """
    if not is_container(payload) or len(payload) < HEADER.size:
        raise ImageFormatError("The image holds no whole container of a model, so make it again with thermo-quantize.")
    fields = HEADER.unpack_from(payload)
    if fields[1] != ABI:
        raise ImageFormatError(
            f"The container has ABI {fields[1]} and {ABI} is known here, so make it again with thermo-quantize."
        )
    if fields[_SIZE] > len(payload):
        raise ImageFormatError("The image holds no whole container of a model, so make it again with thermo-quantize.")
    return Fit(fields[_TARGET].rstrip(b"\0").decode("ascii", "replace"), fields[_STRUCTURES])
