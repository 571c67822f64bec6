"""Which public keys are built into a bootloader: none that anybody can sign with, and none for two roles."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from firmware_library import FIRMWARE

from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY

DEVELOPMENT_FIRMWARE_KEY = FIRMWARE / "keys" / "development_firmware_ed25519.pub.pem"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.pub.pem"
    public = Ed25519PrivateKey.generate().public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def made(firmware: Path, models: Path, out: Path, *more: str) -> tuple[int, str]:
    """Exit code and what was said."""
    command = [sys.executable, FIRMWARE / "firmware_keys.py", "--firmware", firmware, "--models", models, "--out", out]
    done = subprocess.run([*map(str, command), *more], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("role", ["firmware", "models"])
def test_a_real_board_refuses_the_development_keys(own: Path, tmp_path: Path, role: str) -> None:
    keys = (DEVELOPMENT_FIRMWARE_KEY, own) if role == "firmware" else (own, DEVELOPMENT_PUBLIC_KEY)
    code, said = made(*keys, tmp_path / "keys.c")
    assert code == 1 and "this is a real board" in said and "thermo-host keygen" in said
    assert not (tmp_path / "keys.c").exists()


def test_a_simulated_board_takes_them(tmp_path: Path) -> None:
    out = tmp_path / "keys.c"
    assert made(DEVELOPMENT_FIRMWARE_KEY, DEVELOPMENT_PUBLIC_KEY, out, "--simulated") == (0, "")
    assert "firmware_key_count = 1" in out.read_text()


def test_the_key_for_models_does_not_sign_firmware(own: Path, tmp_path: Path) -> None:
    code, said = made(own, own, tmp_path / "keys.c")
    assert code == 1 and "make a pair for each" in said


def test_a_file_that_is_no_key_is_said(own: Path, tmp_path: Path) -> None:
    code, said = made(Path(__file__), own, tmp_path / "keys.c")
    assert code == 1 and "public key" in said and "Traceback" not in said
