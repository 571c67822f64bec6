"""A year of one wearable's trends: what it takes in the store, and how long a page waits for it.

Eight series by minutes, hours and days, as a hub would have kept them, are written; then what pages ask for is asked.

    python bench/trends.py [--series 8] [--rounds 10]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import insert

from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store
from thermo_hub.trends import lookup
from thermo_hub.trends.keeper import HOUR_NS, MINUTE_NS, Width
from thermo_hub.trends.tables import ROLLUP, SERIES

YEAR_MINUTES = 366 * 24 * 60
START_NS = 20_000 * 24 * HOUR_NS
WIDTH_NS = {Width.MINUTE: MINUTE_NS, Width.HOUR: HOUR_NS, Width.DAY: 24 * HOUR_NS}
AT_ONCE = 50_000


def rows(series: int, width: Width) -> Iterator[list[dict[str, Any]]]:
    """A year of one series, in pieces."""
    each_ns = WIDTH_NS[width]
    count = YEAR_MINUTES * MINUTE_NS // each_ns
    n = 480 * each_ns // MINUTE_NS
    means = np.random.default_rng(series).normal(34_000, 400, count).astype(int).tolist()
    for first in range(0, count, AT_ONCE):
        yield [
            {
                "series": series,
                "width": int(width),
                "start_ns": START_NS + at * each_ns,
                "end_ns": START_NS + (at + 1) * each_ns,
                "n": n,
                "doubtful": 0,
                "lost": at % 3,
                "total": means[at] * n,
                "low": means[at] - 900,
                "p5": means[at] - 500,
                "p95": means[at] + 500,
                "high": means[at] + 900,
                "uncertainty": 130,
                "ambient": 24_000 * each_ns // MINUTE_NS,
                "ambients": each_ns // MINUTE_NS,
                "calibration": "0123456789ab",
            }
            for at in range(first, min(count, first + AT_ONCE))
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--series", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    names = [f"series.{number}" for number in range(arguments.series)]
    with tempfile.TemporaryDirectory() as folder:
        settings = msgspec.structs.replace(Settings(), folder=folder)
        store = open_store(settings)
        for number, name in enumerate(names, 1):
            with store.write() as connection:
                connection.execute(insert(SERIES).values(id=number, wearable="w", name=name, label=name, unit="degC"))
                for width in Width:
                    for piece in rows(number, width):
                        connection.execute(insert(ROLLUP), piece)
        size = sum(path.stat().st_size for path in Path(folder).glob("hub.sqlite*"))
        print(f"{arguments.series} series, a year by minutes, hours and days: {size / 1e6:.0f} MB")
        end_ns = START_NS + YEAR_MINUTES * MINUTE_NS
        asked: dict[str, tuple[list[str], int, Width | None]] = {
            "a year of all series by days": (names, START_NS, None),
            "a year of one series by hours": (names[:1], START_NS, Width.HOUR),
            "three months of one series by hours": (names[:1], end_ns - 93 * 24 * HOUR_NS, None),
            "a night of all series by minutes": (names, end_ns - 24 * HOUR_NS, None),
        }
        for what, (some, from_ns, chosen) in asked.items():
            times, cpu, text = [], [], ""
            for _ in range(arguments.rounds):
                began, used = time.perf_counter(), time.thread_time()
                text = json.dumps(lookup.columns(store, "w", some, from_ns, end_ns, chosen))
                times.append(time.perf_counter() - began)
                cpu.append(time.thread_time() - used)
            print(
                f"{what:40} {1000 * statistics.median(cpu):6.0f} ms of CPU, {1000 * statistics.median(times):6.0f} ms median, "
                f"{1000 * max(times):6.0f} ms at most, "
                f"{len(text) / 1e3:7.0f} kB of JSON"
            )
        store.close()


if __name__ == "__main__":
    main()
