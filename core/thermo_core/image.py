"""Signed images in MCUboot's format: make, parse and verify.

Layout (little-endian): a header of 32 bytes padded to `header_size`, the payload, optional protected TLVs (0x6908),
then the TLV area (0x6907) with SHA-256 (0x10), the SHA-256 of the public key's DER SubjectPublicKeyInfo (0x01) and the
Ed25519 signature (0x24). Hash and signature are MCUboot's for Ed25519 keys: the hash covers all that comes before the
TLV area, the signature covers the hash. Every byte of an image is either hashed or pinned to one value, so no altered
image is ever accepted. Source: https://docs.mcuboot.com/design.html, "Image format".
"""

import hashlib
import hmac
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from thermo_core.edwards import flaw, mirrored
from thermo_core.errors import ImageFormatError, SignatureError, UsageError

DEVELOPMENT_KEY_SHA256 = bytes.fromhex("0633b58bed7044f7bf698fad2d5bdd28a58469593ea70932d5d0ab36d5a5a938")
"""`key_hash` of the development key, which is published with the source; no device on a real bus should trust it."""
DEVELOPMENT_KEY = bytes.fromhex("895163c348c0705808cea5cec5eb5fcc7d554ca4c2cb1921ac05139fe0767a7c")

MAGIC = 0x96F3B83D
HEADER = struct.Struct("<IIHHIIBBHII")
HEADER_SIZE = HEADER.size
AREA = struct.Struct("<HH")
TLV = struct.Struct("<HH")
AREA_MAGIC, PROTECTED_MAGIC = 0x6907, 0x6908
_KEY_HASH, _SHA256, _ED25519 = 0x01, 0x10, 0x24
_SIZES = {_SHA256: 32, _KEY_HASH: 32, _ED25519: 64}
_TRAILER_MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
_TRAILER_BYTES = 4 * 32
"""Swap information, copy done and image ok, each of one write unit of at most 32 bytes."""
_ENCRYPTED = 0x0000_000C
_COMPRESSED = 0x0000_0E00
_BEGIN = re.compile(rb"-----BEGIN [^\r\n]*-----")
_VERSION = re.compile(
    r"(0|[1-9]\d{0,9})(?:\.(0|[1-9]\d{0,9})(?:\.(0|[1-9]\d{0,9})(?:\+(0|[1-9]\d{0,9}))?)?)?", re.ASCII
)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """An image's version, ordered by major, minor, revision, build.

    Raises:
        UsageError: a part does not fit its field (8, 8, 16, 32 bit).
    """

    major: int
    minor: int = 0
    revision: int = 0
    build: int = 0

    def __post_init__(self) -> None:
        parts = (self.major, self.minor, self.revision, self.build)
        if not all(0 <= part < 1 << bits for part, bits in zip(parts, (8, 8, 16, 32), strict=True)):
            raise UsageError(f"Version {self} is out of range, so stay within 255.255.65535+4294967295.")

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read "major.minor.revision+build"; later parts may be left out, as with imgtool.

        Raises:
            UsageError: not a version, or out of range.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise UsageError(f"{text[:64]!r} is not a version, so write it as 1.2.3 or 1.2.3+4.")
        return cls(*(int(part or 0) for part in match.groups()))

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.revision}"
        return f"{text}+{self.build}" if self.build else text


@dataclass(frozen=True, slots=True)
class Image:
    """A parsed image; its signature holds only where `verify` returned it.

    Attributes:
        version: of the content.
        payload: the content.
        sha256: hash of header, payload and protected TLVs: the identity of the image (32 bytes).
        key_hash: SHA-256 of the signing key (32 bytes).
        signature: Ed25519 signature of `sha256` (64 bytes).
        header_size: bytes before the payload.
        load_address: as in the header, 0 for bundles.
        flags: as in the header, 0 for bundles.
        protected: protected TLVs as (type, value), none for bundles.
        computed: the hash of what is there, to compare with `sha256`.
    """

    version: Version
    payload: bytes
    sha256: bytes
    key_hash: bytes
    signature: bytes
    header_size: int
    load_address: int
    flags: int
    protected: tuple[tuple[int, bytes], ...]
    computed: bytes


def load_public_key(pem: bytes) -> Ed25519PublicKey:
    """A public key from PEM (SubjectPublicKeyInfo).

    Raises:
        UsageError: not one Ed25519 public key, or one with which others can sign too.
    """
    (key,) = load_public_keys(_single(pem))
    return key


def load_public_keys(pem: bytes) -> tuple[Ed25519PublicKey, ...]:
    """All public keys in PEM (SubjectPublicKeyInfo), at least one.

    Raises:
        UsageError: something in it is no Ed25519 public key, or one with which others can sign too.
    """
    return tuple(_public_key(block) for block in _blocks(pem) or [pem])


def load_private_key(pem: bytes) -> Ed25519PrivateKey:
    """A private key from PEM (PKCS #8, no password).

    Raises:
        UsageError: not one Ed25519 private key, or one behind a password.
    """
    try:
        key = load_pem_private_key(_single(pem), password=None)
    except TypeError as error:
        raise UsageError("This private key is behind a password, so export it without one first.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("This is not a PEM private key, so make one with thermo-host keygen.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("This private key is not Ed25519, so make one with thermo-host keygen.")
    return key


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = (
            "it holds a private key, so give the .pub.pem beside it"
            if b"PRIVATE KEY" in pem
            else "make one with thermo-host keygen"
        )
        raise UsageError(f"This is not a PEM public key: {hint}.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("This public key is not Ed25519, so make one with thermo-host keygen.")
    problem = flaw(key.public_bytes_raw())
    if problem:
        raise UsageError(f"This public key was not made by the rules: {problem}. Make one with thermo-host keygen.")
    return key


def _blocks(pem: bytes) -> list[bytes]:
    """Each block of PEM from its first mark to the next block's, so that none is passed over."""
    starts = [match.start() for match in _BEGIN.finditer(pem)]
    ends = [*starts[1:], len(pem)] if starts else []
    return [pem[start:end] for start, end in zip(starts, ends, strict=True)]


def _single(pem: bytes) -> bytes:
    count = len(_blocks(pem))
    if count > 1:
        raise UsageError(f"This file holds {count} keys where one is used; give a file with that one alone.")
    return pem


def key_hash(key: Ed25519PublicKey) -> bytes:
    """SHA-256 of the key's DER SubjectPublicKeyInfo, by which an image names its key."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


_DEVELOPMENT_HASHES = frozenset(
    key_hash(Ed25519PublicKey.from_public_bytes(raw)) for raw in (DEVELOPMENT_KEY, mirrored(DEVELOPMENT_KEY))
)


def names_development_key(named: bytes) -> bool:
    """Whether a `key_hash` is that of the development key or of its mirror image, with which anybody can sign as well."""
    return named in _DEVELOPMENT_HASHES


def sign(payload: bytes, version: Version, private_key: Ed25519PrivateKey) -> bytes:
    """Make an image, byte for byte the same for the same arguments.

    Args:
        payload: the content, 1 byte to 4 GiB.
        version: of the content.
        private_key: Ed25519.

    Raises:
        UsageError: the payload is empty or too long for the format.
    """
    if not 0 < len(payload) < 1 << 32:
        raise UsageError(f"A payload of {len(payload)} bytes cannot be signed, so give one of 1 byte to 4 GiB.")
    parts = (version.major, version.minor, version.revision, version.build)
    body = HEADER.pack(MAGIC, 0, HEADER_SIZE, 0, len(payload), 0, *parts, 0) + payload
    digest = hashlib.sha256(body).digest()
    values = ((_SHA256, digest), (_KEY_HASH, key_hash(private_key.public_key())), (_ED25519, private_key.sign(digest)))
    tlvs = b"".join(TLV.pack(kind, len(value)) + value for kind, value in values)
    return body + AREA.pack(AREA_MAGIC, AREA.size + len(tlvs)) + tlvs


def without_padding(data: bytes) -> bytes:
    """An image without what imgtool's `--pad` puts behind it to fill a slot: 0xFF, at the end MCUboot's trailer.

    Anything else behind an image stays, for `parse` to refuse.

    Args:
        data: an image, or anything else, which comes back as it is.
    """
    end = end_of(data)
    return data[:end] if end is not None and _is_padding(data[end:]) else data


def begins_image(data: bytes) -> bool:
    """Whether it begins with the header of an MCUboot image."""
    return data[:4] == MAGIC.to_bytes(4, "little")


def peek_version(data: bytes) -> Version:
    """Version in a header whose image is not complete yet; nothing of it may be trusted.

    Args:
        data: at least the first 32 bytes.

    Raises:
        ImageFormatError: not the start of an MCUboot image.
    """
    return Version(*_header(data)[6:10])


def parse(data: bytes) -> Image:
    """Take an image apart; neither hash nor signature is checked.

    Raises:
        ImageFormatError: not an MCUboot image, cut short, longer than it says, encrypted, compressed, unsigned or
            signed with something else than SHA-256 and Ed25519.
    """
    _, load_address, header_size, protected_size, size, flags, *version, padding = _header(data)
    if padding or header_size < HEADER_SIZE:
        raise ImageFormatError("The image's header is damaged, so fetch or sign it again.")
    if flags & (_ENCRYPTED | _COMPRESSED):
        raise ImageFormatError("The image is encrypted or compressed, which is not supported, so sign it in the clear.")
    body_end = header_size + size
    hashed_end = body_end + protected_size
    if size == 0 or hashed_end + AREA.size > len(data):
        raise ImageFormatError(
            f"The image is cut short ({len(data)} bytes, its header announces more), so fetch or sign it again."
        )
    if len(padded := without_padding(data)) < len(data):
        raise ImageFormatError(
            f"The image is padded to its slot with {len(data) - len(padded)} bytes, which belong to no image: thermo-host flash "
            "leaves them out; for other programs make it without --pad."
        )
    protected = _tlvs(data, body_end, hashed_end, PROTECTED_MAGIC) if protected_size else ()
    tlvs = _tlvs(data, hashed_end, len(data), AREA_MAGIC)
    if [kind for kind, _ in tlvs] != list(_SIZES):
        kinds = " ".join(f"{kind:#04x}" for kind, _ in tlvs) or "none"
        raise ImageFormatError(
            f"The image must carry SHA-256, key hash and Ed25519 signature but has the fields {kinds}, "
            "so sign it with thermo-quantize sign."
        )
    values = dict(tlvs)
    for kind, length in _SIZES.items():
        if len(values[kind]) != length:
            raise ImageFormatError(f"The image's field {kind:#04x} has a wrong length, so sign it again.")
    return Image(
        version=Version(*version),
        payload=data[header_size:body_end],
        sha256=values[_SHA256],
        key_hash=values[_KEY_HASH],
        signature=values[_ED25519],
        header_size=header_size,
        load_address=load_address,
        flags=flags,
        protected=protected,
        computed=hashlib.sha256(data[:hashed_end]).digest(),
    )


def verify(data: bytes, public_keys: Iterable[Ed25519PublicKey]) -> Image:
    """Check structure, hash, key and signature, in this order.

    Args:
        data: the image.
        public_keys: the keys to trust.

    Raises:
        ImageFormatError: as `parse`.
        SignatureError: altered after signing, or signed with a key that is not among `public_keys`.
    """
    image = parse(data)
    if not hmac.compare_digest(image.sha256, image.computed):
        raise SignatureError("The image was altered after it was signed (its SHA-256 differs), so fetch it again.")
    key = next((key for key in public_keys if hmac.compare_digest(key_hash(key), image.key_hash)), None)
    if key is None:
        raise SignatureError(
            f"The image is signed with key {image.key_hash.hex()[:16]}, which is not trusted here, "
            "so sign it with a trusted key or add its public key."
        )
    try:
        key.verify(image.signature, image.sha256)
    except InvalidSignature as error:
        raise SignatureError("The image's signature does not hold, so sign it again with the right key.") from error
    return image


def _header(data: bytes) -> tuple[int, ...]:
    if len(data) < HEADER_SIZE or int.from_bytes(data[:4], "little") != MAGIC:
        raise ImageFormatError("This is not an MCUboot image, so give one made by thermo-quantize sign or imgtool.")
    return HEADER.unpack_from(data)


def end_of(data: bytes) -> int | None:
    """Where the field area of an image ends, by its header; None where it has none."""
    if len(data) < HEADER_SIZE or int.from_bytes(data[:4], "little") != MAGIC:
        return None
    _, _, header_size, protected_size, size, *_ = HEADER.unpack_from(data)
    start = header_size + size + protected_size
    if start + AREA.size > len(data):
        return None
    magic, length = AREA.unpack_from(data, start)
    return start + length if magic == AREA_MAGIC and AREA.size <= length <= len(data) - start else None


def _is_padding(data: bytes) -> bool:
    """Whether it is erased flash, with or without a trailer, in which a flag may be set."""
    body = data.removesuffix(_TRAILER_MAGIC)
    return (
        len(data) > 0
        and body[:-_TRAILER_BYTES].count(0xFF) == len(body[:-_TRAILER_BYTES])
        and set(body) <= {0xFF, 1, 2, 3}
    )


def _tlvs(data: bytes, start: int, end: int, magic: int) -> tuple[tuple[int, bytes], ...]:
    """The fields of the area that must fill data[start:end] exactly."""
    found: list[tuple[int, bytes]] = []
    if end - start < AREA.size or AREA.unpack_from(data, start) != (magic, end - start):
        raise ImageFormatError(
            f"The image's field area at byte {start} is damaged or does not fill the image, so fetch it again."
        )
    position = start + AREA.size
    while position < end:
        if end - position < TLV.size:
            raise ImageFormatError(f"A field of the image at byte {position} is cut short, so fetch it again.")
        kind, length = TLV.unpack_from(data, position)
        position += TLV.size
        if length > end - position:
            raise ImageFormatError(f"A field of the image at byte {position} is cut short, so fetch it again.")
        found.append((kind, data[position : position + length]))
        position += length
    return tuple(found)
