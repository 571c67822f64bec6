"""`thermo-quantize firmware`: what the microcontroller is built with, read back by a C compiler."""

import ast
import ctypes
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cbor2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from thermo_core.contract import InputContract
from thermo_core.profile import Alert, PictureSensor, Preprocessing, Profile, Thermistors, ThermistorSettings
from thermo_core.typical import typical_features
from thermo_quantize.reference import Reference

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError
from thermo_core.image import DEVELOPMENT_KEY_SHA256, Version, key_hash, load_public_key, sign, verify
from thermo_quantize import firmware
from thermo_quantize.cli import main

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "device/firmware/core"
SHIPPED = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
DEVELOPMENT = ROOT / "hw_sim/thermo_sim/keys/development_ed25519.pub.pem"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRICT = "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror -shared -fPIC".split()
READERS = """
#include "wearable_profile.h"
const struct profile *the_profile(void) { return &wearable_profile; }
"""


class ThermistorProfile(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("series_ohm", ctypes.c_float),
        ("supply_v", ctypes.c_float),
        ("ntc_to_ground", ctypes.c_bool),
        ("steinhart_hart", ctypes.c_bool),
        ("curve", ctypes.c_float * 3),
        ("self_heating_k_per_mw", ctypes.c_float),
    )


class ModelProfile(ctypes.Structure):
    _fields_ = (
        ("input", ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_int8))),
        ("invoke", ctypes.CFUNCTYPE(None)),
        ("output", ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_int8))),
        ("input_scale", ctypes.c_float),
        ("input_zero_point", ctypes.c_int8),
        ("output_scale", ctypes.c_float),
        ("output_zero_point", ctypes.c_int8),
        ("output_count", ctypes.c_uint8),
        ("major", ctypes.c_uint8),
        ("minor", ctypes.c_uint8),
        ("revision", ctypes.c_uint16),
        ("build", ctypes.c_uint32),
        ("development_key", ctypes.c_bool),
        ("image_sha256", ctypes.c_uint8 * 32),
        ("test_input", ctypes.POINTER(ctypes.c_int8)),
        ("test_output", ctypes.POINTER(ctypes.c_int8)),
        ("test_count", ctypes.c_size_t),
        ("test_input_size", ctypes.c_size_t),
        ("test_output_size", ctypes.c_size_t),
    )


class CProfile(ctypes.Structure):
    """`struct profile` of core/profile.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("version", ctypes.c_char_p),
        ("notice", ctypes.c_char_p),
        ("cbor", ctypes.POINTER(ctypes.c_uint8)),
        ("cbor_size", ctypes.c_size_t),
        ("camera_address", ctypes.c_uint8),
        ("camera_refresh_code", ctypes.c_uint8),
        ("camera_resolution_code", ctypes.c_uint8),
        ("camera_chess", ctypes.c_bool),
        ("camera_emissivity", ctypes.c_float),
        ("camera_reflected_celsius", ctypes.c_float),
        ("adc_address", ctypes.c_uint8),
        ("adc_rate_hz", ctypes.c_float),
        ("channel_count", ctypes.c_uint8),
        ("channels", ThermistorProfile * 4),
        ("average_pictures", ctypes.c_uint16),
        ("centre_median", ctypes.c_bool),
        ("feature_scale", ctypes.c_float),
        ("label_count", ctypes.c_uint8),
        ("labels", ctypes.POINTER(ctypes.c_char_p)),
        ("has_alert", ctypes.c_bool),
        ("alert_label", ctypes.c_uint8),
        ("alert_threshold", ctypes.c_float),
        ("alert_consecutive", ctypes.c_uint16),
        ("model", ctypes.POINTER(ModelProfile)),
        ("waived_count", ctypes.c_uint8),
        ("waived", ctypes.POINTER(ctypes.c_char_p)),
    )


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Bundle.from_payload(verify(SHIPPED.read_bytes(), [_public(DEVELOPMENT)]).payload)


def _public(path: Path) -> Ed25519PublicKey:
    return load_public_key(path.read_bytes())


def signed(bundle: Bundle, version: str = "1.2.3+4") -> bytes:
    return sign(bundle.to_payload(), Version.parse(version), KEY)


def load(made: firmware.Firmware, folder: Path) -> tuple[CProfile, ctypes.CDLL]:
    """The profile as a C program sees it; the library has to be kept."""
    if not shutil.which("gcc"):
        pytest.skip("hardware absent: no C compiler")
    for name, text in made.files.items():
        (folder / name).write_text(text)
    (folder / "readers.c").write_text(READERS)
    sources = [str(folder / name) for name in (*made.files, "readers.c") if name.endswith(".c")]
    library = folder / "profile.so"
    command = ["gcc", *STRICT, f"-I{CORE}", f"-I{folder}", *sources, "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    loaded = ctypes.CDLL(str(library))
    loaded.the_profile.restype = ctypes.POINTER(CProfile)
    return loaded.the_profile().contents, loaded


def expect(profile: Profile, found: CProfile) -> None:
    """Every field of the profile, as C holds it."""
    camera, array, alert = profile.picture_sensor, profile.thermistors, profile.alert
    assert found.name == profile.name.encode() and found.version == profile.version.encode()
    assert found.notice == profile.notice.encode()
    assert bytes(found.cbor[: found.cbor_size]) == cbor2.dumps(profile.to_dict(), canonical=True)
    assert found.camera_address == camera.address and found.camera_chess == camera.chess
    assert 0.5 * 2**found.camera_refresh_code == camera.refresh_rate_hz
    assert 16 + found.camera_resolution_code == camera.resolution_bits
    assert found.camera_emissivity == np.float32(camera.emissivity)
    reflected = np.nan if camera.reflected_celsius is None else camera.reflected_celsius
    np.testing.assert_array_equal(np.float32(found.camera_reflected_celsius), np.float32(reflected))
    assert found.adc_address == array.address and found.adc_rate_hz == np.float32(array.rate_hz)
    assert found.channel_count == len(array.channels)
    for channel, wanted in zip(found.channels, array.channels, strict=False):
        assert channel.name == wanted.name.encode()
        assert channel.series_ohm == np.float32(wanted.series_ohm) and channel.supply_v == np.float32(wanted.supply_v)
        assert channel.ntc_to_ground == wanted.ntc_to_ground
        assert channel.steinhart_hart == (len(wanted.curve) == 3)
        curve = (*wanted.curve, 0.0)[:3]
        np.testing.assert_array_equal(list(channel.curve), np.float32(curve))
        assert channel.self_heating_k_per_mw == np.float32(wanted.self_heating_k_per_mw)
    assert found.average_pictures == profile.preprocessing.average_pictures
    assert found.centre_median == (profile.preprocessing.centre == "median")
    assert found.feature_scale == np.float32(profile.preprocessing.scale)
    assert [found.labels[n] for n in range(found.label_count)] == [label.encode() for label in profile.labels]
    assert found.has_alert == (alert is not None)
    if alert is not None:
        assert (found.alert_label, found.alert_consecutive) == (alert.label, alert.consecutive)
        assert found.alert_threshold == np.float32(alert.threshold)


def test_the_shipped_bundle_arrives_whole(shipped: Bundle, tmp_path: Path) -> None:
    data = SHIPPED.read_bytes()
    made = firmware.generate(data, _public(DEVELOPMENT))
    found, _library = load(made, tmp_path)
    expect(shipped.profile, found)
    model = found.model.contents
    assert bytes(model.image_sha256) == made.image.sha256 and model.development_key
    assert (model.input_scale, model.input_zero_point) == (np.float32(shipped.input.scale), shipped.input.zero_point)
    assert (model.output_scale, model.output_zero_point) == (
        np.float32(shipped.output.scale),
        shipped.output.zero_point,
    )
    assert model.test_count == 2
    golden = np.array(model.test_input[: 2 * model.test_input_size], np.int8).reshape(2, 24, 32, 1)
    wanted = Reference(shipped.model).run(golden)
    np.testing.assert_array_equal(model.test_output[: 2 * model.test_output_size], wanted.ravel())
    skin = shipped.input.quantize(typical_features(shipped.profile.preprocessing)["skin"])
    np.testing.assert_array_equal(golden[1], skin)
    for one, expected in zip(golden, wanted, strict=True):
        ctypes.memmove(model.input(), one.ctypes.data, one.size)
        model.invoke()
        np.testing.assert_array_equal(model.output()[: expected.size], expected)


def test_another_wearable_arrives_whole(shipped: Bundle, tmp_path: Path) -> None:
    """Everything that the shipped profile leaves at its default, and texts a C compiler could stumble over."""
    profile = Profile(
        name="band-2",
        version='2 "??/ \\n */',
        picture_sensor=PictureSensor("mlx90640", 0x44, 0.5, 19, False, 0.95, -12.5),
        thermistors=Thermistors(
            0x4B,
            0.25,
            (
                ThermistorSettings('left \\0 "1"', 47e3, 1.8, False, (1.1e-3, 2.3e-4, 9e-8), 0.75),
                ThermistorSettings("Stirn, µ", curve=(1e4, 3435.0)),
            ),
        ),
        preprocessing=Preprocessing(1, "none", 1 / 3),
        labels=("kühl 37°?", "%s??="),
        alert=Alert(0, 0.5000001, 1000),
        notice="Weiß nichts. Informs only. Not a medical device.",
    )
    made = firmware.generate(signed(replace(shipped, profile=profile)), KEY.public_key(), name="wearable")
    found, _library = load(made, tmp_path)
    expect(profile, found)
    model = found.model.contents
    assert (model.major, model.minor, model.revision, model.build) == (1, 2, 3, 4) and not model.development_key


def test_a_wearable_without_thermistors_or_alert_compiles(shipped: Bundle, tmp_path: Path) -> None:
    profile = replace(shipped.profile, thermistors=Thermistors(channels=()), alert=None)
    made = firmware.generate(signed(replace(shipped, profile=profile), "1.0.0"), KEY.public_key())
    found, _library = load(made, tmp_path)
    expect(profile, found)


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_texts_become_literals_of_their_utf8(text: str) -> None:
    """Octal escapes mean the same in a bytes literal of Python; question marks could begin a trigraph."""
    text = text.encode(errors="ignore").decode()
    literal = firmware._text(text)
    assert "?" not in literal and literal.isascii() and literal.isprintable()
    assert ast.literal_eval("b" + literal) == text.encode()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=300)
def test_numbers_become_literals_of_their_float32(value: float) -> None:
    literal = firmware._float(value)
    assert literal.endswith("F") and any(mark in literal for mark in ".e")
    assert np.float32(float(literal[:-1])).tobytes() == np.float32(value).tobytes()


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.err


def test_what_may_not_run_is_not_generated(shipped: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "mine.pub.pem"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    out = tmp_path / "generated"
    data = SHIPPED.read_bytes()
    altered = tmp_path / "altered.img"
    altered.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    cases = (
        ((str(SHIPPED), "--public-key", str(key)), 7, "not trusted here"),
        ((str(altered), "--public-key", str(DEVELOPMENT)), 7, "altered after it was signed"),
        ((str(key), "--public-key", str(DEVELOPMENT)), 7, "image"),
        ((str(tmp_path / "nothing.img"), "--public-key", str(DEVELOPMENT)), 9, "Cannot read"),
        ((str(SHIPPED), "--public-key", str(DEVELOPMENT), "--target", "z80"), 2, "no target 'z80'"),
        ((str(SHIPPED), "--public-key", str(DEVELOPMENT), "--name", "9lives"), 2, "cannot begin"),
    )
    for words, code, sentence in cases:
        assert run(["firmware", *words, "--out", str(out)], capsys)[0] == code
        assert sentence in run(["firmware", *words, "--out", str(out)], capsys)[1]
        assert not out.exists()


def test_a_wearable_the_firmware_cannot_be_is_refused(shipped: Bundle, small_rows: Bundle) -> None:
    long = replace(shipped.profile, preprocessing=replace(shipped.profile.preprocessing, average_pictures=17))
    with pytest.raises(BundleError, match=r"average_pictures is 17 .* room for 16"):
        firmware.generate(signed(replace(shipped, profile=long)), KEY.public_key())
    with pytest.raises(ModelError, match=r"inputs of shape \(5,\) and the profile's preprocessing makes \(24, 32, 1\)"):
        firmware.generate(signed(small_rows), KEY.public_key())
    scaled = replace(shipped, input=InputContract((24, 32, 1), 0.5, 3))
    with pytest.raises(ModelError, match="quantised otherwise than its contract says"):
        firmware.generate(signed(scaled), KEY.public_key())
    stateful = (Path(__file__).parent / "data" / "lstm_int8.tflite").read_bytes()
    with pytest.raises(ModelError, match="keeps a state from one run to the next"):
        firmware.generate(signed(replace(shipped, model=stateful)), KEY.public_key())
    labels = replace(shipped.profile, labels=("a", "b", "c"))
    with pytest.raises(ModelError, match=r"shape \(1, 2\) and the profile 3 labels"):
        firmware.generate(signed(replace(shipped, profile=labels)), KEY.public_key())


@pytest.fixture
def small_rows(shipped: Bundle, random_models: type) -> Bundle:
    """A bundle whose network takes five numbers."""
    models = random_models(5)
    source = models.activation((1, 5))
    sink = models.softmax(models.dense(source))
    model = models.builder.build([source], [sink])
    own = Reference(model)
    labels = tuple(f"label {n}" for n in range(models.shapes[sink][-1]))
    profile = replace(shipped.profile, labels=labels, alert=None)
    return Bundle(profile, own.input, own.output, model, "A card.")


def test_the_development_key_is_known_as_such() -> None:
    assert key_hash(_public(DEVELOPMENT)) == DEVELOPMENT_KEY_SHA256
