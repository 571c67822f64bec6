"""What the conformance suite's tests share: names of the breast patch's sensors, and what was heard, by kind."""

import contextlib
import os
import select
from dataclasses import replace
from typing import Any

import numpy as np
from running import PATIENCE, Running, hear, of

from thermo_core.graph.engine import Engine
from thermo_core.quality import Quality
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.signals import Sample
from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.records import (
    EventRecord,
    FindingRecord,
    Record,
)
from thermo_core.wire.smp import Op, SmpHeader, SmpMessage, encode_packets
from thermo_host.link.wearable import Wearable

SCORE = 0.02
"""Scores may differ where single precision puts a pixel on the other side of an input step."""
CAMERA, SPOTS = 0, 1
BLACKBODY, PICTURES = 34.0, 32
"""Temperature that a camera is calibrated at, degC, and the pictures that it takes for it."""


def blocks(records: list[Record], sensor: int = CAMERA) -> list[Block]:
    return [one for one in of(Block, records) if one.sensor == sensor]


def pixels(offset: float, stamp: Stamp) -> PixelCorrection:
    same = PixelCorrection.identity(stamp)
    return replace(same, offset=np.full((24, 32), offset, np.float32))


def calibrate(wearable: Running, host: Wearable) -> None:
    """Give the camera a correction by which it sees one temperature right, as no alert of the patch goes by a camera without."""
    wearable.laboratory("blackbody", celsius=BLACKBODY)
    try:
        engine = wearable.engine(host)
        heard = hear(host, lambda records: len(blocks(records)) >= 2 * PICTURES, "pictures of a blackbody")
        made = [produced["skin"].values for block in heard for produced in pushed(engine, block) if "skin" in produced]
        seen = np.mean(made[-PICTURES:], axis=0)
        stamp = Stamp(host.hello().sensors[CAMERA].id)
        offset = (BLACKBODY - seen).astype(np.float32)
        host.write_correction(CAMERA, replace(PixelCorrection.identity(stamp), offset=offset))
    finally:
        wearable.laboratory("scene")


def pushed(engine: Engine, record: Record) -> list[dict[str, Sample]]:
    """Signals that core makes of a record, pass by pass."""
    return [dict(produced) for produced in engine.push(record).passes] if isinstance(record, Block) else []


def codes(records: list[Record]) -> set[int]:
    return {event.code for event in of(EventRecord, records)}


def suspect(records: list[Record]) -> list[bool]:
    """Of the findings that were heard: whether each is flagged."""
    return [bool(one.flags & Quality.SUSPECT) for one in of(FindingRecord, records)]


def asked(port: int, demultiplexer: Demultiplexer, message: bytes) -> SmpMessage:
    """The answer to one message, whatever else comes."""
    data = encode_packets(message)
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(port, data) :]
    while select.select([port], [], [], 30.0 * PATIENCE)[0]:
        for frame in demultiplexer.feed(os.read(port, 4096)):
            if isinstance(frame, ManagementFrame):
                return SmpMessage.decode(frame.message)
    raise AssertionError("no answer came")


def request(op: Op, command: int, body: dict[str, Any], group: int = 65) -> bytes:
    return SmpMessage(SmpHeader(op, group, command, 1), body).encode()
