"""`thermo-host alerts`: where a wearable's alerts stand, and that somebody has seen one."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.errors import UsageError
from thermo_core.graph.alerts import AlertState
from thermo_core.wearable.profile import NOTICE, Profile
from thermo_core.wire.management import AlertState as AlertNow
from thermo_host.commands.common import BaudOption, JsonOption, Output, PortArgument, TimeoutOption
from thermo_host.link.session import profile_of
from thermo_host.link.wearable import TIMEOUT_S, Wearable

_STYLES = {"raised": "bold red", "acknowledged": "yellow", "pending": "yellow"}


def command(
    port: PortArgument = None,
    acknowledge: Annotated[
        list[str] | None,
        typer.Option("--acknowledge", "-a", help="Say that somebody has seen this alert.", show_default=False),
    ] = None,
    baud: BaudOption = None,
    timeout: TimeoutOption = TIMEOUT_S,
    as_json: JsonOption = False,
) -> None:
    """Show a wearable's alerts, and acknowledge those that somebody has seen."""
    output = Output(as_json)
    with Wearable.open(port, timeout_s=timeout, baud=baud) as wearable:
        profile = profile_of(wearable)
        numbers = [_number(profile, name) for name in acknowledge or ()]
        states = wearable.alerts()
        for number in numbers:
            states = wearable.acknowledge(number)
        name, now_us = wearable.port, wearable.hello().time_us
    alerts = [_alert(profile, at, state, now_us) for at, state in enumerate(states[: len(profile.alerts)])]
    output.result({"port": name, "alerts": alerts, "notice": NOTICE}, _table(alerts))


def _number(profile: Profile, name: str) -> int:
    names = [alert.name for alert in profile.alerts]
    if name not in names:
        has = f"it has {', '.join(names)}" if names else "it has none"
        raise UsageError(f"The wearable has no alert {name!r:.60}; {has}.")
    return names.index(name)


def _alert(profile: Profile, number: int, state: AlertNow, now_us: int) -> dict[str, Any]:
    alert = profile.alerts[number]
    known = state.state < len(AlertState)
    return {
        "alert": alert.name,
        "state": AlertState(state.state).name.lower() if known else str(state.state),
        "seconds": round(max(0, now_us - state.time_us) / 1e6, 3) if state.time_us else None,
        "severity": alert.severity,
        "when": alert.when,
        "clear": alert.clear,
        "text": alert.text,
    }


def _table(alerts: list[dict[str, Any]]) -> RenderableType:
    if not alerts:
        return "The wearable has no alerts."
    table = Table(box=None, pad_edge=False, show_header=False)
    for alert in alerts:
        since = "" if alert["seconds"] is None else f"for {alert['seconds']:.0f} s"
        words = f"{alert['text']} ({alert['when']})" if alert["text"] else alert["when"]
        table.add_row(alert["alert"], Text(alert["state"], style=_STYLES.get(alert["state"], "")), since, words)
    return Group(table, Text(NOTICE, style="yellow"))
