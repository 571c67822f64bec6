"""What stands in for a file is told from the file."""

import pytest

from thermo_core.foreign import stand_in

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (POINTER, "git lfs pull"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><html>", "web page"),
        (b"<html lang=en>", "web page"),
        (b"", ""),
        (b"\x1c\0\0\0TFL3", ""),
        (b"PK\x03\x04", ""),
        (b"version 1 of something else", ""),
        (b"x" * 300 + POINTER, ""),
        (b" " * 300 + b"<html>", ""),
    ],
)
def test_stand_ins_are_named_and_nothing_else_is(head: bytes, word: str) -> None:
    found = stand_in(head)
    assert (word in found) if word else (found == "")
