"""`thermo-host calibrate`: the procedure in front of a user."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from thermo_core.correction import Correction
from thermo_core.errors import CalibrationFailedError, UsageError
from thermo_host.calibrate import report
from thermo_host.calibrate.console import ConsoleListener
from thermo_host.calibrate.observation import Observation
from thermo_host.calibrate.procedure import Outcome, calibrate, verify, write
from thermo_host.calibrate.reference import (
    Reference,
    ReferenceUncertainty,
    SimulatedReference,
    TypedReference,
    control_socket,
)
from thermo_host.calibrate.settings import WARM_UP_S, Settings, default_hold_out
from thermo_host.calibrate.wearable_source import WearableSource
from thermo_host.link import Wearable

QUICK_PICTURES = 64
CAREFUL_PICTURES = 256
HOLD_OUT_FACTOR_QUICK = 2
"""With two set-points the error of the mean at the hold-out weighs more than that of the fit."""
VERIFY_LIMIT_K = 0.2


class ReferenceKind(StrEnum):
    """Where true temperatures come from."""

    AUTO = "auto"
    SIM = "sim"
    TYPED = "typed"


def command(
    port: Annotated[str | None, typer.Argument(help="Serial port of the wearable.", show_default=False)] = None,
    set_points: Annotated[str, typer.Option(help="Blackbody temperatures of the fit, degC.")] = "30,37",
    hold_out: Annotated[
        str | None,
        typer.Option(help="Temperatures that judge and are never fitted, degC.", show_default="chosen between"),
    ] = None,
    pictures: Annotated[
        int | None, typer.Option(help="Pictures averaged at each set-point.", show_default="256, quick 64")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="About 40 s: fewer pictures, short warm-up check.")] = False,
    ambients: Annotated[
        str, typer.Option(help="Ambient temperatures to measure in, degC, such as 20,30.", show_default="as it is")
    ] = "",
    both_ways: Annotated[bool, typer.Option("--both-ways", help="Visit the set-points up and down.")] = False,
    reference: Annotated[
        ReferenceKind, typer.Option(help="Blackbody: the simulator's, or typed in.", case_sensitive=False)
    ] = ReferenceKind.AUTO,
    reference_uncertainty: Annotated[
        float, typer.Option(help="Expanded uncertainty (k = 2) of a typed blackbody's reading, K.")
    ] = 0.1,
    blackbody_emissivity: Annotated[
        float | None, typer.Option(help="Where it differs from the wearable's setting.", show_default="the wearable's")
    ] = None,
    skip_warm_up: Annotated[
        bool, typer.Option("--skip-warm-up", help="Make no warm-up check; the report says so.")
    ] = False,
    thermistors: Annotated[bool, typer.Option(help="Fit thermistors that follow the set-points.")] = True,
    merge: Annotated[
        list[Path] | None, typer.Option(help="report.json of an earlier run, at another ambient say; repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the report.", show_default="calibration-SENSOR-TIME")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure and report, write nothing to the device.")
    ] = False,
    verify_only: Annotated[
        bool, typer.Option("--verify", help="Measure the stored calibration at the hold-out points.")
    ] = False,
    limit: Annotated[float, typer.Option(help="Largest RMSE --verify accepts, K.")] = VERIFY_LIMIT_K,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Bring the calibration before back, measure nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON on standard output.")] = False,
) -> None:
    """Calibrate a wearable's picture sensor and thermistors against a blackbody."""
    if sum((dry_run, verify_only, rollback)) > 1:
        raise UsageError("--dry-run, --verify and --rollback exclude each other; give one of them.")
    console = Console(stderr=as_json)
    if rollback:
        with Wearable.open(port) as wearable:
            _roll_back(wearable, console, yes, as_json)
        return
    points = _numbers("--set-points", set_points)
    settings = Settings(
        set_points=points,
        hold_out=default_hold_out(points) if hold_out is None else _numbers("--hold-out", hold_out),
        pictures=pictures or (QUICK_PICTURES if quick else CAREFUL_PICTURES),
        hold_out_pictures=(pictures or QUICK_PICTURES) * HOLD_OUT_FACTOR_QUICK
        if quick
        else pictures or CAREFUL_PICTURES,
        ambients=_numbers("--ambients", ambients) if ambients else (),
        both_ways=both_ways,
        warm_up_s=0.0 if quick else WARM_UP_S,
        skip_warm_up=skip_warm_up,
        thermistors=thermistors,
        blackbody_emissivity=blackbody_emissivity,
    )
    with Wearable.open(port) as wearable, WearableSource(wearable) as source, ConsoleListener(console) as listener:
        blackbody = _reference(reference, wearable, listener, ReferenceUncertainty(expanded=reference_uncertainty))
        try:
            _may_ask(yes or dry_run or verify_only, blackbody)
            now = int(time.time())
            if verify_only:
                stored = _stored(wearable)
                outcome = verify(source, blackbody, settings, stored, now, limit, listener)
            else:
                earlier = _earlier(merge or (), source.subject.sensor_id)
                outcome = calibrate(source, blackbody, settings, now, listener, earlier)
            source.pause()
            directory = output or Path(_folder(outcome))
            # what was measured is kept, whatever becomes of the writing
            report.save(outcome, False, directory)
            if not as_json:
                listener.note("")
                console.print(report.terminal(outcome))
            written = not outcome.objections and not dry_run and not verify_only
            if written and not yes:
                written = _agreed(listener, wearable)
            if written:
                listener.stage("Writing to the device")
                write(wearable, outcome.correction, lambda done, total: listener.progress(done, total, "bytes"))
        finally:
            blackbody.close()
    report_json, report_html = report.save(outcome, written, directory)
    if not verify_only:
        console.print("Written to the device and read back." if written else "Nothing was written to the device.")
    console.print(f"Report: {report_html}", soft_wrap=True, highlight=False)
    outcome.require_accepted()
    if as_json:
        figures = report.summary(outcome, written) | {"report": {"json": str(report_json), "html": str(report_html)}}
        typer.echo(json.dumps(figures))


def _reference(
    kind: ReferenceKind, wearable: Wearable, listener: ConsoleListener, uncertainty: ReferenceUncertainty
) -> Reference:
    path = control_socket(wearable.port)
    if kind is ReferenceKind.SIM and path is None:
        raise UsageError(
            f"There is no control socket {wearable.port}.ctl; name the port by the --link of thermo-sim wearable, "
            "or use --reference typed."
        )
    if path is not None and (kind is ReferenceKind.SIM or (kind is ReferenceKind.AUTO and wearable.hello().simulated)):
        return SimulatedReference(path)
    return TypedReference(listener.ask, uncertainty, listener.note)


def _may_ask(answered: bool, blackbody: Reference) -> None:
    """Find out before the measurement, not after, that nobody is there to agree to writing."""
    if not answered and isinstance(blackbody, SimulatedReference) and not sys.stdin.isatty():
        raise UsageError("Nobody can be asked whether to write the calibration; pass --yes to write, or --dry-run.")


def _agreed(listener: ConsoleListener, wearable: Wearable) -> bool:
    what = (
        "Replace the calibration on the device"
        if wearable.hello().calibrated
        else "Write this calibration to the device"
    )
    try:
        return listener.ask(f"{what}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _roll_back(wearable: Wearable, console: Console, yes: bool, as_json: bool) -> None:
    before = wearable.calibration(1)
    when = report.utc(before.created_unix_s) if before is not None else "none"
    if before is not None and not yes:
        console.print(f"Bring back the calibration of {when}? [y/N] ", end="", highlight=False, markup=False)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise UsageError("Nothing was changed; answer y, or pass --yes, to roll back.")
    wearable.rollback()
    if as_json:
        typer.echo(json.dumps({"rolled_back": True, "created": when}))
    console.print(f"The calibration of {when} is in use again.", highlight=False)


def _stored(wearable: Wearable) -> Correction:
    stored = wearable.calibration()
    if stored is None:
        raise CalibrationFailedError(
            f"The wearable on {wearable.port} holds no calibration to verify; calibrate it first."
        )
    return stored


def _earlier(paths: Sequence[Path], sensor_id: bytes) -> list[Observation]:
    found: list[Observation] = []
    for run, path in enumerate(paths, start=1):
        found += report.load_observations(path, sensor_id, run)
    return found


def _folder(outcome: Outcome) -> str:
    when = datetime.fromtimestamp(outcome.created_unix_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"calibration-{outcome.subject.sensor_id.hex()}-{when}"


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no list of temperatures; write for example {option} 30,37.") from error
