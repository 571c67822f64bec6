"""An nRF52840 in labwired: runs firmware for it, with labwired's own models of sensors on its I2C bus.

Run as a process of its own: `python -m thermo_sim.labwired_board FIRMWARE SERIAL_FD WEARABLE`. What labwired lacks of the chip is done
here: levels of the bus's lines, the UARTE's receiver and its interrupt.
"""

import contextlib
import os
import select
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from thermo_core.errors import ThermoError
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import Profile

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
SLICE = "1ms"
BYTES_A_SLICE = 100
"""That 1 Mbaud brings in a millisecond."""

_UARTE, _TIMER1, _NVIC_PEND = 0x40002000, 0x40009000, 0xE000E200
_UARTE_IRQ = 1 << 2
_TX_ENDED, _RX_POINTER, _RX_SIZE = _UARTE + 0x120, _UARTE + 0x534, _UARTE + 0x538
_ENABLE, _ENABLED = _UARTE + 0x500, 8
_COUNT, _CAPTURE_3, _VALUE_3 = _TIMER1 + 0x008, _TIMER1 + 0x04C, _TIMER1 + 0x54C


def available() -> bool:
    """Whether labwired is installed."""
    return find_spec("labwired") is not None


Settings = Mapping[str, Mapping[str, object]]
"""What labwired's models are told, by kind of sensor: keys of its own."""


def system(profile: Profile, folder: Path, more: Settings | None = None) -> Path:
    """Write what labwired has to know of chip, lines and sensors into a folder; returns the system's file."""
    import labwired

    configs = Path(labwired.__file__).parent / "configs"
    chip = (configs / "chips" / "nrf52840.yaml").read_text().replace("../peripherals", str(configs / "peripherals"))
    chip += _ENTRY.format(id="nvic", base="0xE000E100", size="1KB") + _ENTRY.format(
        id="systick", base="0xE000E010", size="16B"
    )
    (folder / "chip.yaml").write_text(chip)
    lines = ['name: "nrf52840"', f'chip: "{folder / "chip.yaml"}"', "external_devices:"]
    for sensor in profile.sensors:
        if sensor.kind in MODELS and sensor.bus_path is not None and not sensor.bus_path.hops:
            model, settings = MODELS[sensor.kind]
            settings = {"i2c_address": sensor.bus_path.address, **settings, **(more or {}).get(sensor.kind, {})}
            given = ", ".join(f"{key}: {value}" for key, value in settings.items())
            lines += [f'  - id: "{sensor.name}"', f'    type: "{model}"', '    connection: "i2c0"']
            lines += [f"    config: {{ {given} }}"]
    lines.append("board_io:")
    for name, pin in (("sda", SDA), ("scl", SCL)):
        lines += [f'  - id: "{name}"', '    kind: "button"', '    peripheral: "gpio0"', f"    pin: {pin}"]
        lines += ['    signal: "input"', "    active_high: true"]
    path_of_system = folder / "system.yaml"
    path_of_system.write_text("\n".join(lines) + "\n")
    return path_of_system


_ENTRY = """
  - id: "{id}"
    type: "{id}"
    base_address: {base}
    size: "{size}"
"""


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


class LabwiredBoard:
    """Firmware on an nRF52840. Use it in a `with` block.

    Args:
        firmware: ELF file.
        profile: whose sensors are on the bus, as far as labwired has models of them.
        settings: what these models are told.

    Attributes:
        sim: labwired's machine.
    """

    def __init__(self, firmware: Path, profile: Profile, settings: Settings | None = None) -> None:
        from labwired import Sim

        self._folder = tempfile.TemporaryDirectory(prefix="thermo-sim-")
        self.sim: Sim = Sim(firmware, system=system(profile, Path(self._folder.name), settings))
        for line in ("sda", "scl"):
            self.sim.set_pin(line, True)
        self._receiver = Receiver(self.sim)

    def __enter__(self) -> "LabwiredBoard":
        return self

    def __exit__(self, *problem: object) -> None:
        self.sim.close()
        self._folder.cleanup()

    def step(self, heard: bytes = b"") -> bytes:
        """One millisecond.

        Args:
            heard: what arrives on the line, at most BYTES_A_SLICE bytes.

        Returns:
            What the board said meanwhile.
        """
        if heard:
            self._receiver.receive(heard)
        if self.sim.read_u32(_TX_ENDED):
            self.sim.write_u32(_NVIC_PEND, _UARTE_IRQ)
        stop = self.sim.run_for(SLICE)
        if stop.kind != "reached":
            raise ThermoError(f"labwired stopped the processor ({stop.kind}); start the board again.")
        said: bytes = self.sim.read_uart_bytes()
        return said


def serve(board: LabwiredBoard, line: int) -> None:
    """Run a board, and carry bytes between it and a descriptor, until whoever holds the other end closes it."""
    os.set_blocking(line, False)
    heard, said = b"", b""
    while True:
        if len(heard) < BYTES_A_SLICE and select.select([line], [], [], 0)[0]:
            data = os.read(line, 4096)
            if not data:
                return
            heard += data
        said += board.step(heard[:BYTES_A_SLICE])
        heard = heard[BYTES_A_SLICE:]
        if said:
            with contextlib.suppress(BlockingIOError):
                said = said[os.write(line, said) :]


def main(firmware: str, line: str, wearable: str) -> None:
    """Run a board on an inherited descriptor of its serial line."""
    with LabwiredBoard(Path(firmware), read(resolve(wearable)).profile) as board:
        serve(board, int(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
