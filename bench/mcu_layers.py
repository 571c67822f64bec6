"""Each layer of int8 models alone on an emulated Cortex-M4 or M55: instructions counted, beside what the compiler estimates.

    python bench/mcu_layers.py MODEL.tflite ... [--target m55] [--shared FOLDER]

For whoever changes a kernel or adds one: an estimate that is far off is mended in the kernel's `instructions`. Layers get
random inputs; a convolution whose rows are made one by one is shown as the layers it is made of. Needs what bench/mcu.py
needs; names of bench/mcu_unseen.py may be given for models.
"""

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from thermo_quantize.compiler.c_file import header, source
from thermo_quantize.compiler.compile import compile_model, plan_network
from thermo_quantize.compiler.emit.unit import Unit
from thermo_quantize.compiler.ir import Layer, Network, Streamed
from thermo_quantize.compiler.targets import TARGETS

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))
MACHINES = {"m7": ("mps2-an500", "an386.ld"), "m55": ("mps3-an547", "an547.ld")}
M4 = ("mps2-an386", "an386.ld")
AT_ONCE = 12

FILL = """
static void fill(int8_t *to, int count) {
  static uint32_t state = 1;
  for (int i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    to[i] = (int8_t)(state >> 24);
  }
}
"""


def parts(layer: Layer) -> list[Layer]:
    """The layer, or those it is made of."""
    if not isinstance(layer, Streamed):
        return [layer]
    row = dataclasses.replace(layer.row, window=dataclasses.replace(layer.row.window, pad_h=0))
    return [part for part in (row, layer.band, layer.tail) if part is not None]


def write(layer: Layer, target: str, name: str, folder: Path) -> str:
    """Write a network of one layer; gives C that fills its inputs and runs it between two marks."""
    inputs = tuple(dict.fromkeys(value for value in layer.inputs if value.data is None))
    network = Network((layer,), inputs, layer.outputs)
    kernels, plan = plan_network(network, TARGETS[target])
    unit = Unit(name, plan)
    kernels[0].emit(unit, 0)
    (folder / f"{name}.h").write_text(header(unit, network, "0" * 64))
    (folder / f"{name}.c").write_text(source(unit, network, TARGETS[target], "0" * 64))
    places = [f"{name}_input()"] if len(inputs) == 1 else [f"{name}_input_{n}()" for n in range(len(inputs))]
    fills = " ".join(f"fill((int8_t *){place}, {value.size});" for place, value in zip(places, inputs, strict=True))
    return f'{fills} __asm volatile("dbg #1" ::: "memory"); {name}_invoke(); __asm volatile("dbg #2" ::: "memory");'


def count(layers: list[Layer], target: str, shared: Path) -> list[int]:
    """Instructions of each layer."""
    machine, script = MACHINES.get(target, M4)
    tool = shared / "tools" / "mcu_bench"
    flags = (TARGETS[target].flags or TARGETS["m4"].flags).split()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calls = [write(layer, target, f"net{n}", folder) for n, layer in enumerate(layers)]
        includes = "\n".join(f'#include "net{n}.h"' for n in range(len(layers)))
        body = "\n  ".join(calls)
        (folder / "main.c").write_text(
            f"#include <stdint.h>\n{includes}\n{FILL}\nint main(void) {{\n  {body}\n  return 0;\n}}\n"
        )
        sources = [
            str(tool / "startup.c"),
            str(folder / "main.c"),
            *(str(folder / f"net{n}.c") for n in range(len(layers))),
        ]
        link = [
            "-nostartfiles",
            "--specs=nano.specs",
            "-Wl,--gc-sections,--no-warn-rwx-segments",
            "-T",
            str(tool / script),
        ]
        plugin = ["gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-o", str(folder / "count.so")]
        _run([*plugin, str(tool / "roicount.c")])
        compiler = [
            "arm-none-eabi-gcc",
            *flags,
            "-std=gnu11",
            "-ffunction-sections",
            "-fdata-sections",
            "-O3",
            "-w",
            f"-I{folder}",
            "-o",
            str(folder / "all.elf"),
        ]
        _run([*compiler, *sources, *link, "-lm"])
        quiet = ["-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native"]
        run = ["qemu-system-arm", "-M", machine, *quiet, "-kernel", str(folder / "all.elf")]
        _run([*run, "-plugin", f"file={folder}/count.so,out={folder}/counts"])
        lines = (folder / "counts").read_text().splitlines()
    return [int(line.split()[2]) for line in lines if line.startswith("ROI")]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        sys.exit(f"mcu_layers: {command[0]} failed: {done.stderr[-500:]}")


def read(name: str) -> bytes:
    """A file's bytes, or those of a network of mcu_unseen."""
    if Path(name).exists():
        return Path(name).read_bytes()
    from mcu_unseen import unseen

    return unseen(name)


def main() -> None:
    """Print a line a layer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--target", choices=[name for name in TARGETS if name not in ("m0", "m33")], default="m4")
    parser.add_argument("--shared", type=Path, default=SHARED)
    args = parser.parse_args()
    for name in args.models:
        compiled = compile_model(read(name), "network", args.target)
        layers = [part for kernel in compiled.kernels for part in parts(kernel.layer)]
        counted = [
            n
            for at in range(0, len(layers), AT_ONCE)
            for n in count(layers[at : at + AT_ONCE], args.target, args.shared)
        ]
        print(f"{name}, {args.target}\n{'kernel':20}{'layer':28}{'counted':>12}{'estimate':>12}{'off':>8}  shapes")
        for layer, instructions in zip(layers, counted, strict=True):
            kernel = TARGETS[args.target].kernel(layer)
            off = f"{100 * (kernel.instructions / instructions - 1):+.0f} %"
            shapes = " ".join("x".join(map(str, value.shape)) for value in (layer.inputs[0], layer.output))
            print(
                f"{type(kernel).__name__:20}{layer.title[:27]:28}{instructions:>12,}{kernel.instructions:>12,}{off:>8}  {shapes}"
            )


if __name__ == "__main__":
    main()
