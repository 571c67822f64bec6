"""Signed images that a microcontroller's bootloader checks: MCUboot's format with SHA-512 and Ed25519.

The same bytes as `imgtool sign --sha 512 --rom-fixed ADDRESS -s COUNTER`; `device/firmware/update/image.c` reads them. They
differ from the bundles of `thermo_core.image` in the hash (one for a loader of 32 kB, which needs SHA-512 for Ed25519
anyhow) and in what a program needs: the address it was linked for, and a security counter.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from thermo_core.edwards import mirrored
from thermo_core.errors import ImageFormatError, SignatureError, UsageError
from thermo_core.image import (
    AREA,
    AREA_MAGIC,
    DEVELOPMENT_KEY,
    HEADER,
    HEADER_SIZE,
    MAGIC,
    PROTECTED_MAGIC,
    TLV,
    Version,
    names_development_key,
)
from thermo_core.image import key_hash as bundle_key_hash

DEFAULT_HEADER_SIZE = 512
"""Vectors lie behind the header, at a multiple of 512 bytes as the vector table of a Cortex-M4 must."""
ROM_FIXED = 0x100
"""Flag of an image that was made for one address."""
_DEVELOPMENT_KEY = bytes.fromhex("bf9c8710fd4bea05adf79f0c8833735a8ebccdfbabbf5f56cdf26df6f14d9be3")
_KEY_HASH, _SHA512, _ED25519, _COUNTER = 0x01, 0x12, 0x24, 0x50
_SIZES = {_SHA512: 64, _KEY_HASH: 64, _ED25519: 64}
_FIELDS = AREA.size + sum(TLV.size + size for size in _SIZES.values())


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """A parsed image; its signature holds only where `verify` returned it.

    Attributes:
        version: of the content.
        payload: the content.
        sha512: hash of all before the last fields: the identity of the image (64 bytes).
        key_hash: SHA-512 of the signing key's SubjectPublicKeyInfo (64 bytes).
        signature: Ed25519 signature of `sha512` (64 bytes).
        address: for which it was linked; None where it runs anywhere.
        counter: security counter, 0 where there is none.
        computed: the hash of what is there, to compare with `sha512`.
    """

    version: Version
    payload: bytes
    sha512: bytes
    key_hash: bytes
    signature: bytes
    address: int | None
    counter: int
    computed: bytes


def key_hash(key: Ed25519PublicKey) -> bytes:
    """SHA-512 of the key's DER SubjectPublicKeyInfo, by which such an image names its key."""
    return hashlib.sha512(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def is_development_key(key: Ed25519PublicKey) -> bool:
    """Whether a public key is that of a development key pair, with which anybody can sign, or its mirror image."""
    raw = key.public_bytes_raw()
    return raw in (_DEVELOPMENT_KEY, mirrored(_DEVELOPMENT_KEY)) or names_development_key(bundle_key_hash(key))


_DEVELOPMENT_HASHES = frozenset(
    key_hash(Ed25519PublicKey.from_public_bytes(raw)) for raw in (_DEVELOPMENT_KEY, mirrored(_DEVELOPMENT_KEY))
)


def names_development_firmware_key(named: bytes) -> bool:
    """Whether a `key_hash` is that of the development key for firmware, or of its mirror image."""
    return named in _DEVELOPMENT_HASHES


_DEVELOPMENT_MODEL_HASHES = frozenset(
    key_hash(Ed25519PublicKey.from_public_bytes(raw)) for raw in (DEVELOPMENT_KEY, mirrored(DEVELOPMENT_KEY))
)


def names_development_model_key(named: bytes) -> bool:
    """Whether a `key_hash` is that of the development key for bundles and models, or of its mirror image."""
    return named in _DEVELOPMENT_MODEL_HASHES


def sign(
    payload: bytes,
    version: Version,
    private_key: Ed25519PrivateKey,
    *,
    address: int | None = None,
    counter: int = 0,
    header_size: int = DEFAULT_HEADER_SIZE,
) -> bytes:
    """Make an image, byte for byte the same for the same arguments.

    Args:
        payload: the content, at least 1 byte.
        version: of the content.
        private_key: Ed25519.
        address: where the header is to lie, for a program; None for what runs anywhere.
        counter: security counter; 0 leaves it out.
        header_size: bytes before the payload, at least 32.

    Raises:
        UsageError: an argument does not fit the format.
    """
    if not payload:
        raise UsageError("An empty program cannot be signed, so give the one that was built.")
    if not HEADER_SIZE <= header_size < 1 << 16:
        raise UsageError(f"A header of {header_size} bytes does not fit the format, so give 32 to 65535.")
    if not 0 <= counter < 1 << 32:
        raise UsageError(f"The security counter {counter} is out of range, so give 0 to 4294967295.")
    if not 0 <= (address or 0) < 1 << 32 or address == 0:
        raise UsageError(f"The address {address} is out of range, so give that of a slot in flash.")
    protected = b""
    if counter:
        field = TLV.pack(_COUNTER, 4) + counter.to_bytes(4, "little")
        protected = AREA.pack(PROTECTED_MAGIC, AREA.size + len(field)) + field
    parts = (version.major, version.minor, version.revision, version.build)
    flags = 0 if address is None else ROM_FIXED
    head = HEADER.pack(MAGIC, address or 0, header_size, len(protected), len(payload), flags, *parts, 0)
    body = head.ljust(header_size, b"\0") + payload + protected
    digest = hashlib.sha512(body).digest()
    values = ((_SHA512, digest), (_KEY_HASH, key_hash(private_key.public_key())), (_ED25519, private_key.sign(digest)))
    return (
        body + AREA.pack(AREA_MAGIC, _FIELDS) + b"".join(TLV.pack(kind, len(value)) + value for kind, value in values)
    )


def size_of(data: bytes) -> int | None:
    """Bytes of the image that `data` begins with, by its header; None where there are not so many."""
    if len(data) < HEADER_SIZE or int.from_bytes(data[:4], "little") != MAGIC:
        return None
    _, _, header_size, protected_size, size, *_ = HEADER.unpack_from(data)
    whole = header_size + size + protected_size + _FIELDS
    return whole if whole <= len(data) else None


def parse(data: bytes) -> FirmwareImage:
    """Take an image apart; neither hash nor signature is checked.

    Raises:
        ImageFormatError: not such an image, damaged or cut short.
    """
    if len(data) < HEADER_SIZE or int.from_bytes(data[:4], "little") != MAGIC:
        raise ImageFormatError("This is not an MCUboot image, so give one made by thermo-quantize firmware --sign.")
    _, address, header_size, protected_size, size, flags, *version, padding = HEADER.unpack_from(data)
    if header_size < HEADER_SIZE or size == 0 or padding:
        raise ImageFormatError("The image's header is damaged, so fetch or sign it again.")
    if flags not in (0, ROM_FIXED) or (address != 0) != (flags == ROM_FIXED):
        raise ImageFormatError(f"The image's flags {flags:#x} are not supported, so sign it with --rom-fixed alone.")
    hashed = header_size + size + protected_size
    if len(data) != hashed + _FIELDS:
        raise ImageFormatError(
            f"The image has {len(data)} bytes where its header announces {hashed + _FIELDS}, so fetch or sign it again."
        )
    counter = _counter(data[header_size + size : hashed]) if protected_size else 0
    values: dict[int, bytes] = {}
    at = hashed + AREA.size
    for kind, length in _SIZES.items():
        if TLV.unpack_from(data, at) != (kind, length):
            raise ImageFormatError(
                "The image's fields are not SHA-512, key hash and Ed25519, so sign it with --sha 512."
            )
        values[kind] = data[at + TLV.size : at + TLV.size + length]
        at += TLV.size + length
    if AREA.unpack_from(data, hashed) != (AREA_MAGIC, _FIELDS):
        raise ImageFormatError("The image's field area is damaged, so fetch or sign it again.")
    return FirmwareImage(
        version=Version(*version),
        payload=data[header_size : header_size + size],
        sha512=values[_SHA512],
        key_hash=values[_KEY_HASH],
        signature=values[_ED25519],
        address=address or None,
        counter=counter,
        computed=hashlib.sha512(data[:hashed]).digest(),
    )


def verify(data: bytes, public_keys: Iterable[Ed25519PublicKey]) -> FirmwareImage:
    """Check structure, hash, key and signature, in this order.

    Raises:
        ImageFormatError: as `parse`.
        SignatureError: altered after signing, or signed with a key that is not among `public_keys`.
    """
    image = parse(data)
    if not hmac.compare_digest(image.sha512, image.computed):
        raise SignatureError("The image was altered after it was signed (its SHA-512 differs), so fetch it again.")
    key = next((key for key in public_keys if hmac.compare_digest(key_hash(key), image.key_hash)), None)
    if key is None:
        raise SignatureError(f"The image is signed with key {image.key_hash.hex()[:16]}, which is not trusted here.")
    try:
        key.verify(image.signature, image.sha512)
    except InvalidSignature as error:
        raise SignatureError("The image's signature does not hold, so sign it again with the right key.") from error
    return image


def _counter(area: bytes) -> int:
    """The security counter among protected fields."""
    found = 0
    if len(area) < AREA.size or AREA.unpack_from(area) != (PROTECTED_MAGIC, len(area)):
        raise ImageFormatError("The image's protected fields are damaged, so fetch or sign it again.")
    at = AREA.size
    while at < len(area):
        kind, length = TLV.unpack_from(area, at) if len(area) - at >= TLV.size else (0, len(area))
        at += TLV.size
        if length > len(area) - at or (kind == _COUNTER and length != 4):
            raise ImageFormatError("The image's protected fields are damaged, so fetch or sign it again.")
        if kind == _COUNTER:
            found = int.from_bytes(area[at : at + length], "little")
        at += length
    return found
