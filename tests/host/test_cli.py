"""The command line without a device: exit codes, one sentence an error, JSON on standard output, hints for typos."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core import errors
from thermo_core.errors import ThermoError
from thermo_core.exit_codes import MEANINGS, ExitCode, exit_code
from thermo_core.recording.session import Session
from thermo_core.version import software_version
from thermo_host.application import application, run
from thermo_host.commands.table import COMMANDS
from thermo_host.link import ports
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder

Take = Callable[[int], list[Telemetry]]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_wearables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "find_ports", list)


@pytest.fixture
def recording(tmp_path: Path, session: Session, telemetry: Take) -> Path:
    path = tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    return path


def answer(capsys: Capture, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the JSON lines on standard output, and standard error."""
    code = run([*arguments, "--json"])
    out, err = capsys.readouterr()
    return int(code), [json.loads(line) for line in out.splitlines()], err


def all_errors(kind: type[ThermoError] = ThermoError) -> list[type[ThermoError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in all_errors(child))]


def test_every_error_has_a_code_that_is_neither_success_nor_a_bug() -> None:
    for kind in all_errors():
        if kind.__module__ == errors.__name__:
            made = kind.__new__(kind)
            assert exit_code(made) not in (ExitCode.OK, ExitCode.BUG)
    assert set(MEANINGS) == set(ExitCode)
    assert len({int(code) for code in ExitCode}) == len(ExitCode)


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["info"], 3, "PortNotFoundError"),
        (["info", "/dev/none"], 3, "PortNotFoundError"),
        (["flash", "/nowhere/bundle.img"], 9, "StorageError"),
        (["flash", "/dev/none", __file__], 7, "ImageFormatError"),
        (["flash", "a", "b", "c"], 2, "UsageError"),
        (["replay", "/nowhere/r.mcap"], 9, "StorageError"),
        (["replay", __file__], 9, "RecordingError"),
        (["export", __file__, "x.txt"], 2, "UsageError"),
        (["decode", __file__], 9, "StorageError"),
        (["rate", "fast"], 2, "UsageError"),
        (["keygen", "/nowhere/key"], 9, "StorageError"),
        (["stream", "--seconds", "-3"], 2, "UsageError"),
        (["nonsense"], 2, "UsageError"),
    ],
)
def test_an_error_is_one_sentence_and_a_code(capsys: Capture, arguments: list[str], code: int, kind: str) -> None:
    returned, lines, told = answer(capsys, *arguments)
    assert returned == code
    (line,) = lines
    assert line["error"]["kind"] == kind
    assert line["error"]["exit_code"] == code
    message = line["error"]["message"]
    assert told == f"thermo-host: {message}\n"
    assert "Traceback" not in told
    assert "\n" not in message


def test_a_port_in_place_of_the_image_is_said(capsys: Capture, tmp_path: Path) -> None:
    master, slave = os.openpty()
    port, image = os.ttyname(slave), tmp_path / "bundle.img"
    image.write_bytes(b"x")
    for arguments in ([str(image), port], [port], [str(image), "/dev/none"]):
        code, lines, _ = answer(capsys, "flash", *arguments)
        assert code == ExitCode.USAGE
        assert f"thermo-host flash {arguments[-1]} " in lines[0]["error"]["message"]
    os.close(master)
    os.close(slave)


def test_what_is_given_for_an_image_is_named(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bundle.img"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    code, lines, _ = answer(capsys, "flash", str(path))
    assert code == ExitCode.FILE
    assert "git lfs pull" in lines[0]["error"]["message"]
    shipped = Path(__file__).parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"
    path.write_bytes(shipped.read_bytes() + b"\xff" * 3000)
    code, lines, told = answer(capsys, "flash", "/dev/none", str(path))
    assert code == ExitCode.PORT_NOT_FOUND
    assert "3000 bytes behind the image are left out" in told


def test_each_command_says_what_the_table_says() -> None:
    for name, entry in COMMANDS.items():
        first = " ".join((entry.load().__doc__ or "").split("\n\n")[0].split())
        assert first == entry.summary, name


def test_help_imports_no_command(capsys: Capture) -> None:
    script = "import sys; from thermo_host.application import run; run(['--help']); print([m for m in sys.modules if 'numpy' == m])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert run(["-h"]) == run(["info", "-h"]) == ExitCode.OK
    capsys.readouterr()
    assert run(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"thermo-host {software_version()}\n"


def test_no_command_loads_at_its_start_what_few_of_its_runs_need() -> None:
    script = """
import sys
from thermo_host.application import COMMANDS
for entry in COMMANDS.values():
    entry.load()
print([name for name in ("smpclient", "pydantic", "pyarrow", "av", "zarr") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_typo_gets_a_suggestion(capsys: Capture) -> None:
    assert run(["strem"]) == ExitCode.USAGE
    assert "'stream'" in capsys.readouterr().err


def test_a_bug_is_told_from_an_error(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[ports.Port]:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(ports, "find_ports", broken)
    code, lines, told = answer(capsys, "ports")
    assert code == ExitCode.BUG
    assert lines[0]["error"]["kind"] == "ZeroDivisionError"
    assert "Traceback" in told


def test_help_lists_commands_and_exit_codes(capsys: Capture) -> None:
    assert run(["--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    for command in application().registered_commands:
        assert str(command.name) in text
    for code, meaning in MEANINGS.items():
        assert f"{int(code)} {meaning[:20]}" in " ".join(text.split())


def test_every_command_takes_json(capsys: Capture) -> None:
    for command in application().registered_commands:
        assert run([str(command.name), "--help"]) == ExitCode.OK
        assert "--json" in capsys.readouterr().out


def test_replay_gives_each_item_and_a_summary(capsys: Capture, recording: Path) -> None:
    code, lines, _ = answer(capsys, "replay", str(recording), "--speed", "0")
    assert code == ExitCode.OK
    kinds = {line["type"] for line in lines}
    assert kinds == {"sample", "finding", "alert", "event", "clock", "summary"}
    finding = next(line for line in lines if line["type"] == "finding")
    assert (finding["model"], finding["label"], finding["newest"]) == ("lesion", "lesion", {"skin": 1})
    assert finding["flags"] == ["uncalibrated", "simulated"]
    assert finding["notice"] == "Informs only. Not a medical device."
    summary = lines[-1]
    pictures = [line["signals"]["skin"] for line in lines if line["type"] == "sample" and line["sensor"] == "skin"]
    scans = [
        line["signals"]["spots"]["values"] for line in lines if line["type"] == "sample" and line["sensor"] == "spots"
    ]
    assert summary["moments"] == {"skin": len(pictures), "spots": len(scans)}
    assert summary["complete"]
    skin = summary["signals"]["skin"]
    assert skin["min"] == pytest.approx(min(picture["min"] for picture in pictures), abs=1e-3)
    assert skin["mean"] == pytest.approx(np.mean([picture["mean"] for picture in pictures]), abs=1e-3)
    assert all(scan[1] is None for scan in scans)  # shorted
    assert summary["signals"]["thermistor 1"]["mean"] == pytest.approx(scans[0][0], abs=1e-3)
    assert summary["labels"] == {"lesion": {"lesion": len([line for line in lines if line["type"] == "finding"])}}
    assert summary["alerts"] == {"lesion": 1}


def test_replay_at_speed_on_a_pipe_writes_lines(capsys: Capture, recording: Path) -> None:
    assert run(["replay", str(recording), "--speed", "1000"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "skin 8.0/s" in text
    assert "lesion: lesion" in text


def test_export_and_decode_name_their_files(capsys: Capture, recording: Path, tmp_path: Path) -> None:
    code, lines, _ = answer(capsys, "export", str(recording), str(tmp_path / "out.npz"))
    assert code == ExitCode.OK
    assert lines[0]["files"] == [str(tmp_path / "out.npz")]
    assert lines[0]["signals"]["skin"]["samples"] == len(np.load(tmp_path / "out.npz")["skin"])


def test_keygen_says_where_the_keys_are(capsys: Capture, tmp_path: Path) -> None:
    code, lines, _ = answer(capsys, "keygen", str(tmp_path / "mine"))
    assert code == ExitCode.OK
    assert Path(lines[0]["private"]).is_file()
    assert Path(lines[0]["public"]).is_file()
    code, lines, _ = answer(capsys, "keygen", str(tmp_path / "mine"))
    assert code == ExitCode.USAGE


@pytest.mark.parametrize(
    "options", ["--json --whole | head -c 100", "| head -c 1", "--summary | true", "--json | true"]
)
def test_a_reader_that_leaves_is_no_error(recording: Path, options: str) -> None:
    script = f"{sys.executable} -m thermo_host.cli replay {recording} --speed 0 {options}"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""


def test_a_full_disk_behind_standard_output_is_said(recording: Path) -> None:
    script = f"{sys.executable} -m thermo_host.cli replay {recording} --speed 0 >/dev/full"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.FILE
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_a_closed_standard_output_is_no_bug(recording: Path) -> None:
    script = f"{sys.executable} -m thermo_host.cli replay {recording} --summary >&- 2>&-"
    assert subprocess.run(["bash", "-c", script], check=False).returncode == ExitCode.OK


def test_the_page_has_the_same_exit_codes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "host.md").read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in page
