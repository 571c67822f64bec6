"""`thermo-host baseline`: what a wearable has learned of its wearer, and that it forget it."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.graph.plan import Plan
from thermo_core.wearable.profile import NOTICE
from thermo_core.wire.management import Baseline
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.session import plan_of
from thermo_host.link.wearable import TIMEOUT_S, Wearable
from thermo_host.screen.words import duration


def command(
    port: PortArgument = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget what was learned, as for another wearer or another place.")
    ] = False,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", help="With --reset: forget that of this stage alone.", show_default=False),
    ] = None,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Show what a wearable has learned of its wearer: how long, from how many samples, whether it is ready; or have it forgotten."""
    if stage and not reset:
        raise UsageError("--stage says what to forget; add --reset, or leave it out to see all.")
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        plan = plan_of(wearable)
        states = wearable.baselines()
        numbers = [_number(plan, states, name) for name in stage or ()]
        for number in numbers:
            states = wearable.forget(number)
        if reset and not numbers:
            states = wearable.forget()
        name = wearable.port
    stages = [_stage(plan, one) for one in states]
    output.result({"port": name, "stages": stages, "forgotten": reset, "notice": NOTICE}, _table(stages))


def _names(plan: Plan, states: tuple[Baseline, ...]) -> list[str]:
    names = list(plan.signals)
    return [names[one.signal] if one.signal < len(names) else str(one.signal) for one in states]


def _number(plan: Plan, states: tuple[Baseline, ...], name: str) -> int:
    learn = _names(plan, states)
    if name not in learn:
        has = f"those that learn are {', '.join(learn)}" if learn else "none of it learns"
        raise UsageError(f"The wearable has no stage {name!r:.60} that learns; {has}.")
    return states[learn.index(name)].signal


def _stage(plan: Plan, one: Baseline) -> dict[str, Any]:
    (name,) = _names(plan, (one,))
    ops = {stage.gives: stage.op for stage in plan.profile.stages}
    return {
        "stage": name,
        "op": ops.get(name, ""),
        "age_s": round(one.age_us / 1e6, 3),
        "learned_s": round(one.learned_us / 1e6, 3),
        "samples": one.samples,
        "ready": one.ready,
        "parts": one.parts,
    }


def _table(stages: list[dict[str, Any]]) -> RenderableType:
    if not stages:
        return "The wearable learns nothing of its wearer."
    table = Table(box=None, pad_edge=False)
    for title in ("stage", "says", "age", "learned", "samples"):
        table.add_column(title)
    for one in stages:
        some = f" for {one['ready']} of {one['parts']} parts" if one["parts"] > 1 else ""
        ready = Text("ready" + some) if one["ready"] else Text("nothing yet", style="yellow")
        age, learned = (duration(one[key]) for key in ("age_s", "learned_s"))
        table.add_row(one["stage"], ready, age, learned, str(one["samples"]))
    return Group(table, Text("Age is time under power since the first sample."), Text(NOTICE, style="yellow"))
