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
from thermo_sim.nrf52840.receiver import Receiver
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

_UARTE, _NVIC_PEND = 0x40002000, 0xE000E200
_UARTE_IRQ = 1 << 2
_TX_ENDED = _UARTE + 0x120
_CRYSTAL_STARTED, _RESET_REASON, _BY_WATCHDOG = 0x40000100, 0x40000400, 1 << 1
_TOLD_WITHIN_US = 50_000
_WATCHDOG_START, _WATCHDOG_RUNS, WATCHDOG_SIZE, _WATCHDOG_RELOAD = 0x40010000, 0x40010400, 0x40010504, 0x40010600
_WATCHDOG_HZ = 32_768
_RAM = 0x20000000
_KEPT = ((_RAM, 0x40000), (0x90000, 0x60000))
"""RAM, and flash behind the firmware."""
_TIMER0 = 0x40008000
_CLOCK_CAPTURE, _CLOCK_VALUE = _TIMER0 + 0x04C, _TIMER0 + 0x54C
"""Channel 3 of timer 0, which a driver has as its clock."""
_CLOCK_INTERRUPTS, _WAKES, _WAKE_AT = _TIMER0 + 0x304, 1 << 17, _TIMER0 + 0x544
"""Channel 1, at which it wakes."""
_CLOCK_COUNT, _CLOCK_MODE, _TIMER_MODE, _COUNTER_MODE = _TIMER0 + 0x008, _TIMER0 + 0x504, 0, 1
_WAKES_EARLY_US = 5


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
        twim: whether labwired's own I2C controller is there; memory takes its place where not, and that of clock and power, whose
            reason of a reset cannot be set in labwired's, and of the watchdog, which there counts instructions and resets nothing.

    Returns:
        The system's file.
    """
    import labwired

    configs = Path(labwired.__file__).parent / "configs"
    chip = (configs / "chips" / "nrf52840.yaml").read_text().replace("../peripherals", str(configs / "peripherals"))
    if not twim:
        for entry, after in _REPLACED:
            begin, end = chip.index(entry), chip.index(after)
            chip = chip[:begin] + chip[end:]
        chip = chip.replace("memory_regions:\n", f"memory_regions:\n{_MEMORY}", 1)
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


_MEMORY = """  - name: "twim0"
    base: 0x40003000
    size: "4KB"
  - name: "power"
    base: 0x40000000
    size: "4KB"
  - name: "wdt"
    base: 0x40010000
    size: "4KB"
"""
_REPLACED = (
    ('  - id: "i2c0"', '  - id: "gpio0"'),
    ('  - id: "clock"', '  - id: "spi2"'),
    ('  - id: "wdt"', '  - id: "ppi"'),
)
"""Entries of labwired's chip in whose place memory comes, and what follows each."""
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


class Machine:
    """The chip with its firmware. Use it in a `with` block, or call `close`.

    Args:
        firmware: ELF file.
        sensors: labwired's own; see `own_sensors`.
        chips: of the simulator, which take their place: their bus, and its clock, which will be the machine's.

    Attributes:
        sim: labwired's machine, which only the thread that made it may touch; another one after the watchdog has bitten.
        starts: how often it was started: once, and after each bite of the watchdog.
    """

    def __init__(
        self, firmware: Path, sensors: list[str] | None = None, chips: tuple[SimulatedBus, EmulatedClock] | None = None
    ) -> None:
        from labwired import Sim

        self._folder = tempfile.TemporaryDirectory(prefix="thermo-sim-")
        self._firmware = firmware
        self._system = system(Path(self._folder.name), sensors or [], twim=chips is None)
        self._chips = chips
        self._time_us = 0
        self.starts = 0
        self.sim: Sim = self._started()
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

    def _started(self) -> "Sim":
        """labwired's machine, with nothing in its RAM."""
        from labwired import Sim

        sim = Sim(self._firmware, system=self._system)
        self.starts += 1
        self._clock_us = 0
        self._told_us: int | None = None
        self._fed_us: int | None = None
        self._twim = None if self._chips is None else Twim(sim, *self._chips)
        for line in ("sda", "scl"):
            sim.set_pin(line, True)
        if self._twim is not None:
            sim.write_u32(_CRYSTAL_STARTED, 1)
        self._receiver = Receiver(sim)
        return sim

    def _restart(self) -> None:
        """The watchdog has bitten: RAM and flash stay, and the chip tells why it starts."""
        before = {at: self.sim.read_memory(at, size) for at, size in _KEPT}
        self.sim.close()
        self._heard.clear()
        self.sim = self._started()
        for start, data in before.items():
            erased = b"\xff" * 4 if start < _RAM else bytes(4)
            for at in range(0, len(data), 4):
                if data[at : at + 4] != erased:
                    self.sim.write_u32(start + at, int.from_bytes(data[at : at + 4], "little"))
        self.sim.write_u32(_RESET_REASON, _BY_WATCHDOG)
        self._told_us = self._time_us + _TOLD_WITHIN_US

    def run(self, most_us: int) -> None:
        """Run for so much of its time, and a slice more at most.

        Raises:
            ThermoError: labwired cannot go on.
        """
        end_us = self._time_us + most_us
        while self._time_us < end_us:
            self._slice()
            self._skip(end_us)
        if self._twim is not None:
            self._look_after()

    def _look_after(self) -> None:
        """Clear the reason of the start once it has been read, and bite where the watchdog was not fed in time."""
        sim = self.sim
        if self._told_us is not None and self._time_us >= self._told_us:
            sim.write_u32(_RESET_REASON, 0)  # ones that the firmware writes clear it, which memory does not know
            self._told_us = None
        if sim.read_u32(_WATCHDOG_START):
            sim.write_u32(_WATCHDOG_START, 0)
            sim.write_u32(_WATCHDOG_RUNS, 1)
            self._fed_us = self._time_us
        if sim.read_u32(_WATCHDOG_RELOAD):
            sim.write_u32(_WATCHDOG_RELOAD, 0)
            self._fed_us = self._time_us
        if (
            self._fed_us is not None
            and self._time_us - self._fed_us > sim.read_u32(WATCHDOG_SIZE) * 1_000_000 // _WATCHDOG_HZ
        ):
            self._restart()

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
