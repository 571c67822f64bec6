"""`thermo-device`: the agent on a Raspberry Pi, and a look at its sensors and state without a host."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from thermo_core.errors import StorageError, ThermoError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.image import key_hash
from thermo_core.profile import NOTICE, Profile
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_core.wire.baud import BAUD_VARIABLE, DEFAULT_BAUD
from thermo_device.agent import Agent, AgentSettings
from thermo_device.bus import LinuxBus
from thermo_device.clock import SystemClock
from thermo_device.hardware import Hardware
from thermo_device.keys import DEFAULT_DIRECTORY, load_trusted, refuse_development_key, trusts_development_key
from thermo_device.pipeline import Pipeline
from thermo_device.port import SerialPort
from thermo_device.runtime import host_name, platform_name, serial_number
from thermo_device.slots import Slots
from thermo_device.store import CalibrationStore

log = logging.getLogger(__name__)

FASTEST_BAUD = 12_000_000
DEFAULT_STATE = Path("/var/lib/thermo-edge")
EXIT_CODES = (
    ExitCode.OK,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.PORT_NOT_FOUND,
    ExitCode.PORT_BUSY,
    ExitCode.LINK,
    ExitCode.REFUSED,
    ExitCode.IMAGE,
    ExitCode.FILE,
    ExitCode.DATA,
    ExitCode.INTERRUPTED,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except ThermoError as error:
        print(f"thermo-device: {clean(str(error))}", file=sys.stderr)
        return exit_code(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="thermo-device",
        description=f"Agent of a thermal wearable: reads the sensors, runs the model, serves a host. {NOTICE}",
        epilog="exit codes:\n" + "\n".join(meanings(EXIT_CODES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"thermo-device {software_version()}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more to stderr")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, summary: str, act: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
        made.set_defaults(run=act)
        return made

    run = command("run", "serve a port until stopped", _run)
    _add_bus(run)
    run.add_argument("--port", required=True, help="serial port: /dev/ttyGS0 (USB gadget), /dev/serial0, a pty")
    # argparse converts a default that is text as it does an argument.
    run.add_argument(
        "--baud",
        type=_baud,
        default=os.environ.get(BAUD_VARIABLE) or DEFAULT_BAUD,
        help=f"of a real UART (default: {BAUD_VARIABLE}, else {DEFAULT_BAUD})",
    )
    run.add_argument(
        "--kernels",
        choices=("reference", "fast"),
        default="reference",
        help="reference: bit-exact; fast: quicker, its disagreement is counted (default: %(default)s)",
    )
    _add_state(run)
    _add_trust(run)

    test = command("self-test", "test the sensors and print what was found", _self_test)
    _add_bus(test)
    test.add_argument("--json", action="store_true", help="print JSON")

    info = command("info", "print what this device holds: software, keys, bundles, calibration", _info)
    info.add_argument("--json", action="store_true", help="print JSON")
    _add_state(info)
    _add_trust(info)
    return parser


def _baud(text: str) -> int:
    """Argparse says which argument it was."""
    rate = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 50 <= rate <= FASTEST_BAUD:
        raise argparse.ArgumentTypeError(f"{text!r:.20} is no baud rate; give one from 50 to {FASTEST_BAUD}")
    return rate


def _add_bus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bus", default="/dev/i2c-1", help="I2C bus of the sensors (default: %(default)s)")


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        default=default_state(),
        help="directory of bundles and calibration (default: %(default)s)",
    )


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust",
        type=Path,
        action="append",
        metavar="PEM",
        help=f"public key, or directory of keys, whose bundles may run; may be repeated (default: {DEFAULT_DIRECTORY})",
    )
    parser.add_argument(
        "--allow-development-key",
        action="store_true",
        help="trust the published development key if it is among them; never on a device that anybody wears",
    )


def default_state() -> Path:
    """The service's directory where there is one or this is root, otherwise the user's own."""
    service = os.environ.get("STATE_DIRECTORY")
    if service:
        return Path(service.split(":")[0])
    if DEFAULT_STATE.is_dir() or os.geteuid() == 0:
        return DEFAULT_STATE
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "thermo-edge"


def _hardware(bus: str) -> Hardware:
    return Hardware(LinuxBus(bus), SystemClock(), host_name(), serial_number(), simulated=False)


def _run(options: argparse.Namespace) -> int:
    trusted = load_trusted(_key_paths(options))
    if not options.allow_development_key:
        refuse_development_key(trusted)
    if not trusted:
        log.warning("no key is trusted, so every bundle is refused; make one with thermo-host keygen and give --trust")
    settings = AgentSettings(options.state, trusted, options.kernels)
    agent = Agent(SerialPort(options.port, options.baud), _hardware(options.bus), settings)

    def stop(number: int, frame: FrameType | None) -> None:
        agent.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("serving %s with the sensors on %s. %s", options.port, options.bus, NOTICE)
    agent.run()
    return ExitCode.OK


def _self_test(options: argparse.Namespace) -> int:
    pipeline = Pipeline(_hardware(options.bus), Profile.bare(), inline=True)
    try:
        pipeline.start()
        results = pipeline.self_test()
    finally:
        pipeline.close()
    if options.json:
        print(json.dumps({"results": [result.to_map() for result in results]}, indent=2))
    else:
        for result in results:
            print(f"{'pass' if result.passed else 'FAIL'}  {result.name}: {result.detail}")
    return ExitCode.OK if all(result.passed for result in results) else ExitCode.REFUSED


def _info(options: argparse.Namespace) -> int:
    trusted = load_trusted(_key_paths(options))
    if not options.state.is_dir():
        raise StorageError(f"There is no state directory {options.state}; run the agent once, or give it with --state.")
    images = [
        {
            "slot": info.slot,
            "version": str(info.version),
            "sha256": info.hash.hex(),
            "active": info.active,
            "confirmed": info.confirmed,
            "pending": info.pending,
        }
        for info in Slots(options.state, trusted).images()
    ]
    stored = CalibrationStore(options.state).load()
    calibration = None
    if stored.correction is not None:
        created = datetime.fromtimestamp(stored.correction.created_unix_s, UTC).isoformat()
        calibration = {"sensor": stored.correction.sensor_id.hex(), "created": created, "source": stored.source.value}
    report = {
        "software": software_version(),
        "platform": platform_name(),
        "name": host_name(),
        "serial": serial_number(),
        "trusted_keys": [key_hash(key).hex() for key in trusted],
        "development_key": trusts_development_key(trusted),
        "images": images,
        "calibration": calibration,
        "notice": NOTICE,
    }
    if options.json:
        print(json.dumps(report, indent=2))
        return ExitCode.OK
    print(f"{report['name']} ({report['platform']}, serial {report['serial']}), thermo-edge {report['software']}")
    marked = ", the development key among them" if report["development_key"] else ""
    print(f"trusted keys: {len(trusted)}{marked}")
    for image in images:
        marks = ", ".join(mark for mark in ("active", "confirmed", "pending") if image[mark])
        print(f"slot {image['slot']}: version {image['version']} ({marks or 'waiting'}), sha256 {image['sha256']}")
    if not images:
        print("no bundle: pictures and thermistors, no verdicts")
    if calibration is None:
        print("no calibration: the sensor's own constants alone")
    else:
        print(f"calibration of sensor {calibration['sensor']} from {calibration['created']} ({calibration['source']})")
    print(NOTICE)
    return ExitCode.OK


def _key_paths(options: argparse.Namespace) -> list[Path]:
    if options.trust:
        return list(options.trust)
    try:
        return [DEFAULT_DIRECTORY] if DEFAULT_DIRECTORY.is_dir() else []
    except OSError as error:
        raise StorageError(f"{DEFAULT_DIRECTORY} cannot be read ({error.strerror}); give keys with --trust.") from error


if __name__ == "__main__":
    sys.exit(main())
