"""What `thermo-device` does: serve a port, test the sensors, say what the device holds."""

import json
import logging
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core.errors import StorageError
from thermo_core.exit_codes import ExitCode
from thermo_core.graph.bare import without_models
from thermo_core.image import key_hash
from thermo_core.sensors.correction import Correction
from thermo_core.version import software_version
from thermo_core.wearable import file, library
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.baud import BAUD_VARIABLE, DEFAULT_BAUD
from thermo_device.agent import Agent, AgentSettings
from thermo_device.bare import DEFAULT
from thermo_device.bus import LinuxBus
from thermo_device.clock import SystemClock
from thermo_device.correction_store import CorrectionStore, Source
from thermo_device.hardware import Hardware
from thermo_device.keys import DEFAULT_DIRECTORY, load_trusted, refuse_development_key, trusts_development_key
from thermo_device.machine import host_name, platform_name, serial_number
from thermo_device.pipeline import Pipeline
from thermo_device.port import SerialPort
from thermo_device.slot_state import Installed
from thermo_device.slots import Slots

log = logging.getLogger(__name__)

FASTEST_BAUD = 12_000_000
DEFAULT_STATE = Path("/var/lib/thermo-edge")


def default_state() -> Path:
    """The service's directory where there is one or this is root, otherwise the user's own."""
    service = os.environ.get("STATE_DIRECTORY")
    if service:
        return Path(service.split(":")[0])
    if DEFAULT_STATE.is_dir() or os.geteuid() == 0:
        return DEFAULT_STATE
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "thermo-edge"


def _baud(given: str | int) -> int:
    text = str(given)  # the default comes as a number
    rate = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if not 50 <= rate <= FASTEST_BAUD:
        raise typer.BadParameter(f"{text!r:.20} is no baud rate; give one from 50 to {FASTEST_BAUD}")
    return rate


BusOption = Annotated[str, typer.Option("--bus", metavar="PATH", help="I2C bus of the sensors.")]
BareOption = Annotated[
    str | None,
    typer.Option(
        "--wearable",
        metavar="NAME|FILE",
        help="What sensors there are while no bundle says so; the models of a wearable come with its bundle.",
        show_default="a camera and four thermistors",
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Bundles, corrections, the wearer.", show_default="the service's own"),
]
TrustOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust",
        metavar="PEM",
        help="Public key, or directory of keys, whose bundles may run; may be repeated.",
        show_default=str(DEFAULT_DIRECTORY),
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run(
    port: Annotated[str, typer.Option("--port", help="Serial port: /dev/ttyGS0 (USB gadget), /dev/serial0, a pty.")],
    bus: BusOption = "/dev/i2c-1",
    wearable: BareOption = None,
    baud: Annotated[
        int,
        typer.Option("--baud", parser=_baud, metavar="RATE", envvar=BAUD_VARIABLE, help="Of a real UART."),
    ] = DEFAULT_BAUD,
    kernels: Annotated[
        Literal["reference", "fast"],
        typer.Option("--kernels", help="Reference: bit-exact; fast: quicker, its disagreement is counted."),
    ] = "reference",
    state: StateOption = None,
    trust: TrustOption = None,
    allow_development_key: Annotated[
        bool,
        typer.Option(
            "--allow-development-key",
            help="Trust the published development key if it is among them; never on a device that anybody wears.",
        ),
    ] = False,
) -> int:
    """Serve a port until stopped."""
    trusted = load_trusted(_key_paths(trust))
    if not allow_development_key:
        refuse_development_key(trusted)
    if not trusted:
        log.warning("no key is trusted, so every bundle is refused; make one with thermo-host keygen and give --trust")
    settings = AgentSettings(state or default_state(), trusted, kernels, bare=_bare(wearable))
    adapter = LinuxBus(bus)
    agent = Agent(SerialPort(port, baud), _hardware(adapter), settings)
    chips = _has_chips(agent.profile)
    if chips:
        adapter.open()

    def stop(number: int, frame: FrameType | None) -> None:
        agent.stop()

    for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup
            signal.signal(ending, stop)
    log.info("serving %s%s. %s", port, f" with the sensors on {bus}" if chips else "", NOTICE)
    agent.run()
    return ExitCode.OK


def self_test(bus: BusOption = "/dev/i2c-1", wearable: BareOption = None, as_json: JsonOption = False) -> int:
    """Test the sensors and print what was found."""
    profile, adapter = _bare(wearable), LinuxBus(bus)
    if _has_chips(profile):
        adapter.open()
    pipeline = Pipeline(_hardware(adapter), profile, inline=True)
    try:
        pipeline.start()
        results = pipeline.self_test()
    finally:
        pipeline.close()
    if as_json:
        typer.echo(json.dumps({"results": [result.to_map() for result in results]}, indent=2))
    else:
        for result in results:
            typer.echo(f"{'pass' if result.passed else 'FAIL'}  {result.name}: {result.detail}")
        if not results:
            typer.echo(f"nothing to test: all that {profile.name} measures comes from outside")
    return ExitCode.OK if all(result.passed for result in results) else ExitCode.REFUSED


def info(
    as_json: JsonOption = False, wearable: BareOption = None, state: StateOption = None, trust: TrustOption = None
) -> int:
    """Print what this device holds: software, keys, bundles, corrections."""
    directory, trusted = state or default_state(), load_trusted(_key_paths(trust))
    if not directory.is_dir():
        raise StorageError(f"There is no state directory {directory}; run the agent once, or give it with --state.")
    slots = Slots(directory, trusted)
    report: dict[str, Any] = {
        "software": software_version(),
        "platform": platform_name(),
        "name": host_name(),
        "serial": serial_number(),
        **_keys(trusted),
        "images": [
            {
                "slot": one.slot,
                "version": str(one.version),
                "sha256": one.hash.hex(),
                "active": one.active,
                "confirmed": one.confirmed,
                "pending": one.pending,
            }
            for one in slots.images()
        ],
        "corrections": _corrections(directory, _running(slots.running, wearable)),
        "notice": NOTICE,
    }
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _print(report)
    return ExitCode.OK


def _bare(wearable: str | None) -> Profile:
    if wearable is None:
        return DEFAULT
    read = file.read(library.resolve(wearable))
    read.plan()
    return without_models(read.profile)


def _has_chips(profile: Profile) -> bool:
    return any(sensor.bus_path is not None for sensor in profile.sensors)


def _hardware(bus: LinuxBus) -> Hardware:
    return Hardware(bus, SystemClock(), host_name(), serial_number(), simulated=False)


def _running(running: Installed | None, wearable: str | None) -> Profile:
    return _bare(wearable) if running is None else running.bundle.profile


def _keys(trusted: tuple[Ed25519PublicKey, ...]) -> dict[str, Any]:
    return {
        "trusted_keys": [key_hash(key).hex() for key in trusted],
        "development_key": trusts_development_key(trusted),
    }


def _corrections(directory: Path, profile: Profile) -> list[dict[str, str]]:
    found = []
    for number, sensor in enumerate(profile.sensors):
        stored = CorrectionStore(directory, number).load()
        if stored.correction is not None:
            found.append({"sensor": sensor.name, **_correction(stored.correction, stored.source)})
    return found


def _correction(correction: Correction, source: Source) -> dict[str, str]:
    created = datetime.fromtimestamp(correction.stamp.created_unix_s, UTC).isoformat()
    return {"id": correction.stamp.sensor_id.hex(), "created": created, "source": source.value}


def _print(report: dict[str, Any]) -> None:
    typer.echo(f"{report['name']} ({report['platform']}, serial {report['serial']}), thermo-edge {report['software']}")
    marked = ", the development key among them" if report["development_key"] else ""
    typer.echo(f"trusted keys: {len(report['trusted_keys'])}{marked}")
    for image in report["images"]:
        marks = ", ".join(mark for mark in ("active", "confirmed", "pending") if image[mark])
        typer.echo(f"slot {image['slot']}: version {image['version']} ({marks or 'waiting'}), sha256 {image['sha256']}")
    if not report["images"]:
        typer.echo("no bundle: sensors and no findings")
    for one in report["corrections"]:
        typer.echo(f"correction of {one['sensor']} ({one['id']}) from {one['created']} ({one['source']})")
    if not report["corrections"]:
        typer.echo("no corrections: the sensors' own constants alone")
    typer.echo(NOTICE)


def _key_paths(trust: list[Path] | None) -> list[Path]:
    if trust:
        return trust
    try:
        return [DEFAULT_DIRECTORY] if DEFAULT_DIRECTORY.is_dir() else []
    except OSError as error:
        raise StorageError(f"{DEFAULT_DIRECTORY} cannot be read ({error.strerror}); give keys with --trust.") from error
