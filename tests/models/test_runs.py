"""`thermo-models` from data to a run folder that can be evaluated, repeated and exported."""

import dataclasses
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from thermo_core.errors import ThermoError, UsageError
from thermo_core.tflite.verify import verify_model
from thermo_core.wearable.library import BUNDLE_NAME
from thermo_models import evaluation, runs, task_card
from thermo_models.application import app
from thermo_models.cli import main
from thermo_models.remeasure import remeasure
from thermo_models.tasks import find

pytest.importorskip("tensorflow")
DATA = "fda_face_oral/flir_group1.csv.gz"
ARTIFACTS = Path(runs.__file__).parent / "wearables"


@pytest.fixture(scope="module")
def trained(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run folder of a quick training, and the data."""
    data = shared_dir / "datasets" / DATA
    if not data.is_file():
        pytest.skip(f"{data} is not there; the tests of training need it")
    folder = tmp_path_factory.mktemp("runs") / "core"
    words = ["train", "core-temperature", "--data", str(data), "--out", str(folder), "--quick", "--set", "batch=1024"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return folder, data


def test_a_run_folder_holds_all_that_is_needed_to_repeat_it(trained: tuple[Path, Path]) -> None:
    folder, data = trained
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.toml", "environment.json", "curves.svg", "wearable.toml", "features.npz", *runs.SHIPPED}
    metrics = json.loads((folder / "metrics.json").read_text())
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["data"]["sha256"] == metrics["data_sha256"] and environment["packages"]["numpy"]
    assert metrics["quick"] and metrics["int8"]["rmse"] < 0.6
    told = (folder / "CARD.md").read_text()
    assert "quick run" in told
    parts = {row["part"]: row["rmse"] for row in metrics["parts"]}
    assert parts["all of it"] < parts["the clock alone"], "a face tells more than the time of day"
    assert all(f"| {name} | {rmse:.4g} |" in told for name, rmse in parts.items())
    described = CliRunner().invoke(
        app, ["data", "core-temperature", "--data", str(data), "--json"], catch_exceptions=False
    )
    assert json.loads(described.stdout)["sha256"] == metrics["data_sha256"]


def test_a_run_is_not_replaced_unasked(trained: tuple[Path, Path]) -> None:
    folder, data = trained
    before = (folder / "metrics.json").read_bytes()
    words = ["train", "core-temperature", "--data", str(data), "--out", str(folder), "--quick"]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, UsageError) and "add --force to replace it" in str(result.exception)
    assert (folder / "metrics.json").read_bytes() == before


def test_a_model_is_measured_on_data_and_says_whether_it_knows_them(trained: tuple[Path, Path], tmp_path: Path) -> None:
    folder, data = trained
    found = evaluation.evaluate(find("core-temperature"), folder / "model.tflite", data, (1,), quick=False)
    assert not found["seen_in_training"] or found["samples"] == 544
    assert found["int8"]["rmse"] < 0.6 and 0.5 < found["int8"]["coverage"] <= 1
    with pytest.raises(UsageError, match="group 2"):
        evaluation.evaluate(find("core-temperature"), folder / "model.tflite", data, (2,), quick=True)
    with pytest.raises(UsageError, match="core-temperature"):
        evaluation.evaluate(find("wrist-stress"), folder / "model.tflite", data, (), quick=True)
    with pytest.raises(ThermoError):
        evaluation.evaluate(find("core-temperature"), tmp_path / "model.tflite", data, (), quick=True)


def test_figures_of_siblings_are_not_measured_on_the_model_that_knows_everybody(shared_dir: Path) -> None:
    with pytest.raises(UsageError, match="figures of core-temperature are of 30 siblings of the model"):
        remeasure(find("core-temperature"), ARTIFACTS / "core-temperature", shared_dir / "datasets" / DATA)


def test_export_gives_what_a_wearable_needs_unless_the_licence_forbids_it(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, _ = trained
    assert set(runs.export(folder, tmp_path / "out")) == {path.name for path in (tmp_path / "out").iterdir()}
    fenced = tmp_path / "fenced"
    fenced.mkdir()
    (fenced / "training.json").write_text('{"task": "nagoya-actions"}')
    with pytest.raises(UsageError, match="licence"):
        runs.export(fenced, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train", "brest-patch", "--out", "x"], 2, "brest-patch"),
        (["train", "breast-patch", "--out", "x", "--set", "network=lenet"], 2, "lenet"),
        (["train", "breast-patch", "--out", "x", "--set", "variant=left"], 2, "left"),
        (["train", "breast-patch", "--out", "x", "--set", "epochs=0"], 2, "epochs"),
        (["train", "breast-patch", "--out", "x", "--config", "absent.toml"], 9, "absent.toml"),
        (["data", "nagoya-actions"], 2, "--data"),
        (["data", "nagoya-actions", "--data", "absent.npz"], 9, "absent.npz"),
        (["data", "nagoya-actions", "--data", "cut.npz"], 2, "cut.npz"),
        (["data", "time-constants", "--data", "cut.npz"], 2, "cut.npz"),
        (["data", "nagoya-actions", "--data", "header.npz"], 2, "header.npz"),
        (["evaluate", "breast-patch", "absent.tflite"], 9, "absent.tflite"),
        (["evaluate", "breast-patch", "cut.tflite"], 7, "model"),
        (["export", "absent", "there"], 9, "absent"),
        (["train", "core-temperature", "--data", "absent.csv.gz", "--out", "cut.npz/x"], 9, "cut.npz is a file"),
        (
            ["train", "core-temperature", "--data", "absent.csv.gz", "--out", "/proc/x"],
            9,
            "write to the folder /proc/x",
        ),
        (["train", "core-temperature", "--data", "pointer.csv.gz", "--out", "x"], 9, "git lfs pull"),
        (["data", "wrist-stress", "--data", "pointer.csv.gz"], 9, "git lfs pull"),
        (["remeasure", "breast-patch", "absent"], 9, "absent"),
    ],
)
def test_the_command_ends_in_one_sentence_and_a_code(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = (ARTIFACTS / "core-temperature" / "model.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(shipped[: len(shipped) // 2])
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    with zipfile.ZipFile(tmp_path / "header.npz", "w") as archive:
        archive.writestr("key.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': ('<f8'")
    (tmp_path / "pointer.csv.gz").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["thermo-models", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err.strip()
    assert ended.value.code == code
    assert said in told and "\n" not in told and told.startswith("thermo-models: ") and told.endswith(".")
    assert not (tmp_path / "x").exists() and not (tmp_path / "there").exists()


@pytest.mark.parametrize("name", ["breast-patch", "core-temperature", "time-constants", "wrist-stress"])
def test_what_is_shipped_is_small_and_its_card_says_what_its_figures_say(name: str) -> None:
    folder = ARTIFACTS / name
    # A signed bundle holds the network once more.
    assert sum(path.stat().st_size for path in folder.iterdir() if path.name != BUNDLE_NAME) < 400_000
    verify_model((folder / "model.tflite").read_bytes())
    metrics = json.loads((folder / "metrics.json").read_text())
    assert not metrics["quick"] and metrics["bytes"] <= (folder / "model.tflite").stat().st_size
    assert (folder / "CARD.md").read_text() == task_card.card(find(name), metrics)
    # What made it is what the task's name alone makes again.
    assert metrics["settings"] == dataclasses.asdict(find(name).settings)


@pytest.mark.parametrize(
    "name",
    ["clothing", "clothing-8", "core-temperature", "fitness-band", "neuro-band", "time-constants", "wrist-stress"],
)
def test_a_shipped_card_tells_what_is_refused_of_what_it_is_made_for_and_of_what_not(name: str) -> None:
    metrics = json.loads((ARTIFACTS / name / "metrics.json").read_text())
    shares = metrics["refused"] if "refused" in metrics else metrics["probe"]["refused"]
    own, *strange = shares.values()
    assert own < 0.05 and len(strange) >= 3 and max(strange) > 0.95
    card = (ARTIFACTS / name / "CARD.md").read_text()
    assert all(f"| {what} | {100 * share:.1f} % |" in card for what, share in shares.items())


@pytest.mark.parametrize(
    ("name", "data", "metric", "low", "high"),
    [
        ("core-temperature", DATA, "rmse", 0.15, 0.24),
        ("wrist-stress", "stress_predict_e4/stress_predict_1hz_s01-25.npz", "auc", 0.8, 0.95),
    ],
)
def test_a_shipped_model_knows_whom_it_learnt_from(
    shared_dir: Path, name: str, data: str, metric: str, low: float, high: float
) -> None:
    path = shared_dir / "datasets" / data
    if not path.is_file():
        pytest.skip(f"{path} is not there; the tests of shipped models need it")
    found = evaluation.evaluate(find(name), ARTIFACTS / name / "model.tflite", path, (), quick=False)
    assert found["seen_in_training"] and low < found["int8"][metric] < high


def test_bad_words_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neuro"):
        find("neuro")
    for words in (["train", "core-temperature", "--out", str(tmp_path)], ["data", "wrist-stress", "--groups", "a"]):
        result = CliRunner().invoke(app, words)
        assert isinstance(result.exception, ThermoError)
