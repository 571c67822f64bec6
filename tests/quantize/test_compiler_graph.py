"""Generated graphs: one memory in which nothing is written over while it is needed, and networks that fit their models."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from firmware_graph import includes
from graph_plans import graph
from small_networks import network, networks
from stage_runs import sensor, wearable
from wearable_draft import Seeded, Unfit

from thermo_core import schema
from thermo_core.errors import ModelError, ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.stages import OPS
from thermo_core.stages.stage import Latched, Regridded
from thermo_core.wearable.profile import Model, Profile
from thermo_quantize.compiler.compile import Compiled, compile_model, placed
from thermo_quantize.compiler.emit.unit import Place
from thermo_quantize.compiler.graph.generate import generate
from thermo_quantize.compiler.graph.place import Placement, row
from thermo_quantize.compiler.graph.row import ORDER_SCRATCH, Site
from thermo_quantize.compiler.graph.source import identifiers

CAMERA = {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0}
OTHER = {"kind": "mlx90640", "name": "other", "path": [0x34], "rate_hz": 16.0}
PATCH = [
    {"op": "average", "of": "skin", "gives": "calm", "pictures": 16},
    {"op": "centre", "of": "calm", "gives": "above"},
]
OTHER_PATCH = [
    {"op": "average", "of": "other", "gives": "calm2", "pictures": 16},
    {"op": "centre", "of": "calm2", "gives": "above2"},
]
LESION = {"name": "lesion", "inputs": ["above"], "scores": ["no lesion", "lesion"]}
SHIPPED = Path(__file__).resolve().parents[2] / "models/thermo_models/wearables"
PICTURE = 768 * 4


def made_of(**parts: object) -> Plan:
    return plan(schema.from_plain({"name": "test", "version": "1"} | parts, Profile, "profile"))


def compiled(made: Plan, prefix: str = "net") -> dict[str, Compiled]:
    return {name: compile_model(data, f"{prefix}_{name}") for name, data in networks(made, 0).items()}


def random_plans(seed: int, count: int) -> Iterator[Plan]:
    rng = np.random.default_rng(seed)
    while count:
        try:
            yield graph(Seeded(rng), 4, 14)
        except Unfit:
            continue
        count -= 1


def check_memory(made: Plan, found: Placement, nets: Mapping[str, Compiled]) -> None:
    """Run the passes of each sensor on a map of who wrote each byte last."""
    owner = np.full(found.bytes, "", dtype=object)
    root = {name: signal.clock for name, signal in made.signals.items()}
    first = set(made.signals) - {node.gives.name for node in made.nodes}
    for node in made.nodes:
        op = None if isinstance(node.what, Model) else OPS[node.what.op]
        root[node.gives.name] = root[node.inputs[-1 if isinstance(op, Latched) else 0].name]
        first |= {node.gives.name} if isinstance(op, Regridded) else set()
    built_up = {name for one in made.profile.sensors for name in one.built_up}

    def bytes_of(name: str) -> slice:
        return slice(found.signals[name], found.signals[name] + 4 * made.signals[name].elements)

    for start, depth in sorted({(root[name], signal.depth) for name, signal in made.signals.items()}):
        own = {name for name, one in made.signals.items() if (root[name], one.depth) == (start, depth)}
        owner[: found.shared_bytes] = "an earlier pass"
        for name in (built_up - own) | (own & first):
            owner[bytes_of(name)] = name
        for number, node in enumerate(made.nodes):
            for signal in {one.name for one in node.inputs} & own:
                assert (owner[bytes_of(signal)] == signal).all(), (node.gives.name, signal)
            if node.gives.name not in own - first:
                continue
            if number in found.scratch:
                size = row(node).scratch(Site(node, number, found.rooms[number]))
                owner[found.scratch[number] :][:size] = "scratch"
            if isinstance(node.what, Model):
                owner[found.arenas[number] :][: nets[node.what.name].plan.size] = "arena"
            owner[bytes_of(node.gives.name)] = node.gives.name
        for name in built_up - own:
            # What has come of the next picture is still there.
            assert (owner[bytes_of(name)] == name).all(), name


def test_nothing_is_written_over_while_it_is_needed() -> None:
    for made in random_plans(0, 60):
        nets = compiled(made)
        check_memory(made, generate(made, nets, "case").placement, nets)


def test_half_a_picture_is_not_touched_by_other_sensors() -> None:
    minute = {"op": "window", "of": "strap", "gives": "minute", "length": 120}
    resampled = {"op": "resample", "of": "strap", "gives": "slow", "rate_hz": 0.1}
    made = made_of(
        sensors=[CAMERA, OTHER, sensor("strap", (64,), 2.0)], stages=[*PATCH, *OTHER_PATCH, minute, resampled]
    )
    found = generate(made, {}, "case").placement
    check_memory(made, found, {})
    # Each camera's picture is kept; their stages share the rest.
    assert found.shared_bytes <= 2 * PICTURE + ORDER_SCRATCH + 64


def test_the_breast_patch_needs_less_than_its_parts() -> None:
    net = compile_model((SHIPPED / "breast-patch/model.tflite").read_bytes(), "lesion", "m4")
    made = made_of(sensors=[CAMERA], stages=PATCH, models=[LESION])
    found = generate(made, {"lesion": net}, "patch").placement
    check_memory(made, found, {"lesion": net})
    assert found.bytes - found.shared_bytes == 16 * 768 * 2
    # The picture, its mean, the room for the median and the network's arena lie on one another.
    assert found.shared_bytes <= max(net.plan.size, PICTURE + ORDER_SCRATCH) + 64


def test_a_wearable_without_a_picture_pays_for_none() -> None:
    made = wearable(
        sensor("nodes", (8,)),
        {"op": "window", "of": "nodes", "gives": "recovery", "length": 600},
        {"op": "statistics", "of": "recovery", "gives": "said", "give": ["mean", "slope", "last - first"]},
    )
    assert generate(made, {}, "band").placement.bytes <= 600 * 8 * 4 + 8 * 4 + 8 * 3 * 4 + 16


def test_same_plan_same_bytes() -> None:
    made = made_of(sensors=[CAMERA, OTHER], stages=[*PATCH, *OTHER_PATCH])
    assert generate(made, {}, "case").files == generate(made, {}, "case").files


def test_signals_have_names_of_their_own() -> None:
    assert identifiers(["skin.ta", "skin-ta", "skin_ta", "skin"]) == {
        "skin.ta": "SKIN_TA",
        "skin-ta": "SKIN_TA_2",
        "skin_ta": "SKIN_TA_3",
        "skin": "SKIN",
    }


@pytest.mark.parametrize(
    ("inputs", "outputs", "match"),
    [
        (None, 2, 'model "said" has no network'),
        ([5, 5], 2, "has 2 inputs and 1 outputs and its model 1"),
        ([6], 2, 'end of 6 numbers for "x" of 5'),
        ([5], 3, 'end of 3 numbers for "said.raw" of 2'),
    ],
)
def test_networks_that_do_not_fit_are_refused(inputs: list[int] | None, outputs: int, match: str) -> None:
    quantities = [{"name": name, "unit": "", "low": 0.0, "high": 1.0} for name in ("one", "two")]
    said = {"name": "said", "inputs": ["x"], "quantities": quantities}
    made = made_of(sensors=[sensor("x", (5,))], models=[said])
    nets = {} if inputs is None else {"said": compile_model(network(inputs, outputs, 1), "said")}
    with pytest.raises(ModelError, match=match):
        generate(made, nets, "case")


def test_more_samples_than_can_be_are_refused() -> None:
    made = wearable(
        sensor("x", rate_hz=0.01),
        {"op": "resample", "of": "x", "gives": "dense", "rate_hz": 100.0, "by": "last"},
        {"op": "resample", "of": "dense", "gives": "denser", "rate_hz": 1000.0, "by": "last"},
    )
    with pytest.raises(ProfileError, match=r"makes up to \d+ samples of one block") as refused:
        generate(made, {}, "case")
    assert refused.value.path == ".stages[1]"


@pytest.mark.parametrize("at", [0, 8, 1000])
def test_a_network_runs_in_memory_that_is_not_its_own(at: int, tmp_path: Path, host_run: Any) -> None:
    alone = compile_model(network([7], 3, 2), "net")
    moved = dict(placed(alone, Place("shared", at)).files)
    assert "static _Alignas(16) int8_t arena" not in moved["net.c"]
    moved["net.c"] += f"\n_Alignas(16) uint8_t shared[{at + alone.plan.size}];\n"
    inputs = np.random.default_rng(0).integers(-128, 128, (20, 7)).astype(np.int8)
    own, other = (
        host_run(files, "net", inputs, tmp_path / name) for name, files in (("own", alone.files), ("other", moved))
    )
    np.testing.assert_array_equal(own, other)


def test_tools_find_nothing_in_generated_graphs(tmp_path: Path) -> None:
    if not shutil.which("clang") or not shutil.which("cppcheck"):
        pytest.skip("clang and cppcheck are not installed")
    for number, made in enumerate(random_plans(3, 8)):
        for file, text in generate(made, compiled(made, f"net{number}"), f"case{number}").files.items():
            (tmp_path / file).write_text(text)
    sources = [str(path) for path in sorted(tmp_path.glob("case*.c"))]
    clang = "clang -std=c11 -Weverything -Werror -Wno-padded -Wno-unknown-warning-option -fsyntax-only".split()
    for command in (
        [*clang, *includes(tmp_path), *sources],
        ["cppcheck", "--enable=warning,style,portability", "--std=c11", "--quiet", "--error-exitcode=1",
         "--suppress=unusedStructMember", "--suppress=missingInclude", f"-I{tmp_path}", *sources],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
