"""A whole wearable's firmware on the RP2040, in emulated time: what it says is what the agent and core say."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from bundles import IMAGE
from rp2040_bench import SEED, Bench
from running import engine_of, of
from virtual_host import Host

from thermo_core import schema
from thermo_core.bundle import Bundle
from thermo_core.graph.engine import Engine
from thermo_core.image import parse
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.records import FindingRecord, Record
from thermo_core.wire.table import PROTOCOL
from thermo_sim.chips.mlx90640.eeprom import generate

pytestmark = pytest.mark.lengthy

SCORE = 0.02
"""Scores may differ where single precision puts a pixel on the other side of an input step."""
CAMERA, SPOTS = 0, 1
FINDINGS = 2
WITHIN_US = 20_000_000


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.from_payload(parse(IMAGE.read_bytes()).payload)


@pytest.fixture(scope="module")
def bench(rp2040: Callable[..., bytes]) -> Bench:
    return Bench(rp2040(application=None))


@pytest.fixture(scope="module")
def host(bench: Bench) -> Host:
    """Of a board whose sensors have been heard once."""
    host = Host(bench)
    host.stream(lambda records: {one.sensor for one in of(Block, records)} == {CAMERA, SPOTS}, WITHIN_US)
    return host


def test_hello_tells_who_it_is(host: Host, bundle: Bundle) -> None:
    hello = host.hello()
    assert hello.name == "thermo-edge rp2040" and hello.serial == f"SIM-{SEED:08d}"
    assert hello.simulated and hello.development_key and hello.protocol == PROTOCOL
    assert hello.bundle_sha256 == parse(IMAGE.read_bytes()).sha256
    assert hello.profile_sha256 == hashlib.sha256(schema.to_cbor(bundle.profile)).digest()
    camera, spots = hello.sensors
    assert (camera.kind, camera.rate_hz, camera.fault, camera.warning) == ("mlx90640", 16.0, "", "")
    assert camera.id == generate(SEED)[7:10].astype(">u2").tobytes()
    assert (spots.kind, spots.fault) == ("ads1115-ntc", "")
    assert host.constants(CAMERA, "mlx90640").data == generate(SEED).astype("<u2").tobytes()
    assert host.profile_bytes() == schema.to_cbor(bundle.profile)


def test_findings_are_what_core_makes_of_the_same_blocks(bench: Bench, host: Host, bundle: Bundle) -> None:
    host.reset()
    assert bench.machine.run_until(lambda: bench.machine.starts == 2, WITHIN_US)
    bench.pass_us(1_000_000)  # in which it looks for its sensors
    engine: Engine = engine_of(bundle, host, host.hello())
    heard = host.stream(lambda records: len(of(FindingRecord, records)) >= FINDINGS, WITHIN_US)
    indices = [block.index for block in of(Block, heard) if block.sensor == CAMERA]
    assert indices == list(range(indices[0], indices[0] + len(indices)))  # none is lost at full rate
    wanted = {one.finding.time_us: one for block in of(Block, heard) for one in engine.push(block).said}
    theirs = of(FindingRecord, heard)
    assert len(theirs) >= FINDINGS
    for one in theirs:
        ours = wanted[one.time_us]
        np.testing.assert_allclose(one.values, ours.finding.values, atol=SCORE)
        assert one.newest == ours.newest and one.flags == ours.finding.flags


def test_a_correction_is_kept_over_a_bite_of_the_watchdog_and_the_supply(bench: Bench, host: Host) -> None:
    mine = Stamp(host.hello().sensors[CAMERA].id)
    correction = replace(PixelCorrection.identity(mine), offset=np.full((24, 32), 0.25, np.float32))
    host.write_correction(CAMERA, correction)
    for restart, cause in ((bite, "watchdog_resets"), (lambda bench: bench.machine.power_on(), "")):
        starts = bench.machine.starts
        restart(bench)
        assert bench.machine.starts == starts + 1
        assert host.correction_bytes(CAMERA, 0) == to_bytes(correction)
        assert host.hello().sensors[CAMERA].corrected
        assert host.counters().get("watchdog_resets", 0) == (1 if cause else 0)
    host.write_correction(CAMERA, PixelCorrection.identity(mine))


def bite(bench: Bench) -> None:
    """Time in which the main loop does not run."""
    starts = bench.machine.starts
    bench.machine.skip(4_100_000)
    assert bench.machine.run_until(lambda: bench.machine.starts > starts, 1_000_000)


@pytest.mark.parametrize(
    ("fault", "counter"), [("nack@+3", "bus_nack"), ("short@+3x3", "bus_short_read"), ("stuck@+3", "bus_stuck")]
)
def test_faults_of_the_bus_are_counted_and_survived(bench: Bench, host: Host, fault: str, counter: str) -> None:
    before = host.counters().get(counter, 0)
    bench.hardware.bus.add_faults(fault)

    def enough(records: list[Record]) -> bool:
        return len([one for one in of(Block, records) if one.sensor == CAMERA]) >= 4

    host.stream(enough, WITHIN_US)
    assert host.counters()[counter] > before
