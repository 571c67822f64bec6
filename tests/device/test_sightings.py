"""What the agent remembers of sensors: numbers that rise over restarts, and what each EEPROM was at first sight."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import StorageError
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id, fingerprint
from thermo_device.files import write_note
from thermo_device.sightings import MAX_SENSORS, Sightings

PLACE = Path("/state")


def eeprom(sensor: int, content: int = 0) -> Words:
    words = np.full(832, content, np.uint16)
    words[7:10] = sensor, 1, 2
    return words


def test_a_number_rises_with_each_change_and_over_restarts(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    assert [seen.meet(eeprom(*what)).generation for what in ((1, 0), (1, 0), (2, 0), (1, 0), (1, 5))] == [1, 1, 2, 3, 4]
    again = Sightings(tmp_path)
    assert again.meet(eeprom(1, 5)).generation == 4
    assert again.meet(eeprom(2, 0)).generation == 5


def test_an_eeprom_is_held_to_its_first_sight_and_to_its_calibration(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    first = seen.meet(eeprom(1, 7))
    assert first.fingerprint == fingerprint(eeprom(1, 7)) and not first.changed
    assert seen.meet(eeprom(1, 8)).changed and not seen.meet(eeprom(2, 8)).changed
    assert Sightings(tmp_path).meet(eeprom(1, 8)).changed
    seen.trust(device_id(eeprom(1)), fingerprint(eeprom(1, 8)))
    assert not Sightings(tmp_path).meet(eeprom(1, 8)).changed
    assert Sightings(tmp_path).meet(eeprom(1, 7)).changed


def test_the_sensor_seen_least_recently_is_forgotten_first(tmp_path: Path) -> None:
    seen = Sightings(tmp_path)
    for sensor in (*range(MAX_SENSORS), 0, MAX_SENSORS):
        seen.meet(eeprom(sensor))
    again = Sightings(tmp_path)
    assert again.meet(eeprom(0, 1)).changed
    assert not again.meet(eeprom(1, 1)).changed  # met for the first time as far as is known
    assert (tmp_path / "sensors.json").stat().st_size < 4096


def test_nothing_is_written_while_nothing_changes(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    seen = Sightings(PLACE, files)
    seen.meet(eeprom(1))
    before = files.operations
    for _ in range(50):
        seen.meet(eeprom(1))
    assert files.operations == before


def test_power_cut_anywhere_gives_no_number_to_two_contents(
    fragile_files: Callable[..., Any], power_cut: type[Exception]
) -> None:
    history = [eeprom(1 + i % 2, i // 2 % 3) for i in range(8)]
    whole = fragile_files()
    seen = Sightings(PLACE, whole)
    for words in history:
        seen.meet(words)
    for at in range(1, whole.operations + 1):
        for survival in ("nothing", "everything", "something"):
            files = fragile_files(cut_at=at)
            named: dict[int, tuple[bytes, int]] = {}
            seen = Sightings(PLACE, files)
            try:
                for words in history:
                    sighting = seen.meet(words)
                    named[sighting.generation] = device_id(words), sighting.fingerprint
            except power_cut:
                seen = Sightings(PLACE, files.after_power_cut(survival, at))
            for words in history:
                sighting = seen.meet(words)
                content = device_id(words), sighting.fingerprint
                assert named.setdefault(sighting.generation, content) == content


@pytest.mark.parametrize("fail_at", range(1, 8))
def test_a_medium_that_refuses_is_said_and_tried_again(fragile_files: Callable[..., Any], fail_at: int) -> None:
    files = fragile_files(fail_at=fail_at)
    seen = Sightings(PLACE, files)
    generations = [seen.meet(eeprom(1, content)).generation for content in (0, 1)]
    assert generations == [1, 2]
    seen.meet(eeprom(1, 1))
    assert seen.problem == ""
    assert Sightings(PLACE, files).meet(eeprom(1, 1)).generation == 2


def test_a_medium_that_always_refuses_leaves_it_at_work() -> None:
    class Full:
        def read(self, path: Path) -> bytes | None:
            return None

        def __getattr__(self, name: str) -> Any:
            def refuse(*arguments: object) -> None:
                raise StorageError("Cannot write: No space left on device; make room.")

            return refuse

    seen = Sightings(PLACE, Full())  # type: ignore[arg-type]
    assert [seen.meet(eeprom(1, content)).generation for content in (0, 0, 1)] == [1, 1, 2]
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
    assert seen.meet(eeprom(1)).generation == 1 and not seen.problem
    assert Sightings(tmp_path).meet(eeprom(1)).generation == 1


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"generation": -1, "newest": ["a", 1], "trusted": []},
        {"generation": 1 << 40, "newest": ["a", 1], "trusted": []},
        {"generation": 1, "newest": ["a"], "trusted": []},
        {"generation": 1, "newest": ["a", "b"], "trusted": []},
        {"generation": 1, "newest": ["a", 1], "trusted": {"a": 1}},
        {"generation": 1, "newest": ["a", 1], "trusted": [["a", 1 << 33]]},
        {"generation": True, "newest": ["a", 1.5], "trusted": [None]},
    ],
)
def test_a_memory_of_another_version_is_said(fragile_files: Callable[..., Any], note: dict[str, object]) -> None:
    files = fragile_files()
    write_note(files, PLACE / "sensors.json", note)
    seen = Sightings(PLACE, files)
    assert "not of this version" in seen.problem
    assert not seen.meet(eeprom(1)).changed
