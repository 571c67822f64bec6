"""Dataclasses as JSON and back."""

import json
import typing
from dataclasses import dataclass
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import RecordingError
from thermo_core.recording.plain import from_plain, schema, to_plain
from thermo_core.wire import records


class Colour(IntEnum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Inner:
    name: str
    level: float | None


@dataclass(frozen=True)
class Outer:
    number: int
    flag: bool
    data: bytes
    colour: Colour
    inner: tuple[Inner, ...]
    pair: tuple[int, str]


inners = st.builds(Inner, st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False))
outers = st.builds(
    Outer,
    st.integers(),
    st.booleans(),
    st.binary(),
    st.sampled_from(Colour),
    st.lists(inners).map(tuple),
    st.tuples(st.integers(), st.text()),
)


@given(outers)
def test_what_goes_through_json_comes_back(value: Outer) -> None:
    assert from_plain(Outer, json.loads(json.dumps(to_plain(value)))) == value


@pytest.mark.parametrize(
    "change",
    [
        {"number": "one"},
        {"number": True},
        {"data": "not base64!"},
        {"colour": 9},
        {"inner": [{"name": "x"}]},
        {"pair": [1]},
        {"flag": None},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    plain = to_plain(Outer(1, True, b"x", Colour.RED, (), (1, "a")))
    with pytest.raises(RecordingError, match="Outer"):
        from_plain(Outer, {**plain, **change})
    del plain["data"]
    with pytest.raises(RecordingError, match="Outer"):
        from_plain(Outer, plain)


@pytest.mark.parametrize("kind", typing.get_args(records.Record))
def test_the_schema_of_a_record_names_all_its_fields(kind: type) -> None:
    described = schema(kind, kind.__name__)
    assert set(described["properties"]) == set(described["required"]) == set(kind.__dataclass_fields__)
    assert all(described["properties"].values())
