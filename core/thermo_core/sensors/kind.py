"""What the product knows of a kind of sensor: a row that says how its blocks become signals and how it is corrected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from thermo_core.sensors.correction import Correction
from thermo_core.sensors.settings import SensorSettings
from thermo_core.signals import Sample


@dataclass(frozen=True, slots=True)
class Block:
    """What a sensor said once, and the record that carries it.

    Attributes:
        time_us: end of the capture, device clock, microseconds.
        sensor: its number within the wearable.
        constants: number of the sensor's constants it was measured with, modulo 65536; it rises with each change of them.
        index: running number of the block at the device; a gap is a loss.
        data: as the codec of the sensor's kind packs it.
    """

    time_us: int
    sensor: int
    constants: int
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class SensorConstants:
    """What a sensor's chip holds.

    Attributes:
        number: rises with each change of them.
        data: as they travel; b"" for a kind without.
    """

    number: int
    data: bytes


Moment = Mapping[str, Sample]
"""What a sensor said of one moment: a sample of each of its signals, by name, all with the same time."""


class Reader(Protocol):
    """Turns the blocks of one sensor to moments of its signals, in order.

    A camera needs two blocks for one moment, a thermopile one; a chip with a FIFO packs many samples in a block, and each of
    them is a moment of its own, placed in time by the block's end and the period the device measured. Stages never see
    blocks: the samples of a block run through the graph one after another, as if each had come alone.
    """

    def push(self, block: Block) -> Sequence[Moment]:
        """Take a block.

        Returns:
            Moments of rising time; none where more blocks are needed for one.

        Raises:
            WireError: the block does not unpack; the next one may.
            SensorError: it holds what cannot be; the next one may be sound.
        """


@runtime_checkable
class Foreseeing(Protocol):
    """A reader that reads many blocks at once in less time, where they are known before it is their turn, as in a recording."""

    def expect(self, blocks: Sequence[Block]) -> None:
        """Blocks that `push` will be given next, in this order. It gives what it would without; also where others come."""


@dataclass(frozen=True, slots=True)
class ConstantsKind:
    """What the factory measured and the chip holds.

    Attributes:
        size: bytes of them as they are sent and kept.
        check: (bytes) -> identity of the chip, at most 8 bytes; raises SensorError where they cannot be.
    """

    size: int
    check: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class SensorKind:
    """One kind.

    Attributes:
        settings: what a profile says of it.
        reader: (settings, constants, correction) -> a reader; constants are b"" where the kind has none, the correction may be
            None. Raises SensorError where the constants cannot be, UsageError where the settings cannot.
        constants: what the chip holds; None where it holds nothing.
        correction: (stamp, body) -> a correction, see `sensors.correction`; None where it is never calibrated. Raises
            CorrectionError.
        objection: (settings, correction) -> why no sensor in order can need the correction, a sentence; "" where one can. None where
            what `correction` refuses is enough.
        surface: whether the temperature it is made for is that of a body's surface: of skin it touches or looks at.
    """

    settings: type[SensorSettings]
    reader: Callable[[Any, bytes, Any], Reader]
    constants: ConstantsKind | None = None
    correction: type[Correction] | None = None
    objection: Callable[[Any, Any], str] | None = None
    surface: bool = False
