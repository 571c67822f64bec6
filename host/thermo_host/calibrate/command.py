"""`thermo-host calibrate`: the procedure in front of a user."""

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.recording.session import Session
from thermo_host.calibrate import report
from thermo_host.calibrate.choice import calibrated, choose, named
from thermo_host.calibrate.console import ConsoleListener
from thermo_host.calibrate.kinds import PROCEDURES
from thermo_host.calibrate.measurements import Measurements
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.reference import (
    ReferenceUncertainty,
    SimulatedReference,
    TypedPositions,
    TypedReference,
    simulator_socket,
)
from thermo_host.calibrate.run import Run
from thermo_host.calibrate.settings import FEWEST_PICTURES, Settings, default_hold_out, paced, pictures_of
from thermo_host.calibrate.wearable_source import subject_of
from thermo_host.calibrate.write import write
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.session import fetch
from thermo_host.link.wearable import TIMEOUT_S, Wearable

VERIFY_LIMIT_K = 0.2


class ReferenceKind(StrEnum):
    """Where true temperatures come from."""

    AUTO = "auto"
    SIM = "sim"
    TYPED = "typed"


def command(
    port: PortArgument = None,
    set_points: Annotated[str, typer.Option(help="Blackbody temperatures of the fit, degC.")] = "30,37",
    hold_out: Annotated[
        str | None,
        typer.Option(help="Temperatures that judge and are never fitted, degC.", show_default="chosen between"),
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(
            help="Readings averaged at each set-point, pictures of a camera.",
            show_default="256, quick 64",
            min=FEWEST_PICTURES,
        ),
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
    sensors: Annotated[
        list[str] | None,
        typer.Option(
            "--sensor", help="Name of a sensor to calibrate; repeatable.", show_default="all that go together"
        ),
    ] = None,
    merge: Annotated[
        list[Path] | None, typer.Option(help="report.json of an earlier run, at another ambient say; repeatable.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", help="Folder of the report.", show_default="calibration-SENSOR-TIME")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder of a run that was interrupted: go on with its settings.", show_default=False),
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
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Calibrate a wearable's sensors: cameras and thermopiles before a blackbody, contact sensors in a bath.

    Without --sensor that is the camera with all other thermometers that follow the set-points. An accelerometer is calibrated by
    itself, in six positions: --sensor NAME.
    """
    if sum((dry_run, verify_only, rollback)) > 1:
        raise UsageError("--dry-run, --verify and --rollback exclude each other; give one of them.")
    writes = not dry_run and not verify_only
    output = Output(as_json)
    names = tuple(sensors or ())
    if rollback:
        with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
            _roll_back(wearable, names, output, yes)
        return
    points = _numbers("--set-points", set_points)
    settings = Settings(
        set_points=points,
        hold_out=default_hold_out(points) if hold_out is None else _numbers("--hold-out", hold_out),
        **pictures_of(quick, pictures),
        ambients=_numbers("--ambients", ambients) if ambients else (),
        both_ways=both_ways,
        skip_warm_up=skip_warm_up,
        blackbody_emissivity=blackbody_emissivity,
        sensors=names,
    )
    if resume is not None:
        if settings != Settings() or folder is not None or verify_only:
            raise UsageError("--resume goes on with the settings and in the folder of that run; leave out the others.")
        settings = Measurements.settings_of(resume)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = fetch(wearable)
        chosen = choose(session.profile, settings.sensors)
        subject = subject_of(session, chosen)
        if folder is not None and resume is None:
            report.prepare(folder)
        procedure = PROCEDURES[subject.lead.settings.kind]
        settings = replace(settings, sensors=tuple(target.settings.name for target in subject.targets))
        if pictures is None and resume is None and not procedure.is_camera:
            settings = paced(settings, subject.readings_per_second)
        nothing_to_ask = yes or not writes
        expanded = ReferenceUncertainty(expanded=reference_uncertainty)
        run = Run(
            wearable,
            subject,
            output,
            settings,
            lambda listener: (
                _simulated(reference, wearable, nothing_to_ask)
                or TypedReference(listener.ask, expanded, listener.note, procedure.apparatus)
            ),
            lambda listener: _simulated(reference, wearable, nothing_to_ask) or TypedPositions(listener.ask),
            merge or (),
            folder,
            resume,
        )
        if procedure.apparatus == "positions":
            if merge or resume is not None:
                raise UsageError("--merge and --resume are of set-points; an accelerometer is measured at once.")
            outcome, directory = run.lay(verify_only)
        else:
            outcome, directory = run.verify(limit) if verify_only else run.measure()
        # what was measured is kept, whatever becomes of the writing
        files = run.save(outcome, False, directory)
        output.words.print(report.terminal(outcome))
        written = writes and not outcome.objections and (yes or _agreed(session, outcome, output))
        if written:
            with ConsoleListener(output.progress) as listener:
                listener.stage("Writing to the device")
                write(wearable, outcome.corrections, lambda done, total: listener.progress(done, total, "bytes"))
            files = run.save(outcome, True, directory)
    if not verify_only:
        output.words.print("Written to the device and read back." if written else "Nothing was written to the device.")
    output.words.print(f"Report: {files[1]}", soft_wrap=True)
    outcome.require_accepted()
    if as_json:
        output.json(report.summary(outcome, written) | {"report": {"json": str(files[0]), "html": str(files[1])}})


def _simulated(kind: ReferenceKind, wearable: Wearable, nothing_to_ask: bool) -> SimulatedReference | None:
    """The simulator's laboratory, where it is wanted and there."""
    path = simulator_socket(wearable.port)
    if kind is ReferenceKind.SIM and path is None:
        raise UsageError(
            f"There is no control socket {wearable.port}.ctl; name the port by the --link of thermo-sim wearable, "
            "or use --reference typed."
        )
    wanted = kind is ReferenceKind.SIM or (kind is ReferenceKind.AUTO and wearable.hello().simulated)
    if path is None or not wanted:
        return None
    if not nothing_to_ask and not sys.stdin.isatty():
        raise UsageError("Nobody can be asked whether to write the calibration; pass --yes, or --dry-run.")
    return SimulatedReference(path)


def _agreed(session: Session, outcome: Outcome, output: Output) -> bool:
    replaced = any(session.hello.sensors[number].corrected for number in outcome.corrections)
    what = "Replace the calibration on the device" if replaced else "Write this calibration to the device"
    return _yes(f"{what}? [y/N] ", output)


def _yes(question: str, output: Output) -> bool:
    output.progress.print(question, end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _roll_back(wearable: Wearable, names: tuple[str, ...], output: Output, yes: bool) -> None:
    profile = fetch(wearable, partly=True).profile
    numbers = named(profile, names) if names else calibrated(profile)
    before = {number: wearable.correction(number, 1) for number in numbers}
    found = {number: report.utc(one.stamp.created_unix_s) for number, one in before.items() if one is not None}
    words = ", ".join(f"{profile.sensors[number].name} of {when}" for number, when in found.items())
    # without one the device refuses, and says so
    if found and not yes and not _yes(f"Bring back {words}? [y/N] ", output):
        raise UsageError("Nothing was changed; answer y, or pass --yes, to roll back.")
    for number in found if found and not names else numbers:
        wearable.rollback(number)
    data = {profile.sensors[number].name: when for number, when in found.items()}
    output.result({"rolled_back": True, "created": data}, f"In use again: {words}.")


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no list of temperatures; write for example {option} 30,37.") from error
