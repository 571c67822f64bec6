"""A wearable without a camera and without a network."""

import contextlib
import os
import select
import time
from collections.abc import Iterator

import numpy as np
import pytest
from chip_wearable import write
from conformance import asked, request
from patience import WAIT_S
from running import KINDS, PATIENCE, Running, hear, of, started

from thermo_core import schema
from thermo_core.errors import RefusedError
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block
from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.records import (
    Record,
    SignalRecord,
    decode,
)
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command, GroupError, StreamOp

pytestmark = pytest.mark.lengthy

MORE = """
[[sensors]]
name = "given"
kind = "external"
rate_hz = 1.0
low = 0.0
high = 10.0
[[sensors]]
name = "right"
kind = "tmp117"
path = ["tca9548a@0x70:7", 0x48]
rate_hz = 4.0
[[stages]]
op = "resample"
of = "motion"
gives = "steady"
rate_hz = 5.0
"""
GIVEN = 6
CHIPPED = {0, 1, 2, 3, 4, 5, 7}
"""Sensors that are chips."""


@pytest.fixture(scope="module", params=KINDS)
def shared_chips(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A wearable without a camera and without a network: chips on the bus and behind a multiplexer, and numbers from outside."""
    folder = tmp_path_factory.mktemp("chips")
    with started(request.param, folder, wearable=write(folder, MORE)) as running:
        yield running


@pytest.fixture
def chips(shared_chips: Running) -> Iterator[Running]:
    with shared_chips.used():
        yield shared_chips


def test_any_wearables_signals_are_what_core_makes_of_its_blocks(chips: Running) -> None:
    names = list(plan(chips.bundle.profile).signals)
    with chips.open() as host:
        assert host.profile_bytes() == schema.to_cbor(chips.bundle.profile)
        states = host.hello().sensors
        assert [state.kind for state in states] == [sensor.kind for sensor in chips.bundle.profile.sensors]
        hear(host, lambda records: {one.sensor for one in of(Block, records)} >= CHIPPED, "all chips")
        assert all(state.fault == "" and state.id for state in host.hello().sensors), host.hello()
        engine = chips.engine(host)
        heard: list[Record] = []
        end = time.monotonic() + 60 * PATIENCE
        wanted = [
            names.index(name) for name in ("pile", "pulse", "motion", "air.rh", "touch", "given", "left", "right")
        ]
        with host.stream() as stream:
            host.choose_signals(wanted)
            host.feed(GIVEN, np.array([4.5], np.float32))
            while {one.signal for one in of(SignalRecord, heard)} != set(wanted) or len(heard) < 120:
                assert time.monotonic() < end, {names[one.signal] for one in of(SignalRecord, heard)}
                seen = stream.get(5.0)
                heard += [] if seen is None else [seen.record]
    theirs = {
        (names.index(name), sample.time_us): sample
        for block in of(Block, heard)
        for produced in engine.push(block).passes
        for name, sample in produced.items()
    }
    shared = [one for one in of(SignalRecord, heard) if (one.signal, one.time_us) in theirs]
    assert {one.signal for one in shared} == set(wanted)
    for one in shared:
        sample = theirs[one.signal, one.time_us]
        np.testing.assert_array_equal(np.float32(one.values), np.float32(sample.values).ravel())
        assert one.flags & ~Quality.STALE == sample.flags & ~Quality.STALE


def test_any_wearable_passes_its_own_tests_and_refuses_what_it_has_not(chips: Running) -> None:
    with chips.open() as host:
        hear(host, lambda records: {one.sensor for one in of(Block, records)} >= CHIPPED, "all chips")
        assert all(result.passed for result in host.self_test())
        for sensor in CHIPPED:
            with pytest.raises(RefusedError):
                host.set_rate(sensor, 3.0)
        with pytest.raises(RefusedError) as refused:
            host.feed(GIVEN, np.array([4.5], np.float32))
        assert (refused.value.group, refused.value.code) == (Group.THERMO, GroupError.NO_LEASE)
        with host.stream():
            for values in ([1.0, 2.0], [1e9]):
                with pytest.raises(RefusedError) as refused:
                    host.feed(GIVEN, np.asarray(values, np.float32))
                assert (refused.value.group, refused.value.code) == (Group.THERMO, GroupError.IMPLAUSIBLE)
        with pytest.raises(RefusedError):
            host.acknowledge(0)


def test_of_samples_given_at_once_each_is_a_block_or_is_refused_as_too_early(chips: Running) -> None:
    """Nothing that was taken is lost, however fast a host gives."""
    many = 80
    value = np.array([7.5], np.float32).tobytes()
    with chips.raw() as port:
        demultiplexer = Demultiplexer()
        start = request(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 10_000})
        assert asked(port, demultiplexer, start).error is None
        data = b"".join(
            encode_packets(
                SmpMessage(
                    SmpHeader(Op.WRITE, Group.THERMO, Command.FEED, number), {"sensor": GIVEN, "values": value}
                ).encode()
            )
            for number in range(many)
        )
        renewal = encode_packets(request(Op.WRITE, Command.STREAM, {"op": StreamOp.RENEW, "lease_ms": 10_000}))
        answers: list[tuple[int | None, int] | None] = []
        fed: list[Block] = []
        renewed = time.monotonic()
        end = renewed + WAIT_S * PATIENCE
        while len(answers) < many or len(fed) < answers.count(None):
            assert time.monotonic() < end, (len(answers), len(fed))
            if time.monotonic() - renewed > 2:
                renewed, data = time.monotonic(), data + renewal
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(port, data[:256]) :] if data else data
            if not select.select([port], [], [], 0.01)[0]:
                continue
            for frame in demultiplexer.feed(os.read(port, 4096)):
                if isinstance(frame, ManagementFrame):
                    answer = SmpMessage.decode(frame.message)
                    answers += [answer.error] if answer.header.command == Command.FEED else []
                else:
                    record = decode(frame.record)[1]
                    fed += [record] if isinstance(record, Block) and record.sensor == GIVEN else []
        assert set(answers) <= {None, (None, ReturnCode.BUSY)}
        assert len({block.index for block in fed}) == len(fed) == answers.count(None)
        asked(port, demultiplexer, request(Op.WRITE, Command.STREAM, {"op": 0}))
