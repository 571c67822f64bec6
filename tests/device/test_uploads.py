"""Uploads into a slot: in any order, cut at any place, by whom it may be."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from slot_images import (
    CAPACITY,
    ONE,
    PLACE,
    THREE,
    TRUSTED,
    TWO,
    flags,
    install,
    running,
    send,
)

from thermo_core.errors import (
    ThermoError,
    UploadError,
)
from thermo_device.slot_state import Change, UploadStep
from thermo_device.slots import Slots
from thermo_device.upload import SYNC_BYTES


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


@few(50, of=150)
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
