"""A signed bundle as a container: networks, graph and profile compiled for a processor, code held to have no address, packed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thermo_core.bundle import Bundle, SelfTest
from thermo_core.errors import ModelError, UsageError
from thermo_core.firmware.signed import sign
from thermo_core.image import Image, verify
from thermo_core.wire.keeping import ring_bytes
from thermo_quantize.compiler.compile import Compiled, by_argument, compile_model
from thermo_quantize.compiler.graph.place import arena_bytes
from thermo_quantize.container.layout import End, NetworkPart, pack
from thermo_quantize.container.relocations import KIND_SHIFT, OF_ROOM, OF_STAGES, TABLES, VARIABLES, read
from thermo_quantize.firmware import generate_contained
from thermo_quantize.fit import check_bundle
from thermo_quantize.structures import FIRMWARE, needs, offers

COMPILER = "arm-none-eabi-gcc"
PROCESSORS: Mapping[str, str] = {
    "m0": "-mcpu=cortex-m0plus -mthumb",
    "m0plus": "-mcpu=cortex-m0plus -mthumb",
    "m4": "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard",
    "m7": "-mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard",
    "generic": "-mcpu=cortex-m0plus -mthumb",
}
"""What networks for each target of the compiler are built with."""
SOFT_FLOAT = FIRMWARE / "core" / "soft_float.c"
"""Floats where there is no FPU: the compiler's own helpers have tables of addresses."""
_FLAGS = (
    "-std=c11 -O2 -fPIE -ffreestanding -ffp-contract=off -fno-math-errno -ffunction-sections -fno-unwind-tables "
    "-fno-asynchronous-unwind-tables -Wall -Wextra -Werror -Wno-unused-parameter"
)
_SCRIPT = f"""SECTIONS {{
  . = 0;
  .text : {{ *(.text*) . = ALIGN(8); }}
  .rodata : {{ *(.rodata*) . = ALIGN(8); }}
  . = {OF_ROOM << KIND_SHIFT:#x};
  {TABLES} : {{ *(.data*) . = ALIGN(8); }}
  {VARIABLES} : ALIGN(16) {{ *(.bss*) *(COMMON) . = ALIGN(8); }}
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.comment) *(.ARM.attributes) }}
}}
"""
_NAME = "model"
"""Prefix of the container's files and symbols."""


@dataclass(frozen=True)
class Container:
    """What was made.

    Attributes:
        data: its bytes.
        networks: compiled, by the names of models.
        relocations: how many places tell how far it is to another, by kind; none holds an address.
        arena_bytes: of the largest network.
        room_bytes: of the firmware's memory that it takes.
    """

    data: bytes
    networks: Mapping[str, Compiled]
    relocations: Mapping[str, int]
    arena_bytes: int
    room_bytes: int


def build(image: Image, target: str = "m4") -> Container:
    """The container of a bundle.

    Args:
        image: that the bundle was signed in and verified; hosts are told its version and hash.
        target: processor.

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
    bundle = Bundle.from_payload(image.payload)
    check_bundle(bundle)
    names = {model.name: f"network_{number}" for number, model in enumerate(bundle.profile.models)}
    networks = {
        model: by_argument(compile_model(bundle.networks[model], name, target)) for model, name in names.items()
    }
    files, plan = generate_contained(bundle, image, networks, _NAME)
    needed = needs(files.values())
    linked = read(_link(networks.values(), files, needed, target))
    parts = [
        _part(one, names[model], linked.symbols, bundle.self_tests.get(model, ())) for model, one in networks.items()
    ]
    data = pack(target, bundle.profile, parts, linked, needed, f"{_NAME}_profile", ring_bytes(plan))
    return Container(data, networks, linked.relocations, max(part.arena_bytes for part in parts), linked.room_bytes)


def sign_containers(bundle: bytes, key: Ed25519PrivateKey, targets: Sequence[str]) -> dict[str, bytes]:
    """Signed images of a signed bundle's containers, by target; each has the bundle's version.

    Args:
        bundle: the bundle's image, signed with `key`.
        key: for models.
        targets: processors.

    Raises:
        ImageFormatError, SignatureError: the bundle is damaged, or signed with another key.
        BundleError, ModelError, UsageError: as `build`.
    """
    image = verify(bundle, [key.public_key()])
    return {target: sign(build(image, target).data, image.version, key) for target in targets}


def _link(networks: Iterable[Compiled], graph: Mapping[str, str], needed: Sequence[str], target: str) -> bytes:
    """All networks with what they call, the graph's tables, and numbers in the place of what the firmware has."""
    with tempfile.TemporaryDirectory(prefix="thermo-quantize-") as name:
        folder = Path(name)
        (folder / "container.ld").write_text(_SCRIPT)
        sources = []
        for one in networks:
            for file, text in one.files.items():
                (folder / file).write_text(text)
            sources.append(f"{one.name}.c")
        for file, text in graph.items():
            (folder / file).write_text(text)
        tables = [file for file in graph if file.endswith(".c")]
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
            f"-I{FIRMWARE / 'core'}",
            f"-I{FIRMWARE / 'sensors'}",
            f"-I{FIRMWARE}",
        ]
        offered = offers()
        command += [
            f"-Wl,--defsym={offered[name]}={(OF_STAGES << KIND_SHIFT) + number:#x}"
            for number, name in enumerate(needed)
        ]
        command += ["-Wl,--emit-relocs,--no-warn-rwx-segments,--orphan-handling=place", "-T", "container.ld", *roots]
        done = subprocess.run(
            [*command, *sources, *tables, "-o", "container.elf"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            why = next((line for line in lines if "error:" in line or "undefined" in line), lines[-1])
            raise ModelError(f"The model cannot be compiled for {target}: {why[:200]}; tell the makers of thermo-edge.")
        return (folder / "container.elf").read_bytes()


def _part(one: Compiled, name: str, symbols: Mapping[str, int], tests: Sequence[SelfTest]) -> NetworkPart:
    network = one.network
    ends = []
    for value in (*network.inputs, *network.outputs):
        if value.data is not None:
            raise ModelError(f'"{value.name}" is a constant, which a container cannot give; train the network anew.')
        scale, zero_point = network.quantization[value.id]
        ends.append(End(one.plan.values[value.id], value.elements, float(scale), int(zero_point)))
    arena = arena_bytes(one, states_in_arenas=True)
    reset = symbols[f"{name}_reset"] if one.state_bytes else None
    runs = [b"".join(test.inputs) + test.output for test in tests]
    return NetworkPart(symbols[f"{name}_invoke"], reset, arena, ends, runs)
