"""What is said of an estimate of energy."""

from collections.abc import Iterator, Mapping
from typing import Any

from thermo_core.errors import ProfileError, UsageError
from thermo_core.graph.plan import Plan
from thermo_core.wearable.file import Wearable
from thermo_models.energy import BOARDS, USABLE, Energy
from thermo_models.wearable_text import Drawn


def estimate(wearable: Wearable, plan: Plan, networks: Mapping[str, bytes], board: str) -> Energy:
    """The estimate for a board by its name.

    Raises:
        UsageError: no such board, or a graph that cannot be generated for it; with the line of the file.
        ModelError: a network cannot be compiled.
    """
    if board not in BOARDS:
        raise UsageError(f"There are no currents of a board {board!r}; choose one of {', '.join(BOARDS)}.")
    try:
        return Energy.of(Drawn.of(plan, networks, BOARDS[board].target), BOARDS[board])
    except ProfileError as error:
        raise wearable.at_line(error) from None


def facts(energy: Energy, battery_mah: float, duty: float) -> dict[str, Any]:
    """As plain data."""
    return {
        "board": energy.board.about,
        "source": energy.board.source,
        "busy": energy.busy,
        "inference_ms": dict(energy.inference_ms),
        "inference_uj": dict(energy.inference_uj),
        "processor_ma": energy.processor_ma,
        "sensors_ma": dict(energy.sensors_ma),
        "mean_ma": energy.mean_ma,
        "battery_mah": battery_mah,
        "duty": duty,
        "hours": energy.hours(battery_mah, duty),
    }


def sentences(energy: Energy, battery_mah: float, duty: float) -> Iterator[str]:
    """As text, the share of each part first."""
    board = energy.board
    yield f"{board.about} at {board.clock_hz / 1e6:g} MHz and {board.supply_v:g} V, an estimate:"
    rows = {"processor": energy.processor_ma, **energy.sensors_ma}
    widest = max(map(len, rows))
    for name, current_ma in sorted(rows.items(), key=lambda row: -row[1]):
        yield f"  {name:{widest}} {_current(current_ma):>10}"
    yield f"Stages and networks keep the processor busy for {100 * energy.busy:.2g} % of the time; drivers, decoding and line come on top."
    for name, energy_uj in energy.inference_uj.items():
        yield f"An inference of {name} takes {energy.inference_ms[name]:.2g} ms and {energy_uj:,.3g} uJ."
    measuring = (
        "measuring all the time"
        if duty == 1
        else f"measuring for {100 * duty:g} % of the time, sensors off for the rest"
    )
    lasts = _time(energy.hours(battery_mah, duty))
    yield (
        f"{_current(energy.mean_ma)} while it measures; a battery of {battery_mah:g} mAh, of which {100 * USABLE:g} % are usable, lasts "
        f"{lasts} {measuring}."
    )
    yield f"Currents: data sheets of the sensors; {board.source}. No radio, no display, no regulator; not measured on silicon."


def _time(hours: float) -> str:
    if hours > 24 * 365:
        return "longer than it keeps its charge,"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _current(current_ma: float) -> str:
    return f"{current_ma:.3g} mA" if current_ma >= 0.1 else f"{1000 * current_ma:.2g} uA"
