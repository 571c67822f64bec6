"""Files that are whole or not there, names that lead nowhere, and nothing too large to be ours."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import StorageError
from thermo_host.files import file_name, read_whole, replacing, write_whole


def test_a_git_lfs_pointer_is_named_and_not_taken_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.img"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(StorageError, match=r"bundle\.img is a Git LFS pointer .*git lfs pull"):
        read_whole(path)
    path.write_bytes(b"content")
    assert read_whole(path) == b"content"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError
    assert read_whole(path) == b"old"
    write_whole(path, b"new")
    assert read_whole(path) == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot read"):
        read_whole(tmp_path / "none")
    with pytest.raises(StorageError, match="Cannot write"):
        write_whole(tmp_path / "no" / "folder", b"")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(1001))
    assert len(read_whole(path, 1001)) == 1001
    with pytest.raises(StorageError, match="more than"):
        read_whole(path, 1000)


@given(
    st.text() | st.sampled_from(["../../etc/passwd", "..", "/", "a/b\\c", ".hidden", "\x00", "caf\u00e9", "x" * 300])
)
def test_a_text_of_somebody_elses_leads_nowhere(text: str) -> None:
    name = file_name(text)
    assert Path(name).name == name
    assert 0 < len(name) <= 64
    assert name.isascii() and name.isprintable()
    assert not name.startswith(".")
