"""What both ends must know of a container of compiled networks (thermo_quantize.container): how its first bytes tell it."""

import struct

from thermo_core.errors import ImageFormatError

MAGIC = 0x444F4D54
"""TMOD, little-endian."""
TARGET_BYTES = 16
_HEAD = struct.Struct(f"<IHHII{TARGET_BYTES}s")


def is_container(payload: bytes) -> bool:
    """Whether an image's payload begins as one."""
    return payload[:4] == MAGIC.to_bytes(4, "little")


def target_of(payload: bytes) -> str:
    """The processor that its networks are compiled for.

    Raises:
        ImageFormatError: it is no whole container.
    """
    if not is_container(payload) or len(payload) < _HEAD.size or _HEAD.unpack_from(payload)[3] > len(payload):
        raise ImageFormatError("The image holds no whole container of a model, so make it again with thermo-quantize.")
    return str(_HEAD.unpack_from(payload)[5].rstrip(b"\0").decode("ascii", "replace"))
