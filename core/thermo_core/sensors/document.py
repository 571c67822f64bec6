"""Writes docs/sensors.md from the registry: `python -m thermo_core.sensors.document docs/sensors.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thermo_core.field_table import about, field_table
from thermo_core.sensors import SETTINGS
from thermo_core.sensors.bus_load import bus_load
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.settings import BusSensorSettings, SensorSettings
from thermo_core.sensors.wiring import Wiring, drawn
from thermo_core.signals import Signal
from thermo_core.typed import convert

_HEAD = """\
# Sensors

What a profile may have as `[[sensors]]`; `python -m thermo_core.sensors.document docs/sensors.md` writes this page from
`core/thermo_core/sensors`. Every sensor has a `name`, which is that of its main signal, and may have a `place` in words; a chip
on the bus has a `path`: its address, behind the channels of multiplexers that lead to it, as in `["tca9548a@0x70:0", 0x3A]`.

A reading that cannot be believed has no value and says why: off skin, saturated, missing, stale, implausible. `uncalibrated` marks
what our own calibration has not seen yet. Bus time and current are those of the settings left as they are, without faults.

Wiring is for a bus of 3.3 V. SDA and SCL have pull-ups to 3.3 V once on each stretch of the bus, 2.2 to 4.7 kΩ at 400 kHz; each channel of a
multiplexer is a stretch of its own.
"""
_MULTIPLEXER = Wiring(
    (1.65, 5.5),
    {
        "VCC": "3.3 V, 100 nF close by",
        "GND": "ground",
        "A0, A1, A2": "ground: 0, VCC: 1, 2 and 4 more than 0x70",
        "RESET": "3.3 V over 10 kΩ, or a pin of the host",
        "SD0, SC0-SD7, SC7": "SDA and SCL of eight stretches",
    },
)
_MULTIPLEXER_HEAD = """\
No sensor but a part of the path to some: eight stretches of the bus, of which one is open at a time. Address 0x70 to 0x77; a path leads through
up to two of them.
"""
_NEEDED: dict[str, dict[str, Any]] = {"ads1115-ntc": {"channels": [{"name": "left"}, {"name": "right"}]}}
"""What has no default, for an example."""
_ELSEWHERE = frozenset({"kind", "name", "place", "path"})


def page() -> str:
    """The page."""
    multiplexer = "\n".join(
        ["## tca9548a\n", _MULTIPLEXER_HEAD.rstrip() + "\n", "```text", *drawn("tca9548a", _MULTIPLEXER), "```"]
    )
    return "\n".join([_HEAD, *(part for kind in SETTINGS for part in _section(kind)), multiplexer]).rstrip() + "\n"


def _section(kind: type[SensorSettings]) -> Iterator[str]:
    name = str(kind.__struct_config__.tag)
    yield f"## {name}\n"
    yield " ".join(about(kind).split()) + "\n"
    yield from field_table(kind, "setting", _NEEDED.get(name, {}), _ELSEWHERE)
    example = _example(kind)
    yield "\n| signal | shape | unit | a second |\n|---|---|---|---|"
    yield from (_signal_row(name, signal) for signal in example.signals)
    facts = " ".join(_facts(example, name))
    yield f"\n{facts}\n" if facts else ""
    if issubclass(kind, BusSensorSettings):
        yield "\n".join(
            ["```text", *drawn(name, kind.wiring), "```", *([kind.wiring.note] if kind.wiring.note else []), ""]
        )


def _example(kind: type[SensorSettings]) -> SensorSettings:
    plain: dict[str, Any] = {"name": "name", **_NEEDED.get(str(kind.__struct_config__.tag), {})}
    if issubclass(kind, BusSensorSettings):
        plain["path"] = [kind.addresses[0] if kind.addresses else 0x33]
    return convert(plain | {"kind": kind.__struct_config__.tag}, kind)


def _signal_row(kind: str, signal: Signal) -> str:
    shape = " x ".join(map(str, signal.shape)) or "a number"
    rate = f"{signal.rate_hz:g}" if signal.rate_hz else "now and then"
    return f"| `{signal.name.replace('name', 'NAME', 1)}` | {shape} | {signal.unit or '-'} | {rate} |"


def _facts(example: SensorSettings, name: str) -> Iterator[str]:
    if isinstance(example, BusSensorSettings):
        if example.addresses:
            yield f"Address {' or '.join(f'0x{address:02X}' for address in example.addresses)}."
        frequency_hz = min(400_000, example.max_bus_hz)
        load = bus_load([example], frequency_hz).sensors[0]
        yield (
            f"Bears {example.max_bus_hz // 1000} kHz; at {frequency_hz // 1000} kHz it keeps the bus busy for "
            f"{1000 * load.share:.3g} ms a second, {1000 * load.longest_s:.2g} ms at once. "
            f"Draws about {example.supply_ma:.2g} mA."
        )
    row = KINDS.get(name)
    if row is not None and row.constants is not None:
        yield f"Its constants are {row.constants.size} bytes of its EEPROM."
    if row is not None and row.correction is not None:
        yield _sentence(row.correction.__doc__ or "")


def _sentence(text: str) -> str:
    """The first of a correction's docstring, as it reads on."""
    return "Corrected by " + text[0].lower() + " ".join(text.split("\n\n")[0].split())[1:]


def main() -> None:
    """Write the page."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
