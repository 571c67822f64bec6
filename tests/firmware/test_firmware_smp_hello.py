"""What the firmware's hello says, in as many answers as it needs."""

import ctypes
from typing import Any

import msgspec
import pytest
from firmware_smp import BUFFER, Firmware
from smp_bench import Bench

from thermo_core.wire import management
from thermo_core.wire.management import Hello
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command
from thermo_quantize.firmware import HELLO_BYTES


def test_hello_is_read_by_core(wire: Any) -> None:
    assert management.read(Hello, Firmware(wire).ask(Op.READ, Command.HELLO, {}).body) == Bench().hello()


def test_what_hello_says_of_sensors(wire: Any) -> None:
    absent = management.read(Hello, Firmware(wire, sensor=None, has_bundle=False).ask(Op.READ, Command.HELLO, {}).body)
    assert (absent.bundle, absent.bundle_sha256, absent.sensors[0].id, absent.sensors[0].warning) == ("", b"", b"", "")
    trusted = management.read(Hello, Firmware(wire, doubted=False).ask(Op.READ, Command.HELLO, {}).body)
    assert [sensor.warning for sensor in trusted.sensors] == ["", "", ""]


def whole_hello(firmware: Firmware) -> Hello:
    """Hello with all sensors, asked for as often as it takes."""
    hello = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {}).body)
    sensors = list(hello.sensors)
    while len(sensors) < hello.sensor_count:
        more = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {"first": len(sensors)}).body)
        assert more.sensors
        sensors += more.sensors
    return msgspec.structs.replace(hello, sensors=tuple(sensors))


def test_hello_goes_on_from_any_sensor(wire: Any) -> None:
    firmware, all_of_it = Firmware(wire), Bench().hello()
    for first in range(5):
        hello = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {"first": first}).body)
        assert (hello.sensors, hello.sensor_count) == (all_of_it.sensors[first:], 3)


@pytest.mark.parametrize("sentences", [1, 3, 8])
def test_the_longest_texts_that_are_generated_fit_hello(wire: Any, sentences: int) -> None:
    """`thermo-quantize firmware` takes `HELLO_BYTES` of name and sentences. With these a board's long names, and the longest fault
    and warning of a sensor, fit as well; what other sensors say comes in as many answers as it needs."""
    firmware = Firmware(wire)
    size = min(512, (HELLO_BYTES - 64) // sentences)
    wire.wire_long_texts(ctypes.c_size_t(sentences), ctypes.c_size_t(size))
    hello = whole_hello(firmware)
    usual = Bench().hello().sensors
    assert (len(hello.profile), *map(len, hello.waived)) == (64, *[size] * sentences)
    assert (len(hello.name), len(hello.platform), len(hello.serial)) == (64, 64, 31)
    assert [(one.kind, one.fault) for one in hello.sensors[1:]] == [(one.kind, one.fault) for one in usual[1:]]
    assert len(hello.sensors[0].fault) > 40 < len(hello.sensors[0].warning)


def test_hello_tells_of_as_many_sensors_as_there_is_room_for(wire: Any) -> None:
    """Each answer is whole in itself and says how many there are; none is an answer without any."""
    firmware = Firmware(wire)
    request = SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.HELLO), {}).encode()
    whole = SmpMessage.decode(firmware.answer(request) or b"").body
    told = set()
    for room in range(10, BUFFER, 13):
        answer = firmware.answer(request, room)
        body = None if answer is None else SmpMessage.decode(answer).body
        if body in (None, {"rc": int(ReturnCode.TOO_LARGE)}):
            told.add(0)
            continue
        assert body is not None and body == {**whole, "sensors": body["sensors"]}
        assert body["sensors"] == whole["sensors"][: len(body["sensors"])] and body["sensor_count"] == 3
        told.add(len(body["sensors"]))
    assert told == {0, 1, 2, 3}
