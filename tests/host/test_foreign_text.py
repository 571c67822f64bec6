"""Whatever a wearable, a cable or a file calls itself: the terminal never obeys it, no word is lost, the notice is ours."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from host_sessions import told, with_hello, with_profile
from hypothesis import given
from hypothesis import strategies as st
from scripted_peer import ScriptedWearable
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from thermo_core.exit_codes import ExitCode
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.records import EventRecord
from thermo_core.wire.smp import Group
from thermo_core.wire.table import Command, Severity
from thermo_host.application import run
from thermo_host.console import PlainConsole
from thermo_host.link import ports
from thermo_host.link.foreign import cleaned
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder

Take = Callable[[int], list[Telemetry]]
Capture = pytest.CaptureFixture[str]
EVIL = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\x1b]0;title\x1b\\[inner][/x][bold]\u202e\u2066\r\x07:smile: word"
SEEN = "[inner][/x][bold]"


def named(profile: Profile, channel: str, label: str) -> Profile:
    """The profile with other names of thermistors and labels."""
    camera, array = profile.sensors
    channels = tuple(msgspec.structs.replace(one, name=channel) for one in array.channels)  # type: ignore[attr-defined]
    (model,) = profile.models
    return msgspec.structs.replace(
        profile,
        sensors=(camera, msgspec.structs.replace(array, channels=channels)),
        models=(msgspec.structs.replace(model, scores=(f"{label}1", f"{label}2")),),
        alerts=(),
        notice=f"Certified medical device {label}",
    )


def evil_session(session: Session) -> Session:
    """A wearable whose every word is a trap; what a profile cannot hold is in its hello alone."""
    made = with_profile(session, named(session.profile, SEEN, SEEN))
    return with_hello(made, **dict.fromkeys(("name", "serial", "software", "platform", "bundle"), EVIL))


def assert_harmless(text: str) -> None:
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")}
    assert not odd, f"{odd} in {text!r}"


@pytest.fixture
def evil(session: Session, telemetry: Take) -> Iterator[ScriptedWearable]:
    records = [item.record for item in telemetry(60)]
    records.append(EventRecord(records[-1].time_us, 9, Severity.ERROR, None, 1, EVIL))
    made = ScriptedWearable(evil_session(session), records)
    thermo = int(Group.THERMO)
    made.bodies[thermo, Command.SELF_TEST] = {"results": [{"name": EVIL, "passed": False, "detail": EVIL}]}
    made.bodies[thermo, Command.COUNTERS] = {"counters": {EVIL: 3}}
    made.bodies[thermo, Command.REFUSAL] = {"reason": EVIL, "time_us": 1}
    made.bodies[thermo, Command.RATE] = {"err": {"group": thermo, "rc": 7}}
    image = {"slot": 0, "version": EVIL, "hash": bytes(32), "bootable": True, "active": True}
    made.bodies[int(Group.IMAGE), 0] = {"images": [image], "splitStatus": 0}
    yield made
    made.unplug()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["info", "PORT", "--timeout", "20"], ExitCode.OK),
        (["self-test", "PORT", "--timeout", "20"], ExitCode.REFUSED),
        (["rate", "PORT", "16", "--timeout", "20"], ExitCode.REFUSED),
        (["stream", "PORT", "--seconds", "3", "--timeout", "20"], ExitCode.OK),
        (["record", "PORT", "--seconds", "3", "--view", "--timeout", "20"], ExitCode.OK),
    ],
)
def test_no_command_lets_a_wearable_write_to_the_terminal(
    evil: ScriptedWearable,
    arguments: list[str],
    code: int,
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([evil.port if word == "PORT" else word for word in arguments]) == code
    out, err = capsys.readouterr()
    assert_harmless(out + err)
    assert SEEN in " ".join((out + err).split())
    assert "Certified" not in out + err
    if arguments[0] in ("info", "stream"):
        assert NOTICE in out
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


def test_probing_and_cables_are_cleaned(
    evil: ScriptedWearable, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = ListPortInfo(evil.port)
    info.vid, info.description, info.serial_number = 0x2E8A, EVIL, EVIL
    monkeypatch.setattr(list_ports, "comports", lambda: [info])
    monkeypatch.setattr(ports, "link_folders", list)
    assert run(["ports", "--probe"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert_harmless(shown)
    assert shown.replace("\n", "").replace(" ", "").count(SEEN) >= 2


def test_replay_and_export_of_an_evil_recording(
    tmp_path: Path, session: Session, telemetry: Take, capsys: Capture
) -> None:
    path = tmp_path / "r.mcap"
    with Recorder(path, evil_session(session)) as recorder:
        for item in telemetry(140):
            record = item.record
            recorder.add(told(item, replace(record, text=EVIL)) if isinstance(record, EventRecord) else item)
    assert run(["replay", str(path), "--speed", "0"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert_harmless(out + err)
    assert NOTICE in out
    assert "Certified" not in out
    assert SEEN in out


def test_a_message_of_an_error_is_cleaned(capsys: Capture) -> None:
    assert run(["replay", f"/nowhere/{EVIL}.mcap"]) == ExitCode.FILE
    assert_harmless(capsys.readouterr().err)


@given(st.text())
def test_no_text_gets_past_the_console(text: str) -> None:
    console = PlainConsole()
    assert_harmless("".join(part.text for part in console.render(text) if not part.control))


def test_records_are_cleaned_whole(session: Session, telemetry: Take) -> None:
    states = tuple(msgspec.structs.replace(state, fault=EVIL) for state in session.hello.sensors)
    hello = cleaned(with_hello(evil_session(session), sensors=states).hello)
    assert hello.name.isprintable()
    assert all(state.fault.isprintable() and SEEN in state.fault for state in hello.sensors)
    assert cleaned(session.hello) == session.hello
    for item in telemetry(60):
        kept = cleaned(item.record)
        if isinstance(item.record, Block):
            assert isinstance(kept, Block) and kept.data is item.record.data
        else:
            assert kept == item.record


def test_a_profile_with_words_that_a_terminal_obeys_is_refused(session: Session, capsys: Capture) -> None:
    wearable = ScriptedWearable(with_profile(session, named(session.profile, EVIL, "lesion")))
    try:
        assert run(["stream", wearable.port, "--seconds", "1", "--timeout", "20"]) == ExitCode.DATA
        said = capsys.readouterr().err
        assert_harmless(said)
        assert "sensors[1].channels[0].name" in said
    finally:
        wearable.unplug()
