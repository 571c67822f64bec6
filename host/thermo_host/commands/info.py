"""`thermo-host info`: who a wearable is, what it has, what it runs and what it counted."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.management import Hello
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.inventory import SLOTS, everything
from thermo_host.link.wearable import TIMEOUT_S, Wearable


def command(
    port: PortArgument = None, baud: BaudOption = None, timeout: TimeoutOption = TIMEOUT_S, as_json: JsonOption = False
) -> None:
    """Show a wearable's sensors, models, alerts, corrections and counters."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        hello, profile, data = everything(wearable)
    output.result(data, _words(hello, profile, data))


def _words(hello: Hello, profile: Profile, data: dict[str, Any]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    whose = f" {hello.serial}{' (simulated)' if hello.simulated else ''}"
    table.add_row("wearable", Text.assemble((hello.name, "bold"), whose))
    table.add_row("port", f"{data['port']}, round trip {data['round_trip_s'] * 1000:.1f} ms")
    table.add_row("software", f"{hello.software} on {hello.platform}, protocol {hello.protocol}")
    table.add_row("profile", f"{profile.name} {profile.version}")
    for sensor in data["sensors"]:
        _sensor_rows(table, sensor)
    for model in data["models"]:
        says = model.get("scores") or [f"{one['name']} in {one['unit'] or '1'}" for one in model.get("quantities", ())]
        table.add_row(f"model {model['name']}", f"of {', '.join(model['inputs'])}: {', '.join(says)}")
    for alert in data["alerts"]:
        style = "bold red" if alert["state"] == "raised" else ""
        table.add_row(f"alert {alert['alert']}", Text(f"{alert['state']}; raised when {alert['when']}", style=style))
    if profile.person:
        known = data["person"]
        told = ", ".join(f"{name} {known[name]:g}" if name in known else f"{name} unknown" for name in profile.person)
        table.add_row("person", told)
    for image in data["images"]:
        flags = ", ".join(flag for flag in ("active", "confirmed", "pending") if image[flag])
        table.add_row(f"slot {image['slot']}", f"{image['version']} {image['sha256'][:16]} {flags}")
    if not data["images"]:
        table.add_row("bundle", "none; flash one with `thermo-host flash PORT IMAGE`")
    for sentence in hello.waived:
        table.add_row("bundle", Text(f"was signed all the same: {sentence}", style="bold yellow"))
    if hello.development_key and not hello.simulated:
        table.add_row("key", Text("trusts the development key, with which anybody can sign images", style="bold red"))
    table.add_row("up for", f"{hello.time_us / 1e6:.0f} s")
    counted = Table.grid(padding=(0, 2))
    for counter, value in sorted(data["counters"].items()):
        counted.add_row(Text(counter, style="dim"), str(value))
    return Group(table, Text("\ncounters since the start", style="bold"), counted, Text(f"\n{NOTICE}", style="yellow"))


def _sensor_rows(table: Table, sensor: dict[str, Any]) -> None:
    parts = [sensor["kind"]]
    path = sensor.get("path")
    if path:
        parts.append("at " + ", ".join(f"0x{hop:02x}" if isinstance(hop, int) else str(hop) for hop in path))
    parts += [f"id {sensor['id']}"] * bool(sensor["id"])
    parts += [f"{sensor['rate_hz']:g} Hz"] * bool(sensor["rate_hz"])
    parts += [f"on {sensor['place']}"] * bool(sensor.get("place"))
    if sensor.get("emissivity") is not None:
        reflected = sensor.get("reflected_celsius")
        parts.append(f"emissivity {sensor['emissivity']:.2f}")
        parts.append("reflected Ta - 8 K" if reflected is None else f"reflected {reflected:.1f} °C")
    table.add_row(f"sensor {sensor['name']}", ", ".join(parts))
    for reason in ("fault", "warning"):
        if sensor.get(reason):
            table.add_row("", Text(sensor[reason], style="bold red"))
    for name, correction in sensor["corrections"].items():
        if correction is not None or name == SLOTS[0]:
            table.add_row("  correction" if name == SLOTS[0] else "  before it", _correction_words(correction))


def _correction_words(correction: dict[str, Any] | None) -> str:
    if correction is None:
        return "none; run `thermo-host calibrate`"
    if "problem" in correction:
        return str(correction["problem"])
    bad = f", {correction['bad_pixels']} bad pixels" if "bad_pixels" in correction else ""
    return f"of {correction['created']}, residual {correction['residual_rms']:.3g} rms{bad}"
