"""A wearable's file with what a training found in it: read back it is what was learnt, and nothing else of it has changed."""

import difflib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import UsageError
from thermo_core.schema import Floats, to_readable
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.select import Select
from thermo_core.wearable import file
from thermo_models.domain import domain
from thermo_models.evaluation import open_model
from thermo_models.tasks import find, nagoya_actions
from thermo_models.tasks.breast_patch import BreastPatch
from thermo_models.templates import Learnt, chain, filled, stage_of, template

OFFSET = ".models[0].quantities[0].offset"
numbers = st.floats(-1e6, 1e6, width=32)


def read_back(files: dict[str, bytes], folder: Path) -> file.Wearable:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "model.tflite").touch()
    return file.read(folder / "wearable.toml")


@given(st.lists(numbers, min_size=58, max_size=58), st.floats(0.01, 5), st.floats(0.5, 9, width=32))
def test_constants_and_values_come_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, centre: list[float], spread: float, limit: float
) -> None:
    before = template("core-temperature")
    learnt = Normalise(of="facts", gives="standard", centre=Floats(centre), spread=Floats([spread]), limit=limit)
    found = read_back(filled(before, Learnt((learnt,), {OFFSET: spread})), tmp_path_factory.mktemp("filled"))
    assert stage_of(found.profile, "standard") == learnt
    assert (found.profile.models[0].quantities or ())[0].offset == spread
    assert [one for one in found.profile.stages if one.gives != "standard"] == [
        one for one in before.profile.stages if one.gives != "standard"
    ]
    changed = [line for line in difflib.ndiff(before.text.splitlines(), found.text.splitlines()) if line[0] in "+-"]
    assert len(changed) <= 4, "comments and everything else stay as they are written"


def test_a_further_stage_stands_between(tmp_path: Path) -> None:
    kept = Select(of="facts", gives="kept", places=(3, 1))
    standard = Normalise(of="kept", gives="standard", centre=Floats([1.0, 2.0]), spread=Floats([1.0, 1.0]), limit=4.0)
    known = domain(np.random.default_rng(0).normal(0, 1, (40, 2)), np.arange(40), "standard", "known")
    found = read_back(filled(template("core-temperature"), Learnt((kept, standard, known), {})), tmp_path)
    assert chain(found.profile, "facts") == (kept, standard, known)
    assert found.plan().signals["standard"].shape == (2,)


def test_a_threshold_becomes_the_alert(tmp_path: Path) -> None:
    task, threshold = BreastPatch(), 0.123456789
    found = read_back(filled(task.wearable, Learnt((), {".alerts[0].when": task.when(threshold)})), tmp_path)
    assert task.threshold_of(found.profile.alerts[0].when) == pytest.approx(threshold, abs=1e-8)
    assert found.profile.alerts[0].after == task.wearable.profile.alerts[0].after


def test_what_has_no_line_of_its_own_or_no_chain_is_refused() -> None:
    before = template("breast-patch")
    with pytest.raises(UsageError, match="has no line of its own"):
        filled(before, Learnt((), {".sensors[1].channels[0].series_ohm": 1.0}))
    with pytest.raises(UsageError, match='no stage that gives "skin"'):
        chain(before.profile, "spots")
    with pytest.raises(UsageError, match="no chain of stages leads from"):
        chain(template("core-temperature").profile, "face")


def test_a_task_without_a_wearable_keeps_its_stages_beside_the_model(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(template("breast-patch").networks["lesion"].read_bytes())
    task = find("nagoya-actions")
    described = {"task": task.name, "settings": {}, "learnt_from": {}, "stages": to_readable(nagoya_actions.STAGES)}
    model.with_name("training.json").write_text(json.dumps(described))
    assert open_model(task, model).stages == nagoya_actions.STAGES
    for bad in (None, [{"op": "normalize"}], "none"):
        model.with_name("training.json").write_text(json.dumps(described | {"stages": bad}))
        with pytest.raises(UsageError, match=r"stages.*train the model anew"):
            open_model(task, model)
