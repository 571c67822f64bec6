"""What tests ask of the firmware's main loop, and find in what it says."""

from collections.abc import Callable, Sequence
from typing import Any

from bundles import breast_patch
from firmware_wearable import FirmwareWearable

from thermo_core.graph.engine import Engine
from thermo_core.graph.rates import plan_at
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wire.management import Hello, SelfTest
from thermo_core.wire.management import read as message
from thermo_core.wire.records import Record
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command

CAMERA, SPOTS = 0, 1
Make = Callable[..., FirmwareWearable]


def of(kind: type, found: list[Record]) -> list[Any]:
    """Records of one kind."""
    return [record for record in found if isinstance(record, kind)]


def blocks(found: list[Record], sensor: int) -> list[Block]:
    """Blocks of a sensor."""
    return [one for one in of(Block, found) if one.sensor == sensor]


def subpages(found: list[Record]) -> list[Subpage]:
    """Subpages unpacked as a host does it."""
    decoder = CountsDecoder()
    return [
        Subpage(decoder.decode(codec.decode(one.data, one.index)), one.index, one.time_us)
        for one in blocks(found, CAMERA)
    ]


def hello(wearable: FirmwareWearable) -> Hello:
    return message(Hello, wearable.ask(Command.HELLO))


def identity(wearable: FirmwareWearable, sensor: int = CAMERA) -> bytes:
    return hello(wearable).sensors[sensor].id


def self_test(wearable: FirmwareWearable) -> dict[str, Any]:
    return {one.name: one for one in message(SelfTest, wearable.ask(Command.SELF_TEST, {}, Op.WRITE)).results}


def write(wearable: FirmwareWearable, blob: bytes, sensor: int = CAMERA) -> dict[str, Any]:
    """Send a correction in parts; the last answer."""
    answer: dict[str, Any] = {}
    for at in range(0, len(blob), 384):
        part = {"off": at, "len": len(blob), "data": blob[at : at + 384], "sensor": sensor}
        answer = wearable.ask(Command.CORRECTION, part, Op.WRITE)
        if "err" in answer:
            break
    return answer


def read(wearable: FirmwareWearable, command: int, **more: int) -> bytes:
    """Read something in parts."""
    data = bytearray()
    while True:
        answer = wearable.ask(command, {"off": len(data), **more})
        data += answer["data"]
        if len(data) >= answer["len"]:
            return bytes(data)


def engine_for(
    wearable: FirmwareWearable, correction: PixelCorrection | None = None, rates_hz: Sequence[float] = ()
) -> Engine:
    """Core's way from blocks to findings, with what the wearable says of itself."""
    bundle = breast_patch()
    networks = {name: Int8Network(data) for name, data in bundle.networks.items()}
    flags = int(Quality.SIMULATED)
    engine = Engine(plan_at(bundle.profile, rates_hz), networks, flags=flags)
    camera, spots = hello(wearable).sensors
    constants = read(wearable, Command.CONSTANTS, sensor=CAMERA)
    engine.open(CAMERA, SensorConstants(camera.constants, constants), correction)
    engine.open(SPOTS, SensorConstants(spots.constants, b""), None)
    return engine
