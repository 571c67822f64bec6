"""Sentences that the firmware puts together."""

import ctypes
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st


class Text(ctypes.Structure):
    """struct text."""

    _fields_ = [("data", ctypes.c_void_p), ("capacity", ctypes.c_size_t), ("used", ctypes.c_size_t)]


def sentence(wire: Any, capacity: int, add: Any) -> str:
    """What `add(text)` puts into a text of so many bytes."""
    buffer, text = ctypes.create_string_buffer(b"\xa5" * 600, 600), Text()
    wire.text_begin(ctypes.byref(text), buffer, ctypes.c_size_t(capacity))
    add(ctypes.byref(text))
    assert buffer.raw[text.used] == 0 and text.used < capacity and buffer.raw[capacity:] == b"\xa5" * (600 - capacity)
    return buffer.raw[: text.used].decode()


@given(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=20))
def test_numbers_in_sentences(wire: Any, number: int, data: bytes) -> None:
    add = wire.text_add_signed if number < 2**63 else wire.text_add_unsigned
    value = ctypes.c_int64(number) if number < 2**63 else ctypes.c_uint64(number)
    assert sentence(wire, 100, lambda text: add(text, value)) == str(number)
    assert sentence(wire, 100, lambda text: wire.text_add_hex(text, data, len(data))) == data.hex()


@given(st.floats(-1e6, 1e6, width=32), st.integers(0, 4))
def test_floats_in_sentences(wire: Any, number: float, decimals: int) -> None:
    said = sentence(wire, 100, lambda text: wire.text_add_float(text, ctypes.c_float(number), decimals))
    assert re.fullmatch(r"-?\d+" + (rf"\.\d{{{decimals}}}" if decimals else ""), said)
    assert float(said) == pytest.approx(number, abs=0.5001 * 10**-decimals + 1e-6)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60), st.integers(1, 100))
def test_sentences_are_cut_between_characters(wire: Any, text: str, capacity: int) -> None:
    wanted = text.encode()[: capacity - 1].decode(errors="ignore")
    assert sentence(wire, capacity, lambda target: wire.text_add(target, text.encode())) == wanted
