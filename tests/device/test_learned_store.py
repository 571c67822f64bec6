"""What was learned of the wearer outlives a power cut at every file operation; what is there no more is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.graph.learned import Entry, pack
from thermo_device.learned_store import EVERY_US, FIRST_US, LearnedStore

PLACE = Path("/state")


def at(day: int) -> bytes:
    return pack({b"stage..1": Entry(7, bytes([day]) * 300)})


@pytest.mark.parametrize("survival", ["nothing", "everything", "something"])
def test_a_power_cut_leaves_what_was_known_before_or_after(
    fragile_files: Callable[..., Any], power_cut: type[Exception], survival: str
) -> None:
    def prepared() -> Any:
        files = fragile_files()
        store = LearnedStore(PLACE, files)
        assert store.open(0) == b""
        store.keep(at(1), 0)
        return files.after_power_cut("nothing")

    def learn(files: Any) -> None:
        store = LearnedStore(PLACE, files)
        assert store.open(0) == at(1)
        store.keep(at(2), 0)

    clean = prepared()
    learn(clean)
    found = set()
    for cut in range(1, clean.operations + 1):
        files = prepared()
        files.cut_at = cut
        with pytest.raises(power_cut):
            learn(files)
        again = LearnedStore(PLACE, files.after_power_cut(survival, cut))
        found.add(again.open(0))
        assert not again.problem
    assert at(1) in found and found <= {at(1), at(2)}


def test_it_is_due_ten_minutes_after_a_start_and_then_every_hour(tmp_path: Path) -> None:
    store = LearnedStore(tmp_path)
    store.open(5)
    assert not store.is_due(5 + FIRST_US - 1) and store.is_due(5 + FIRST_US)
    store.keep(at(1), 5 + FIRST_US)
    assert not store.is_due(4 + FIRST_US + EVERY_US) and store.is_due(5 + FIRST_US + EVERY_US)


def test_a_full_disk_is_told_and_tried_again(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    store = LearnedStore(PLACE, files)
    store.open(0)
    files.fail_at = 2
    store.keep(at(1), 0)
    assert "cannot be kept" in store.problem and "No space left" in store.problem
    store.keep(at(1), 1)
    assert not store.problem and LearnedStore(PLACE, files).open(0) == at(1)


def test_where_nothing_learns_what_is_there_stays(tmp_path: Path) -> None:
    store = LearnedStore(tmp_path)
    store.open(0)
    store.keep(at(3), 0)
    store.keep(b"", 1)
    assert LearnedStore(tmp_path).open(0) == at(3), "it may be another bundle's, which comes back"


def test_a_file_that_nobody_wrote_is_told(tmp_path: Path) -> None:
    (tmp_path / "learned.bin").write_bytes(bytes(1 << 20))
    store = LearnedStore(tmp_path)
    assert store.open(0) == b"" and store.problem.startswith("What was learned of the wearer is lost")
