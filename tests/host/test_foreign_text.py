"""Whatever a wearable, a cable or a file calls itself: the terminal never obeys it, no word is lost, the notice is ours."""

import csv
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_peer import ScriptedWearable
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from thermo_core.exit_codes import ExitCode
from thermo_core.wearable.profile import NOTICE
from thermo_core.wire.management import Command, Hello
from thermo_core.wire.records import EventRecord, Severity, SubpageRecord
from thermo_core.wire.smp import Group
from thermo_host.link import ports
from thermo_host.application import run
from thermo_host.console import PlainConsole
from thermo_host.link.foreign import cleaned
from thermo_host.link.items import Telemetry
from thermo_host.stream.playback import Recording
from thermo_host.sinks.recorder import Recorder
from thermo_core.recording.session import Session

Take = Callable[[int], list[Telemetry]]
Capture = pytest.CaptureFixture[str]
EVIL = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\x1b]0;title\x1b\\[inner][/x][bold]\u202e\u2066\r\x07:smile: word"
SEEN = "[inner][/x][bold]"


def evil_hello(hello: Hello) -> Hello:
    return replace(
        hello,
        **dict.fromkeys(("name", "serial", "software", "platform", "profile", "model"), EVIL),
        notice="Certified medical device" + EVIL,
        labels=(EVIL + "1", EVIL + "2"),
        sensors=tuple(replace(sensor, channels=tuple(EVIL for _ in sensor.channels)) for sensor in hello.sensors),
    )


def assert_harmless(text: str) -> None:
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")}
    assert not odd, f"{odd} in {text!r}"


@pytest.fixture
def evil(session: Session, telemetry: Take) -> Iterator[ScriptedWearable]:
    records = [item.record for item in telemetry(60)]
    records.append(EventRecord(records[-1].time_us, 9, Severity.ERROR, 1, EVIL))
    made = ScriptedWearable(evil_hello(session.hello), session.eeproms[0], records)
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
    with Recorder(path, replace(session, hello=evil_hello(session.hello))) as recorder:
        for item in telemetry(140):
            evil_event = isinstance(item.record, EventRecord)
            recorder.add(replace(item, record=replace(item.record, text=EVIL)) if evil_event else item)
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


def test_dataclasses_are_cleaned_whole(session: Session, telemetry: Take) -> None:
    hello = cleaned(evil_hello(session.hello))
    assert hello.name.isprintable()
    assert all(name.isprintable() for sensor in hello.sensors for name in sensor.channels)
    assert cleaned(session.hello) == session.hello
    for item in telemetry(60):
        assert cleaned(item.record) == item.record
        assert not isinstance(item.record, SubpageRecord) or cleaned(item.record).packed.data is item.record.packed.data


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_is_no_formula_of_a_spreadsheet(start: str, tmp_path: Path, session: Session, telemetry: Take) -> None:
    formula = f'{start}cmd|"/c calc"!A1'
    sensors = tuple(
        replace(sensor, channels=tuple(formula for _ in sensor.channels)) for sensor in session.hello.sensors
    )
    hello = replace(session.hello, labels=(formula, formula + "2"), sensors=sensors)
    with Recorder(tmp_path / "r.mcap", replace(session, hello=hello)) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    decoding = export.Decoding(Recording(tmp_path / "r.mcap"))
    written = export.write(decoding, tmp_path / "out.csv", decoding.about, decoding.eeproms)
    tables = [path for path in written if path.suffix == ".csv"]
    cells = [cell for path in tables for row in csv.reader(path.open(newline="")) for cell in row]
    risky = [cell for cell in cells if cell.strip()[:1] in tuple("=+-@")]
    assert all(_is_number(cell) for cell in risky), set(risky)
    assert any("cmd|" in cell for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
