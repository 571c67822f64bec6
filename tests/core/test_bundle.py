"""Bundles: canonical bytes, strict reading, and nothing but a typed error for anything else."""

from typing import Any

import cbor2
import pytest
from examples import few
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from thermo_core import schema
from thermo_core.bundle import MAX_CARD, MAX_NETWORK, MAX_PAYLOAD, MAX_SELF_TESTS, Bundle, SelfTest
from thermo_core.errors import BundleError
from thermo_core.wearable.profile import Profile

NETWORK = b"\x1c\x00\x00\x00TFL3" + bytes(100)
CARD = "# Breast patch\n\nSimulation only. Nicht für Diagnosen."
PROFILE = schema.from_plain(
    {
        "name": "breast-patch",
        "version": "1.0.0",
        "sensors": [{"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0}],
        "stages": [{"op": "centre", "of": "skin", "gives": "above", "by": "median"}],
        "models": [{"name": "lesion", "inputs": ["above"], "scores": ["no lesion", "lesion"]}],
        "alerts": [{"name": "lesion", "when": "lesion.lesion >= 0.8", "for": {"findings": 3}}],
    },
    Profile,
    "profile",
)
BUNDLE = Bundle(profile=PROFILE, networks={"lesion": NETWORK}, card=CARD)
PAYLOAD = BUNDLE.to_payload()


def changed(**fields: object) -> bytes:
    return cbor2.dumps(cbor2.loads(PAYLOAD) | fields, canonical=True)


def test_bundle_survives_and_its_bytes_are_the_same_each_time() -> None:
    again = Bundle.from_payload(PAYLOAD)
    assert again == BUNDLE
    assert again.to_payload() == PAYLOAD


def test_any_cbor_reader_finds_the_networks() -> None:
    decoded = cbor2.loads(PAYLOAD)
    assert (decoded["format"], decoded["version"]) == ("thermo-bundle", 2)
    assert decoded["networks"] == {"lesion": NETWORK}
    assert decoded["profile"]["models"][0]["scores"] == ["no lesion", "lesion"]
    assert list(decoded) == sorted(decoded, key=lambda key: (len(key), key))


def test_whole_and_broken_numbers_give_the_same_bytes() -> None:
    plain = schema.to_plain(PROFILE)
    for rate, emissivity in ((8, 1), (8.0, 1.0)):
        sensor = plain["sensors"][0] | {"rate_hz": rate, "emissivity": emissivity}
        profile = schema.from_plain(plain | {"sensors": [sensor]}, Profile, "profile")
        bundle = replace(BUNDLE, profile=profile)
        assert cbor2.loads(bundle.to_payload())["profile"]["sensors"][0]["rate_hz"] == 8
        assert bundle.to_payload() == Bundle.from_payload(bundle.to_payload()).to_payload()
    written = (replace(PROFILE.sensors[0], rate_hz=rate) for rate in (8, 8.0))
    whole, broken = (replace(BUNDLE, profile=replace(PROFILE, sensors=(one, *PROFILE.sensors[1:]))) for one in written)
    assert whole.to_payload() == broken.to_payload(), "a profile made in code"
    as_integers = changed(profile=plain | {"sensors": [plain["sensors"][0] | {"rate_hz": 8, "emissivity": 1}]})
    as_floats = changed(profile=plain | {"sensors": [plain["sensors"][0] | {"rate_hz": 8.0, "emissivity": 1.0}]})
    assert as_integers != as_floats
    read = []
    for data in (as_integers, as_floats):
        try:
            read.append(Bundle.from_payload(data))
        except BundleError as error:
            assert "canonical" in str(error)
    assert len(read) == 1


def test_self_tests_are_of_its_models() -> None:
    tests = (SelfTest(inputs=(b"\x01\x02",), output=b"\x03"),)
    with_them = replace(BUNDLE, self_tests={"lesion": tests})
    assert Bundle.from_payload(with_them.to_payload()) == with_them
    for self_tests, why in (
        ({"heart": tests}, "self_tests tries heart, which it has no model of"),
        ({"lesion": tests * (MAX_SELF_TESTS + 1)}, r"bundle\.self_tests"),
        ({"lesion": (SelfTest(inputs=(), output=b"\x03"),)}, r"bundle\.self_tests"),
        ({"lesion": (SelfTest(inputs=(b"\x01",), output=b""),)}, r"bundle\.self_tests"),
    ):
        with pytest.raises(BundleError, match=why):
            replace(BUNDLE, self_tests=self_tests).to_payload()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "other"}, "bundle.format"),
        ({"version": 3}, "bundle.version"),
        ({"networks": "text"}, "bundle.networks"),
        ({"networks": {"lesion": "text"}}, "bundle.networks"),
        ({"card": b"bytes"}, "bundle.card"),
        ({"card": ""}, "bundle.card"),
        ({"surprise": 1}, "bundle.surprise"),
        ({"profile": 1}, "bundle.profile"),
        ({"profile": {}}, "bundle.profile"),
        ({"networks": None}, "bundle.networks"),
    ],
)
def test_bad_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BundleError, match=field.replace(".", r"\.")):
        Bundle.from_payload(changed(**change))


def test_the_format_that_was_never_released_is_named() -> None:
    with pytest.raises(BundleError, match="format 1, which was never released, so make the bundle again"):
        Bundle.from_payload(changed(version=1))


def test_other_encodings_of_the_same_bundle_are_refused() -> None:
    decoded = cbor2.loads(PAYLOAD)
    unsorted = cbor2.dumps(dict(reversed(decoded.items())))
    tagged = cbor2.dumps(cbor2.CBORTag(55799, decoded), canonical=True)
    doubled = bytes((PAYLOAD[0] + 1,)) + PAYLOAD[1:] + cbor2.dumps("card") + cbor2.dumps(BUNDLE.card)
    for data in (unsorted, tagged, doubled, PAYLOAD + b"\x00", PAYLOAD + PAYLOAD):
        with pytest.raises(BundleError):
            Bundle.from_payload(data)


@pytest.mark.parametrize("length", [0, 1, 100, len(PAYLOAD) - 1])
def test_truncated_bundle_is_refused(length: int) -> None:
    with pytest.raises(BundleError):
        Bundle.from_payload(PAYLOAD[:length])


def test_sizes_are_bounded() -> None:
    with pytest.raises(BundleError, match=str(MAX_NETWORK)):
        Bundle.from_payload(changed(networks={"lesion": NETWORK + bytes(MAX_NETWORK)}))
    with pytest.raises(BundleError, match=str(MAX_CARD)):
        Bundle.from_payload(changed(card="x" * (MAX_CARD + 1)))
    with pytest.raises(BundleError, match=str(MAX_PAYLOAD)):
        Bundle.from_payload(bytes(MAX_PAYLOAD + 1))


def test_what_is_too_large_to_read_is_not_written() -> None:
    for wrong in (
        replace(BUNDLE, networks={"lesion": NETWORK + bytes(MAX_NETWORK)}),
        replace(BUNDLE, card="x" * (MAX_CARD + 1)),
        replace(BUNDLE, card="\N{THERMOMETER}" * MAX_CARD),
        replace(BUNDLE, waived=("",)),
    ):
        with pytest.raises(BundleError):
            wrong.to_payload()


def test_largest_network_and_card_fit_a_payload() -> None:
    network = NETWORK[:8] + bytes(MAX_NETWORK - 8)
    largest = replace(BUNDLE, networks={"lesion": network}, card="x" * MAX_CARD)
    assert Bundle.from_payload(largest.to_payload()) == largest


def test_card_of_wide_characters_is_bounded_in_bytes() -> None:
    with pytest.raises(BundleError, match=str(MAX_CARD)):
        Bundle.from_payload(changed(card="\N{THERMOMETER}" * MAX_CARD))


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(BundleError, match=r"network of lesion is no \.tflite file"):
        replace(BUNDLE, networks={"lesion": b"PK\x03\x04" + bytes(100)}).to_payload()


@pytest.mark.parametrize("networks", [{}, {"other": NETWORK}, {"lesion": NETWORK, "other": NETWORK}])
def test_networks_and_models_belong_together(networks: dict[str, bytes]) -> None:
    with pytest.raises(BundleError, match="give each model its own"):
        replace(BUNDLE, networks=networks).to_payload()
    with pytest.raises(BundleError, match="give each model its own"):
        Bundle.from_payload(changed(networks=networks))


def test_a_wearable_without_models_is_a_bundle_without_networks() -> None:
    profile = replace(PROFILE, models=(), alerts=(), stages=())
    bundle = replace(BUNDLE, profile=profile, networks={})
    assert Bundle.from_payload(bundle.to_payload()) == bundle


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(BundleError, match="UTF-8"):
        replace(BUNDLE, card="\ud800").to_payload()


@few(150, of=500)
@given(st.binary(max_size=200))
@example(b"\xc2\x5b\xff\xff\xff\xff\xff\xff\xff\xff")  # a big number of 2**64 bytes
@example(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff")  # a list of 2**64 items
@example(b"\xd8\x23\x65(a+)+")  # a regular expression
@example(b"\x81" * 1000)  # a deep nest
def test_arbitrary_bytes_give_a_typed_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        Bundle.from_payload(data)


@few(150, of=500)
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
    for bad in ([""], ["x" * 201], ["a\nb"], ["\x1b[31m"], [f"{n}" for n in range(9)], "text", 3, [1, 2], [b"x"]):
        with pytest.raises(BundleError, match=r"bundle\.waived"):
            Bundle.from_payload(changed(waived=bad))


def test_one_label_is_one_output() -> None:
    """What a single label says is checked with the network at hand: it needs an output of its own."""
    model = replace(PROFILE.models[0], scores=("lesion",))
    bundle = replace(BUNDLE, profile=replace(PROFILE, models=(model,)))
    assert Bundle.from_payload(bundle.to_payload()).profile.models[0].outputs == ("lesion",)
