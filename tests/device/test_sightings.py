"""What the agent remembers of sensors: numbers that rise over restarts, and what each EEPROM was at first sight."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.errors import StorageError
from thermo_core.sensors.correction import fingerprint
from thermo_device.files import write_note
from thermo_device.sightings import MAX_TRUSTED, Sighting, Sightings

PLACE = Path("/state")


def identity(chip: int) -> bytes:
    return bytes((chip, 1, 2))


def constants(content: int) -> bytes:
    return bytes((content,)) * 64


def meet(seen: Sightings, chip: int, content: int = 0, sensor: int = 0) -> Sighting:
    return seen.meet(sensor, identity(chip), constants(content))


def test_a_number_rises_with_each_change_and_over_restarts(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    assert [meet(seen, *what).number for what in ((1, 0), (1, 0), (2, 0), (1, 0), (1, 5))] == [1, 1, 2, 3, 4]
    again = Sightings(tmp_path)
    assert meet(again, 1, 5).number == 4
    assert meet(again, 2, 0).number == 5


def test_each_sensor_has_numbers_of_its_own(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    assert [meet(seen, chip, sensor=chip).number for chip in range(3)] == [1, 1, 1]
    assert meet(seen, 7, sensor=1).number == 2
    again = Sightings(tmp_path)
    assert [meet(again, chip, sensor=sensor).number for sensor, chip in ((0, 0), (1, 7), (2, 2))] == [1, 2, 1]
    assert meet(again, 1, 5, sensor=2).changed, "a chip is known wherever it is put"


def test_an_eeprom_is_held_to_its_first_sight_and_to_its_calibration(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    first = meet(seen, 1, 7)
    assert first.fingerprint == fingerprint(constants(7)) and not first.changed
    assert meet(seen, 1, 8).changed and not meet(seen, 2, 8).changed
    assert meet(Sightings(tmp_path), 1, 8).changed
    seen.trust(identity(1), fingerprint(constants(8)))
    assert not meet(Sightings(tmp_path), 1, 8).changed
    assert meet(Sightings(tmp_path), 1, 7).changed


def test_the_sensor_seen_least_recently_is_forgotten_first(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    for sensor in (*range(MAX_TRUSTED), 0, MAX_TRUSTED):
        meet(seen, sensor)
    again = Sightings(tmp_path)
    assert meet(again, 0, 1).changed
    assert not meet(again, 1, 1).changed  # met for the first time as far as is known
    assert (tmp_path / "sensors.json").stat().st_size < 4096


def test_nothing_is_written_while_nothing_changes(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    seen = Sightings(PLACE, files)
    meet(seen, 1)
    before = files.operations
    for _ in range(50):
        meet(seen, 1)
    assert files.operations == before


def test_power_cut_anywhere_gives_no_number_to_two_contents(
    fragile_files: Callable[..., Any], power_cut: type[Exception]
) -> None:
    history = [(1 + i % 2, i // 2 % 3) for i in range(8)]
    whole = fragile_files()
    seen = Sightings(PLACE, whole)
    for what in history:
        meet(seen, *what)
    for at in range(1, whole.operations + 1):
        for survival in ("nothing", "everything", "something"):
            files = fragile_files(cut_at=at)
            named: dict[int, tuple[int, int]] = {}
            seen = Sightings(PLACE, files)
            try:
                for what in history:
                    named[meet(seen, *what).number] = what
            except power_cut:
                seen = Sightings(PLACE, files.after_power_cut(survival, at))
            for what in history:
                assert named.setdefault(meet(seen, *what).number, what) == what


@pytest.mark.parametrize("fail_at", range(1, 8))
def test_a_medium_that_refuses_is_said_and_tried_again(fragile_files: Callable[..., Any], fail_at: int) -> None:
    files = fragile_files(fail_at=fail_at)
    seen = Sightings(PLACE, files)
    assert [meet(seen, 1, content).number for content in (0, 1)] == [1, 2]
    meet(seen, 1, 1)
    assert seen.problem == ""
    assert meet(Sightings(PLACE, files), 1, 1).number == 2


def test_a_medium_that_always_refuses_leaves_it_at_work() -> None:
    class Full:
        def read(self, path: Path) -> bytes | None:
            return None

        def __getattr__(self, name: str) -> Any:
            def refuse(*arguments: object) -> None:
                raise StorageError("Cannot write: No space left on device; make room.")

            return refuse

    seen = Sightings(PLACE, Full())
    assert [meet(seen, 1, content).number for content in (0, 0, 1)] == [1, 1, 2]
    assert "cannot be kept" in seen.problem and "No space left" in seen.problem


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"note": {}, "crc32": 0}).encode(),
        b'{"note": {"generation": 1}, "crc32": 1}',
    ],
)
def test_a_damaged_memory_is_said_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sensors.json").write_bytes(content)
    seen = Sightings(tmp_path)
    assert seen.problem
    assert meet(seen, 1).number == 1 and not seen.problem
    assert meet(Sightings(tmp_path), 1).number == 1


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"sensors": [], "trusted": {"a": 1}},
        {"sensors": {"0": [1, "a", 1]}, "trusted": []},
        {"sensors": [[0, 0, "a", 1]], "trusted": []},
        {"sensors": [[0, 1 << 40, "a", 1]], "trusted": []},
        {"sensors": [[32, 1, "a", 1]], "trusted": []},
        {"sensors": [[0, 1, "a"]], "trusted": []},
        {"sensors": [[0, 1, "a", "b"]], "trusted": []},
        {"sensors": [[0, 1, "a", 1.5]], "trusted": [None]},
        {"sensors": [[0, 1, "a", 1]], "trusted": [["a", 1 << 33]]},
        {"generation": 1, "newest": ["a", 1], "trusted": []},
    ],
)
def test_a_memory_of_another_version_is_said(fragile_files: Callable[..., Any], note: dict[str, object]) -> None:
    files = fragile_files()
    write_note(files, PLACE / "sensors.json", note)
    seen = Sightings(PLACE, files)
    assert "not of this version" in seen.problem
    assert not meet(seen, 1).changed
