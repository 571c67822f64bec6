"""Commands that tell a wearable something: feed, person, alerts, rate; and markers that reach a running recorder."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from host_sessions import session_of, with_profile
from scripted_peer import Body, ScriptedWearable

from thermo_core import schema
from thermo_core.exit_codes import ExitCode
from thermo_core.recording.layout import Marker
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.smp import Group, ReturnCode
from thermo_core.wire.table import Command
from thermo_host.application import run
from thermo_host.link.items import Telemetry
from thermo_host.sinks import marks
from thermo_host.stream.playback import Recording

Take = Callable[[int], list[Telemetry]]
Capture = pytest.CaptureFixture[str]
OUTSIDE = {
    "name": "wrist",
    "version": "1",
    "person": ["age_years", "weight_kg"],
    "sensors": [
        {"kind": "external", "name": "pulse", "unit": "bpm", "rate_hz": 1.0, "low": 20, "high": 250},
        {"kind": "external", "name": "face", "shape": [2], "unit": "degC", "given": ["nose", "brow"]},
        {"kind": "tmp117", "name": "skin", "path": [0x48]},
    ],
    "alerts": [
        {"name": "racing", "when": "pulse > 130", "text": "The heart races."},
        {"name": "slow", "when": "pulse < 35", "clear": "pulse > 40"},
    ],
}


@pytest.fixture
def wearable() -> Iterator[ScriptedWearable]:
    made = ScriptedWearable(session_of(schema.from_plain(OUTSIDE, Profile, "profile"), {}))
    yield made
    made.unplug()


def answer(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any], str]:
    code = run([*arguments, "--timeout", "20", "--json"])
    out, err = capsys.readouterr()
    return int(code), json.loads(out.splitlines()[-1]), err


def fed(wearable: ScriptedWearable) -> list[tuple[int, list[float]]]:
    return [(sensor, np.frombuffer(data, "<f4").tolist()) for sensor, data in wearable.fed]


def test_a_table_becomes_samples(wearable: ScriptedWearable, tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "pulse.csv"
    table.write_text("\ufeffbpm\n60\n61.5\n\n62\n")
    code, told, _ = answer(capsys, "feed", wearable.port, "pulse", str(table), "--speed", "0")
    assert (code, told["samples"], told["sensor"]) == (0, 3, "pulse")
    assert fed(wearable) == [(0, [60.0]), (0, [61.5]), (0, [62.0])]


def test_what_the_wearable_has_no_room_for_is_given_again(
    wearable: ScriptedWearable, tmp_path: Path, capsys: Capture
) -> None:
    table = tmp_path / "pulse.csv"
    table.write_text("60\n61\n")
    busy = [True, True, False, True, False]

    def take(asked: Body) -> Body:
        if busy.pop(0):
            return {"rc": int(ReturnCode.BUSY)}
        wearable.fed.append((asked["sensor"], asked["values"]))
        return {}

    wearable.bodies[Group.THERMO, Command.FEED] = take
    code, told, _ = answer(capsys, "feed", wearable.port, "pulse", str(table), "--speed", "0")
    assert (code, told["samples"], busy) == (0, 2, [])
    assert fed(wearable) == [(0, [60.0]), (0, [61.0])]


def test_a_column_of_seconds_says_when(wearable: ScriptedWearable, tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "face.csv"
    table.write_text("Seconds,nose,brow\n0,30,34\n0.2,,34.5\n0.4,31,nan\n")
    began = time.monotonic()
    assert answer(capsys, "feed", wearable.port, "face", str(table))[0] == 0
    assert time.monotonic() - began >= 0.4
    assert [sensor for sensor, _ in fed(wearable)] == [1, 1, 1]
    found = np.array([values for _, values in fed(wearable)])
    assert np.array_equal(found, np.array([[30, 34], [np.nan, 34.5], [31, np.nan]]), equal_nan=True)


def test_standard_input_is_given_as_it_comes(
    wearable: ScriptedWearable, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("70\n71\n"))
    assert answer(capsys, "feed", wearable.port, "pulse", "-")[1]["samples"] == 2


@pytest.mark.parametrize(
    ("sensor", "content", "code", "said"),
    [
        ("pulse", "60,61\n", ExitCode.USAGE, "line 1 has 2 numbers; a sample of pulse has 1"),
        ("face", "30,34\n31\n", ExitCode.USAGE, "line 2 has 1 number"),
        ("pulse", "60\nhigh\n", ExitCode.USAGE, "line 2: 'high' is no number"),
        ("pulse", "1e300\n", ExitCode.USAGE, "beyond what can be sent"),
        ("pulse", "x" * 20_000, ExitCode.FILE, "a line of more than"),
        ("pulse", "seconds,bpm\n,60\n", ExitCode.USAGE, "the time is missing"),
        ("skin", "33\n", ExitCode.USAGE, "is a tmp117, which measures by itself; give pulse or face"),
        ("nose", "33\n", ExitCode.USAGE, "no sensor 'nose'; it has pulse, face, skin"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(
    wearable: ScriptedWearable, tmp_path: Path, capsys: Capture, sensor: str, content: str, code: int, said: str
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(content)
    got, told, err = answer(capsys, "feed", wearable.port, sensor, str(table), "--speed", "0")
    assert got == code and said in told["error"]["message"]
    assert "Traceback" not in err


def test_a_table_that_is_no_text_or_not_there(wearable: ScriptedWearable, tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b"\xff\xfe\x00\n")
    for path in (table, tmp_path / "none.csv"):
        assert answer(capsys, "feed", wearable.port, "pulse", str(path))[0] == ExitCode.FILE


def test_what_is_known_of_the_wearer_is_told_and_shown(wearable: ScriptedWearable, capsys: Capture) -> None:
    code, told, _ = answer(capsys, "person", wearable.port)
    assert (code, told["asks_for"], told["person"]) == (0, ["age_years", "weight_kg"], {})
    code, told, _ = answer(capsys, "person", wearable.port, "age_years=41", "weight_kg=70.5")
    assert (code, told["person"]) == (0, {"age_years": 41.0, "weight_kg": 70.5})
    assert wearable.person == told["person"]
    assert run(["person", wearable.port]) == 0
    assert "70.5 kg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("age_years=400", "can be 1 to 120 years"),
        ("age_years=old", "is no NAME=NUMBER"),
        ("shoe=42", 'no "shoe" of a person'),
        ("height_m=1.7", "asks for age_years, weight_kg, and not for height_m"),
        ("age_years=nan", "can be 1 to 120"),
    ],
)
def test_what_cannot_be_of_a_person_is_refused(
    wearable: ScriptedWearable, capsys: Capture, given: str, said: str
) -> None:
    code, told, _ = answer(capsys, "person", wearable.port, given)
    assert code == ExitCode.USAGE and said in told["error"]["message"]
    assert wearable.person == {}


def test_alerts_are_shown_and_acknowledged(wearable: ScriptedWearable, capsys: Capture) -> None:
    wearable.alerts = [2, 0]
    code, told, _ = answer(capsys, "alerts", wearable.port)
    assert (code, [alert["state"] for alert in told["alerts"]]) == (0, ["raised", "clear"])
    assert run(["alerts", wearable.port, "--timeout", "20"]) == 0
    shown = capsys.readouterr().out
    assert "The heart races." in shown and "Not a medical device" in shown
    code, told, _ = answer(capsys, "alerts", wearable.port, "--acknowledge", "racing")
    assert told["alerts"][0]["state"] == "acknowledged" and wearable.alerts == [3, 0]
    code, told, _ = answer(capsys, "alerts", wearable.port, "-a", "tired")
    assert code == ExitCode.USAGE and "it has racing, slow" in told["error"]["message"]


def test_a_rate_is_of_a_sensor_by_its_name(wearable: ScriptedWearable, capsys: Capture) -> None:
    code, told, _ = answer(capsys, "rate", wearable.port, "16", "--sensor", "skin")
    assert (code, told["sensor"], told["rate_hz"]) == (0, "skin", 16.0)
    asked = [request.body for request in wearable.requests if request.header.command == Command.RATE]
    assert asked == [{"rate_hz": 16.0, "sensor": 2}]
    for wrong in ("0", "-3", "nan", "1e9"):
        assert answer(capsys, "rate", wearable.port, "--", wrong)[0] == ExitCode.USAGE


def test_info_shows_sensors_models_alerts_and_person(
    wearable: ScriptedWearable, session: Session, capsys: Capture
) -> None:
    wearable.alerts = [2, 0]
    wearable.person = {"age_years": 41.0}
    code, told, _ = answer(capsys, "info", wearable.port)
    assert code == 0
    assert [sensor["name"] for sensor in told["sensors"]] == ["pulse", "face", "skin"]
    assert told["person"] == {"age_years": 41.0}
    assert run(["info", wearable.port, "--timeout", "20"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for wanted in ("sensor skin tmp117, at 0x48", "raised; raised when pulse > 130", "age_years 41, weight_kg unknown"):
        assert wanted in shown, wanted


def test_a_marker_reaches_a_running_recorder(
    session: Session, telemetry: Take, tmp_path: Path, capsys: Capture
) -> None:
    peer = ScriptedWearable(session, [item.record for item in telemetry(60)])
    path = tmp_path / "r.mcap"
    arguments = ["record", peer.port, "-o", str(path), "--seconds", "4", "--timeout", "20"]
    arguments += ["--subject", "S-07", "--note", "seated"]
    recorder = threading.Thread(target=run, args=([*arguments, "--json"],))
    recorder.start()
    try:
        until = time.monotonic() + 30
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)
        for text in ("coughs", "stands up"):
            assert run(["mark", str(path), *text.split(), "--wait", "20"]) == ExitCode.OK
    finally:
        recorder.join()
        peer.unplug()
    recording = Recording(path)
    found = [item for item in recording if isinstance(item, Marker)]
    assert [marker.text for marker in found] == ["coughs", "stands up"]
    assert (recording.session.subject, recording.session.note) == ("S-07", "seated")
    assert [name.name for name in tmp_path.iterdir()] == ["r.mcap"]
    assert '"markers": 2' in capsys.readouterr().out


@pytest.mark.parametrize("command", ["stream", "record"])
def test_it_ends_after_so_many_findings(
    command: str, session: Session, telemetry: Take, tmp_path: Path, capsys: Capture
) -> None:
    peer = ScriptedWearable(session, [item.record for item in telemetry(60)])
    path = tmp_path / "r.mcap"
    end = ["--record", str(path)] if command == "stream" else ["-o", str(path)]
    try:
        assert run([command, peer.port, "--findings", "2", *end, "--timeout", "20", "--json"]) == ExitCode.OK
    finally:
        peer.unplug()
    found = [item for item in Recording(path) if isinstance(item, Telemetry) and isinstance(item.record, FindingRecord)]
    assert len(found) >= 2
    assert f'"findings": {len(found)}' in capsys.readouterr().out


def test_a_marker_that_nobody_takes_is_refused_and_leaves_nothing(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "r.mcap"
    for _ in range(2):
        code = run(["mark", str(path), "hello", "--wait", "0.1", "--json"])
        assert code == ExitCode.USAGE
        assert "Nobody records" in capsys.readouterr().err
        path.write_bytes(b"")
    assert run(["mark", str(path), "two\nlines"]) == ExitCode.USAGE
    assert list(tmp_path.iterdir()) == [path]


def test_no_marker_of_many_at_once_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(b"")
    ended = threading.Event()
    found: list[Marker] = []

    def take() -> None:
        while not ended.is_set():
            found.extend(marks.taken(path))
            time.sleep(0.001)

    taker = threading.Thread(target=take)
    taker.start()

    def give(giver: int) -> None:
        for number in range(20):
            marks.leave(path, Marker(at_ns=giver * 100 + number), 30.0)

    givers = [threading.Thread(target=give, args=(giver,)) for giver in range(4)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    ended.set()
    taker.join()
    assert sorted(marker.at_ns for marker in found) == [
        giver * 100 + number for giver in range(4) for number in range(20)
    ]


def test_what_is_no_marker_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r.mcap"
    marks.place_of(path).write_bytes(
        b'nonsense\n{"at_ns": -1}\n' + msgspec.json.encode(Marker(at_ns=5, text="\x1b[2Jx")) + b"\n"
    )
    assert [(marker.at_ns, marker.text.isprintable()) for marker in marks.taken(path)] == [(5, True)]
    assert list(marks.taken(path)) == []


def test_a_signal_is_asked_for_by_name(session: Session, telemetry: Take, capsys: Capture) -> None:
    peer = ScriptedWearable(session, [item.record for item in telemetry(5)])
    try:
        command = ["stream", peer.port, "--seconds", "0.5", "--signal", "above", "--timeout", "20"]
        assert run(command) == ExitCode.OK
        asked = [request.body for request in peer.requests if request.header.command == Command.SIGNALS]
        assert asked == [{"signals": [session.plan.number_of("above")]}]
        assert run([*command[:-3], "below"]) == ExitCode.USAGE
        assert "there are skin, skin.ta" in capsys.readouterr().err
    finally:
        peer.unplug()


def test_a_wearable_without_models_says_so(session: Session, telemetry: Take, capsys: Capture) -> None:
    bare = msgspec.structs.replace(session.profile, stages=(), models=(), alerts=())
    peer = ScriptedWearable(with_profile(session, bare), [item.record for item in telemetry(4)])
    try:
        for words, said in (
            (["alerts"], "has no alerts"),
            (["person"], "asks for nothing"),
            (["baseline"], "learns nothing"),
        ):
            assert run([words[0], peer.port, "--timeout", "20"]) == ExitCode.OK
            assert said in capsys.readouterr().out
    finally:
        peer.unplug()


def test_what_was_learned_is_shown_and_forgotten(capsys: Capture) -> None:
    learns = {
        **OUTSIDE,
        "stages": [
            {"op": "reference", "of": "pulse", "gives": "calmer"},
            {"op": "reference", "of": "skin", "gives": "paler", "ambient": "skin", "bins": 4},
        ],
    }
    del learns["alerts"]
    session = session_of(schema.from_plain(learns, Profile, "profile"), {})
    peer = ScriptedWearable(session)
    numbers = [session.plan.number_of(name) for name in ("calmer", "paler")]
    common = {"age_us": 90_000 * 10**6, "learned_us": 7200 * 10**6, "samples": 7200}
    peer.baselines = [
        {"signal": numbers[0], "ready": 1, "parts": 1, **common},
        {"signal": numbers[1], "ready": 0, "parts": 4, **common},
    ]
    try:
        code, told, _ = answer(capsys, "baseline", peer.port)
        assert code == 0 and not told["forgotten"]
        assert [(one["stage"], one["op"], one["ready"], one["parts"]) for one in told["stages"]] == [
            ("calmer", "reference", 1, 1),
            ("paler", "reference", 0, 4),
        ]
        assert (told["stages"][0]["age_s"], told["stages"][0]["samples"]) == (90_000.0, 7200)
        assert run(["baseline", peer.port, "--timeout", "20"]) == ExitCode.OK
        shown = capsys.readouterr().out
        assert "1 d 1 h" in shown and "nothing yet" in shown and "2 h 0 min" in shown
        assert answer(capsys, "baseline", peer.port, "--reset", "--stage", "paler")[0] == 0
        assert answer(capsys, "baseline", peer.port, "--reset")[1]["forgotten"]
        assert peer.forgotten == [numbers[1], None]
        assert run(["baseline", peer.port, "--timeout", "20", "--stage", "paler"]) == ExitCode.USAGE
        assert "add --reset" in capsys.readouterr().err
        assert run(["baseline", peer.port, "--timeout", "20", "--reset", "--stage", "pale"]) == ExitCode.USAGE
        assert "those that learn are calmer, paler" in capsys.readouterr().err
        assert peer.forgotten == [numbers[1], None]
    finally:
        peer.unplug()
