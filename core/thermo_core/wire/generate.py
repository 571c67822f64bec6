"""Writes what others repeat of `table`, `events` and `quality`: the C header, and the tables of docs/wire.md.

    python -m thermo_core.wire.generate FOLDER      writes device/firmware/core/wire_table.h and docs/wire.md below FOLDER anew

In the page, what stands between `<!-- table: NAME -->` and `<!-- end -->` is written anew; all else is left as it is.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from pathlib import Path

from thermo_core.errors import StorageError, UsageError
from thermo_core.graph.alerts import AlertState
from thermo_core.quality import WORDS, Quality
from thermo_core.signals import DEPTHS, GAP_PERIODS
from thermo_core.wearable.person import FIELDS
from thermo_core.wire import events, table

HEADER = Path("device/firmware/core/wire_table.h")
PAGE = Path("docs/wire.md")

_MARK = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ENUMS: tuple[tuple[str, type[IntEnum]], ...] = (
    ("record_type", table.RecordType),
    ("severity", table.Severity),
    ("output_kind", table.OutputKind),
    ("command", table.Command),
    ("group_error", table.GroupError),
    ("stream_op", table.StreamOp),
    ("alert_state", AlertState),
)


def header() -> str:
    """device/firmware/core/wire_table.h."""
    parts = [
        "/* Numbers that are the same on both ends of the line. Made by python -m thermo_core.wire.generate. */\n/* clang-format off */",
        "#ifndef WIRE_TABLE_H\n#define WIRE_TABLE_H",
        f"#define PROTOCOL {table.PROTOCOL}",
        *(_enum(name, kind) for name, kind in _ENUMS),
        _quality(),
        _defines("LIMIT", {name: limit.high for name, limit in table.LIMITS.items()}),
        f"#define NO_SENSOR {table.NO_SENSOR}\n#define MAX_EVENT_TEXT {table.MAX_EVENT_TEXT}\n"
        f"#define SIGNAL_VALUES {table.SIGNAL_VALUES}\n#define MAX_FED {table.MAX_FED}\n#define HELLO_SENSORS {table.HELLO_SENSORS}\n"
        f"#define KEPT_EVERY_S {table.KEPT_EVERY_S}\n"
        f"#define GAP_PERIODS {GAP_PERIODS}\n#define DEPTHS {DEPTHS}",
        "/* Faults: counted, and reported as events. X(CONSTANT, name, code, severity, sentence) */\n"
        + _table("FAULTS", (_event(name, event) for name, event in events.FAULTS.items())),
        "/* The device's own events. X(CONSTANT, code, severity) */\n"
        + _table(
            "NOTICES",
            (f"X({name.upper()}, {event.code}, {event.severity.name})" for name, event in events.NOTICES.items()),
        ),
        "/* Counters that are no faults. X(CONSTANT, name) */\n"
        + _table("COUNTS", (f"X({name.upper()}, {name})" for name in events.COUNTS)),
        "/* What can be known of a wearer. X(CONSTANT, name, low, high) */\n"
        + _table(
            "PERSON_FIELDS",
            (f"X({name.upper()}, {name}, {float(f.low)}F, {float(f.high)}F)" for name, f in FIELDS.items()),
        ),
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"


def _enum(name: str, kind: type[IntEnum]) -> str:
    lines = "".join(f"  {name.upper()}_{member.name} = {member.value},\n" for member in kind)
    return f"enum {name} {{\n{lines}}};"


def _quality() -> str:
    lines = "".join(f"  QUALITY_{flag.name} = 1 << {flag.bit_length() - 1},\n" for flag in Quality)
    return f"/* Whether a reading can be believed; bits of a uint16_t. */\nenum quality {{\n{lines}}};"


def _defines(prefix: str, values: Mapping[str, float]) -> str:
    return "\n".join(f"#define {prefix}_{name.upper()} {value:g}" for name, value in values.items())


def _event(name: str, event: events.Event) -> str:
    return f'X({name.upper()}, {name}, {event.code}, {event.severity.name}, "{event.text}")'


def _table(name: str, rows: Iterable[str]) -> str:
    return f"#define {name}(X) \\\n" + " \\\n".join(f"  {row}" for row in rows)


def tables() -> dict[str, str]:
    """Tables of docs/wire.md by name."""
    return {
        "events": _markdown(
            ("code", "counter", "severity", "meaning"),
            [
                *((str(e.code), f"`{name}`", e.severity.name.lower(), e.text) for name, e in events.FAULTS.items()),
                *((str(e.code), "", e.severity.name.lower(), e.text) for e in events.NOTICES.values()),
            ],
        ),
        "counters": _markdown(("counter", "counts"), [(f"`{name}`", text) for name, text in events.COUNTS.items()]),
        "quality": _markdown(
            ("bit", "flag", "shown as"),
            [(str(flag.bit_length() - 1), f"`{flag.name}`", WORDS[flag]) for flag in Quality],
        ),
        "errors": _markdown(("code", "means"), [(str(int(code)), text) for code, text in table.GROUP_ERRORS.items()]),
        "limits": _markdown(
            ("limit", "from", "to"),
            [
                (limit.about, f"{limit.low:g}", f"{limit.high:g} {limit.unit}".strip())
                for limit in table.LIMITS.values()
            ],
        ),
    }


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines).replace("|  |", "| |")


def page(text: str) -> str:
    """docs/wire.md with its tables anew.

    Raises:
        UsageError: it asks for a table that is none.
    """
    made = tables()

    def put(found: re.Match[str]) -> str:
        if found["name"] not in made:
            raise UsageError(f"There is no table {found['name']!r}; there are {', '.join(made)}.")
        return f"{found[1]}{made[found['name']]}{found[3]}"

    return _MARK.sub(put, text)


def write(folder: Path) -> list[Path]:
    """Write both files anew.

    Raises:
        StorageError: one cannot be read or written.
    """
    written: list[Path] = []
    makers: tuple[tuple[Path, Callable[[str], str]], ...] = ((HEADER, lambda _: header()), (PAGE, page))
    for name, make in makers:
        path = folder / name
        try:
            path.write_text(make(path.read_text() if path.exists() else ""))
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}); give the project's folder.") from error
        written.append(path)
    return written


if __name__ == "__main__":
    for file in write(Path(sys.argv[1] if len(sys.argv) > 1 else ".")):
        print(file)
