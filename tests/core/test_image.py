"""Images against imgtool, MCUboot's own tool, and against everything a line or an attacker can do to them."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from examples import few
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import ImageError, ImageFormatError, SignatureError, UsageError
from thermo_core.image import (
    DEVELOPMENT_KEY_SHA256,
    Version,
    key_hash,
    load_private_key,
    load_public_key,
    parse,
    peek_version,
    sign,
    verify,
    without_padding,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PAYLOAD = bytes(range(256)) * 3
VERSION = Version(1, 2, 3, 4)
IMAGE = sign(PAYLOAD, VERSION, KEY)


def imgtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = "import sys; from imgtool.main import imgtool; sys.exit(imgtool())"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)], capture_output=True, text=True
    )


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def imgtool_sign(tmp_path: Path, key_file: Path, *options: str, header: int = 32) -> bytes:
    source, target = tmp_path / "payload.bin", tmp_path / "imgtool.img"
    source.write_bytes(PAYLOAD)
    done = imgtool(
        "sign", "-k", key_file, "-v", str(VERSION), "-H", header, "--pad-header", "-S", 65536, *options, source, target
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target.read_bytes()


def test_image_is_byte_for_byte_what_imgtool_makes(tmp_path: Path, key_file: Path) -> None:
    assert imgtool_sign(tmp_path, key_file) == IMAGE


def test_imgtool_verifies_our_image_and_refuses_another_key(tmp_path: Path, key_file: Path) -> None:
    path = tmp_path / "ours.img"
    path.write_bytes(IMAGE)
    accepted = imgtool("verify", "-k", key_file, path)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "1.2.3+4" in accepted.stdout
    key_file.write_bytes(OTHER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert imgtool("verify", "-k", key_file, path).returncode != 0


def test_firmware_images_of_imgtool_are_accepted(tmp_path: Path, key_file: Path) -> None:
    data = imgtool_sign(tmp_path, key_file, "-s", "7", "--rom-fixed", "0x10000", header=512)
    image = verify(data, [OTHER.public_key(), PUBLIC])
    assert (image.version, image.payload, image.header_size) == (VERSION, PAYLOAD, 512)
    assert image.protected == ((0x50, (7).to_bytes(4, "little")),)
    assert image.load_address == 0x10000


@pytest.mark.parametrize(
    ("options", "word"),
    [(("--pad",), "padded to its slot"), (("--sha", "512"), "fields"), (("--pure",), "fields")],
    ids=["padded to the slot", "SHA-512", "pure signature"],
)
def test_other_forms_of_imgtool_are_refused_with_the_reason(
    tmp_path: Path, key_file: Path, options: tuple[str, ...], word: str
) -> None:
    with pytest.raises(ImageFormatError, match=word):
        verify(imgtool_sign(tmp_path, key_file, *options), [PUBLIC])


def test_unsigned_image_of_imgtool_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "payload.bin", tmp_path / "unsigned.img"
    source.write_bytes(PAYLOAD)
    assert imgtool("sign", "-v", "1.0.0", "-H", 32, "--pad-header", "-S", 65536, source, target).returncode == 0
    with pytest.raises(ImageFormatError, match="Ed25519 signature"):
        verify(target.read_bytes(), [PUBLIC])


def test_key_hash_is_the_one_imgtool_prints(tmp_path: Path, key_file: Path) -> None:
    done = imgtool("getpubhash", "-k", key_file, "-e", "raw", "-o", tmp_path / "hash")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hash").read_bytes() == key_hash(PUBLIC)


def test_image_carries_what_was_signed() -> None:
    image = verify(IMAGE, [PUBLIC])
    assert image.payload == PAYLOAD
    assert image.version == peek_version(IMAGE[:32]) == VERSION
    assert image.sha256 == image.computed
    assert sign(PAYLOAD, VERSION, KEY) == IMAGE


def test_untrusted_key_is_refused_by_name() -> None:
    with pytest.raises(SignatureError, match=key_hash(PUBLIC).hex()[:16]):
        verify(IMAGE, [OTHER.public_key()])
    with pytest.raises(SignatureError, match="not trusted"):
        verify(IMAGE, [])


def test_foreign_signature_under_a_trusted_key_hash_is_refused() -> None:
    """The order of checks: structure, hash, key, then the signature itself."""
    forged = IMAGE[:-64] + OTHER.sign(parse(IMAGE).sha256)
    with pytest.raises(SignatureError, match="does not hold"):
        verify(forged, [PUBLIC])


def test_altered_payload_is_told_apart_from_a_wrong_key() -> None:
    with pytest.raises(SignatureError, match="altered"):
        verify(IMAGE[:40] + b"\xff" + IMAGE[41:], [])


def test_every_flipped_bit_of_a_short_image_is_refused() -> None:
    short = sign(b"x" * 8, VERSION, KEY)
    assert verify(short, [PUBLIC])
    for bit in range(8 * len(short)):
        altered = bytearray(short)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            verify(bytes(altered), [PUBLIC])


@few(150, of=500)
@given(st.integers(0, len(IMAGE) - 1), st.integers(1, 255))
def test_any_altered_byte_is_refused(position: int, difference: int) -> None:
    altered = bytearray(IMAGE)
    altered[position] ^= difference
    with pytest.raises(ImageError):
        verify(bytes(altered), [PUBLIC])


def test_every_truncation_and_any_tail_is_refused() -> None:
    for length in range(len(IMAGE)):
        with pytest.raises(ImageError):
            verify(IMAGE[:length], [PUBLIC])
    for tail in (b"\x00", b"\xff" * 16, IMAGE):
        with pytest.raises(ImageError):
            verify(IMAGE + tail, [PUBLIC])


TRAILER = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")


@pytest.mark.parametrize(
    "tail", [b"\xff", b"\xff" * 500, b"\xff" * 500 + TRAILER, b"\xff" * 500 + b"\x01" + b"\xff" * 7 + TRAILER]
)
def test_padding_of_a_slot_is_named_and_can_be_left_out(tail: bytes) -> None:
    with pytest.raises(ImageError, match=rf"padded to its slot with {len(tail)} bytes.*--pad"):
        verify(IMAGE + tail, [PUBLIC])
    assert without_padding(IMAGE + tail) == IMAGE
    assert without_padding(IMAGE) == IMAGE


@few(100, of=300)
@given(st.binary(max_size=300), st.binary(max_size=40))
def test_nothing_but_padding_is_left_out(data: bytes, tail: bytes) -> None:
    for whole in (data, IMAGE + tail, IMAGE + tail + b"\xff" * 300, IMAGE + b"\xff" * 300 + tail + b"\xff" * 200):
        left = without_padding(whole)
        assert whole.startswith(left)
        assert left == whole or (left == IMAGE and set(whole[len(left) :]) <= {0xFF, 1, 2, 3})


@pytest.mark.parametrize("option", ["--pad", "--confirm"])
def test_an_image_padded_by_imgtool_is_an_image(tmp_path: Path, key_file: Path, option: str) -> None:
    whole = imgtool_sign(tmp_path, key_file, option)
    plain = without_padding(whole)
    assert len(plain) < len(whole)
    assert verify(plain, [PUBLIC]).payload == PAYLOAD


@few(150, of=500)
@given(st.binary(max_size=300), st.sampled_from([b"", IMAGE[:4], IMAGE[:32], IMAGE[:-100]]))
def test_arbitrary_bytes_give_a_typed_error(data: bytes, start: bytes) -> None:
    with pytest.raises(ImageError):
        verify(start + data, [PUBLIC])


@given(st.binary(min_size=1, max_size=2000), st.tuples(*(st.integers(0, (1 << n) - 1) for n in (8, 8, 16, 32))))
def test_round_trip(payload: bytes, parts: tuple[int, int, int, int]) -> None:
    image = verify(sign(payload, Version(*parts), KEY), [PUBLIC])
    assert (image.payload, image.version) == (payload, Version(*parts))


@given(*[st.tuples(*(st.integers(0, (1 << n) - 1) for n in (8, 8, 16, 32)))] * 2)
def test_versions_are_ordered_and_printed_without_loss(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert (Version(*a) < Version(*b)) == (a < b)
    assert Version.parse(str(Version(*a))) == Version(*a)


@pytest.mark.parametrize(
    "text", ["", "1.", "1.2.3.4", "v1.2.3", "01.2.3", "1.2+3", "256.0.0", "1.0.0+4294967296", " 1", "1\n", "1٣"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Version.parse(text)


@pytest.mark.parametrize(("text", "parts"), [("1", (1, 0, 0, 0)), ("1.2", (1, 2, 0, 0)), ("1.2.3+4", (1, 2, 3, 4))])
def test_later_parts_of_a_version_may_be_left_out(text: str, parts: tuple[int, ...]) -> None:
    assert Version.parse(text) == Version(*parts)


def test_empty_payload_is_refused() -> None:
    with pytest.raises(UsageError, match="0 bytes"):
        sign(b"", VERSION, KEY)


def test_keys_are_read_from_pem_and_others_refused_with_the_reason() -> None:
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert load_private_key(private).private_bytes_raw() == KEY.private_bytes_raw()
    assert load_public_key(public).public_bytes_raw() == PUBLIC.public_bytes_raw()
    locked = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    elliptic = generate_private_key(SECP256R1())
    with pytest.raises(UsageError, match="password"):
        load_private_key(locked)
    with pytest.raises(UsageError, match="private key"):
        load_public_key(private)
    with pytest.raises(UsageError, match="not Ed25519"):
        load_private_key(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="not Ed25519"):
        load_public_key(elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for data in (b"", b"\xff\x00", public[:40], private[:60]):
        with pytest.raises(UsageError, match="not a PEM"):
            load_private_key(data)
        with pytest.raises(UsageError, match="not a PEM"):
            load_public_key(data)


def test_shipped_development_key_is_the_one_devices_recognise() -> None:
    from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY

    public = load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    private = load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes())
    assert key_hash(public) == key_hash(private.public_key()) == DEVELOPMENT_KEY_SHA256
