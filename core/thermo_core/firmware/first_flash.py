"""What a blank board is programmed with once: its bootloader, and a firmware that is confirmed already.

An image without a confirmation would be started for want of a better one after hosts were heard in vain (docs/boot.md), so the
trailer of slot 0 is MCUboot's of an image that stays. Slot 1 is made empty, in case the board is not blank: nothing in it is started instead.
"""

from thermo_core.errors import ImageFormatError
from thermo_core.firmware.archive import FirmwareFile
from thermo_core.firmware.segments import ERASED, Segment, Segments, joined

UNIT = 8
"""Bytes that flash programs at once, and so of each mark of a trailer."""
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
_SET = b"\x01".ljust(UNIT, bytes([ERASED]))
_PAGE = 256


def segments(file: FirmwareFile) -> Segments:
    """The loader, slot 0 with its image and its trailer, and slot 1 without a header and a trailer.

    Raises:
        ImageFormatError: there is no loader in the file, or it does not lie before the slots.
    """
    if file.loader is None:
        raise ImageFormatError(
            "it holds no bootloader, which a blank board needs; make it with thermo-quantize firmware --sign ... --loader loader.elf."
        )
    first, second = (image.address or 0 for image in file.images)
    size = second - first
    trailer = _SET + MAGIC
    if file.loader.end > first or len(file.data[0]) > size - len(trailer):
        raise ImageFormatError("its bootloader and its image overlap, so make it again.")
    empty = bytes([ERASED]) * _PAGE
    parts = [
        file.loader,
        Segment(first, file.data[0]),
        Segment(second - len(trailer), trailer),
        Segment(second, empty),
        Segment(second + size - _PAGE, empty),
    ]
    return joined(parts, "The firmware")
