"""Text that somebody else wrote, made fit to be shown.

A terminal obeys what it prints: escape sequences clear it, rename its window and write into the clipboard, and marks of
direction turn a line around. A device, a file and another program's answer are other people's text; each is cleaned where
it comes in.
"""

import re
import unicodedata

LONGEST = 1000
"""Characters that are kept of a text; no sentence of ours comes near it."""
REPLACEMENT = "\ufffd"

_SEQUENCES = re.compile(
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # operating system command
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\\\|\x9c)?"  # device control, start of string, privacy, application
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # control sequence
    "|\x1b[ -/]*[0-~]?"
)
_BLANK = "\t\n\v\f\r\x85\u2028\u2029"
_UNSEEN = "Cf"
"""Category of characters that show nothing themselves: marks of direction, joiners, tags."""


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of printable characters, none of which a terminal obeys.

    Escape sequences go whole, characters that cannot be seen go too, line ends and tabs become spaces, any other character
    that cannot be printed `REPLACEMENT`. Printable text comes back as it was.

    Args:
        text: from anybody.
        longest: characters; what is longer is cut and ends in an ellipsis.
    """
    if not text.isprintable():
        text = "".join(map(_shown, _SEQUENCES.sub("", text)))
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character in _BLANK:
        return " "
    if unicodedata.category(character) == _UNSEEN:
        return ""
    # The other spaces of Unicode are printed as what they are, although Python does not call them printable.
    return " " if character.isspace() else REPLACEMENT
