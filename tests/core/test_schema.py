"""Plain maps to typed values and back: equal values have equal bytes, and whatever is wrong is named."""

from typing import Annotated, Literal

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from thermo_core import schema
from thermo_core.errors import SchemaError
from thermo_core.schema import Floats, Name, Record, Text


class Circle(Record, frozen=True, tag_field="shape", tag="circle"):
    name: Name
    radius: Annotated[int, Meta(ge=1, le=255)] = 1


class Polygon(Record, frozen=True, tag_field="shape", tag="polygon"):
    name: Name
    sides: Floats
    kind: Literal["open", "closed"] = "closed"


class Drawing(Record, frozen=True):
    title: Text
    parts: tuple[Circle | Polygon, ...]


circles = st.builds(Circle, name=st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True), radius=st.integers(1, 255))
numbers = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20)
polygons = st.builds(
    Polygon,
    name=st.just("p"),
    sides=numbers.map(Floats),
    kind=st.sampled_from(["open", "closed"]),
)
drawings = st.builds(Drawing, title=st.just("a drawing"), parts=st.lists(circles | polygons, max_size=5).map(tuple))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(drawings)
def test_values_come_back_from_cbor_and_from_readable_maps(drawing: Drawing) -> None:
    data = schema.to_cbor(drawing)
    assert schema.from_cbor(data, Drawing, "drawing", canonical=True) == drawing
    assert schema.from_plain(schema.to_readable(drawing), Drawing, "drawing") == drawing


@given(drawings, st.data())
def test_any_flipped_bit_is_refused_or_another_value(drawing: Drawing, data: st.DataObject) -> None:
    encoded = bytearray(schema.to_cbor(drawing))
    bit = data.draw(st.integers(0, 8 * len(encoded) - 1))
    encoded[bit // 8] ^= 1 << bit % 8
    try:
        value = schema.from_cbor(bytes(encoded), Drawing, "drawing", canonical=True)
    except SchemaError:
        return
    assert schema.to_cbor(value) == bytes(encoded)


@given(plain)
def test_whatever_comes_is_a_value_or_a_sentence(data: object) -> None:
    with pytest.raises(SchemaError, match=r"^drawing.*; sign it again\.$"):
        schema.from_plain(data, Drawing, "drawing", "sign it again")


@given(st.binary(max_size=40))
def test_bytes_that_are_no_drawing_are_refused(data: bytes) -> None:
    with pytest.raises(SchemaError):
        schema.from_cbor(data, Drawing, "drawing")


@pytest.mark.parametrize(
    ("part", "path", "said"),
    [
        ({"shape": "circle", "name": "a", "radius": 256}, ".parts[0].radius", "must be a whole number <= 255"),
        ({"shape": "circle", "name": "a", "radius": 0}, ".parts[0].radius", "must be a whole number >= 1"),
        ({"shape": "circle", "name": "a", "radius": 1.5}, ".parts[0].radius", "must be a whole number, not a number"),
        ({"shape": "circle"}, ".parts[0]", "name is missing"),
        ({"shape": "circle", "name": "a", "r": 1}, ".parts[0].r", "is not a field there"),
        ({"shape": "square", "name": "a"}, ".parts[0].shape", "'square' is none of circle, polygon"),
        ({"name": "a"}, ".parts[0]", "shape is missing"),
        (
            {"shape": "polygon", "name": "a", "sides": [1], "kind": "shut"},
            ".parts[0].kind",
            "'shut' is none of closed, open",
        ),
        (
            {"shape": "polygon", "name": "a", "sides": []},
            ".parts[0].sides",
            "must be a list of 1 to 65536 finite numbers",
        ),
        ({"shape": "polygon", "name": "a", "sides": b"123"}, ".parts[0].sides", "whole float32 numbers"),
        ({"shape": "circle", "name": "A b"}, ".parts[0].name", "lower-case letters"),
    ],
)
def test_the_field_is_named(part: dict[str, object], path: str, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        schema.from_plain({"title": "x", "parts": [part]}, Drawing, "drawing")
    assert caught.value.path == path
    assert said in str(caught.value)
    assert path in str(caught.value)


@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "a\nb", "\u202eabc", "\x9b31m", ""])
def test_text_that_acts_on_a_terminal_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match=r"drawing\.title"):
        schema.from_plain({"title": text, "parts": []}, Drawing, "drawing")


def test_cbor_of_another_form_is_refused() -> None:
    data = {"title": "x", "parts": []}
    schema.from_cbor(cbor2.dumps(data, canonical=True), Drawing, "drawing", canonical=True)
    for other in (
        cbor2.dumps({"parts": [], "title": "x"}) + b"\x00",
        cbor2.dumps(data),
        b"\xbf" + cbor2.dumps(data, canonical=True)[1:] + b"\xff",
    ):
        with pytest.raises(SchemaError):
            schema.from_cbor(other, Drawing, "drawing", canonical=True)


def test_constants_are_those_of_float32() -> None:
    floats = Floats([0.1, 1e30])
    assert floats.array.tolist() == [float(np.float32(0.1)), float(np.float32(1e30))]
    assert not floats.array.flags.writeable
    for bad in ([], [float("nan")], [1e39], [float("inf")]):
        with pytest.raises(SchemaError):
            Floats(bad)


def test_the_published_schema_has_the_limits() -> None:
    published = schema.json_schema(Drawing, "Drawing")
    assert published["$defs"]["Circle"]["properties"]["radius"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 255,
        "default": 1,
    }
    assert published["$defs"]["Polygon"]["additionalProperties"] is False


@given(st.text(max_size=40).filter(lambda name: name not in ("title", "parts")))
def test_a_field_that_is_not_known_is_refused_as_that_whatever_its_name(name: str) -> None:
    with pytest.raises(SchemaError, match="is not a field there; correct it") as refused:
        schema.from_plain({"title": "t", "parts": [], name: 1}, Drawing, "drawing")
    assert refused.value.path == f".{name}"


@pytest.mark.parametrize("name", ["", "\n", "a\nb", "two\n\nlines\n", "`", "a` - at `$.title"])
def test_names_of_any_characters_are_fields_that_are_not_known(name: str) -> None:
    with pytest.raises(SchemaError, match="is not a field there; correct it"):
        schema.from_plain({"title": "t", "parts": [], name: 1}, Drawing, "drawing")
