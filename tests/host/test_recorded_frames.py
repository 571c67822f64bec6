"""A recording's subpages as the simulator replays them: the words the sensor said, which decode to the same pictures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from host_sessions import camera_eeprom

from thermo_core.errors import RecordingError
from thermo_core.recording import frames as recorded
from thermo_core.recording.session import Session
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_sim.chips.mlx90640.dumps import load_eeprom, load_replay

Take = Callable[[int], list[Telemetry]]


@pytest.fixture
def path(tmp_path: Path, session: Session, telemetry: Take) -> Path:
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        for item in telemetry(140):
            recorder.add(item)
    return tmp_path / "r.mcap"


def test_the_words_are_those_the_sensor_said(path: Path, session: Session, subpages: list[Subpage]) -> None:
    dump = load_replay(path)
    assert dump.eeprom is not None
    np.testing.assert_array_equal(dump.eeprom, camera_eeprom(session))
    np.testing.assert_array_equal(load_eeprom(path), camera_eeprom(session))
    assert len(dump.frames) > 90
    sent = np.stack([subpage.words for subpage in subpages])[: len(dump.frames)]
    # The made subpages hold both halves of one picture; of the other one a sensor still has the half before.
    np.testing.assert_array_equal(dump.frames[:, 768:], sent[:, 768:])
    rows, columns = np.indices((24, 32)).reshape(2, -1)
    own = (rows + columns) % 2 == dump.frames[:, 833:834]
    np.testing.assert_array_equal(dump.frames[:, :768][own], sent[:, :768][own])
    np.testing.assert_array_equal(dump.frames[1:, :768][~own[1:]], sent[:-1, :768][own[:-1]])


def test_a_long_recording_is_taken_from_its_beginning(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST_FRAMES", 10)
    dump = load_replay(path)
    assert len(dump.frames) == 10
    assert "more than 10" in dump.notes[0]


def test_a_recording_without_pictures_is_said(tmp_path: Path, session: Session, telemetry: Take) -> None:
    for name, changed in (("none.mcap", replace(session, constants={})), ("empty.mcap", session)):
        with Recorder(tmp_path / name, changed):
            pass
        with pytest.raises(RecordingError, match=name):
            load_replay(tmp_path / name)
