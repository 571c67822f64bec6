"""An nRF52840 in labwired: what that lacks of the chip is done here.

Levels of the I2C lines, the UARTE's receiver and its interrupt are made up for. The sensors are labwired's own models, or, where a
bus of the simulator is given, its chips (`twim`).
"""

import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from thermo_core.errors import ThermoError
from thermo_core.wearable.profile import Profile
from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.i2c import SimulatedBus
from thermo_sim.nrf52840.twim import Twim

if TYPE_CHECKING:
    from labwired import Sim

MODELS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ads1115-ntc": ("ads1115", {}),
    "mlx90614": ("mlx90614", {}),
    "mlx90640": ("mlx90640", {"frame_period_s": 0.5}),
    "tmp117": ("tmp117", {}),
}
"""labwired's model of each kind of sensor that it has, and how it is set; all other sensors do not answer."""

SDA, SCL = 4, 5
"""Pins of port 0 on a XIAO."""
SLICE_US = 100
BYTES_A_SLICE = 10
"""That 1 Mbaud brings in a slice."""

_UARTE, _TIMER1, _NVIC_PEND = 0x40002000, 0x40009000, 0xE000E200
_UARTE_IRQ = 1 << 2
_TX_ENDED, _RX_POINTER, _RX_SIZE = _UARTE + 0x120, _UARTE + 0x534, _UARTE + 0x538
_ENABLE, _ENABLED = _UARTE + 0x500, 8
_TIMER0 = 0x40008000
_CLOCK_CAPTURE, _CLOCK_VALUE = _TIMER0 + 0x04C, _TIMER0 + 0x54C
"""Channel 3 of timer 0, which a driver has as its clock."""
_CLOCK_INTERRUPTS, _WAKES, _WAKE_AT = _TIMER0 + 0x304, 1 << 17, _TIMER0 + 0x544
"""Channel 1, at which it wakes."""
_CLOCK_COUNT, _CLOCK_MODE, _TIMER_MODE, _COUNTER_MODE = _TIMER0 + 0x008, _TIMER0 + 0x504, 0, 1
_WAKES_EARLY_US = 5
_COUNT, _CAPTURE_3, _VALUE_3 = _TIMER1 + 0x008, _TIMER1 + 0x04C, _TIMER1 + 0x54C


def available() -> bool:
    """Whether labwired is installed."""
    return find_spec("labwired") is not None


Settings = Mapping[str, Mapping[str, object]]
"""What labwired's models are told, by kind of sensor: keys of its own."""


def system(folder: Path, sensors: list[str], twim: bool = True) -> Path:
    """Write what labwired has to know of chip, lines and sensors into a folder.

    Args:
        folder: where the files go.
        sensors: lines that name what is on the I2C bus.
        twim: whether labwired's own I2C controller is there; memory takes its place where not.

    Returns:
        The system's file.
    """
    import labwired

    configs = Path(labwired.__file__).parent / "configs"
    chip = (configs / "chips" / "nrf52840.yaml").read_text().replace("../peripherals", str(configs / "peripherals"))
    if not twim:
        begin, end = chip.index('  - id: "i2c0"'), chip.index('  - id: "gpio0"')
        chip = (chip[:begin] + chip[end:]).replace("memory_regions:\n", f"memory_regions:\n{_TWIM_MEMORY}", 1)
    chip += _ENTRY.format(id="nvic", base="0xE000E100", size="1KB") + _ENTRY.format(
        id="systick", base="0xE000E010", size="16B"
    )
    (folder / "chip.yaml").write_text(chip)
    lines = ['name: "nrf52840"', f'chip: "{folder / "chip.yaml"}"']
    lines += ["external_devices:", *sensors] if sensors else []
    lines.append("board_io:")
    for name, pin in (("sda", SDA), ("scl", SCL)):
        lines += [f'  - id: "{name}"', '    kind: "button"', '    peripheral: "gpio0"', f"    pin: {pin}"]
        lines += ['    signal: "input"', "    active_high: true"]
    path_of_system = folder / "system.yaml"
    path_of_system.write_text("\n".join(lines) + "\n")
    return path_of_system


_TWIM_MEMORY = """  - name: "twim0"
    base: 0x40003000
    size: "4KB"
"""
_ENTRY = """
  - id: "{id}"
    type: "{id}"
    base_address: {base}
    size: "{size}"
"""


def own_sensors(profile: Profile, more: Settings | None = None) -> list[str]:
    """labwired's own models of a wearable's sensors, as far as it has them, as lines of its system."""
    lines = []
    for sensor in profile.sensors:
        if sensor.kind in MODELS and sensor.bus_path is not None and not sensor.bus_path.hops:
            model, settings = MODELS[sensor.kind]
            settings = {"i2c_address": sensor.bus_path.address, **settings, **(more or {}).get(sensor.kind, {})}
            given = ", ".join(f"{key}: {value}" for key, value in settings.items())
            lines += [f'  - id: "{sensor.name}"', f'    type: "{model}"', '    connection: "i2c0"']
            lines += [f"    config: {{ {given} }}"]
    return lines


class Receiver:
    """The receiving half of UARTE 0, whose end of a buffer labwired gives early and whose bytes it does not count.

    As the product specification has it: bytes go by DMA to where RXD.PTR pointed when the buffer was begun, the next
    buffer begins when one is full, and each byte's event counts timer 1 up by PPI.
    """

    def __init__(self, sim: "Sim") -> None:
        self._sim = sim
        self._pointer = self._left = self._given = 0

    def receive(self, data: bytes) -> None:
        """Have bytes arrive; lost where the firmware has not yet switched the UARTE on."""
        sim = self._sim
        if sim.read_u32(_ENABLE) != _ENABLED:
            return
        sim.write_u32(_CAPTURE_3, 1)
        if sim.read_u32(_VALUE_3) != self._given & 0xFFFFFFFF:  # the firmware has started anew
            self._left = self._given = 0
        for byte in data:
            if not self._left:
                self._pointer, self._left = sim.read_u32(_RX_POINTER), sim.read_u32(_RX_SIZE)
            word, shift = self._pointer & ~3, 8 * (self._pointer & 3)
            sim.write_u32(word, sim.read_u32(word) & ~(0xFF << shift) | byte << shift)
            sim.write_u32(_COUNT, 1)
            self._pointer += 1
            self._left -= 1
            self._given += 1
        sim.write_u32(_NVIC_PEND, _UARTE_IRQ)


class Machine:
    """The chip with its firmware. Use it in a `with` block, or call `close`.

    Args:
        firmware: ELF file.
        sensors: labwired's own; see `own_sensors`.
        chips: of the simulator, which take their place: their bus, and its clock, which will be the machine's.

    Attributes:
        sim: labwired's machine, which only the thread that made it may touch.
    """

    def __init__(
        self, firmware: Path, sensors: list[str] | None = None, chips: tuple[SimulatedBus, EmulatedClock] | None = None
    ) -> None:
        from labwired import Sim

        self._folder = tempfile.TemporaryDirectory(prefix="thermo-sim-")
        place = Path(self._folder.name)
        self.sim: Sim = Sim(firmware, system=system(place, sensors or [], twim=chips is None))
        self._time_us = self._clock_us = 0
        self._twim = None if chips is None else Twim(self.sim, *chips)
        for line in ("sda", "scl"):
            self.sim.set_pin(line, True)
        self._receiver = Receiver(self.sim)
        self._heard = bytearray()
        self._said = bytearray()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget it."""
        self.sim.close()
        self._folder.cleanup()

    def now_us(self) -> int:
        """Microseconds since it was made, by the firmware's timer, when the last slice ended."""
        return self._time_us

    def send(self, data: bytes) -> None:
        """Have bytes arrive, one after another."""
        self._heard += data

    def take(self) -> bytes:
        """What the firmware said since the last time."""
        said = bytes(self._said)
        self._said.clear()
        return said

    def write(self, address: int, data: bytes) -> None:
        """Have words in memory, whatever they lie in."""
        for at in range(0, len(data), 4):
            self.sim.write_u32(address + at, int.from_bytes(data[at : at + 4], "little"))

    def run(self, most_us: int) -> None:
        """Run for so much of its time, and a slice more at most.

        Raises:
            ThermoError: labwired cannot go on.
        """
        end_us = self._time_us + most_us
        while self._time_us < end_us:
            self._slice()
            self._skip(end_us)

    def _slice(self) -> None:
        if self._heard:
            self._receiver.receive(bytes(self._heard[:BYTES_A_SLICE]))
            del self._heard[:BYTES_A_SLICE]
        if self.sim.read_u32(_TX_ENDED):
            self.sim.write_u32(_NVIC_PEND, _UARTE_IRQ)
        if self._twim is not None:
            self._twim.look()
        stop = self.sim.run_for(f"{SLICE_US}us")
        if stop.kind != "reached":
            raise ThermoError(f"labwired stopped the processor ({stop.kind}); start the board again.")
        self._said += self.sim.read_uart_bytes()
        self._pass_time()

    def _skip(self, end_us: int) -> None:
        """Let the time pass at once in which a driver waits for its timer or its bus: labwired's processor does not sleep."""
        sim = self.sim
        if self._twim is None or self._heard or sim.read_u32(_TX_ENDED) or not sim.read_u32(_CLOCK_INTERRUPTS) & _WAKES:
            return
        if self._twim.look():  # what was asked for in this slice
            return
        waits_us = (sim.read_u32(_WAKE_AT) - self._clock_us) & 0xFFFFFFFF
        skip_us = min(waits_us - _WAKES_EARLY_US, self._twim.left_us, end_us - self._time_us)
        if waits_us >> 31 or skip_us < SLICE_US:
            return
        sim.write_u32(_CLOCK_MODE, _COUNTER_MODE)
        for _ in range(skip_us):
            sim.write_u32(_CLOCK_COUNT, 1)
        sim.write_u32(_CLOCK_MODE, _TIMER_MODE)
        self._pass_time()

    def _pass_time(self) -> None:
        """Chips have the time of the firmware's timer, which labwired makes lose a part of a tick whenever it is asked."""
        self.sim.write_u32(_CLOCK_CAPTURE, 1)
        before, self._clock_us = self._clock_us, self.sim.read_u32(_CLOCK_VALUE)
        passed_us = self._clock_us - before
        self._time_us += passed_us if passed_us > 0 else SLICE_US  # it stands, or was cleared
