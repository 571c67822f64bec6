"""How often a wearable calls healthy wearers for nothing, by cause, and how soon and how surely it calls affected ones.

    python bench/day.py neuro-band --wearers 50 --hours 24
    python bench/day.py mine/wearable.toml --world mine/world.toml --look 60 --every 1800
    python bench/day.py monitor --affected fever@36000:size=2
    python bench/day.py breast-patch --world worn-patch --affected lump@36000:size=1.5 --ill 10
    python bench/day.py clothing --curve 0.6,0.8,1.2,1.5 --affected warm-side@36000+7200:at=LHand:size=3 --ill 10 --card

Each wearer is another person through another day of the simulator (`thermo_sim.people`), without a bus: signals are made of what is true with
each chip's errors (as calibration leaves them), noise and steps, go through the wearable's graph, networks and alerts, and each
alert that is raised is put down to what the wearer did and what befell it then. Pictures that only a `hold` uses are taken as often as
it needs; other wearables with cameras are looked at in stretches (--look seconds of every --every seconds), between which the graph begins
anew and nothing is raised. A happening `lump@SECOND:size=KELVIN` is a lesion beneath the skin of a scene that has some, another one at
another place for each wearer (`thermo_models.patch_weeks.lump_near`). With --card the figures go into metrics.json and CARD.md of a
wearable that a task of `thermo-models` makes.
It informs; no figure here is of a real person.

alerts a week  raised of a healthy wearer for nothing; in brackets the 95 % interval for their number (Poisson, exact)
rightly        with --right heat-strain=38.5: alerts of that name whose wearer's core was in truth above 38.5 degC within the ten minutes
               before, which are not for nothing; and of wearers whose core was above it, how many were called while it was
raised         share of the time in which the alert stands
by cause       alerts a day by activity, and by what befell the wearer in the hour before
called         share of affected wearers whom an alert calls after the happening begins, and the median time until then;
               by chance: the same of healthy wearers after that second
"""

import argparse
import re
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from msgspec import to_builtins
from msgspec.structs import replace as changed
from scipy.stats import chi2

from thermo_core.errors import ThermoError, UsageError
from thermo_core.files import read_file, read_json, write_files
from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.plan import Plan
from thermo_core.wearable.file import Wearable, read
from thermo_core.wearable.library import resolve
from thermo_device.counters import Counters
from thermo_device.networks import open_networks
from thermo_models.days import Job, Tallies, Tally, live, pruned, seldom
from thermo_models.patch_weeks import lump_near
from thermo_models.runs import told
from thermo_models.tasks import find
from thermo_sim.people.happenings import parse_happenings
from thermo_sim.world_file import World, load_world, with_body, world_of
from thermo_sim.worn import Stretch

BUSY_HZ = 250.0
"""Numbers a second from which on a wearable is looked at in stretches."""
LEAST_S = 10.0
"""Of a stretch, beside what the quickest alert needs."""
WEEK_S = 7 * 86400.0
MOST_CAUSES = 8
AFFECTED = 1_000_000
"""From the first healthy wearer to the first one of each happening, beyond whom any network has learnt from."""
AILING = ("lesion", "lump")
"""Options of scenes that no healthy wearer has; what ails others is what befalls them."""


@dataclass(frozen=True)
class Lesion:
    """What grows beneath the skin of a scene that has lumps.

    Attributes:
        from_s: second of the wearer's day from which on it is there.
        contrast_k: by which it warms the skin above it.
    """

    from_s: float
    contrast_k: float

    @classmethod
    def parsed(cls, happening: str) -> "Lesion | None":
        """Of `lump@SECOND:size=KELVIN`; None where something else befalls."""
        if not happening.startswith("lump@"):
            return None
        told = re.fullmatch(r"lump@(\d+):size=(\d*\.?\d+)", happening)
        if told is None:
            raise UsageError(f"{happening!r} is no lump; give one like lump@36000:size=1.5, its second and kelvin.")
        return cls(float(told[1]), float(told[2]))

    def beneath(self, world: World, seed: int) -> World:
        """The world of a wearer who has one."""
        if world.scene.name != "worn-patch":
            raise UsageError(f"The scene {world.scene.name} has no lumps; choose --world worn-patch.")
        lump, _ = lump_near(self.contrast_k, np.random.default_rng([seed, 0x10B]))
        begins_s = float(world.scene.options.get("day", 0.0)) * 86400 + self.from_s
        plain = to_builtins(changed(lump, from_s=begins_s))
        return changed(world, scene=changed(world.scene, options={**world.scene.options, "lump": plain}))


def interval(count: int) -> tuple[float, float]:
    """Exact 95 % interval for the mean of a Poisson count."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)


def lived(job: Job, seeds: Sequence[int], lump: Lesion | None = None) -> Tallies:
    """All wearers' time."""
    tallies = job.tallies()
    for seed in seeds:
        live(job if lump is None else replace(job, world=lump.beneath(job.world, seed)), seed, tallies)
    return tallies


def healthy(job: Job, tallies: Tallies, wearers: int) -> dict[str, Any]:
    """Figures of wearers whom nothing ails, as plain data."""
    total_s = wearers * job.hours * 3600
    weeks = total_s / WEEK_S
    rows = []
    for (name, scale), tally in tallies.items():
        low, high = interval(tally.count)
        rows.append(
            {
                "alert": name,
                "factor": scale,
                "threshold": threshold(job.plan, name) * scale,
                "a_week": tally.count / weeks,
                "interval": [low / weeks, high / weeks],
                "raised": tally.stood_s / total_s,
                "causes": {cause: times / (7 * weeks) for cause, times in tally.causes.most_common(MOST_CAUSES)},
            }
            | (
                {
                    "right": {
                        "above": job.right[name],
                        "a_week": tally.right / weeks,
                        "due": tally.due,
                        "called": tally.due_called,
                    }
                }
                if name in job.right
                else {}
            )
        )
    count = sum(tally.count for (_, scale), tally in tallies.items() if scale == 1.0)
    low, high = interval(count)
    return {"alerts": rows, "a_week": count / weeks, "interval": [low / weeks, high / weeks]}


def called(tally: Tally, begins_s: float, wearers: int) -> dict[str, Any]:
    """How many of these an alert calls from then on, and how soon, as plain data."""
    delays = tally.delays_s(begins_s)
    return {"called": len(delays) / wearers, "delay_min": float(np.median(delays)) / 60 if delays else None}


def affected(tallies: Tallies, well: Tallies, happenings: str, wearers: int, begins_s: float) -> dict[str, Any]:
    """Figures of wearers whom something befalls, beside those of healthy ones from that second on, as plain data."""
    rows = []
    for (name, scale), tally in tallies.items():
        others = well[name, scale]
        chance = called(others, begins_s, len(others.raised))
        rows.append({"alert": name, "factor": scale, **called(tally, begins_s, wearers), "by_chance": chance})
    return {"happenings": happenings, "wearers": wearers, "alerts": rows}


def threshold(made: Plan, name: str) -> float:
    """Of an alert, as the profile has it."""
    return next(one.when.number for one in made.alerts if one.alert.name == name)


def print_healthy(found: dict[str, Any]) -> None:
    """As a table."""
    print(f"{'alert':24}{'threshold':>10}{'a week':>9}{'':16}{'raised':>9}")
    for row in found["alerts"]:
        low, high = row["interval"]
        print(
            f"{row['alert']:24}{row['threshold']:>10.4g}{row['a_week']:>9.2f}  ({low:5.2f}-{high:5.2f}){row['raised']:>11.2%}"
        )
        if right := row.get("right"):
            print(
                f"    rightly {right['a_week']:.2f} a week; {right['called']} of {right['due']} wearers called whose core was above "
                f"{right['above']:g} degC"
            )
        for cause, often in row["causes"].items() if row["factor"] == 1.0 else ():
            print(f"    {cause:30} {often:.3f} a day")
    low, high = found["interval"]
    print(f"{'all alerts':24}{'':10}{found['a_week']:>9.2f}  ({low:5.2f}-{high:5.2f})")


def print_affected(found: dict[str, Any], made: Plan) -> None:
    """As a table."""
    print(f"affected by {found['happenings']}, {found['wearers']} wearers")
    print(f"{'alert':24}{'threshold':>10}{'called':>9}{'after':>9}{'by chance':>11}{'after':>9}")
    for row in found["alerts"]:
        told = "".join(
            f"{one['called']:>{width}.0%}"
            + ("" if one["delay_min"] is None else f"{one['delay_min']:.0f} min").rjust(9)
            for one, width in ((row, 9), (row["by_chance"], 11))
        )
        print(f"{row['alert']:24}{threshold(made, row['alert']) * row['factor']:>10.4g}{told}")


def needed_s(made: Plan, alert: AlertPlan) -> float:
    """Seconds in which an alert can be raised at the soonest."""
    after, rate_hz = alert.alert.after, made.signals[alert.watch.signal].rate_hz
    return max(after.seconds, after.findings / rate_hz if rate_hz else 0.0)


def factors(text: str) -> list[float]:
    """Of a list."""
    try:
        found = [float(one) for one in text.split(",")]
    except ValueError:
        found = [np.nan]
    if not np.isfinite(found).all():
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers; give some like 0.8,1,1.2")
    return found


def limit_of(text: str) -> tuple[str, float]:
    """An alert and a core temperature."""
    name, _, celsius = text.partition("=")
    try:
        limit = float(celsius)
    except ValueError:
        limit = np.nan
    if not name or not np.isfinite(limit):
        raise argparse.ArgumentTypeError(f"{text!r} is no alert and temperature; give one like heat-strain=38.5")
    return name, limit


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wearable", help="name or file")
    parser.add_argument("--world", help="name or file; the wearable's own where left out")
    parser.add_argument("--script", default="day", help="what wearers do")
    parser.add_argument("--wearers", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--first", type=int, default=0, help="number of the first wearer")
    parser.add_argument("--look", type=float, help="seconds of a stretch; all where left out and sensors say little")
    parser.add_argument("--every", type=float, default=1800.0, help="seconds from one stretch to the next")
    parser.add_argument(
        "--affected",
        action="append",
        default=[],
        metavar="HAPPENINGS",
        help="what befalls other wearers; may be repeated",
    )
    parser.add_argument("--ill", type=int, help="of affected wearers, so many; as --wearers where left out")
    parser.add_argument(
        "--right",
        type=limit_of,
        action="append",
        default=[],
        metavar="ALERT=CELSIUS",
        help="core temperature above which an alert is right; may be repeated",
    )
    parser.add_argument("--curve", type=factors, default="1", help="factors of the thresholds, separated by commas")
    parser.add_argument(
        "--card", action="store_true", help="put the figures into the wearable's metrics.json and CARD.md"
    )
    args = parser.parse_args()
    try:
        simulate(args)
    except ThermoError as error:
        parser.exit(2, f"day: {error}\n")


def simulate(args: argparse.Namespace) -> None:
    """As the arguments say."""
    ill = args.wearers if args.ill is None else args.ill
    if args.wearers < 1 or ill < 1 or not args.hours > 0 or not args.every > 0:
        raise UsageError(
            "There is nobody to simulate; give --wearers and --ill of 1 or more, and --hours and --every above 0."
        )
    wearable = read(resolve(args.wearable))
    if args.card:
        metrics_of(wearable)
    networks = open_networks({name: read_file(path) for name, path in wearable.networks.items()}, "fast", Counters())
    made = pruned(wearable.plan())
    if not made.alerts:
        raise UsageError(f"The wearable {wearable.profile.name} has no alerts, so nobody is called; choose another.")
    stretches, look = stretches_of(made, args)
    part = "" if look is None else f", {look:g} s of every {args.every:g} s"
    if late := [one.alert.name for one in made.alerts if look is not None and needed_s(made, one) > look]:
        print(f"no stretch is long enough to raise {', '.join(late)}; give a longer --look")

    def job(happenings: str) -> Job:
        world = with_body(load_world(args.world or world_of(wearable.profile.name)), args.script, None, happenings)
        assert world.body is not None
        options = {name: value for name, value in world.scene.options.items() if name not in AILING}
        world = changed(
            world, body=changed(world.body, hours=args.hours, from_s=0.0), scene=changed(world.scene, options=options)
        )
        return Job(made, networks, world, stretches, sorted({1.0, *args.curve}), args.hours, dict(args.right))

    if strange := {name for name, _ in args.right} - {one.alert.name for one in made.alerts}:
        raise UsageError(
            f"{wearable.profile.name} has no alert {', '.join(sorted(strange))}; its alerts are "
            f"{', '.join(one.alert.name for one in made.alerts)}."
        )
    # All are made before hours are spent on the first.
    lumps = [Lesion.parsed(happenings) for happenings in args.affected]
    befallen = [job("" if lump else told_of) for told_of, lump in zip(args.affected, lumps, strict=True)]
    for one, lump in zip(befallen, lumps, strict=True):
        if lump:
            lump.beneath(one.world, 0)
    begun = time.monotonic()
    well = job("")
    usual = lived(well, range(args.first, args.first + args.wearers))
    found = healthy(well, usual, args.wearers)
    print(
        f"{wearable.profile.name}: {args.wearers} wearers of {args.hours:g} h{part} ({time.monotonic() - begun:.0f} s)"
    )
    print_healthy(found)
    struck = []
    for number, (happenings, lump) in enumerate(zip(args.affected, lumps, strict=True), 1):
        first = args.first + AFFECTED * number
        begins_s = lump.from_s if lump else min(one.start_s for one in parse_happenings(happenings))
        tallies = lived(befallen[number - 1], range(first, first + ill), lump)
        struck.append(affected(tallies, usual, happenings, ill, begins_s))
        print_affected(struck[-1], made)
    if args.card:
        words = [one for one in sys.argv[1:] if one != "--card"]
        day = {
            "command": shlex.join(["python", "bench/day.py", *words]),
            "wearers": args.wearers, "hours": args.hours, "script": args.script, "first": args.first, **found, "affected": struck,
        }  # fmt: skip
        # Read after the hours that this takes, so that what else was measured meanwhile stays.
        files = told(find(wearable.profile.name), {**metrics_of(wearable), "day": day})
        write_files({wearable.path.parent / name: content for name, content in files.items()})


def metrics_of(wearable: Wearable) -> dict[str, Any]:
    """Figures of the wearable's task, beside which those of a day go."""
    found = read_json(wearable.path.parent / "metrics.json", 64 << 20)
    if not isinstance(found, dict) or found.get("task") != find(wearable.profile.name).name:
        raise UsageError(f"{wearable.path.parent} holds no figures of {wearable.profile.name}; leave --card out.")
    return found


def stretches_of(made: Plan, args: argparse.Namespace) -> tuple[list[Stretch], float | None]:
    """What is looked at, and for how long each time; None for all of the time."""
    few = seldom(made)
    busy = sum(
        made.signals[one.name].elements * (1 / few[sensor.name] if sensor.name in few else one.rate_hz)
        for sensor in made.profile.sensors
        for one in sensor.signals[:1]
    )
    total, look = args.hours * 3600, args.look
    if look is None and busy < BUSY_HZ:
        return [Stretch(0.0, total)], None
    if look is None:
        look = LEAST_S + 1.5 * min(needed_s(made, alert) for alert in made.alerts)
    return [Stretch(start, min(look, args.every)) for start in np.arange(0, total - look, args.every).tolist()], look


if __name__ == "__main__":
    main()
