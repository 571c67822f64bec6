"""What a file is that somebody gave in place of another: enough of it to say so and what to do."""

_MAGICS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer and not the file itself; run `git lfs pull` first",
    ),
    (b"\x89MCAP0\r\n", "an MCAP recording; use `thermo-host replay` or `export`"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "compressed with gzip; unpack it with gunzip"),
    (b"BZh", "compressed with bzip2; unpack it with bunzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz; unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it with unzstd"),
    (b"\x89HDF\r\n", "an HDF5 file; save its arrays with numpy.savez instead"),
    (b"MATLAB 5.0", "a MATLAB file; save its arrays with scipy.io.loadmat and numpy.savez instead"),
    (b"PAR1", "a Parquet file; save its columns as CSV instead"),
    (b"\x7fELF", "a program"),
)
_PICKLE = (
    "a Python pickle, which can run any program when it is opened, so it is never loaded; in the program that made it, save "
    "the numbers with numpy.savez instead"
)
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_WEB_PAGE = "a web page, often what a server sends in place of a file; download the file itself"


def known_kind(data: bytes) -> str:
    """What a file is and what to do, as reads on from "it is"; "" where its first bytes do not tell.

    Args:
        data: its first 64 bytes or more.
    """
    for magic, kind in _MAGICS:
        if data.startswith(magic):
            return kind
    if data[:2] in _PICKLE_STARTS:
        return _PICKLE
    if data[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return _WEB_PAGE
    return ""
