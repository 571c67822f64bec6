"""Files that belong together are replaced together or not at all."""

from pathlib import Path

import pytest

from thermo_core.errors import StorageError, UsageError
from thermo_quantize.files import check_folder, refuse_overwriting, write_files


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
