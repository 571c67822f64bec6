"""Signals of a recording as they stand at one moment: pictures as pictures, features as numbers, each with its range over all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thermo_core.body import is_body
from thermo_core.graph.engine import Outcome
from thermo_core.graph.plan import Plan
from thermo_core.quality import in_words
from thermo_core.sensors.kind import Block
from thermo_core.signals import Sample, Signal
from thermo_host.link.items import Telemetry
from thermo_host.moments import utc
from thermo_host.screen.body_blocks import BodyBlocks, columns_of
from thermo_host.screen.heatmap import HeatMap, ScaleBar
from thermo_host.screen.layout import is_picture, picture, picture_shape
from thermo_host.screen.sparkline import curves
from thermo_host.screen.words import figure
from thermo_host.sinks.describe import counted, number, numbers_of, sample_facts
from thermo_host.sinks.summary import shown_unit
from thermo_host.stream.signals import networks_under

WIDEST = 64
"""Columns of a picture or a curve."""
BODY_LINES = 24
MOST_NUMBERS = 32
"""Numbers of a sample that are told one by one."""


@dataclass(slots=True)
class _Still:
    signal: Signal
    sample: Sample | None = None
    utc_ns: int = 0
    count: int = 0
    low: float = np.inf
    high: float = -np.inf


class Stills:
    """Keeps the sample of each signal at a moment, and how far its numbers went.

    Args:
        plan: the graph.
        wanted: names of signals.
        at_ns: the moment, nanoseconds since 1970 UTC; None takes the last.
    """

    def __init__(self, plan: Plan, wanted: Sequence[str], at_ns: int | None = None) -> None:
        self._plan = plan
        self._at_ns = at_ns
        self._stills = {name: _Still(plan.signals[name]) for name in wanted}

    def take(self, item: Telemetry, outcome: Outcome) -> None:
        """What came of a block."""
        assert isinstance(item.record, Block)
        for samples in outcome.passes:
            for name, still in self._stills.items():
                if name not in samples:
                    continue
                sample = samples[name]
                utc_ns = item.captured_ns + (sample.time_us - item.record.time_us) * 1000
                still.count += 1
                known = sample.values[np.isfinite(sample.values)]
                if known.size:
                    still.low, still.high = min(still.low, float(known.min())), max(still.high, float(known.max()))
                if still.sample is None or self._at_ns is None or utc_ns <= self._at_ns:
                    still.sample, still.utc_ns = sample, utc_ns

    def to_map(self) -> dict[str, Any]:
        """For JSON: every number of each sample."""
        return {
            name: {
                "unit": still.signal.unit,
                "shape": list(still.signal.shape),
                "samples": still.count,
                "low": number(still.low),
                "high": number(still.high),
                "utc": None if still.sample is None else utc(still.utc_ns),
                "flags": [] if still.sample is None else list(in_words(still.sample.flags)),
                **({} if still.sample is None else sample_facts(still.sample, whole=True)),
            }
            for name, still in self._stills.items()
        }

    def render(self) -> RenderableType:
        """For people."""
        return Group(*(part for name, still in self._stills.items() for part in (*self._parts(name, still), Text())))

    def _parts(self, name: str, still: _Still) -> list[RenderableType]:
        signal, sample = still.signal, still.sample
        if sample is None:
            missing = ", ".join(networks_under(self._plan, name))
            why = (
                f"it rests on the network of {missing}, so give --bundle IMAGE"
                if missing
                else "nothing came of its sensors"
            )
            return [Text(f"{name}: no sample; {why}.", style="yellow")]
        size = " x ".join(map(str, signal.shape))
        ends = (
            f"{figure(still.low, '')} to {figure(still.high, signal.unit)}" if still.low <= still.high else "no value"
        )
        heading = Text(f"{name}", style="bold")
        heading.append(f"{f' ({size})' if size else ''}: {counted(still.count, 'sample')}, {ends}", style="not bold")
        flags = "".join(f", {flag}" for flag in in_words(sample.flags))
        parts: list[RenderableType] = [heading, Text(f"{utc(still.utc_ns)[:23]} UTC{flags}", style="dim")]
        if is_picture(signal):
            return [*parts, *_map(signal, sample)]
        if is_body(signal):
            parts += [BodyBlocks(sample.values, *_ends(sample), BODY_LINES), *_scale(sample, columns_of(BODY_LINES))]
        if signal.elements > MOST_NUMBERS:
            return [*parts, *(Text(line, style="cyan") for line in curves(sample.values, WIDEST, signal.unit))]
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        names = numbers_of(self._plan.profile, signal)
        for each, value in zip(names, sample.values.ravel().tolist(), strict=True):
            table.add_row(Text(each), Text(figure(value, signal.unit)))
        return [*parts, table]


def _map(signal: Signal, sample: Sample) -> list[RenderableType]:
    values = picture(sample.values)
    known = values[np.isfinite(values)]
    if not known.size:
        return [Text("no valid pixel", style="yellow")]
    low, high = float(known.min()), float(known.max())
    factor = min(2.0, WIDEST / picture_shape(signal.shape)[1])
    columns = round(picture_shape(signal.shape)[1] * factor)
    return [HeatMap(values, low, high, factor), ScaleBar(low, high, columns, unit=shown_unit(signal.unit))]


def _ends(sample: Sample) -> tuple[float, float]:
    known = sample.values[np.isfinite(sample.values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def _scale(sample: Sample, columns: int) -> list[RenderableType]:
    return [ScaleBar(*_ends(sample), columns)] if np.isfinite(sample.values).any() else []
