"""Wearables that lie: whatever answers and telemetry hold, every command ends with a sentence of its own and no bug."""

import contextlib
import io
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from examples import few
from host_sessions import camera_eeprom, corrected
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from scripted_peer import ScriptedWearable

from thermo_core import schema
from thermo_core.exit_codes import ExitCode
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.wire import records
from thermo_core.wire.framing import encode_frame
from thermo_core.wire.smp import Group, Op
from thermo_core.wire.table import Command
from thermo_host.application import run
from thermo_host.link.items import Telemetry

Take = Callable[[int], list[Telemetry]]
THERMO, IMAGE, OS = (int(group) for group in (Group.THERMO, Group.IMAGE, Group.OS))
BUNDLE = Path(__file__).parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = st.one_of(
    st.sampled_from([2**62, 2**63, 2**64 - 1, -1, -(2**63), 0, 1, 255, 2**31, True, None, "", b"", [], {}]),
    st.sampled_from([float("inf"), float("-inf"), float("nan"), 1e308, -1e308, 5e-324, -0.0, 0.5]),
    st.sampled_from(
        ["\x1b]0;x\x07", "x" * 3000, "\u202e[/x]", nested(12), {"a": nested(10)}, b"\x00" * 1663, b"\xff" * 700]
    ),
    st.integers(),
    st.text(max_size=20),
    st.binary(max_size=40),
)


@st.composite
def changes(draw: st.DrawFn) -> Callable[[Any], Any]:
    """A change somewhere in a body: another value, a missing key, a list made longer."""
    picks, value = draw(st.lists(st.integers(0, 30), min_size=1, max_size=4)), draw(HOSTILE)
    kind = draw(st.sampled_from(["replace", "replace", "replace", "drop", "repeat"]))

    def change(body: Any, at: int = 0) -> Any:
        if isinstance(body, Mapping) and body:
            key = sorted(body)[picks[at] % len(body)]
            if at + 1 < len(picks) and isinstance(body[key], Mapping | list) and body[key]:
                return {**body, key: change(body[key], at + 1)}
            if kind == "drop":
                return {name: item for name, item in body.items() if name != key}
            return {**body, key: value}
        if isinstance(body, list) and body:
            index = picks[at] % len(body)
            if kind == "repeat":
                return body * 3
            inner = change(body[index], at + 1) if at + 1 < len(picks) else value
            return [*body[:index], inner, *body[index + 1 :]]
        return value

    return change


COMMANDS = st.sampled_from(
    [
        ["info"],
        ["info", "--json"],
        ["self-test"],
        ["rate", "PORT", "16"],
        ["stream", "--seconds", "0.1"],
        ["stream", "--seconds", "0.1", "--json", "--whole"],
        ["record", "--seconds", "0.1", "-o", "FILE"],
        ["flash", "PORT", str(BUNDLE)],
        ["alerts"],
        ["alerts", "--acknowledge", "lesion", "--json"],
        ["person"],
        ["stream", "--seconds", "0.1", "--signal", "above"],
        ["calibrate", "--dry-run", "--quick", "--skip-warm-up", "--reference", "typed"],
        ["calibrate", "--rollback", "--yes"],
    ]
)
ANSWERS = st.sampled_from(
    [
        *((THERMO, int(command)) for command in Command),
        (IMAGE, 0),
        (IMAGE, 1),
        (OS, 6),
    ]
)


@pytest.fixture
def wearable(session: Session, telemetry: Take) -> Iterator[ScriptedWearable]:
    identity = PixelCorrection.identity(Stamp(device_id(camera_eeprom(session))))
    made = ScriptedWearable(corrected(session, 0, identity), [item.record for item in telemetry(40)])
    made.bodies[IMAGE, 0] = {"images": [{"slot": 0, "version": "1.0.0", "hash": bytes(32), "active": True}]}
    made.bodies[IMAGE, 1] = lambda asked: {"off": asked["off"] + len(asked["data"])}
    yield made
    made.unplug()


def outcome(wearable: ScriptedWearable, command: list[str], timeout_s: float = 0.2) -> tuple[int, str, str]:
    """Exit code, standard output, standard error; with a time-out that matters to no test which wants one code."""
    out, err = io.StringIO(), io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("sys.stdin", io.StringIO())
        words = [{"PORT": wearable.port, "FILE": f"{folder}/r.mcap"}.get(word, word) for word in command]
        words = words if wearable.port in words else [words[0], wearable.port, *words[1:]]
        code = run([*words, "--timeout", str(timeout_s), "--baud", "115200"])
    return int(code), out.getvalue(), err.getvalue()


def assert_a_sentence(code: int, out: str, err: str) -> None:
    assert code in set(ExitCode) - {ExitCode.BUG}, err
    assert "Traceback" not in err and "Error(" not in err
    if code != ExitCode.OK:
        last = err.rstrip("\n").splitlines()[-1]
        assert last.startswith("thermo-host: ") and last.endswith((".", "?", ")")), err
        assert last.isprintable()


def mutated(wearable: ScriptedWearable, place: tuple[int, int], change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a wearable usually answers there, changed."""
    usual = wearable.bodies.get(place)

    def answer(asked: Any) -> Any:
        group, command = place
        body = usual(asked) if callable(usual) else usual
        op = Op.WRITE if "data" in asked else Op.READ
        body = wearable._usual(group, command, op, asked) if body is None else body
        changed = change(dict(body))
        return changed if isinstance(changed, Mapping) else {}

    return answer


@few(50, of=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMANDS, ANSWERS, changes())
def test_no_answer_is_a_bug(
    wearable: ScriptedWearable, command: list[str], place: tuple[int, int], change: Callable[[Any], Any]
) -> None:
    before = dict(wearable.bodies)
    wearable.bodies[place] = mutated(wearable, place, change)
    try:
        assert_a_sentence(*outcome(wearable, command))
    finally:
        wearable.bodies = before


RECORDS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda kind, time_us, body: bytes((2, kind)) + b"\0\0" + time_us.to_bytes(8, "little") + body,
        st.integers(1, 6),
        st.sampled_from([0, 1_000_000, 2**53, 2**62, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1),
        st.binary(max_size=80),
    ),
)


@few(15, of=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, max_size=12), st.binary(max_size=60), st.booleans())
@example([b""], b"\x00" * 50, True)
def test_no_telemetry_is_a_bug(wearable: ScriptedWearable, sent: list[bytes], noise: bytes, as_json: bool) -> None:
    wearable.sent = b"".join(encode_frame(record) + noise for record in sent if record)
    command = ["stream", "--seconds", "0.1", *(["--json"] if as_json else [])]
    code, out, err = outcome(wearable, command)
    assert_a_sentence(code, out, err)
    if as_json:
        for line in out.splitlines():
            json.loads(line, parse_constant=pytest.fail)


@few(15, of=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damaged_record_is_a_bug(wearable: ScriptedWearable, data: st.DataObject) -> None:
    sent = b""
    for record in data.draw(st.lists(st.sampled_from(wearable.stream), max_size=8)):
        encoded = bytearray(records.encode(record, 7))
        for _ in range(data.draw(st.integers(0, 3))):
            encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
        sent += encode_frame(bytes(encoded))
    wearable.sent = sent
    assert_a_sentence(*outcome(wearable, ["stream", "--seconds", "0.1"]))
    assert_a_sentence(*outcome(wearable, ["record", "--seconds", "0.1", "-o", "FILE"]))


@few(15, of=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([Command.CONSTANTS, Command.CORRECTION, Command.PROFILE]), st.binary(max_size=2000), st.data())
def test_no_blob_is_a_bug(wearable: ScriptedWearable, command: Command, blob: bytes, data: st.DataObject) -> None:
    usual = {
        Command.CONSTANTS: wearable.session.constants[0].data,
        Command.CORRECTION: wearable.corrections[0],
        Command.PROFILE: schema.to_cbor(wearable.session.profile),
    }[command]
    if data.draw(st.booleans()):
        damaged = bytearray(usual)
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        blob = bytes(damaged)
    wearable.bodies[THERMO, command] = lambda asked: wearable.part(asked, blob)
    try:
        for words in (["info"], ["stream", "--seconds", "0.1"]):
            assert_a_sentence(*outcome(wearable, words))
    finally:
        del wearable.bodies[THERMO, command]


def test_an_upload_that_never_moves_ends(wearable: ScriptedWearable) -> None:
    wearable.bodies[IMAGE, 1] = {"off": 100}
    code, _, err = outcome(wearable, ["flash", "PORT", str(BUNDLE)], 20.0)
    assert code == ExitCode.DATA
    assert "again and again" in err


@pytest.mark.parametrize("offset", [2**62, 2**33, -5])
def test_an_upload_that_is_sent_elsewhere_ends(wearable: ScriptedWearable, offset: int) -> None:
    wearable.bodies[IMAGE, 1] = {"off": offset}
    code, _, err = outcome(wearable, ["flash", "PORT", str(BUNDLE)], 20.0)
    assert_a_sentence(code, "", err)
    assert code != ExitCode.OK


def test_constants_that_grow_or_come_in_crumbs_end(wearable: ScriptedWearable) -> None:
    grown = 0

    def grow(asked: Any) -> Any:
        nonlocal grown
        grown += 1
        return {"off": asked["off"], "len": 1600 + grown, "data": bytes(16)}

    for answer in (grow, lambda asked: {"off": asked["off"], "len": 1664, "data": b"x"}):
        wearable.bodies[THERMO, Command.CONSTANTS] = answer
        wearable.requests.clear()
        code, _, err = outcome(wearable, ["stream", "--seconds", "0.1"], 20.0)
        assert code == ExitCode.DATA
        assert "another part" in err
        assert sum(one.header.command == Command.CONSTANTS for one in wearable.requests) < 20
    wearable.bodies[THERMO, Command.CONSTANTS] = {"off": 0, "len": 1 << 20, "data": bytes(200)}
    assert "at most 1664" in outcome(wearable, ["stream", "--seconds", "0.1"], 20.0)[2]


def test_a_calibration_of_the_year_292_billion_is_shown_as_what_it_is(
    wearable: ScriptedWearable, session: Session
) -> None:
    blob = bytearray(to_bytes(PixelCorrection.identity(Stamp(device_id(camera_eeprom(session))))))
    blob[16:24] = (2**63 - 1).to_bytes(8, "little")
    blob[-4:] = zlib.crc32(blob[:-4]).to_bytes(4, "little")
    wearable.corrections[0] = bytes(blob)
    code, out, err = outcome(wearable, ["info"], 20.0)
    assert code == ExitCode.OK, err
    assert "impossible date" in " ".join(out.split())
