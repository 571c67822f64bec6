"""What a wearable draws on a board, and how long a battery lasts: an estimate from instruction counts and data sheets.

A processor runs for the instructions it has to and waits for the rest; sensors draw what their data sheets say. Radios, displays,
regulators and what a line's other end takes are not in it, and nothing here was measured on silicon.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.wearable.profile import Model
from thermo_models.wearable_text import Drawn


@dataclass(frozen=True, slots=True)
class Board:
    """A board's processor.

    Attributes:
        about: in words.
        target: a key of `thermo_quantize.compiler.targets.TARGETS`.
        clock_hz: of the processor.
        cycles: of an instruction, on average.
        supply_v: that the currents are at.
        running_ma: current while it runs.
        waiting_ma: current while it waits for a timer or an interrupt, memory kept.
        source: where the currents come from.
    """

    about: str
    target: str
    clock_hz: float
    cycles: float
    supply_v: float
    running_ma: float
    waiting_ma: float
    source: str


BOARDS: Mapping[str, Board] = {
    "nrf52840": Board(
        "nRF52840, Cortex-M4F",
        "m4",
        64e6,
        1.3,
        3.0,
        3.3,
        0.0032,
        "product specification of the nRF52840, current consumption: running from flash with the DC/DC regulator, and System ON with all "
        "RAM and the RTC",
    ),
    "stm32l476": Board(
        "STM32L476, Cortex-M4F",
        "m4",
        80e6,
        1.3,
        3.0,
        10.2,
        0.0014,
        "data sheet of the STM32L476: Run mode at 80 MHz from flash, and Stop 2 with the RTC",
    ),
}
"""Cycles of an instruction on an M4 are those of published runs of int8 networks (MLPerf Tiny), rounded up."""
USABLE = 0.85
"""Share of a battery's rated charge that a regulator of 3 V gets out of it."""


@dataclass(frozen=True, slots=True)
class Energy:
    """An estimate.

    Attributes:
        board: that it is for.
        busy: share of its time that the processor runs stages and networks; drivers, decoding and the line come on top.
        inference_uj: of each network that is trained, energy of one inference, microjoules.
        inference_ms: of each of them, time of one inference, milliseconds.
        processor_ma: mean current of the processor.
        sensors_ma: mean current of each sensor, by name.
    """

    board: Board
    busy: float
    inference_uj: Mapping[str, float]
    inference_ms: Mapping[str, float]
    processor_ma: float
    sensors_ma: Mapping[str, float]

    @classmethod
    def of(cls, drawn: Drawn, board: Board) -> "Energy":
        """Of a graph drawn for the board's target."""
        second, each_ms = 0.0, {}
        for node, cost in drawn.costs():
            if cost is None:
                continue
            second += cost * node.gives.rate_hz * board.cycles / board.clock_hz
            if isinstance(node.what, Model):
                each_ms[node.what.name] = 1000 * cost * board.cycles / board.clock_hz
        busy = min(1.0, second)
        return cls(
            board,
            second,
            {name: ms * board.running_ma * board.supply_v for name, ms in each_ms.items()},
            each_ms,
            busy * board.running_ma + (1 - busy) * board.waiting_ma,
            {sensor.name: sensor.supply_ma for sensor in drawn.plan.profile.sensors if sensor.supply_ma},
        )

    @property
    def mean_ma(self) -> float:
        """Of processor and sensors together, while it measures."""
        return self.processor_ma + sum(self.sensors_ma.values())

    def hours(self, battery_mah: float, duty: float) -> float:
        """How long a battery lasts.

        Args:
            battery_mah: its rated charge.
            duty: share of the time in which it measures; for the rest the sensors are off and the processor waits.
        """
        mean_ma = duty * self.mean_ma + (1 - duty) * self.board.waiting_ma
        return USABLE * battery_mah / mean_ma
