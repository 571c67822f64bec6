"""The shipped wearables live: what their graphs say moment by moment is what training saw, and a Cortex-M4 says the same."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from firmware_graph import Block as Moments
from firmware_graph import Case, first_difference, run
from numpy.typing import NDArray
from processors import M4

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.graph import series
from thermo_core.graph.engine import Engine, Said
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import plan
from thermo_core.graph.typical import SCENES, typical_series
from thermo_core.quality import Quality
from thermo_core.sensors.external.kind import encode
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.signals import Sample
from thermo_core.stages import OPS
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_models import foster, patch, projection
from thermo_models.evaluation import open_model
from thermo_models.features import moments, network_inputs, refused, signal_over
from thermo_models.tasks import breast_patch, find
from thermo_quantize.cli import main as thermo_quantize

pytestmark = pytest.mark.lengthy

KEY = DEVELOPMENT_PUBLIC_KEY.with_name("development_ed25519.pem")
STEP = 1 / 65535
Fed = list[tuple[int, str, Any]]
"""What comes from outside: time in microseconds, sensor, numbers."""


@pytest.fixture(scope="module", params=["core-temperature", "time-constants", "wrist-stress"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A shipped wearable whose sensors are elsewhere, signed and read back."""
    out = tmp_path_factory.mktemp("signed") / "bundle.img"
    with pytest.raises(SystemExit) as ended:
        words = ["--key", str(KEY), "--version", "1.0.0", "--out", str(out)]
        thermo_quantize(["sign", "--wearable", request.param, *words])
    assert not ended.value.code
    key = image.load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    return Bundle.from_payload(image.verify(out.read_bytes(), [key]).payload)


@pytest.mark.parametrize("name", library.names())
def test_the_signed_bundle_is_that_of_the_files(name: str, tmp_path: Path) -> None:
    folder = library.resolve(name).parent
    out = tmp_path / "bundle.img"
    with pytest.raises(SystemExit) as ended:
        version = file.read(library.resolve(name)).profile.version
        thermo_quantize(["sign", "--wearable", name, "--key", str(KEY), "--version", version, "--out", str(out)])
    assert not ended.value.code
    assert out.read_bytes() == (folder / library.BUNDLE_NAME).read_bytes(), (
        f"sign {name} again: docs/training.md says how"
    )


def wrist() -> Fed:
    """Nine minutes in the middle of which everything changes, then a gap of a minute, then three more minutes."""
    rng = np.random.default_rng(1)
    fed: Fed = []
    for second in (*range(540), *range(600, 780)):
        changed = second > 240
        said = {
            "temperature": 33 - 0.002 * second + rng.normal(0, 0.02),
            "heart-rate": 70 + 15 * changed + rng.normal(0, 2),
            "conductance": 0.8 + 1.5 * changed + rng.normal(0, 0.03),
            "motion": abs(rng.normal(0, 0.02 + 0.05 * changed)),
        }
        fed += [(1_000_000 * second + 100 * n, name, np.float32(x)) for n, (name, x) in enumerate(said.items())]
    return fed


def faces() -> Fed:
    """Twelve faces, some with regions that were not found."""
    rng = np.random.default_rng(2)
    fed: Fed = []
    for number in range(12):
        face = (35.3 + rng.normal(0, 0.4) + rng.normal(0, 0.4, (2, 26))).astype(np.float32)
        face[rng.random(face.shape) < 0.05 * (number % 3)] = np.nan
        room = {"air": rng.uniform(20, 24), "humidity": rng.uniform(10, 60), "distance": 0.7, "hour": 8 + number / 2}
        said = {name: np.float32(x) for name, x in room.items()} | {"face": face}
        fed += [(600_000_000 * number + 10 * n, name, x) for n, (name, x) in enumerate(said.items())]
    return fed


def curves() -> foster.Curves:
    return foster.make(4, 0.01, seed=77)


def recoveries() -> Fed:
    """Recovery curves, minutes apart."""
    return [
        (1_000_000 * (800 * number + second), "recovery", np.float32(x))
        for number, values in enumerate(curves().values)
        for second, x in enumerate(values)
    ]


FED = {"core-temperature": faces, "time-constants": recoveries, "wrist-stress": wrist}
PERSON = {"sex": 1.0, "age_years": 34.0}


def live(bundle: Bundle, fed: Fed) -> list[Said]:
    """All findings of a wearable, block by block."""
    networks = {name: Int8Network(content) for name, content in bundle.networks.items()}
    known = {name: value for name, value in PERSON.items() if name in bundle.profile.person}
    engine = Engine(plan(bundle.profile), networks, person=known)
    numbers = {sensor.name: number for number, sensor in enumerate(bundle.profile.sensors)}
    for number in numbers.values():
        engine.open(number, SensorConstants(0, b""), None)
    said: list[Said] = []
    for index, (time_us, name, values) in enumerate(fed):
        said += engine.push(Block(time_us, numbers[name], 0, index, encode(values))).said
    assert not engine.failures and not any(engine.undecodable)
    return said


def trained(bundle: Bundle, fed: Fed) -> tuple[NDArray[Any], list[bool]]:
    """What the trained network says of the features that training would make of the same, (n, outputs), and which it does not know."""
    task = find(bundle.profile.name)
    opened = open_model(task, library.resolve(task.name).parent / "model.tflite")
    stretches: list[dict[str, list[NDArray[Any]]]] = [{}]
    last: dict[str, int] = {}
    for time_us, name, values in fed:
        if bundle.profile.sensors[0].signals[0].rate_hz and time_us - last.get(name, time_us) > 5_000_000:
            stretches.append({})
            last.clear()
        last[name] = time_us
        stretches[-1].setdefault(name, []).append(values)
    features = []
    for stretch in stretches:
        each = {name: np.array(values, np.float32) for name, values in stretch.items()}
        count = len(next(iter(each.values())))
        each |= {f"person.{name}": np.full(count, PERSON[name], np.float32) for name in bundle.profile.person}
        features.append(signal_over(file.read(library.resolve(task.name)).profile, moments(each), task.entry).values)
    made = np.concatenate(features)
    return opened.network.predict([network_inputs(opened.stages, made)]), refused(opened.stages, made).tolist()


def test_live_findings_are_those_of_training(bundle: Bundle) -> None:
    name = bundle.profile.name
    fed = FED[name]()
    said, (wanted, unknown) = live(bundle, fed), trained(bundle, fed)
    assert len(said) == len(wanted) > 3
    # A region that no picture has is missing; what the mouth alone has is filled in.
    lasting = [np.isnan(values[:, :23]).all(0).any() for _, sensor, values in fed if sensor == "face"] or [False] * len(
        said
    )
    other = [one.finding.flags & ~(Quality.FILLED | Quality.OUT_OF_DOMAIN) for one in said]
    assert other == [Quality.MISSING if lacks else Quality(0) for lacks in lasting]
    assert [bool(one.finding.flags & Quality.OUT_OF_DOMAIN) for one in said] == unknown
    found = np.array([one.finding.values for one in said])
    if name == "wrist-stress":
        assert np.abs(found[:, 1] - wanted[:, 0]).max() <= STEP and np.allclose(found.sum(1), 1, atol=2 * STEP)
        assert np.ptp(found[:, 1]) > 0.05
    elif name == "core-temperature":
        assert np.array_equal(found[:, 0].astype(np.float32), np.float32(37) + wanted[:, 0])
        assert any(one.finding.flags & Quality.FILLED for one in said)
    else:
        assert found[:, 0].tolist() == curves().parts.tolist()
        stages = {stage.gives: stage for stage in bundle.profile.stages}
        means = projection.of_curves(curves().values)
        begun = OPS["foster"].apply(stages["constants"], (), [wanted])
        fitted = OPS["foster_fit"].apply(stages["fitted"], (), [means, begun])
        np.testing.assert_array_equal(found.astype(np.float32), fitted)
        np.testing.assert_allclose(found[:, 1:4], curves().tau_s, rtol=0.25)


def test_what_is_not_told_is_missing_and_doubted(bundle: Bundle) -> None:
    """Without the room or the wearer a face is still told of, and flagged; without a signal a wrist is not."""
    fed = FED[bundle.profile.name]()
    last = fed[-1][1]
    said = live(bundle, [one for one in fed if one[1] == last])
    if bundle.profile.name == "time-constants":
        return
    assert said and all(one.finding.flags & (Quality.MISSING | Quality.FILLED) for one in said)


def case_of(profile_name: str, blocks: list[Moments]) -> Case:
    wearable = file.read(library.resolve(profile_name))
    return Case(wearable.plan(), blocks, {name: path.read_bytes() for name, path in wearable.networks.items()})


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    """What each shipped wearable is fed."""
    found: dict[str, Case] = {}
    for name, make in FED.items():
        blocks: list[Moments] = []
        if name == "core-temperature":
            told = {f"person.{field}": Sample(0, np.array(value, np.float32)) for field, value in PERSON.items()}
            blocks.append([told])
        blocks += [[{sensor: Sample(time_us, np.asarray(values))}] for time_us, sensor, values in make()]
        found[name] = case_of(name, blocks)
    rng = np.random.default_rng(3)
    scene = 33.5 + rng.normal(0, 0.3, (24, 32))
    pictures: list[Moments] = []
    for number in range(20):
        said = {"skin": scene + rng.normal(0, 0.2, (24, 32)), "skin.ta": 35.0, "skin.vdd": 3.3}
        pictures.append([{name: Sample(125_000 * number, np.asarray(x, np.float32)) for name, x in said.items()}])
    found["breast-patch"] = case_of("breast-patch", pictures)
    for name in set(library.names()) - found.keys():
        found[name] = case_of(name, typical_blocks(name))
    return found


def typical_blocks(name: str) -> list[Moments]:
    """What the sensors of a wearable might say until each of its models has said something twice."""
    wearable = file.read(library.resolve(name))
    plan_ = wearable.plan()
    networks = {model: Int8Network(path.read_bytes()) for model, path in wearable.networks.items()}
    seconds = 32.0
    while True:
        made = typical_series(plan_, SCENES[0], seconds)
        found = series.run(plan_, made, networks)
        if all(len(found[model.reading]) > 1 for model in plan_.profile.models):
            break
        seconds *= 2
    last = max(found[model.reading].sample(1).order for model in plan_.profile.models)
    by_block: dict[int, dict[tuple[int, int], dict[str, Sample]]] = {}
    for signal, of in made.items():
        for place in range(len(of)):
            sample = of.sample(place)
            if sample.order > last:
                break
            passes = by_block.setdefault(sample.order, {})
            passes.setdefault((sample.order, sample.time_us), {})[signal] = sample
    return [list(passes.values()) for _, passes in sorted(by_block.items())]


def test_every_shipped_wearable_makes_the_same_bytes_in_c(tmp_path: Path, cases: dict[str, Case]) -> None:
    assert cases.keys() == set(library.names())
    compare(cases, tmp_path, emulated=False)


def test_every_shipped_wearable_makes_the_same_bytes_on_a_cortex_m4(tmp_path: Path, cases: dict[str, Case]) -> None:
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    compare(cases, tmp_path, emulated=True)


MOST_BLOCKS = 4000
"""Of a case that the flash of an emulated board has room for beside the others."""


def compare(cases: dict[str, Case], folder: Path, emulated: bool) -> None:
    made = dict(cases)
    cut = {name for name, case in made.items() if emulated and len(case.blocks) > MOST_BLOCKS}
    for name in cut:
        made[name] = dataclasses.replace(made[name], blocks=made[name].blocks[:MOST_BLOCKS])
    for (name, case), found in zip(
        made.items(), run(list(made.values()), folder, M4 if emulated else None), strict=True
    ):
        assert first_difference(case, found) == "", name
        (model,) = case.plan.profile.models
        assert name in cut or any(model.reading in one for one in found), name


def test_the_breast_patch_sees_what_it_was_measured_on() -> None:
    """Pictures of a simulated body, one after another through the graph, and at once as training averages them."""
    wearable = breast_patch.WEARABLE
    network = Int8Network(wearable.networks["lesion"].read_bytes())
    rng = np.random.default_rng(4)
    pictures = (33 + rng.normal(0, 0.4, (24, 32)) + rng.normal(0, 0.2, (breast_patch.PICTURES, 24, 32))).astype(
        np.float32
    )
    graph = LiveGraph(wearable.plan(), {"lesion": network})
    produced: dict[str, Sample] = {}
    for number, picture in enumerate(pictures):
        for samples in graph.push([{"skin": Sample(125_000 * number, picture)}]):
            produced |= samples
    calm = patch.averaged(pictures)[np.newaxis, ..., np.newaxis]
    inputs = network_inputs((breast_patch.ABOVE,), calm)
    assert produced["above"].values.tobytes() == inputs[0, ..., 0].tobytes()
    assert produced["lesion.raw"].values.tobytes() == network.predict([inputs])[0].tobytes()
