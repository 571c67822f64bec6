"""Exports that other tools open as they are: Zarr by zarr, Foxglove's MCAP by mcap and its own schemas, Parquet by DuckDB."""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import recorded
import zarr
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from host_sessions import STARTED_NS, came, with_hello
from mcap.reader import make_reader

from thermo_core import schema
from thermo_core.errors import StorageError, UsageError
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import Profile
from thermo_host.application import run
from thermo_host.exports import target
from thermo_host.exports.boxes import Box, looked_at, warm_spots
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.partitions import export_all
from thermo_host.exports.rows import SampleRow
from thermo_host.exports.zarr_store import NO_VALUE, hundredths
from thermo_host.link.items import Item, Telemetry
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom

DAY_NS = 86_400_000_000_000
RECORDINGS = 100
WEARABLES = 7
PAGES = 8
HOSTILE = '=cmd|"/c calc"!A1 ../../\x1b[2J,\n'


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded.patch(subject="S 01", note=HOSTILE.replace("\n", "").replace("\x1b", ""))


@pytest.fixture(scope="module")
def items() -> list[Item]:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 60)
    made: list[Item] = list(came(recorded.patch_records(pages)))
    made.insert(30, Marker(at_ns=STARTED_NS + 1_000_000_000, text=HOSTILE))
    made.insert(40, Gap(from_ns=STARTED_NS + 1_500_000_000, to_ns=STARTED_NS + 1_600_000_000, reason="unplugged"))
    return made


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory, session: Session, items: list[Item]) -> Recording:
    return recorded.recording(tmp_path_factory.mktemp("patch") / "night.mcap", session, items)


def exported(found: Recording, path: Path, force: bool = False, **options: Any) -> Path:
    decoding = Decoding(found)
    (written,) = target.write(decoding, path, decoding.first, force, **options)
    return written


def opened(path: Path) -> Any:
    return zarr.open_group(path, mode="r")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory, patch: Recording) -> dict[str, Any]:
    """The same as .npz."""
    with np.load(exported(patch, tmp_path_factory.mktemp("npz") / "night.npz")) as data:
        return dict(data)


def test_a_zarr_store_holds_what_npz_holds(tmp_path: Path, patch: Recording, arrays: dict[str, Any]) -> None:
    stored = opened(exported(patch, tmp_path / "night.zarr"))
    whole = opened(exported(patch, tmp_path / "whole.zarr", whole=True))
    assert len(arrays["skin"]) > 20
    np.testing.assert_array_equal(whole["skin/celsius"][:], arrays["skin"])
    assert whole["skin/celsius"].dtype == np.float32 and "scale_factor" not in whole["skin/celsius"].attrs
    steps = stored["skin/celsius"]
    assert steps.dtype == np.int16 and steps.attrs["scale_factor"] == 0.01 and steps.attrs["units"] == "degC"
    np.testing.assert_array_equal(steps[:], np.rint(arrays["skin"].astype(np.float64) * 100))
    for name in ("utc_ns", "time_us", "flags", "valid"):
        np.testing.assert_array_equal(stored[f"skin/{name}"][:], arrays[f"skin.{name}"])
    np.testing.assert_array_equal(stored["spots/celsius"][:], arrays["spots"])
    assert stored["spots"].attrs["labels"] == ["core", "left"]
    for table in ("findings-lesion", "alerts", "events", "markers", "gaps"):
        columns = [key for key in arrays if key.startswith(f"{table}.") and f"{key}_ns" not in arrays]
        assert columns
        for key in columns:
            np.testing.assert_array_equal(stored[f"{table}/{key.removeprefix(f'{table}.')}"][:], arrays[key])
    assert stored["constants/skin.constants.0"][:].tobytes() == eeprom.generate(recorded.SEED).astype("<u2").tobytes()


def test_a_zarr_store_says_whose_it_is_and_that_it_informs_only(tmp_path: Path, patch: Recording) -> None:
    path = exported(patch, tmp_path / "night.zarr")
    facts = dict(opened(path).attrs)
    assert facts["serial"] == "0001" and facts["subject"] == "S 01"
    assert facts["notice"].startswith("Informs only.")
    assert facts["sensors"][0]["emissivity"] == 0.98 and facts["sensors"][0]["uncalibrated"]
    skin = json.loads((path / "skin" / "celsius" / ".zarray").read_text())
    assert skin["chunks"][1:] == [24, 32] and skin["fill_value"] == NO_VALUE
    assert {each.name for each in path.iterdir() if each.is_dir()} >= {"skin", "spots", "markers"}
    assert opened(path)["markers/text"][0] == marked(patch)


def marked(found: Recording) -> str:
    return next(item.text for item in found if isinstance(item, Marker))


def test_what_has_no_value_is_no_temperature() -> None:
    given = np.array([np.nan, 36.6, -40.0, 1e6, -1e6], np.float32)
    assert hundredths(given).tolist() == [NO_VALUE, 3660, -4000, 32767, -32767]


def test_a_zarr_store_is_never_appended_to_and_is_whole_or_not_there(tmp_path: Path, patch: Recording) -> None:
    path = tmp_path / "night.zarr"
    exported(patch, path)
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}
    with pytest.raises(StorageError, match="never appended to"):
        exported(patch, path)

    def failing() -> Iterator[Any]:
        yield from list(Decoding(patch))[:20]
        raise StorageError("The disk is gone.")

    for name in ("night.zarr", "other.zarr"):
        with pytest.raises(StorageError, match="gone"):
            target.write(failing(), tmp_path / name, Decoding(patch).first, force=True)
    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before
    exported(patch, path, force=True, whole=True)
    assert [each.name for each in tmp_path.iterdir()] == ["night.zarr"]
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="no Zarr store"):
        exported(patch, tmp_path / "mine.zarr", force=True)
    assert (tmp_path / "mine.zarr" / "letter.txt").read_text() == "dear"


@pytest.fixture(scope="module")
def foxglove(tmp_path_factory: pytest.TempPathFactory, patch: Recording) -> Path:
    return exported(patch, tmp_path_factory.mktemp("foxglove") / "night.mcap")


def messages(path: Path, topic: str) -> list[Any]:
    """(log time, message) of a topic, read by the schema that lies in the file."""
    found = []
    with path.open("rb") as file:
        for schema, _, message in make_reader(file).iter_messages(topics=[topic]):
            if schema.encoding == "jsonschema":
                found.append((message.log_time, json.loads(message.data)))
            else:
                found.append((message.log_time, read_by(schema.name, schema.data).FromString(message.data)))
    return found


@functools.cache
def read_by(name: str, described: bytes) -> Any:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(described).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def test_foxglove_gets_its_own_schemas(foxglove: Path) -> None:
    with foxglove.open("rb") as file:
        summary = make_reader(file).get_summary()
    named = {channel.topic: summary.schemas[channel.schema_id] for channel in summary.channels.values()}
    assert {
        topic: (schema.name, schema.encoding) for topic, schema in named.items() if schema.encoding == "protobuf"
    } == {
        "/skin": ("foxglove.RawImage", "protobuf"),
        "/skin/annotations": ("foxglove.ImageAnnotations", "protobuf"),
        "/log": ("foxglove.Log", "protobuf"),
    }
    assert {topic for topic, schema in named.items() if schema.encoding == "jsonschema"} == {
        *("/skin/range", "/skin.ta", "/skin.vdd", "/spots"),
        *("/findings-lesion", "/alerts", "/events", "/markers", "/gaps"),
    }


def test_foxglove_pictures_are_hundredths_of_a_kelvin(foxglove: Path, arrays: dict[str, Any]) -> None:
    found = messages(foxglove, "/skin")
    assert [at_ns for at_ns, _ in found] == arrays["skin.utc_ns"].tolist()
    for (at_ns, image), celsius in zip(found, arrays["skin"], strict=True):
        assert (image.width, image.height, image.encoding, image.step) == (32, 24, "mono16", 64)
        assert image.timestamp.seconds * 1_000_000_000 + image.timestamp.nanos == at_ns
        kelvin = np.frombuffer(image.data, "<u2").reshape(24, 32) / 100
        np.testing.assert_allclose(kelvin - 273.15, celsius, atol=0.0051)
    lines = [line for _, line in messages(foxglove, "/skin/range")]
    np.testing.assert_allclose([line["max"] for line in lines], arrays["skin"].max(axis=(1, 2)), rtol=1e-6)
    spots = [spot for _, spot in messages(foxglove, "/spots")]
    assert all(spot["left"] is None and spot["core"] is not None for spot in spots)


def test_foxglove_draws_what_the_model_looks_at_and_what_stands_out(foxglove: Path) -> None:
    _, last = messages(foxglove, "/skin/annotations")[-1]
    assert last.texts[0].text == "lesion: lesion 75% (Informs only. Not a medical device.)"
    corners = [{(point.x, point.y) for point in outline.points} for outline in last.points]
    assert corners[0] == {(0, 0), (32, 0), (32, 24), (0, 24)}  # the model sees all of it
    assert len(last.texts) == len(last.points) > 1 and last.texts[1].text.startswith("+")


def test_a_model_that_sees_a_part_has_its_box_there() -> None:
    plain = json.loads(json.dumps(recorded.PATCH))
    plain["stages"].insert(
        1, {"op": "crop", "of": "calm", "gives": "part", "rows": 10, "columns": 12, "row": 4, "column": 6}
    )
    plain["stages"][2]["of"] = "part"
    profile = schema.from_plain(plain, Profile, "profile")
    found = looked_at({"profile_whole": schema.to_readable(profile)})
    assert found == {"skin": [Box(4, 6, 10, 12, "part"), Box(4, 6, 10, 12, "lesion")]}
    assert looked_at({}) == {}


def test_a_warm_square_is_the_box_that_stands_out() -> None:
    celsius = np.full((24, 32), 33.0, np.float32)
    celsius[8:14, 10:18] = 35.0
    celsius[0, 0] = np.nan
    celsius[20, 20] = 60.0  # a single pixel is noise or broken
    (box,) = warm_spots(celsius)
    assert (box.row, box.column, box.rows, box.columns, box.name) == (8, 10, 6, 8, "+2.0 K")
    assert warm_spots(np.full((24, 32), np.nan, np.float32)) == []


def test_foxglove_logs_what_was_said_and_that_it_informs_only(foxglove: Path) -> None:
    said = [(line.message, line.level) for _, line in messages(foxglove, "/log")]
    words = [message for message, _ in said]
    assert words[0].startswith("Informs only.")
    assert "alert lesion: raised (Show this to a physician.)" in words
    assert "gap: unplugged" in words
    assert not any("\x1b" in word for word in words)
    assert dict(said)["The bus was freed."] == 3  # foxglove.Log's WARNING


def clone(path: Path, session: Session, items: Sequence[Item], serial: str, later_ns: int) -> None:
    """A recording of another wearable at another time, through the recorder itself."""
    moved = [
        replace(item, received_ns=item.received_ns + later_ns, captured_ns=item.captured_ns + later_ns)
        for item in items
        if isinstance(item, Telemetry)
    ]
    recorded.recording(path, with_hello(replace(session, started_ns=STARTED_NS + later_ns), serial=serial), moved)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, session: Session) -> list[Path]:
    """A hundred recordings of seven wearables on as many days; two begin shortly before midnight."""
    folder = tmp_path_factory.mktemp("many")
    pages = recorded.subpages(eeprom.generate(recorded.SEED), PAGES)
    items: list[Item] = list(came(recorded.patch_records(pages)))
    until_midnight_ns = DAY_NS - STARTED_NS % DAY_NS
    paths = []
    for number in range(RECORDINGS):
        paths.append(folder / f"night-{number}.mcap")
        later_ns = number * DAY_NS + (until_midnight_ns - 200_000_000 if number in (3, 50) else 0)
        clone(paths[-1], session, items, f"P{number % WEARABLES}", later_ns)
    return paths


def test_duckdb_finds_in_a_hundred_recordings_what_numpy_finds(tmp_path: Path, many: list[Path]) -> None:
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(many[0].read_bytes()[:900])
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(many[0].read_bytes()[:-700])
    folder = tmp_path / "tables"
    outcomes = export_all([*many, broken], folder, Choice(("skin", "spots")))
    assert [one.path for one in outcomes if one.reason] == [broken]
    wanted: dict[tuple[str, str], list[Any]] = {}
    for path in many:
        recording = Recording(path)
        for row in Decoding(recording, Choice(("skin",))):
            if isinstance(row, SampleRow):
                day = str(np.datetime64(row.utc_ns, "ns").astype("datetime64[D]"))
                wanted.setdefault((recording.session.hello.serial, day), []).append(row.sample.values)
    assert len(wanted) == RECORDINGS + 2  # two lie in two days
    with duckdb.connect() as database:
        found = database.execute(
            "SELECT wearable, date::VARCHAR, count(*), max(list_max(value)), sum(list_sum(value)::DOUBLE) "
            f"FROM read_parquet('{folder}/skin/**/*.parquet', hive_partitioning = true) GROUP BY ALL"
        ).fetchall()
        days = database.execute(
            f"SELECT count(*) FROM read_parquet('{folder}/skin/**/*.parquet', hive_partitioning = true) "
            "WHERE strftime(utc AT TIME ZONE 'UTC', '%Y-%m-%d') != date::VARCHAR"
        ).fetchone()
        rows = database.execute(
            f"SELECT file, serial, complete, damaged, notice FROM read_parquet('{folder}/recordings/**/*.parquet')"
        ).fetchall()
    assert days == (0,)
    assert {row[:2] for row in found} == set(wanted)
    for wearable, day, count, highest, total in found:
        values = np.array(wanted[wearable, day])
        assert count == len(values)
        assert np.float32(highest) == values.max()
        assert total == pytest.approx(values.sum(dtype=np.float64), rel=1e-6)
    assert {row[0] for row in rows} == {path.name for path in many}
    assert all(
        complete and not damaged and notice.startswith("Informs only.") for _, _, complete, damaged, notice in rows
    )


def test_parquet_of_many_comes_whole_or_not_at_all(
    tmp_path: Path, many: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(many[0].read_bytes()[:-100])
    folder = tmp_path / "tables"
    flipped = bytearray(many[2].read_bytes())
    place = flipped.find(b"\x28\xb5\x2f\xfd", len(flipped) // 2) + 40  # within a chunk packed by zstandard
    flipped[place] ^= 0xFF
    (tmp_path / "flipped.mcap").write_bytes(flipped)
    (outcome,) = export_all([tmp_path / "flipped.mcap"], tmp_path / "partly", Choice())
    assert outcome.damaged == 1 and not outcome.reason
    with duckdb.connect() as database:
        rows = database.execute(f"SELECT damaged FROM '{tmp_path}/partly/recordings/**/*.parquet'").fetchall()
    assert rows == [(1,)]
    assert run(["export", str(cut), str(many[1]), "--parquet", str(folder)]) == 0
    assert "was cut off" in capsys.readouterr().out
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    assert run(["export", str(cut), "--parquet", str(folder)]) != 0
    assert "exists" in capsys.readouterr().err
    assert run(["export", str(cut), "--parquet", str(folder), "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recordings"][0]["complete"] is False
    assert sorted(each for each in folder.rglob("*") if each.is_file()) == files
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="into a folder"):
        export_all(many[:1], tmp_path / "file", Choice())


@pytest.mark.parametrize("serial", ["../../etc", "a=b/c", "", "\x1b[2J", "ü 7"])
def test_a_serial_leads_nowhere(tmp_path: Path, session: Session, items: list[Item], serial: str) -> None:
    path = tmp_path / "r.mcap"
    clone(path, session, items[:40], serial, 0)
    folder = tmp_path / "in" / "tables"
    (outcome,) = export_all([path], folder, Choice(("spots",)))
    assert not outcome.reason
    assert {each.name for each in tmp_path.iterdir()} == {"r.mcap", "in"}
    assert {each.relative_to(folder).parts[1].startswith("wearable=") for each in outcome.files} == {True}
    assert all(len(each.relative_to(folder).parts) == 4 for each in outcome.files)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{r}"], "Say what to write"),
        (["{r}", "a.csv", "b.csv"], "--parquet FOLDER takes many"),
        (["{r}", "a.csv", "--zarr"], "does not end in .zarr"),
        (["{r}", "--zarr", "--foxglove"], "two exports"),
        (["{r}", "a.npz", "--float32"], "--float32"),
        (["{r}", "{r}", "--force"], "is the recording itself"),
        (["{r}", "--parquet", "x", "--zarr"], "--parquet FOLDER writes"),
    ],
)
def test_exports_that_cannot_be_meant_are_refused_in_a_sentence(
    patch: Recording, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = patch.path.read_bytes()
    assert run(["export", *(each.format(r=patch.path) for each in arguments)]) != 0
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert patch.path.read_bytes() == before


def test_a_library_that_is_not_there_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, library in (("zarr_store", "zarr"), ("foxglove", "foxglove")):
        monkeypatch.delitem(__import__("sys").modules, f"thermo_host.exports.{module}", raising=False)
        monkeypatch.setitem(__import__("sys").modules, library, None)
    for ending, extra in ((".zarr", "zarr"), (".mcap", "foxglove")):
        with pytest.raises(UsageError, match=rf"pip install -e '\.\[{extra}\]'"):
            target.writer_of(Path(f"x{ending}"))
