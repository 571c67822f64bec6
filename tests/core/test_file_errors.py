"""What is said of a file that the system refuses names what cures it, on real files."""

import os
from pathlib import Path

import pytest

from thermo_core.file_errors import storage_error


def refused(verb: str, path: Path) -> str:
    with pytest.raises(OSError) as caught:
        path.read_bytes() if verb == "read" else path.write_bytes(b"x")
    return str(storage_error(verb, path, caught.value))


def test_each_cause_has_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    told = {
        ("read", "none"): "no such file or directory; check its name",
        ("write", "none/x"): "no such file or directory; make its folder first",
        ("read", "."): "is a directory; name a file, not a folder",
        ("write", "."): "is a directory; name a file, not a folder",
        ("write", "file/x"): "check the name",
        ("read", "n" * 300): "give it a shorter name",
        ("read", "circle"): "name the file itself",
    }
    for (verb, name), wanted in told.items():
        said = refused(verb, tmp_path / name)
        assert said.startswith(f"Cannot {verb} {tmp_path / name}: ") and said.endswith(wanted + ".")
        assert "free space" not in said and said.count(". ") == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_asks_for_room() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert "make room" in str(storage_error("write", Path("/dev/full"), caught.value))


def test_what_the_system_says_in_its_own_words_is_passed_on() -> None:
    assert "disk on fire; name another" in str(storage_error("write", Path("x"), OSError("Disk on fire")))
    assert os.strerror(5).lower() in str(storage_error("read", Path("x"), OSError(5, os.strerror(5))))
