"""Slots as MCUboot has them: what is accepted, what is refused and why."""

import hashlib
from pathlib import Path

import pytest
from slot_images import (
    CAPACITY,
    KEY,
    ONE,
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
    BundleError,
    DowngradeError,
    ImageError,
    ImageFormatError,
    ImageTooLargeError,
    NoSuchImageError,
    SignatureError,
    SlotStateError,
    ThermoError,
    UploadError,
)
from thermo_core.image import Version, parse, sign
from thermo_device.slot_state import Change
from thermo_device.slots import Slots


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


def test_refusals_are_image_errors_that_a_server_can_tell_from_bugs() -> None:
    assert issubclass(UploadError, ImageError)
    assert issubclass(SlotStateError, ImageError)
