"""Files read as a whole."""

from pathlib import Path

import pytest

from thermo_core.errors import StorageError
from thermo_host.files import read_whole


def test_a_git_lfs_pointer_is_named_and_not_taken_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.img"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(StorageError, match=r"bundle\.img is a Git LFS pointer .*git lfs pull"):
        read_whole(path)
    path.write_bytes(b"content")
    assert read_whole(path) == b"content"
