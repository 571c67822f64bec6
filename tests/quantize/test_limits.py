"""Each limit at both its ends: signed, sent, generated, and the same in the firmware's headers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core import limits
from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, RecordError
from thermo_core.image import Version, parse, sign
from thermo_core.profile import Profile, Thermistors, ThermistorSettings
from thermo_core.wire import records
from thermo_core.wire.records import VerdictRecord
from thermo_quantize import firmware
from thermo_quantize.sign import sign_bundle

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models/thermo_models/artifacts/breast-patch/bundle.img"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Bundle.from_payload(parse(SHIPPED.read_bytes()).payload)


def resigned(bundle: Bundle, profile: Profile) -> Bundle:
    contract = {"input": bundle.input.to_dict(), "output": bundle.output.to_dict()}
    return sign_bundle(bundle.model, profile.to_dict(), contract, bundle.card, Version(1), KEY).bundle


def averaging(bundle: Bundle, pictures: int) -> Profile:
    return replace(bundle.profile, preprocessing=replace(bundle.profile.preprocessing, average_pictures=pictures))


def verdict(pictures: int) -> VerdictRecord:
    return VerdictRecord(0, 0, pictures, False, False, False, False, 0, (0.5, 0.5), 0, 0, (1, 0, 0, 0))


@pytest.mark.parametrize("pictures", [1, limits.MAX_AVERAGE_PICTURES])
def test_both_ends_of_average_pictures_are_signed_and_sent(shipped: Bundle, pictures: int) -> None:
    assert resigned(shipped, averaging(shipped, pictures)).profile.preprocessing.average_pictures == pictures
    _, sent = records.decode(records.encode(verdict(pictures), 0))
    assert sent == replace(verdict(pictures), scores=tuple(round(0.5 * 65535) / 65535 for _ in range(2)))


@pytest.mark.parametrize("pictures", [0, limits.MAX_AVERAGE_PICTURES + 1])
def test_what_lies_beyond_the_ends_of_average_pictures_is_not_signed(shipped: Bundle, pictures: int) -> None:
    with pytest.raises(BundleError, match=r"average_pictures must be a whole number from 1 to 255"):
        resigned(shipped, averaging(shipped, pictures))
    if pictures:
        with pytest.raises(RecordError):
            records.encode(verdict(pictures), 0)


def test_both_ends_of_average_pictures_become_firmware(shipped: Bundle) -> None:
    def generated(pictures: int) -> str:
        payload = replace(shipped, profile=averaging(shipped, pictures)).to_payload()
        return firmware.generate(sign(payload, Version(1), KEY), KEY.public_key()).files["wearable_profile.c"]

    for pictures in (1, limits.FIRMWARE_AVERAGE_PICTURES):
        assert f".average_pictures = {pictures}," in generated(pictures)
    for pictures in (limits.FIRMWARE_AVERAGE_PICTURES + 1, limits.MAX_AVERAGE_PICTURES):
        with pytest.raises(BundleError, match=f"average_pictures is {pictures} and the firmware has room for 16"):
            generated(pictures)


def test_the_firmwares_headers_have_the_same_limits() -> None:
    headers = "".join(path.read_text() for path in sorted((ROOT / "device/firmware/core").glob("*.h")))
    defined = dict(re.findall(r"^#define (\w+) (\d+)(?: |$)", headers, re.MULTILINE))
    assert int(defined["FEATURES_MAX_PICTURES"]) == limits.FIRMWARE_AVERAGE_PICTURES
    assert int(defined["PROFILE_MAX_LABELS"]) == limits.MAX_LABELS
    assert int(defined["PROFILE_MAX_CHANNELS"]) == limits.MAX_CHANNELS
    assert limits.FIRMWARE_AVERAGE_PICTURES <= limits.MAX_AVERAGE_PICTURES < 1 << 8


def test_a_profile_too_long_for_a_message_is_not_signed(shipped: Bundle) -> None:
    long = replace(shipped.profile, labels=tuple(f"{n:200d}".replace(" ", "x") for n in range(64)), alert=None)
    with pytest.raises(BundleError, match=r"bytes as CBOR and may have 4096, so shorten its texts"):
        replace(shipped, profile=long)


def test_the_longest_texts_the_firmware_takes_fit_its_hello(shipped: Bundle) -> None:
    """Both ends: 1,024 bytes are taken and 1,025 are not; `tests/firmware` reads such a hello."""
    channels = Thermistors(channels=tuple(ThermistorSettings(f"{n}" * 32) for n in range(4)))
    profile = replace(shipped.profile, name="n" * 64, thermistors=channels)
    used = 64 + len(profile.notice) + 4 * 32 + sum(map(len, profile.labels))
    for size, taken in ((limits.FIRMWARE_HELLO_TEXT_BYTES, True), (limits.FIRMWARE_HELLO_TEXT_BYTES + 1, False)):
        filler = "w" * (size - used)
        waived = tuple(filler[at : at + 200] for at in range(0, len(filler), 200))
        image = sign(replace(shipped, profile=profile, waived=waived).to_payload(), Version(1), KEY)
        if taken:
            assert firmware.generate(image, KEY.public_key()).profile == profile
        else:
            with pytest.raises(BundleError, match="have 1025 bytes and may have 1024"):
                firmware.generate(image, KEY.public_key())
