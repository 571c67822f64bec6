"""What the conformance suite's tests share: names of the breast patch's sensors, and what was heard, by kind."""

import contextlib
import os
import select
from dataclasses import replace
from typing import Any

import numpy as np
from running import PATIENCE, of

from thermo_core.quality import Quality
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.framing import Demultiplexer, ManagementFrame
from thermo_core.wire.records import (
    EventRecord,
    FindingRecord,
    Record,
)
from thermo_core.wire.smp import Op, SmpHeader, SmpMessage, encode_packets

SCORE = 0.02
"""Scores may differ where single precision puts a pixel on the other side of an input step."""
CAMERA, SPOTS = 0, 1


def blocks(records: list[Record], sensor: int = CAMERA) -> list[Block]:
    return [one for one in of(Block, records) if one.sensor == sensor]


def pixels(offset: float, stamp: Stamp) -> PixelCorrection:
    same = PixelCorrection.identity(stamp)
    return replace(same, offset=np.full((24, 32), offset, np.float32))


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
