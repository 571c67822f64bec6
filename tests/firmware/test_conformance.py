"""One suite for the Python agent, the firmware as a program (under sanitizers) and the firmware on a microcontroller.

All three are met as a host meets them: through thermo_host, over a port. Each is started once and shared by the tests;
whatever a test changes, it puts back.
"""

import contextlib
import hashlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import IMAGE
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from running import KINDS, SEED, Running, hear, of, started

from thermo_core import schema
from thermo_core.errors import RefusedError
from thermo_core.graph.alerts import AlertState
from thermo_core.graph.plan import plan
from thermo_core.image import parse
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Correction, Stamp, to_bytes
from thermo_core.sensors.correction import fingerprint as fingerprint_of
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.registers import EEPROM_START
from thermo_core.wire.events import FAULTS
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    SignalRecord,
    decode,
)
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import PROTOCOL, Command, GroupError
from thermo_host.flash import flash, load
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.screen.view import View
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.listen import listen
from thermo_host.stream.signals import named
from thermo_sim.chips.mlx90640.eeprom import generate

SCORE = 0.02
"""Scores may differ where single precision puts a pixel on the other side of an input step."""
CAMERA, SPOTS = 0, 1


@pytest.fixture(scope="module", params=KINDS)
def wearable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(request.param, tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture
def host(wearable: Running) -> Iterator[Wearable]:
    with wearable.open() as host:
        yield host


def blocks(records: list[Record], sensor: int = CAMERA) -> list[Block]:
    return [one for one in of(Block, records) if one.sensor == sensor]


def pixels(offset: float, stamp: Stamp) -> PixelCorrection:
    same = PixelCorrection.identity(stamp)
    return replace(same, offset=np.full((24, 32), offset, np.float32))


def test_hello_tells_who_it_is(wearable: Running, host: Wearable) -> None:
    hear(host, lambda records: bool(blocks(records, SPOTS)), "a scan")
    hello, profile = host.hello(), wearable.bundle.profile
    assert hello.serial == f"SIM-{SEED:08d}" and hello.simulated and hello.development_key and not hello.waived
    assert (hello.protocol, hello.profile, hello.bundle) == (PROTOCOL, profile.name, "1.0.0")
    assert hello.bundle_sha256 == parse(wearable.image).sha256 and hello.lease_max_ms >= 3000
    assert hello.profile_sha256 == hashlib.sha256(schema.to_cbor(profile)).digest()
    camera, spots = hello.sensors
    assert (camera.kind, camera.rate_hz, camera.corrected, camera.fault) == ("mlx90640", 16.0, False, "")
    assert camera.id == generate(SEED)[7:10].astype(">u2").tobytes()
    assert (spots.kind, spots.rate_hz, len(spots.id)) == ("ads1115-ntc", 2.0, 8)


def test_blobs_are_the_sensors_and_the_bundles(wearable: Running, host: Wearable) -> None:
    assert host.profile_bytes() == schema.to_cbor(wearable.bundle.profile)
    assert host.constants(CAMERA, "mlx90640").data == generate(SEED).astype("<u2").tobytes()
    with pytest.raises(RefusedError, match=r"sensor 3"):
        host.correction_bytes(3)


def test_the_image_is_the_shipped_one(wearable: Running, host: Wearable) -> None:
    (active,) = (image for image in host.images() if image.active)
    assert active.hash == parse(IMAGE.read_bytes()).sha256 and active.version == "1.0.0" and active.confirmed


@pytest.mark.parametrize("text", ["", "hello", "ä€𝄞", "x" * 200])
def test_echo(host: Wearable, text: str) -> None:
    assert host.echo(text) == text


def test_it_passes_its_own_tests(host: Wearable) -> None:
    results = host.self_test()
    assert [one.name for one in results if not one.passed and not one.name.endswith("refresh rate")] == []
    names = [result.name for result in results]
    wanted = {"EEPROM", "bad pixels", "page decodes", "supply", "ambient", "constants"}
    assert {f"skin: {name}" for name in wanted} <= set(names)
    assert sum("thermistor " in name for name in names) == 4
    assert any("lesion" in name for name in names)


def test_pictures_and_thermistors_are_of_what_is_there(wearable: Running, host: Wearable) -> None:
    wearable.laboratory("blackbody", celsius=37.0)
    try:
        engine = wearable.engine(host)
        heard = hear(host, lambda records: len(blocks(records)) >= 24 and bool(blocks(records, SPOTS)[1:]), "blocks")
        said: dict[str, list[Any]] = {"skin": [], "spots": []}
        for block in of(Block, heard):
            for produced in engine.push(block).passes:
                for name in said.keys() & produced.keys():
                    said[name].append(produced[name].values)
        assert not any(engine.undecodable) and len(said["skin"]) >= 4
        assert abs(np.mean(said["skin"][2:]) - 37.0) < 1.5  # the sensor's own error, uncalibrated
        np.testing.assert_allclose(said["spots"][-1], 37.0, atol=0.6)
        assert of(ClockRecord, heard)
        indices = [block.index for block in blocks(heard)]
        assert indices == sorted(set(indices))
    finally:
        wearable.laboratory("scene")


def compare_findings(wearable: Running, host: Wearable, within: float, least: int = 8) -> None:
    """Findings of a fresh start are what core makes of the same blocks, and rest on the blocks it says."""
    host.reset()  # so that neither has seen anything before
    engine = wearable.engine(host)
    heard = hear(host, lambda records: len(of(FindingRecord, records)) >= least + 4, "findings", 120.0)
    wanted = {
        (one.finding.model, one.finding.time_us): one for block in of(Block, heard) for one in engine.push(block).said
    }
    both = [
        (one, wanted[one.model, one.time_us]) for one in of(FindingRecord, heard) if (one.model, one.time_us) in wanted
    ]
    assert len(both) >= least
    number = int.from_bytes(parse(wearable.image).sha256[:4], "little")
    for theirs, ours in both:
        np.testing.assert_allclose(theirs.values, ours.finding.values, atol=within)
        assert (theirs.bundle, theirs.newest) == (number, ours.newest)
        assert theirs.flags & ~Quality.FAST_KERNELS == ours.finding.flags


def test_findings_are_what_core_makes_of_the_same_blocks(wearable: Running, host: Wearable) -> None:
    compare_findings(wearable, host, SCORE)


def test_alerts_are_raised_told_to_who_comes_later_and_acknowledged(wearable: Running, host: Wearable) -> None:
    def raised(records: list[Record]) -> bool:
        return any(one.change.state == AlertState.RAISED for one in of(AlertRecord, records))

    hear(host, raised, "the alert", 120.0)
    heard = hear(host, lambda records: bool(of(AlertRecord, records)), "where the alert stands")
    assert of(AlertRecord, heard)[0].change.state == AlertState.RAISED
    (acknowledged,) = host.acknowledge(0)
    assert acknowledged.state == AlertState.ACKNOWLEDGED == host.alerts()[0].state


@pytest.mark.parametrize("kind", ["agent", "host", "mps2-an386"])
def test_an_alert_stands_over_a_kill_and_a_reset(kind: str, tmp_path: Path) -> None:
    """Raised, then killed; acknowledged, then killed; then reset."""
    state = str(tmp_path / "state")

    def raised(records: list[Record]) -> bool:
        return any(one.change.state == AlertState.RAISED for one in of(AlertRecord, records))

    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        flash(host, load(IMAGE))
        hear(host, raised, "the alert", 120.0)
        (before,) = host.alerts()
        assert before.state == AlertState.RAISED
    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        (after,) = host.alerts()
        assert after.state == AlertState.RAISED and after.time_us <= host.hello().time_us
        assert kind == "agent" or after.time_us == before.time_us  # a board's clock goes on
        host.acknowledge(0)
    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        assert host.alerts()[0].state == AlertState.ACKNOWLEDGED
        host.reset()
        assert host.alerts()[0].state == AlertState.ACKNOWLEDGED


def test_signals_come_while_they_are_asked_for(wearable: Running, host: Wearable) -> None:
    names = list(plan(wearable.bundle.profile).signals)
    wanted = [names.index("spots"), names.index("skin.ta")]
    engine = wearable.engine(host)
    heard: list[Record] = []
    end = time.monotonic() + 60
    with host.stream(key_interval=4) as stream:
        assert list(host.choose_signals(wanted)) == wanted
        while len(of(SignalRecord, heard)) < 60:
            assert time.monotonic() < end
            seen = stream.get(5.0)
            heard += [] if seen is None else [seen.record]
    theirs = {
        (names.index(name), sample.time_us): sample
        for block in of(Block, heard)
        for produced in engine.push(block).passes
        for name, sample in produced.items()
    }
    compared = 0
    for one in of(SignalRecord, heard):
        assert one.signal in wanted
        if (one.signal, one.time_us) in theirs:
            np.testing.assert_allclose(one.values, theirs[one.signal, one.time_us].values.ravel(), atol=0.01)
            compared += 1
    assert compared >= 4


def test_a_correction_is_checked_stored_used_and_rolled_back(host: Wearable) -> None:
    mine = Stamp(host.hello().sensors[CAMERA].id)
    first, second = pixels(0.5, mine), pixels(-0.5, mine)
    with pytest.raises(RefusedError, match="of sensor"):
        host.write_correction(CAMERA, PixelCorrection.identity(Stamp(b"others")))
    host.write_correction(CAMERA, first)
    assert host.hello().sensors[CAMERA].corrected
    host.write_correction(CAMERA, second)
    assert host.correction_bytes(CAMERA, 0) == to_bytes(second) and host.correction_bytes(CAMERA, 1) == to_bytes(first)
    host.reset()
    assert host.hello().sensors[CAMERA].corrected and host.correction_bytes(CAMERA, 0) == to_bytes(second)
    host.rollback(CAMERA)
    assert host.correction_bytes(CAMERA, 0) == to_bytes(first)
    host.write_correction(CAMERA, PixelCorrection.identity(mine))
    assert not host.hello().sensors[CAMERA].corrected


def test_a_correction_that_no_sensor_needs_is_refused_with_the_figure(host: Wearable) -> None:
    hear(host, lambda records: bool(blocks(records, SPOTS)), "a scan")
    camera, spots = host.hello().sensors
    stamp = Stamp(camera.id)
    same = PixelCorrection.identity(stamp)
    host.write_correction(CAMERA, same)
    before = host.correction_bytes(CAMERA)
    crc = fingerprint_of(host.constants(CAMERA, "mlx90640").data)
    warm = SteinhartHart(1.9e-3, 2.341077e-4, 8.775468e-8)
    wrong: list[tuple[int, Correction, str]] = [
        (CAMERA, pixels(5.0, stamp), r"by \+5\.00 K on average"),
        (CAMERA, pixels(-1000.0, stamp), r"by -1000\.00 K on average"),
        (CAMERA, replace(same, gain=np.full((24, 32), 0.3, np.float32)), r"row 0, column 0"),
        (CAMERA, replace(same, bad=np.arange(768).reshape(24, 32) < 100), "calls 100 of 768 pixels bad"),
        (CAMERA, pixels(0.1, Stamp(camera.id, constants_crc32=crc ^ 1)), "held something else"),
        (SPOTS, CurveCorrection((None, warm, None, None), Stamp(spots.id)), "moves thermistor"),
    ]
    for sensor, correction, says in wrong:
        with pytest.raises(RefusedError, match=says):
            host.write_correction(sensor, correction)
    assert host.correction_bytes(CAMERA) == before and not host.hello().sensors[CAMERA].corrected


def test_another_sensor_is_told_and_numbered(wearable: Running, host: Wearable) -> None:
    first = host.hello().sensors[CAMERA]
    assert first.constants >= 1 and first.warning == ""
    host.write_correction(CAMERA, pixels(0.5, Stamp(first.id)))
    try:
        wearable.laboratory("exchange", seed=SEED + 1)
        heard = hear(host, lambda records: len(blocks(records)) >= 12, "blocks")
        other = host.hello().sensors[CAMERA]
        assert other.constants > first.constants and not other.corrected and other.warning == ""
        assert {block.constants for block in blocks(heard)[-8:]} == {other.constants}
        assert other.id == generate(SEED + 1)[7:10].astype(">u2").tobytes()
        assert host.counters()["sensor_changed"] >= 1
        constants = host.constants(CAMERA, "mlx90640")
        assert constants.number == other.constants
        assert constants.data == generate(SEED + 1).astype("<u2").tobytes()
    finally:
        wearable.laboratory("exchange", seed=SEED)
        hear(host, lambda records: len(blocks(records)) >= 12, "blocks")
        host.write_correction(CAMERA, PixelCorrection.identity(Stamp(first.id)))


ROTTEN = [(0x2431, 10, "PTAT reference"), (0x24A4, 15, "offset")]
"""Word and bit of a cell that no known sensor holds when it has flipped, and what it gives."""
DOUBTED = {FAULTS[name].code for name in ("constants_changed", "constants_doubtful")}


def rotten(address: int, bit: int, what: str) -> NDArray[np.uint16]:
    """The EEPROM with that cell flipped, which core is in doubt of."""
    words = generate(SEED)
    words[address - EEPROM_START] ^= 1 << bit
    (doubt,) = Constants.from_eeprom(words).doubts
    assert doubt.address == address and what in doubt.what
    return words


def codes(records: list[Record]) -> set[int]:
    return {event.code for event in of(EventRecord, records)}


def suspect(records: list[Record]) -> list[bool]:
    """Of the findings that were heard: whether each is flagged."""
    return [bool(one.flags & Quality.SUSPECT) for one in of(FindingRecord, records)]


@pytest.mark.parametrize(("address", "bit", "what"), ROTTEN)
def test_a_cell_of_the_eeprom_that_flips_is_told_and_flagged(
    wearable: Running, host: Wearable, address: int, bit: int, what: str
) -> None:
    words, first = rotten(address, bit, what), host.hello().sensors[CAMERA]
    assert first.warning == "" and not any(suspect(hear(host, lambda records: bool(suspect(records)), "a finding")))

    def flip() -> None:
        """The cell, and the supply for a second, so that the EEPROM is read again."""
        wearable.laboratory("rot", address=address, bit=bit)
        wearable.laboratory("fault", spec="unplug@+0+1s:addr=0x33")

    flip()
    try:
        heard = hear(host, lambda records: codes(records) >= DOUBTED and any(suspect(records)), "what is in doubt")
        assert all(suspect(heard)[suspect(heard).index(True) :])
        state = host.hello().sensors[CAMERA]
        assert state.warning == FAULTS["constants_changed"].text
        assert state.id == first.id and state.constants > first.constants
        assert host.constants(CAMERA, "mlx90640").data == words.astype("<u2").tobytes()
        assert [one.passed for one in host.self_test() if one.name == "skin: constants"] == [False]
    finally:
        flip()
        hear(host, lambda records: suspect(records)[-2:] == [False, False], "findings without doubt")
        wearable.laboratory("fault", spec="")
    assert host.hello().sensors[CAMERA].warning == ""
    assert [one.passed for one in host.self_test() if one.name == "skin: constants"] == [True]


@pytest.mark.parametrize(("address", "bit", "what"), ROTTEN[:1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_that_is_doubtful_at_first_sight_is_named(
    kind: str, address: int, bit: int, what: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "eeprom.npy", rotten(address, bit, what))
    with started(kind, tmp_path, "--eeprom", str(tmp_path / "eeprom.npy")) as running, running.open() as host:
        number = list(plan(running.bundle.profile).signals).index("skin.ta")
        heard: list[Record] = []
        end = time.monotonic() + 60
        with host.stream() as stream:
            host.choose_signals([number])
            while FAULTS["constants_doubtful"].code not in codes(heard) or len(of(SignalRecord, heard)) < 4:
                assert time.monotonic() < end, codes(heard)
                seen = stream.get(5.0)
                heard += [] if seen is None else [seen.record]
        assert all(one.flags & Quality.SUSPECT for one in of(SignalRecord, heard))
        assert FAULTS["constants_changed"].code not in codes(heard)
        warning = host.hello().sensors[CAMERA].warning
        assert warning.startswith(f"EEPROM word 0x{address:04X}") and warning.endswith("values may be wrong.")
        (told,) = (one.detail for one in host.self_test() if one.name == "skin: constants" and not one.passed)
        assert told.startswith(warning)


def test_what_it_refuses_has_a_reason(host: Wearable) -> None:
    before = host.counters().get("requests_refused", 0)
    with pytest.raises(RefusedError, match="rate"):
        host.set_rate(CAMERA, 7.0)
    with pytest.raises(RefusedError, match="lease"), host.stream(lease_s=0.01):
        pass
    assert host.counters()["requests_refused"] >= before + 2

    def told(records: list[Record]) -> bool:
        return any(event.code == 100 and "lease" in event.text for event in of(EventRecord, records))

    hear(host, told, "the event of a refusal")


def test_the_rate_changes_until_the_next_reset(host: Wearable) -> None:
    assert host.set_rate(CAMERA, 8.0) == 8.0 and host.hello().sensors[CAMERA].rate_hz == 8.0
    pages = blocks(hear(host, lambda records: len(blocks(records)) >= 12, "blocks"))
    periods = np.diff([one.time_us for one in pages])[2:] / np.diff([one.index for one in pages])[2:]
    assert np.median(periods) == pytest.approx(125_000, rel=0.1)
    before = host.hello().time_us
    host.reset()
    assert host.hello().sensors[CAMERA].rate_hz == 16.0 and host.hello().time_us > before


@pytest.mark.parametrize(
    ("fault", "counter"), [("nack@+3", "bus_nack"), ("short@+3x3", "bus_short_read"), ("stuck@+3", "bus_stuck")]
)
def test_faults_of_the_bus_are_counted_and_survived(
    wearable: Running, host: Wearable, fault: str, counter: str
) -> None:
    before = host.counters().get(counter, 0)
    wearable.laboratory("fault", spec=fault)
    hear(host, lambda records: len(blocks(records)) >= 24, "blocks")
    assert host.counters()[counter] > before
    wearable.laboratory("fault", spec="")


def test_a_sensor_that_is_pulled_comes_back(wearable: Running, host: Wearable) -> None:
    before = host.counters().get("sensor_lost", 0)
    wearable.laboratory("fault", spec="unplug@+10+3s:addr=0x33")

    def returned(records: list[Record]) -> bool:
        lost = [at for at, one in enumerate(records) if isinstance(one, EventRecord) and one.code == 20]
        return bool(lost) and len(blocks(records[lost[0] :])) >= 8

    hear(host, returned, "the sensor's return")
    assert host.counters()["sensor_lost"] > before
    wearable.laboratory("fault", spec="")


def test_the_line_is_quiet_once_the_lease_has_run_out(wearable: Running) -> None:
    """A host that vanished leaves nothing for whoever opens the port next."""
    start = {"op": 1, "lease_ms": 500}
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        os.write(port, encode_packets(SmpMessage(SmpHeader(Op.WRITE, 65, 1, 7), start).encode()))
        heard: list[object] = []
        while select.select([port], [], [], 4.0)[0]:
            heard += demultiplexer.feed(os.read(port, 4096))
        answers = [one for one in heard if isinstance(one, ManagementFrame)]
        assert len(answers) == 1 and any(isinstance(one, TelemetryFrame) for one in heard)


def test_rubbish_on_the_line_costs_nothing_but_itself(wearable: Running, host: Wearable) -> None:
    host.close()
    rng = np.random.default_rng(9)
    with wearable.raw() as port:
        for size in (1, 64, 700):
            os.write(port, rng.bytes(size) + b"\n")
            time.sleep(0.05)
        for piece in (b"\x06\x09AAAA", b"\x04\x14" + b"A" * 120 + b"\n", b"\x06\x09" + b"A" * 3000 + b"\n"):
            os.write(port, piece)
            time.sleep(0.05)
    with wearable.open() as again:
        assert again.echo("still here") == "still here"


@pytest.mark.parametrize("version", [0, 1])
def test_unknown_commands_are_refused_in_the_version_asked(wearable: Running, version: int) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        header = SmpHeader(Op.READ, 65, 99, 5, version=version)
        os.write(port, encode_packets(SmpMessage(header, {}).encode()))
        frames: list[object] = []
        while not frames and select.select([port], [], [], 30.0)[0]:
            frames += demultiplexer.feed(os.read(port, 4096))
        (frame,) = frames
        assert isinstance(frame, ManagementFrame)
        answer = SmpMessage.decode(frame.message)
        assert (answer.header.sequence, answer.header.version) == (5, version)
        assert answer.body.get("rc", dict(answer.body.get("err", {})).get("rc", 0)) != 0


def asked(port: int, demultiplexer: Demultiplexer, message: bytes) -> SmpMessage:
    """The answer to one message, whatever else comes."""
    data = encode_packets(message)
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(port, data) :]
    while select.select([port], [], [], 30.0)[0]:
        for frame in demultiplexer.feed(os.read(port, 4096)):
            if isinstance(frame, ManagementFrame):
                return SmpMessage.decode(frame.message)
    raise AssertionError("no answer came")


def request(op: Op, command: int, body: dict[str, Any], group: int = 65) -> bytes:
    return SmpMessage(SmpHeader(op, group, command, 1), body).encode()


def malformed(body: bytes) -> bytes:
    return struct.pack("!BBHHBB", 0x08, 0, len(body), 65, 1, 0) + body


INVALID, UNSUPPORTED = (None, ReturnCode.INVALID), (None, ReturnCode.NOT_SUPPORTED)
REFUSED: dict[str, tuple[bytes, tuple[int | None, int]]] = {
    "unknown group": (request(Op.READ, 0, {}, group=99), UNSUPPORTED),
    "unknown command": (request(Op.READ, 77, {}), UNSUPPORTED),
    "wrong operation": (request(Op.WRITE, 0, {}), UNSUPPORTED),
    "no CBOR": (malformed(b"\xff\xff\xff"), INVALID),
    "no map": (malformed(b"\x01"), INVALID),
    "missing field": (request(Op.WRITE, Command.RATE, {}), INVALID),
    "wrong type": (request(Op.WRITE, Command.RATE, {"rate_hz": "16"}), INVALID),
    "no such rate": (request(Op.WRITE, Command.RATE, {"rate_hz": 5.0}), (65, GroupError.BAD_RATE)),
    "no such sensor": (request(Op.READ, Command.CONSTANTS, {"off": 0, "sensor": 3}), (65, GroupError.NO_SENSOR)),
    "beyond the end": (request(Op.READ, Command.CONSTANTS, {"off": 5000}), (65, GroupError.BAD_OFFSET)),
    "beyond the profile": (request(Op.READ, Command.PROFILE, {"off": 90_000}), (65, GroupError.BAD_OFFSET)),
    "no such slot": (request(Op.READ, Command.CORRECTION, {"slot": 2}), INVALID),
    "short lease": (request(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 1}), INVALID),
    "no lease": (request(Op.WRITE, Command.STREAM, {"op": 2, "lease_ms": 1000}), (65, GroupError.NO_LEASE)),
    "signals without a lease": (request(Op.WRITE, Command.SIGNALS, {"signals": [0]}), (65, GroupError.NO_LEASE)),
    "no such signal": (request(Op.WRITE, Command.SIGNALS, {"signals": [200]}), (65, GroupError.NO_SUCH)),
    "part out of turn": (
        request(Op.WRITE, Command.CORRECTION, {"off": 10, "len": 9348, "data": b"1234"}),
        (65, GroupError.BAD_OFFSET),
    ),
    "part too long": (request(Op.WRITE, Command.CORRECTION, {"off": 0, "len": 4, "data": b"12345"}), INVALID),
    "no correction": (
        request(Op.WRITE, Command.CORRECTION, {"off": 0, "len": 4, "data": b"1234"}),
        (65, GroupError.DAMAGED),
    ),
    "no such alert": (request(Op.WRITE, Command.ALERTS, {"alert": 9}), (65, GroupError.NO_SUCH)),
}


def test_requests_that_make_no_sense_are_refused_alike(wearable: Running) -> None:
    with wearable.raw() as port:
        demultiplexer = Demultiplexer()
        told = {name: asked(port, demultiplexer, message).error for name, (message, _) in REFUSED.items()}
    assert told == {name: code for name, (_, code) in REFUSED.items()}


def test_whatever_arrives_it_goes_on_answering(wearable: Running) -> None:
    marks = st.sampled_from([b"\x06\x09", b"\x04\x14", b"\n", b"\0", b"AAAA"])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=300), marks), max_size=8))
    def attempt(pieces: list[bytes]) -> None:
        os.write(port, b"".join(pieces) + b"\n")
        assert asked(port, Demultiplexer(), request(Op.READ, 0, {"d": "here"}, group=0)).body == {"r": "here"}

    with wearable.raw() as port:
        attempt()


def test_calibrate_record_and_replay_as_a_user_does(wearable: Running, tmp_path: Path) -> None:
    def command(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "thermo_host.cli", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    line, session = str(wearable.link), str(tmp_path / "session.mcap")
    points = ["--set-points", "30,38", "--hold-out", "34.7", "--pictures", "16"]
    figures = command("calibrate", line, "--quick", *points, "--yes", "--output", str(tmp_path / "calibration"))
    assert figures
    with wearable.open() as host:
        assert all(state.corrected for state in host.hello().sensors)
    command("record", line, "--seconds", "3", "--output", session)
    command("replay", session, "--summary")


def test_an_unplugged_cable_is_no_reset(wearable: Running) -> None:
    with wearable.open() as host:
        before = host.hello().time_us
    wearable.laboratory("unplug", seconds=0.3)
    end = time.monotonic() + 30
    while not wearable.link.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    with wearable.open() as host:
        assert host.hello().time_us > before and host.echo("back") == "back"


CHIPS = """
name = "chips"
version = "1.0.0"
card = "CARD.md"
[[sensors]]
name = "pile"
kind = "mlx90632"
path = [0x3A]
rate_hz = 4.0
[[sensors]]
name = "pulse"
kind = "max3010x"
path = [0x57]
[[sensors]]
name = "motion"
kind = "lis3dh"
path = [0x18]
[[sensors]]
name = "air"
kind = "sht4x"
path = [0x44]
rate_hz = 2.0
[[sensors]]
name = "touch"
kind = "tmp117"
path = [0x49]
rate_hz = 4.0
[[sensors]]
name = "given"
kind = "external"
rate_hz = 1.0
low = 0.0
high = 10.0
[[sensors]]
name = "left"
kind = "tmp117"
path = ["tca9548a@0x70:0", 0x48]
rate_hz = 4.0
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


CHIPPED = {0, 1, 2, 3, 4, 6, 7}
"""Sensors that are chips."""


@pytest.fixture(scope="module", params=KINDS)
def chips(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A wearable without a camera and without a network: chips on the bus and behind a multiplexer, and numbers from outside."""
    folder = tmp_path_factory.mktemp("chips")
    (folder / "wearable.toml").write_text(CHIPS)
    (folder / "CARD.md").write_text("# chips\n\nInforms only.\n")
    with started(request.param, folder, wearable=str(folder / "wearable.toml")) as running:
        yield running


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
        end = time.monotonic() + 60
        wanted = [
            names.index(name) for name in ("pile", "pulse", "motion", "air.rh", "touch", "given", "left", "right")
        ]
        with host.stream() as stream:
            host.choose_signals(wanted)
            host.feed(5, np.array([4.5], np.float32))
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
            host.feed(5, np.array([4.5], np.float32))
        assert (refused.value.group, refused.value.code) == (Group.THERMO, GroupError.NO_LEASE)
        with host.stream():
            for values in ([1.0, 2.0], [1e9]):
                with pytest.raises(RefusedError) as refused:
                    host.feed(5, np.asarray(values, np.float32))
                assert (refused.value.group, refused.value.code) == (Group.THERMO, GroupError.IMPLAUSIBLE)
        with pytest.raises(RefusedError):
            host.acknowledge(0)


def test_of_samples_given_at_once_each_is_a_block_or_is_refused_as_too_early(chips: Running) -> None:
    """Nothing that was taken is lost, however fast a host gives."""
    given, many = 5, 80
    value = np.array([7.5], np.float32).tobytes()
    with chips.raw() as port:
        demultiplexer = Demultiplexer()
        start = request(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 10_000})
        assert asked(port, demultiplexer, start).error is None
        data = b"".join(
            encode_packets(
                SmpMessage(
                    SmpHeader(Op.WRITE, Group.THERMO, Command.FEED, number), {"sensor": given, "values": value}
                ).encode()
            )
            for number in range(many)
        )
        answers: list[tuple[int | None, int] | None] = []
        fed: list[Block] = []
        end = time.monotonic() + 60
        while len(answers) < many or len(fed) < answers.count(None):
            assert time.monotonic() < end, (len(answers), len(fed))
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(port, data[:256]) :] if data else data
            if not select.select([port], [], [], 0.01)[0]:
                continue
            for frame in demultiplexer.feed(os.read(port, 4096)):
                if isinstance(frame, ManagementFrame):
                    answers.append(SmpMessage.decode(frame.message).error)
                else:
                    record = decode(frame.record)[1]
                    fed += [record] if isinstance(record, Block) and record.sensor == given else []
        assert set(answers) <= {None, (None, ReturnCode.BUSY)}
        assert len({block.index for block in fed}) == len(fed) == answers.count(None)
        asked(port, demultiplexer, request(Op.WRITE, Command.STREAM, {"op": 0}))


@pytest.mark.parametrize("kind", ["host", "mps2-an386"])
def test_a_noisy_line_costs_records_and_never_gives_wrong_ones(kind: str, tmp_path: Path) -> None:
    with started(kind, tmp_path, "--line-noise", "flip=2e-4,drop=2e-5") as wearable:
        with wearable.open() as host:
            hear(host, lambda records: bool(blocks(records)), "a subpage")
            constants = host.constants(CAMERA, "mlx90640")
            assert constants.data == generate(SEED).astype("<u2").tobytes()
            engine = wearable.engine(host)
            lost = pages = 0
            end = time.monotonic() + 120
            with host.stream(key_interval=4) as stream:
                while pages < 100 or not stream.lost:
                    assert time.monotonic() < end, (pages, stream.lost)
                    seen = stream.get(5.0)
                    if seen is None or not isinstance(seen.record, Block) or seen.record.sensor != CAMERA:
                        continue
                    pages += 1
                    for produced in engine.push(seen.record).passes:
                        if "skin" in produced:
                            assert produced["skin"].values.min() > 20.0 and produced["skin"].values.max() < 50.0
                lost = stream.lost
        assert lost > 0 and wearable.laboratory("status")["line_bytes_damaged"] > 0
        assert json.dumps(wearable.laboratory("status"))


def test_a_stage_and_what_a_network_gives_are_shown_as_the_wearable_computes_them(
    wearable: Running, host: Wearable
) -> None:
    """The host has no network, so what it shows of one can only be what it asked for."""
    session = fetch(host)
    wanted = named(session.plan, ["above", "lesion"], "--show")
    monitor = Monitor(session, sent=wanted)
    numbers = [session.plan.number_of(name) for name in wanted]
    end = time.monotonic() + 60
    with contextlib.closing(listen(host, session, signals=numbers)) as items:
        for item in items:
            if item is not None:
                monitor.push(item)
            if set(wanted) <= set(monitor.signals):
                break
            assert time.monotonic() < end, set(wanted) - set(monitor.signals)
    line = View(monitor, "", wanted=wanted).line()
    assert "above min" in line and "lesion.raw[0]" in line
    assert monitor.signals["lesion.raw"].sample.values.sum() == pytest.approx(1, abs=0.01)


INTERLEAVED = """
name = "rows"
version = "1.0.0"
card = "CARD.md"

[[sensors]]
name = "skin"
kind = "mlx90640"
path = [0x33]
rate_hz = 2.0
pattern = "interleaved"
"""


@pytest.mark.parametrize("kind", ["host", "mps2-an386"])
def test_a_board_carries_interleaved_rows_where_whole_pages_would_be_too_slow(kind: str, tmp_path: Path) -> None:
    """At 25 kHz: 343 ms for the rows, 601 for all words, of 500; each transaction may wait 12 ms for a busy machine."""
    (tmp_path / "wearable.toml").write_text(INTERLEAVED)
    (tmp_path / "CARD.md").write_text("# rows\n\nInforms only.\n")
    (tmp_path / "world.toml").write_text('about = "a slow bus"\nbus_hz = 25_000\n')
    given = ("--world", str(tmp_path / "world.toml"))
    with started(kind, tmp_path, *given, wearable=str(tmp_path / "wearable.toml")) as running, running.open() as host:
        hear(host, lambda records: len(blocks(records)) >= 4, "blocks")
        assert host.hello().sensors[CAMERA].rate_hz == 2.0
        with pytest.raises(RefusedError, match=r"3\d\d ms"):
            host.set_rate(CAMERA, 64.0)
