"""A recording's raw subpages and EEPROM, as a dump of another tool would hold them."""

import json
from collections.abc import Iterator
from typing import IO

import numpy as np

from thermo_core.errors import CountsError, RecordingError
from thermo_core.frames import CONTROL, PIXELS, RAM_WORDS, SUBPAGE, Words
from thermo_core.mlx90640.dump import Dump
from thermo_core.mlx90640.registers import EEPROM_WORDS, subpage_mask
from thermo_core.recording.container import Container, Message
from thermo_core.recording.content import UNREADABLE, Head, read_head, read_message
from thermo_core.recording.layout import eeprom_sensor
from thermo_core.recording.plain import from_plain
from thermo_core.wire.counts import CountsDecoder
from thermo_core.wire.management import Hello
from thermo_core.wire.records import SubpageRecord

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
    eeproms = {
        sensor: data
        for file, data in head.attachments.items()
        if (sensor := eeprom_sensor(file)) is not None and len(data) == 2 * EEPROM_WORDS
    }
    if not eeproms:
        raise RecordingError(f"{name} holds no EEPROM of a picture sensor, so it has no frames; try another recording.")
    sensor = min(eeproms)
    eeprom = np.frombuffer(eeproms[sensor], "<u2").astype(np.uint16)
    rows: list[Words] = []
    notes: tuple[str, ...] = ()
    generation = _generation(head, sensor, name)
    for words, made_with in _subpages(Container(stream, size), sensor):
        if made_with != generation:
            notes = (f"Another sensor was put in during {name}; the {len(rows)} subpages before that are taken.",)
            break
        if len(rows) == MOST_FRAMES:
            notes = (f"{name} holds more than {MOST_FRAMES} subpages; the first of them are taken.",)
            break
        _fill_other(words, rows)
        rows.append(words)
    if not rows:
        raise RecordingError(f"{name} holds no subpage of sensor {sensor} that can be unpacked; try another recording.")
    return Dump(eeprom, np.stack(rows), notes)


def _generation(head: Head, sensor: int, name: object) -> int:
    try:
        sensors = from_plain(Hello, json.loads(head.metadata["hello"])).sensors
        return next(info.generation for info in sensors if info.sensor == sensor)
    except (StopIteration, *UNREADABLE) as error:
        raise RecordingError(f"{name} does not say what its sensor {sensor} is; try another recording.") from error


def _subpages(container: Container, sensor: int) -> Iterator[tuple[Words, int]]:
    decoder = CountsDecoder()
    for message in container:
        if not isinstance(message, Message) or message.topic != "/subpage":
            continue
        try:
            read = read_message(message)
            if isinstance(read, tuple) and isinstance(read[1], SubpageRecord) and read[1].sensor == sensor:
                yield decoder.decode(read[1].packed).copy(), read[1].generation
        except (CountsError, *UNREADABLE):
            continue


def _fill_other(words: Words, rows: list[Words]) -> None:
    if not rows or int(words[SUBPAGE]) > 1:
        return
    own = subpage_mask(int(words[SUBPAGE]), bool(words[CONTROL] & _CHESS)).ravel()
    words[:PIXELS][~own] = rows[-1][:PIXELS][~own]
    assert len(words) == RAM_WORDS + 2
