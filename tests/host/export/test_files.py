"""Exports are whole or not there: failures, full disks, long and damaged recordings, wrong words."""

import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import recorded
from examples import few
from exported import SECOND_NS, exported
from host_sessions import STARTED_NS, came
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from thermo_core.errors import SensorError, StorageError, ThermoError, UsageError
from thermo_host.application import run
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.parquet import MOST_ROWS
from thermo_host.exports.rows import Row
from thermo_host.stream.playback import Recording

pytestmark = pytest.mark.lengthy

EVERY = (".npz", ".csv", ".parquet", ".edf", ".png", ".mp4")


def test_what_cannot_be_asked_for_is_said(tmp_path: Path, patch: Recording, band: Recording) -> None:
    with pytest.raises(UsageError, match=r"no signal 'skinn'; choose of skin, skin\.ta, .*, lesion\.raw, or all"):
        Decoding(patch, Choice(signals=("skinn",)))
    with pytest.raises(UsageError, match="no sensor with an emissivity"):
        Decoding(band, Choice(emissivity=0.9))
    with pytest.raises(UsageError, match="emissivity"):
        Decoding(patch, Choice(emissivity=1.5))
    with pytest.raises(UsageError, match=r"does not end in \.npz, .* or \.svg"):
        exported(patch, tmp_path / "out.xlsx")


@pytest.mark.parametrize("ending", EVERY)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, patch: Recording, ending: str) -> None:
    path = tmp_path / "folder" / f"out{ending}"
    with pytest.raises(StorageError, match="no such file or directory"):
        exported(patch, path)
    path.parent.mkdir()
    whole = [one.name for one in exported(patch, path)]
    kept = path.parent / whole[0]
    for name in whole:
        (path.parent / name).write_text("old")
    decoding = Decoding(patch)

    def rows() -> Iterator[Row]:
        yield from islice(decoding, 50)
        raise SensorError("The rest is lost.")

    with pytest.raises(SensorError):
        target.write(rows(), path, decoding.first, force=True)
    assert kept.read_text() == "old"
    assert sorted(one.name for one in path.parent.iterdir()) == sorted(whole)


@pytest.mark.parametrize("ending", EVERY)
def test_nothing_is_replaced_without_force(tmp_path: Path, patch: Recording, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    written = exported(patch, path)
    first = [one.read_bytes() for one in written]
    with pytest.raises(StorageError, match=r"out.* exists.*--force"):
        exported(patch, path)
    exported(patch, path, Choice(emissivity=0.8, to_ns=STARTED_NS + 4 * SECOND_NS), force=True)
    assert [one.read_bytes() for one in written] != first
    for other in written[1:]:
        for one in written:
            one.unlink(missing_ok=True)
        other.write_text("mine")
        with pytest.raises(StorageError, match="exists"):
            exported(patch, path)
        assert [one.name for one in tmp_path.iterdir()] == [other.name]


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, patch: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zipfile.ZipFile.open

    def full(archive: zipfile.ZipFile, name: str, *arguments: Any, **options: Any) -> Any:
        if name == "skin.utc.npy":
            raise OSError(28, "No space left on device")
        return real(archive, name, *arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(StorageError, match="no space left on device"):
        exported(patch, tmp_path / "out.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".npz", ".csv", ".parquet"])
def test_a_longer_recording_takes_no_more_memory(tmp_path: Path, ending: str) -> None:
    peaks = []
    for seconds in (300, 900):
        items = came(recorded.band_records(seconds))
        found = recorded.recording(tmp_path / f"{seconds}.mcap", recorded.session(recorded.BAND), items)
        exported(found, tmp_path / f"warm-{seconds}{ending}", Choice(to_ns=STARTED_NS + 20 * SECOND_NS))
        tracemalloc.start()
        exported(found, tmp_path / f"{seconds}{ending}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_500_000


def test_parquet_is_written_a_group_of_rows_at_a_time(tmp_path: Path) -> None:
    items = came(recorded.band_records(300))
    found = recorded.recording(tmp_path / "r.mcap", recorded.session(recorded.BAND), items)
    groups = []
    for path in exported(found, tmp_path / "a.parquet"):
        metadata = pq.ParquetFile(path).metadata
        sizes = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        assert max(sizes) <= MOST_ROWS and all(size == sizes[0] for size in sizes[:-1])
        groups.append(len(sizes))
    assert max(groups) > 2


def test_the_command_says_what_was_written_and_what_is_wrong(
    tmp_path: Path, patch: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    def export(*arguments: str) -> tuple[int, str, str]:
        code = run(["export", str(patch.path), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = export(str(tmp_path / "a.csv"), "--signals", "skin.ta, above", "--json")
    told = json.loads(out)
    assert code == 0 and told["complete"] and set(told["signals"]) == {"skin.ta", "above"}
    assert told["rows"]["findings-lesion"] == 15
    assert {Path(path).name for path in told["files"]} == {path.name for path in tmp_path.iterdir()}
    code, out, _ = export(str(tmp_path / "b.png"), "--from", "3", "--range", "30,38")
    assert (code, out.startswith("skin 1 sample: "), "cut off" in out) == (0, True, False)
    for arguments, wrong, words in (
        ((str(tmp_path / "c.npz"), "--range", "30,38"), 2, "leave it out"),
        ((str(tmp_path / "c.npz"), "--from", "5", "--to", "4"), 2, "exchange them"),
        ((str(tmp_path / "c.txt"),), 2, "does not end in"),
        ((str(tmp_path / "b.png"),), 9, "--force"),
    ):
        code, _, err = export(*arguments)
        assert code == wrong and words in " ".join(err.split())


@few(25, of=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_is_a_bug(tmp_path: Path, band: Recording, data: st.DataObject) -> None:
    damaged = bytearray(band.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            del damaged[at : at + data.draw(st.integers(1, 300))]
            damaged = damaged or bytearray(b"x")
    path = tmp_path / "damaged.mcap"
    path.write_bytes(damaged)
    for ending in (".npz", ".edf"):
        try:
            exported(Recording(path), tmp_path / f"out{ending}", force=True)
        except ThermoError as error:
            assert "\n" not in str(error)
