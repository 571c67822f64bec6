"""Compiled models on emulated Cortex-M0+, M4, M7 and M55: instructions, arena and flash, beside TFLM + CMSIS-NN.

    python bench/mcu.py [--shared FOLDER] [--frames N] [--cflags=-O3] [--unseen | --model FILE...]

Our rows are compiled and run now by tools/mcu_bench of FOLDER (QEMU counts instructions exactly; every output byte is
compared with BUILTIN_REF). The other rows are the figures the same tool gave for TFLM, from facts/inference.md of FOLDER;
they are not measured again. "estimate" is what `compile --report` says, and how far that is from what was counted. "code" is
flash without the model's weights and biases.

--unseen measures the networks of mcu_unseen.py instead, with random weights: shapes the compiler was not tuned on.
--model measures any int8 models; the runs of one that keeps a state follow one another without a reset.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import Compiled, compile_model

REPOSITORY = Path(__file__).resolve().parents[1]
PAINT = 16384
"""Bytes that mcu_bench paints to find how much stack is used."""
SHARED = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))


@dataclass(frozen=True)
class Row:
    """A model on a processor; TFLM + CMSIS-NN's (instructions, arena, flash with the model) where published."""

    path: str
    target: str
    published: tuple[int, int, int] | None


ROWS = (
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "m4", (4_434_509, 21_172, 176_648)),
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "m55", (1_394_173, 25_828, 169_016)),
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "m7", None),
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "generic", None),
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "m0plus", None),
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "m0", None),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m4", (7_696_938, 22_820, 137_992)),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m55", None),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m0plus", None),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m0", None),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m4", (37_315_359, 54_180, 110_728)),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m55", None),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m0plus", None),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m0", None),
)


_RUN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import measure
measure.CPUS.setdefault("m7", ("-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard -mthumb", "mps2-an500", "an386.ld"))
measure.CPUS.setdefault("m0plus", ("-mcpu=cortex-m0plus -mthumb -include " + sys.argv.pop(1), "mps2-an386", "an386.ld"))
measure.main()
"""
"""Runs the tool with two processors more: the M7's board has its memories where the M4's has them, and the M4 runs what is
compiled for the M0+."""


def weight_bytes(model: bytes) -> int:
    """Bytes of weights and biases in the file."""
    read = read_model(model)
    return sum(len(tensor.data) for tensor in read.tensors if tensor.data is not None)


def measure(model: Path, target: str, shared: Path, frames: int, cflags: str) -> tuple[dict[str, int] | None, Compiled]:
    """(mcu_bench's result, what was compiled); no result where the board has no room for the model."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = compile_model(model.read_bytes(), "network", target, bench=True)
        for name, text in compiled.files.items():
            (Path(folder) / name).write_text(text)
        tool = str(shared / "tools" / "mcu_bench")
        command = [
            sys.executable,
            "-c",
            _RUN,
            tool,
            str(Path(__file__).with_name("mcu_markers.h")),
            str(model),
            folder,
            "--cpu",
            cpu_of(target),
            "--frames",
            str(frames),
        ]
        done = subprocess.run([*command, "--json", f"--cflags={cflags}"], capture_output=True, text=True, check=False)
    if "will not fit in region" in done.stdout + done.stderr:
        return None, compiled
    if not done.stdout.startswith("{"):
        sys.exit(f"mcu: {model.name} for {target} did not run: {(done.stdout + done.stderr)[-500:]}")
    return json.loads(done.stdout), compiled


def cpu_of(target: str) -> str:
    """The emulated processor that runs a target's code."""
    return {"m0": "m0plus", "m0plus": "m0plus", "m7": "m7", "m55": "m55"}.get(target, "m4")


def line(model: Path, target: str, shared: Path, frames: int, cflags: str) -> tuple[str, int, int]:
    """(table row of our engine, instructions, MACs of the network)."""
    result, compiled = measure(model, target, shared, frames, cflags)
    macs = sum(kernel.layer.macs for kernel in compiled.kernels)
    estimate = sum(kernel.instructions for kernel in compiled.kernels)
    label = model.stem.removesuffix("_int8")
    text = f"{label:24}{macs:>11,} {cpu_of(target):>4} {'ours, ' + target:16}"
    if result is None:
        text += f"{'':13}{estimate:>13,}{'':13}{compiled.plan.size:>8,}{compiled.plan.bound:>8,}  too large for the board's code memory"
        return text, 0, macs
    wrong = result["mismatched_frames"]
    # The tool finds no end of its paint on the M0+.
    stack = f"{result['stack_bytes']:,}" if result["stack_bytes"] < PAINT else "-"
    text += (
        f"{result['instructions']:>13,}{estimate:>13,}"
        f"{100 * (estimate / result['instructions'] - 1):>+6.1f} %{result['instructions'] / macs:>6.2f}{result['arena_bytes']:>8,}"
        f"{compiled.plan.bound:>8,}{result['flash_bytes'] - weight_bytes(model.read_bytes()):>8,}"
        f"{stack:>7}  {'yes' if wrong == 0 else f'{wrong} frames differ'}"
    )
    return text, result["instructions"], macs


def show(row: Row, shared: Path, frames: int, cflags: str) -> None:
    """Print our row and the published one."""
    model = shared / row.path
    text, instructions, macs = line(model, row.target, shared, frames, cflags)
    print(text, flush=True)
    if row.published is not None:
        published, arena, flash = row.published
        print(
            f"{'':36}{cpu_of(row.target):>4} {'TFLM + CMSIS-NN':16}{published:>13,}{'':21}{published / macs:>6.2f}{arena:>8,}"
            f"{'':8}{flash - model.stat().st_size:>8,}{'':7}  yes (published; {published / instructions:.2f} x ours)"
        )


def show_unseen(shared: Path, frames: int, cflags: str) -> None:
    """Print our rows of the networks the compiler was not tuned on."""
    from mcu_unseen import MODELS, unseen

    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            model = Path(folder) / f"{name}.tflite"
            model.write_bytes(unseen(name))
            for target in ("m4", "m55", "generic", "m0plus", "m0"):
                print(line(model, target, shared, frames, cflags)[0], flush=True)


def show_files(models: list[Path], shared: Path, frames: int, cflags: str) -> None:
    """Print our rows of given models."""
    for model in models:
        for target in ("m4", "m55", "generic", "m0plus", "m0"):
            print(line(model, target, shared, frames, cflags)[0], flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--cflags", default="-O3")
    parser.add_argument("--unseen", action="store_true", help="measure the networks of mcu_unseen.py")
    parser.add_argument("--model", type=Path, action="append", help="measure this model; may be given several times")
    args = parser.parse_args()
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        sys.exit("mcu: install gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm first.")
    if not (args.shared / "tools" / "mcu_bench").is_dir():
        sys.exit(f"mcu: {args.shared} holds no tools/mcu_bench; name its folder with --shared.")
    head = f"{'model':24}{'MACs':>11} {'cpu':>4} {'engine':16}{'instructions':>13}{'estimate':>13}{'off':>8}{'/MAC':>6}"
    print(f"{head}{'arena':>8}{'bound':>8}{'code':>8}{'stack':>7}  exact")
    if args.unseen:
        show_unseen(args.shared, args.frames, args.cflags)
        return
    if args.model:
        show_files(args.model, args.shared, args.frames, args.cflags)
        return
    for row in ROWS:
        show(row, args.shared, args.frames, args.cflags)


if __name__ == "__main__":
    main()
