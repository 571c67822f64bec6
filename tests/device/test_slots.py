"""Slots as MCUboot has them: what is accepted, what is refused and why, and a power cut at every file operation."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.bundle import Bundle
from thermo_core.errors import (
    BundleError,
    DowngradeError,
    ImageError,
    ImageFormatError,
    ImageTooLargeError,
    NoSuchImageError,
    SignatureError,
    SlotStateError,
    StorageError,
    ThermoError,
    UploadError,
)
from thermo_core.image import Version, parse, sign
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable.profile import Model, Profile
from thermo_device.files import DISK, write_note
from thermo_device.slot_state import Change, UploadStep
from thermo_device.slots import Slots
from thermo_device.upload import SYNC_BYTES

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = [KEY.public_key()]
CAPACITY = 100_000
PLACE = Path("/slots")
PROFILE = Profile(
    name="test",
    version="1.0.0",
    sensors=(Mlx90640Settings(name="skin", path=(0x33,)),),
    models=(Model(name="it", inputs=("skin",), scores=("no", "yes")),),
)


def make(version: str, key: Ed25519PrivateKey = KEY, size: int = 5000, seed: int = 0) -> bytes:
    network = b"\x1c\x00\x00\x00TFL3" + random.Random(seed).randbytes(size)
    bundle = Bundle(profile=PROFILE, networks={"it": network}, card="# Test")
    return sign(bundle.to_payload(), Version.parse(version), key)


ONE, TWO, THREE = make("1.0.0"), make("2.0.0", size=2 * SYNC_BYTES + 3000), make("3.0.0")


def identity(image: bytes) -> bytes:
    return parse(image).sha256


def send(slots: Slots, image: bytes, chunk: int = 2048) -> UploadStep:
    """What an SMP client does: the answer says where to go on."""
    step = slots.upload(0, image[:chunk], len(image), hashlib.sha256(image).digest())
    while not step.complete:
        step = slots.upload(step.offset, image[step.offset : step.offset + chunk])
    return step


def install(slots: Slots, image: bytes) -> None:
    send(slots, image)
    slots.mark(identity(image), permanent=True)
    slots.boot()


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """Version 1 runs, confirmed."""
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    slots.boot()
    install(slots, ONE)
    return slots


def running(slots: Slots) -> str:
    return "none" if slots.running is None else str(slots.running.image.version)


def flags(slots: Slots) -> dict[str, str]:
    names = ("pending", "confirmed", "active", "permanent")
    return {
        f"{info.slot}:{info.version}": " ".join(name for name in names if getattr(info, name))
        for info in slots.images()
    }


def test_first_image_on_an_empty_device(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "made" / "here", TRUSTED, CAPACITY)
    assert slots.boot().running is None
    assert slots.images() == ()
    send(slots, ONE)
    assert flags(slots) == {"1:1.0.0": ""}
    slots.mark(identity(ONE))
    assert flags(slots) == {"1:1.0.0": "pending"}
    assert slots.boot().change is Change.TEST
    assert flags(slots) == {"0:1.0.0": "active"}
    slots.confirm()
    assert flags(slots) == {"0:1.0.0": "confirmed active"}
    assert Slots(tmp_path / "made" / "here", TRUSTED, CAPACITY).boot().running == slots.running


def test_first_image_that_is_not_confirmed_leaves_again(tmp_path: Path) -> None:
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    slots.boot()
    send(slots, ONE)
    slots.mark(identity(ONE))
    slots.boot()
    result = slots.boot()
    assert (result.running, result.change) == (None, Change.REVERTED)
    assert flags(slots) == {"1:1.0.0": ""}


def test_test_and_confirm_show_the_flags_of_mcuboot(slots: Slots) -> None:
    send(slots, TWO)
    assert flags(slots) == {"0:1.0.0": "confirmed active", "1:2.0.0": ""}
    slots.mark(identity(TWO))
    assert flags(slots) == {"0:1.0.0": "confirmed active", "1:2.0.0": "pending"}
    result = slots.boot()
    assert result.change is Change.TEST
    assert result.running is not None
    assert result.running.bundle.to_payload() == parse(TWO).payload
    assert flags(slots) == {"0:2.0.0": "active", "1:1.0.0": "confirmed"}
    slots.confirm()
    assert flags(slots) == {"0:2.0.0": "confirmed active", "1:1.0.0": ""}
    assert slots.boot().change is Change.NONE
    assert running(slots) == "2.0.0"


def test_unconfirmed_image_is_reverted_and_says_so(slots: Slots, tmp_path: Path) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO))
    slots.boot()
    slots = Slots(tmp_path, TRUSTED, CAPACITY)
    assert slots.on_trial
    result = slots.boot()
    assert result.change is Change.REVERTED
    assert "not confirmed" in result.notes[0]
    assert flags(slots) == {"0:1.0.0": "confirmed active", "1:2.0.0": ""}
    assert slots.boot().change is Change.NONE


def test_permanent_image_needs_no_confirmation(slots: Slots) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO), permanent=True)
    assert flags(slots)["1:2.0.0"] == "pending permanent"
    assert slots.boot().change is Change.PERMANENT
    slots.boot()
    assert flags(slots)["0:2.0.0"] == "confirmed active"


def test_reverted_image_can_be_tried_again_without_an_upload(slots: Slots) -> None:
    send(slots, TWO)
    for _ in range(2):
        slots.mark(identity(TWO))
        slots.boot()
        assert running(slots) == "2.0.0"
        slots.boot()
        assert running(slots) == "1.0.0"


REFUSED: dict[str, tuple[bytes, type[ThermoError], str]] = {
    "wrongly signed": (make("2.0.0", key=STRANGER), SignatureError, "not trusted"),
    "altered": (TWO[:5000] + b"\x00\x01" + TWO[5002:], SignatureError, "altered"),
    "unsigned": (TWO[: -(4 + 64)], ImageFormatError, "damaged"),
    "truncated": (TWO[:-1], ImageFormatError, "damaged"),
    "no image": (b"\x7fELF" + bytes(5000), ImageFormatError, "not an MCUboot image"),
    "older": (make("0.9.9"), DowngradeError, "0.9.9"),
    "same version, other content": (make("1.0.0", seed=9), DowngradeError, "already"),
    "oversized": (make("2.0.0", size=CAPACITY), ImageTooLargeError, str(CAPACITY)),
    "no bundle": (sign(b"firmware", Version(2), KEY), BundleError, "bundle"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("chunk", [16, 2048])
def test_bad_image_is_refused_with_its_reason_and_the_running_one_goes_on(slots: Slots, kind: str, chunk: int) -> None:
    image, error, word = REFUSED[kind]
    send(slots, THREE)
    before = slots.images()
    with pytest.raises(error, match=word):
        send(slots, image, chunk)
    assert slots.images() == before
    assert slots.boot().change is Change.NONE
    assert running(slots) == "1.0.0"
    send(slots, TWO)
    assert flags(slots)["1:2.0.0"] == ""


@pytest.mark.parametrize("kind", ["no image", "older", "oversized"])
def test_what_the_header_tells_is_refused_at_the_first_packet(slots: Slots, kind: str) -> None:
    image, error, _ = REFUSED[kind]
    with pytest.raises(error):
        slots.upload(0, image[:64], len(image), hashlib.sha256(image).digest())


def test_running_image_itself_may_be_sent_again(slots: Slots) -> None:
    send(slots, ONE)
    slots.mark(identity(ONE))
    slots.boot()
    slots.confirm()
    assert running(slots) == "1.0.0"


def test_older_image_in_the_other_slot_cannot_be_brought_back(slots: Slots) -> None:
    install(slots, TWO)
    with pytest.raises(DowngradeError, match=r"1\.0\.0 and 2\.0\.0 runs"):
        slots.mark(identity(ONE))
    with pytest.raises(DowngradeError):
        send(slots, ONE)


def test_while_on_trial_the_fallback_cannot_be_touched(slots: Slots) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO))
    slots.boot()
    for attempt in (lambda: send(slots, THREE), slots.erase, lambda: slots.mark(identity(ONE))):
        with pytest.raises(SlotStateError, match="confirm or reset"):
            attempt()
    slots.boot()
    assert running(slots) == "1.0.0"


def test_marking_what_is_not_there_is_refused(slots: Slots) -> None:
    with pytest.raises(NoSuchImageError, match="abababababababab"):
        slots.mark(b"\xab" * 32)
    with pytest.raises(SlotStateError, match="runs already"):
        slots.mark(identity(ONE))


def test_confirming_nothing_is_refused(tmp_path: Path) -> None:
    slots = Slots(tmp_path, TRUSTED)
    slots.boot()
    with pytest.raises(NoSuchImageError, match="No image is active"):
        slots.confirm()


def test_erase_empties_the_other_slot_and_the_upload(slots: Slots, tmp_path: Path) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO))
    slots.upload(0, THREE[:100], len(THREE), hashlib.sha256(THREE).digest())
    slots.erase()
    slots.erase()
    assert flags(slots) == {"0:1.0.0": "confirmed active"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slot1.img", "state.json"]
    with pytest.raises(UploadError, match="offset 0"):
        slots.upload(100, THREE[100:200])
    assert slots.boot().change is Change.NONE


def test_new_upload_supersedes_a_pending_image(slots: Slots) -> None:
    send(slots, TWO)
    slots.mark(identity(TWO))
    send(slots, THREE)
    assert flags(slots) == {"0:1.0.0": "confirmed active", "1:3.0.0": ""}
    assert slots.boot().change is Change.NONE


def test_upload_resumes_after_the_process_was_killed_at_any_place(slots: Slots, tmp_path: Path) -> None:
    digest = hashlib.sha256(TWO).digest()
    for stop in range(700, len(TWO), len(TWO) // 50):
        step = slots.upload(0, TWO[:700], len(TWO), digest)
        while step.offset < stop:
            step = slots.upload(step.offset, TWO[step.offset : min(stop, step.offset + 700)])
        slots = Slots(tmp_path, TRUSTED, CAPACITY)  # nothing of the old one is used any more
        resumed = slots.upload(0, TWO[:700], len(TWO), digest)
        assert not resumed.complete
        assert stop - SYNC_BYTES < resumed.offset <= max(stop, 700)
    send(slots, TWO)
    assert flags(slots)["1:2.0.0"] == ""


def test_upload_in_one_session_is_told_the_offset_it_should_have_sent(slots: Slots) -> None:
    digest = hashlib.sha256(TWO).digest()
    assert slots.upload(0, TWO[:300], len(TWO), digest).offset == 300
    for wrong in (0, 100, 301, 10**9):
        length, sha = (len(TWO), digest) if wrong == 0 else (None, b"")
        assert slots.upload(wrong, TWO[wrong : wrong + 300], length, sha) == UploadStep(300, False)
    assert slots.upload(300, TWO[300:600]).offset == 600


def test_another_file_starts_anew(slots: Slots) -> None:
    slots.upload(0, TWO[:3000], len(TWO), hashlib.sha256(TWO).digest())
    assert slots.upload(0, THREE[:200], len(THREE), hashlib.sha256(THREE).digest()).offset == 200
    assert send(slots, THREE).complete
    assert flags(slots)["1:3.0.0"] == ""


def test_lost_last_answer_and_repeated_upload_cost_nothing(slots: Slots, tmp_path: Path) -> None:
    send(slots, TWO)
    assert slots.upload(len(TWO) - 50, TWO[-50:]) == UploadStep(len(TWO), True)
    again = Slots(tmp_path, TRUSTED, CAPACITY)
    assert again.upload(0, TWO[:300], len(TWO), hashlib.sha256(TWO).digest()) == UploadStep(len(TWO), True)


def test_upload_without_a_hash_is_taken_since_the_signature_covers_it(slots: Slots) -> None:
    step = slots.upload(0, TWO[:1000], len(TWO))
    while not step.complete:
        step = slots.upload(step.offset, TWO[step.offset : step.offset + 1000])
    assert flags(slots)["1:2.0.0"] == ""


@pytest.mark.parametrize(
    ("packet", "word"),
    [
        ((0, ONE[:50], None, b""), "length"),
        ((0, ONE[:50], 0, b""), "length"),
        ((0, ONE[:50], -5, b""), "length"),
        ((0, ONE[:50], 5000, b"short"), "5 bytes"),
        ((50, ONE[50:99], None, b""), "begin at offset 0"),
        ((0, ONE[:200], 100, b"\x00" * 32), "announced 100"),
    ],
)
def test_packets_that_contradict_themselves_are_refused(slots: Slots, packet: Any, word: str) -> None:
    with pytest.raises(UploadError, match=word):
        slots.upload(*packet)


def test_wrong_hash_of_the_upload_is_found(slots: Slots) -> None:
    with pytest.raises(UploadError, match="SHA-256"):
        step = slots.upload(0, TWO[:2000], len(TWO), b"\x11" * 32)
        while not step.complete:
            step = slots.upload(step.offset, TWO[step.offset : step.offset + 2000])
    assert flags(slots) == {"0:1.0.0": "confirmed active"}


PACKETS = st.tuples(
    st.integers(0, len(THREE) + 10) | st.sampled_from([0, 100, 200, 300]),
    st.sampled_from([THREE[:100], THREE[100:200], THREE, b"", TWO[:100], bytes(500)]),
    st.none() | st.sampled_from([len(THREE), 100, CAPACITY + 1, 2**63]),
    st.sampled_from([b"", hashlib.sha256(THREE).digest(), b"\x00" * 32, b"x"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PACKETS, max_size=12))
def test_no_sequence_of_packets_harms_the_running_image(fragile_files: Callable[..., Any], packets: list[Any]) -> None:
    files = fragile_files()
    slots = Slots(PLACE, TRUSTED, CAPACITY, files)
    slots.boot()
    install(slots, ONE)
    for packet in packets:
        try:
            step = slots.upload(*packet)
        except ThermoError:
            continue
        assert 0 <= step.offset <= CAPACITY
        if step.complete:
            assert flags(slots)["1:3.0.0"] == ""
    assert Slots(PLACE, TRUSTED, CAPACITY, files).boot().change is Change.NONE
    assert running(slots) == "1.0.0"
    assert send(slots, TWO).complete


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


def test_refusals_are_image_errors_that_a_server_can_tell_from_bugs() -> None:
    assert issubclass(UploadError, ImageError)
    assert issubclass(SlotStateError, ImageError)
