"""A recording's raw subpages and EEPROM, as a dump of another tool would hold them."""

from collections.abc import Iterator
from typing import IO

import numpy as np

from thermo_core.errors import RecordingError
from thermo_core.recording.container import Container, Message
from thermo_core.recording.content import UNREADABLE, read_head, read_message
from thermo_core.recording.session import from_metadata
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.dump import Dump
from thermo_core.sensors.mlx90640.frames import CONTROL, PIXELS, RAM_WORDS, SUBPAGE, Words
from thermo_core.sensors.mlx90640.kind import words_of
from thermo_core.sensors.mlx90640.registers import subpage_mask

MOST_FRAMES = 65536
"""More than an hour at 16 subpages/s, in 110 MB."""
_CHESS = 0x1000


def recorded_frames(stream: IO[bytes], size: int, name: object) -> Dump:
    """EEPROM and subpages of a recording's first picture sensor; those made with another EEPROM later are left out.

    Each row has the pixels of its own subpage and, as a sensor's RAM does, those of the other one before it.

    Args:
        stream: an MCAP file at its beginning.
        size: bytes of it.
        name: how errors call it.

    Returns:
        At most MOST_FRAMES rows; a note says where there were more.

    Raises:
        RecordingError: it is no recording of ours, or holds no EEPROM or no subpage.
    """
    head = read_head(Container(stream, size), name)
    stream.seek(0)
    session = from_metadata(head.metadata, head.attachments, name)
    cameras = [
        n for n, sensor in enumerate(session.profile.sensors) if sensor.kind == "mlx90640" and n in session.constants
    ]
    if not cameras:
        raise RecordingError(f"{name} holds no EEPROM of a camera, so it has no frames; try another recording.")
    sensor = cameras[0]
    constants = session.constants[sensor]
    rows: list[Words] = []
    notes: tuple[str, ...] = ()
    for words, made_with in _subpages(Container(stream, size), sensor):
        if made_with != constants.number & 0xFFFF:
            notes = (f"Another sensor was put in during {name}; the {len(rows)} subpages before that are taken.",)
            break
        if len(rows) == MOST_FRAMES:
            notes = (f"{name} holds more than {MOST_FRAMES} subpages; the first of them are taken.",)
            break
        _fill_other(words, rows)
        rows.append(words)
    if not rows:
        raise RecordingError(f"{name} holds no subpage of sensor {sensor} that can be unpacked; try another recording.")
    return Dump(words_of(constants.data), np.stack(rows), notes)


def _subpages(container: Container, sensor: int) -> Iterator[tuple[Words, int]]:
    decoder = CountsDecoder()
    for message in container:
        if not isinstance(message, Message):
            continue
        try:
            read = read_message(message)
            if isinstance(read, tuple) and isinstance(read[1], Block) and read[1].sensor == sensor:
                block = read[1]
                yield decoder.decode(codec.decode(block.data, block.index)).copy(), block.constants
        except UNREADABLE:
            continue


def _fill_other(words: Words, rows: list[Words]) -> None:
    if not rows or int(words[SUBPAGE]) > 1:
        return
    own = subpage_mask(int(words[SUBPAGE]), bool(words[CONTROL] & _CHESS)).ravel()
    words[:PIXELS][~own] = rows[-1][:PIXELS][~own]
    assert len(words) == RAM_WORDS + 2
