"""Corrections over the firmware's line: written in parts, checked, used, rolled back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from firmware_smp import SENSOR, Firmware

from thermo_core.sensors import correction as corrections
from thermo_core.sensors.ads1115_ntc.correction import CurveCorrection
from thermo_core.sensors.ads1115_ntc.thermistor import SteinhartHart
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.wire import management
from thermo_core.wire.management import Hello
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpMessage
from thermo_core.wire.table import Command, GroupError


def correction(seed: int, sensor: bytes = SENSOR, crc32: int = 0xCAFE, offset_k: float = 0.0) -> bytes:
    """One that differs by its seed."""
    zero = np.zeros((ROWS, COLUMNS), np.float32)
    offset = np.random.default_rng(seed).normal(offset_k, 1, (ROWS, COLUMNS)).astype(np.float32)
    return corrections.to_bytes(PixelCorrection(offset, zero + 1, zero, zero > 0, Stamp(sensor, seed, 0.1, crc32)))


def write_parts(firmware: Firmware, data: bytes, size: int) -> SmpMessage:
    """Write a correction; the last answer, or the first refusal."""
    for at in range(0, len(data), size):
        part = data[at : at + size]
        answer = firmware.ask(Op.WRITE, Command.CORRECTION, {"off": at, "len": len(data), "data": part})
        if answer.error is not None:
            return answer
        assert answer.body == {"off": at + len(part)}
    return answer


def read_slot(firmware: Firmware, slot: int) -> bytes:
    """A stored correction."""
    read, length = b"", 1
    while len(read) < length:
        part = management.read(
            management.Part, firmware.ask(Op.READ, Command.CORRECTION, {"off": len(read), "slot": slot}).body
        )
        read, length = read + part.data, part.len
    return read


@pytest.mark.parametrize("size", [1000, 384, 1024, 7])
def test_a_correction_written_in_parts_is_used_and_rolled_back(wire: Any, size: int) -> None:
    firmware = Firmware(wire)
    first, second = correction(1), correction(2)
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [b"", b""]
    assert write_parts(firmware, first, size).error is None
    assert firmware.corrections == 1
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [first, b""]
    assert write_parts(firmware, second, size).error is None
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [second, first]
    for swapped in ([first, second], [second, first]):
        assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).body == {}
        assert [read_slot(firmware, slot) for slot in (0, 1)] == swapped
    assert firmware.corrections == 4


def refused_with(firmware: Firmware, answer: SmpMessage, code: GroupError, sentence: str) -> None:
    assert answer.error == (Group.THERMO, code)
    assert sentence in firmware.reason
    assert [read_slot(firmware, slot) for slot in (0, 1)] == [correction(1), b""]


def test_a_correction_that_cannot_be_is_refused_and_the_stored_one_stays(wire: Any) -> None:
    firmware = Firmware(wire)
    write_parts(firmware, correction(1), 1024)
    good = correction(2)
    damaged = good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]
    alien = correction(3, bytes.fromhex("0102030405ff"))
    ask: Callable[[dict[str, Any]], SmpMessage] = lambda body: firmware.ask(Op.WRITE, Command.CORRECTION, body)  # noqa: E731
    refused_with(firmware, write_parts(firmware, damaged, 1024), GroupError.DAMAGED, "is damaged")
    refused_with(
        firmware,
        write_parts(firmware, alien, 1024),
        GroupError.WRONG_SENSOR,
        "The correction is of sensor 0102030405ff and skin is 0d22d1850189",
    )
    aged = correction(3, crc32=0xBEEF)
    refused_with(
        firmware, write_parts(firmware, aged, 1024), GroupError.WRONG_SENSOR, "the EEPROM of skin held something else"
    )
    wild = correction(3, offset_k=20.0)
    refused_with(firmware, write_parts(firmware, wild, 1024), GroupError.IMPLAUSIBLE, "moves a picture")
    curves = corrections.to_bytes(CurveCorrection((SteinhartHart(1.1e-3, 2.3e-4, 8.8e-8),), Stamp(SENSOR, 3, 0.1)))
    refused_with(firmware, write_parts(firmware, curves, 1024), GroupError.WRONG_SENSOR, "skin is of kind mlx90640")
    for length in (0, 35, len(good) + 1, 1 << 20):
        empty = {"off": 0, "len": length, "data": b""}
        refused_with(firmware, ask(empty), GroupError.DAMAGED, f"A correction of {length} bytes")
    refused_with(
        firmware, ask({"off": 8, "len": len(good), "data": b"x"}), GroupError.BAD_OFFSET, "where 0 of 0 was next"
    )
    assert ask({"off": 0, "len": len(good), "data": good[:100]}).body == {"off": 100}
    for off in (99, 101, 200):
        answer = ask({"off": off, "len": len(good), "data": b"x"})
        refused_with(firmware, answer, GroupError.BAD_OFFSET, f"A part at {off} of {len(good)} came where 100 of")
    assert ask({"off": 100, "len": len(good), "data": bytes(len(good) - 99)}).error == (None, ReturnCode.INVALID)
    assert "reaches beyond its whole" in firmware.reason
    assert ask({"off": 100, "len": len(good), "data": good[100:200]}).body == {"off": 200}
    assert firmware.ask(Op.WRITE, Command.ROLLBACK, {}).error == (Group.THERMO, GroupError.NO_CORRECTION)
    assert firmware.corrections == 1
    assert write_parts(firmware, good, 1024).error is None
    assert read_slot(firmware, 0) == good


def test_no_correction_is_taken_where_the_sensor_is_not_known(wire: Any) -> None:
    firmware = Firmware(wire, sensor=None)
    answer = write_parts(firmware, correction(1), 1024)
    assert answer.error == (Group.THERMO, GroupError.NO_SENSOR)
    assert read_slot(firmware, 0) == b""


def test_a_sensor_of_a_kind_without_corrections_takes_none(wire: Any) -> None:
    firmware = Firmware(wire)
    body = {"off": 0, "len": 100, "data": bytes(100), "sensor": 2}
    assert firmware.ask(Op.WRITE, Command.CORRECTION, body).error == (Group.THERMO, GroupError.NO_CORRECTION)
    assert firmware.reason == "room is of kind external, which is never corrected."
    answer = firmware.ask(Op.WRITE, Command.CORRECTION, {**body, "sensor": 3})
    assert answer.error == (Group.THERMO, GroupError.NO_SENSOR)


@pytest.mark.parametrize(("crc32", "vouched"), [(0xCAFE, True), (0, False)])
def test_what_was_made_with_these_very_constants_vouches_for_them(wire: Any, crc32: int, vouched: bool) -> None:
    firmware = Firmware(wire)
    assert write_parts(firmware, correction(1, crc32=crc32), 1024).error is None
    assert firmware.trusts == vouched and firmware.corrected
    skin = management.read(Hello, firmware.ask(Op.READ, Command.HELLO, {}).body).sensors[0]
    assert skin.corrected and bool(skin.warning) == (not vouched)
