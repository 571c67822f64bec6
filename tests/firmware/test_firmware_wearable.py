"""The firmware's whole main loop on simulated sensors in simulated time; the host's and core's code judge what it says."""

import ctypes
import hashlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from bundles import IMAGE, breast_patch
from wearable_asked import CAMERA, SPOTS, Make, blocks, engine_for, hello, identity, of, read, subpages, write

from thermo_core import schema
from thermo_core.image import parse
from thermo_core.sensors.ads1115_ntc import codec as scans
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.version import software_version
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import (
    ClockRecord,
    EventRecord,
)
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, GroupError

MOST_BYTES = 29_000
"""Of RAM for all state but what the graph, the stack and the rings of the line take."""


def test_it_says_what_it_is(make: Make) -> None:
    wearable = make()
    wearable.listen()
    wearable.run(1.5)
    said = hello(wearable)
    words = wearable.hardware.chip.cells.words
    camera, spots = said.sensors
    assert camera.id == words[7:10].astype(">u2").tobytes()
    assert (camera.kind, camera.rate_hz, camera.corrected, camera.fault) == ("mlx90640", 16.0, False, "")
    assert (spots.kind, spots.rate_hz, len(spots.id)) == ("ads1115-ntc", 2.0, 8)
    assert read(wearable, Command.CONSTANTS, sensor=CAMERA) == words.astype("<u2").tobytes()
    assert wearable.ask(Command.CONSTANTS, {"sensor": CAMERA})["constants"] == camera.constants >= 1
    assert read(wearable, Command.CONSTANTS, sensor=SPOTS) == b""
    image = parse(IMAGE.read_bytes())
    profile = read(wearable, Command.PROFILE)
    assert schema.from_cbor(profile, Profile, "profile") == breast_patch().profile
    assert said.profile_sha256 == hashlib.sha256(profile).digest()
    assert (said.profile, said.software, said.simulated) == ("breast-patch", software_version(), True)
    assert (said.bundle, said.bundle_sha256, said.development_key) == (str(image.version), image.sha256, True)


def test_the_os_group_names_the_boards_processor(make: Make) -> None:
    answer = make().ask(7, {"format": "pm"}, group=0)
    assert answer["output"] == "test harness harness-isa"


def test_nothing_is_sent_without_a_lease_and_nothing_after_it(make: Make) -> None:
    wearable = make()
    assert wearable.run(1.0) == []
    wearable.listen(lease_ms=1000)
    found = wearable.run(3.0)
    assert blocks(found, CAMERA)
    assert max(record.time_us for record in found) < found[0].time_us + 1_200_000
    assert wearable.ask(Command.COUNTERS)["counters"]["leases_expired"] == 1
    refused = wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 1000}, Op.WRITE)
    assert refused["err"]["rc"] == GroupError.NO_LEASE
    assert wearable.run(1.0) == []


def test_every_page_arrives_once_with_the_counts_the_sensor_measured(make: Make) -> None:
    wearable = make()
    chip = wearable.hardware.chip
    measured: list[np.ndarray[Any, Any]] = []
    measure = chip.radiometry.measure

    def observed(*arguments: Any) -> Any:
        result = measure(*arguments)
        measured.append(result.pixels.copy().ravel())
        return result

    chip.radiometry.measure = observed
    wearable.listen(lease_ms=10_000)
    pages = subpages(wearable.run(5.0))
    assert len(pages) > 60
    assert all(after.index - before.index == 1 for before, after in pairwise(pages))
    periods = np.diff([page.time_us for page in pages])
    assert np.abs(periods - np.median(periods)).max() < 1500
    own = [np.flatnonzero((np.add.outer(np.arange(24), np.arange(32)) % 2 == number).ravel()) for number in (0, 1)]
    for page in pages:
        pixels = page.words[own[page.number]]
        assert any(np.array_equal(pixels, truth) for truth in measured)


def test_thermistors_read_what_the_bath_has(make: Make) -> None:
    wearable = make()
    wearable.hardware.set_bath(36.5)
    wearable.listen()
    found = wearable.run(2.0)
    engine = engine_for(wearable)
    scanned = blocks(found, SPOTS)
    assert len(scanned) >= 3
    assert all(len(scans.decode(one.data, 4)) == 4 for one in scanned)
    samples = [produced["spots"] for one in scanned for produced in engine.push(one).passes]
    # The simulated thermistors differ from the profile's curve as real ones do.
    assert all(np.abs(sample.values - 36.5).max() < 0.6 for sample in samples)


def test_a_full_line_costs_records_that_are_counted_and_then_key_frames(make: Make) -> None:
    wearable = make(bytes_per_s=2500.0)
    wearable.listen(lease_ms=10_000)
    for _ in range(3):  # long enough for some whatever the noise is
        wearable.run(8.0)
        assert "err" not in wearable.ask(Command.STREAM, {"op": 2, "lease_ms": 10_000}, Op.WRITE)
    sequences = [sequence for sequence, _ in wearable.telemetry]
    gaps = sum(after - before - 1 for before, after in pairwise(sequences))
    dropped = wearable.ask(Command.COUNTERS)["counters"]["telemetry_dropped"]
    assert gaps > 10
    assert 0 <= dropped - gaps <= 60
    pages = blocks([record for _, record in wearable.telemetry], CAMERA)
    assert sum(codec.decode(page.data, page.index).key for page in pages) >= 4


def test_a_correction_is_checked_used_kept_and_rolled_back(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    first = replace(PixelCorrection.identity(Stamp(identity(wearable))), offset=np.full((24, 32), 0.5, np.float32))
    second = replace(first, offset=np.full((24, 32), -0.5, np.float32))
    others = to_bytes(PixelCorrection.identity(Stamp(b"others")))
    assert write(wearable, others)["err"]["rc"] == GroupError.WRONG_SENSOR
    assert "6f7468657273 and skin is" in wearable.ask(Command.REFUSAL)["reason"]
    assert write(wearable, to_bytes(first)[:-1] + b"\0")["err"]["rc"] == GroupError.DAMAGED
    wild = replace(first, offset=np.full((24, 32), 5.0, np.float32))
    assert write(wearable, to_bytes(wild))["err"]["rc"] == GroupError.IMPLAUSIBLE
    assert write(wearable, to_bytes(first), sensor=SPOTS)["err"]["rc"] == GroupError.DAMAGED
    assert write(wearable, to_bytes(first), sensor=9)["err"]["rc"] == GroupError.NO_SENSOR
    assert not hello(wearable).sensors[CAMERA].corrected
    for correction in (first, second):
        assert write(wearable, to_bytes(correction)) == {"off": len(to_bytes(correction))}
    assert read(wearable, Command.CORRECTION, slot=0) == to_bytes(second)
    assert read(wearable, Command.CORRECTION, slot=1) == to_bytes(first)
    assert wearable.ask(5, {}, Op.WRITE, group=0) == {}
    wearable.run(0.5)
    assert hello(wearable).sensors[CAMERA].corrected
    assert wearable.ask(Command.COUNTERS)["counters"]["resets"] == 1
    assert wearable.ask(Command.ROLLBACK, {"sensor": CAMERA}, Op.WRITE) == {}
    assert read(wearable, Command.CORRECTION, slot=0) == to_bytes(first)
    assert wearable.ask(Command.ROLLBACK, {"sensor": SPOTS}, Op.WRITE)["err"]["rc"] == GroupError.NO_CORRECTION


def test_the_rate_is_set_and_refused_as_by_the_agent(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    answer = wearable.ask(Command.RATE, {"rate_hz": 4.0, "sensor": CAMERA}, Op.WRITE)
    assert answer == {"rate_hz": 4.0, "sensor": CAMERA}
    pages = subpages(wearable.run(4.0))
    assert np.median(np.diff([page.time_us for page in pages])) == pytest.approx(250_000, rel=0.1)
    refused = wearable.ask(Command.RATE, {"rate_hz": 7.0}, Op.WRITE)
    assert refused["err"] == {"group": 65, "rc": GroupError.BAD_RATE}
    assert "0.5, 1, 2, 4, 8, 16, 32, 64" in wearable.ask(Command.REFUSAL)["reason"]
    assert wearable.ask(Command.RATE, {"rate_hz": 4.0, "sensor": SPOTS}, Op.WRITE)["err"]["rc"] == GroupError.BAD_RATE
    events = of(EventRecord, [record for _, record in wearable.telemetry])
    assert [(event.code, event.count) for event in events] == [(100, 1), (100, 2)]
    wearable.ask(Command.RATE, {"rate_hz": 7.0}, Op.WRITE)
    assert of(EventRecord, [record for _, record in wearable.telemetry])[-1].count == 3


def test_refusals_while_nobody_listens_are_told_by_the_last_and_their_number(make: Make) -> None:
    wearable = make()
    wearable.run(0.5)
    for body in ({"rate_hz": 7.0}, {"rate_hz": 9.0}):
        assert "err" in wearable.ask(Command.RATE, body, Op.WRITE)
    wearable.listen()
    wearable.run(0.2)
    (event,) = of(EventRecord, [record for _, record in wearable.telemetry])
    assert (event.code, event.count, event.sensor) == (100, 2, None)
    assert "9.00 Hz" in event.text


def test_clock_records_count_what_was_captured(make: Make) -> None:
    wearable = make()
    wearable.listen(lease_ms=10_000)
    found = wearable.run(5.0)
    clocks = of(ClockRecord, found)
    assert len(clocks) in (4, 5, 6)
    assert clocks[-1].captured == len(of(Block, found[: found.index(clocks[-1])]))


def test_only_what_comes_from_outside_is_fed(make: Make) -> None:
    wearable = make()
    wearable.listen()
    refused = wearable.ask(Command.FEED, {"sensor": SPOTS, "values": b"\0" * 16}, Op.WRITE)
    assert refused["err"]["rc"] == GroupError.NO_SENSOR
    assert "spots is a chip" in wearable.ask(Command.REFUSAL)["reason"]


def test_it_fits_the_budget(breast_patch_library: ctypes.CDLL) -> None:
    assert breast_patch_library.harness_state_bytes() < MOST_BYTES
