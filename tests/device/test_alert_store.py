"""Which alerts are raised outlives a power cut at every file operation; what is there no more is told."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_device.alert_store import EVERY_US, AlertStore
from thermo_device.files import write_note

PLACE = Path("/state")
RAISED = AlertChange(0, AlertState.RAISED, 5, 31.5, 3)
SEEN = AlertChange(0, AlertState.ACKNOWLEDGED, 6, math.nan, 0)


def states(store: AlertStore, profile: str = "a", alerts: int = 2, now_us: int = 100) -> list[tuple[int, int, int]]:
    return [(one.alert, one.state, one.time_us) for one in store.open(profile, alerts, now_us)]


@pytest.mark.parametrize("survival", ["nothing", "everything", "something"])
def test_a_power_cut_leaves_the_old_state_or_the_new_one(
    fragile_files: Callable[..., Any], power_cut: type[Exception], survival: str
) -> None:
    def prepared() -> Any:
        files = fragile_files()
        store = AlertStore(PLACE, files)
        assert states(store) == []
        store.take([RAISED])
        store.keep(0)
        return files.after_power_cut("nothing")

    def acknowledge(files: Any) -> None:
        store = AlertStore(PLACE, files)
        assert states(store) == [(0, AlertState.RAISED, 5)]
        store.take([SEEN])
        store.keep(0, at_once=True)

    clean = prepared()
    acknowledge(clean)
    found = set()
    for cut in range(1, clean.operations + 1):
        files = prepared()
        files.cut_at = cut
        with pytest.raises(power_cut):
            acknowledge(files)
        again = AlertStore(PLACE, files.after_power_cut(survival, cut))
        (alert,) = states(again)
        assert alert in ((0, AlertState.RAISED, 5), (0, AlertState.ACKNOWLEDGED, 6)) and not again.problem
        found.add(alert)
    assert (0, AlertState.RAISED, 5) in found


def test_of_another_profile_nothing_is_raised(tmp_path: Path) -> None:
    store = AlertStore(tmp_path)
    states(store)
    store.take([RAISED])
    store.keep(0)
    assert states(AlertStore(tmp_path), "b") == []
    assert states(AlertStore(tmp_path)) == [(0, AlertState.RAISED, 5)]


def test_a_clock_that_began_anew_makes_no_time_to_come(tmp_path: Path) -> None:
    store = AlertStore(tmp_path)
    states(store)
    store.take([RAISED])
    store.keep(0)
    assert states(AlertStore(tmp_path), now_us=2) == [(0, AlertState.RAISED, 2)]


def test_what_comes_and_goes_is_not_written_each_time(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    store = AlertStore(PLACE, files)
    states(store)
    for time_us in range(0, EVERY_US, EVERY_US // 50):
        store.take([RAISED if time_us % 2 else AlertChange(0, AlertState.RAISED, time_us, 1.0, 0)])
        store.keep(time_us)
    once = files.operations
    assert once <= 6
    store.keep(EVERY_US)
    assert files.operations == 2 * once
    store.keep(2 * EVERY_US, at_once=True)
    assert files.operations == 2 * once


@pytest.mark.parametrize(
    "alerts", [[[0, 1, 5, 1.0, 0]], [[2, 2, 5, 1.0, 0]], [[0, 2, -5, 1.0, 0]], [[0, 2, 5, "x", 0]], 7, [[0, 2, 5]]]
)
def test_what_is_no_state_of_an_alert_is_told(fragile_files: Callable[..., Any], alerts: object) -> None:
    files = fragile_files()
    write_note(files, PLACE / "alerts.json", {"profile": "a", "alerts": alerts})
    store = AlertStore(PLACE, files)
    assert states(store) == [] and "raised again" in store.problem


def test_a_full_disk_is_told_and_tried_again(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    store = AlertStore(PLACE, files)
    states(store)
    files.full = True
    store.take([RAISED])
    store.keep(0)
    assert "cannot be kept" in store.problem and "make room" in store.problem
    files.full = False
    store.keep(EVERY_US)
    assert store.problem == "" and states(AlertStore(PLACE, files)) == [(0, AlertState.RAISED, 5)]
