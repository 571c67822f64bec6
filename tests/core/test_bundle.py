"""Bundles: canonical bytes, strict reading, and nothing but a typed error for anything else."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from thermo_core.bundle import MAX_CARD, MAX_MODEL, MAX_PAYLOAD, Bundle
from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import BundleError
from thermo_core.profile import Alert, Profile

MODEL = b"\x1c\x00\x00\x00TFL3" + bytes(100)
BUNDLE = Bundle(
    profile=Profile("breast-patch", "1.0.0", labels=("no lesion", "lesion"), alert=Alert(1, 0.8, 3)),
    input=InputContract((24, 32, 1), 0.05, -3),
    output=OutputContract(1 / 256, -128),
    model=MODEL,
    card="# Breast patch\n\nSimulation only. Nicht für Diagnosen.",
)
PAYLOAD = BUNDLE.to_payload()


def test_bundle_survives_and_its_bytes_are_the_same_each_time() -> None:
    again = Bundle.from_payload(PAYLOAD)
    assert again == BUNDLE
    assert again.to_payload() == PAYLOAD


def test_any_cbor_reader_finds_the_model() -> None:
    decoded = cbor2.loads(PAYLOAD)
    assert decoded["format"] == "thermo-bundle"
    assert decoded["model"] == MODEL
    assert decoded["profile"]["labels"] == ["no lesion", "lesion"]
    assert list(decoded) == sorted(decoded, key=lambda key: (len(key), key))


def test_whole_and_broken_numbers_give_the_same_bytes() -> None:
    sensor = BUNDLE.profile.picture_sensor
    whole = replace(BUNDLE.profile, picture_sensor=replace(sensor, refresh_rate_hz=8, emissivity=1))
    broken = replace(BUNDLE.profile, picture_sensor=replace(sensor, refresh_rate_hz=8.0, emissivity=1.0))
    assert replace(BUNDLE, profile=whole).to_payload() == replace(BUNDLE, profile=broken).to_payload()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "other"}, "bundle.format"),
        ({"version": 2}, "bundle.version"),
        ({"model": "text"}, "bundle.model"),
        ({"card": b"bytes"}, "bundle.card"),
        ({"card": ""}, "bundle.card"),
        ({"surprise": 1}, "bundle.surprise"),
        ({"profile": 1}, "profile"),
        ({"input": {}}, "input."),
        ({"output": None}, "output"),
    ],
)
def test_bad_field_is_named(change: dict[str, Any], field: str) -> None:
    data = cbor2.dumps(cbor2.loads(PAYLOAD) | change, canonical=True)
    with pytest.raises(BundleError, match=field.replace(".", r"\.")):
        Bundle.from_payload(data)


def test_other_encodings_of_the_same_bundle_are_refused() -> None:
    decoded = cbor2.loads(PAYLOAD)
    unsorted = cbor2.dumps(dict(reversed(decoded.items())))
    tagged = cbor2.dumps(cbor2.CBORTag(55799, decoded), canonical=True)
    doubled = b"\xa8" + PAYLOAD[1:] + cbor2.dumps("card") + cbor2.dumps(BUNDLE.card)
    for data in (unsorted, tagged, doubled, PAYLOAD + b"\x00", PAYLOAD + PAYLOAD):
        with pytest.raises(BundleError):
            Bundle.from_payload(data)


@pytest.mark.parametrize("length", [0, 1, 100, len(PAYLOAD) - 1])
def test_truncated_bundle_is_refused(length: int) -> None:
    with pytest.raises(BundleError):
        Bundle.from_payload(PAYLOAD[:length])


def test_sizes_are_bounded() -> None:
    with pytest.raises(BundleError, match=str(MAX_MODEL)):
        replace(BUNDLE, model=MODEL + bytes(MAX_MODEL))
    with pytest.raises(BundleError, match=str(MAX_CARD)):
        replace(BUNDLE, card="x" * (MAX_CARD + 1))
    with pytest.raises(BundleError, match=str(MAX_PAYLOAD)):
        Bundle.from_payload(bytes(MAX_PAYLOAD + 1))


def test_largest_model_and_card_fit_a_payload() -> None:
    largest = replace(BUNDLE, model=MODEL[:8] + bytes(MAX_MODEL - 8), card="x" * MAX_CARD)
    assert Bundle.from_payload(largest.to_payload()) == largest


def test_card_of_wide_characters_is_bounded_in_bytes() -> None:
    with pytest.raises(BundleError, match=str(MAX_CARD)):
        replace(BUNDLE, card="\N{THERMOMETER}" * MAX_CARD)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(BundleError, match="tflite"):
        replace(BUNDLE, model=b"PK\x03\x04" + bytes(100))
    with pytest.raises(BundleError, match="labels"):
        replace(BUNDLE, profile=Profile.bare())


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(BundleError, match="UTF-8"):
        replace(BUNDLE, card="\ud800").to_payload()


@settings(max_examples=500)
@given(st.binary(max_size=200))
@example(b"\xc2\x5b\xff\xff\xff\xff\xff\xff\xff\xff")  # a big number of 2**64 bytes
@example(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff")  # a list of 2**64 items
@example(b"\xd8\x23\x65(a+)+")  # a regular expression
@example(b"\x81" * 1000)  # a deep nest
def test_arbitrary_bytes_give_a_typed_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        Bundle.from_payload(data)


@settings(max_examples=500)
@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
def test_altered_bundle_gives_a_typed_error_or_another_valid_bundle(position: int, difference: int) -> None:
    altered = bytearray(PAYLOAD)
    altered[position] ^= difference
    try:
        bundle = Bundle.from_payload(bytes(altered))
    except BundleError:
        return
    assert bundle != BUNDLE
    assert bundle.to_payload() == bytes(altered)


def test_what_was_waived_travels_and_is_bounded() -> None:
    forced = replace(BUNDLE, waived=("It lost 3.00 points.",))
    assert Bundle.from_payload(forced.to_payload()) == forced
    assert "waived" not in cbor2.loads(PAYLOAD)
    for bad in (("",), ("x" * 201,), ("a\nb",), ("\x1b[31m",), tuple(f"{n}" for n in range(9))):
        with pytest.raises(BundleError, match=r"bundle\.waived"):
            replace(BUNDLE, waived=bad)
    for wrong in ("text", 3, [1, 2], [b"x"], []):
        data = cbor2.dumps(cbor2.loads(PAYLOAD) | {"waived": wrong}, canonical=True)
        with pytest.raises(BundleError):
            Bundle.from_payload(data)


def test_one_label_is_all_a_verdict_could_say() -> None:
    with pytest.raises(
        BundleError, match=r"only label, 'lesion', is all that a verdict could say, so name a second one"
    ):
        replace(BUNDLE, profile=replace(BUNDLE.profile, labels=("lesion",), alert=Alert(0, 0.5)))
