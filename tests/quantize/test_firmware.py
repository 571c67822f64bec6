"""`thermo-quantize firmware`: what the microcontroller is built with, read back by a C compiler."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import pytest
from compiled_once import compile_c, objects
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from examples import few
from firmware_library import FIRMWARE, HARNESS, everything
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from thermo_core import schema
from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError
from thermo_core.graph.plan import plan
from thermo_core.graph.typical import SCENES
from thermo_core.image import DEVELOPMENT_KEY_SHA256, Version, key_hash, load_public_key, sign
from thermo_core.sensors.mlx90640.settings import RATES_HZ
from thermo_core.sensors.settings import SensorSettings
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import library
from thermo_core.wearable.person import FIELDS
from thermo_core.wearable.profile import Model, Profile
from thermo_quantize import c_text, firmware
from thermo_quantize.cli import main
from thermo_quantize.firmware_sensors import SENSORS
from thermo_quantize.fit import check_bundle, open_networks
from thermo_quantize.rehearsal import typical_signals

pytestmark = pytest.mark.lengthy

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = bundles.IMAGE
DEVELOPMENT = ROOT / "device/thermo_device/development_key/development_ed25519.pub.pem"
KEY = bundles.KEY
STRICT = "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion -Werror".split()


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return bundles.breast_patch()


def _public(path: Path) -> Ed25519PublicKey:
    return load_public_key(path.read_bytes())


def signed(bundle: Bundle, version: str = "1.2.3+4") -> bytes:
    return sign(bundle.to_payload(), Version.parse(version), KEY)


BEHIND_THE_MODEL = ("likely", "told")
"""Signals of the breast patch that rest on what its network says."""


def altered(profile: Profile, **parts: Any) -> Profile:
    """The profile with other parts, given as a file has them."""
    return schema.from_plain(schema.to_plain(profile) | parts, Profile, "profile")


def printed(made: firmware.Firmware, folder: Path) -> list[str]:
    """The wearable as a C program sees it."""
    if not shutil.which("gcc"):
        pytest.skip("hardware absent: no C compiler")
    for name, text in made.files.items():
        (folder / name).write_text(text)
    command = ["gcc", *STRICT, *(f"-I{path}" for path in (FIRMWARE, FIRMWARE / "core", FIRMWARE / "sensors"))]
    of_firmware = objects(everything(), command, folder)
    own = [*(folder / name for name in made.files if name.endswith(".c")), HARNESS / "profile.c"]
    compile_c([*command, f"-I{folder}", *map(str, [*own, *of_firmware]), "-o", str(folder / "print"), "-lm"])
    return subprocess.run([str(folder / "print")], capture_output=True, text=True, check=True).stdout.splitlines()


def raw(data: bytes | str) -> str:
    return "x" + (data.encode() if isinstance(data, str) else data).hex()


def reals(*values: float) -> str:
    """As C prints them."""
    return " ".join("nan" if np.isnan(value) else plain(float(np.float32(value)).hex()) for value in values)


def plain(text: str) -> str:
    """`float.hex` without the zeros that %a leaves away."""
    number, _, exponent = text.partition("p")
    whole, _, digits = number.partition(".")
    digits = digits.rstrip("0")
    return f"{whole}{'.' if digits else ''}{digits}p{exponent}"


def settings_of(sensor: SensorSettings) -> str:
    """Settings of a sensor as the harness prints them."""
    plain_settings: Any = sensor
    match sensor.kind:
        case "mlx90640":
            reflected = plain_settings.reflected_celsius
            codes = RATES_HZ.index(sensor.rate_hz), plain_settings.resolution_bits - 16  # type: ignore[attr-defined]
            numbers = plain_settings.path[-1], *codes, int(plain_settings.pattern == "chess")
            optics = plain_settings.emissivity, np.nan if reflected is None else reflected
            return f"{' '.join(map(str, numbers))} {reals(*optics)}"
        case "ads1115-ntc":
            words = [str(plain_settings.path[-1]), str(len(plain_settings.channels)), reals(plain_settings.rate_hz)]
            for one in plain_settings.channels:
                flags = f"{int(one.ntc == 'to ground')} {int(len(one.curve) == 3)}"
                words += [raw(one.name), reals(one.series_ohm, one.supply_v), flags]
                words += [reals(*(*one.curve, 0.0)[:3]), reals(one.self_heating_k_per_mw)]
            return " ".join(words)
        case "external":
            (signal,) = sensor.signals
            return f"{signal.elements} {reals(plain_settings.low, plain_settings.high, signal.rate_hz)}"
    return ""


def expected(bundle: Bundle, image_sha256: bytes, version: str, development: bool) -> Iterator[str]:
    """What the harness prints of a bundle."""
    yield from expected_profile(bundle.profile, bundle)
    yield f"bundle {version} {int(development)} {raw(image_sha256)}"
    yield from (f"waived {raw(sentence)}" for sentence in bundle.waived)


def expected_profile(profile: Profile, bundle: Bundle | None = None) -> Iterator[str]:
    """What the harness prints of a profile, with the networks of a bundle."""
    made = plan(profile)
    cbor = schema.to_cbor(profile)
    yield f"name {raw(profile.name)}"
    yield f"cbor {raw(cbor)} {raw(sha256(cbor).digest())}"
    for number, sensor in enumerate(profile.sensors):
        place = made.number_of(sensor.name)
        yield f"sensor {number} {sensor.kind} {raw(sensor.name)} {place} {settings_of(sensor)}".rstrip()
    for model in profile.models:
        reading, of_network = made.number_of(model.reading), made.number_of(model.raw)
        yield f"model {len(model.outputs)} {reading} {of_network} {raw(bytes(made.origins(model.raw)))}"
        assert bundle is not None
        tests = bundle.self_tests.get(model.name, ())
        yield f"test {raw(model.name)} {len(tests)}"
        network = Int8Network(bundle.networks[model.name])
        for test in tests:
            assert network.repeats(test.inputs, test.output)
            yield " ".join(["inputs", *map(raw, test.inputs)])
            yield f"wanted {raw(test.output)}"
            yield f"given {raw(test.output)}"
    yield f"alerts {len(profile.alerts)}"
    fields = bytes(list(FIELDS).index(field) for field in profile.person)
    yield f"person {raw(fields)} {made.number_of(f'person.{profile.person[0]}') if fields else 0}"


@pytest.mark.parametrize("name", library.names())
def test_each_shipped_bundle_arrives_whole(name: str, tmp_path: Path, reference: Any) -> None:
    """Its networks compiled to C give what tflite-runtime itself gives: of noise, and of what its sensors typically say."""
    image = library.resolve(name).parent / library.BUNDLE_NAME
    made = firmware.generate(image.read_bytes(), _public(DEVELOPMENT))
    assert made.image is not None
    version = made.image.version
    numbers = f"{version.major} {version.minor} {version.revision} {version.build}"
    bundle = Bundle.from_payload(made.image.payload)
    assert printed(made, tmp_path) == list(expected(bundle, made.image.sha256, numbers, True))
    checked = check_bundle(bundle)
    signals = typical_signals(checked, open_networks(bundle.profile, bundle.networks), SCENES[0])
    for node in checked.nodes:
        if not isinstance(node.what, Model):
            continue
        tests = bundle.self_tests[node.what.name]
        network = Int8Network(bundle.networks[node.what.name])
        assert len(tests) == 2
        inputs = [[np.frombuffer(data, np.int8) for data in test.inputs] for test in tests]
        # A handful of numbers need not reach both ends.
        if sum(one.size for one in inputs[0]) >= 32:
            assert min(one.min() for one in inputs[0]) < -100 and max(one.max() for one in inputs[0]) > 100
        for seen, end, signal in zip(inputs[1], network.inputs, node.inputs, strict=True):
            said = [end.quantize(values).ravel().tolist() for values in signals[signal.name].values]
            assert seen.tolist() in said
        (end,) = network.inputs
        wanted = reference(bundle.networks[node.what.name], np.stack([one for (one,) in inputs]).reshape(2, *end.shape))
        assert [test.output for test in tests] == [row.astype(np.int8).tobytes() for row in wanted[0]]


ODD = (
    {
        "kind": "mlx90640",
        "name": "skin",
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
            {"name": "Stirn, µ", "curve": [1e4, 3435.0]},
        ],
    },
    {"kind": "external", "name": "room", "shape": [2], "rate_hz": 1.0, "low": -1 / 3, "high": 60.0},
)


def test_another_wearable_arrives_whole(shipped: Bundle, tmp_path: Path) -> None:
    """Everything that the shipped profile leaves at its default, and texts a C compiler could stumble over."""
    profile = altered(
        shipped.profile,
        name="band-2",
        version='2 "??/ \\n */',
        sensors=[ODD[2], ODD[0], ODD[1]],
        person=["sex", "age_years"],
        notice="Weiß nichts.",
        alerts=[{"name": "cold", "when": "room[1] < 15"}, {"name": "lesion", "when": "lesion.lesion > 0.5"}],
    )
    bundle = replace(shipped, profile=profile, waived=("Nur 3 % */ ??/", "Zweitens."))
    made = firmware.generate(signed(bundle), KEY.public_key())
    assert made.image is not None
    assert printed(made, tmp_path) == list(expected(bundle, made.image.sha256, "1 2 3 4", False))


def test_a_wearable_without_thermistors_or_alert_compiles(shipped: Bundle, tmp_path: Path) -> None:
    profile = altered(shipped.profile, sensors=schema.to_plain(shipped.profile)["sensors"][:1], alerts=[])
    bundle = replace(shipped, profile=profile, self_tests={})
    made = firmware.generate(signed(bundle, "1.0.0"), KEY.public_key())
    assert made.image is not None
    assert printed(made, tmp_path) == list(expected(bundle, made.image.sha256, "1 0 0 0", False))


def test_a_wearable_without_models_compiles(shipped: Bundle, tmp_path: Path) -> None:
    behind_none = [one for one in schema.to_plain(shipped.profile)["stages"] if one["gives"] not in BEHIND_THE_MODEL]
    profile = altered(shipped.profile, models=[], alerts=[], stages=behind_none)
    bundle = replace(shipped, profile=profile, networks={}, self_tests={})
    made = firmware.generate(signed(bundle, "1.0.0"), KEY.public_key())
    assert made.image is not None
    assert printed(made, tmp_path) == list(expected(bundle, made.image.sha256, "1 0 0 0", False))


def test_without_a_bundle_no_network_and_no_alert_is_built(shipped: Bundle, tmp_path: Path) -> None:
    made = firmware.generate_bare(shipped.profile)
    assert made.image is None and not made.networks and not made.profile.models and not made.profile.alerts
    kept = [stage.gives for stage in shipped.profile.stages if stage.gives not in BEHIND_THE_MODEL]
    assert [stage.gives for stage in made.profile.stages] == kept and {"calm", "above"} < set(kept)
    assert printed(made, tmp_path) == list(expected_profile(made.profile))


@given(st.text(max_size=40))
@few(100, of=300)
def test_texts_become_literals_of_their_utf8(text: str) -> None:
    """Octal escapes mean the same in a bytes literal of Python; question marks could begin a trigraph."""
    text = text.encode(errors="ignore").decode()
    literal = c_text.text(text)
    assert "?" not in literal and literal.isascii() and literal.isprintable()
    assert ast.literal_eval("b" + literal) == text.encode()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@few(100, of=300)
def test_numbers_become_literals_of_their_float32(value: float) -> None:
    literal = c_text.real(value)
    assert literal.endswith("f") and "." in literal
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
    camera, spots = schema.to_plain(shipped.profile)["sensors"]
    many = [camera, spots, *({"kind": "external", "name": f"n{i}", "rate_hz": 1.0} for i in range(20))]
    assert firmware.generate(signed(replace(shipped, profile=altered(shipped.profile, sensors=many))), KEY.public_key())
    with pytest.raises(BundleError, match=r"8 waived sentences take 1212 bytes .* may take 1100 in the firmware"):
        firmware.generate(signed(replace(shipped, waived=("w" * 150,) * 8)), KEY.public_key())
    stateful = (Path(__file__).parent / "data" / "lstm_int8.tflite").read_bytes()
    with pytest.raises(ModelError, match=r"lesion"):
        firmware.generate(signed(replace(shipped, networks={"lesion": stateful}, self_tests={})), KEY.public_key())
    labels = altered(
        shipped.profile,
        models=[schema.to_plain(shipped.profile)["models"][0] | {"scores": ["a", "b", "c", "d"]}],
        alerts=[],
    )
    with pytest.raises(ModelError, match=r"lesion"):
        firmware.generate(signed(replace(shipped, profile=labels)), KEY.public_key())


def test_a_sensor_without_a_driver_is_named(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SENSORS, "ads1115-ntc")
    with pytest.raises(BundleError, match='"spots" is of kind ads1115-ntc, and the firmware drives mlx90640'):
        firmware.generate(signed(shipped), KEY.public_key())


def test_the_development_key_is_known_as_such() -> None:
    assert key_hash(_public(DEVELOPMENT)) == DEVELOPMENT_KEY_SHA256
