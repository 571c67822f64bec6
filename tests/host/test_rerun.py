"""Computing a recording again: the same network says the same, another one is said to say something else, and where."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from host_sessions import blocks_of, came, camera_constants, session_of, told

from thermo_core.bundle import Bundle
from thermo_core.exit_codes import ExitCode
from thermo_core.graph.engine import Engine
from thermo_core.image import parse
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wire.records import AlertRecord, FindingRecord, Record
from thermo_core.wire.table import OutputKind
from thermo_host.application import run
from thermo_host.link.items import Telemetry
from thermo_host.rerun import Rerun, Wanted, seen_as
from thermo_host.sinks.recorder import Recorder
from thermo_sim.chips.mlx90640.dataset import PictureSource

BUNDLE = Path(__file__).parents[2] / "models/thermo_models/wearables/breast-patch/bundle.img"
WEARABLE = BUNDLE.parent / "wearable.toml"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.from_payload(parse(BUNDLE.read_bytes()).payload)


@pytest.fixture(scope="module")
def patch(bundle: Bundle, eeprom_words: Words) -> Session:
    return session_of(bundle.profile, {0: camera_constants(eeprom_words)})


@pytest.fixture(scope="module")
def recorded(
    tmp_path_factory: pytest.TempPathFactory, bundle: Bundle, patch: Session, eeprom_words: Words
) -> tuple[Path, list[Telemetry]]:
    """What a wearable with that bundle says of a spot that grows warm."""
    source = PictureSource(11, 16.0, eeprom=eeprom_words)
    words = []
    for step in range(60):
        scene = np.full((24, 32), 33.0)
        scene[8:14, 10:18] += step / 20
        words += list(source.words(scene))
    subpages = [Subpage(frame, index, 1_000_000 + index * 62_500) for index, frame in enumerate(words)]
    engine = patch.engine({name: Int8Network(network) for name, network in bundle.networks.items()})
    items = came(said(engine, blocks_of(subpages)))
    path = tmp_path_factory.mktemp("rerun") / "r.mcap"
    with Recorder(path, patch) as recorder:
        for item in items:
            recorder.add(item)
    return path, items


def said(engine: Engine, blocks: list[Block]) -> list[Record]:
    found: list[Record] = []
    for block in blocks:
        outcome = engine.push(block)
        found.append(block)
        for one in outcome.said:
            finding = one.finding
            kind = OutputKind.SCORES if finding.values else OutputKind.NONE
            found.append(
                FindingRecord(finding.time_us, finding.model, finding.flags, 0, 9, 1, one.newest, kind, finding.values)
            )
        found += [AlertRecord(change.time_us, change) for change in outcome.changes]
    return found


def again(capsys: Capture, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code = run(["rerun", str(path), *options, "--json"])
    out, _ = capsys.readouterr()
    return int(code), json.loads(out.splitlines()[-1])


def test_the_same_network_says_the_same(recorded: tuple[Path, list[Telemetry]], capsys: Capture) -> None:
    path, items = recorded
    findings = sum(isinstance(item.record, FindingRecord) for item in items)
    code, told_of = again(capsys, path, "--bundle", str(BUNDLE))
    assert code == 0
    lesion = told_of["models"]["lesion"]
    assert lesion["both"] == lesion["same"] == findings > 30
    assert lesion["greatest"] == 0 and lesion["recorded_only"] == lesion["again_only"] == told_of["different"] == 0
    assert told_of["samples"]["skin"] >= findings
    assert all(raised["recorded"] == raised["again"] for raised in told_of["alerts"].values())
    assert run(["rerun", str(path), "--bundle", str(BUNDLE)]) == 0
    shown = capsys.readouterr().out
    assert f"{findings} of {findings} findings with the same verdict" in shown and "Not a medical device" in shown


def test_verdicts_that_differ_are_told_with_their_moment(
    recorded: tuple[Path, list[Telemetry]], patch: Session, bundle: Bundle
) -> None:
    """One recorded verdict is turned around; that one is found, at its moment."""
    _, items = recorded
    at = [n for n, item in enumerate(items) if isinstance(item.record, FindingRecord)][7]
    finding = items[at].record
    assert isinstance(finding, FindingRecord)
    turned = [*items]
    turned[at] = told(items[at], replace(finding, values=finding.values[::-1]))
    networks = {name: Int8Network(network) for name, network in bundle.networks.items()}
    rerun = Rerun(patch, Wanted(networks=networks))
    for item in turned:
        rerun.push(item)
    rerun.end()
    (difference,) = rerun.differences
    assert rerun.different == 1
    assert difference.utc_ns == items[at].captured_ns
    assert difference.recorded.words != difference.again.words
    assert rerun.models["lesion"].both - rerun.models["lesion"].same == 1


@pytest.mark.parametrize("first", [0, 15])
def test_a_recording_that_begins_in_the_middle_says_so_where_verdicts_differ(
    recorded: tuple[Path, list[Telemetry]], patch: Session, tmp_path: Path, capsys: Capture, first: int
) -> None:
    _, items = recorded
    findings = [n for n, item in enumerate(items) if isinstance(item.record, FindingRecord)]
    late, turned = items[findings[first] - 1 :] if first else items, items[findings[-2]]
    assert isinstance(turned.record, FindingRecord)
    with Recorder(tmp_path / "late.mcap", patch) as recorder:
        for item in late:
            other = told(item, replace(turned.record, values=turned.record.values[::-1]))
            recorder.add(other if item is turned else item)
    assert run(["rerun", str(tmp_path / "late.mcap"), "--bundle", str(BUNDLE)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        ("recorded alone;" in shown or "recorded alone." in shown)
        == ("rest on what came before or was lost" in shown)
        == bool(first)
    )


def test_another_wearable_runs_over_the_same_sensors(
    recorded: tuple[Path, list[Telemetry]], tmp_path: Path, capsys: Capture
) -> None:
    path, _ = recorded
    text = WEARABLE.read_text()
    faster = shutil.copytree(WEARABLE.parent, tmp_path / "patch") / WEARABLE.name
    faster.write_text(text.replace("pictures = 16", "pictures = 4"))
    code, told_of = again(capsys, path, "--wearable", str(faster))
    lesion = told_of["models"]["lesion"]
    assert code == 0
    assert lesion["both"] > 30 and lesion["again_only"] == 12  # findings begin twelve pictures earlier
    assert lesion["greatest"] > 0
    faster.write_text(text.replace('name = "skin"', 'name = "chest"').replace('"skin"', '"chest"'))
    code, told_of = again(capsys, path, "--wearable", str(faster))
    assert code == ExitCode.USAGE
    assert "has a sensor chest (mlx90640) and the recording has skin (mlx90640)" in told_of["error"]["message"]


def test_without_a_network_signals_alone_are_computed(recorded: tuple[Path, list[Telemetry]], capsys: Capture) -> None:
    path, items = recorded
    code, told_of = again(capsys, path)
    assert code == 0 and told_of["samples"]["skin"] > 30
    findings = sum(isinstance(item.record, FindingRecord) for item in items)
    assert told_of["models"]["lesion"] == {
        "both": 0, "same": 0, "greatest": 0.0, "recorded_only": findings, "again_only": 0, "fetched": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "options", [("--bundle", "/nowhere.img"), ("--wearable", "nobody"), ("--wearable", "/no.toml")]
)
def test_what_is_not_there_is_one_sentence(
    recorded: tuple[Path, list[Telemetry]], capsys: Capture, options: tuple[str, str]
) -> None:
    code, told_of = again(capsys, recorded[0], *options)
    assert code in (ExitCode.USAGE, ExitCode.FILE)
    assert "\n" not in told_of["error"]["message"]


def test_sensors_are_matched_by_name_whatever_their_numbers(patch: Session) -> None:
    turned = msgspec.structs.replace(patch.profile, sensors=patch.profile.sensors[::-1])
    seen, numbers = seen_as(patch, turned)
    assert numbers == {0: 1, 1: 0}
    assert seen.constants[1] == patch.constants[0]
    assert [state.kind for state in seen.hello.sensors] == ["ads1115-ntc", "mlx90640"]
    one = msgspec.structs.replace(patch.profile, sensors=patch.profile.sensors[:1])
    assert seen_as(patch, one)[1] == {0: 0}


def test_memory_of_what_has_no_counterpart_is_bounded(
    patch: Session, recorded: tuple[Path, list[Telemetry]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermo_host.rerun.WAITING", 10)
    rerun = Rerun(patch, Wanted())
    take: Callable[[Telemetry], None] = rerun.push
    for item in recorded[1]:
        take(item)
    assert sum(len(waiting) for waiting in rerun._waiting.values()) <= 11
    rerun.end()
    assert rerun.models["lesion"].recorded_only == sum(isinstance(i.record, FindingRecord) for i in recorded[1])
