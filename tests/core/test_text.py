"""Foreign text: nothing that a terminal obeys is left of it, and what can be printed stays as it was."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thermo_core.text import clean

ESCAPES = st.sampled_from(
    [
        "\x1b",
        "\x1b[",
        "\x1b]52;c;",
        "\x9b",
        "\x9d0;",
        "\x07",
        "\x1b\\",
        "\x9c",
        "\x1bP",
        "\u202e",
        "\u2066",
        "\r",
        "[bold]",
    ]
)


@given(st.lists(st.text() | ESCAPES).map("".join))
@example("\x1b]0;title")
def test_what_is_left_is_one_printable_line(text: str) -> None:
    shown = clean(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)
    assert clean(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=1000))
def test_printable_text_stays_as_it_was(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;bWFsd2FyZQ==\x07skin", "skin"),
        ("\x1b]0;Certified medical device\x1b\\skin", "skin"),
        ("\x9d0;title\x9cskin", "skin"),
        ("a\x1b[2J\x1b[Hb\x9b31mc", "abc"),
        ("a\x1bcb\x1b(0c", "abc"),
        ("\x1bP1$rdata\x1b\\skin", "skin"),
        ("left\u202eright\u2066", "leftright"),
        ("two\nlines\tand\rmore", "two lines and more"),
        ("bell\x07, delete\x7f", "bell\ufffd, delete\ufffd"),
        ("half \ud800 of a pair", "half \ufffd of a pair"),
        ("[red]not markup[/x]", "[red]not markup[/x]"),
        ("Brust \u00e4u\u00dferst links, \u5de6\u80f8", "Brust \u00e4u\u00dferst links, \u5de6\u80f8"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_what_is_too_long_is_cut() -> None:
    assert clean("x" * 30, 10) == "x" * 9 + "\u2026"
    assert clean("x" * 10, 10) == "x" * 10
