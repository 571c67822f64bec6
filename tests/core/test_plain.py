"""Dataclasses as JSON and back, and files that are whole or not there."""

import json
import typing
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import RecordingError, StorageError
from thermo_core.recording.plain import from_plain, schema, to_plain
from thermo_core.wire import records
from thermo_host.files import read_whole, replacing, write_whole


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


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError
    assert read_whole(path) == b"old"
    write_whole(path, b"new")
    assert read_whole(path) == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot read"):
        read_whole(tmp_path / "none")
    with pytest.raises(StorageError, match="Cannot write"):
        write_whole(tmp_path / "no" / "folder", b"")
