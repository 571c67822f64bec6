"""docs/stages.md is what the registry says, and what stands there can be written so."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from thermo_core.schema import from_plain
from thermo_core.stages import OPS, AnyStage
from thermo_core.stages.document import example, page
from thermo_core.stages.stage import Elementwise

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "stages.md"


def test_the_page_is_up_to_date() -> None:
    said = "write it anew: python -m thermo_core.stages.document docs/stages.md"
    assert DOCUMENT.read_text(encoding="utf-8") == page(), said


def test_every_operation_and_parameter_is_explained() -> None:
    text = page()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(OPS)
    assert not re.findall(r"^\| `.*\| *\|$", text, re.MULTILINE)
    assert "**Shape.** \n" not in text
    assert "**Numbers.** \n" not in text


@pytest.mark.parametrize("name", OPS)
def test_an_example_is_a_stage_and_gives_the_shape_it_says(name: str) -> None:
    section = page().split(f"\n## {name}\n")[1].split("\n## ")[0]
    block = re.search(r"```toml\n(.*?)```\nof .* gives (.*)\.\n", section, re.DOTALL)
    assert block is not None
    stage, inputs = example(name)
    assert from_plain(tomllib.loads(block[1]), AnyStage, "it") == stage
    op = OPS[name]
    said = op.result(stage, inputs)
    if isinstance(op, Elementwise):
        values = [np.full((3, *signal.shape), 0.5, np.float32) for signal in inputs]
        assert op.apply(stage, inputs, values).shape == (3, *said.shape)
    shape = " x ".join(map(str, said.shape)) or "a number"
    assert block[2].startswith(shape)
