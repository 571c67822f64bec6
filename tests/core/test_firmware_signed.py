"""Firmware images and files: what was put in comes out, and nothing damaged is taken."""

import io
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import ImageFormatError, SignatureError, ThermoError, UsageError
from thermo_core.firmware.archive import is_firmware_file, pack, unpack
from thermo_core.firmware.signed import is_development_key, parse, sign, verify
from thermo_core.image import Version, load_public_key
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SLOTS = (0x10010000, 0x10050000)


def made(slot: int = 0, version: str = "1.2.3", key: Ed25519PrivateKey = KEY, counter: int = 3) -> bytes:
    return sign(b"program" * 30, Version.parse(version), key, address=SLOTS[slot], counter=counter)


@given(
    st.binary(min_size=1, max_size=600),
    st.integers(1, 2**32 - 1) | st.none(),
    st.integers(0, 2**32 - 1),
    st.integers(32, 1024),
)
@settings(max_examples=80, deadline=None)
def test_what_is_signed_is_read(payload: bytes, address: int | None, counter: int, header: int) -> None:
    data = sign(payload, Version(1, 2, 3, 4), KEY, address=address, counter=counter, header_size=header)
    image = verify(data, [OTHER.public_key(), KEY.public_key()])
    assert (image.payload, image.address, image.counter) == (payload, address, counter)
    assert image.version == Version(1, 2, 3, 4)


@given(st.integers(0, len(made()) * 8 - 1))
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_is_accepted(bit: int) -> None:
    data = bytearray(made())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ImageFormatError, SignatureError)):
        verify(bytes(data), [KEY.public_key()])


@given(st.binary(max_size=900), st.integers(0, 700))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_raises_a_typed_error(tail: bytes, kept: int) -> None:
    for data in (made()[:kept] + tail, pack("board", (made(0), made(1)))[:kept] + tail):
        for read in (parse, unpack):
            try:
                read(data)
            except ThermoError:
                continue


def test_another_key_is_not_trusted() -> None:
    with pytest.raises(SignatureError, match="not trusted"):
        verify(made(), [OTHER.public_key()])


@pytest.mark.parametrize(
    "wrong", [{"address": 0}, {"address": 1 << 32}, {"counter": -1}, {"counter": 1 << 32}, {"header_size": 31}]
)
def test_what_the_format_cannot_hold_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        sign(b"x", Version(1), KEY, **wrong)


def test_a_file_holds_the_images_of_both_slots_byte_for_byte() -> None:
    images = (made(0), made(1))
    data = pack("mps2-an386", images)
    assert data == pack("mps2-an386", images) and is_firmware_file(data)
    file = unpack(data)
    assert (file.board, file.data, file.version) == ("mps2-an386", images, Version(1, 2, 3))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("mps2-an386_slot1.img") == images[1], "other programs find the images"


@pytest.mark.parametrize(
    "images",
    [
        (made(0),),
        (made(0), made(0)),
        (made(1), made(0)),
        (made(0), made(1, "1.2.4")),
        (made(0), made(1, key=OTHER)),
        (made(0), made(1, counter=4)),
        (made(0), sign(b"x", Version(1, 2, 3), KEY, counter=3)),
    ],
)
def test_images_that_do_not_belong_together_make_no_file(images: tuple[bytes, ...]) -> None:
    with pytest.raises(ImageFormatError):
        pack("board", images)


def test_the_development_keys_are_known() -> None:
    assert is_development_key(load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes()))
    assert not is_development_key(KEY.public_key())
