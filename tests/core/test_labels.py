"""Files of labels: what is written is read, and what is none is refused with a sentence."""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import StorageError, UsageError
from thermo_core.labels import (
    About,
    Item,
    Labels,
    Opinion,
    Range,
    Reading,
    Shape,
    area,
    check_opinion,
    holds,
    read_labels,
    to_bytes,
)

CLASSES = ("no lesion", "lesion")


def item(number: int, opinion: Opinion, person: str = "p") -> Item:
    reading = Reading(at_ns=1, by="ada", kind="first", blinded=True, opinion=opinion)
    return Item(
        id=str(number), person=person, from_ns=0, to_ns=100, opinion=opinion, adjudicated=False, readings=(reading,)
    )


def labels(*opinions: Opinion) -> Labels:
    about = About(
        profile="breast-patch", model="lesion", classes=CLASSES, items=tuple(map(item, range(len(opinions)), opinions))
    )
    of = np.repeat(np.arange(len(opinions)), 3)
    times = np.tile(np.array([10, 50, 90], np.int64), len(opinions))
    return Labels(about, of, times, {"calm": np.arange(len(of) * 6, dtype=np.float32).reshape(-1, 2, 3)})


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    shape = Shape(kind="polygon", signal="skin", points=((0.5, 1.5), (3.0, 1.5), (3.0, 4.0)))
    written = labels(Opinion(label="lesion", shapes=(shape,)), Opinion(label=None), Opinion(label="no lesion"))
    path = tmp_path / "labels.npz"
    path.write_bytes(to_bytes(written))
    read = read_labels(path)
    assert read.about == written.about
    assert (read.items == written.items).all() and (read.utc_ns == written.utc_ns).all()
    assert (read.signals["calm"] == written.signals["calm"]).all()


def test_a_class_holds_in_its_times_and_none_where_nobody_can_tell() -> None:
    timed = Opinion(label="lesion", ranges=(Range(from_ns=0, to_ns=10), Range(from_ns=80, to_ns=100)))
    found = labels(timed, Opinion(label=None), Opinion(label="no lesion")).within()
    assert found.tolist() == [True, False, True, False, False, False, True, True, True]
    assert not holds(Opinion(label=None), 5)


def altered(**arrays: Any) -> bytes:
    content = io.BytesIO(to_bytes(labels(Opinion(label="lesion"))))
    with np.load(content) as file:
        whole = {name: file[name] for name in file.files} | arrays
    changed = io.BytesIO()
    np.savez(changed, **{name: values for name, values in whole.items() if values is not None})
    return changed.getvalue()


ABOUT = bytes(np.load(io.BytesIO(to_bytes(labels(Opinion(label="lesion")))))["about"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (altered(about=None), "no file of `thermo-hub labels export`"),
        (altered(item=None), "lacks 'item'"),
        (altered(item=np.array([0, 0, 1])), "names windows that it does not hold"),
        (altered(item=np.array([0.0, 0, 0])), "names windows that it does not hold"),
        (altered(**{"signal.calm": np.zeros((2, 2, 3), np.float32)}), "not one sample of float32 a moment"),
        (altered(**{"signal.calm": np.zeros((3, 2, 3))}), "not one sample of float32 a moment"),
        (altered(about=np.array("text")), "about is no text"),
        (altered(about=np.frombuffer(b"{", np.uint8)), "is no JSON"),
        (altered(about=np.frombuffer(ABOUT.replace(b'"label":"lesion"', b'"label":"fever"'), np.uint8)), "none of its classes"),
        (altered(about=np.frombuffer(ABOUT.replace(b"labels 1", b"labels 2"), np.uint8)), "format"),
        (altered(about=np.frombuffer(ABOUT.replace(b'"blinded":true', b'"blinded":1'), np.uint8)), "blinded"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_labels_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "labels.npz"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r".+") as told:
        read_labels(path)
    assert words in str(told.value)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_damage_gives_a_sentence_and_never_a_traceback(tmp_path_factory: Any, junk: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    whole = to_bytes(labels(Opinion(label="lesion")))
    for data in (junk, whole[:at], whole[:at] + junk + whole[at + len(junk) :]):
        path.write_bytes(data)
        try:
            read_labels(path)
        except (UsageError, StorageError) as error:
            assert str(error).endswith(".")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=8, unique=True))
def test_the_area_of_a_polygon_is_that_of_its_triangles(points: list[tuple[int, int]]) -> None:
    shape = Shape(kind="polygon", signal="skin", points=tuple((float(x), float(y)) for x, y in points))
    (x0, y0), twice = points[0], 0
    for (x1, y1), (x2, y2) in pairwise(points[1:]):
        twice += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    assert area(shape) == pytest.approx(abs(twice) / 2)


def test_an_opinion_inside_its_window_is_taken() -> None:
    shapes = (Shape(kind="box", signal="skin", points=((0.0, 0.0), (32.0, 24.0))),)
    opinion = Opinion(label="lesion", shapes=shapes, ranges=(Range(from_ns=5, to_ns=9),))
    check_opinion(opinion, CLASSES, (5, 9), {"skin": (24, 32)})
    with pytest.raises(UsageError, match="leaves the window"):
        check_opinion(opinion, CLASSES, (6, 9), {"skin": (24, 32)})
