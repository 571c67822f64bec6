"""Faults of bus, sensor and line are counted and survived."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from conformance import CAMERA, blocks
from running import BOARDS, PATIENCE, SEED, Running, hear, started

from thermo_core.errors import RefusedError
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import (
    EventRecord,
    Record,
)
from thermo_host.link.wearable import Wearable
from thermo_sim.chips.mlx90640.eeprom import generate

pytestmark = pytest.mark.lengthy


def test_the_rate_changes_until_the_next_reset(host: Wearable) -> None:
    assert host.set_rate(CAMERA, 8.0) == 8.0 and host.hello().sensors[CAMERA].rate_hz == 8.0
    pages = blocks(hear(host, lambda records: len(blocks(records)) >= 12, "blocks"))
    periods = np.diff([one.time_us for one in pages])[2:] / np.diff([one.index for one in pages])[2:]
    assert np.median(periods) == pytest.approx(125_000, rel=0.1)
    before = host.hello().time_us
    host.reset(30.0 * PATIENCE)
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


def test_an_unplugged_cable_is_no_reset(wearable: Running) -> None:
    with wearable.open() as host:
        before = host.hello().time_us
    wearable.laboratory("unplug", seconds=0.3)
    end = time.monotonic() + 30 * PATIENCE
    while not wearable.link.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    with wearable.open() as host:
        assert host.hello().time_us > before and host.echo("back") == "back"


@pytest.mark.parametrize("kind", BOARDS)
def test_a_noisy_line_costs_records_and_never_gives_wrong_ones(kind: str, tmp_path: Path) -> None:
    with started(kind, tmp_path, "--line-noise", "flip=2e-4,drop=2e-5") as wearable:
        with wearable.open(max(5.0, PATIENCE)) as host:  # each answer that is damaged costs so long
            hear(host, lambda records: bool(blocks(records)), "a subpage")
            constants = host.constants(CAMERA, "mlx90640")
            assert constants.data == generate(SEED).astype("<u2").tobytes()
            engine = wearable.engine(host)
            lost = pages = 0
            end = time.monotonic() + 120 * PATIENCE
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
TAKES = {"host": r"[34]\d\d ms", "mps2-an386": r"[34]\d\d ms", "nrf52840": r" 2\d ms", "nrf52840-fast": r" 2\d ms"}
"""How long the rows take, of 15 ms at 64 Hz, on boards whose bus is too slow for that."""


@pytest.mark.parametrize("kind", BOARDS)
def test_a_board_carries_interleaved_rows_where_whole_pages_would_be_too_slow(kind: str, tmp_path: Path) -> None:
    """At 25 kHz: 343 ms for the rows, 601 for all words, of 500; each transaction may wait 12 ms for a busy machine.

    A microcontroller's own controller sets the clock, whatever the world's bus bears: 390 kHz, or the 1 MHz that the camera bears.
    """
    (tmp_path / "wearable.toml").write_text(INTERLEAVED)
    (tmp_path / "CARD.md").write_text("# rows\n\nInforms only.\n")
    (tmp_path / "world.toml").write_text('about = "a slow bus"\nbus_hz = 25_000\n')
    given = ("--world", str(tmp_path / "world.toml"))
    with started(kind, tmp_path, *given, wearable=str(tmp_path / "wearable.toml")) as running, running.open() as host:
        hear(host, lambda records: len(blocks(records)) >= 4, "blocks")
        assert host.hello().sensors[CAMERA].rate_hz == 2.0
        if kind in TAKES:
            with pytest.raises(RefusedError, match=TAKES[kind]):
                host.set_rate(CAMERA, 64.0)
        else:
            assert host.set_rate(CAMERA, 64.0) == 64.0
