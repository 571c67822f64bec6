"""`thermo-quantize firmware`: what the microcontroller is built with, read back by a C compiler."""

import ast
import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from thermo_core import schema
from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError
from thermo_core.image import DEVELOPMENT_KEY_SHA256, Version, key_hash, load_public_key, sign, verify
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable.profile import Profile
from thermo_quantize import firmware
from thermo_quantize.c_text import real, text
from thermo_quantize.cli import main

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "device/firmware"
SHIPPED = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
DEVELOPMENT = ROOT / "hw_sim/thermo_sim/keys/development_ed25519.pub.pem"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRICT = "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror -shared -fPIC".split()
READERS = """
#include "wearable_profile.h"
const struct profile *the_profile(void);
const void *settings_of(int sensor);
const char *name_of(int sensor);
const char *kind_of(int sensor);
const struct profile *the_profile(void) { return &wearable_profile; }
const void *settings_of(int sensor) { return wearable_profile.sensors[sensor].settings; }
const char *name_of(int sensor) { return wearable_profile.sensors[sensor].name; }
const char *kind_of(int sensor) { return wearable_profile.sensors[sensor].driver->kind; }
"""


class Camera(ctypes.Structure):
    """`struct camera_settings`."""

    _fields_ = (
        ("address", ctypes.c_uint8),
        ("refresh_code", ctypes.c_uint8),
        ("resolution_code", ctypes.c_uint8),
        ("chess", ctypes.c_bool),
        ("emissivity", ctypes.c_float),
        ("reflected_celsius", ctypes.c_float),
    )


class Thermistor(ctypes.Structure):
    """`struct thermistor_profile`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("series_ohm", ctypes.c_float),
        ("supply_v", ctypes.c_float),
        ("ntc_to_ground", ctypes.c_bool),
        ("steinhart_hart", ctypes.c_bool),
        ("curve", ctypes.c_float * 3),
        ("self_heating_k_per_mw", ctypes.c_float),
    )


class Thermistors(ctypes.Structure):
    """`struct thermistor_settings`."""

    _fields_ = (
        ("address", ctypes.c_uint8),
        ("channel_count", ctypes.c_uint8),
        ("rate_hz", ctypes.c_float),
        ("channels", Thermistor * 4),
    )


class CProfile(ctypes.Structure):
    """The beginning of `struct profile`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("cbor", ctypes.POINTER(ctypes.c_uint8)),
        ("cbor_size", ctypes.c_size_t),
    )


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Bundle.from_payload(verify(SHIPPED.read_bytes(), [_public(DEVELOPMENT)]).payload)


def _public(path: Path) -> Ed25519PublicKey:
    return load_public_key(path.read_bytes())


def signed(bundle: Bundle, version: str = "1.2.3+4") -> bytes:
    return sign(bundle.to_payload(), Version.parse(version), KEY)


def load(made: firmware.Firmware, folder: Path) -> ctypes.CDLL:
    """The generated files, compiled strictly with the firmware's own."""
    if not shutil.which("gcc"):
        pytest.skip("hardware absent: no C compiler")
    for name, content in made.files.items():
        (folder / name).write_text(content)
    (folder / "readers.c").write_text(READERS)
    sources = [folder / name for name in (*made.files, "readers.c") if name.endswith(".c")]
    sources += [path for room in ("core", "sensors", "stages") for path in (FIRMWARE / room).glob("*.c")]
    library = folder / "profile.so"
    include = [f"-I{path}" for path in (FIRMWARE, FIRMWARE / "core", FIRMWARE / "sensors", folder)]
    command = ["gcc", *STRICT, *include, *map(str, sources), "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    loaded = ctypes.CDLL(str(library))
    loaded.the_profile.restype = ctypes.POINTER(CProfile)
    loaded.settings_of.restype = ctypes.c_void_p
    loaded.name_of.restype = loaded.kind_of.restype = ctypes.c_char_p
    return loaded


def expect(profile: Profile, loaded: ctypes.CDLL) -> None:
    """The profile as C holds it: whole as the host reads it, and each sensor's settings as its driver does."""
    found = loaded.the_profile().contents
    assert found.name == profile.name.encode()
    assert bytes(found.cbor[: found.cbor_size]) == schema.to_cbor(profile)
    for number, sensor in enumerate(profile.sensors):
        assert (loaded.name_of(number), loaded.kind_of(number)) == (sensor.name.encode(), sensor.kind.encode())
        at = loaded.settings_of(number)
        if isinstance(sensor, Mlx90640Settings):
            camera = Camera.from_address(at)
            assert 0.5 * 2**camera.refresh_code == sensor.rate_hz
            assert (camera.address, camera.chess) == (sensor.bus_path.address, sensor.pattern == "chess")
            assert 16 + camera.resolution_code == sensor.resolution_bits
            reflected = np.nan if sensor.reflected_celsius is None else sensor.reflected_celsius
            np.testing.assert_array_equal(
                [camera.emissivity, camera.reflected_celsius], np.float32([sensor.emissivity, reflected])
            )
        elif isinstance(sensor, Ads1115NtcSettings):
            array = Thermistors.from_address(at)
            assert (array.address, array.rate_hz) == (sensor.bus_path.address, np.float32(sensor.rate_hz))
            assert array.channel_count == len(sensor.channels)
            for channel, wanted in zip(array.channels, sensor.channels, strict=False):
                assert channel.name == wanted.name.encode()
                assert channel.ntc_to_ground == (wanted.ntc == "to ground")
                assert channel.steinhart_hart == (len(wanted.curve) == 3)
                np.testing.assert_array_equal(list(channel.curve), np.float32((*wanted.curve, 0.0)[:3]))
                numbers = channel.series_ohm, channel.supply_v, channel.self_heating_k_per_mw
                wanted_numbers = wanted.series_ohm, wanted.supply_v, wanted.self_heating_k_per_mw
                np.testing.assert_array_equal(numbers, np.float32(wanted_numbers))
        else:
            assert isinstance(sensor, ExternalSettings)


def test_the_shipped_bundle_arrives_whole(shipped: Bundle, tmp_path: Path) -> None:
    made = firmware.generate(SHIPPED.read_bytes(), _public(DEVELOPMENT))
    expect(shipped.profile, load(made, tmp_path))
    assert made.image is not None and made.profile == shipped.profile and set(made.networks) == {"lesion"}


def test_another_wearable_arrives_whole(tmp_path: Path) -> None:
    """Everything that the shipped profile leaves at its default, and texts a C compiler could stumble over."""
    parts = {
        "name": "band-2",
        "version": "2",
        "sensors": [
            {
                "kind": "mlx90640",
                "name": "front",
                "path": [0x44],
                "rate_hz": 0.5,
                "resolution_bits": 19,
                "pattern": "interleaved",
                "emissivity": 0.95,
                "reflected_celsius": -12.5,
            },
            {
                "kind": "ads1115-ntc",
                "name": "spots",
                "path": [0x4B],
                "rate_hz": 0.25,
                "channels": [
                    {
                        "name": 'left \\0 "1" ??/',
                        "series_ohm": 47e3,
                        "supply_v": 1.8,
                        "ntc": "to supply",
                        "curve": [1.1e-3, 2.3e-4, 9e-8],
                        "self_heating_k_per_mw": 0.75,
                    },
                    {"name": "Stirn, µ %s", "curve": [1e4, 3435.0]},
                ],
            },
            {"kind": "external", "name": "given", "shape": [3], "rate_hz": 1.0, "low": -1.0, "high": 1.0},
        ],
    }
    profile = schema.from_plain(parts, Profile, "profile")
    expect(profile, load(firmware.generate_bare(profile), tmp_path))


def test_without_a_bundle_no_network_and_no_alert_is_built(shipped: Bundle, tmp_path: Path) -> None:
    made = firmware.generate_bare(shipped.profile)
    assert made.image is None and not made.networks and not made.profile.models and not made.profile.alerts
    assert [stage.gives for stage in made.profile.stages] == ["calm", "above"]
    expect(made.profile, load(made, tmp_path))


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_texts_become_literals_of_their_utf8(value: str) -> None:
    """Octal escapes mean the same in a bytes literal of Python; question marks could begin a trigraph."""
    value = value.encode(errors="ignore").decode()
    literal = text(value)
    assert "?" not in literal and literal.isascii() and literal.isprintable()
    assert ast.literal_eval("b" + literal) == value.encode()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=300)
def test_numbers_become_literals_of_their_float32(value: float) -> None:
    literal = real(value)
    assert literal.endswith("f")
    assert np.float32(float.fromhex(literal[:-1])).tobytes() == np.float32(value).tobytes()


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
        ((str(SHIPPED),), 2, "needs --public-key"),
        ((), 2, "nothing to build"),
        ((str(SHIPPED), "--wearable", "breast-patch"), 2, "builds without a bundle"),
        (("--wearable", "nowhere"), 2, "There is no wearable 'nowhere'"),
    )
    for words, code, sentence in cases:
        assert run(["firmware", *words, "--out", str(out)], capsys)[0] == code
        assert sentence in run(["firmware", *words, "--out", str(out)], capsys)[1]
        assert not out.exists()


def test_a_wearable_the_firmware_cannot_be_is_refused(shipped: Bundle) -> None:
    behind = schema.from_plain(
        {
            "name": "far",
            "version": "1",
            "sensors": [{"kind": "tmp117", "name": "touch", "path": ["tca9548a@0x70:0", 0x48]}],
        },
        Profile,
        "profile",
    )
    with pytest.raises(BundleError, match="behind a multiplexer"):
        firmware.generate_bare(behind)
    talkative = replace(shipped, waived=("w" * 200,) * 8)
    with pytest.raises(BundleError, match="answer to hello"):
        firmware.generate(signed(talkative), KEY.public_key())
    with pytest.raises(ModelError):
        firmware.generate(signed(replace(shipped, networks={"lesion": b"TFL3" * 100})), KEY.public_key())


def test_the_development_key_is_known_as_such() -> None:
    assert key_hash(_public(DEVELOPMENT)) == DEVELOPMENT_KEY_SHA256
