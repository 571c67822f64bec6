"""What a card tells of days of simulated wearers: false alerts a week by alert and cause, what else is found, and the trade-off."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_A_WEEK = 1.0
"""The goal: fewer alerts for nothing than that."""
MOST_CAUSES = 3
WEEK_H = 168.0


def an_hour(false: float, interval: Sequence[float] | None, hours: float, of: str = "") -> str:
    """How often something is called for nothing while it watches a stream: one sentence, the same in each card.

    Args:
        false: alarms an hour that find nothing.
        interval: of that; None where it is not known.
        hours: of recordings.
        of: what is called, where an alarm may be of several things.
    """
    ends = "" if interval is None else f" ({interval[0]:.2g} to {interval[1]:.2g})"
    return f"False alarms an hour over whole recordings{of and f', {of}'}: {false:.2g}{ends}, of {hours:,.0f} hours."


def section(day: Mapping[str, Any]) -> list[str]:
    """Lines of Markdown, of the figures of bench/day.py."""
    usual = [row for row in day["alerts"] if row["factor"] == 1.0]
    _, most = day["interval"]
    met = "yes" if most < MOST_A_WEEK else "no" if day["a_week"] >= MOST_A_WEEK else "not shown, too few days"
    lines = [
        "",
        f"## {day['wearers']} healthy wearers for {day['hours']:g} hours each",
        f"Alerts for nothing by the wearable's own rules, of simulated people in a usual {day['script']}; 95 % intervals (Poisson). "
        f"`{day['command']}` prints them.",
        "",
        "| alert | a week | 95 % interval | stands | most often |",
        "|---|---|---|---|---|",
        *(
            f"| {row['alert']} | {row['a_week']:.2f} | {_interval(row)} | {row['raised']:.2%} | {_causes(row['causes'])} |"
            for row in usual
        ),
        f"| all (goal: < {MOST_A_WEEK:g}; met: {met}) | {day['a_week']:.2f} | {_interval(day)} | - | - |",
        *_rightly(usual),
        "",
        an_hour(day["a_week"] / WEEK_H, [end / WEEK_H for end in day["interval"]], day["wearers"] * day["hours"]),
    ]
    if day["affected"]:
        rows = [
            (one, row) for one in day["affected"] for row in one["alerts"] if row["factor"] == 1.0 and row["called"]
        ]
        chance = any("by_chance" in row for _, row in rows)
        lines += [
            "",
            "| what befalls wearers | alert | called | after, median |"
            + " healthy ones after the same second |" * chance,
            "|---|---|---|---|" + "---|" * chance,
        ]
        lines += [
            f"| `{one['happenings']}`, {one['wearers']} wearers | {row['alert']} | {_called(row)} |"
            + (f" {_called(row['by_chance'], ', ')} |" if chance else "")
            for one, row in rows
        ]
    if len(day["alerts"]) > len(usual):
        names = [f"`{one['happenings']}`" for one in day["affected"]]
        rightly = any("right" in row for row in day["alerts"])
        lines += [
            "",
            "Other thresholds, each by itself:",
            "",
            "| alert | threshold | for nothing a week | "
            + "healthy ones called rightly | " * rightly
            + "".join(f"called of {name} | " for name in names),
            "|---|---|---|" + "---|" * (len(names) + rightly),
        ]
        for place, row in enumerate(day["alerts"]):
            right = row.get("right")
            called = (f" {right['called']} of {right['due']} |" if right else " - |") * rightly
            called += "".join(f" {one['alerts'][place]['called']:.0%} |" for one in day["affected"])
            lines.append(f"| {row['alert']} | {row['threshold']:.4g} | {row['a_week']:.2f} |{called}")
    return [*lines, ""]


def _rightly(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was called that is so."""
    lines = []
    for row in rows:
        if right := row.get("right"):
            lines += [
                "",
                f"`{row['alert']}` is not for nothing where the simulated body's core was above {right['above']:g} degC within the ten minutes before: "
                f"{right['a_week']:.2f} a week, beside those above. Of {right['due']} wearers whose core was above that at some time, "
                f"{right['called']} were called for it.",
            ]
    return lines


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row["interval"]
    return f"{low:.2f} to {high:.2f}"


def _causes(causes: Mapping[str, float]) -> str:
    most = sorted(causes.items(), key=lambda one: -one[1])[:MOST_CAUSES]
    return ", ".join(f"{name} {7 * often:.2f} a week" for name, often in most) or "-"


def _called(row: Mapping[str, Any], between: str = " | ") -> str:
    after = "-" if row["delay_min"] is None else f"{row['delay_min']:.0f} min"
    return f"{row['called']:.0%}{between}{after}"
