"""The generic target's C under AddressSanitizer, UBSan, clang's warnings and cppcheck: nothing to say about any layer."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import operator_models
import pytest

from thermo_quantize.compiler.compile import compile_model

LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize", *operator_models.OPERATORS,
)  # fmt: skip

MAIN = """
#include "net.h"
#include <stdio.h>
int main(void) {
  while (fread(net_input(), 1, NET_INPUT_ELEMENTS, stdin) == NET_INPUT_ELEMENTS) {
    net_invoke();
    fwrite(net_output(), 1, NET_OUTPUT_ELEMENTS, stdout);
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


def test_sanitisers_and_warnings(random_models, reference, tmp_path: Path) -> None:
    """Every byte as the reference computes it, and no report; every warning of clang but those of taste is an error."""
    taste = (
        "-Wno-padded",
        "-Wno-declaration-after-statement",
        "-Wno-unknown-warning-option",
        "-Wno-missing-prototypes",
    )
    taste += ("-Wno-missing-variable-declarations", "-Wno-unsafe-buffer-usage")
    plans = [(seed, [layer]) for seed, layer in enumerate(LAYERS, 4000)]
    plans += [(seed, [str(n) for n in np.random.default_rng(seed).choice(LAYERS, 3)]) for seed in range(4100, 4106)]
    for seed, layers in plans:
        random = random_models(seed)
        model, shape = random.build(layers)
        inputs = random.inputs(shape, 4)
        program = build(
            compile_model(model, "net").files, tmp_path / str(seed),
            "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Weverything", "-Werror", *taste,
        )  # fmt: skip
        done = subprocess.run([str(program)], input=inputs.tobytes(), capture_output=True, check=False)
        assert done.returncode == 0, (seed, layers, done.stderr[:2000])
        assert done.stdout == reference(model, inputs)[0].astype(np.int8).tobytes(), (seed, layers)


def test_cppcheck_is_silent(random_models, tmp_path: Path) -> None:
    for seed, layer in enumerate(LAYERS, 4200):
        files = compile_model(random_models(seed).build([layer, "pointwise"])[0], f"net_{layer}").files
        for file, text in files.items():
            (tmp_path / file).write_text(text)
    checks = "--enable=warning,style,performance,portability --std=c11 --quiet --error-exitcode=1"
    done = subprocess.run(["cppcheck", *checks.split(), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
