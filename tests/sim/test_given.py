"""What a world gives to sensors that are no chips: its courses, when their samples come, and how agents and boards get them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core import schema
from thermo_core.errors import ThermoError
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.kind import Block
from thermo_core.signals import Values
from thermo_core.wearable.profile import Profile
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, encode_frame
from thermo_core.wire.management import Feed, Person, StreamAnswer, read
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_device.scheduler import FED_US
from thermo_sim.clock import GivingClock, VirtualClock
from thermo_sim.given import Course, Decay, Given, Giver, Wave
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.tap import Tap
from thermo_sim.world_file import World, load_world

PULSE = ExternalSettings(name="pulse", unit="bpm", rate_hz=50.0, low=20.0, high=250.0)
FACE = ExternalSettings(name="face", shape=(2,), unit="degC", low=0.0, high=60.0)
OUTSIDE = schema.from_plain(
    {
        "name": "outside",
        "version": "1",
        "person": ["age_years"],
        "sensors": [
            {"kind": "external", "name": "pulse", "unit": "bpm", "rate_hz": 50.0, "low": 20, "high": 250},
            {"kind": "external", "name": "face", "shape": [2], "unit": "degC", "low": 0, "high": 60},
        ],
        "models": [],
    },
    Profile,
    "profile",
)


def _world(folder: Path, text: str) -> World:
    (folder / "mine.toml").write_text('about = "x"\n' + text)
    return load_world(str(folder / "mine.toml"))


def test_a_course_is_its_level_with_what_comes_upon_it() -> None:
    waves, decays = (Wave(size=2.0, period_s=4.0),), (Decay(size=10.0, tau_s=2.0),)
    course = Course(Given(constant=60.0, waves=waves, decays=decays, lasts_s=3.0), PULSE, 0)
    times_s = np.arange(150) / 50
    truth = 60 + 2 * np.sin(np.pi / 2 * times_s) + 10 * np.exp(-times_s / 2)
    said = np.concatenate([course.at(number) for number in range(300)])
    np.testing.assert_allclose(said, np.tile(truth, 2), rtol=1e-6)


def test_noise_is_of_its_size_and_stays_within_what_the_sensor_takes() -> None:
    course = Course(Given(constant=(30.0, 60.0), noise=0.5, every_s=1.0), FACE, 3)
    said = np.array([course.at(number) for number in range(2000)])
    assert said[:, 0].std() == pytest.approx(0.5, rel=0.1) and said[:, 0].mean() == pytest.approx(30, abs=0.05)
    assert said.max() == 60.0
    assert np.array_equal(course.at(7), Course(Given(constant=(30.0, 60.0), noise=0.5, every_s=1.0), FACE, 3).at(7))
    assert not np.array_equal(course.at(7), Course(Given(constant=(30.0, 60.0), noise=0.5, every_s=1.0), FACE, 4).at(7))


def test_a_table_is_given_row_by_row_over_and_over(tmp_path: Path) -> None:
    (tmp_path / "face.csv").write_text("nose,brow\n33.5,34\n,34.5\n")
    given = _world(tmp_path, '[given.face]\ntable = "face.csv"\nevery_s = 2.0').given["face"]
    course = Course(given, FACE, 0)
    assert course.period_s == 2.0
    assert [course.at(number).tolist() for number in (0, 2)] == [[33.5, 34.0]] * 2
    assert np.isnan(course.at(1)[0]) and course.at(3)[1] == 34.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[given.nose]\nconstant = 30.0", "nose; of outside pulse, face come from outside"),
        ("[given.face]\nconstant = 30.0", "no rate of its own; say every_s"),
        ("[given.face]\nconstant = [30.0]\nevery_s = 1.0", "1 numbers; a sample of it has 2"),
        ("[given.pulse]\nconstant = 300.0", "300; it can be 20 to 250"),
        ("[given.pulse]\nrows = [[60.0], [10.0]]", "10; it can be 20 to 250"),
        ("[given.pulse]\nconstant = 60.0\nrows = [[60.0]]", "as a table and as a level"),
        ("[given.pulse]\nwaves = [{ size = 1.0, period_s = 0.0 }]", "period_s"),
        ('[given.pulse]\ntable = "absent.csv"', r"absent\.csv cannot be read"),
        ('[given.pulse]\ntable = "words.csv"', r"words\.csv, line 2: 'sixty' is no row of numbers"),
        ('[given.pulse]\ntable = "empty.csv"', r"empty\.csv has no rows"),
        ("pace = 0.0", "pace"),
        ("[wearer]\nage_years = 300.0", "age_years is 300"),
        ("[wearer]\nshoes = 42.0", "shoes"),
    ],
)
def test_what_cannot_be_given_is_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "words.csv").write_text("pulse\nsixty\n")
    (tmp_path / "empty.csv").write_text("pulse\n\n")
    with pytest.raises(ThermoError, match=said) as caught:
        SimulatedHardware(OUTSIDE, _world(tmp_path, text))
    assert "\n" not in str(caught.value)


def _giver(pace: float = 1.0) -> Giver:
    courses = {
        "pulse": Course(Given(constant=60.0), PULSE, 0),
        "face": Course(Given(rows=((30.0, 31.0), (32.0, 33.0)), every_s=0.06), FACE, 0),
    }
    return Giver(courses, pace)


class _Taken:
    """What was given, and when."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, str]] = []
        self.now_us = 0

    def __call__(self, sensor: str, values: Values) -> None:
        self.samples.append((self.now_us, sensor))


def test_samples_come_at_their_time_in_the_order_of_the_profile_while_somebody_listens() -> None:
    giver, taken = _giver(pace=2.0), _Taken()
    assert giver.names == ("pulse", "face")
    while (due_us := giver.due_us()) is not None and due_us < 200_000:
        taken.now_us = due_us
        giver.give(due_us, due_us >= 100_000, taken)
    assert taken.samples[:2] == [(100_000, "pulse"), (100_000, "face")]
    assert [time for time, name in taken.samples if name == "pulse"] == list(range(100_000, 200_000, 10_000))
    assert [time for time, name in taken.samples if name == "face"] == list(range(100_000, 200_000, 30_000))


@settings(deadline=None)
@given(st.lists(st.integers(0, 400_000), max_size=30))
def test_who_drives_it_late_gets_no_heap(waits_us: list[int]) -> None:
    giver, taken = _giver(), _Taken()
    for wait_us in waits_us:
        due_us = giver.due_us()
        assert due_us is not None
        taken.now_us = max(taken.now_us, due_us) + wait_us
        giver.give(taken.now_us, True, taken)
    times = [time for time, name in taken.samples if name == "pulse"]
    assert all(later - sooner >= 10_000 - 1 for sooner, later in pairwise(times))


def test_an_agent_takes_every_sample_within_a_few_milliseconds() -> None:
    clock, taken = VirtualClock(), {"face": 0, "pulse": 0}
    giving = GivingClock(clock, _giver(), lambda: True, lambda sensor, values: _feed(pipeline, taken, sensor, values))
    simulated = SimulatedHardware(OUTSIDE, World(about="x"), clock=clock)
    pipeline = Pipeline(Hardware(simulated.bus, giving, "outside", "1", True), OUTSIDE, inline=True)
    pipeline.start()
    heard: list[Block] = []
    while clock.now_us() < 4_000_000:
        for record in pipeline.step():
            if isinstance(record, Block):
                assert clock.now_us() - record.time_us <= FED_US
                heard.append(record)
    times = np.array([block.time_us for block in heard if block.sensor == 0])
    assert abs(len(times) - 200) <= 1 and abs(taken["pulse"] - len(times)) <= 1
    assert (np.diff(times) == 20_000).all()


def _feed(pipeline: Pipeline, taken: dict[str, int], sensor: str, values: Values) -> None:
    taken[sensor] += pipeline.feed(0 if sensor == "pulse" else 1, values)


# A board's serial line.


class _Line:
    """A board that answers requests, and a host's ear."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self.person: dict[str, float] = {}
        self.fed: list[Feed] = []
        self.heard = b""

    def turn(self) -> None:
        """One request of the tap, if it has one, and its answer."""
        asked = self._tap.to_board()
        if not asked:
            return
        (line,) = messages_of(asked)
        header, body = line.header, line.body
        answer: dict[str, object] = {}
        if header.command == Command.FEED:
            self.fed.append(read(Feed, body))
        else:
            assert header.command == Command.PERSON
            if header.op is Op.WRITE:
                self.person |= read(Person, body).person
            answer = Person(person=self.person).to_map()
        self.say(encode_packets(SmpMessage(header.to_response(), answer).encode()))

    def say(self, data: bytes) -> None:
        """Something from the board to the host."""
        self.heard += self._tap.from_board(data)


def messages_of(data: bytes) -> list[SmpMessage]:
    """Messages of a stretch of the line."""
    frames = Demultiplexer().feed(data)
    return [SmpMessage.decode(frame.message) for frame in frames if isinstance(frame, ManagementFrame)]


def _started(sequence: int = 3, lease_ms: int = 3000) -> bytes:
    header = SmpHeader(Op.WRITE_RESPONSE, Group.THERMO, Command.STREAM, sequence)
    return encode_packets(SmpMessage(header, StreamAnswer(lease_ms=lease_ms, time_us=5).to_map()).encode())


def test_a_board_is_told_of_its_wearer_and_given_samples_while_a_host_streams() -> None:
    clock = VirtualClock()
    line = _Line(tap := Tap(["pulse", "face"], _giver(), {"age_years": 34.0}, clock.now_us))
    assert not tap.told.is_set()
    for _ in range(4):
        line.turn()
    assert tap.told.is_set() and line.person == {"age_years": 34.0}
    clock.sleep_until_us(1_000_000)
    line.turn()
    assert not line.fed and line.heard == b""
    line.say(_started())
    clock.sleep_until_us(1_100_000)
    for _ in range(3):
        line.turn()
    assert [feed.sensor for feed in line.fed] == [0, 1]
    assert np.frombuffer(line.fed[1].values, "<f4").tolist() == [30.0, 31.0]
    assert line.heard == _started(), "the host hears of nothing that was asked beside it"


def test_what_is_known_of_the_wearer_stays() -> None:
    line = _Line(tap := Tap(["pulse"], _giver(), {"age_years": 34.0}, VirtualClock().now_us))
    line.person = {"age_years": 50.0}
    for _ in range(3):
        line.turn()
    assert tap.told.is_set() and line.person == {"age_years": 50.0}


def test_a_sensor_that_a_host_feeds_is_the_hosts() -> None:
    clock = VirtualClock()
    line = _Line(tap := Tap(["pulse", "face"], _giver(), {}, clock.now_us))
    line.say(_started())
    values = np.array([70.0], "<f4").tobytes()
    header = SmpHeader(Op.WRITE, Group.THERMO, Command.FEED, 9)
    request = encode_packets(SmpMessage(header, Feed(sensor=0, values=values).to_map()).encode())
    assert tap.from_host(request) == request
    for _ in range(20):
        clock.sleep_until_us(clock.now_us() + 20_000)
        line.turn()
    assert line.fed and {feed.sensor for feed in line.fed} == {1}


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.integers(0, 255)), max_size=12),
    st.lists(st.integers(1, 60), max_size=40),
)
def test_all_but_its_own_answers_passes_byte_for_byte(said: list[bytes | int], cuts: list[int]) -> None:
    """Frames of telemetry and answers to the host, whatever they hold and wherever reads end."""
    tap = Tap(["pulse"], _giver(), {"age_years": 34.0}, VirtualClock().now_us)
    (own,) = messages_of(tap.to_board())
    answer = encode_packets(SmpMessage(own.header.to_response(), Person(person={}).to_map()).encode())
    wanted, line = b"", b""
    for place, one in enumerate(said):
        if isinstance(one, int):
            header = SmpHeader(Op.READ_RESPONSE, Group.OS, 0, one)
            piece = encode_packets(SmpMessage(header, {"r": "x" * one}).encode())
        else:
            piece = encode_frame(b"\x02\x02" + one)
        wanted += piece
        line += piece
        if place == len(said) // 2:
            line += answer
    heard, at = b"", 0
    for cut in [*cuts, len(line)]:
        heard += tap.from_board(line[at : at + cut])
        at += cut
    assert heard == wanted
    assert not said or [message.body for message in messages_of(tap.to_board())] == [{"person": {"age_years": 34.0}}]
