"""What each stage costs on an emulated Cortex-M4 or M0+, and how a graph's stages and network share memory.

    python bench/stages.py
    python bench/stages.py --processor m0plus
    python bench/stages.py --compare 100000 [--seed N] [OPERATION ...]

QEMU counts instructions exactly, the same on every machine; they are not cycles (no wait states; a square root or division
counts as one). A row is a graph of one stage on its usual input; its instructions are those of a block of the sensor beyond
a graph without the stage. "passes" are bytes of the memory that all passes share, with the sensor's values; "keeps" is what
the stage holds from block to block; "RAM" are all the graph's variables.

--compare runs every operation, or those named, in C, under sanitizers on this machine, on so many random samples with random parameters, and says
whether all bytes are Python's.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from firmware_graph import (  # noqa: E402
    Case,
    core_sources,
    emulate,
    emulated_program,
    first_difference,
    run,
)
from graph_plans import single  # noqa: E402
from processors import M0PLUS, M4, Processor  # noqa: E402
from sensor_recordings import recording  # noqa: E402
from wearable_draft import Seeded, Unfit  # noqa: E402

from thermo_core import schema  # noqa: E402
from thermo_core.bundle import Bundle  # noqa: E402
from thermo_core.graph.plan import Plan, plan  # noqa: E402
from thermo_core.image import load_public_key, verify  # noqa: E402
from thermo_core.stages import OPS  # noqa: E402
from thermo_core.wearable.profile import Profile  # noqa: E402
from thermo_quantize.compiler.compile import Compiled, compile_model  # noqa: E402
from thermo_quantize.compiler.graph.generate import Graph, generate  # noqa: E402
from thermo_quantize.compiler.graph.place import Placement  # noqa: E402

SHIPPED = REPOSITORY / "models/thermo_models/wearables/breast-patch/bundle.img"
KEY = REPOSITORY / "device/thermo_device/development_key/development_ed25519.pub.pem"
CAMERA = {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0}
CURVE = {"kind": "external", "name": "skin", "rate_hz": 1.0}
PULSE = {"kind": "external", "name": "skin", "rate_hz": 25.0}
BAND = {"kind": "external", "name": "skin", "rate_hz": 25.0, "shape": [4]}
HANDS = {"kind": "external", "name": "skin", "rate_hz": 1.0, "shape": [8]}
NODES = {"kind": "external", "name": "skin", "rate_hz": 1.0, "shape": [16]}
HEART = {"kind": "external", "name": "skin", "rate_hz": 1 / 60}
PICTURES = 24
PROCESSORS = {one.target: one for one in (M4, M0PLUS)}
CHAIN_INSTRUCTIONS, CHAIN_RAM = 119_113, 34_862
"""Goals of the breast patch's graph: what the same steps took as code of their own."""
SAMPLES_A_SET = 2_000


@dataclass(frozen=True)
class Row:
    """A graph to measure.

    Attributes:
        name: of the row.
        about: what is measured, in words.
        stages: of the graph, on the sensor's signal "skin".
        sensor: of the graph.
        beyond: name of the row that its cost is told beyond.
        warm_up: blocks before the first that is measured.
        goal: instructions that it may take.
        body: on pictures of a warm body before a wall instead of noise alone.
    """

    name: str
    about: str
    stages: Sequence[dict[str, Any]]
    sensor: dict[str, Any] = field(default_factory=lambda: CAMERA)
    beyond: str = "camera"
    warm_up: int = 16
    goal: int | None = None
    body: bool = False


def _grove(rng: np.random.Generator, trees: int, depth: int) -> dict[str, Any]:
    """Whole trees of three classes on 16 numbers."""
    inner = 2**depth - 1
    split = [leaf for level in range(depth) for leaf in range(2**level)]
    return {
        "op": "trees",
        "leaves": 2**depth,
        "split": split * trees,
        "feature": rng.integers(0, 16, trees * inner).tolist(),
        "threshold": rng.normal(34, 0.5, trees * inner).tolist(),
        "value": rng.normal(0, 0.5, trees * 2**depth).tolist(),
        "start": [0.0, 0.0, 0.0],
    }


def _rows() -> tuple[Row, ...]:
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(54, 8)))[0].T.astype(np.float32).ravel().tolist()
    curve = {"op": "window", "of": "skin", "gives": "curve", "length": 600}
    made = {"of": "skin", "gives": "made"}
    means = {"op": "bins", "of": "curve", "gives": "means"}
    begin = {"op": "select", "of": "means", "gives": "begin", "places": list(range(7))}
    reverse = list(range(767, -1, -1))
    few = {"op": "select", "of": "skin", "gives": "few"}
    foster = few | {"places": list(range(27))}
    words = ["mean", "sd", "min", "max", "median", "p95"]
    pulse = {"op": "select", "of": "skin", "gives": "pulse", "places": [0]}
    wearer = {"op": "select", "of": "skin", "gives": "wearer", "places": [0, 1, 2, 3]}
    axes = {"op": "select", "of": "skin", "gives": "axes", "places": [1, 2, 3]}
    last = {"op": "window", "length": 200}
    windows: list[dict[str, Any]] = [
        pulse,
        axes,
        last | {"of": "pulse", "gives": "waves"},
        last | {"of": "axes", "gives": "moves"},
    ]
    air = {"op": "select", "of": "skin", "gives": "air", "places": [0]}
    hands: list[dict[str, Any]] = [{"op": "window", "of": "skin", "gives": "hands", "length": 600}]
    sums: list[dict[str, Any]] = [
        {"op": "bins", "of": "hands", "gives": "sums", "bins": 32},
        {"op": "select", "of": "hands", "gives": "before", "places": list(range(8))},
    ]
    paired = {
        "op": "paired_recovery",
        "of": "sums",
        "before": "before",
        "samples": 600,
        "shares": [0.15, 0.5, 1.0, 1.0],
    }
    garment = {
        "op": "body_map",
        "usual": [33.0] * 16,
        "level": [33.0] * 17,
        "matrix": rng.normal(0, 0.2, 272).tolist(),
        "areas": [1.0] * 17,
    }
    dead = {"op": "node_check", "limit": [0.01], "of": "skin", "gives": "living"}
    return (
        Row("camera", "a picture and its two companions put, no stage", []),
        Row("curve", "a single number put, no stage", [], CURVE, "curve"),
        Row("average", "running mean of 16 pictures", [made | {"op": "average", "pictures": 16}]),
        Row("centre", "a picture less its median", [made | {"op": "centre"}]),
        Row("centre_mean", "a picture less its mean", [made | {"op": "centre", "by": "mean"}]),
        Row("gaussian", "3 x 3 of a picture", [made | {"op": "gaussian"}], goal=15_000),
        Row("gaussian_5", "5 x 5 of a picture", [made | {"op": "gaussian", "size": 5, "sigma": 1.2}]),
        Row("median3", "a picture", [made | {"op": "median3"}], goal=40_000),
        Row("sobel", "magnitude of a picture", [made | {"op": "sobel"}], goal=15_000),
        Row("sobel_x", "x of a picture", [made | {"op": "sobel", "give": "x"}]),
        Row("crop", "12 x 16 of a picture", [made | {"op": "crop", "rows": 12, "columns": 16, "row": 6, "column": 8}]),
        Row("resize", "a picture to 12 x 16 by area", [made | {"op": "resize", "rows": 12, "columns": 16, "by": "area"}]),
        Row("resize_bilinear", "a picture to 48 x 64", [made | {"op": "resize", "rows": 48, "columns": 64}]),
        Row("difference", "left and right half of a picture", [made | {"op": "difference"}]),
        Row("segment", "Otsu and largest part of a picture", [made | {"op": "segment"}], goal=40_000, body=True),
        Row("segment_noise", "the same of noise alone", [made | {"op": "segment"}]),
        Row("segment_opened", "threshold and opening of a picture",
            [made | {"op": "segment", "threshold": 34.0, "opening": 1, "largest": False}]),
        Row("hot_spots", "4 of a picture", [made | {"op": "hot_spots"}], body=True),
        Row("equalise", "a picture in 64 levels", [made | {"op": "equalise", "low": 30.0, "high": 38.0}], goal=12_000),
        Row("clahe", "3 x 4 tiles of a picture",
            [made | {"op": "equalise", "low": 30.0, "high": 38.0, "tile_rows": 3, "tile_columns": 4, "clip": 2.0}]),
        Row("glcm", "8 levels, 4 offsets of a picture", [made | {"op": "glcm", "low": 32.5, "high": 35.5}], goal=40_000),
        Row("canny", "a picture", [made | {"op": "canny", "high": 0.6, "low": 0.3}], goal=90_000),
        Row("canny_body", "a picture of a body", [made | {"op": "canny", "high": 2.0, "low": 0.8}], body=True),
        Row("scale", "a picture", [made | {"op": "scale", "offset": 30.0, "factor": 0.5}]),
        Row("normalise", "a picture", [made | {"op": "normalise", "centre": [30.0], "spread": [2.0]}]),
        Row("percentiles", "a picture between its 2nd and 98th percentile", [made | {"op": "normalise_percentiles"}]),
        Row("background", "a picture less its background",
            [made | {"op": "subtract_background", "least_s": 0.0}], body=True),
        Row("background_gone", "median of a picture, all of it foreground",
            [made | {"op": "subtract_background", "by": "median", "least_s": 0.0, "threshold": 0.0001}], warm_up=3),
        Row("domain", "54 numbers, 8 axes",
            [few | {"places": list(range(54))}, made | {"op": "domain", "of": "few", "low": [0.0], "high": [60.0], "axes": basis, "spread": [2.0] * 8,
                    "along": 9.0, "across": 9.0}]),
        Row("logarithm", "a picture", [made | {"op": "logarithm", "offset": 1.0}]),
        Row("select", "all of a picture, upside down", [made | {"op": "select", "places": reverse}]),
        Row("concatenate", "a picture, die temperature and supply",
            [made | {"op": "concatenate", "of": ["skin", "skin.ta", "skin.vdd"]}]),
        Row("stack", "two pictures", [made | {"op": "stack", "of": ["skin", "skin"]}]),
        Row("domain_gate", "a picture by its own pixels", [made | {"op": "domain_gate", "by": "skin", "low": 20.0}]),
        Row("prefer", "the first of two pictures", [made | {"op": "prefer", "of": ["skin", "skin"]}]),
        Row("statistics", f"{', '.join(words)} of a picture", [made | {"op": "statistics", "give": words, "over": "all"}]),
        Row("hold", "a picture at its own moments", [made | {"op": "hold", "on": "skin"}]),
        Row("resample", "mean of a picture, 8 to 4 a second", [made | {"op": "resample", "rate_hz": 4.0}]),
        Row("window", "the last 4 pictures", [made | {"op": "window", "length": 4}]),
        Row("select_54", "54 of a picture's numbers", [few | {"places": list(range(54))}]),
        Row("projection", "54 numbers on 8 shapes, and the noise left",
            [few | {"places": list(range(54))},
             made | {"op": "projection", "of": "few", "basis": basis, "rows": 8, "least_noise": 1e-4}],
            beyond="select_54"),
        Row("select_27", "27 of a picture's numbers", [foster]),
        Row("foster", "3 parts in 3 copies", [foster, made | {"op": "foster", "of": "few", "parts": 3, "copies": 3}],
            beyond="select_27"),
        Row("curve_600", "the last 600 numbers", [curve], CURVE, "curve", 600),
        Row("bins", "600 numbers in 64 bins, less their end", [curve, made | {"op": "bins", "of": "curve", "settled": 50}],
            CURVE, "curve_600", 600),
        Row("time_statistics", f"{', '.join(words)}, slope of 600 numbers",
            [curve, made | {"op": "statistics", "of": "curve", "give": [*words, "slope"]}], CURVE, "curve_600", 600),
        Row("recovery", "one exponential through 600 numbers", [curve, made | {"op": "recovery", "of": "curve"}],
            CURVE, "curve_600", 600),
        Row("slope", "of a number over 60 s of 1 Hz", [made | {"op": "slope", "span_s": 60.0}], CURVE, "curve", 60),
        Row("relative", "16 nodes, one number beside each", [made | {"op": "relative", "to": "skin", "floor": 0.1, "shares": [0.2]}], NODES, "nodes"),
        Row("lacking", "16 nodes", [made | {"op": "lacking"}], NODES, "nodes"),
        Row("kalman_core", "core temperature of a heart rate", [made | {"op": "kalman_core"}], HEART, "curve"),
        Row("forward_fill", "a number", [made | {"op": "forward_fill"}], CURVE, "curve"),
        Row("expectile", "a number", [made | {"op": "expectile"}], CURVE, "curve"),
        Row("integral", "a number", [made | {"op": "integral"}], CURVE, "curve"),
        Row("wearer", "a number, and four of a wearer", [pulse, wearer], BAND, "band"),
        Row("metabolic_rate", "of a heart rate, one at rest and a wearer",
            [pulse, wearer, {"op": "metabolic_rate", "of": "pulse", "resting": "pulse", "wearer": "wearer", "gives": "made"}], BAND,
            "wearer"),
        Row("bandpass", "a pulse, order 2", [made | {"op": "bandpass", "low_hz": 0.7, "high_hz": 3.5}], PULSE, "curve"),
        Row("band", "a pulse and three axes put, no stage", [], BAND, "band"),
        Row("axes", "three axes of four numbers", [axes], BAND, "band"),
        Row("enmo", "of three axes", [axes, made | {"op": "enmo", "of": "axes"}], BAND, "axes"),
        Row("windows", "8 s of 25 Hz of pulse and three axes", windows, BAND, "band", 200),
        Row("enmo_window", "mean and SD of 200 rows of three axes", [*windows, made | {"op": "enmo", "of": "moves"}],
            BAND, "windows", 200),
        Row("spectrum_peak", "heart rate of 8 s of 25 Hz, motion taken away",
            [*windows, made | {"op": "spectrum_peak", "of": "waves", "motion": "moves"}], BAND, "windows", 200),
        Row("nodes", "16 nodes put, no stage", [], NODES, "nodes"),
        Row("air", "one of 16 numbers", [air], NODES, "nodes"),
        Row("contact_correction", "16 nodes, one air", [air, made | {"op": "contact_correction", "air": "air", "share": [0.2]}],
            NODES, "air"),
        Row("contact_gate", "16 nodes", [made | {"op": "contact_gate"}], NODES, "nodes"),
        Row("motion_gate", "16 nodes, one number of motion", [air, made | {"op": "motion_gate", "motion": "air"}], NODES, "air"),
        Row("foster_fit", "600 numbers in 64 bins, noise alone", [curve, means, begin,
            {"op": "foster_fit", "of": "means", "begin": "begin", "gives": "made", "samples": 600}], CURVE, "curve_600", 600),
        Row("hands_600", "600 rows of 8 nodes, noise alone", hands, HANDS, "hands_600", 600),
        Row("step_removal", "of these", [*hands, made | {"op": "step_removal", "of": "hands"}], HANDS, "hands_600", 600),
        Row("sums", "of these in 32 bins, and the first row", [*hands, *sums], HANDS, "sums", 600),
        Row("paired_recovery", "two sides of four nodes from these", [*hands, *sums, made | paired], HANDS, "sums", 600),
        Row("reference", "16 nodes by 8 parts of the air", [air, made | {"op": "reference", "ambient": "air", "bins": 8}],
            NODES, "air"),
        Row("body_map", "16 nodes to 17 segments and their mean", [made | garment], NODES, "nodes"),
        Row("body_map_2", "the same with two nodes lacking", [dead, made | garment | {"of": "living"}], NODES, "node_check_2"),
        Row("own_baseline", "16 nodes", [made | {"op": "own_baseline"}], NODES, "nodes"),
        Row("reference_picture", "a picture, registered",
            [made | {"op": "reference", "give": ["difference"], "most_shift": 2.0}]),
        Row("trees", "90 trees of depth 4 on 16 numbers, 3 classes", [made | _grove(rng, 90, 4)], NODES, "nodes"),
        Row("node_check", "16 nodes, none dead", [made | {"op": "node_check", "limit": [9.0]}], NODES, "nodes"),
        Row("node_check_2", "16 nodes, two taken away", [made | {"op": "node_check", "limit": [0.01]}], NODES, "nodes"),
    )  # fmt: skip


def _chain() -> list[dict[str, Any]]:
    """What the breast patch does with pictures before its network."""
    return [
        {"op": "average", "of": "skin", "gives": "calm", "pictures": 16},
        {"op": "centre", "of": "calm", "gives": "above"},
    ]


def _plan(row_sensor: dict[str, Any], stages: Sequence[dict[str, Any]], **more: Any) -> Plan:
    parts = {"name": "bench", "version": "1", "sensors": [row_sensor], "stages": list(stages)} | more
    return plan(schema.from_plain(parts, Profile, "profile"))


def _network(name: str, target: str) -> Compiled:
    """The breast patch's."""
    payload = verify(SHIPPED.read_bytes(), [load_public_key(KEY.read_bytes())]).payload
    return compile_model(Bundle.from_payload(payload).networks["lesion"], name, target)


@dataclass(frozen=True)
class Measured:
    """What a graph costs.

    Attributes:
        instructions: of a block of its sensor.
        placement: of its memory.
        ram: bytes of all its variables.
    """

    instructions: int
    placement: Placement
    ram: int


@dataclass(frozen=True)
class Results:
    """What was measured.

    Attributes:
        rows: by their names.
        chain: of the breast patch's graph, without writing the picture and without its network's own instructions.
        invoke: instructions of a run of its network.
    """

    rows: dict[str, Measured]
    chain: Measured
    invoke: int


def measure(processor: Processor = M4, rows: Sequence[Row] | None = None) -> Results:
    """Generate, compile, run.

    Args:
        processor: that it runs on.
        rows: to measure beside the breast patch's graph; all where left out.
    """
    rows = _rows() if rows is None else rows
    plans = {row.name: _plan(row.sensor, row.stages) for row in rows}
    model = {"name": "lesion", "inputs": ["above"], "scores": ["no lesion", "lesion"]}
    plans["chain"] = _plan(CAMERA, _chain(), models=[model])
    network = _network("case_network", processor.target)
    nets = {"chain": {"lesion": network}}
    graphs = {name: generate(made, nets.get(name, {}), f"case_{name}") for name, made in plans.items()}
    warm_ups = {row.name: row.warm_up for row in rows} | {"chain": 16}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = _run(folder, plans, graphs, network, warm_ups, processor)
        ram = {name: _variables(folder / f"case_{name}.o") for name in plans}
    said["chain"] -= said["writing"] + said["invoke"]
    found = {name: Measured(said[name], graphs[name].placement, ram[name]) for name in plans}
    return Results(found, found.pop("chain"), said["invoke"])


def _run(
    folder: Path,
    plans: dict[str, Plan],
    graphs: dict[str, Graph],
    network: Compiled,
    warm_ups: dict[str, int],
    processor: Processor,
) -> dict[str, int]:
    """Numbers by the names that stages_m4.c says them under."""
    sources = []
    for graph in graphs.values():
        for file, text in graph.files.items():
            (folder / file).write_text(text)
            sources += [folder / file] if file.endswith(".c") else []
    (folder / "cases.h").write_text(_cases(plans, network, warm_ups))
    program = emulated_program([Path(__file__).with_name("stages_m4.c"), *core_sources(), *sources], folder, processor)
    said = emulate(program, "-icount", "shift=0", processor=processor)
    return {name: int(value) for name, _, value in (line.partition(" ") for line in said.splitlines())}


def _variables(path: Path) -> int:
    """Bytes of RAM of an object file."""
    done = subprocess.run(["arm-none-eabi-size", str(path)], capture_output=True, text=True, check=True)
    _, data, bss, *_ = done.stdout.splitlines()[1].split()
    return int(data) + int(bss)


def _cases(plans: dict[str, Plan], network: Compiled, warm_ups: dict[str, int]) -> str:
    """What stages_m4.c works on."""
    rng = np.random.default_rng(1)
    scene = 34 + rng.normal(0, 0.4, 768)
    pictures = (scene + rng.normal(0, 0.28, (PICTURES, 768))).astype(np.float32)
    y, x = np.mgrid[:24, :32]
    within = ((x - 15) / 9.0) ** 2 + ((y - 14) / 12.0) ** 2 < 1
    warm = 23 + 9.5 * within + 1.5 * np.exp(-((x - 18) ** 2 + (y - 12) ** 2) / 4)
    bodies = (warm.ravel() + rng.normal(0, 0.1, (PICTURES, 768))).astype(np.float32)
    tables = [
        ",\n".join("{" + ",".join(f"{one!r}F" for one in row) + "}" for row in of.tolist()) for of in (pictures, bodies)
    ]
    bodied = {row.name for row in _rows() if row.body}
    rows, puts = [], []
    for name, made in plans.items():
        put = [number for number, signal in enumerate(made.signals.values()) if signal.name.partition(".")[0] == "skin"]
        puts.append(f"static const uint16_t put_{name}[] = {{{', '.join(map(str, put))}}};")
        period_us = round(1e6 / made.signals["skin"].rate_hz)
        rows.append(
            f'{{"{name}", &case_{name}_plan, put_{name}, {len(put)}, {warm_ups[name]}, {period_us}, {int(name in bodied)}}},'
        )
    return "\n".join(
        [
            *(f'#include "case_{name}.h"' for name in plans),
            f'#include "{network.name}.h"',
            f"#define CHAIN_INVOKE {network.name}_invoke",
            "struct stages_case { const char *name; const struct graph_plan *plan; const uint16_t *put; uint16_t put_count; "
            "uint32_t warm_up; int64_t period_us; int scene; };",
            *puts,
            "static const struct stages_case cases[] = {",
            *rows,
            "};",
            f"static const float pictures[2][{PICTURES}][768] = {{{{{tables[0]}}}, {{{tables[1]}}}}};",
        ]
    )


def show(name: str) -> None:
    """Measure and print."""
    found = measure(PROCESSORS[name])
    print(f"{f'{PROCESSORS[name].name} in QEMU':70}{'instructions':>13}{'goal':>8}{'passes':>8}{'keeps':>8}{'RAM':>8}")
    for row in _rows():
        one = found.rows[row.name]
        more = one.instructions - (found.rows[row.beyond].instructions if row.name != row.beyond else 0)
        goal = "" if row.goal is None else f"{row.goal:,}"
        kept = one.placement.bytes - one.placement.shared_bytes
        print(f"{row.name:19}{row.about:51}{more:>13,}{goal:>8}{one.placement.shared_bytes:>8,}{kept:>8,}{one.ram:>8,}")
    chain = found.chain
    print("\nbreast patch, a picture: mean of 16, less its median, quantised")
    print(
        f"  {chain.instructions:,} instructions (goal {CHAIN_INSTRUCTIONS:,}), {chain.ram:,} bytes of RAM (goal {CHAIN_RAM:,}) with the "
        f"picture at hand and the network's arena: {chain.placement.shared_bytes:,} shared by picture, stages and network"
    )


def compare(inputs: int, seed: int, operations: Sequence[str]) -> int:
    """Run operations on random inputs in C and Python; the number of operations that differ."""
    differing = 0
    for op in operations:
        rng = np.random.default_rng([seed, *op.encode()])
        cases: list[Case] = []
        taken = 0
        while taken < inputs:
            try:
                made = single(Seeded(rng), op=op)
            except Unfit:
                continue
            samples = min(SAMPLES_A_SET, inputs - taken)
            sensors = {one.name: (one.shape, one.rate_hz) for sensor in made.profile.sensors for one in sensor.signals}
            cases.append(Case.of(made, recording(rng, samples, sensors, 1), len(cases)))
            taken += samples
        with tempfile.TemporaryDirectory() as folder:
            found = run(cases, Path(folder))
        differences = [where for where in map(first_difference, cases, found) if where]
        differing += bool(differences)
        verdict = differences[0] if differences else "all bytes are the same"
        print(f"{op:19} {taken:>9,} samples, {len(cases)} sets of parameters: {verdict}", flush=True)
    return differing


def main() -> None:
    """Measure or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--compare", type=int, metavar="N", help="random samples of each operation to compare with Python"
    )
    parser.add_argument("--processor", choices=PROCESSORS, default="m4", help="that is emulated")
    parser.add_argument("--seed", type=int, default=0, help="of the random samples")
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help="to compare (default: all)")
    arguments = parser.parse_args()
    for program in ("arm-none-eabi-gcc", "qemu-system-arm", "gcc"):
        if not shutil.which(program):
            sys.exit(
                f"stages: {program} is missing; install gcc, gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm."
            )
    warnings.simplefilter("ignore", RuntimeWarning)  # extreme numbers overflow, on purpose
    if arguments.compare is not None and arguments.compare < 1:
        parser.error("--compare takes a number of samples, 1 or more")
    unknown = sorted(set(arguments.operations) - set(OPS))
    if unknown:
        parser.error(f"there is no operation {', '.join(unknown)}; there are {', '.join(sorted(OPS))}")
    if arguments.compare is None:
        show(arguments.processor)
    elif compare(arguments.compare, arguments.seed, arguments.operations or sorted(OPS)):
        sys.exit("stages: some operations differ.")


if __name__ == "__main__":
    main()
