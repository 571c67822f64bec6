"""A signed bundle's networks as a container: compiled for a processor, linked at address 0, held to have no address, packed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thermo_core.bundle import Bundle, SelfTest
from thermo_core.errors import ModelError, UsageError
from thermo_quantize.compiler.compile import Compiled, by_argument, compile_model
from thermo_quantize.compiler.memory import ALIGNMENT
from thermo_quantize.container.layout import End, NetworkPart, pack
from thermo_quantize.container.relocations import read
from thermo_quantize.fit import check_bundle

COMPILER = "arm-none-eabi-gcc"
PROCESSORS: Mapping[str, str] = {
    "m0": "-mcpu=cortex-m0plus -mthumb",
    "m0plus": "-mcpu=cortex-m0plus -mthumb",
    "m4": "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard",
    "m7": "-mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard",
    "generic": "-mcpu=cortex-m0plus -mthumb",
}
"""What networks for each target of the compiler are built with."""
_FIRMWARE = Path(__file__).resolve().parents[3] / "device" / "firmware" / "core"
SOFT_FLOAT = _FIRMWARE / "soft_float.c"
"""Floats where there is no FPU: the compiler's own helpers have tables of addresses."""
_FLAGS = (
    "-std=c11 -O2 -fPIE -ffreestanding -ffp-contract=off -fno-math-errno -ffunction-sections -fno-unwind-tables "
    "-fno-asynchronous-unwind-tables -Wall -Wextra -Werror -Wno-unused-parameter"
)
_SCRIPT = """SECTIONS {
  . = 0;
  .text : { *(.text*) . = ALIGN(8); }
  .rodata : { *(.rodata*) . = ALIGN(8); }
  /DISCARD/ : { *(.ARM.exidx*) *(.ARM.extab*) *(.comment) *(.ARM.attributes) }
}
"""


@dataclass(frozen=True)
class Container:
    """What was made.

    Attributes:
        data: its bytes.
        networks: compiled, by the names of models.
        relocations: how many places tell how far it is to another, by kind; none holds an address.
        arena_bytes: of the largest network.
    """

    data: bytes
    networks: Mapping[str, Compiled]
    relocations: Mapping[str, int]
    arena_bytes: int


def build(bundle: Bundle, target: str = "m4") -> Container:
    """The container of a bundle.

    Raises:
        BundleError, ModelError: as the firmware's generator; or a network's code has an address after all.
        UsageError: a target that no container is made for, or there is no cross compiler.
    """
    if target not in PROCESSORS:
        raise UsageError(f"No container is made for {target!r}; choose one of {', '.join(PROCESSORS)}.")
    if shutil.which(COMPILER) is None:
        raise UsageError(
            f"{COMPILER} is not installed, so no network can be compiled for a microcontroller; "
            "apt install gcc-arm-none-eabi libnewlib-arm-none-eabi."
        )
    check_bundle(bundle)
    names = {model.name: f"network_{number}" for number, model in enumerate(bundle.profile.models)}
    networks = {
        model: by_argument(compile_model(bundle.networks[model], name, target)) for model, name in names.items()
    }
    linked = read(_link(networks.values(), target))
    parts = [
        _part(one, names[model], linked.symbols, bundle.self_tests.get(model, ())) for model, one in networks.items()
    ]
    data = pack(target, bundle.profile, parts, linked.code)
    return Container(data, networks, linked.relocations, max(part.arena_bytes for part in parts))


def _link(networks: Iterable[Compiled], target: str) -> bytes:
    """All networks with what they call, at address 0."""
    with tempfile.TemporaryDirectory(prefix="thermo-quantize-") as name:
        folder = Path(name)
        (folder / "container.ld").write_text(_SCRIPT)
        sources = []
        for one in networks:
            for file, text in one.files.items():
                (folder / file).write_text(text)
            sources.append(f"{one.name}.c")
        if "-mfpu" not in PROCESSORS[target]:
            sources.append(str(SOFT_FLOAT))
        roots = [
            f"-Wl,--undefined={source.removesuffix('.c')}_invoke" for source in sources if source != str(SOFT_FLOAT)
        ]
        command = [
            COMPILER,
            *PROCESSORS[target].split(),
            *_FLAGS.split(),
            "-nostartfiles",
            "--specs=nano.specs",
            f"-I{_FIRMWARE}",
        ]
        command += ["-Wl,--emit-relocs,--no-warn-rwx-segments,--orphan-handling=place", "-T", "container.ld", *roots]
        done = subprocess.run(
            [*command, *sources, "-o", "container.elf"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ModelError(
                f"The networks cannot be compiled for {target}: {done.stderr.strip().splitlines()[-1][:200]}; "
                "tell the makers of thermo-edge."
            )
        return (folder / "container.elf").read_bytes()


def _part(one: Compiled, name: str, symbols: Mapping[str, int], tests: Sequence[SelfTest]) -> NetworkPart:
    network = one.network
    ends = []
    for value in (*network.inputs, *network.outputs):
        if value.data is not None:
            raise ModelError(f'"{value.name}" is a constant, which a container cannot give; train the network anew.')
        scale, zero_point = network.quantization[value.id]
        ends.append(End(one.plan.values[value.id], value.elements, float(scale), int(zero_point)))
    arena = -(-max(one.plan.size, 1) // ALIGNMENT) * ALIGNMENT + one.state_bytes
    reset = symbols[f"{name}_reset"] if one.state_bytes else None
    runs = [b"".join(test.inputs) + test.output for test in tests]
    return NetworkPart(symbols[f"{name}_invoke"], reset, arena, ends, runs)
