"""`thermo-host info`: who a wearable is, what it has, what it runs and what it counted."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core import schema
from thermo_core.errors import CorrectionError, RefusedError
from thermo_core.graph.alerts import AlertState
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kinds import KINDS
from thermo_core.text import clean
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.management import Hello
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.sinks.describe import utc_of_second

SLOTS = ("current", "previous")


def command(
    port: PortArgument = None, baud: BaudOption = None, timeout: TimeoutOption = TIMEOUT_S, as_json: JsonOption = False
) -> None:
    """Show a wearable's sensors, models, alerts, corrections and counters."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        hello = wearable.hello()
        profile = profile_of(wearable)
        data: dict[str, Any] = {
            "port": wearable.port,
            "hello": _hello(hello),
            "sensors": [_sensor(wearable, hello, profile, at) for at in range(len(profile.sensors))],
            "models": [_model(model) for model in profile.models],
            "alerts": _alerts(wearable, profile),
            "person": wearable.person() if profile.person else {},
            "images": [_image(state) for state in wearable.images()],
            "counters": dict(wearable.counters()),
            "round_trip_s": 2 * wearable.clock.uncertainty_s,
        }
    output.result(data, _words(hello, profile, data))


def _hello(hello: Hello) -> dict[str, Any]:
    plain: dict[str, Any] = schema.to_plain(hello)
    for name in ("profile_sha256", "bundle_sha256"):
        plain[name] = getattr(hello, name).hex()
    for shown, state in zip(plain["sensors"], hello.sensors, strict=True):
        shown["id"] = state.id.hex()
    return plain


def _image(state: Any) -> dict[str, Any]:
    flags = ("bootable", "pending", "confirmed", "active", "permanent")
    return {
        "slot": state.slot,
        "version": clean(state.version),
        "sha256": state.hash.hex() if state.hash else "",
        **{flag: bool(getattr(state, flag)) for flag in flags},
    }


def _sensor(wearable: Wearable, hello: Hello, profile: Profile, number: int) -> dict[str, Any]:
    settings = schema.to_readable(profile.sensors[number])
    state = schema.to_plain(hello.sensors[number]) if number < len(hello.sensors) else {}
    state["id"] = state.get("id", b"").hex()
    corrections = {}
    if KINDS[profile.sensors[number].kind].correction is not None:
        corrections = {name: _correction(wearable, number, slot) for slot, name in enumerate(SLOTS)}
    return {"sensor": number, **settings, **state, "corrections": corrections}


def _correction(wearable: Wearable, sensor: int, slot: int) -> dict[str, Any] | None:
    try:
        correction = wearable.correction(sensor, slot)
    except (CorrectionError, RefusedError) as error:
        return {"problem": str(error)}
    return None if correction is None else _stamp(correction)


def _stamp(correction: Correction) -> dict[str, Any]:
    stamp = correction.stamp
    bad = getattr(correction, "bad", None)
    return {
        "sensor_id": stamp.sensor_id.hex(),
        "created": utc_of_second(stamp.created_unix_s),
        "residual_rms": round(stamp.residual_rms, 6),
        **({} if bad is None else {"bad_pixels": int(bad.sum())}),
    }


def _model(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = schema.to_readable(model)
    return {name: value for name, value in plain.items() if value is not None}


def _alerts(wearable: Wearable, profile: Profile) -> list[dict[str, Any]]:
    states = wearable.alerts() if profile.alerts else ()
    return [
        {
            "alert": alert.name,
            "when": alert.when,
            "severity": alert.severity,
            "text": alert.text,
            "state": AlertState(now.state).name.lower() if now.state < len(AlertState) else str(now.state),
            "since_us": now.time_us,
        }
        for alert, now in zip(profile.alerts, states, strict=False)
    ]


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
