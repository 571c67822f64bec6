"""A firmware in one file: signed images of it for each of a board's two slots, in a ZIP archive with a manifest.

It may hold the board's bootloader as well, for boards that have none yet. The form is that of nRF Connect's `dfu_application.zip`: `manifest.json`
with a list `files`, and in it of each image its name, size, `load_address`, `slot` and `version_MCUBOOT`; so the images can be taken out and flashed
with other programs.
"""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from thermo_core.errors import ImageFormatError, SignatureError
from thermo_core.firmware.segments import ADDRESSES, Segment
from thermo_core.firmware.signed import FirmwareImage, parse
from thermo_core.image import Version

MANIFEST = "manifest.json"
MAX_IMAGE = 4 << 20
"""No slot of a microcontroller is larger."""
SLOTS = 2
_LOADER = "bootloader"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BOARD = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """A firmware for both slots.

    Attributes:
        board: whose it is, as `make firmware BOARD=` names it.
        data: the image for each slot, as it is uploaded.
        images: the same, parsed; their signatures are for the device to judge.
        loader: the board's bootloader; None where the file has none.
    """

    board: str
    data: tuple[bytes, ...]
    images: tuple[FirmwareImage, ...]
    loader: Segment | None = None

    @property
    def version(self) -> Version:
        """Of both images."""
        return self.images[0].version


def is_firmware_file(data: bytes) -> bool:
    """Whether a file begins as an archive does."""
    return data.startswith(b"PK\x03\x04")


def pack(board: str, images: Sequence[bytes], loader: Segment | None = None) -> bytes:
    """Put signed images for slots 0 and 1 into one file, byte for byte the same for the same images.

    Args:
        board: whose they are.
        images: for slots 0 and 1.
        loader: the board's bootloader, for boards without one.

    Raises:
        ImageFormatError: they do not belong together.
    """
    parsed = _checked(board, images)
    names = [f"{board}_slot{slot}.img" for slot in range(SLOTS)]
    files: list[dict[str, object]] = [
        {
            "type": "application",
            "board": board,
            "file": name,
            "size": len(data),
            "load_address": image.address,
            "image_index": "0",
            "slot": str(slot),
            "version_MCUBOOT": str(image.version),
        }
        for slot, (name, data, image) in enumerate(zip(names, images, parsed, strict=True))
    ]
    contents = dict(zip(names, images, strict=True))
    if loader is not None:
        name = f"{board}_loader.bin"
        entry = {
            "type": _LOADER,
            "board": board,
            "file": name,
            "size": len(loader.data),
            "load_address": loader.address,
        }
        files.append(dict(entry))
        contents[name] = loader.data
    manifest = {"format-version": 1, "name": f"thermo-edge for {board}", "files": files}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(manifest, indent=1).encode()
        for name, content in ((MANIFEST, text), *contents.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return out.getvalue()


def unpack(data: bytes) -> FirmwareFile:
    """Read such a file; structure and hashes of its images are checked, signatures are not.

    Raises:
        ImageFormatError, SignatureError: it is none, is damaged, or its images do not belong together.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest = json.loads(_member(archive, MANIFEST))
            found: dict[str, tuple[str, bytes]] = {}
            loader = None
            for entry in manifest["files"]:
                if entry.get("type") == _LOADER:
                    loader = Segment(_address(entry["load_address"]), _member(archive, str(entry["file"])))
                    continue
                found[str(entry["slot"])] = str(entry["board"]), _member(archive, str(entry["file"]))
            boards, images = zip(*(found[str(slot)] for slot in range(SLOTS)), strict=True)
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        raise ImageFormatError(
            "It is no firmware, or a damaged one; make it with thermo-quantize firmware --sign, or fetch it again."
        ) from error
    if len(set(boards)) != 1:
        raise ImageFormatError(
            "Its images are for different boards; make it again with thermo-quantize firmware --sign."
        )
    return FirmwareFile(boards[0], images, _checked(boards[0], images), loader)


def _address(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < ADDRESSES:
        raise ValueError(value)
    return value


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_IMAGE:
        raise ValueError(name)
    with archive.open(name) as member:
        return member.read(MAX_IMAGE + 1)


def _checked(board: str, images: Sequence[bytes]) -> tuple[FirmwareImage, ...]:
    """Parsed images that belong together: the same version and key, at two addresses, slot 0 first."""
    if not _BOARD.fullmatch(board):
        raise ImageFormatError(f"{board[:32]!r} is no board's name; give one as make firmware BOARD= takes it.")
    if len(images) != SLOTS:
        raise ImageFormatError(
            f"A firmware has an image for each of {SLOTS} slots, not {len(images)}; link it for both."
        )
    parsed = tuple(map(parse, images))
    if any(image.sha512 != image.computed for image in parsed):
        raise SignatureError("An image was altered after it was signed (its SHA-512 differs), so fetch it again.")
    first, second = parsed
    if (first.version, first.key_hash, first.counter) != (second.version, second.key_hash, second.counter):
        raise ImageFormatError("The images differ in version, key or security counter; sign them together.")
    if first.address is None or second.address is None or first.address >= second.address:
        raise ImageFormatError("The images are not linked for two slots, the lower address first; link them anew.")
    return parsed
