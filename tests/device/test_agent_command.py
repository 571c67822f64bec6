"""What the agent's command line takes and refuses: keys, rates, wearables, folders."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from thermo_core.errors import (
    StorageError,
    UsageError,
)
from thermo_core.image import load_public_key
from thermo_device import commands, machine
from thermo_device.application import run
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_device.keys import load_trusted, refuse_development_key, trusts_development_key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_keys_are_read_and_the_development_key_is_known(tmp_path: Path) -> None:
    own = tmp_path / "keys"
    own.mkdir()
    for name in ("a", "b"):
        (own / f"{name}.pem").write_bytes(public_pem(Ed25519PrivateKey.generate()))
    trusted = load_trusted([own])
    assert len(trusted) == 2 and not trusts_development_key(trusted)
    refuse_development_key(trusted)
    both = load_trusted([own, DEVELOPMENT_PUBLIC_KEY])
    assert trusts_development_key(both)
    with pytest.raises(UsageError, match="--allow-development-key"):
        refuse_development_key(both)
    with pytest.raises(StorageError):
        load_trusted([tmp_path / "none.pem"])
    (own / "c.pem").write_text("no key")
    with pytest.raises(UsageError, match=r"c\.pem"):
        load_trusted([own])


def test_all_keys_of_a_file_are_trusted(tmp_path: Path) -> None:
    made = [Ed25519PrivateKey.generate() for _ in range(3)]
    file = tmp_path / "keys.pem"
    file.write_bytes(b"first\n" + public_pem(made[0]) + b"# and the other one\n\n" + public_pem(made[1]))
    (tmp_path / "again.pem").write_bytes(public_pem(made[1]) + public_pem(made[2]))
    trusted = load_trusted([file, tmp_path / "again.pem"])
    assert [key.public_bytes_raw() for key in trusted] == [key.public_key().public_bytes_raw() for key in made]
    with pytest.raises(UsageError, match="2 keys where one is used"):
        load_public_key(file.read_bytes())
    file.write_bytes(public_pem(made[0]) + b"-----BEGIN PUBLIC KEY-----\nAAAA\n")
    with pytest.raises(UsageError, match=r"keys\.pem"):
        load_trusted([file])
    file.write_bytes(public_pem(made[0]) + DEVELOPMENT_PUBLIC_KEY.read_bytes())
    with pytest.raises(UsageError, match="--allow-development-key"):
        refuse_development_key(load_trusted([file]))
    file.write_bytes(b"x" * 100_000)
    with pytest.raises(UsageError, match="65536 bytes"):
        load_trusted([file])


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def read() -> str:
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("thermo-device:")]
        assert len(errors) == 1
        return errors[0]

    return read


def test_a_device_on_a_real_bus_refuses_the_development_key(tmp_path: Path, told: Callable[[], str]) -> None:
    arguments = ["run", "--bus", str(tmp_path / "i2c"), "--port", str(tmp_path / "tty"), "--state", str(tmp_path)]
    assert run([*arguments, "--trust", str(DEVELOPMENT_PUBLIC_KEY)]) == 2
    assert "development key" in told()
    assert run([*arguments, "--trust", str(DEVELOPMENT_PUBLIC_KEY), "--allow-development-key"]) == 2
    assert "I2C bus" in told(), "the key is accepted and the bus is the next thing missing"


@pytest.mark.parametrize("word", ["--allow-development", "--allow", "--trus", "--st"])
def test_no_option_is_abbreviated(word: str, told: Callable[[], str]) -> None:
    assert run(["run", "--port", "x", word]) == 2
    assert f"No such option: {word}" in told()


@pytest.mark.parametrize("baud", ["0", "-5", "fast", "1e6", "99999999999999999999", "٣"])
def test_a_rate_that_is_none_is_a_wrong_argument(baud: str, told: Callable[[], str]) -> None:
    assert run(["run", "--port", "x", f"--baud={baud}"]) == 2
    assert "no baud rate" in told()


def test_the_baud_rate_comes_from_the_environment_too(told: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERMO_BAUD", "slow")
    assert run(["run", "--port", "x"]) == 2
    assert "'slow' is no baud rate" in told()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("thermo-device ")


def test_a_wearable_that_is_none_is_a_wrong_argument(tmp_path: Path, told: Callable[[], str]) -> None:
    assert run(["self-test", "--bus", str(tmp_path / "i2c"), "--wearable", "breast-path"]) == 2
    assert "breast-patch" in told()


def test_state_lies_where_the_user_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "DEFAULT_STATE", tmp_path / "service")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert commands.default_state() == tmp_path / "own" / "thermo-edge"
    (tmp_path / "service").mkdir()
    assert commands.default_state() == tmp_path / "service"
    monkeypatch.setenv("STATE_DIRECTORY", "/run/a:/run/b")
    assert commands.default_state() == Path("/run/a")


def test_what_the_system_calls_itself_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model"
    assert machine._said(path) == ""
    for content, wanted in (
        (b"Raspberry Pi 4\0", "Raspberry Pi 4"),
        (b"\xff\xfe\x1b]52;x\x07\0", "\ufffd\ufffd"),
        (b"x" * 10_000, "x" * 63 + "\u2026"),
        (b"\0", ""),
    ):
        path.write_bytes(content)
        assert machine._said(path) == wanted
    monkeypatch.setattr("socket.gethostname", lambda: "\udcff\x1b[2J")
    assert machine.host_name().isprintable()
    assert machine.serial_number() and machine.platform_name()


def test_the_command_line_gives_a_sentence_and_a_code(tmp_path: Path, told: Callable[[], str]) -> None:
    assert run(["self-test", "--bus", str(tmp_path / "i2c")]) == 2
    assert "raspi-config" in told()
    assert run(["info", "--state", str(tmp_path / "none")]) == 9
    assert "--state" in told()
    assert run(["info", "--state", str(tmp_path), "--trust", str(tmp_path / "none.pem")]) == 9


def test_info_tells_what_the_device_holds(tmp_path: Path) -> None:
    pem = tmp_path / "own.pub.pem"
    pem.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    command = [sys.executable, "-m", "thermo_device.cli", "info", "--state", str(tmp_path), "--trust", str(pem)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "trusted keys: 1\n" in shown and "no bundle" in shown and "Not a medical device" in shown
