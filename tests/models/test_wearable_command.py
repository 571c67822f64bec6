"""`thermo-models wearable`: what is begun is sound, what is wrong is named by line and field, what is shown adds up."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import ExitCode, exit_code
from thermo_core.wearable import file, library
from thermo_models.application import app
from thermo_models.wearable_text import Drawn, facts, text
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.graph.generate import generate

DOCS = Path(__file__).resolve().parents[2] / "docs"
SHIPPED = library.names()


def said(*words: str) -> str:
    return CliRunner().invoke(app, ["wearable", *words], catch_exceptions=False).stdout


def refused(*words: str) -> ThermoError:
    found = CliRunner().invoke(app, ["wearable", *words]).exception
    assert isinstance(found, ThermoError), found
    assert str(found).endswith(".") and "\n" not in str(found)
    return found


def copy_of(name: str, folder: Path) -> Path:
    shutil.copytree(library.resolve(name).parent, folder / name)
    return folder / name / "wearable.toml"


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_fits_together_with_its_networks(name: str) -> None:
    found = json.loads(said("check", name, "--json"))
    assert found["name"] == name and found["untrained"] == [] and found["models"] == 1


def test_what_is_begun_is_sound_and_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "wearable check elbow" in said("new", "elbow")
    assert "elbow 0.1.0 fits together: 1 sensor, 1 stage, 0 models, 1 alert" in said("check", "elbow")
    path = tmp_path / "elbow" / "wearable.toml"
    path.write_text(path.read_text().replace('name = "elbow"\nversion', 'name = "own"\nversion'))
    assert "--force" in str(refused("new", "elbow"))
    assert 'name = "own"' in path.read_text()
    said("new", "elbow", "--force")
    assert 'name = "elbow"' in path.read_text()
    for bad in ("Elbow", "2nd", "a b", "../up", ""):
        refused("new", bad)
    assert {one.name for one in tmp_path.iterdir()} == {"elbow"}


def test_a_model_without_a_network_is_said_to_have_none(tmp_path: Path) -> None:
    said("new", "elbow", "--out", str(tmp_path))
    path = tmp_path / "wearable.toml"
    path.write_text(re.sub(r"^# (\[\[models\]\]|name = \"state\"|inputs|scores)", r"\1", path.read_text(), flags=re.M))
    assert "no network yet for state" in said("check", str(path))
    drawn = said("show", str(tmp_path))
    assert "RAM is known once every model has its network" in drawn and "without those marked -" in drawn


@pytest.mark.parametrize(
    ("before", "after", "line", "problem"),
    [
        ("pictures = 16", "pictures = 257", 28, "stages[0].pictures"),
        ('op = "centre"', 'op = "center"', 31, "center"),
        ("rate_hz = 16.0", "rate_hz = 17.0", 7, "17"),
        ('of = "calm"', 'of = "clam"', 30, "no such signal"),
        ('when = "lesion.lesion >=', 'when = "lesion.leison >=', 42, "lesion.leison"),
        ('scores = ["no lesion", "lesion"]', 'scores = ["no lesion", "lesion", "other"]', 0, "gives 2"),
        ('network = "model.tflite"', 'network = "absent.tflite"', 0, "absent.tflite"),
        ('name = "breast-patch"', 'nmae = "breast-patch"', 0, "nmae"),
        ("[[alerts]]", "[[alerts]", 0, "TOML"),
    ],
)
def test_mistakes_are_named_by_line_and_field(tmp_path: Path, before: str, after: str, line: int, problem: str) -> None:
    path = copy_of("breast-patch", tmp_path)
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    found = str(refused("check", str(path)))
    assert problem in found
    if line:
        lines = path.read_text().splitlines()
        number = int(re.search(r"line (\d+)", found)[1])  # type: ignore[index]
        changed = next(n for n, text in enumerate(lines, start=1) if after in text)
        # The line itself, or that of the table it stands in.
        start = max(n for n, text in enumerate(lines, start=1) if n <= changed and text.startswith("[["))
        assert number in (changed, start)


def test_names_and_targets_that_are_not_there_are_told(tmp_path: Path) -> None:
    assert "breast-patch" in str(refused("check", "brest-patch"))
    assert exit_code(refused("check", str(tmp_path / "absent.toml"))) == ExitCode.FILE
    assert "m55" in str(refused("show", "breast-patch", "--target", "m5"))


def test_a_bus_that_cannot_carry_its_sensors_is_refused(tmp_path: Path) -> None:
    path = copy_of("breast-patch", tmp_path)
    path.write_text(path.read_text().replace("rate_hz = 16.0", "rate_hz = 32.0"))
    said = str(refused("check", str(path)))
    assert re.search(r"its sensors need 1[12]\d % of the bus's time at 400 kHz", said) and said.endswith(
        "lower their rates."
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_the_drawing_holds_every_part_once(name: str) -> None:
    wearable = file.read(library.resolve(name))
    drawn = said("show", name)
    rows = [re.sub(r"^[ │├└─]*", "", line).split("  ")[0] for line in drawn.splitlines()[3:]]
    for stage in wearable.profile.stages:
        alike = sum(alert.name == stage.gives for alert in wearable.profile.alerts)
        assert rows.count(stage.gives) == 1 + alike
    for sensor in wearable.profile.sensors:
        assert sensor.name in rows
    for model in wearable.profile.models:
        assert model.name in rows and all(output in drawn for output in model.outputs)
    for alert in wearable.profile.alerts:
        assert alert.when in drawn


@pytest.mark.parametrize("name", SHIPPED)
def test_memory_is_that_of_the_generated_graph(name: str) -> None:
    wearable = file.read(library.resolve(name))
    networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
    plan = wearable.plan()
    compiled = {
        model: compile_model(content, f"net_{model.replace('-', '_')}", "m4") for model, content in networks.items()
    }
    made = generate(plan, compiled, "graph").placement
    found = facts(Drawn.of(plan, networks, "m4"))
    assert found["ram_bytes"] == made.bytes + sum(one.state_bytes for one in compiled.values())
    assert sum(node["keeps_bytes"] for node in found["nodes"]) <= made.bytes - made.shared_bytes
    model = next(node for node in found["nodes"] if node["op"] == "model")
    (network,) = compiled.values()
    assert model["instructions"] == sum(kernel.instructions for kernel in network.kernels)


def test_a_processor_without_floats_has_no_estimate_of_stages() -> None:
    wearable = file.read(library.resolve("breast-patch"))
    networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
    drawn = Drawn.of(wearable.plan(), networks, "m0")
    costs = {node["gives"]: node["instructions"] for node in facts(drawn)["nodes"]}
    assert costs["calm"] is costs["above"] is None and costs["lesion.raw"] > 0
    assert "without those marked -" in text(drawn)


def test_the_published_schema_is_what_the_types_say() -> None:
    published = json.loads((DOCS / "wearable.schema.json").read_text())
    assert published == json.loads(json.dumps(file.file_schema())), (
        "run `thermo-models wearable schema > docs/wearable.schema.json`"
    )
    assert json.loads(said("schema")) == published


def test_a_list_of_constants_may_be_a_file_and_an_unknown_field_is_none() -> None:
    parts = file.file_schema()["$defs"]
    normalise = parts["Normalise"]
    kinds = {one["type"] for one in normalise["properties"]["centre"]["anyOf"]}
    assert kinds == {"array", "string"} and normalise["additionalProperties"] is False
    assert {"op", "of", "gives", "centre", "spread"} == set(normalise["required"])
    assert parts["Average"]["properties"]["pictures"]["maximum"] == 256


def test_help_and_typos(capsys: pytest.CaptureFixture[str]) -> None:
    assert "new" in said("--help") and "--target" in said("show", "-h")
    assert CliRunner().invoke(app, ["wearable", "chek", "x"]).exit_code == 2
    with pytest.raises(UsageError):
        raise refused("check", "no-such")
