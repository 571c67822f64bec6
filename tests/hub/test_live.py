"""What travels to live pages, and what waits for a viewer."""

import json
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from thermo_core.signals import Signal
from thermo_hub.live.frames import message, picture_frame
from thermo_hub.live.past import KEPT, Past
from thermo_hub.live.viewers import LIMIT, Viewer

CELSIUS = st.floats(-60, 320, width=32) | st.just(float("nan")) | st.just(float("inf"))


@given(arrays(np.float32, (24, 32), elements=CELSIUS), st.integers(0, 65535), st.integers(0, 2**63))
def test_a_picture_is_the_documented_bytes(values: NDArray[np.float32], stream: int, utc_ns: int) -> None:
    frame = picture_frame(stream, utc_ns, values)
    assert len(frame) == 1547
    assert struct.unpack_from("<BQH", frame) == (1, utc_ns, stream)
    for value, step in zip(values.ravel().tolist(), struct.unpack_from("<768h", frame, 11), strict=True):
        if np.isfinite(value):
            assert abs(step / 100 - value) <= 0.0051
        else:
            assert step == -32768


def test_what_lies_beyond_the_numbers_of_a_picture_is_held_at_their_ends() -> None:
    values = np.array([[400.0, -400.0]], np.float32)
    assert struct.unpack_from("<2h", picture_frame(0, 0, values), 11) == (32767, -32767)


def test_a_message_holds_no_number_that_json_does_not_know() -> None:
    said = json.loads(message("pulse", line={"a": float("nan"), "b": [float("inf"), 1.5]}))
    assert said == {"type": "pulse", "line": {"a": None, "b": [None, 1.5]}}


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=80))
def test_a_slow_viewer_gets_every_message_and_the_newest_picture_of_each_stream(puts: list[tuple[int, bool]]) -> None:
    viewer = Viewer()
    told, newest = [], {}
    for number, (stream, is_picture) in enumerate(puts):
        if is_picture:
            newest[stream] = bytes([stream, number])
            viewer.show(stream, newest[stream], float(number))
        else:
            told.append(str(number))
            viewer.tell(told[-1])
    got = list(viewer.take())
    assert [one for one in got if isinstance(one, str)] == told
    assert sorted(one for one in got if isinstance(one, bytes)) == sorted(newest.values())
    assert viewer.dropped == sum(is_picture for _, is_picture in puts) - len(newest)


def test_a_viewer_who_loses_a_message_is_known_to_have() -> None:
    viewer = Viewer()
    for number in range(LIMIT):
        viewer.tell(str(number))
    assert not viewer.lost
    viewer.tell("one more")
    assert viewer.lost


def test_a_wall_gets_pictures_no_more_often_than_it_asks() -> None:
    viewer = Viewer()
    viewer.every_s = 0.5
    shown = []
    for tick in range(20):
        viewer.show(0, bytes([tick]), tick * 0.125)
        shown += list(viewer.take())
    assert shown == [bytes([tick]) for tick in (0, 4, 8, 12, 16)]


def test_past_seconds_are_means_of_what_came_and_are_told_once() -> None:
    past = Past()
    signal = Signal("spots", (2,), "degC", 2.0, "spots")
    for half in range(20):
        past.add(signal, half * 500_000_000, np.array([half, np.nan], np.float32))
    rows = past.to_map()["spots"]
    assert rows == [[second, 2 * second + 0.5, None] for second in range(10)]
    told: dict[str, int] = {}
    first = past.newest(told)["spots"]
    past.add(signal, 10_000_000_000, np.array([1, 1], np.float32))
    past.add(signal, 11_000_000_000, np.array([1, 1], np.float32))
    second = past.newest(told)["spots"]
    seconds = [row[0] or 0.0 for row in (*first, *second)]
    assert seconds == sorted(set(seconds))


def test_past_is_bounded() -> None:
    past = Past()
    signal = Signal("spot", (), "degC", 1.0, "spot")
    for second in range(3 * KEPT):
        past.add(signal, second * 1_000_000_000, np.array(1.0, np.float32))
    assert len(past.to_map()["spot"]) == KEPT
