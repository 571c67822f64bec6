"""Public keys that were made by the rules and those that were not, each proved by what can be signed with it."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.edwards import flaw, mirrored
from thermo_core.errors import UsageError
from thermo_core.image import key_hash, load_public_key, names_development_key

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
"""The points of order 1, 2, 4, 4, 8, 8, 8 and 8."""
OTHER_ENCODINGS = [
    "0100000000000000000000000000000000000000000000000000000000000080",  # x = 0 with a sign
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ff" * 32,
]

Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    """Affine, by the definition: slow, and written apart from what it tests."""
    (a, b), (c, d) = one, other
    product = D * a * b * c * d
    return (a * d + b * c) * pow(1 + product, -1, P) % P, (b * d + a * c) * pow(1 - product, -1, P) % P


def times(number: int, point: Point) -> Point:
    found = (0, 1)
    while number:
        found = add(found, point) if number & 1 else found
        point, number = add(point, point), number >> 1
    return found


def encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decoded(raw: bytes) -> Point:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 != raw[31] >> 7 else x), y


def secret(key: Ed25519PrivateKey) -> int:
    digest = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:32])
    digest[0], digest[31] = digest[0] & 248, digest[31] & 127 | 64
    return int.from_bytes(digest, "little")


def signature(scalar: int, public: bytes, message: bytes, nonce: int) -> bytes:
    """A signature by whoever knows a scalar, said to be of any public key."""
    r = encoded(times(nonce, BASE))
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    return r + ((nonce + h * scalar) % L).to_bytes(32, "little")


def holds(public: bytes, signed: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, message)
    except InvalidSignature:
        return False
    return True


@given(st.binary(min_size=32, max_size=32))
def test_keys_made_by_the_rules_are_good(seed: bytes) -> None:
    raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert flaw(raw) == ""
    assert flaw(mirrored(raw)) == ""
    assert encoded(times(secret(Ed25519PrivateKey.from_private_bytes(seed)), BASE)) == raw


@pytest.mark.parametrize("raw", SMALL)
def test_points_of_small_order_are_refused(raw: str) -> None:
    assert "small order" in flaw(bytes.fromhex(raw))
    assert times(8, decoded(bytes.fromhex(raw))) == (0, 1)
    # What makes them dangerous: without any secret, one signature in eight or more holds.
    message = b"anything"
    assert any(holds(bytes.fromhex(raw), signature(0, bytes.fromhex(raw), message, n), message) for n in range(1, 200))


@pytest.mark.parametrize("raw", OTHER_ENCODINGS)
def test_other_encodings_are_refused(raw: str) -> None:
    assert "one encoding" in flaw(bytes.fromhex(raw))


@given(st.integers(0, 2**256 - 1))
def test_what_is_no_point_is_refused(number: int) -> None:
    raw = number.to_bytes(32, "little")
    said = flaw(raw)
    y = number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    if y >= P or (square and pow(square, (P - 1) // 2, P) != 1):
        assert "one encoding" in said
    else:
        point = decoded(raw)
        assert bool(said) == (times(L, point) != (0, 1) or times(8, point) == (0, 1))


@pytest.mark.parametrize("torsion", SMALL[1:])
def test_a_key_moved_by_a_point_of_small_order_is_refused(torsion: str) -> None:
    """Its twin's holder signs for it: the reason to refuse, and it is so."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    twin = encoded(add(decoded(key.public_key().public_bytes_raw()), decoded(bytes.fromhex(torsion))))
    assert "sum of another key" in flaw(twin)
    assert any(holds(twin, signature(secret(key), twin, b"image", n), b"image") for n in range(1, 200))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_other_lengths_are_refused(length: int) -> None:
    assert str(length) in flaw(bytes(length))


def pem(raw: bytes) -> bytes:
    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_bad_key_is_refused_where_it_is_read() -> None:
    for raw in (*map(bytes.fromhex, SMALL[:2]), bytes.fromhex(OTHER_ENCODINGS[3])):
        with pytest.raises(UsageError, match="not made by the rules"):
            load_public_key(pem(raw))


def test_the_mirror_image_of_the_development_key_is_the_development_key() -> None:
    from thermo_core.image import load_private_key
    from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY

    public = load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    twin = mirrored(public.public_bytes_raw())
    private = secret(load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes()))
    assert holds(twin, signature(L - private % L, twin, b"image", 7), b"image")
    assert names_development_key(key_hash(public))
    assert names_development_key(key_hash(load_public_key(pem(twin))))
    assert not names_development_key(key_hash(Ed25519PrivateKey.generate().public_key()))
