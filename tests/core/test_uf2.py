"""UF2 files: read as they were written, and refused where they were damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core import uf2
from thermo_core.errors import ImageFormatError

RP2040 = uf2.FAMILIES["rp2040"]


@given(st.binary(min_size=1, max_size=3000), st.integers(0, 1000).map(lambda number: 0x10000000 + 256 * number))
def test_what_is_written_is_read(data: bytes, address: int) -> None:
    found = uf2.decode(uf2.encode(data, address, RP2040))
    assert (found.address, found.family) == (address, RP2040)
    assert found.data == data + b"\xff" * (-len(data) % uf2.PAYLOAD)


def test_a_block_is_as_the_format_has_it() -> None:
    (block,) = [uf2.encode(b"\x01\x02", 0x10000100, RP2040)]
    words = [int.from_bytes(block[at : at + 4], "little") for at in range(0, 32, 4)]
    assert words == [0x0A324655, 0x9E5D5157, 0x2000, 0x10000100, 256, 0, 1, 0xE48BFF56]
    assert len(block) == 512 and block[32:34] == b"\x01\x02" and block[34:288] == b"\xff" * 254
    assert block[288:508] == bytes(220) and block[508:] == bytes.fromhex("306fb10a")


GOOD = uf2.encode(bytes(range(256)) * 3, 0x10000000, RP2040)


@pytest.mark.parametrize("place", [0, 4, 9, 16, 20, 24, 28, 508, 511, 512, 1024 + 20])
def test_a_damaged_head_is_refused(place: int) -> None:
    damaged = bytearray(GOOD)
    damaged[place] ^= 0x20
    with pytest.raises(ImageFormatError, match="UF2"):
        uf2.decode(bytes(damaged))


@pytest.mark.parametrize("text", [b"", b"x", GOOD[:-1], GOOD[:512], GOOD + GOOD[:512], GOOD[512:], GOOD + GOOD])
def test_what_is_not_whole_is_refused(text: bytes) -> None:
    with pytest.raises(ImageFormatError, match="UF2"):
        uf2.decode(text)


@given(st.binary(max_size=2048))
def test_anything_else_is_refused_with_a_sentence(text: bytes) -> None:
    with pytest.raises(ImageFormatError, match="make it anew"):
        uf2.decode(text)
