"""What befalls any chip on a bus is noticed by the agent and said: another chip in its place, a dip of the supply, a value that never changes."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from chip_bus import read, write

from thermo_core import schema
from thermo_core.quality import Quality
from thermo_core.sensors import SETTINGS
from thermo_core.sensors.kind import Block
from thermo_core.sensors.tmp117 import decode, registers
from thermo_core.wearable.profile import Profile
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import EventRecord, SignalRecord
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.world_file import World

SENSORS: dict[str, dict[str, object]] = {
    "mlx90640": {"path": [0x33], "rate_hz": 16.0},
    "ads1115-ntc": {"path": [0x48], "rate_hz": 2.0, "channels": [{"name": "a"}, {"name": "b"}]},
    "mlx90632": {"path": [0x3A], "rate_hz": 1.0},
    "mlx90614": {"path": [0x5A], "rate_hz": 2.0},
    "max3010x": {"path": [0x57], "rate_hz": 100.0},
    "lis3dh": {"path": [0x18], "rate_hz": 25.0},
    "sht4x": {"path": [0x44], "rate_hz": 1.0},
    "tmp117": {"path": [0x48], "rate_hz": 4.0},
}
KINDS = sorted(SENSORS)
NO_IDENTITY = ("ads1115-ntc", "lis3dh", "max3010x")
"""Chips that hold nothing of their own: one is as good as another, and comes with nothing set up."""
NOTHING_TO_LOSE = ("ads1115-ntc", "mlx90614", "sht4x")
"""Chips that are told all they need with each reading, or keep it in their EEPROM."""


@dataclass
class Worn:
    """One chip on a body, and the agent's pipeline.

    Attributes:
        kind: of the sensor.
        events: names of what the agent told.
        flags: of each sample.
    """

    kind: str
    events: list[str] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        plain = {"name": "worn", "version": "1", "sensors": [{"kind": self.kind, "name": "s", **SENSORS[self.kind]}]}
        self.profile = schema.from_plain(plain, Profile, "profile")
        self.simulated = SimulatedHardware(self.profile, World(about="x"), seed=5, warm_up_tau_s=0)
        self.simulated.clock.sleep_until_us(1_000_000)  # all have long started
        self.begin()

    def begin(self) -> None:
        """An agent begins on what is there."""
        del self.blocks[:]
        hardware = Hardware(self.simulated.bus, self.simulated.clock, "worn", "1", simulated=True)
        self.pipeline = Pipeline(hardware, self.profile, inline=True)
        self.pipeline.start()
        self.pipeline.listen()
        self.pipeline.send_signals((0,))
        self.run(5)
        assert self.blocks and not self.events and not self.flags[-1] & ~(Quality.SIMULATED | Quality.UNCALIBRATED)

    def run(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Measure for so long, or until it is enough."""
        end_us = self.simulated.clock.now_us() + round(seconds * 1e6)
        names = {event.code: name for name, event in FAULTS.items()}
        while self.simulated.clock.now_us() < end_us and not enough():
            for record in self.pipeline.step():
                if isinstance(record, EventRecord):
                    self.events.append(names[record.code])
                elif isinstance(record, SignalRecord):
                    self.flags.append(record.flags)
                elif isinstance(record, Block):
                    self.blocks.append(record)

    def goes_on(self) -> bool:
        """Whether it measures, and nothing is said against it, when all is over."""
        self.run(5)
        del self.events[:], self.flags[:]
        before = len(self.blocks)
        self.run(5)
        doubt = ~(Quality.SIMULATED | Quality.UNCALIBRATED)
        return len(self.blocks) > before and not self.events and not any(flag & doubt for flag in self.flags)


def test_these_are_all_kinds() -> None:
    assert set(KINDS) == {str(kind.__struct_config__.tag) for kind in SETTINGS} - {"external"}


@pytest.mark.parametrize("kind", KINDS)
def test_another_chip_in_its_place(kind: str) -> None:
    worn = Worn(kind)
    first = worn.pipeline.found(0)
    worn.simulated.bus.faults.add("unplug+1500ms")
    worn.run(1)
    worn.simulated.exchange_sensor(77)
    worn.run(5)
    second = worn.pipeline.found(0)
    assert first is not None and second is not None
    if kind in NO_IDENTITY:
        assert set(worn.events) & {"bus_nack", "sensor_lost", "sensor_reset", "reading_late"}
    else:
        assert "sensor_changed" in worn.events
        assert second.identity != first.identity and second.sighting.number > first.sighting.number
    assert worn.goes_on()


@pytest.mark.parametrize("kind", KINDS)
def test_a_dip_of_the_supply(kind: str) -> None:
    worn = Worn(kind)
    worn.simulated.bus.faults.add("brownout")
    worn.run(5)
    if kind in NOTHING_TO_LOSE:
        assert "sensor_reset" not in worn.events
    else:
        assert "sensor_reset" in worn.events
    assert worn.goes_on()


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_never_changes(kind: str) -> None:
    worn = Worn(kind)
    worn.simulated.bus.faults.add("freeze+700s")
    worn.run(690, lambda: "sensor_frozen" in worn.events)
    assert "sensor_frozen" in worn.events
    worn.run(5)
    assert any(flag & Quality.STALE for flag in worn.flags)
    worn.simulated.clock.sleep_until_us(710_000_000)
    assert worn.goes_on()


def _offset(worn: Worn) -> int:
    """As the chip has it."""
    return int.from_bytes(read(worn.simulated.bus, 0x48, 2, [registers.OFFSET]), "big")


def _celsius(blocks: list[Block]) -> list[float]:
    """Of those that are said to be new."""
    words = [struct.unpack("<2H", block.data) for block in blocks]
    return [float(decode.celsius(*pair)[0]) for pair in words if pair[0] & registers.DATA_READY]


@pytest.mark.parametrize("frozen_after_s", [3.1, 5.4, 10.1, 10.25, 10.4, 14.9])
def test_a_tmp117_that_hangs_is_told_in_seconds_and_believed_again(frozen_after_s: float) -> None:
    worn = Worn("tmp117")
    worn.run(frozen_after_s)
    worn.simulated.bus.faults.add("freeze+60s")
    begun = len(worn.blocks)
    worn.run(14, lambda: "sensor_frozen" in worn.events)
    assert worn.events == ["sensor_frozen"]
    told = len(worn.blocks)
    worn.run(10)
    assert all(flags & Quality.STALE for flags in worn.flags[-30:])
    worn.run(60)
    assert worn.goes_on() and worn.events == []
    assert len(_celsius(worn.blocks[told:])) > 4 * 10
    # No block, of a moment before the freeze or after, has the shift in it.
    assert _celsius(worn.blocks) == pytest.approx(
        [_celsius(worn.blocks[:begun])[0]] * len(_celsius(worn.blocks)), abs=2.0
    )


@pytest.mark.parametrize("own", [0, 200, -300])
def test_a_tmp117_keeps_its_own_offset_and_loses_one_that_was_left_in_it(own: int) -> None:
    worn = Worn("tmp117")
    plain = _celsius(worn.blocks)[-1]
    for left in (0, registers.SHIFT):
        write(worn.simulated.bus, 0x48, registers.OFFSET, *((own + left) & 0xFFFF).to_bytes(2, "big"))
        worn.begin()  # an agent that knows nothing of the one before
        worn.run(10)
        assert _celsius(worn.blocks) == pytest.approx([plain + own / 128] * len(worn.blocks), abs=0.2)
        seen = set()
        for _ in range(60):
            worn.run(0.25)
            seen.add(_offset(worn))
        assert seen == {own & 0xFFFF, own + registers.SHIFT}
    assert not {"sensor_frozen", "sensor_reset"} & set(worn.events)
