"""The SMP image group over the two slots: state, upload, erase, slot info; refusals in mcumgr's own codes."""

from enum import IntEnum
from typing import Any

from thermo_core.errors import (
    BundleError,
    DowngradeError,
    ImageFormatError,
    ImageTooLargeError,
    NoSuchImageError,
    SignatureError,
    SlotStateError,
    StorageError,
    ThermoError,
    UploadError,
)
from thermo_core.wire.smp import Group, Op, ReturnCode
from thermo_device.slot_state import SlotInfo
from thermo_device.slots import Slots
from thermo_device.smp_server import Body, Commands, Handler, RequestRefused, field

_STATE, _UPLOAD, _ERASE, _SLOT_INFO = 0, 1, 5, 6
_GROUP = int(Group.IMAGE)


class ImageCode(IntEnum):
    """Codes of the image group (mcumgr's img_mgmt_err_code_t) that a wearable gives."""

    UNKNOWN = 1
    NO_IMAGE = 3
    FLASH_WRITE_FAILED = 12
    INVALID_SLOT = 14
    INVALID_OFFSET = 20
    INVALID_IMAGE_HEADER = 22
    INVALID_HASH = 24
    CURRENT_VERSION_IS_NEWER = 27
    IMAGE_ALREADY_PENDING = 28
    INVALID_CONTENT = 29
    INVALID_IMAGE_TOO_LARGE = 30


_CODES: tuple[tuple[type[ThermoError], ImageCode, ReturnCode], ...] = (
    (ImageTooLargeError, ImageCode.INVALID_IMAGE_TOO_LARGE, ReturnCode.NO_MEMORY),
    (ImageFormatError, ImageCode.INVALID_IMAGE_HEADER, ReturnCode.CORRUPT),
    (SignatureError, ImageCode.INVALID_HASH, ReturnCode.ACCESS_DENIED),
    (BundleError, ImageCode.INVALID_CONTENT, ReturnCode.CORRUPT),
    (DowngradeError, ImageCode.CURRENT_VERSION_IS_NEWER, ReturnCode.BAD_STATE),
    (NoSuchImageError, ImageCode.NO_IMAGE, ReturnCode.NO_ENTRY),
    (SlotStateError, ImageCode.IMAGE_ALREADY_PENDING, ReturnCode.BAD_STATE),
    (UploadError, ImageCode.INVALID_OFFSET, ReturnCode.INVALID),
    (StorageError, ImageCode.FLASH_WRITE_FAILED, ReturnCode.NO_MEMORY),
)


def image_commands(slots: Slots) -> Commands:
    """The image group's handlers.

    Args:
        slots: used from the thread that calls the handlers, and no other.
    """

    def state(body: Body) -> Body:
        return {"images": [_state_of(info) for info in slots.images()]}

    def set_state(body: Body) -> Body:
        wanted = body.get("hash")
        confirm = field(body, "confirm", bool, False)
        running = slots.running.image.sha256 if slots.running is not None else None
        if wanted is None:
            if not confirm:
                raise _refusal("A test needs the image's hash; read it from the image state.", ImageCode.INVALID_HASH)
            slots.confirm()
        elif field(body, "hash", bytes) == running and confirm:
            slots.confirm()
        else:
            slots.mark(wanted, permanent=confirm)
        return state(body)

    def upload(body: Body) -> Body:
        offset = field(body, "off", int)
        data = field(body, "data", bytes)
        if field(body, "image", int, 0) not in (0, 1):
            raise _refusal("There is one image, number 0; upload without an image number.", ImageCode.INVALID_SLOT)
        if offset < 0:
            raise _refusal("The offset is negative; begin at offset 0.", ImageCode.INVALID_OFFSET)
        length = field(body, "len", int) if body.get("len") is not None else None
        step = slots.upload(offset, data, length, field(body, "sha", bytes, b""))
        return {"off": step.offset, "match": True} if step.complete else {"off": step.offset}

    def erase(body: Body) -> Body:
        if field(body, "slot", int, 1) != 1:
            raise _refusal("Only slot 1 can be erased, slot 0 runs; leave the slot out.", ImageCode.INVALID_SLOT)
        slots.erase()
        return {}

    def slot_info(body: Body) -> Body:
        size = slots.capacity
        sizes = [{"slot": 0, "size": size}, {"slot": 1, "size": size, "upload_image_id": 0}]
        return {"images": [{"image": 0, "slots": sizes, "max_image_size": size}]}

    handlers: dict[tuple[int, Op], Handler] = {
        (_STATE, Op.READ): state,
        (_STATE, Op.WRITE): set_state,
        (_UPLOAD, Op.WRITE): upload,
        (_ERASE, Op.WRITE): erase,
        (_SLOT_INFO, Op.READ): slot_info,
    }
    return {(_GROUP, command, op): _translated(handler) for (command, op), handler in handlers.items()}


def _translated(handler: Handler) -> Handler:
    """The handler with the slots' errors as refusals of this group."""

    def handle(body: Body) -> Body:
        try:
            return handler(body)
        except RequestRefused:
            raise
        except ThermoError as error:
            for kind, code, version_1 in _CODES:
                if isinstance(error, kind):
                    raise RequestRefused(str(error), code, _GROUP, version_1) from error
            raise RequestRefused(str(error), ImageCode.UNKNOWN, _GROUP) from error

    return handle


def _refusal(reason: str, code: ImageCode) -> RequestRefused:
    return RequestRefused(reason, code, _GROUP, ReturnCode.INVALID)


def _state_of(info: SlotInfo) -> dict[str, Any]:
    return {
        "image": 0,
        "slot": info.slot,
        "version": str(info.version),
        "hash": info.hash,
        "bootable": info.bootable,
        "pending": info.pending,
        "confirmed": info.confirmed,
        "active": info.active,
        "permanent": info.permanent,
    }
