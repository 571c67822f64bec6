"""What a factory writes into the slots of a board with a bootloader: a firmware that is confirmed."""

from collections.abc import MutableSequence
from typing import Any

from thermo_core.errors import UsageError
from thermo_core.firmware.archive import FirmwareFile
from thermo_core.image import MAGIC

_TRAILER = bytes.fromhex("01ffffffffffffff77c295f360d2ef7f3552500f2cb67980")
"""image_ok and magic of MCUboot, at a slot's end."""


def provision(slots: MutableSequence[Any], firmware: FirmwareFile) -> bool:
    """Write a firmware into slot 0 of a board that was never programmed; one that was keeps what it has.

    Args:
        slots: memory of both slots.
        firmware: whose image for slot 0 is taken.

    Returns:
        Whether it was written.

    Raises:
        UsageError: it does not fit.
    """
    if any(bytes(slot[:4]) == MAGIC.to_bytes(4, "little") for slot in slots):
        return False
    image, slot = firmware.data[0], slots[0]
    if len(image) + len(_TRAILER) > len(slot):
        raise UsageError(f"The firmware has {len(image)} bytes and a slot {len(slot)}; make what is in it smaller.")
    slot[:] = image.ljust(len(slot) - len(_TRAILER), b"\xff") + _TRAILER
    return True
