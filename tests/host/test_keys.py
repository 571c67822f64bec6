"""Key pairs: readable by core and imgtool, private to their owner, never overwritten."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from thermo_core.errors import StorageError, UsageError
from thermo_core.image import DEVELOPMENT_KEY_SHA256, Version, key_hash, load_private_key, load_public_key, sign, verify
from thermo_host.keys import generate_key_pair


def test_pair_signs_and_verifies(tmp_path: Path) -> None:
    pair = generate_key_pair(tmp_path / "mine")
    assert (pair.private, pair.public) == (tmp_path / "mine.pem", tmp_path / "mine.pub.pem")
    private, public = load_private_key(pair.private.read_bytes()), load_public_key(pair.public.read_bytes())
    assert verify(sign(b"content", Version(1), private), [public]).payload == b"content"
    assert pair.key_hash == key_hash(public)
    assert pair.key_hash != DEVELOPMENT_KEY_SHA256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.pem", "mine.pub.pem"]


def test_two_pairs_differ(tmp_path: Path) -> None:
    assert generate_key_pair(tmp_path / "a").key_hash != generate_key_pair(tmp_path / "b.pem").key_hash
    assert (tmp_path / "b.pem").exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_private_half_is_the_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        pair = generate_key_pair(tmp_path / "mine")
    finally:
        os.umask(before)
    assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
    assert stat.S_IMODE(pair.public.stat().st_mode) == 0o644


def test_imgtool_reads_the_pair(tmp_path: Path) -> None:
    pair = generate_key_pair(tmp_path / "mine")
    program = "import sys; from imgtool.main import imgtool; sys.exit(imgtool())"
    words = [sys.executable, "-W", "ignore", "-c", program, "getpub", "-k", str(pair.private), "-e", "pem"]
    done = subprocess.run([*words, "-o", str(tmp_path / "out.pem")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.pem").read_bytes() == pair.public.read_bytes()


@pytest.mark.parametrize("existing", ["mine.pem", "mine.pub.pem"])
def test_nothing_is_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_bytes(b"precious")
    with pytest.raises(UsageError, match=rf"{existing} exists"):
        generate_key_pair(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_bytes() == b"precious"


def test_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="exists"):
        generate_key_pair(tmp_path / "mine")
    assert not (tmp_path / "elsewhere").exists()


def test_name_taken_at_the_last_moment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process makes the public half between the check and the write: no half a pair stays."""
    monkeypatch.setattr("os.path.lexists", lambda path: False)
    (tmp_path / "mine.pub.pem").write_bytes(b"precious")
    with pytest.raises(UsageError, match="exists"):
        generate_key_pair(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.pub.pem"]


def test_missing_folder_and_missing_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        generate_key_pair(tmp_path / "missing" / "mine")
    with pytest.raises(UsageError, match="name"):
        generate_key_pair(Path("/"))


def test_a_folder_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        generate_key_pair(tmp_path)
    assert not tmp_path.with_name(tmp_path.name + ".pem").exists()
