"""Files that are whole or not there, alone and together, names that lead nowhere, and nothing too large to be ours."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import StorageError, UsageError
from thermo_core.files import check_folder, file_name, read_file, refuse_overwriting, replacing, write_file, write_files


def test_a_git_lfs_pointer_is_named_and_not_taken_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.img"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(StorageError, match=r"bundle\.img is a Git LFS pointer .*git lfs pull"):
        read_file(path)
    path.write_bytes(b"content")
    assert read_file(path) == b"content"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise RuntimeError
    assert read_file(path) == b"old"
    write_file(path, b"new")
    assert read_file(path) == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot read"):
        read_file(tmp_path / "none")
    with pytest.raises(StorageError, match="Cannot write"):
        write_file(tmp_path / "no" / "folder", b"")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(1001))
    assert len(read_file(path, 1001)) == 1001
    with pytest.raises(UsageError, match="more than 1000 bytes"):
        read_file(path, 1000)


@given(
    st.text() | st.sampled_from(["../../etc/passwd", "..", "/", "a/b\\c", ".hidden", "\x00", "caf\u00e9", "x" * 300])
)
def test_a_text_of_somebody_elses_leads_nowhere(text: str) -> None:
    name = file_name(text)
    assert Path(name).name == name
    assert 0 < len(name) <= 64
    assert name.isascii() and name.isprintable()
    assert not name.startswith(".")


def test_a_file_that_cannot_be_written_leaves_its_companions_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"old")
    (tmp_path / "report").mkdir()
    with pytest.raises(StorageError, match=r"Cannot write .*report: is a directory"):
        write_files({tmp_path / "model": b"new", tmp_path / "report": b"new"})
    assert (tmp_path / "model").read_bytes() == b"old"
    with pytest.raises(StorageError, match="absent"):
        write_files({tmp_path / "model": b"new", tmp_path / "absent" / "report": b"new"})
    assert (tmp_path / "model").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "report"]
    write_files({tmp_path / "model": b"new", tmp_path / "other": b"too"})
    assert [(tmp_path / name).read_bytes() for name in ("model", "other")] == [b"new", b"too"]


def test_a_folder_that_cannot_be_is_found_out_beforehand(tmp_path: Path) -> None:
    check_folder(tmp_path / "some" / "where")
    assert not (tmp_path / "some").exists()
    (tmp_path / "file").write_bytes(b"")
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageError, match="file is a file; name another"):
            check_folder(wrong)


def test_a_folder_nobody_may_write_to_is_found_out_whoever_asks() -> None:
    """Asking for permissions tells root that all may be written, /proc too."""
    if not Path("/proc/self").exists():
        pytest.skip("hardware absent: no /proc")
    for wrong in ("/proc/x", "/proc/x/y", "/proc"):
        with pytest.raises(StorageError, match=f"Cannot write to the folder {wrong}"):
            check_folder(Path(wrong))


def test_files_are_replaced_only_when_told(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_bytes(b"old")
    refuse_overwriting({there: b"old", new: b"x"}, force=False)
    refuse_overwriting({there: b"other", new: None}, force=True)
    refuse_overwriting({new: None}, force=False)
    for content in (b"other", b"", None):
        with pytest.raises(UsageError, match="there is there already; name another place, or add --force"):
            refuse_overwriting({there: content}, force=False)
