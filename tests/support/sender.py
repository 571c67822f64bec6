"""A hub's way from records to a broker, fed with records that follow from their numbers: run as a program, it may be killed at any moment.

`python sender.py FOLDER PORT SECRET CA END`: sends from where its spool ends up to record END, and says so.
"""

import asyncio
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import recorded
from host_sessions import STARTED_NS

from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wire.records import ClockRecord, Record, decode, encode
from thermo_host.link.items import Telemetry
from thermo_hub.broker.connection import Door
from thermo_hub.broker.settings import Mqtt
from thermo_hub.broker.topics import Place
from thermo_hub.mqtt.sink import SpoolSink
from thermo_hub.mqtt.uplink import Uplink

PLACE = Place("home", "SIM-1")
RATE = 4
SEGMENT = 1 << 20
PAUSES_S = (0.05,)


def session() -> Session:
    return recorded.session(recorded.BAND)


def item(number: int) -> Telemetry:
    """Record `number` of a wearable that sends 4 a second, byte for byte always the same."""
    time_us = 2_000_000 + number * 1_000_000 // RATE
    record: Record = (
        ClockRecord(time_us, 0, number, 0, number, 0)
        if number % RATE == 0
        else Block(time_us, 1, 0, number, hashlib.sha256(number.to_bytes(4)).digest())
    )
    data = encode(record, number + 65_000)
    header, read = decode(data)
    captured_ns = STARTED_NS + time_us * 1000
    return Telemetry(captured_ns + 30_000_000, captured_ns, header, read, data)


def items(start: int, end: int) -> Iterator[Telemetry]:
    return (item(number) for number in range(start, end))


def settings(port: int, secret: str, ca: str) -> Mqtt:
    return Mqtt(port=port, user="home", password_file=secret, tls=bool(ca), ca_file=ca or None)


def uplink(sink: SpoolSink, port: int, secret: str, ca: str) -> Uplink:
    return Uplink(PLACE, Door(settings(port, secret, ca)), sink, poll_s=0.02, pauses_s=PAUSES_S)


async def main(folder: Path, port: int, secret: str, ca: str, end: int) -> None:
    sink = SpoolSink(folder, session(), 7.0, 1 << 30, SEGMENT)
    sending = asyncio.create_task(uplink(sink, port, secret, ca).run())
    for start in range(sink.spool.count, end, 200):
        for number in range(start, min(end, start + 200)):
            sink.take(item(number), None)
        print(sink.spool.count, flush=True)
        await asyncio.sleep(0.01)
    await sending


if __name__ == "__main__":
    place, port, secret, ca, end = sys.argv[1:]
    asyncio.run(main(Path(place), int(port), secret, ca, int(end)))
