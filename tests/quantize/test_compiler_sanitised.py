"""The generic target's C under AddressSanitizer, UBSan, clang's warnings and cppcheck: nothing to say about any layer."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import operator_models
import pytest
from random_lstm import KINDS, RandomLstm
from random_wide import random_wide

from thermo_quantize.compiler.compile import compile_model

pytestmark = pytest.mark.lengthy

LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize", *operator_models.OPERATORS,
)  # fmt: skip
WIDE_KERNELS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "resize", "requantize", "extremes", "matrices",
)  # fmt: skip

MAIN = """
#include "net.h"
#include <stdio.h>
int main(void) {
  while (fread(net_input(), sizeof *net_input(), NET_INPUT_ELEMENTS, stdin) == NET_INPUT_ELEMENTS) {
    net_invoke();
    fwrite(net_output(), sizeof *net_output(), NET_OUTPUT_ELEMENTS, stdout);
  }
  return 0;
}
"""


def build(files: dict[str, str], folder: Path, *flags: str) -> Path:
    folder.mkdir(parents=True)
    for file, text in {**files, "main.c": MAIN}.items():
        (folder / file).write_text(text)
    program = folder / "net"
    command = ["clang", "-std=c11", *flags, "-o", str(program), str(folder / "main.c"), str(folder / "net.c"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    return program


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    if not shutil.which("clang") or not shutil.which("cppcheck"):
        pytest.skip("clang and cppcheck are not installed")


def plans(random_models: Any, model_builder: Any) -> Any:
    """(what it is, model, inputs) of layers alone and together on int8, with kernels of their own on int16, and with a state."""
    chosen = [(seed, [layer]) for seed, layer in enumerate(LAYERS, 4000)]
    chosen += [(seed, [str(n) for n in np.random.default_rng(seed).choice(LAYERS, 3)]) for seed in range(4100, 4106)]
    named = [(random_models, f"int8_{seed}", seed, layers) for seed, layers in chosen]
    wide = random_wide(random_models)
    named += [(wide, f"int16_{layer}", seed, [layer]) for seed, layer in enumerate(WIDE_KERNELS, 4300)]
    for maker, name, seed, layers in named:
        random = maker(seed)
        model, shape = random.build(layers)
        yield name, model, random.inputs(shape, 4)
    for name in ("plain", "all"):
        lstm = RandomLstm(model_builder(), 4600, KINDS[name])
        yield f"lstm_{name}", lstm.build(), lstm.inputs(4)


def test_sanitisers_and_warnings(random_models: Any, model_builder: Any, reference: Any, tmp_path: Path) -> None:
    """Every byte as the reference computes it, and no report; every warning of clang but those of taste is an error."""
    taste: tuple[str, ...] = (
        "-Wno-padded",
        "-Wno-declaration-after-statement",
        "-Wno-unknown-warning-option",
        "-Wno-missing-prototypes",
    )
    taste += ("-Wno-missing-variable-declarations", "-Wno-unsafe-buffer-usage")
    for what, model, inputs in plans(random_models, model_builder):
        program = build(
            compile_model(model, "net").files, tmp_path / what,
            "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Weverything", "-Werror", *taste,
        )  # fmt: skip
        done = subprocess.run([str(program)], input=inputs.tobytes(), capture_output=True, check=False)
        assert done.returncode == 0, (what, done.stderr[:2000])
        assert done.stdout == reference(model, inputs)[0].tobytes(), what


def test_cppcheck_is_silent(random_models: Any, model_builder: Any, tmp_path: Path) -> None:
    wide = random_wide(random_models)
    models = {layer: random_models(n).build([layer, "pointwise"])[0] for n, layer in enumerate(LAYERS, 4200)}
    models |= {f"wide_{layer}": wide(n).build([layer, "pointwise"])[0] for n, layer in enumerate(WIDE_KERNELS, 4200)}
    models |= {f"lstm_{name}": RandomLstm(model_builder(), 1, kind).build() for name, kind in KINDS.items()}
    for name, model in models.items():
        for file, text in compile_model(model, f"net_{name}").files.items():
            (tmp_path / file).write_text(text)
    checks = "--enable=warning,style,performance,portability --std=c11 --quiet --error-exitcode=1"
    done = subprocess.run(["cppcheck", *checks.split(), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
