"""The engine: what another sensor, a pause or a gap does to what was concluded before."""

import numpy as np

from thermo_core import schema
from thermo_core.graph.alerts import AlertState
from thermo_core.graph.engine import Engine
from thermo_core.graph.plan import plan
from thermo_core.sensors.external.kind import encode
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.wearable.profile import Profile

PROFILE = schema.from_plain(
    {
        "name": "room",
        "version": "1",
        "sensors": [{"kind": "external", "name": "air", "unit": "degC", "rate_hz": 1.0}],
        "stages": [{"op": "average", "of": "air", "gives": "calm", "pictures": 2}],
        "alerts": [{"name": "hot", "when": "calm > 30", "for": {"findings": 3}}],
    },
    Profile,
    "profile",
)


class Room:
    """An engine that is told of the air each second."""

    def __init__(self) -> None:
        self.engine = Engine(plan(PROFILE), {})
        self.engine.open(0, SensorConstants(1, b""), None)
        self.seconds = 0
        self.number = 1

    def tell(self, celsius: float, wait_s: int = 1) -> list[AlertState]:
        """Steps of the alert."""
        self.seconds += wait_s
        block = Block(self.seconds * 1_000_000, 0, self.number, self.seconds, encode(np.array([celsius], np.float32)))
        return [change.state for change in self.engine.push(block).changes]


def steps(room: Room, *celsius: float) -> list[AlertState]:
    return [state for one in celsius for state in room.tell(one)]


def test_an_alert_is_raised_after_as_many_in_a_row() -> None:
    assert steps(Room(), 35, 35, 35, 35) == [AlertState.PENDING, AlertState.RAISED]


def test_what_another_sensor_said_does_not_count_towards_an_alert() -> None:
    room = Room()
    assert steps(room, 35, 35, 35) == [AlertState.PENDING]
    room.number = 2
    room.engine.open(0, SensorConstants(2, b""), None)
    assert steps(room, 35) == [], "a mean of two begins anew"
    assert steps(room, 35) == [AlertState.CLEAR, AlertState.PENDING]
    assert steps(room, 35, 35) == [AlertState.RAISED]
    room.number = 3
    room.engine.open(0, SensorConstants(3, b""), None)
    assert steps(room, 35, 35, 35) == [], "one that is raised stays raised"
    assert steps(room, 10, 10) == [AlertState.CLEAR]


def test_what_came_before_a_gap_does_not_count_towards_an_alert() -> None:
    room = Room()
    assert steps(room, 35, 35, 35) == [AlertState.PENDING]
    assert room.tell(35, wait_s=60) == []
    assert steps(room, 35) == [AlertState.CLEAR, AlertState.PENDING]


def test_blocks_of_constants_that_are_not_open_give_nothing() -> None:
    room = Room()
    room.number = 2
    assert steps(room, 35, 35, 35, 35) == []
    assert room.engine.undecodable == [0]
