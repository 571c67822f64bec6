"""A wearable's first network linked into a program, and as a container at two addresses: the same outputs, and what a run costs.

    python bench/container.py [--wearable NAME]

QEMU counts instructions of a Cortex-M4 and of a Cortex-M0. Both run the container's golden vectors before. "bytes more" is what the container
has beside the linked network's own code and constants: header, golden vectors, graph, profile, and what the code calls.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firmware import EMULATOR, FIRMWARE, REPOSITORY, run

sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from processors import M0PLUS, M4, Processor

from thermo_core.bundle import Bundle
from thermo_core.image import Image, load_public_key, verify
from thermo_core.wearable.library import BUNDLE_NAME, folder
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_quantize import structures
from thermo_quantize.c_text import table, text
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.report import report
from thermo_quantize.container.build import build
from thermo_quantize.structures import sensors_digest

PROCESSORS = {"m4": M4, "m0plus": M0PLUS}
"""That run containers of each target."""


@dataclass(frozen=True)
class Measured:
    """A network on a processor.

    Attributes:
        costs: instructions a run by name; "rehearsed" containers, and "differing" outputs of 40.
        container_bytes: of all.
        network_bytes: constants of the network.
        relocations: by kind.
    """

    costs: dict[str, int]
    container_bytes: int
    network_bytes: int
    relocations: dict[str, int]


def shipped(wearable: str) -> Image:
    """The bundle that comes with a wearable, verified."""
    data = (folder() / wearable / BUNDLE_NAME).read_bytes()
    return verify(data, [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())])


def measure(image: Image, target: str) -> Measured:
    """Run the first model's network both ways."""
    bundle = Bundle.from_payload(image.payload)
    processor: Processor = PROCESSORS[target]
    container = build(image, target)
    model = bundle.profile.models[0].name
    linked = compile_model(bundle.networks[model], "network_linked", target)
    rows = ", ".join(
        f"{{{{{text(name)}, {{{', '.join(map(str, structures.mark(name)))}}}}}, NULL}}" for name in structures.offers()
    )
    data = [
        '#include "container.h"',
        f"#define CONTAINER_ARENA {container.arena_bytes}",
        f"#define CONTAINER_ROOM {container.room_bytes}",
        f"#define CONTAINER_STRUCTURES 0x{structures.structures():08x}U",
        f"#define CONTAINER_TARGET {text(target)}",
        "_Alignas(8) " + table("uint8_t", "container_bytes", container.data),
        table("uint8_t", "sensors_sha256", sensors_digest(bundle.profile)),
        f"static const struct container_offer host_offers[] = {{{rows}}};",
    ]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "data.h").write_text("\n".join(data) + "\n")
        for file, content in linked.files.items():
            (work / file).write_text(content)
        script = (EMULATOR / "link.ld").read_text()
        for word, value in (("FLASH_AT", "0"), ("RAM_AT", "0x20000000"), ("FLASH_SIZE", "4M")):
            script = script.replace(f"= {word}", f"= {value}")
        (work / "link.ld").write_text(script)
        sources = [EMULATOR / "start.c", Path(__file__).with_name("container_m.c"), work / "network_linked.c"]
        sources += [FIRMWARE / "core" / f"{module}.c" for module in ("container", "text", "float32", "soft_float")]
        elf = str(work / "bench.elf")
        run(
            [
                *("arm-none-eabi-gcc", *processor.flags.split(), "-std=c11", "-O2", "-ffp-contract=off"),
                *("-ffunction-sections", "-fdata-sections", "-fno-math-errno"),
                *(f"-I{path}" for path in (FIRMWARE / "core", Path(__file__).parent, work)),
                *map(str, sources),
                *("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections,--no-warn-rwx-segments"),
                *("-T", str(work / "link.ld"), "-lm", "-o", elf),
            ]
        )
        qemu = [
            "qemu-system-arm",
            "-M",
            *processor.machine.split(),
            "-icount",
            "shift=0",
            "-nographic",
            "-monitor",
            "none",
        ]
        said = run([*qemu, "-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel", elf])
    costs: dict[str, int] = {}
    for line in said.splitlines():
        name, _, value = line.rpartition(" ")
        if not value.isdecimal():
            sys.exit(f"container: {line}")
        costs[name] = int(value)
    own = int(report(linked)["constant_bytes"])
    return Measured(costs, len(container.data), own, dict(container.relocations))


def main() -> None:
    """Print both processors' rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearable", default="breast-patch")
    options = parser.parse_args()
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(program) is None:
            sys.exit(
                f"container: {program} is missing; install gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm."
            )
    for target, processor in PROCESSORS.items():
        found = measure(shipped(options.wearable), target)
        costs = found.costs
        print(
            f"{options.wearable} on {processor.name}: container of {found.container_bytes} bytes, network's constants {found.network_bytes}"
        )
        print(
            f"  places that refer to others: {', '.join(f'{count} {kind}' for kind, count in found.relocations.items())}; none by address"
        )
        print(
            f"  rehearsed at {costs['rehearsed']} addresses, {costs['differing']} of 40 outputs differ from the linked-in network's"
        )
        for way in ("linked in", "container in flash", "container in RAM"):
            print(f"  {way:20} {costs[way]:>12,} instructions a run")


if __name__ == "__main__":
    main()
