"""`thermo-quantize sign` as its user meets it, and the bundles it makes as imgtool and a device's core read them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bundles
import cbor2
import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError, ModelError, SignatureError
from thermo_core.image import Version, key_hash, sign, verify
from thermo_core.wearable import file
from thermo_quantize.cli import main
from thermo_quantize.sign import resign, sign_bundle

KEY = bundles.KEY
MINE = Ed25519PrivateKey.from_private_bytes(bytes(32))
MODEL = (Path(__file__).parent / "data" / "cnn_int8.tflite").read_bytes()
WEARABLE = """
name = "breast-patch"
version = "1.0.0"
card = "CARD.md"

[[sensors]]
name = "skin"
kind = "mlx90640"
path = [0x33]

[[stages]]
op = "centre"
of = "skin"
gives = "above"

[[models]]
name = "lesion"
inputs = ["above"]
scores = ["cold", "no lesion", "lesion", "warm"]
network = "model.tflite"

[[alerts]]
name = "lesion"
when = "lesion.no-lesion >= 0.8"
for = { findings = 3 }
"""
CARD = "# Card\n\nNur Simulation.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All that a user has before signing."""
    (tmp_path / "model.tflite").write_bytes(MODEL)
    (tmp_path / "wearable.toml").write_text(WEARABLE)
    (tmp_path / "CARD.md").write_text(CARD)
    for name, key in (("key", KEY), ("mine", MINE)):
        bundles.private_pem(tmp_path, key, name)
    return tmp_path


def arguments(folder: Path, **changes: str | None) -> list[str]:
    options = {
        "wearable": str(folder / "wearable.toml"),
        "network": f"lesion={folder / 'model.tflite'}",
        "card": str(folder / "CARD.md"),
        "version": "1.2.3",
        "key": str(folder / "key.pem"),
        "out": str(folder / "bundle.img"),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return ["sign", *(word for name, value in options.items() if value is not None for word in (f"--{name}", value))]


def resign_arguments(folder: Path, **changes: str | None) -> list[str]:
    parts: dict[str, str | None] = {"wearable": None, "network": None, "card": None, "version": None}
    given: dict[str, str | None] = {
        "resign": str(folder / "bundle.img"),
        "public_key": str(folder / "key.pub.pem"),
        "key": str(folder / "mine.pem"),
        "out": str(folder / "own.img"),
    }
    return arguments(folder, **(parts | given | changes))


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_signed_bundle_holds_what_was_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run([*arguments(folder), "--json"], capsys)
    assert (code, err) == (0, "")
    image = verify((folder / "bundle.img").read_bytes(), [KEY.public_key()])
    assert image.version == Version(1, 2, 3)
    profile = file.read(folder / "wearable.toml").profile
    bundle = Bundle.from_payload(image.payload)
    assert (bundle.profile, bundle.networks, bundle.card, bundle.waived) == (profile, {"lesion": MODEL}, CARD, ())
    facts = json.loads(out)
    assert facts["sha256"] == image.sha256.hex()
    assert facts["key_sha256"] == key_hash(KEY.public_key()).hex()
    assert (facts["profile"], facts["models"]) == ("breast-patch", ["lesion"])
    assert facts["bytes"] == (folder / "bundle.img").stat().st_size


def test_signed_bundle_says_what_its_network_gives(
    folder: Path, capsys: pytest.CaptureFixture[str], reference: Any
) -> None:
    """Of noise over the whole input range, and of a picture of skin, as tflite-runtime itself computes it."""
    run(arguments(folder), capsys)
    bundle = Bundle.from_payload(verify((folder / "bundle.img").read_bytes(), [KEY.public_key()]).payload)
    tests = bundle.self_tests["lesion"]
    inputs = np.array([np.frombuffer(test.inputs[0], np.int8) for test in tests])
    assert inputs.shape == (2, 768) and (inputs[0].min(), inputs[0].max()) == (-128, 127)
    assert np.ptp(inputs[1].astype(int)) < np.ptp(inputs[0].astype(int))
    wanted = reference(MODEL, inputs.reshape(2, 24, 32, 1))[0].astype(np.int8)
    assert [test.output for test in tests] == [row.tobytes() for row in wanted]


def test_a_bundle_whose_self_test_is_of_another_network_is_not_signed_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(arguments(folder), capsys)
    bundle = Bundle.from_payload(verify((folder / "bundle.img").read_bytes(), [KEY.public_key()]).payload)
    first, second = bundle.self_tests["lesion"]
    wrong = msgspec.structs.replace(first, output=bytes(byte ^ 1 for byte in first.output))
    short = msgspec.structs.replace(first, inputs=(first.inputs[0][:-1],))
    for test, why in ((wrong, "does not give the result of its own self-test"), (short, "failed to run")):
        altered = msgspec.structs.replace(bundle, self_tests={"lesion": (second, test)})
        with pytest.raises(ModelError, match=why):
            resign(bundles.image(altered), KEY.public_key(), MINE)


def test_signing_twice_gives_the_same_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    first = (folder / "bundle.img").read_bytes()
    run(arguments(folder), capsys)
    assert (folder / "bundle.img").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_imgtool_accepts_the_bundle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    program = "import sys; from imgtool.main import imgtool; sys.exit(imgtool())"
    words: list[str | Path] = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        program,
        "verify",
        "-k",
        folder / "key.pem",
        folder / "bundle.img",
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1.2.3" in done.stdout


def test_owner_signs_a_shipped_bundle_with_a_key_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    code, out, _ = run(resign_arguments(folder), capsys)
    assert code == 0
    assert key_hash(MINE.public_key()).hex()[:16] in out
    shipped = verify((folder / "bundle.img").read_bytes(), [KEY.public_key()])
    own = verify((folder / "own.img").read_bytes(), [MINE.public_key()])
    assert (own.version, own.payload, own.sha256) == (shipped.version, shipped.payload, shipped.sha256)
    with pytest.raises(SignatureError):
        verify((folder / "own.img").read_bytes(), [KEY.public_key()])


def test_new_version_can_be_given_when_signing_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    assert run(resign_arguments(folder, version="1.2.4+7"), capsys)[0] == 0
    assert verify((folder / "own.img").read_bytes(), [MINE.public_key()]).version == Version(1, 2, 4, 7)


def test_bundle_of_somebody_else_is_not_signed_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    code, _, err = run(resign_arguments(folder, public_key=str(folder / "mine.pub.pem")), capsys)
    assert code == 7
    assert "not trusted" in err
    (folder / "bundle.img").write_bytes((folder / "bundle.img").read_bytes()[:-1])
    assert run(resign_arguments(folder), capsys)[0] == 7
    assert not (folder / "own.img").exists()


def test_a_bundle_of_format_1_is_told_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payload = cbor2.dumps({"format": "thermo-bundle", "version": 1, "model": MODEL}, canonical=True)
    (folder / "bundle.img").write_bytes(sign(payload, Version(1), KEY))
    code, out, err = run(resign_arguments(folder), capsys)
    assert (code, out) == (7, "") and not (folder / "own.img").exists()
    assert "format 1, which was never released, so make the bundle again with thermo-quantize sign." in err


MISTAKES: dict[str, tuple[dict[str, str | None], int, str]] = {
    "no wearable": ({"wearable": None}, 2, "--wearable"),
    "no version": ({"version": None}, 2, "--version"),
    "bad version": ({"version": "one"}, 2, "'one' is not a version"),
    "public key alone": ({"public_key": "{folder}/key.pub.pem"}, 2, "--resign"),
    "key is a public one": ({"key": "{folder}/key.pub.pem"}, 2, "private key"),
    "key is missing": ({"key": "{folder}/nothing.pem"}, 9, "nothing.pem"),
    "network without a model": ({"network": "{folder}/model.tflite"}, 2, "write MODEL=FILE.tflite"),
    "network of no model": ({"network": "heart={folder}/model.tflite"}, 2, 'no model "heart"; its models are lesion'),
    "no network": ({"network": None, "wearable": "{folder}/untrained.toml"}, 2, "add --network lesion=FILE.tflite"),
    "network is a folder": ({"network": "lesion={folder}"}, 9, "is a directory"),
    "network is no model": ({"network": "lesion={folder}/CARD.md"}, 7, "network of lesion is no .tflite file"),
    "network keeps a state": ({"network": "lesion={folder}/lstm.tflite"}, 7, "keeps a state"),
    "unknown wearable": ({"wearable": "brest-patch"}, 2, "no wearable 'brest-patch'; choose one of breast-patch"),
    "wearable is missing": ({"wearable": "{folder}/nothing.toml"}, 9, "nothing.toml"),
    "wearable is a network": ({"wearable": "{folder}/model.tflite"}, 2, "UTF-8"),
    "wearable is no TOML": ({"wearable": "{folder}/CARD.md"}, 2, "is no TOML file"),
    "wearable is deep": ({"wearable": "{folder}/deep.toml"}, 2, "deep.toml"),
    "field that is not known": (
        {"wearable": "{folder}/typo.toml"},
        2,
        "typo.toml, line 9: sensors[0].rate: is not a field",
    ),
    "signal that is not there": (
        {"wearable": "{folder}/astray.toml"},
        2,
        'astray.toml, line 16: model "lesion" takes "calm"',
    ),
    "a score too few": ({"wearable": "{folder}/few.toml"}, 7, "gives 4 numbers and the model says 3"),
    "card is binary": ({"card": "{folder}/binary"}, 2, "UTF-8"),
    "card is empty": ({"card": "{folder}/empty"}, 7, "bundle.card"),
    "no card": ({"card": None, "wearable": "{folder}/bare.toml"}, 2, "--card FILE.md"),
    "out cannot be written": ({"out": "{folder}/no/where.img"}, 9, "where.img"),
    "out is the wearable": ({"out": "{folder}/wearable.toml"}, 2, "is what --wearable names, which would be lost"),
    "out is the network": ({"out": "{folder}/model.tflite"}, 2, "is what the network of lesion names"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_gives_one_sentence_a_code_and_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "lstm.tflite").write_bytes((Path(__file__).parent / "data" / "lstm_int8.tflite").read_bytes())
    (folder / "deep.toml").write_text("a = " + "[" * 100_000)
    (folder / "empty").write_bytes(b"")
    for name, old, new in (
        ("untrained", 'network = "model.tflite"', ""),
        ("typo", 'kind = "mlx90640"', 'kind = "mlx90640"\nrate = 16.0'),
        ("astray", 'inputs = ["above"]', 'inputs = ["calm"]'),
        ("few", '"cold", ', ""),
        ("bare", 'card = "CARD.md"', ""),
    ):
        assert old in WEARABLE
        (folder / f"{name}.toml").write_text(WEARABLE.replace(old, new))
    (folder / "bundle.img").write_bytes(b"the one before")
    changes, expected, word = MISTAKES[mistake]
    before = sorted(folder.iterdir())
    filled = {name: value and value.replace("{folder}", str(folder)) for name, value in changes.items()}
    code, out, err = run(arguments(folder, **filled), capsys)
    assert (code, out) == (expected, "")
    assert word in err
    assert err.startswith("thermo-quantize: ")
    assert err.count("\n") == 1
    assert (folder / "bundle.img").read_bytes() == b"the one before"
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"public_key": None}, "--public-key"), ({"network": "lesion=m.tflite", "card": "c.md"}, "--network, --card")],
)
def test_contradictions_when_signing_again(
    folder: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str | None], word: str
) -> None:
    run(arguments(folder), capsys)
    code, _, err = run(resign_arguments(folder, **changes), capsys)
    assert code == 2
    assert word in err


def test_installed_command_ends_with_the_code(folder: Path) -> None:
    words = [sys.executable, "-c", "from thermo_quantize.cli import main; main()", *arguments(folder, version="x")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_wearable_brings_its_own_network_and_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its file, its folder, or, of those that come with the product, its name."""
    run(arguments(folder), capsys)
    for wearable in (folder, folder / "wearable.toml"):
        assert run(arguments(folder, wearable=str(wearable), network=None, card=None), capsys)[0] == 0
    out = str(folder / "shipped.img")
    assert run(arguments(folder, wearable="breast-patch", network=None, card=None, out=out), capsys)[0] == 0
    made = Bundle.from_payload(verify((folder / "shipped.img").read_bytes(), [KEY.public_key()]).payload)
    assert made == bundles.breast_patch()


def test_a_network_named_twice_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run([*arguments(folder), "--network", f"lesion={folder / 'model.tflite'}"], capsys)
    assert code == 2 and "--network names lesion twice" in err


def test_api_signs_again_only_what_the_signer_signed(folder: Path) -> None:
    profile = file.read(folder / "wearable.toml").profile
    signed = sign_bundle(profile, {"lesion": MODEL}, CARD, Version(1), KEY)
    again = resign(signed.data, KEY.public_key(), MINE)
    assert again.bundle == signed.bundle
    assert again.sha256 == signed.sha256
    with pytest.raises(SignatureError):
        resign(again.data, KEY.public_key(), MINE)


@pytest.mark.parametrize("networks", [{}, {"heart": MODEL}, {"lesion": MODEL, "heart": MODEL}])
def test_models_and_networks_belong_together(folder: Path, networks: dict[str, bytes]) -> None:
    with pytest.raises(BundleError, match="give each model its own"):
        sign_bundle(file.read(folder / "wearable.toml").profile, networks, CARD, Version(1), KEY)
