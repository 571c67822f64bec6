"""What `thermo-quantize` and `thermo-models` have in common with `thermo-host`: help, version, codes, JSON, and no lost file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from thermo_core.errors import AccuracyDropError, BundleError, ModelError, StorageError, UsageError
from thermo_core.exit_codes import MEANINGS, ExitCode, exit_code
from thermo_core.version import software_version

SHIPPED = Path(__file__).resolve().parents[2] / "models/thermo_models/wearables/breast-patch"
DEVELOPMENT = Path(__file__).resolve().parents[2] / "device/thermo_device/development_key"
MODEL = Path(__file__).parent / "data" / "cnn_int8.tflite"
PROGRAMS = {"thermo-quantize": "thermo_quantize.cli", "thermo-models": "thermo_models.cli"}


def call(program: str, *words: str | Path, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    start = f"import sys; sys.argv[0] = {program!r}; from {PROGRAMS[program]} import main; main()"
    command = [sys.executable, "-c", start, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version_come_by_their_usual_names(program: str) -> None:
    assert call(program, "--version").stdout == f"{program} {software_version()}\n"
    long, short, bare = (call(program, *words) for words in (["--help"], ["-h"], []))
    assert long.returncode == short.returncode == bare.returncode == 0
    assert long.stdout == short.stdout == bare.stdout
    listed = " ".join(long.stdout.split())
    for code in (ExitCode.OK, ExitCode.USAGE, ExitCode.IMAGE, ExitCode.FILE, ExitCode.ACCURACY, ExitCode.INTERRUPTED):
        assert f"{int(code)} {MEANINGS[code][:20]}" in listed
    assert "Traceback" not in long.stderr + bare.stderr


COMMANDS = {
    "thermo-quantize": "quantize evaluate compare inspect verify compile firmware sign".split(),
    "thermo-models": "list data train evaluate export remeasure".split(),
}


@pytest.mark.parametrize(("program", "command"), [(p, c) for p, commands in COMMANDS.items() for c in commands])
def test_every_command_has_help_and_json(program: str, command: str) -> None:
    done = call(program, command, "-h")
    assert done.returncode == 0
    assert "--json" in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_loads_none_of_the_great_libraries(program: str) -> None:
    """TensorFlow takes seconds to load, and help needs none of it."""
    heavy = ("tensorflow", "keras", "tf_keras", "scipy", "tflite_runtime", "ai_edge_litert", "h5py")
    start = f"""
import sys
from {PROGRAMS[program]} import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", [["nonsense"], ["evaluate", "--no-such"], ["evaluate"]])
def test_a_wrong_call_is_one_sentence_and_code_2(program: str, words: list[str]) -> None:
    done = call(program, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{program}: ") and done.stderr.count("\n") == 1
    with_json = call(program, *words, "--json")
    error = json.loads(with_json.stdout)["error"]
    assert (with_json.returncode, error["kind"], error["exit_code"]) == (2, "UsageError", 2)
    assert with_json.stderr == f"{program}: {error['message']}\n"


def test_codes_are_those_of_all_commands() -> None:
    wanted = {UsageError: 2, ModelError: 7, BundleError: 7, StorageError: 9, AccuracyDropError: 11}
    assert {kind: int(exit_code(kind("x"))) for kind in wanted} == wanted
    assert len(set(MEANINGS)) == len(ExitCode)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Keys, right and wrong."""
    own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    rsa = generate_private_key(65537, 2048)
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "own.pem": own.private_bytes(*plain),
        "own.pub.pem": own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "rsa.pem": rsa.private_bytes(*plain),
        "locked.pem": own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        "empty.pem": b"",
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("own.pub.pem", 2, "own.pub.pem: This is not a PEM private key"),
        ("rsa.pem", 2, "rsa.pem: This private key is not Ed25519"),
        ("locked.pem", 2, "locked.pem: This private key is behind a password"),
        ("empty.pem", 2, "empty.pem: This is not a PEM private key"),
        ("picture.png", 2, "picture.png: This is not a PEM private key"),
        ("absent.pem", 9, "Cannot read absent.pem"),
        (".", 9, "is a directory"),
    ],
)
def test_a_wrong_key_is_named_with_what_is_wrong(keys: Path, key: str, code: int, said: str) -> None:
    public = DEVELOPMENT / "development_ed25519.pub.pem"
    words: list[str | Path] = [
        "sign",
        "--resign",
        SHIPPED / "bundle.img",
        "--public-key",
        public,
        "--key",
        key,
        "--out",
        "x.img",
    ]
    done = call("thermo-quantize", *words, cwd=keys)
    assert done.returncode == code
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert not (keys / "x.img").exists()


def test_no_file_is_lost_to_an_output(keys: Path) -> None:
    """Not the key, not what goes in, and not what another run left; the same bytes are no loss."""
    public, shipped = DEVELOPMENT / "development_ed25519.pub.pem", keys / "shipped.img"
    shipped.write_bytes((SHIPPED / "bundle.img").read_bytes())
    words: list[str | Path] = ["sign", "--resign", shipped, "--public-key", public, "--key", "own.pem", "--out"]
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    for out, name in (("own.pem", "--key"), ("shipped.img", "--resign")):
        done = call("thermo-quantize", *words, out, "--force", cwd=keys)
        assert done.returncode == 2 and f"is what {name} names, which would be lost" in done.stderr
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    assert call("thermo-quantize", *words, "x.img", cwd=keys).returncode == 0
    assert call("thermo-quantize", *words, "x.img", cwd=keys).returncode == 0
    (keys / "x.img").write_bytes(b"of somebody else")
    done = call("thermo-quantize", *words, "x.img", cwd=keys)
    assert done.returncode == 2 and "x.img is there already; name another place, or add --force" in done.stderr
    assert (keys / "x.img").read_bytes() == b"of somebody else"
    assert call("thermo-quantize", *words, "x.img", "--force", cwd=keys).returncode == 0
    assert (keys / "x.img").read_bytes() != b"of somebody else"


def test_compile_and_firmware_replace_only_when_told(tmp_path: Path) -> None:
    public = DEVELOPMENT / "development_ed25519.pub.pem"
    calls: list[tuple[list[str | Path], str]] = [
        (["compile", SHIPPED / "model.tflite", "--out", tmp_path / "c", "--name", "net"], "c/net.c"),
        (["firmware", SHIPPED / "bundle.img", "--public-key", public, "--out", tmp_path / "f"], "f/wearable_profile.c"),
    ]
    for words, file in calls:
        assert call("thermo-quantize", *words).returncode == 0
        made = (tmp_path / file).read_text()
        assert call("thermo-quantize", *words).returncode == 0, "the same again changes nothing"
        (tmp_path / file).write_text("/* changed by hand */\n")
        done = call("thermo-quantize", *words)
        assert done.returncode == 2 and f"{file} is there already" in done.stderr
        assert (tmp_path / file).read_text() == "/* changed by hand */\n"
        assert call("thermo-quantize", *words, "--force").returncode == 0
        assert (tmp_path / file).read_text() == made


def test_a_bug_is_told_from_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from thermo_quantize import commands
    from thermo_quantize.cli import main

    monkeypatch.setattr(commands, "read_file", lambda path: 1 / 0)
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "model.tflite", "--json"])
    captured = capsys.readouterr()
    assert ended.value.code == ExitCode.BUG
    assert json.loads(captured.out)["error"]["kind"] == "ZeroDivisionError"
    assert "Traceback" in captured.err and "please report it" in captured.err


def test_a_reader_that_leaves_is_no_error() -> None:
    start = f"{sys.executable} -c 'from thermo_quantize.cli import main; main()' inspect {MODEL}"
    done = subprocess.run(
        ["bash", "-c", f"{start} | head -1; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
