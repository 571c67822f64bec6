"""Writes docs/stages.md from the registry: `python -m thermo_core.stages.document docs/stages.md`."""

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thermo_core.field_table import about, field_table, toml
from thermo_core.schema import from_plain, to_readable
from thermo_core.signals import Signal
from thermo_core.stages import OPS, AnyStage
from thermo_core.stages.stage import Elementwise, Latched, Op, Recursive, Remembering, Stage

_HEAD = """\
# Stages

What a profile may have as `[[stages]]`; `python -m thermo_core.stages.document docs/stages.md` writes this page from
`core/thermo_core/stages`. Each makes the signal `gives` out of the signals `of`.

**Numbers.** Values are float32 and NaN is no value. The agent, the host and the firmware give the same bytes for equal inputs, one
moment at a time or over a whole recording: additions, multiplications, divisions and roots are rounded as IEEE 754 says, sums have the
order stated here, and logarithm and exponential are spelled out in `core/thermo_core/float32.py` and `device/firmware/core/float32.c`.
No stage needs a tolerance. `tests/firmware/test_firmware_graph.py` holds the C side to that.

**Flags.** What a sample is flagged with goes on to all that is made of it: for a stage that looks back, as long as it looks back.
Some stages add flags, some take no number of a sample that alerts do not trust, and some make good for numbers without a value, so that
why these lack does not go on; they say so. A time of more than four periods without a sample starts what has a memory anew, unless its
state outlives it. Stages whose constants are made for one rate give no value, flagged OUT_OF_DOMAIN, while a sensor is set to another
one than the profile's.

**Pictures.** Stages on pictures say what a pixel without a value means to them; beyond a picture its edge is repeated where nothing else
is said. `python bench/stage_pictures.py docs/stages.png` draws the same scene through all of them:

![Stages on one scene](stages.png)
"""
_DEGREES = Signal("x", (4,), "degC", 8.0, "x")
_PICTURE = Signal("x", (24, 32), "degC", 8.0, "x")
_WINDOW = Signal("x", (128,), "degC", 1.0, "x/128/8", 0.125)
_OTHER = Signal("y", (4,), "degC", 8.0, "x")
_PULSE = Signal("x", (), "nA", 25.0, "x")
_SLOW = Signal("y", (), "degC", 0.5, "y")
_EXAMPLES: Mapping[str, tuple[dict[str, Any], tuple[Signal, ...]]] = {
    "average": ({"pictures": 16}, (_PICTURE,)),
    "bandpass": ({"low_hz": 0.7, "high_hz": 3.5}, (_PULSE,)),
    "bins": ({"bins": 32, "settled": 16}, (_WINDOW,)),
    "body_map": (
        {
            "usual": [33.0, 32.5, 31.0, 30.0],
            "level": [33.0, 31.5],
            "matrix": [0.5, 0.5, 0.0, 0.0, 0.0, 0.25, 0.25, 0.5],
            "areas": [0.6, 0.4],
        },
        (_DEGREES,),
    ),
    "canny": ({"high": 1.5, "low": 0.5}, (_PICTURE,)),
    "centre": ({}, (_PICTURE,)),
    "concatenate": ({}, (_DEGREES, _OTHER)),
    "contact_correction": ({"air": "y", "share": [0.2]}, (_DEGREES, Signal("y", (), "degC", 8.0, "x"))),
    "contact_gate": ({}, (_DEGREES,)),
    "crop": ({"rows": 12, "columns": 16, "row": 6, "column": 8}, (_PICTURE,)),
    "difference": ({"first": [0, 1], "second": [2, 3]}, (_DEGREES,)),
    "domain": (
        {"low": [-3.0], "high": [3.0], "axes": [0.5, 0.5, 0.5, 0.5], "spread": [2.0], "along": 3.0, "across": 2.0},
        (Signal("x", (4,), "", 1.0, "x"),),
    ),
    "domain_gate": ({"by": "y", "high": 0.5}, (_DEGREES, Signal("y", (), "", 8.0, "x"))),
    "enmo": ({}, (Signal("x", (25, 3), "g", 1.0, "x/25/25", 0.04),)),
    "equalise": ({"low": 20.0, "high": 40.0}, (_PICTURE,)),
    "expectile": ({"start": 65.0}, (Signal("x", (), "bpm", 0.1, "x"),)),
    "forward_fill": ({"oldest_s": 15.0}, (Signal("x", (), "bpm", 1.0, "x"),)),
    "foster": ({"parts": 1, "copies": 2}, (Signal("x", (4,), "", 1.0, "x"),)),
    "foster_fit": (
        {"begin": "y", "samples": 600},
        (Signal("x", (64,), "", 1 / 600, "x"), Signal("y", (7,), "", 1 / 600, "x")),
    ),
    "gaussian": ({"size": 3, "sigma": 0.8}, (_PICTURE,)),
    "glcm": ({"low": 28.0, "high": 36.0}, (_PICTURE,)),
    "hold": ({"oldest_s": 10.0}, (_SLOW, _DEGREES)),
    "hot_spots": ({"least_k": 0.5, "most": 3}, (_PICTURE,)),
    "integral": ({"factor": 0.000239006, "unit": "kcal"}, (Signal("x", (), "W", 0.1, "x"),)),
    "kalman_core": ({}, (Signal("x", (), "bpm", 1 / 60, "x"),)),
    "lacking": ({}, (_DEGREES,)),
    "logarithm": ({}, (_DEGREES,)),
    "median3": ({}, (_PICTURE,)),
    "metabolic_rate": (
        {"resting": "y", "wearer": "w"},
        (Signal("x", (), "bpm", 0.1, "x"), Signal("y", (), "bpm", 0.1, "x"), Signal("w", (4,), "", 0.1, "x")),
    ),
    "motion_gate": ({"motion": "y", "hold_s": 10.0}, (_DEGREES, Signal("y", (2,), "g", 8.0, "x"))),
    "node_check": ({"limit": [2.5], "usual": [33.0, 32.5, 31.0, 30.0]}, (_DEGREES,)),
    "normalise": ({"centre": [30.0], "spread": [2.0]}, (_DEGREES,)),
    "normalise_percentiles": ({}, (_PICTURE,)),
    "own_baseline": ({"learn_s": 172800.0, "least_spread": 0.1}, (_DEGREES,)),
    "paired_recovery": (
        {"before": "y", "samples": 600, "shares": [0.5, 1.0]},
        (Signal("x", (4, 32), "degC", 1 / 30, "x"), Signal("y", (4,), "degC", 1 / 30, "x")),
    ),
    "prefer": ({}, (_DEGREES, _OTHER)),
    "projection": ({"basis": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.5, -0.5], "rows": 2}, (_DEGREES,)),
    "recovery": ({}, (Signal("x", (600, 2), "degC", 1.0, "x", 1.0),)),
    "reference": (
        {"give": ["difference"], "most_shift": 2.0, "ambient": "y", "bins": 4, "limit": 1.5},
        (_PICTURE, Signal("y", (), "degC", 8.0, "x")),
    ),
    "relative": ({"to": "y", "floor": 0.1, "shares": [0.2]}, (_DEGREES, _OTHER)),
    "resample": ({"rate_hz": 1.0}, (_DEGREES,)),
    "resize": ({"rows": 12, "columns": 16, "by": "area"}, (_PICTURE,)),
    "scale": ({"offset": 37.0, "unit": "K"}, (_DEGREES,)),
    "segment": ({"opening": 1}, (_PICTURE,)),
    "select": ({"places": [3, 0]}, (_DEGREES,)),
    "slope": ({"span_s": 60.0, "per": "min"}, (_DEGREES,)),
    "sobel": ({}, (_PICTURE,)),
    "stack": ({}, (_PICTURE, Signal("y", (24, 32), "K", 8.0, "x"))),
    "spectrum_peak": (
        {"motion": "y"},
        (Signal("x", (200,), "nA", 0.5, "x/200/50", 0.04), Signal("y", (200, 3), "g", 0.5, "x/200/50", 0.04)),
    ),
    "statistics": ({"give": ["mean", "sd", "p95"]}, (_WINDOW,)),
    "step_removal": ({}, (Signal("x", (600, 2), "degC", 1.0, "x", 1.0),)),
    "subtract_background": ({"threshold": 1.5}, (_PICTURE,)),
    "trees": (
        {
            "leaves": 2,
            "split": [0.0, 0.0],
            "feature": [2.0, 0.0],
            "threshold": [33.5, 30.0],
            "value": [-0.8, 0.8, 0.1, -0.1],
            "start": [0.0, 0.0],
        },
        (_DEGREES,),
    ),
    "window": ({"length": 128, "every": 8}, (Signal("x", (), "degC", 8.0, "x"),)),
}
"""Parameters and inputs of an example of each operation."""
_INHERITED = frozenset({"op", "of", "on", "gives"})


def page() -> str:
    """The page."""
    return "\n".join([_HEAD, *(line for name, op in OPS.items() for line in _section(name, op))]).rstrip() + "\n"


def _section(name: str, op: Op) -> Iterator[str]:
    stage, inputs = example(name)
    yield f"## {name}\n"
    yield about(op.stage) + "\n"
    own = [field for field in op.stage.__struct_fields__ if field not in _INHERITED]
    if own:
        yield from field_table(op.stage, "parameter", elsewhere=_INHERITED)
        yield ""
    yield f"**Shape.** {_rule(op)}\n"
    yield f"**Numbers.** {op.format}"
    yield f"\n**Looks back** {_memory(op, stage)}\n"
    yield "```toml"
    plain = to_readable(stage)
    yield "\n".join(f"{key} = {toml(plain[key])}" for key in _written(plain, name))
    yield "```"
    takes = ", ".join(f"`{one.name}` ({_described(one)})" for one in inputs)
    yield f"of {takes} gives {_described(op.result(stage, inputs))}.\n"


def example(name: str) -> tuple[Stage, tuple[Signal, ...]]:
    """An example of an operation: its parameters, and the signals it takes."""
    given, inputs = _EXAMPLES[name]
    names = [one.name for one in inputs if one.name not in given.values()]
    ends: dict[str, Any] = {"of": names if len(names) > 1 else names[0]}
    if "on" in OPS[name].stage.__struct_fields__:
        ends = {"of": names[0], "on": names[1]}
    stage: Stage = from_plain({"op": name, "gives": "z"} | ends | given, AnyStage, "example")
    return stage, inputs


def _rule(op: Op) -> str:
    return " ".join((inspect.getdoc(op.result) or "").split())


def _memory(op: Op, stage: Stage) -> str:
    if isinstance(op, Elementwise):
        return "not at all: a sample for a sample, at the same moment."
    if isinstance(op, Remembering):
        return f"over the newest samples, {op.span(stage)} of them in the example."
    if isinstance(op, Recursive):
        lasts = "outlives a time without samples" if op.lasting else "starts anew after a time without samples"
        bound = " Its constants are made for the profile's rate." if op.bound else ""
        return f"by a state that goes on from sample to sample and {lasts}.{bound}"
    if isinstance(op, Latched):
        return "to the newest sample of each input; its moments are those of one of them."
    return "to the samples of the step that is open; its moments are a grid of its own."


def _written(plain: dict[str, Any], name: str) -> list[str]:
    ends = [key for key in ("op", "of", "on", "gives") if key in plain]
    return ends + [key for key in plain if key in _EXAMPLES[name][0]]


def _described(signal: Signal) -> str:
    shape = " x ".join(map(str, signal.shape)) or "a number"
    unit = f" {signal.unit}" if signal.unit else ""
    in_time = f", rows {signal.spacing_s:g} s apart" if signal.spacing_s else ""
    return f"{shape}{unit}{in_time}, {signal.rate_hz:g} Hz"


def main() -> None:
    """Write the page."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
