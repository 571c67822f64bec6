"""What travels to live pages, and what waits for a viewer."""

import asyncio
import json
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from thermo_core.signals import Signal
from thermo_core.wire.records import EventRecord
from thermo_core.wire.table import Severity
from thermo_host.sinks.statistics import Statistics
from thermo_hub.bus import Bus
from thermo_hub.events import Announced, Event, Left, Measured, Sampled, Told
from thermo_hub.live.frames import message, picture_frame
from thermo_hub.live.past import KEPT, Past
from thermo_hub.live.presenter import Presenter
from thermo_hub.live.viewers import LIMIT, Viewer
from thermo_hub.store.store import Store
from thermo_hub.wearables.registry import Wearables

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
    second_ns = 1_000_000_000
    assert [row[0] for row in past.newest(told, 8 * second_ns)["spots"]] == list(range(1, 9))  # its newest may grow
    assert past.newest(told, 9 * second_ns) == {}
    assert [row[0] for row in past.newest(told, 10 * second_ns)["spots"]] == [9]
    past.add(signal, 10 * second_ns, np.array([1, 1], np.float32))
    past.add(signal, 12 * second_ns, np.array([1, 1], np.float32))
    assert [row[0] for row in past.newest(told, 13 * second_ns)["spots"]] == [10, 12]


def test_every_sample_of_a_wave_is_told_once_and_seconds_of_it_are_kept() -> None:
    past = Past()
    wave = Signal("wave", (), "nA", 25.0, "pulse")
    for tick in range(1000):
        past.add(wave, tick * 40_000_000, np.array(tick, np.float32))
    rows = past.waves()["wave"]
    assert [row[1] for row in rows] == list(range(749, 1000))
    assert past.waves(998 * 40_000_000)["wave"] == [[39.96, 999.0]]


def test_who_only_tends_wearables_hears_how_they_are_and_not_what_they_measure(store: Store) -> None:
    bus = Bus(asyncio.new_event_loop())
    presenter = Presenter(Wearables(store, bus, lambda: ()))
    watching, tending = Viewer(), Viewer(measures=False)
    for viewer in (watching, tending):
        presenter.open(viewer)
    skin = Signal("spot", (), "degC", 1.0, "spot")
    numbers = Statistics({}, {}, 0, 0, 0, 0, 0, 0, 0.0, 0, 0, None, None, None)
    events: list[Event] = [
        Sampled("one", skin, 5_000_000_000, 0, np.array(34.5, np.float32), 0),
        Told("one", 0, EventRecord(0, 1, Severity.WARNING, None, 1, "something happened")),
        Announced("alert", {"alert": "fever"}, "one"),
        Announced("job", {"job": {"what": "flash"}}, "one"),
        Measured("one", 9_000_000_000, 0.0, False, numbers),
        Left("one", 0, "the port vanished"),
    ]
    for event in events:
        presenter.take(event)
    heard = [json.loads(said) for said in tending.take() if isinstance(said, str)]
    assert [said["type"] for said in heard] == ["event", "job", "pulse", "left"]
    assert "34.5" not in json.dumps(heard)
    assert "34.5" in "".join(said for said in watching.take() if isinstance(said, str))
    tending.show(0, b"a picture", 0.0)
    assert list(tending.take()) == []


def test_past_is_bounded() -> None:
    past = Past()
    signal = Signal("spot", (), "degC", 1.0, "spot")
    for second in range(3 * KEPT):
        past.add(signal, second * 1_000_000_000, np.array(1.0, np.float32))
    assert len(past.to_map()["spot"]) == KEPT
