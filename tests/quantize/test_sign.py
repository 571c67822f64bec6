"""`thermo-quantize sign` as its user meets it, and the bundles it makes as imgtool and a device's core read them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from thermo_core.bundle import Bundle
from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import BundleError, SignatureError
from thermo_core.image import Version, key_hash, verify
from thermo_core.profile import Alert, Profile
from thermo_core.tflite.verify import verify_model
from thermo_quantize.cli import main
from thermo_quantize.describe import contracts
from thermo_quantize.sign import resign, sign_bundle

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MINE = Ed25519PrivateKey.from_private_bytes(bytes(32))
MODEL = (Path(__file__).parent / "data" / "cnn_int8.tflite").read_bytes()
PROFILE = Profile("breast-patch", "1.0.0", labels=("cold", "no lesion", "lesion", "warm"), alert=Alert(1, 0.8, 3))
CONTRACT = contracts(verify_model(MODEL)) or {}
INPUT, OUTPUT = InputContract.from_dict(CONTRACT["input"]), OutputContract.from_dict(CONTRACT["output"])
CARD = "# Card\n\nNur Simulation.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All that a user has before signing."""
    (tmp_path / "model.tflite").write_bytes(MODEL)
    (tmp_path / "profile.json").write_text(json.dumps(PROFILE.to_dict()))
    (tmp_path / "contract.json").write_text(json.dumps({"input": INPUT.to_dict(), "output": OUTPUT.to_dict()}))
    (tmp_path / "CARD.md").write_text(CARD)
    for name, key in (("key", KEY), ("mine", MINE)):
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pub.pem").write_bytes(public)
    return tmp_path


def arguments(folder: Path, **changes: str | None) -> list[str]:
    options: dict[str, str | None] = {
        "model": str(folder / "model.tflite"),
        "profile": str(folder / "profile.json"),
        "contract": str(folder / "contract.json"),
        "card": str(folder / "CARD.md"),
        "version": "1.2.3",
        "key": str(folder / "key.pem"),
        "out": str(folder / "bundle.img"),
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return ["sign", *(word for name, value in options.items() if value is not None for word in (f"--{name}", value))]


def resign_arguments(folder: Path, **changes: str | None) -> list[str]:
    parts: dict[str, str | None] = {"model": None, "profile": None, "contract": None, "card": None, "version": None}
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
    assert Bundle.from_payload(image.payload) == Bundle(PROFILE, INPUT, OUTPUT, MODEL, CARD)
    facts = json.loads(out)
    assert facts["sha256"] == image.sha256.hex()
    assert facts["key_sha256"] == key_hash(KEY.public_key()).hex()
    assert facts["bytes"] == (folder / "bundle.img").stat().st_size


def test_signing_twice_gives_the_same_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    first = (folder / "bundle.img").read_bytes()
    run(arguments(folder), capsys)
    assert (folder / "bundle.img").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_imgtool_accepts_the_bundle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(arguments(folder), capsys)
    program = "import sys; from imgtool.main import imgtool; sys.exit(imgtool())"
    words = [sys.executable, "-W", "ignore", "-c", program, "verify", "-k", folder / "key.pem", folder / "bundle.img"]
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


MISTAKES: dict[str, tuple[dict[str, str | None], int, str]] = {
    "no model": ({"model": None}, 2, "--model"),
    "no version": ({"version": None}, 2, "--version"),
    "bad version": ({"version": "one"}, 2, "'one' is not a version"),
    "public key alone": ({"public_key": "{folder}/key.pub.pem"}, 2, "--resign"),
    "key is a public one": ({"key": "{folder}/key.pub.pem"}, 2, "private key"),
    "key is missing": ({"key": "{folder}/nothing.pem"}, 9, "nothing.pem"),
    "model is a folder": ({"model": "{folder}"}, 9, "is a directory"),
    "model is no model": ({"model": "{folder}/CARD.md"}, 7, ".tflite"),
    "model keeps a state": ({"model": "{folder}/lstm.tflite"}, 7, "keeps a state"),
    "profile is no JSON": ({"profile": "{folder}/CARD.md"}, 2, "line 1"),
    "profile is binary": ({"profile": "{folder}/binary"}, 2, "UTF-8"),
    "profile is deep": ({"profile": "{folder}/deep.json"}, 2, "nesting"),
    "profile is the contract": ({"profile": "{folder}/contract.json"}, 7, "profile."),
    "contract is the profile": ({"contract": "{folder}/profile.json"}, 7, "contract.input is missing"),
    "out cannot be written": ({"out": "{folder}/no/where.img"}, 9, "where.img"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_gives_one_sentence_a_code_and_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "lstm.tflite").write_bytes((Path(__file__).parent / "data" / "lstm_int8.tflite").read_bytes())
    (folder / "deep.json").write_text("[" * 100_000)
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
    [({"public_key": None}, "--public-key"), ({"model": "m.tflite", "card": "c.md"}, "--model, --card")],
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


def test_api_names_the_bad_field() -> None:
    contract = {"input": INPUT.to_dict() | {"scale": -1}, "output": OUTPUT.to_dict()}
    with pytest.raises(BundleError, match=r"contract\.input\.scale"):
        sign_bundle(MODEL, PROFILE.to_dict(), contract, CARD, Version(1), KEY)


def test_api_signs_again_only_what_the_signer_signed() -> None:
    contract = {"input": INPUT.to_dict(), "output": OUTPUT.to_dict()}
    signed = sign_bundle(MODEL, PROFILE.to_dict(), contract, CARD, Version(1), KEY)
    again = resign(signed.data, KEY.public_key(), MINE)
    assert again.bundle == signed.bundle
    assert again.sha256 == signed.sha256
    with pytest.raises(SignatureError):
        resign(again.data, KEY.public_key(), MINE)
