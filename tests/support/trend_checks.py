"""Trends of samples that are made up, held to what all of the samples give."""

import itertools
import math
import tempfile
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from sqlalchemy import select

from thermo_hub.settings import Settings
from thermo_hub.store.store import Store, open_store
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, SECOND_NS, Minute, TrendKeeper, Width
from thermo_hub.trends.tables import ROLLUP

DAY_NS = 24 * HOUR_NS
ZONES = ("Europe/Berlin", "Asia/Kolkata", "America/New_York", "UTC")
STARTS = ("2026-03-28T20:00", "2026-10-24T21:30", "2026-06-01T10:17")


def opened(folder: Path, database: str = "") -> Store:
    return open_store(msgspec.structs.replace(Settings(), folder=str(folder), database=database))


def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def oracle(values: list[int]) -> tuple[int, ...]:
    """n, sum, least, 5th and 95th percentile at the nearest rank, greatest."""
    ordered = sorted(values)
    at = [math.ceil(len(ordered) * percent / 100) - 1 for percent in (5, 95)]
    return len(ordered), sum(ordered), ordered[0], ordered[at[0]], ordered[at[1]], ordered[-1]


def check_hours_and_days(seed: int, zone_name: str, start: str, restarts: int, database: str = "") -> None:
    """Hours and days equal their samples, over nights in which clocks are set too; some minutes come twice, late, or in parts."""
    rng = np.random.default_rng(seed)
    here = zone(zone_name)
    begin_ns = round(datetime.fromisoformat(start).replace(tzinfo=here).timestamp()) * SECOND_NS
    samples: dict[int, list[int]] = defaultdict(list)
    lost: Counter[int] = Counter()
    minutes: list[Minute] = []
    for at in range(0, 30 * 60, 7):
        for _ in range(int(rng.integers(1, 3))):
            start_ns = begin_ns // MINUTE_NS * MINUTE_NS + int(max(0, at - rng.integers(0, 40))) * MINUTE_NS
            values = np.rint(rng.normal(34_000, 300, int(rng.integers(1, 9)))).astype(int).tolist()
            gone = int(rng.integers(0, 3))
            samples[start_ns] += values
            lost[start_ns] += gone
            minutes.append(Minute("w", "skin.mean", "skin mean", "degC", start_ns, Counter(values), 0, gone))
    held = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    folder = Path(held.name)
    store = opened(folder, database)
    keeper = TrendKeeper(store, lambda: here)
    edges = [*range(0, len(minutes), int(rng.integers(5, 16))), len(minutes)]
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        part = minutes[first:last]
        now_ns = max(one.start_ns for one in minutes[:last]) + MINUTE_NS
        assert keeper.add(part, now_ns) == 0
        if number % 9 == 5 and number // 9 < restarts:
            store.close()
            store = opened(folder, database)
            keeper = TrendKeeper(store, lambda: here)
            keeper.start()
    keeper.settle()
    with store.read() as connection:
        found = connection.execute(select(ROLLUP)).all()
    wanted: dict[tuple[int, int], list[int]] = defaultdict(list)
    gone_in: Counter[tuple[int, int]] = Counter()
    for start_ns, values in samples.items():
        local = datetime.fromtimestamp(start_ns // SECOND_NS, here)
        day = datetime(local.year, local.month, local.day, tzinfo=here)
        for key in (
            (Width.MINUTE, start_ns),
            (Width.HOUR, start_ns // HOUR_NS * HOUR_NS),
            (Width.DAY, round(day.timestamp()) * SECOND_NS),
        ):
            wanted[key] += values
            gone_in[key] += lost[start_ns]
    assert {(row.width, row.start_ns) for row in found} == set(wanted)
    for row in found:
        key = (row.width, row.start_ns)
        assert (row.n, row.total, row.low, row.p5, row.p95, row.high) == oracle(wanted[key])
        assert row.lost == gone_in[key]
    store.close()
    held.cleanup()
