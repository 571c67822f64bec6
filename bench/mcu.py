"""Compiled models on emulated Cortex-M4 and M55: instructions, arena and flash, beside TFLM + CMSIS-NN.

    python bench/mcu.py [--shared FOLDER] [--frames N] [--cflags=-O3]

Our rows are compiled and run now by tools/mcu_bench of FOLDER (QEMU counts instructions exactly; every output byte is
compared with BUILTIN_REF). The other rows are the figures the same tool gave for TFLM, from facts/inference.md of FOLDER;
they are not measured again. "code" is flash without the model's weights and biases.
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
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.ir import Layer

REPOSITORY = Path(__file__).resolve().parents[1]
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
    Row("reference_models/mobilenet_v1_24x32_int8.tflite", "generic", None),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m4", (7_696_938, 22_820, 137_992)),
    Row("third_party_models/mlperf_tiny_kws_dscnn_int8.tflite", "m55", None),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m4", (37_315_359, 54_180, 110_728)),
    Row("third_party_models/thermo_presence_unet_int8.tflite", "m55", None),
)


def weight_bytes(model: bytes) -> int:
    """Bytes of weights and biases in the file."""
    read = read_model(model)
    return sum(len(tensor.data) for tensor in read.tensors if tensor.data is not None)


def measure(row: Row, shared: Path, frames: int, cflags: str) -> tuple[dict[str, int], int]:
    """(mcu_bench's result, lower bound of the arena) of our engine."""
    model = shared / row.path
    with tempfile.TemporaryDirectory() as folder:
        compiled = compile_model(model.read_bytes(), "network", row.target, bench=True)
        for name, text in compiled.files.items():
            (Path(folder) / name).write_text(text)
        cpu = "m55" if row.target == "m55" else "m4"
        tool = shared / "tools" / "mcu_bench" / "measure.py"
        command = [sys.executable, str(tool), str(model), folder, "--cpu", cpu, "--frames", str(frames), "--json"]
        done = subprocess.run([*command, f"--cflags={cflags}"], capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        sys.exit(f"mcu: {row.path} for {row.target} did not run: {(done.stdout + done.stderr)[-500:]}")
    return json.loads(done.stdout), compiled.plan.bound


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--cflags", default="-O3")
    args = parser.parse_args()
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        sys.exit("mcu: install gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm first.")
    if not (args.shared / "tools" / "mcu_bench").is_dir():
        sys.exit(f"mcu: {args.shared} holds no tools/mcu_bench; name its folder with --shared.")
    print(
        f"{'model':32}{'cpu':>5} {'engine':16}{'instructions':>13}{'/MAC':>6}{'arena':>8}{'code':>8}{'stack':>7}  exact"
    )
    for row in ROWS:
        model = (args.shared / row.path).read_bytes()
        weights = weight_bytes(model)
        result, bound = measure(row, args.shared, args.frames, args.cflags)
        macs = sum(layer.macs for layer in _layers(model))
        label = Path(row.path).stem.removesuffix("_int8")
        cpu = "m55" if row.target == "m55" else "m4"
        exact = "yes" if result["mismatched_frames"] == 0 else f"{result['mismatched_frames']} frames differ"
        print(
            f"{label:32}{cpu:>5} {'ours, ' + row.target:16}{result['instructions']:>13,}"
            f"{result['instructions'] / macs:>6.2f}{result['arena_bytes']:>8,}{result['flash_bytes'] - weights:>8,}"
            f"{result['stack_bytes']:>7,}  {exact} (arena bound {bound:,})"
        )
        if row.published is not None:
            instructions, arena, flash = row.published
            print(
                f"{'':32}{cpu:>5} {'TFLM + CMSIS-NN':16}{instructions:>13,}{instructions / macs:>6.2f}{arena:>8,}"
                f"{flash - len(model):>8,}{'':>7}  yes (published; {instructions / result['instructions']:.2f} x ours)"
            )


def _layers(model: bytes) -> tuple[Layer, ...]:
    return compile_model(model, "network").network.layers


if __name__ == "__main__":
    main()
