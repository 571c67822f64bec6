"""Each wearable that comes with the product, on boards: its chips are well, and what they say is understood as core understands it."""

import os
from collections.abc import Iterator

import numpy as np
import pytest
from running import KINDS, PATIENCE, Running, hear, of, started

from thermo_core import schema
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block
from thermo_core.wearable import file, library
from thermo_core.wire.records import FindingRecord, Record, SignalRecord
from thermo_host.link.wearable import Wearable

pytestmark = pytest.mark.lengthy

ALL = "THERMO_BOARDS" in os.environ
ON = tuple(kind for kind in KINDS if ALL or kind not in ("agent", "host"))
"""The agent and the program meet all of them elsewhere (tests/models/test_shipped_live.py)."""
MEASURING = [
    name
    for name in library.names()
    if name != "breast-patch"
    and any(one.bus_path is not None for one in file.read(library.resolve(name)).profile.sensors)
]
"""Those that other tests of this suite are not of, and that are not given everything."""
WORN = MEASURING if ALL else ["monitor"]
"""All of them where boards are asked for: python bench/boards.py --conformance mps2-an386 --only shipped."""
MOST_SIGNALS, LARGEST = 16, 32
WITHIN = 0.01
LEAST = 100


@pytest.fixture(scope="module", params=[(kind, name) for kind in ON for name in WORN], ids="-".join)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kind, name = request.param
    with started(kind, tmp_path_factory.mktemp(name), wearable=name) as board:
        yield board


@pytest.fixture
def host(running: Running) -> Iterator[Wearable]:
    with running.open() as host:
        yield host


def all_chips(running: Running, records: list[Record]) -> bool:
    sensors = enumerate(running.bundle.profile.sensors)
    return {one.sensor for one in of(Block, records)} >= {number for number, one in sensors if one.bus_path is not None}


def test_it_is_what_was_built_and_is_well(running: Running, host: Wearable) -> None:
    hear(host, lambda records: all_chips(running, records), "all chips")
    hello, profile = host.hello(), running.bundle.profile
    assert (hello.profile, hello.serial) == (profile.name, running.serial)
    assert host.profile_bytes() == schema.to_cbor(profile)
    assert [state.kind for state in hello.sensors] == [sensor.kind for sensor in profile.sensors]
    assert [state.fault for state in hello.sensors if state.fault] == []
    assert [one.name for one in host.self_test() if not one.passed] == []


def test_signals_and_findings_are_what_core_makes_of_its_blocks(running: Running, host: Wearable) -> None:
    """From a fresh start, so that neither has seen anything before."""
    host.reset(30.0 * PATIENCE)
    signals = list(plan(running.bundle.profile).signals.values())
    last = [number for number, signal in enumerate(signals) if np.prod(signal.shape) <= LARGEST][-MOST_SIGNALS:]
    heard: list[Record] = []
    with host.stream() as stream:
        host.choose_signals(last)
        while len(of(Block, heard)) < LEAST or not all_chips(running, heard) or not of(SignalRecord, heard):
            seen = stream.get(60.0 * PATIENCE)
            assert seen is not None
            heard.append(seen.record)
    engine = running.engine(host)
    outcomes = [engine.push(block) for block in of(Block, heard)]
    made = {
        (name, sample.time_us): sample
        for outcome in outcomes
        for produced in outcome.passes
        for name, sample in produced.items()
    }
    shown = {(signals[one.signal].name, one.time_us): one for one in of(SignalRecord, heard)}
    assert shown.keys() & made.keys()
    for key in shown.keys() & made.keys():
        np.testing.assert_allclose(shown[key].values, made[key].values.ravel(), atol=WITHIN, err_msg=str(key))
        assert (shown[key].flags ^ made[key].flags) & ~Quality.STALE == 0, key
    said = {(one.finding.model, one.finding.time_us): one.finding for outcome in outcomes for one in outcome.said}
    for one in of(FindingRecord, heard):
        if (one.model, one.time_us) in said:
            np.testing.assert_allclose(one.values, said[one.model, one.time_us].values, atol=2 * WITHIN)
