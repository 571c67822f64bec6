"""The bootloader's reader of images, held against imgtool, MCUboot's own tool."""

import ctypes
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from firmware_slots import ADDRESSES, KEY, RAM, SET, UNSET, Slots, image, program
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.firmware.signed import sign, verify
from thermo_core.image import Version

ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture
def slots(boot: ctypes.CDLL) -> Slots:
    made = Slots(boot)
    assert made.usable
    return made


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


class _Sha512(ctypes.Structure):
    _fields_ = (("state", ctypes.c_uint64 * 8), ("size", ctypes.c_uint32), ("block", ctypes.c_uint8 * 128))


def test_its_hash_is_sha512_of_any_length(boot: ctypes.CDLL) -> None:
    """Of every length around the ends of a block, where padding goes on in another one, and given in pieces."""
    for size in (*range(300), 1000, 4095, 116_592):
        data = bytes((7 * place + size) % 251 for place in range(size))
        hash_, digest = _Sha512(), (ctypes.c_uint8 * 64)()
        boot.sha512_begin(ctypes.byref(hash_))
        for start in range(0, size, 97):
            piece = data[start : start + 97]
            boot.sha512_add(ctypes.byref(hash_), piece, ctypes.c_size_t(len(piece)))
        boot.sha512_end(ctypes.byref(hash_), digest)
        assert bytes(digest) == hashlib.sha512(data).digest(), f"of {size} bytes"


def imgtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = "import sys; from imgtool.main import imgtool; sys.exit(imgtool())"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def imgtool_image(folder: Path, key_file: Path, payload: bytes, *options: object) -> bytes:
    source, target = folder / "program.bin", folder / "program.img"
    source.write_bytes(payload)
    done = imgtool(
        "sign", "-k", key_file, "--sha", "512", "-H", 32, "--pad-header", "-S", 2560, "--align", 8, "-M", 1,
        "--rom-fixed", hex(ADDRESSES[0]), "-v", "1.2.3+4", *options, source, target,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


@pytest.mark.parametrize("counter", [0, 7])
def test_our_images_are_those_of_imgtool(tmp_path: Path, key_file: Path, counter: int) -> None:
    options = ("-s", counter) if counter else ()
    ours = sign(
        program(ADDRESSES[0]), Version.parse("1.2.3+4"), KEY, address=ADDRESSES[0], counter=counter, header_size=32
    )
    assert imgtool_image(tmp_path, key_file, program(ADDRESSES[0]), *options) == ours
    (tmp_path / "ours.img").write_bytes(ours)
    accepted = imgtool("verify", "-k", key_file, tmp_path / "ours.img")
    assert accepted.returncode == 0, accepted.stdout
    assert verify(ours, [KEY.public_key()]).counter == counter


def test_an_image_of_imgtool_with_its_trailer_starts(slots: Slots, tmp_path: Path, key_file: Path) -> None:
    slots.write(0, imgtool_image(tmp_path, key_file, program(ADDRESSES[0]), "--pad", "--confirm"))
    assert slots.marks(0) == (SET, UNSET, SET)
    assert slots.choose() == ("confirmed", 0, Version(1, 2, 3, 4))
    slots.write(0, imgtool_image(tmp_path, key_file, program(ADDRESSES[0]), "--pad", "--test"))
    assert slots.marks(0) == (SET, UNSET, UNSET)
    assert slots.choose() == ("trial", 0, Version(1, 2, 3, 4))
    assert slots.marks(0) == (SET, SET, UNSET)


def test_what_is_read_is_what_was_signed(slots: Slots) -> None:
    slots.write(1, image(1, "2.3.4+5", counter=9))
    fault, read = slots.verify(1)
    assert (fault, read.version, read.counter, read.load_address) == ("good", Version(2, 3, 4, 5), 9, ADDRESSES[1])
    assert bytes(read.hash) == verify(image(1, "2.3.4+5", counter=9), [KEY.public_key()]).sha512
    assert read.size == len(image(1, "2.3.4+5", counter=9))
    assert slots.verify(0)[0] == "absent"


def test_an_image_for_the_other_slot_is_refused(slots: Slots) -> None:
    slots.write(0, image(1))
    assert slots.verify(0)[0] == "wrong_address"


def test_another_key_is_refused(slots: Slots) -> None:
    slots.write(0, image(0, key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)))
    assert slots.verify(0)[0] == "wrong_key"


@pytest.mark.parametrize(
    ("stack", "entry"),
    [
        (RAM[0], ADDRESSES[0] + 41),
        (RAM[0] + RAM[1] + 4, ADDRESSES[0] + 41),
        (RAM[0] + 2, ADDRESSES[0] + 41),
        (RAM[0] + 64, ADDRESSES[0] + 40),
        (RAM[0] + 64, ADDRESSES[0] + 33),
        (RAM[0] + 64, ADDRESSES[0] + 32 + 700 + 1),
        (RAM[0] + 64, ADDRESSES[1] + 41),
        (0xFFFFFFFF, 0xFFFFFFFF),
    ],
)
def test_vectors_that_point_elsewhere_are_refused(slots: Slots, stack: int, entry: int) -> None:
    payload = stack.to_bytes(4, "little") + entry.to_bytes(4, "little") + program(ADDRESSES[0])[8:]
    slots.write(0, sign(payload, Version(1), KEY, address=ADDRESSES[0], header_size=32))
    assert slots.verify(0)[0] == "wrong_vectors"


def test_an_image_may_fill_its_slot_up_to_the_trailers_block_and_not_further(slots: Slots) -> None:
    room = slots.slot_bytes - slots.block - len(image(0, size=700)) + 700
    slots.write(0, image(0, size=room))
    assert slots.verify(0)[0] == "good"
    slots.write(0, image(0, size=room + 1))
    assert slots.verify(0)[0] == "cut_short"


@pytest.mark.parametrize("flag", [0x1, 0x4, 0x8, 0x10, 0x20, 0x200, 0x400, 0x800, 0x80000000])
def test_other_flags_are_refused_whoever_signed_them(slots: Slots, flag: int) -> None:
    data = bytearray(image(0))
    data[16:20] = (0x100 | flag).to_bytes(4, "little")
    digest = hashlib.sha512(data[:-208]).digest()
    data[-200:-136], data[-64:] = digest, KEY.sign(digest)
    slots.write(0, bytes(data))
    assert slots.verify(0)[0] == "unsupported"


@given(st.integers(0, 939), st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_no_flipped_bit_is_accepted(boot: ctypes.CDLL, at: int, bit: int) -> None:
    data = bytearray(image(0))
    assert len(data) == 940
    data[at] ^= 1 << bit
    slots = Slots(boot)
    slots.write(0, bytes(data))
    assert slots.verify(0)[0] != "good"


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
@settings(max_examples=60, deadline=None)
def test_signatures_hold_as_those_of_openssl(boot: ctypes.CDLL, message: bytes, seed: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    size = ctypes.c_size_t(len(message))
    assert boot.slots_ed25519(public, message, size, signature) & 1 == 1
    malleable = signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert boot.slots_ed25519(public, message, size, malleable) & 1 == 0
    assert boot.slots_ed25519(public, message + b"x", ctypes.c_size_t(len(message) + 1), signature) & 1 == 0
