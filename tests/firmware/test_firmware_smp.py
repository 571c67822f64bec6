"""What the firmware's SMP server answers by itself: standard groups, sizes, parts, refusals, and the host's part."""

import ctypes
from typing import Any

import numpy as np
import pytest
from firmware_smp import BUFFER, Firmware
from smp import error as smp_error
from smp import header as smp_header
from smp.image_management import (
    ImageEraseRequest,
    ImageManagementErrorV1,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageUploadWriteRequest,
)
from smp.os_management import (
    BootloaderInformationReadRequest,
    BootloaderInformationReadResponse,
    EchoWriteRequest,
    EchoWriteResponse,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
    ResetWriteRequest,
    ResetWriteResponse,
)
from smp_bench import CONSTANTS, Bench

from thermo_core.graph.alerts import AlertState
from thermo_core.wire import management
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command, GroupError


def test_a_self_test_can_be_asked_for_in_parts(wire: Any) -> None:
    firmware = Firmware(wire)
    whole = firmware.ask(Op.WRITE, Command.SELF_TEST, {}).body["results"]
    parts = [firmware.ask(Op.WRITE, Command.SELF_TEST, {"part": part}).body["results"] for part in range(4)]
    assert [len(part) for part in parts] == [3, 0, 0, 0] and parts[0] == whole
    assert firmware.ask(Op.WRITE, Command.SELF_TEST, {"part": 4}).body["err"] == {
        "group": Group.THERMO,
        "rc": GroupError.NO_SENSOR,
    }


def test_messages_on_the_page_are_answered(wire: Any) -> None:
    firmware = Firmware(wire)
    start = "0a0000200041 0801 a3626f7001686c656173655f6d73190bb86c6b65795f696e74657276616c1840"
    answer = firmware.answer(bytes.fromhex(start.replace(" ", "")))
    assert answer is not None and SmpMessage.decode(answer).body == {"lease_ms": 3000, "time_us": 1234}
    assert (firmware.lease_ms, firmware.key_interval) == (3000, 64)
    refused = firmware.answer(bytes.fromhex("0a00000100410904a0"))
    assert refused == bytes.fromhex("0b00001200410904a163657272a262726303656772 6f7570 1841".replace(" ", ""))


def test_the_standard_groups_speak_as_the_reference_client_expects(wire: Any) -> None:
    firmware = Firmware(wire)

    def ask(message: bytes) -> bytes:
        answer = firmware.answer(message)
        assert answer is not None
        return answer

    assert EchoWriteResponse.loads(ask(EchoWriteRequest(d="grüß dich").BYTES)).r == "grüß dich"
    parameters = MCUMgrParametersReadResponse.loads(ask(MCUMgrParametersReadRequest().BYTES))
    assert (parameters.buf_size, parameters.buf_count) == (BUFFER, 1)
    loader = BootloaderInformationReadResponse.loads(ask(BootloaderInformationReadRequest().BYTES))
    assert loader.bootloader == "none"
    ResetWriteResponse.loads(ask(ResetWriteRequest().BYTES))
    assert firmware.resets == 1
    (image,) = ImageStatesReadResponse.loads(ask(ImageStatesReadRequest().BYTES)).images
    assert (image.version, image.hash, image.slot) == ("1.2.3+4", bytes(range(32)), 0)
    assert image.active and image.confirmed and image.bootable and not image.pending
    for confirm in (
        ImageStatesWriteRequest(confirm=True),
        ImageStatesWriteRequest(hash=bytes(range(32)), confirm=True),
    ):
        assert ImageStatesReadResponse.loads(ask(confirm.BYTES)).images == [image]
    refusals = [
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0),
        ImageUploadWriteRequest(off=0, data=bytes(64), len=1000, image=0, version=smp_header.Version.V1),
        ImageEraseRequest(),
        ImageStatesWriteRequest(hash=bytes(32)),
        ImageStatesWriteRequest(hash=bytes(range(32))),
    ]
    for request in refusals:
        refused = ImageManagementErrorV1.loads(ask(request.BYTES))
        assert refused.rc == smp_error.MGMT_ERR.ENOTSUP
        assert refused.rsn is not None and "thermo-quantize firmware" in refused.rsn
    assert firmware.refusals == len(refusals)
    assert Firmware(wire, has_bundle=False).ask(Op.READ, 0, {}, Group.IMAGE).body == {"images": []}


@pytest.mark.parametrize("size", range(8))
def test_a_message_without_a_whole_header_gets_no_answer(wire: Any, size: int) -> None:
    assert Firmware(wire).answer(EchoWriteRequest(d="x").BYTES[:size]) is None


READS = (
    (Group.OS, 6, {}),
    (Group.OS, 7, {"format": "a"}),
    (Group.OS, 8, {}),
    (Group.IMAGE, 0, {}),
    *(
        (Group.THERMO, command, {})
        for command in (
            Command.CONSTANTS,
            Command.CORRECTION,
            Command.COUNTERS,
            Command.REFUSAL,
            Command.PROFILE,
            Command.PERSON,
            Command.ALERTS,
        )
    ),
)


@pytest.mark.parametrize(("group", "command", "body"), READS, ids=lambda value: str(value))
def test_an_answer_that_does_not_fit_is_refused_and_never_cut(
    wire: Any, group: Group, command: int, body: dict[str, Any]
) -> None:
    """At every size of the room for it: the whole answer, or the one code for all that is too large, and never a part."""
    firmware = Firmware(wire)
    request = SmpMessage(SmpHeader(Op.READ, group, command), body).encode()
    whole = firmware.answer(request)
    refused = SmpMessage(SmpHeader(Op.READ_RESPONSE, group, command), {"rc": int(ReturnCode.TOO_LARGE)}).encode()
    assert whole is not None and "rc" not in SmpMessage.decode(whole).body
    seen = set()
    for room in {*range(64), *range(64, len(whole), 23), len(whole) - 1, len(whole), len(whole) + 1}:
        answer = firmware.answer(request, room)
        wanted = whole if room >= len(whole) else refused if room >= len(refused) else None
        assert answer == wanted, room
        seen.add(answer)
    assert whole in seen and (refused in seen or len(whole) <= len(refused))


@pytest.mark.parametrize("size", [PART_MOST := 1024, 1025, 2500])
def test_what_is_long_is_cut_only_where_parts_are_asked_for(wire: Any, size: int) -> None:
    """Of constants and profile an answer says how long the whole is, so that a part is never taken for it."""
    firmware = Firmware(wire)
    part = management.read(management.Part, firmware.ask(Op.READ, Command.PROFILE, {"off": 2500 - size}).body)
    assert (part.len, len(part.data)) == (2500, min(size, PART_MOST))


def test_long_things_are_read_in_parts(wire: Any) -> None:
    firmware = Firmware(wire)
    for command, whole in ((Command.CONSTANTS, CONSTANTS), (Command.PROFILE, Bench().profile_bytes())):
        read = b""
        while len(read) < len(whole):
            part = management.read(management.Part, firmware.ask(Op.READ, command, {"off": len(read)}).body)
            assert (part.off, part.len) == (len(read), len(whole)) and 0 < len(part.data) <= 1024
            read += part.data
        assert read == whole
        odd = management.read(management.Part, firmware.ask(Op.READ, command, {"off": 77}).body)
        assert odd.data == whole[77 : 77 + 1024]
    absent = Firmware(wire, sensor=None)
    assert absent.ask(Op.READ, Command.CONSTANTS, {}).error == (Group.THERMO, GroupError.NO_SENSOR)
    assert absent.reason == "The sensor skin is not there. It has not answered yet; try again."


def test_counters_are_told_by_name(wire: Any) -> None:
    firmware = Firmware(wire)
    wire.wire_count(0, 3)
    wire.wire_count(0, 2**32 - 2)
    counters = management.read(management.Counters, firmware.ask(Op.READ, Command.COUNTERS, {}).body).counters
    assert counters == {"bus_nack": 2**32 - 1, "telemetry_dropped": 0}


def test_the_last_refusal_can_be_read_later(wire: Any) -> None:
    firmware = Firmware(wire)
    assert firmware.reason == ""
    refused = firmware.ask(Op.WRITE, Command.STREAM, {"op": 2, "lease_ms": 3000}, version=0)
    assert refused.body["rc"] == ReturnCode.BAD_STATE
    assert refused.body["rsn"] == firmware.reason == "No stream runs that could be renewed; start one."
    assert firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 99}).error == (None, ReturnCode.INVALID)
    assert firmware.reason == "A lease of 99 ms is too short; ask for 100 or more."
    firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": -1})
    assert firmware.reason == (
        'The field "lease_ms" of a management message is -1; it must be a whole number from 0 to 4294967295.'
    )
    firmware.ask(Op.WRITE, Command.RATE, {})
    assert firmware.reason == 'The field "rate_hz" of a management message is missing; it must be a number.'
    assert firmware.refusals == 4


def streaming(wire: Any) -> Firmware:
    firmware = Firmware(wire)
    assert firmware.ask(Op.WRITE, Command.STREAM, {"op": 1, "lease_ms": 3000}).error is None
    return firmware


def test_signals_come_with_a_stream_and_end_with_it(wire: Any) -> None:
    firmware = streaming(wire)
    assert firmware.ask(Op.WRITE, Command.SIGNALS, {"signals": [3, 0]}).body == {"signals": [3, 0]}
    assert firmware.wanted == 2
    firmware.ask(Op.WRITE, Command.STREAM, {"op": 0})
    assert firmware.wanted == 0


def test_a_sample_from_outside_waits_for_its_turn(wire: Any) -> None:
    firmware = streaming(wire)
    body = {"sensor": 2, "values": np.array([21.5, -3], np.float32).tobytes()}
    assert firmware.ask(Op.WRITE, Command.FEED, body).body == {}
    assert firmware.fed and [wire.wire_fed(ctypes.c_size_t(place)) for place in (0, 1)] == [21.5, -3]


def test_the_wearer_is_kept(wire: Any) -> None:
    firmware = Firmware(wire)
    assert firmware.ask(Op.WRITE, Command.PERSON, {"person": {"age_years": 41}}).body == {"person": {"age_years": 41.0}}
    both = {"person": {"age_years": 41.0, "height_m": 1.75}}
    assert firmware.ask(Op.WRITE, Command.PERSON, {"person": {"height_m": 1.75}}).body == both
    refused = firmware.ask(Op.WRITE, Command.PERSON, {"person": {"age_years": 500, "height_m": 1.8}})
    assert refused.error == (Group.THERMO, GroupError.IMPLAUSIBLE) and "1.0 to 120.0" in firmware.reason
    assert firmware.ask(Op.READ, Command.PERSON, {}).body == both


def test_an_alert_is_acknowledged(wire: Any) -> None:
    firmware = Firmware(wire)
    wire.wire_push_alert(ctypes.c_float(31.0))
    raised = {"alerts": [{"state": int(AlertState.RAISED), "time_us": 1000}]}
    assert firmware.ask(Op.READ, Command.ALERTS, {}).body == raised
    seen = {"alerts": [{"state": int(AlertState.ACKNOWLEDGED), "time_us": 1234}]}
    assert firmware.ask(Op.WRITE, Command.ALERTS, {"alert": 0}).body == seen
