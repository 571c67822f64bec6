"""Writes docs/wearable.md from the types of a profile: `python -m thermo_core.wearable.document docs/wearable.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from thermo_core.field_table import about, field_table
from thermo_core.schema import Record
from thermo_core.sensors import SETTINGS
from thermo_core.stages import OPS
from thermo_core.wearable.condition import COMPARISONS
from thermo_core.wearable.file import FileModel, WearableFile
from thermo_core.wearable.person import FIELDS
from thermo_core.wearable.profile import Alert, Duration, Quantity
from thermo_core.wire.table import LIMITS

_HEAD = """\
# wearable.toml

Every field of a wearable's file; `python -m thermo_core.wearable.document docs/wearable.md` writes this page from the types that read
it. [wearables.md](wearables.md) tells how to write one and what to run, [wearable.schema.json](wearable.schema.json) is the same for
editors. A field that is not listed is refused, with its file and line.

A **name** has lower-case letters, digits, `-` and `_`, begins with a letter, and has at most 48 characters. A **signal** is called
by the name of its sensor or stage, by a part of it (`skin.ta`, `person.weight_kg`), or, as what a network gives, `MODEL.raw`.
"""
_TABLES = frozenset({"sensors", "stages", "models", "alerts"})


def page() -> str:
    """The page."""
    return "\n".join([_HEAD, *_parts()]).rstrip() + "\n"


def _parts() -> Iterator[str]:
    yield from _section("At the top", WearableFile, "What stands before the first table.", _TABLES)
    yield "## [[sensors]]\n"
    kinds = ", ".join(f"`{kind.__struct_config__.tag}`" for kind in SETTINGS)
    yield (
        f"A `name`, a `kind` ({kinds}), a `path` for a chip on the bus, a `place` on the body in words, and what the kind "
        "takes: [sensors.md](sensors.md).\n"
    )
    yield "## [[stages]]\n"
    names = ", ".join(f"`{name}`" for name in OPS)
    yield (
        f"An `op` ({names}), `of` (a signal, or a list of them), `gives` (the signal it makes), and what the operation takes: "
        '[stages.md](stages.md). A list of constants may be an array of a NumPy file beside this one: `"features.npz:centre"`.\n'
    )
    yield from _section("[[models]]", FileModel)
    yield from _section("Quantities of a model", Quantity)
    yield from _section("[[alerts]]", Alert)
    yield from _section("`for` of an alert", Duration)
    yield "## Conditions\n"
    yield (
        "`when` and `clear` of an alert compare one number with another: an output of a model (`lesion.lesion`; a label in "
        "lower case, with one `-` for all between its letters and digits), a signal of one number (`pulse`), or one element of a signal "
        "(`feet[1]`, from 0), then one of "
        f"{', '.join(f'`{sign}`' for sign in COMPARISONS)}, then a number. A unit behind it (`feet[1] < 15 degC`) must be that of "
        "what is compared, so that a rule in degrees is refused once a stage such as `equalise` leaves none. "
        "Both are compared as float32. A value that is not there, or "
        "flagged as one that cannot be believed, neither raises nor clears.\n"
    )
    yield "## What must be known of the wearer\n"
    yield "| `person` | from | to | what |\n|---|---|---|---|"
    for name, field in FIELDS.items():
        yield f"| `{name}` | {field.low:g} | {field.high:g} | {field.about}{f', {field.unit}' if field.unit else ''} |"
    yield "\nEach is a signal, `person.NAME`, without a value until `thermo-host person` has told it.\n"
    yield "## Limits\n"
    yield "| what | from | to |\n|---|---|---|"
    for limit in LIMITS.values():
        yield f"| {limit.about} | {limit.low:g} | {f'{limit.high:g} {limit.unit}'.strip()} |"


def _section(title: str, kind: type[Record], text: str = "", elsewhere: frozenset[str] = frozenset()) -> Iterator[str]:
    yield f"## {title}\n"
    yield (text or about(kind.__mro__[1] if kind is FileModel else kind)) + "\n"
    yield from field_table(kind, "field", elsewhere=elsewhere)
    yield ""


def main() -> None:
    """Write the page."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
