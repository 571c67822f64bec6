"""`thermo-host info`: who a wearable is, what it has, what it runs and what it counted."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from thermo_core.correction import Correction
from thermo_core.profile import NOTICE
from thermo_core.recording.plain import to_plain

from thermo_core.errors import CorrectionError
from thermo_core.text import clean
from thermo_core.wire.management import Hello, SensorInfo
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.sinks.describe import utc_of_second


def command(
    port: PortArgument = None, baud: BaudOption = None, timeout: TimeoutOption = TIMEOUT_S, as_json: JsonOption = False
) -> None:
    """Show a wearable's sensors, model, calibration and counters."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        hello = wearable.hello()
        images = [_image(state) for state in wearable.images()]
        calibrations = {name: _calibration(wearable, slot) for slot, name in enumerate(("current", "previous"))}
        counters = dict(wearable.counters())
        round_trip_s = 2 * wearable.clock.uncertainty_s
        name = wearable.port
    data: dict[str, Any] = {
        "port": name,
        "hello": _hello(hello),
        "images": images,
        "calibration": calibrations,
        "counters": counters,
        "round_trip_s": round_trip_s,
    }
    output.result(data, _words(name, hello, images, calibrations, counters, round_trip_s))


def _hello(hello: Hello) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(hello)
    for shown, info in zip(plain["sensors"], hello.sensors, strict=True):
        shown["id"] = info.id.hex()
    return plain


def _image(state: Any) -> dict[str, Any]:
    flags = ("bootable", "pending", "confirmed", "active", "permanent")
    return {
        "slot": state.slot,
        "version": clean(state.version),
        "sha256": state.hash.hex() if state.hash else "",
        **{flag: bool(getattr(state, flag)) for flag in flags},
    }


def _calibration(wearable: Wearable, slot: int) -> dict[str, Any] | None:
    try:
        correction = wearable.calibration(slot)
    except CorrectionError as error:
        return {"damaged": str(error)}
    return None if correction is None else _describe(correction)


def _describe(correction: Correction) -> dict[str, Any]:
    return {
        "sensor_id": correction.sensor_id.hex(),
        "created": utc_of_second(correction.created_unix_s),
        "residual_rms_k": round(correction.residual_rms_k, 5),
        "bad_pixels": int(correction.bad.sum()),
    }


def _words(
    port: str,
    hello: Hello,
    images: list[dict[str, Any]],
    calibrations: dict[str, dict[str, Any] | None],
    counters: dict[str, int],
    round_trip_s: float,
) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row(
        "wearable", Text.assemble((hello.name, "bold"), f" {hello.serial}{' (simulated)' if hello.simulated else ''}")
    )
    table.add_row("port", f"{port}, round trip {round_trip_s * 1000:.1f} ms")
    table.add_row("software", f"{hello.software} on {hello.platform}, protocol {hello.protocol}")
    table.add_row("profile", hello.profile)
    for sensor in hello.sensors:
        table.add_row(f"sensor {sensor.sensor}", _sensor(sensor))
        if sensor.warning:
            table.add_row("", Text(sensor.warning, style="bold red"))
    for image in images:
        flags = ", ".join(flag for flag in ("active", "confirmed", "pending") if image[flag])
        table.add_row(f"slot {image['slot']}", f"{image['version']} {image['sha256'][:16]} {flags}")
    if not images:
        table.add_row("model", "none; flash one with `thermo-host flash PORT IMAGE`")
    if hello.labels:
        table.add_row("labels", ", ".join(hello.labels))
    for sentence in hello.waived:
        table.add_row("model", Text(f"was signed all the same: {sentence}", style="bold yellow"))
    for name, calibration in calibrations.items():
        if calibration is not None or name == "current":
            table.add_row("calibration" if name == "current" else "  before it", _calibrated(calibration))
    if hello.development_key and not hello.simulated:
        table.add_row("key", Text("trusts the development key, with which anybody can sign images", style="bold red"))
    uptime = hello.time_us / 1e6
    table.add_row("up for", f"{uptime:.0f} s")
    counted = Table.grid(padding=(0, 2))
    for counter, value in sorted(counters.items()):
        counted.add_row(Text(counter, style="dim"), str(value))
    return Group(table, Text("\ncounters since the start", style="bold"), counted, Text(f"\n{NOTICE}", style="yellow"))


def _sensor(sensor: SensorInfo) -> str:
    parts = [f"{sensor.kind} at 0x{sensor.address:02x}"]
    if sensor.id:
        parts.append(f"id {sensor.id.hex()}")
    parts.append(f"{sensor.rate_hz:g} Hz, {sensor.resolution_bits} bit")
    if sensor.channels:
        parts.append(", ".join(sensor.channels))
    if sensor.emissivity is not None:
        parts.append("chess" if sensor.chess else "interleaved")
        parts.append(f"emissivity {sensor.emissivity:.2f}")
        parts.append("reflected Ta - 8 K" if sensor.reflected is None else f"reflected {sensor.reflected:.1f} °C")
    return ", ".join(parts)


def _calibrated(calibration: dict[str, Any] | None) -> str:
    if calibration is None:
        return "none; run `thermo-host calibrate`"
    if "damaged" in calibration:
        return str(calibration["damaged"])
    return (
        f"of {calibration['created']}, residual {calibration['residual_rms_k'] * 1000:.0f} mK rms, "
        f"{calibration['bad_pixels']} bad pixels"
    )
