"""`thermo-host stream` and `record`: live signals on the screen, into a file, or both."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.files import file_name
from thermo_core.recording.session import Session
from thermo_host.commands.common import (
    BaudOption,
    EmissivityOption,
    JsonOption,
    Output,
    PortArgument,
    ReflectedOption,
    ShowOption,
    TimeoutOption,
    UncorrectedOption,
)
from thermo_host.commands.listening import Run
from thermo_host.commands.progress import ProgressLine
from thermo_host.commands.screen import Screen, parse_span
from thermo_host.feeding import Feeding
from thermo_host.link.session import fetch
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.lsl.inlets import LslInlets
from thermo_host.lsl.library import Scope
from thermo_host.lsl.outlets import LslOutlets, settled
from thermo_host.sinks.json_lines import JsonLines
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.decoding import DecodeSettings
from thermo_host.stream.listen import now_and_waiting_ns
from thermo_host.stream.pump import Sink
from thermo_host.stream.signals import named, networks_under

LONGEST_WORDS = 500
KEYS = "m marks, q ends it"
SecondsOption = Annotated[float | None, typer.Option("--seconds", "-s", help="Stop after so long.", min=0.1)]
FindingsOption = Annotated[
    int | None,
    typer.Option("--findings", metavar="N", help="Stop after so many findings.", min=1, show_default=False),
]
ReconnectOption = Annotated[bool, typer.Option(help="Go on when the wearable is unplugged and comes back.")]
SignalsOption = Annotated[
    list[str] | None,
    typer.Option("--signal", help="Have the wearable send this signal as it computes it, too.", show_default=False),
]
FeedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--feed", metavar="SENSOR=FILE", help="Give a sensor samples of a .csv meanwhile, see `thermo-host feed`."
    ),
]
SubjectOption = Annotated[
    str, typer.Option("--subject", help="Whom it is of; kept in the recording.", show_default=False)
]
LslOutOption = Annotated[
    bool, typer.Option("--lsl-out", help="Give what comes to LSL meanwhile, a stream a sensor and one of markers.")
]
ScopeOption = Annotated[
    Scope, typer.Option("--lsl-scope", help="How far LSL streams are announced and looked for.", case_sensitive=False)
]
NoteOption = Annotated[str, typer.Option("--note", help="What it is of; kept in the recording.", show_default=False)]


def stream(
    port: PortArgument = None,
    seconds: SecondsOption = None,
    findings: FindingsOption = None,
    record_to: Annotated[Path | None, typer.Option("--record", help="Record to this new .mcap file too.")] = None,
    subject: SubjectOption = "",
    note: NoteOption = "",
    span: Annotated[
        str | None,
        typer.Option("--range", help="Temperatures of the scale's ends, such as 30,38.", show_default="follows"),
    ] = None,
    emissivity: EmissivityOption = None,
    reflected: ReflectedOption = None,
    uncorrected: UncorrectedOption = False,
    whole: Annotated[bool, typer.Option("--whole", help="With --json, every number of every sample.")] = False,
    show: ShowOption = None,
    signals: SignalsOption = None,
    feed: FeedOption = None,
    lsl_out: LslOutOption = False,
    lsl_scope: ScopeOption = Scope.MACHINE,
    reconnect: ReconnectOption = False,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Show live signals, findings and alerts; q or Ctrl-C ends it and leaves the device quiet.

    Without a terminal it writes a line each second; with --json an object for each sample, finding, alert and event.
    """
    settings = DecodeSettings(emissivity, reflected, not uncorrected)
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = described(fetch(wearable), subject, note)
        wanted = named(session.plan, show or (), "--show")
        # What is decoded otherwise than the wearable does is computed here, as far as it can be.
        sent = [name for name in wanted if settings == DecodeSettings() or networks_under(session.plan, name)]
        monitor = Monitor(session, settings, sent)
        hint = KEYS if record_to is not None else "q ends it"
        screen = Screen(monitor, output, parse_span(span), lambda: now_and_waiting_ns(wearable), hint, wanted)
        run = Run(
            wearable,
            session,
            monitor,
            output,
            seconds,
            record_to,
            reconnect,
            _numbers(session, [*(signals or ()), *sent]),
            _feedings(wearable, session, feed, reconnect),
            findings=findings,
        )
        sinks: list[Sink] = [JsonLines(output.json, monitor, whole)] if as_json else []
        with _outlets(wearable, monitor, output, lsl_scope) if lsl_out else contextlib.nullcontext() as outlets:
            run.go(screen, None, [*sinks, *([outlets] if outlets is not None else [])])


def record(
    port: PortArgument = None,
    path: Annotated[
        Path | None, typer.Option("--output", "-o", help="New .mcap file.", show_default="thermo-SERIAL-TIME.mcap")
    ] = None,
    seconds: SecondsOption = None,
    findings: FindingsOption = None,
    subject: SubjectOption = "",
    note: NoteOption = "",
    view: Annotated[bool, typer.Option(help="Show the signals meanwhile.")] = False,
    signals: SignalsOption = None,
    feed: FeedOption = None,
    lsl: Annotated[
        list[str] | None,
        typer.Option(
            "--lsl", metavar="NAME", help="Record the LSL stream of that name too; repeatable.", show_default=False
        ),
    ] = None,
    lsl_wait: Annotated[
        float, typer.Option("--lsl-wait", help="Seconds to look for those streams.", min=0.1, max=600.0)
    ] = 5.0,
    lsl_out: LslOutOption = False,
    lsl_scope: ScopeOption = Scope.MACHINE,
    reconnect: ReconnectOption = True,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Record everything a wearable sends: its profile, constants and corrections, blocks, findings, alerts, UTC.

    The file is readable at any moment and after any end; an existing file is never overwritten. m marks a moment, and so does
    `thermo-host mark FILE`.
    """
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        session = described(fetch(wearable), subject, note)
        if path is None:
            path = Path(f"thermo-{file_name(session.hello.serial)}-{session.started:%Y%m%dT%H%M%SZ}.mcap")
        monitor = Monitor(session)
        clock = wearable.clock.utc_minus_monotonic_ns
        foreign = LslInlets(lsl, clock, lsl_wait, lsl_scope) if lsl else None
        run = Run(
            wearable,
            session,
            monitor,
            output,
            seconds,
            path,
            reconnect,
            _numbers(session, signals or ()),
            _feedings(wearable, session, feed, reconnect),
            foreign,
            findings,
        )
        with _outlets(wearable, monitor, output, lsl_scope) if lsl_out else contextlib.nullcontext() as outlets:
            sinks = [outlets] if outlets is not None else []
            if view and not as_json:
                warning = (lambda: "") if foreign is None else (lambda: foreign.warning)
                run.go(
                    Screen(monitor, output, None, lambda: now_and_waiting_ns(wearable), KEYS, (), warning), None, sinks
                )
            else:
                run.go(None, ProgressLine(output.progress), sinks)


def described(session: Session, subject: str, note: str) -> Session:
    """The session with what whoever records says of it.

    Raises:
        UsageError: it is too long, or nothing to print.
    """
    for option, text in (("--subject", subject), ("--note", note)):
        if len(text) > LONGEST_WORDS or not text.isprintable():
            raise UsageError(f"{option} takes one line of at most {LONGEST_WORDS} characters; shorten it.")
    return replace(session, subject=subject, note=note)


def _feedings(wearable: Wearable, session: Session, given: list[str] | None, reconnect: bool) -> tuple[Feeding, ...]:
    """What sensors are given, as "SENSOR=FILE"."""
    found = []
    for text in given or ():
        name, equals, source = text.partition("=")
        if not equals or not source:
            raise UsageError(f"--feed {text!r:.60} is no SENSOR=FILE; write for example --feed pulse=pulse.csv.")
        found.append(Feeding(wearable, session.profile, name, source, reconnect=reconnect))
    return tuple(found)


def _outlets(wearable: Wearable, monitor: Monitor, output: Output, scope: Scope) -> LslOutlets:
    """LSL streams of what comes, told."""
    outlets = LslOutlets(monitor.decoding, settled(wearable), scope)
    output.progress.print(outlets.words)
    return outlets


def _numbers(session: Session, names: Sequence[str]) -> tuple[int, ...]:
    """Numbers of signals that are asked for by name."""
    return tuple(session.plan.number_of(name) for name in named(session.plan, names, "--signal"))
