"""CBOR in the firmware: written as cbor2 writes it, read and refused as thermo_core does."""

import ctypes
import math
import struct
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.errors import ManagementError
from thermo_core.wire.smp import SmpMessage


class Writer(ctypes.Structure):
    """struct cbor_writer."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("capacity", ctypes.c_size_t),
        ("used", ctypes.c_size_t),
        ("overflow", ctypes.c_bool),
    ]


def firmware_cbor(wire: Any, value: Any, capacity: int) -> bytes | None:
    """The value as the firmware writes it; None where it overflows."""
    buffer = (ctypes.c_uint8 * 4096)(*[0xA5] * 4096)
    writer = Writer()
    target = ctypes.byref(writer)
    wire.cbor_begin(target, buffer, capacity)

    def write(item: Any) -> None:
        match item:
            case None:
                wire.cbor_null(target)
            case bool():
                wire.cbor_bool(target, item)
            case int():
                number = ctypes.c_int64(item) if item < 2**63 else ctypes.c_uint64(item)
                (wire.cbor_signed if item < 2**63 else wire.cbor_unsigned)(target, number)
            case float():
                wire.cbor_float(target, ctypes.c_float(item))
            case str():
                encoded = item.encode()
                wire.cbor_text_bytes(target, encoded, len(encoded))
            case bytes():
                wire.cbor_bytes(target, item, len(item))
            case list():
                opened = wire.cbor_open_array(target)
                for inner in item:
                    write(inner)
                wire.cbor_close_array(target, opened, len(item))
            case dict():
                wire.cbor_map(target, len(item))
                for key in sorted(item, key=lambda key: (len(key.encode()), key.encode())):
                    write(key)
                    write(item[key])

    write(value)
    assert bytes(buffer[capacity:]).strip(b"\xa5") == b""
    return None if writer.overflow else bytes(buffer[: writer.used])


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(width=32)
    | st.floats(width=16)
    | st.text(max_size=30)
    | st.binary(max_size=30)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_cbor_is_written_as_cbor2_writes_it(wire: Any, value: Any) -> None:
    wanted = cbor2.dumps(value, canonical=True)
    if len(wanted) < 4000:
        assert firmware_cbor(wire, value, len(wanted)) == wanted
        assert firmware_cbor(wire, value, len(wanted) - 1) is None


class Item(ctypes.Structure):
    """struct cbor_item."""

    _fields_ = [
        ("kind", ctypes.c_int),
        ("number", ctypes.c_uint64),
        ("real", ctypes.c_float),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
    ]


def found(wire: Any, body: Any, size: int, key: bytes) -> Any:
    """The value of a key: lists and maps as their kind alone; KeyError where it is not there."""
    item = Item()
    if not wire.cbor_find(body, size, key, ctypes.byref(item)):
        raise KeyError(key)
    payload = ctypes.string_at(item.data, item.size) if item.data else b""
    return {
        0: lambda: item.number,
        1: lambda: -1 - item.number,
        2: lambda: payload,
        3: payload.decode,
        4: lambda: list,
        5: lambda: dict,
        6: lambda: bool(item.number),
        7: lambda: None,
        8: lambda: item.real,
    }[item.kind]()


def head(major: int, argument: int, form: int) -> bytes:
    """A head; `form` 0 the shortest, else at least so many bytes of argument."""
    if argument < 24 and form == 0:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if size >= form and argument < 256**size)
    return bytes([major << 5 | 23 + size.bit_length()]) + argument.to_bytes(size, "big")


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> bytes:
    """One of the many ways to spell a value in CBOR."""
    form = draw(st.sampled_from([0, 0, 0, 1, 2, 4, 8]))
    loose = draw(st.integers(0, 3)) == 0
    match value:
        case None | bool():
            return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
        case int():
            return head(0, value, form) if value >= 0 else head(1, -1 - value, form)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str() | bytes():
            major, data = (3, value.encode()) if isinstance(value, str) else (2, value)
            if not loose:
                return head(major, len(data), form) + data
            at = draw(st.integers(0, len(data)))
            pieces = [data[:at], data[at:]]
            return bytes([major << 5 | 31]) + b"".join(head(major, len(p), form) + p for p in pieces) + b"\xff"
        case list():
            items = b"".join(draw(spelled(item)) for item in value)
            return b"\x9f" + items + b"\xff" if loose else head(4, len(value), form) + items
    pairs = b"".join(draw(spelled(key)) + draw(spelled(item)) for key, item in value.items())
    return b"\xbf" + pairs + b"\xff" if loose else head(5, len(value), form) + pairs


def core_body(data: bytes) -> dict[str, Any] | None:
    """What core reads; None where it refuses."""
    try:
        message = SmpMessage.decode(b"\x0a\0" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data)
    except ManagementError:
        return None
    return dict(message.body)


def plain(value: Any) -> Any:
    """As `found` gives it: floats in single precision, lists and maps as their kind."""
    if isinstance(value, float) and not math.isnan(value):
        return (
            ctypes.c_float(value).value
            if math.isinf(value) or abs(value) < 3.4e38
            else math.copysign(3.4028234663852886e38, value)
        )
    return type(value) if isinstance(value, list | dict) else value


def check_reading(wire: Any, data: bytes) -> None:
    """The firmware takes and refuses the bodies that core does, and finds the same values in them."""
    wanted = core_body(data)
    body, size = ctypes.create_string_buffer(data, max(1, len(data))), ctypes.c_size_t(len(data))
    fault = wire.cbor_check(body, ctypes.byref(size))
    assert (fault == 0) == (wanted is not None), (data.hex(), fault, wanted)
    if wanted is None:
        return
    assert size.value <= len(data)
    for key, value in wanted.items():
        if "\0" not in key:
            mine, theirs = found(wire, body, size.value, key.encode()), plain(value)
            assert mine == theirs or (math.isnan(mine) and math.isnan(theirs)), key
    with pytest.raises(KeyError):
        found(wire, body, size.value, b"no such key of a message")


READ_VALUES = st.recursive(
    LEAVES | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.text(max_size=3), READ_VALUES, max_size=5).flatmap(spelled), st.data())
def test_any_spelling_of_a_body_is_read_as_core_reads_it(wire: Any, body: bytes, data: st.DataObject) -> None:
    check_reading(wire, body)
    check_reading(wire, body[: data.draw(st.integers(0, len(body)))])
    check_reading(wire, body + b"\x00")


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.text(max_size=3), READ_VALUES, max_size=4).flatmap(spelled), st.data())
def test_a_damaged_body_is_refused_where_core_refuses_it(wire: Any, body: bytes, data: st.DataObject) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255).filter(lambda byte: byte >> 5 != 6)  # tags are refused here and not always there
        )
    if not any(byte >> 5 == 6 for byte in damaged):
        check_reading(wire, bytes(damaged))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("a16161c100", "other than"),
        ("a16161f7", "other than"),
        ("a2616101616102", "twice"),
        ("a2616101 7f6161ff02", "twice"),
        ("a10102", "no text"),
        ("8101", "no CBOR map"),
        ("a16161" + "81" * 16 + "00", "deeper"),
        ("a1616162ff", "ends before"),
        ("a1616162c328", "not CBOR"),
        ("a16161fc", "not CBOR"),
        ("bf6161ff", "not CBOR"),
        ("a1", "ends before"),
        ("bb" + "ff" * 8, "ends before"),
    ],
)
def test_refusals_of_bodies_are_told_apart(wire: Any, body: str, fault: str) -> None:
    data = bytes.fromhex(body)
    buffer, size = ctypes.create_string_buffer(data, len(data)), ctypes.c_size_t(len(data))
    wire.cbor_fault_text.restype = ctypes.c_char_p
    assert fault in wire.cbor_fault_text(wire.cbor_check(buffer, ctypes.byref(size))).decode()


def test_depth_and_keys_are_bounded(wire: Any) -> None:
    check_reading(wire, bytes.fromhex("a16161" + "81" * 15 + "00"))
    check_reading(wire, bytes.fromhex("a16161" + "81" * 16 + "00"))
    check_reading(wire, cbor2.dumps({str(i): {str(j): 0 for j in range(3)} for i in range(60)}))
    data = cbor2.dumps({str(i): i for i in range(65)})
    buffer, size = ctypes.create_string_buffer(data), ctypes.c_size_t(len(data))
    wire.cbor_fault_text.restype = ctypes.c_char_p
    assert b"64 keys" in wire.cbor_fault_text(wire.cbor_check(buffer, ctypes.byref(size)))
