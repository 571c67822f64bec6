"""Which network the firmware is built with: that of the bundle named now, whatever its age and whatever was built before."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from board_probe import ROOT
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from thermo_core.bundle import Bundle
from thermo_core.image import Version, parse, sign

SHIPPED = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LONG_AGO = 1_000_000_000


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    if not shutil.which("make"):
        pytest.skip("hardware absent: no make")
    return tmp_path / "generated"


@pytest.fixture
def bundles(tmp_path: Path) -> dict[str, Path]:
    """Two bundles of a user and the key that signed them; all older than anything."""
    shipped = Bundle.from_payload(parse(SHIPPED.read_bytes()).payload)
    files = {"key": tmp_path / "mine.pub.pem"}
    files["key"].write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for number in (1, 2):
        files[f"{number}"] = tmp_path / f"my bundle {number}.img"
        payload = replace(shipped, profile=replace(shipped.profile, name=f"mine-{number}")).to_payload()
        files[f"{number}"].write_bytes(sign(payload, Version(number), KEY))
    for path in files.values():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return files


def make(generated: Path, **variables: str | Path) -> "subprocess.CompletedProcess[str]":
    """Make the profile that the firmware is compiled with."""
    quantize = f"QUANTIZE={sys.executable} -c 'from thermo_quantize.cli import main; main()'"
    given = [f"{name}={value}" for name, value in variables.items()]
    command = ["make", "-C", ROOT / "device/firmware", f"GENERATED={generated}", quantize, *given]
    target = f"{generated}/generic/wearable_profile.c"
    return subprocess.run([*map(str, command), target], capture_output=True, text=True, check=False)


def built(generated: Path) -> str:
    text = (generated / "generic" / "wearable_profile.c").read_text()
    return text[text.index("const struct profile wearable_profile") :].split('.name = "')[1].split('"')[0]


def test_the_bundle_named_now_is_built_whatever_its_age(generated: Path, bundles: dict[str, Path]) -> None:
    mine = {"BUNDLE_KEY": bundles["key"]}
    assert make(generated).returncode == 0 and built(generated) == "breast-patch"
    for number in ("1", "2", "1"):
        done = make(generated, BUNDLE=bundles[number], **mine)
        assert done.returncode == 0, done.stderr
        assert built(generated) == f"mine-{number}"
    assert make(generated).returncode == 0 and built(generated) == "breast-patch"


def test_another_content_under_the_same_name_is_built_even_if_older(generated: Path, bundles: dict[str, Path]) -> None:
    mine = {"BUNDLE": bundles["1"], "BUNDLE_KEY": bundles["key"]}
    assert make(generated, **mine).returncode == 0 and built(generated) == "mine-1"
    shutil.copyfile(bundles["2"], bundles["1"])
    os.utime(bundles["1"], (LONG_AGO - 9, LONG_AGO - 9))
    assert make(generated, **mine).returncode == 0 and built(generated) == "mine-2"


def test_nothing_is_built_again_where_nothing_changed(generated: Path, bundles: dict[str, Path]) -> None:
    mine = {"BUNDLE": bundles["1"], "BUNDLE_KEY": bundles["key"]}
    assert make(generated, **mine).returncode == 0
    before = (generated / "generic" / "wearable_profile.c").stat().st_mtime_ns
    os.utime(bundles["1"])
    assert make(generated, **mine).returncode == 0
    assert (generated / "generic" / "wearable_profile.c").stat().st_mtime_ns == before


def test_a_bundle_that_is_not_there_or_not_trusted_is_an_error(generated: Path, bundles: dict[str, Path]) -> None:
    assert make(generated).returncode == 0
    missing = make(generated, BUNDLE=bundles["1"].with_name("nowhere.img"))
    assert missing.returncode != 0 and "nowhere.img' to build the network from; name a signed bundle" in missing.stderr
    unsigned = make(generated, BUNDLE=bundles["1"])
    assert unsigned.returncode != 0 and "not trusted here" in unsigned.stderr
    assert make(generated, BUNDLE=bundles["1"]).returncode != 0, "a failure is not forgotten"
    assert make(generated, BUNDLE="").returncode != 0
    assert make(generated).returncode == 0 and built(generated) == "breast-patch"


def test_make_firmware_takes_a_path_from_where_it_is_called(bundles: dict[str, Path]) -> None:
    """The top Makefile's command for the firmware, not run: a relative path must not become one of device/firmware."""
    command = ["make", "-n", "-C", str(ROOT), "firmware", "BUNDLE=some/where.img", "BUNDLE_KEY=my.pub.pem"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert f'"{ROOT}/some/where.img" "{ROOT}/my.pub.pem"' in said
