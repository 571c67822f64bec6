"""Names files that are not what their name promises, though nothing is damaged: what stands in for them, and the cure."""

_GIT_LFS = b"version https://git-lfs.github.com/spec/"
_PAGES = (b"<!doctype html", b"<html")
LONGEST_MARK = 256
"""Bytes from a file's beginning that are enough."""


def stand_in(head: bytes) -> str:
    """What a file is instead of what was asked for, with what to do about it; "" where nothing is known of it.

    Args:
        head: the file's first bytes, `LONGEST_MARK` or more of them where it has as many.

    Returns:
        Words that finish "The file is".
    """
    if head.startswith(_GIT_LFS):
        return "a Git LFS pointer and not the file itself; run `git lfs pull` in its repository, or download the file by itself"
    if head[:LONGEST_MARK].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        return "a web page and not the file itself; download the file by its raw link"
    return ""
