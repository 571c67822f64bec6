"""Slots under a power cut at every file operation, full disks, damaged files and lost notes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slot_images import (
    CAPACITY,
    ONE,
    PLACE,
    STRANGER,
    THREE,
    TRUSTED,
    TWO,
    flags,
    identity,
    install,
    make,
    running,
    send,
)

from thermo_core.errors import (
    StorageError,
)
from thermo_device.files import DISK, write_note
from thermo_device.slot_state import Change
from thermo_device.slots import Slots


def prepared(fragile_files: Callable[..., Any]) -> Any:
    files = fragile_files()
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    install(slots, ONE)
    return files.after_power_cut("nothing")


def upgrade(files: Any, reached: list[str]) -> None:
    """From version 1 to version 2, with all resets; `reached` tells how far it came."""
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    if running(slots) != "2.0.0":
        send(slots, TWO, 4096)
        slots.mark(identity(TWO))
        reached.append("marked")
        slots = Slots(PLACE, TRUSTED, CAPACITY, files)
        slots.boot()
        assert running(slots) == "2.0.0"
    slots.confirm()
    reached.append("confirmed")
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()


SURVIVALS = [("nothing", 0), ("everything", 0), *(("something", seed) for seed in range(4))]


@pytest.mark.parametrize(("survival", "seed"), SURVIVALS)
def test_power_cut_at_every_operation_of_an_upgrade(
    fragile_files: Callable[..., Any], power_cut: type[Exception], survival: str, seed: int
) -> None:
    clean = prepared(fragile_files)
    upgrade(clean, [])
    assert clean.operations > 40
    for cut in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        files.cut_at = cut
        reached: list[str] = []
        with pytest.raises(power_cut):
            upgrade(files, reached)
        found = files.after_power_cut(survival, 1000 * seed + cut)

        boot_alone = found.after_power_cut("nothing")
        result = Slots(PLACE, TRUSTED, CAPACITY, boot_alone).boot()
        assert result.running is not None, f"nothing runs after a cut at operation {cut}"
        assert not any("lost" in note or "refused" in note for note in result.notes), (cut, result.notes)
        version = str(result.running.image.version)
        if "confirmed" in reached:
            assert version == "2.0.0"
        if "marked" not in reached:
            assert version == "1.0.0" or survival != "nothing"

        for second in range(1, boot_alone.operations + 1):
            twice = found.after_power_cut("nothing")
            twice.cut_at = second
            with pytest.raises(power_cut):
                Slots(PLACE, TRUSTED, CAPACITY, twice).boot()
            last = Slots(PLACE, TRUSTED, CAPACITY, twice.after_power_cut(survival, second)).boot()
            assert last.running is not None

        upgrade(found, [])
        assert running(Slots(PLACE, TRUSTED, CAPACITY, found)) == "2.0.0"


def test_refused_write_at_every_operation_of_an_upgrade(fragile_files: Callable[..., Any]) -> None:
    """A full disk: the running image goes on, and the upgrade succeeds once there is room."""
    clean = prepared(fragile_files)
    upgrade(clean, [])
    for failing in range(1, clean.operations + 1):
        files = prepared(fragile_files)
        slots = Slots(PLACE, TRUSTED, CAPACITY, files)
        slots.boot()
        files.fail_at = failing
        try:
            send(slots, TWO, 4096)
            slots.mark(identity(TWO))
            slots.boot()
            slots.confirm()
        except StorageError:
            assert running(slots) in ("1.0.0", "2.0.0")
        files.fail_at = 0
        if running(slots) == "1.0.0":
            send(slots, TWO, 4096)
            slots.mark(identity(TWO))
            slots.boot()
        slots.confirm()
        assert flags(slots)["0:2.0.0"] == "confirmed active"
        assert running(Slots(PLACE, TRUSTED, CAPACITY, files)) == "2.0.0"


def test_damaged_active_image_gives_way_to_the_one_before(slots: Slots, tmp_path: Path) -> None:
    install(slots, TWO)
    damaged = next(path for path in tmp_path.glob("slot*.img") if path.read_bytes() == TWO)
    damaged.write_bytes(TWO[:9000] + b"\xee" * 10 + TWO[9010:])
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    result = slots.boot()
    assert result.change is Change.RECOVERED
    assert running(slots) == "1.0.0"
    assert any("altered" in note for note in result.notes)
    install(slots, TWO)
    assert running(slots) == "2.0.0"


def test_untested_image_never_steps_in_for_a_damaged_one(slots: Slots, tmp_path: Path) -> None:
    active = next(tmp_path.glob("slot*.img"))
    send(slots, TWO)
    active.write_bytes(b"")
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    assert slots.boot().running is None
    slots.mark(identity(TWO))
    slots.boot()
    assert running(slots) == "2.0.0"


def test_damaged_fallback_leaves_the_image_on_trial_running(slots: Slots, tmp_path: Path) -> None:
    old = next(tmp_path.glob("slot*.img"))
    send(slots, TWO)
    slots.mark(identity(TWO))
    slots.boot()
    old.write_bytes(ONE[:100])
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    assert slots.boot().change is Change.RECOVERED
    assert running(slots) == "2.0.0"
    assert send(slots, THREE).complete


def test_pending_image_that_got_damaged_is_dropped(slots: Slots, tmp_path: Path) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO))
    new = next(path for path in tmp_path.glob("slot*.img") if path.read_bytes() == TWO)
    new.write_bytes(b"\x00" * len(TWO))
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    result = slots.boot()
    assert (running(slots), result.change) == ("1.0.0", Change.NONE)
    assert any("pending" in note for note in result.notes)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff" * 100, b"[" * 5000, b'{"crc32": 0, "note": {}}', b'{"note": 1, "crc32": 1}']
)
def test_lost_state_falls_back_to_the_older_valid_image(slots: Slots, tmp_path: Path, content: bytes) -> None:
    send(slots, TWO)
    (tmp_path / "state.json").write_bytes(content)
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    result = slots.boot()
    assert running(slots) == "1.0.0"
    assert any("state is lost" in note for note in result.notes)
    assert Slots(tmp_path, TRUSTED, CAPACITY).boot().notes == ()


def test_key_that_is_no_longer_trusted_takes_its_images_along(slots: Slots, tmp_path: Path) -> None:
    """A device that gets a key of its own stops running what the development key signed."""
    own = Slots(tmp_path, [STRANGER.public_key()], CAPACITY)
    assert own.boot().running is None
    resigned = make("1.0.0", key=STRANGER)
    send(own, resigned)
    own.mark(identity(resigned), permanent=True)
    own.boot()
    assert running(own) == "1.0.0"


def test_image_whose_model_does_not_run_gives_way_at_once(slots: Slots) -> None:
    assert not slots.fall_back()
    send(slots, TWO)
    slots.mark(identity(TWO))
    slots.boot()
    assert slots.fall_back()
    assert slots.boot().change is Change.REVERTED
    assert running(slots) == "1.0.0"
    assert not slots.fall_back()
    slots.mark(identity(TWO), permanent=True)
    slots.boot()
    assert running(slots) == "2.0.0"
    assert slots.fall_back()
    assert slots.boot().running is not None
    assert running(slots) == "1.0.0"
    assert not slots.fall_back()
    assert flags(slots) == {"0:1.0.0": "confirmed active", "1:2.0.0": ""}


def test_a_full_disk_at_a_reset_keeps_what_ran(fragile_files: Callable[..., Any]) -> None:
    """A pending image waits: nothing would say that it is on trial, so nothing would take it back."""
    files = prepared(fragile_files)
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    send(slots, TWO)
    slots.mark(identity(TWO))
    files.full = True
    for again in (slots, Slots(PLACE, TRUSTED, CAPACITY, files), slots):
        result = again.boot()
        assert (running(again), result.change) == ("1.0.0", Change.NONE)
        assert any("pending image waits" in note for note in result.notes)
        assert any("No space left" in note for note in result.notes)
        assert flags(again) == {"0:1.0.0": "confirmed active", "1:2.0.0": "pending"}
    files.full = False
    assert slots.boot().change is Change.TEST
    assert running(slots) == "2.0.0"

    files.full = True  # and an image on trial still goes
    for again in (slots, Slots(PLACE, TRUSTED, CAPACITY, files)):
        result = again.boot()
        assert (running(again), result.change) == ("1.0.0", Change.REVERTED)
        assert any("decides anew" in note for note in result.notes)
    files.full = False
    assert running(Slots(PLACE, TRUSTED, CAPACITY, files)) == "2.0.0"
    assert Slots(PLACE, TRUSTED, CAPACITY, files).boot().change is Change.REVERTED


def test_a_full_disk_at_the_first_start(fragile_files: Callable[..., Any]) -> None:
    files = fragile_files()
    files.full = True
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    assert slots.boot().running is None
    with pytest.raises(StorageError):
        send(slots, ONE)
    files.full = False
    assert send(slots, ONE).complete


def test_a_model_that_does_not_run_gives_way_on_a_full_disk(fragile_files: Callable[..., Any]) -> None:
    files = prepared(fragile_files)
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    install(slots, TWO)
    files.full = True
    assert slots.fall_back()
    assert slots.boot().running is not None and running(slots) == "1.0.0"
    assert not slots.fall_back()


def test_erasing_makes_room_on_a_full_disk(fragile_files: Callable[..., Any]) -> None:
    files = prepared(fragile_files)
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    send(slots, TWO)
    slots.mark(identity(TWO))
    files.full = True
    remove = files.remove

    def freeing(path: Path) -> None:
        remove(path)
        files.full = files.full and path.suffix != ".img"

    files.remove = freeing
    slots.erase()
    assert flags(slots) == {"0:1.0.0": "confirmed active"}
    assert flags(Slots(PLACE, TRUSTED, CAPACITY, files)) == {"0:1.0.0": "confirmed active"}


NOTES: list[dict[str, object]] = [
    {"length": 5000, "sha256": "zz" * 32, "synced": 100},
    {"length": 5000, "sha256": "é" * 64, "synced": 100},
    {"length": CAPACITY + 1, "sha256": "00" * 32, "synced": 100},
    {"length": 1 << 70, "sha256": "00" * 32, "synced": 100},
    {"length": 5000, "sha256": "00" * 32, "synced": -1},
    {"length": 5000, "sha256": "00" * 32, "synced": 1 << 70},
    {"length": "5000", "sha256": 5, "synced": None},
    {"length": -1, "sha256": "", "synced": 0},
]


@pytest.mark.parametrize("note", NOTES)
def test_an_impossible_note_of_an_upload_is_forgotten(slots: Slots, tmp_path: Path, note: dict[str, object]) -> None:
    (tmp_path / "upload.part").write_bytes(TWO[:1000])
    write_note(DISK, tmp_path / "upload.json", note)
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    assert slots.boot().running is not None
    assert send(slots, TWO).complete


@pytest.mark.parametrize(
    "note",
    [
        {"active": True, "confirmed": True, "pending": "none", "spare": False},
        {"active": 2, "confirmed": True, "pending": "none", "spare": False},
        {"active": 0, "confirmed": True, "pending": ["test"], "spare": False},
        {"active": 1e300, "confirmed": 1, "pending": {}, "spare": None},
    ],
)
def test_an_impossible_state_is_a_lost_one(slots: Slots, tmp_path: Path, note: dict[str, object]) -> None:
    write_note(DISK, tmp_path / "state.json", note)
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    assert any("state is lost" in sentence for sentence in slots.boot().notes)
    assert running(slots) == "1.0.0"


def test_files_larger_than_anything_ever_written_are_not_read(slots: Slots, tmp_path: Path) -> None:
    install(slots, TWO)
    for name in ("state.json", "upload.json", "upload.part", "slot0.img"):
        with (tmp_path / name).open("r+b" if (tmp_path / name).exists() else "wb") as file:
            file.truncate(1 << 40)  # a hole: reading it would take a terabyte of memory
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    result = slots.boot()
    assert result.running is not None
    assert any("1099511627776 bytes" in note for note in result.notes)


def test_disk_that_refuses_gives_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no space left on device; make room"):
        DISK.write(Path("/dev/full"), 0, b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="directory"):
        Slots(tmp_path / "file" / "slots", TRUSTED)
    for refused, cure in (
        (lambda: DISK.read(tmp_path), "name a file"),
        (lambda: DISK.replace(tmp_path / "no", tmp_path / "way"), "check its name"),
    ):
        with pytest.raises(StorageError, match=cure):
            refused()
