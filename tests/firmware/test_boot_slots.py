"""What may be done to the two slots, and what the loader makes of it at the next reset."""

import ctypes
from hashlib import sha256

import pytest
from firmware_slots import BAD, KEY, SET, UNSET, Slots, image

from thermo_core.firmware.signed import verify
from thermo_core.image import Version

OLD, NEW = Version(1), Version(2)
MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
ERASED = b"\xff" * 8
DONE = b"\x01" + b"\xff" * 7
NOTHING = b""
CONFIRMED = ERASED + DONE + MAGIC
PENDING = ERASED + ERASED + MAGIC
STARTED = DONE + ERASED + MAGIC
KEPT = DONE + DONE + MAGIC
TORN_MAGIC = ERASED + ERASED + MAGIC[:8] + ERASED
TORN_OK = DONE + b"\x03" + b"\xff" * 7 + MAGIC
TORN_DONE = b"\x7f" + b"\xff" * 7 + ERASED + MAGIC


@pytest.fixture
def slots(boot: ctypes.CDLL) -> Slots:
    return Slots(boot)


def digest(data: bytes) -> bytes:
    return verify(data, [KEY.public_key()]).sha512


def with_running(slots: Slots, version: str = "1.0.0", trailer: bytes = CONFIRMED) -> None:
    """A slot 0 that runs."""
    slots.write(0, image(0, version), trailer)
    assert slots.boot()[1] == 0


# What the loader does about slot 0 at 1.0.0 and slot 1 at 2.0.0 with these trailers: way, version.
STATES = [
    (CONFIRMED, CONFIRMED, "confirmed", NEW),
    (CONFIRMED, KEPT, "confirmed", NEW),
    (CONFIRMED, PENDING, "trial", NEW),
    (CONFIRMED, STARTED, "confirmed", OLD),
    (CONFIRMED, NOTHING, "confirmed", OLD),
    (CONFIRMED, TORN_MAGIC, "confirmed", OLD),
    (CONFIRMED, TORN_OK, "confirmed", OLD),
    (CONFIRMED, TORN_DONE, "confirmed", OLD),
    (STARTED, PENDING, "trial", NEW),
    (PENDING, STARTED, "trial", OLD),
    (PENDING, PENDING, "trial", NEW),
    (NOTHING, NOTHING, "last_resort", NEW),
    (NOTHING, STARTED, "last_resort", OLD),
    (STARTED, STARTED, "last_resort", NEW),
    (STARTED, TORN_MAGIC, "last_resort", NEW),
]


@pytest.mark.parametrize(("first", "second", "way", "version"), STATES)
def test_every_pair_of_trailers_has_its_start(
    slots: Slots, first: bytes, second: bytes, way: str, version: Version
) -> None:
    slots.write(0, image(0, "1.0.0"), first)
    slots.write(1, image(1, "2.0.0"), second)
    before = slots.read(0), slots.read(1)
    assert slots.choose(note=False) == (way, int(version == NEW), version)
    assert (slots.read(0), slots.read(1)) == before, "the loader changed flash before it decided"


@pytest.mark.parametrize("trailer", [CONFIRMED, PENDING])
def test_a_damaged_image_falls_back_to_the_other(slots: Slots, trailer: bytes) -> None:
    slots.write(0, image(0, "1.0.0"), CONFIRMED)
    damaged = bytearray(image(1, "2.0.0"))
    damaged[300] ^= 1
    slots.write(1, bytes(damaged), trailer)
    assert slots.choose() == ("confirmed", 0, OLD)


def test_nothing_starts_where_nothing_verifies(slots: Slots) -> None:
    assert slots.choose() == ("none", -1, None)
    slots.write(0, image(1, "1.0.0"), CONFIRMED)
    slots.write(1, image(0, "2.0.0"), CONFIRMED)
    assert slots.choose() == ("none", -1, None)


def test_a_lower_security_counter_than_that_of_a_confirmed_image_is_withdrawn(slots: Slots) -> None:
    slots.write(0, image(0, "1.0.0", counter=5), CONFIRMED)
    slots.write(1, image(1, "2.0.0", counter=4), CONFIRMED)
    assert slots.choose() == ("confirmed", 0, OLD)
    slots.write(0, image(0, "1.0.0", counter=5)[:-1] + b"x", CONFIRMED)
    assert slots.choose() == ("confirmed", 1, NEW), "availability comes before that of a damaged image"


def test_an_update_is_tried_once_and_kept_where_it_is_confirmed(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    assert slots.upload(new) == "ok"
    assert slots.choose() == ("confirmed", 0, OLD), "an upload alone changes nothing"
    slots.restart(0)
    assert slots.test(digest(new)) == "ok"
    assert slots.boot() == ("trial", 1, NEW)
    assert slots.marks(1) == (SET, SET, UNSET)
    assert slots.confirm() == "ok"
    for _ in range(2):
        assert slots.boot() == ("confirmed", 1, NEW)


def test_an_update_that_is_not_confirmed_is_taken_back_and_may_be_tried_again(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    assert slots.upload(new) == "ok"
    for _ in range(2):
        assert slots.test(digest(new)) == "ok"
        assert slots.boot() == ("trial", 1, NEW)
        assert slots.boot() == ("confirmed", 0, OLD)
        assert slots.boot() == ("confirmed", 0, OLD)


def test_while_an_image_is_on_trial_its_fallback_is_not_touched(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    slots.upload(new)
    slots.test(digest(new))
    slots.boot()
    before = slots.read(0)
    assert slots.upload(image(0, "3.0.0")) == "on_trial"
    assert slots.erase() == "on_trial"
    assert slots.read(0) == before


@pytest.mark.parametrize(
    ("trailer", "gives_way"), [(STARTED, True), (TORN_OK, True), (KEPT, False), (CONFIRMED, False), (NOTHING, False)]
)
def test_who_is_not_confirmed_in_time_gives_way(slots: Slots, trailer: bytes, gives_way: bool) -> None:
    begins, ends = 7_000_000, 7_000_000 + 300_000_000
    slots.write(1, image(1, "2.0.0"), trailer)
    slots.c.slots_begin_trial(1, ctypes.c_uint64(begins))
    assert not slots.c.slots_overdue(ctypes.c_uint64(ends - 1))
    assert bool(slots.c.slots_overdue(ctypes.c_uint64(ends)) & 1) is gives_way
    slots.restart(1)
    assert slots.confirm() == "ok"
    assert not slots.c.slots_overdue(ctypes.c_uint64(ends + 1))


def test_permanent_needs_no_trial(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    slots.upload(new)
    assert slots.test(digest(new), permanent=True) == "ok"
    assert slots.boot() == ("confirmed", 1, NEW)


def test_an_image_that_was_never_marked_can_confirm_itself(slots: Slots) -> None:
    with_running(slots, trailer=NOTHING)
    assert slots.choose()[0] == "last_resort"
    slots.restart(0)
    assert slots.confirm() == "ok"
    assert slots.boot() == ("confirmed", 0, OLD)


@pytest.mark.parametrize("torn", [TORN_MAGIC, TORN_OK, TORN_DONE])
def test_a_torn_trailer_is_written_anew(slots: Slots, torn: bytes) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    slots.write(1, new, torn)
    slots.restart(0)
    assert slots.test(digest(new)) == "ok"
    assert slots.boot() == ("trial", 1, NEW)
    slots.write(1, new, torn)
    slots.restart(1)
    assert slots.confirm() == "ok"
    assert slots.boot() == ("confirmed", 1, NEW)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (image(1, "1.0.0"), "older"),
        (image(1, "0.9.0"), "older"),
        (image(0, "2.0.0"), "image"),
        (b"x" * 900, "image"),
        (image(1, "2.0.0", size=3000), "too_large"),
        (image(1, "2.0.0")[:-1] + b"\0", "image"),
        (image(1, "2.0.0")[:-1], "image"),
        (image(1, "2.0.0") + b"\0", "ok"),
    ],
)
def test_what_may_not_be_uploaded_leaves_the_device_as_it_was(slots: Slots, data: bytes, refusal: str) -> None:
    with_running(slots)
    assert slots.upload(data) == refusal
    assert slots.boot() == ("confirmed", 0, OLD)


def test_a_lower_security_counter_may_not_be_uploaded(slots: Slots) -> None:
    slots.write(0, image(0, "1.0.0", counter=5), CONFIRMED)
    slots.boot()
    assert slots.upload(image(1, "2.0.0", counter=4)) == "older"
    assert slots.upload(image(1, "2.0.0", counter=5)) == "ok"


def test_what_is_not_there_cannot_be_tested(slots: Slots) -> None:
    with_running(slots)
    assert slots.test(bytes(64)) == "no_image"
    assert slots.test(digest(image(0, "1.0.0"))[:32]) == "no_image"
    assert slots.test(digest(image(0, "1.0.0"))) == "runs"
    assert slots.test(digest(image(0, "1.0.0")), permanent=True) == "ok"


def test_an_upload_goes_on_after_a_reset_at_its_last_whole_block(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0", size=1600)
    known = sha256(new).digest()
    assert slots.take(0, new[:200], len(new), known) == ("ok", 200)
    for at in range(200, 1200, 200):
        assert slots.take(at, new[at : at + 200]) == ("ok", at + 200)
    assert slots.take(0, new[:200], len(new), known) == ("ok", 1200), "without a reset at the last byte"
    assert slots.boot() == ("confirmed", 0, OLD)
    assert slots.take(1200, new[1200:1400]) == ("offset", 0)
    assert slots.take(0, new[:200], len(new), known) == ("ok", 1024)
    assert slots.take(0, new[:200], len(new), bytes(32)) == ("ok", 200), "another file begins anew"
    assert slots.upload(new, known) == "ok"
    assert slots.take(0, new[:200], len(new), known) == ("ok", len(new)), "it lies there already"
    assert slots.test(digest(new)) == "ok"
    assert slots.boot() == ("trial", 1, NEW)


def test_an_answer_that_was_lost_is_given_again(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    assert slots.upload(new) == "ok"
    assert slots.take(800, new[800:]) == ("ok", len(new))
    assert slots.take(800, new[800:-1])[0] == "offset"


def test_parts_that_do_not_fit_together_are_refused(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    assert slots.take(0, new[:100])[0] == "length"
    assert slots.take(0, new[:100], 0)[0] == "length"
    assert slots.take(100, new[100:200])[0] == "offset"
    assert slots.take(0, new[:100], len(new)) == ("ok", 100)
    assert slots.take(300, new[300:400]) == ("ok", 100), "it is told what is wanted"
    assert slots.take(100, new[100:] + b"x")[0] == "offset"


def test_erase_takes_the_other_image_away(slots: Slots) -> None:
    with_running(slots)
    slots.write(1, image(1, "2.0.0"), PENDING)
    slots.restart(0)
    assert slots.erase() == "ok"
    assert slots.verify(1)[0] == "absent"
    assert slots.boot() == ("confirmed", 0, OLD)


def test_the_loader_alone_takes_an_image_where_there_is_none(slots: Slots) -> None:
    for version in ("1.0.0", "2.0.0"):
        slots.restart()
        target = slots.c.slots_target()
        new = image(target, version)
        assert slots.upload(new) == "ok"
        slots.restart()
        assert slots.test(digest(new)) == "ok"
        assert slots.choose() == ("trial", target, Version.parse(version))
        slots.restart(target)
        assert slots.confirm() == "ok"


def test_the_loader_never_takes_the_only_image_that_verifies(slots: Slots) -> None:
    slots.write(0, image(0, "1.0.0"), STARTED)
    slots.restart()
    before = slots.read(0)
    assert slots.c.slots_target() == 1
    assert slots.upload(image(0, "2.0.0")) == "image"
    assert slots.erase() == "ok"
    assert slots.read(0) == before
    slots.write(1, image(1, "2.0.0"), CONFIRMED)
    slots.restart()
    assert slots.c.slots_target() == 0, "the one that would not be started"


def test_worn_flash_is_told_and_starts_nothing_new(slots: Slots) -> None:
    with_running(slots)
    new = image(1, "2.0.0")
    slots.c.flash_wear_out(ctypes.c_size_t(slots.blocks + 1))
    assert slots.upload(new) == "storage"
    slots.c.flash_wear_out(ctypes.c_size_t(1000))
    assert slots.upload(new) == "ok"
    slots.c.flash_wear_out(ctypes.c_size_t(2 * slots.blocks - 1))
    assert slots.test(digest(new)) == "storage"
    slots.c.flash_wear_out(ctypes.c_size_t(1000))
    assert slots.test(digest(new)) == "ok"
    slots.c.flash_wear_out(ctypes.c_size_t(2 * slots.blocks - 1))
    assert slots.choose()[0] == "storage"
    assert slots.marks(1) == (SET, UNSET, UNSET)
    assert BAD not in slots.marks(0)


@pytest.mark.parametrize("unit", [1, 2, 4, 8])
def test_units_up_to_the_trailers_are_usable(boot: ctypes.CDLL, unit: int) -> None:
    slots = Slots(boot, unit=unit)
    assert slots.usable
    with_running(slots)
    new = image(1, "2.0.0", size=1601)
    assert slots.upload(new, sha256(new).digest(), part=133) == "ok"
    assert slots.verify(1)[0] == "good"


def test_flash_that_does_not_suit_is_known(boot: ctypes.CDLL) -> None:
    assert not Slots(boot, unit=16).usable
    assert not Slots(boot, blocks=1).usable
    assert not Slots(boot, block=64, blocks=8).usable
