"""What a person is told of a file that the system refuses: which, why, and what cures that."""

import errno
from collections.abc import Mapping
from pathlib import Path

from thermo_core.errors import StorageError

WRITING = ("write", "create", "make directory")
_CURES: Mapping[int, str] = {
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "what stands for a folder in it is a file, so check the name",
    errno.EACCES: "change its permissions, or name another",
    errno.EPERM: "change its permissions, or name another",
    errno.EROFS: "name a place that can be written",
    errno.ENOSPC: "make room, or name another disk",
    errno.EDQUOT: "make room, or name another disk",
    errno.EFBIG: "name a file system that holds files as large",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "its links lead in a circle, so name the file itself",
    errno.EIO: "the medium may be failing, so copy what is left of it and name another",
}


def storage_error(verb: str, path: Path, error: OSError) -> StorageError:
    """One sentence for a file that cannot be read or written.

    Args:
        verb: what failed, such as "read" or "write".
        path: the file.
        error: what the system said.
    """
    reason = (error.strerror or str(error)).lower()
    return StorageError(f"Cannot {verb} {path}: {reason}; {_cure(verb, error)}.")


def _cure(verb: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "make its folder first" if verb in WRITING else "check its name"
    return _CURES.get(error.errno or 0, "name another")
