"""What the firmware's numerics cost on an emulated Cortex-M4 or M0+, beside the goals, and how far they are from thermo_core.

Run `python bench/firmware.py [--processor m0plus]`. The modules are compiled with the firmware's own flags and run in QEMU, where counting
instructions is exact and the same on every machine; they are not cycles (no wait states; a square root or division counts
as one). Scenes come from the simulated breast patch at 8 Hz, 18 bit, with noise.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from processors import M0PLUS, M4, Processor  # noqa: E402

from thermo_core import schema  # noqa: E402
from thermo_core.graph.live import LiveGraph  # noqa: E402
from thermo_core.graph.plan import plan  # noqa: E402
from thermo_core.sensors.correction import to_bytes  # noqa: E402
from thermo_core.sensors.mlx90640.constants import Constants  # noqa: E402
from thermo_core.sensors.mlx90640.correction import PixelCorrection  # noqa: E402
from thermo_core.sensors.mlx90640.decode import Decoder  # noqa: E402
from thermo_core.sensors.mlx90640.registers import ControlRegister  # noqa: E402
from thermo_core.signals import Sample  # noqa: E402
from thermo_core.tflite.ends import End  # noqa: E402
from thermo_core.wearable.profile import Profile  # noqa: E402
from thermo_sim.chips.mlx90640.eeprom import generate  # noqa: E402
from thermo_sim.chips.mlx90640.radiometry import Radiometry, pattern  # noqa: E402
from thermo_sim.scenes import breast_patch  # noqa: E402
from thermo_sim.surroundings import Conditions  # noqa: E402

FIRMWARE = REPOSITORY / "device" / "firmware"
EMULATOR = REPOSITORY / "tests" / "quantize" / "emulator"
MODULES = (
    "mlx90640_plausible mlx90640_constants mlx90640_decode mlx90640_fixed interpolate counts correction flash float32 text soft_float "
    "thermistor crc"
)
SOURCES = (
    *(FIRMWARE / "core" / f"{name}.c" for name in MODULES.split()),
    FIRMWARE / "sensors" / "mlx90640_correction.c",
    FIRMWARE / "boards" / "simulated" / "nor_flash.c",
)
SHARED = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))
EMISSIVITY = 0.98
INPUT = End((24, 32, 1), 0.01701791025698185, -8)
"""Of the breast patch's network, which takes the mean of 16 pictures above its median."""
STAGES = (
    {"op": "average", "of": "skin", "gives": "calm", "pictures": 16},
    {"op": "centre", "of": "calm", "gives": "above", "by": "median"},
)
FRAMES, RANDOM_FRAMES, OUTLIERS = 44, 8, 24

ROWS = (
    ("picture", "decode a picture: both subpages with conditions", 90_000),
    ("extreme", "the same, interleaved, -30 to 300 degC", 90_000),
    ("pack_difference", "pack a subpage, difference, still scene at 8 Hz", 40_000),
    ("pack_key", "pack a subpage, key frame of the same", 40_000),
    ("pack_difference_outliers", f"pack a subpage, difference, {OUTLIERS} far outliers", 40_000),
    ("pack_difference_random", "pack a subpage, difference, random words", 40_000),
    ("pack_key_random", "pack a subpage, key frame, random words", 40_000),
    ("correct", "correct a picture, 3 bad pixels", None),
    ("fill", "fill 4 bad pixels", None),
    ("thermistor", "a thermistor", None),
    ("extract", "constants of an EEPROM, once", None),
)
"""Names, what they are, and goals on the M4."""
GOALS_M0PLUS = {"picture": 600_000, "extreme": 600_000}
PROCESSORS = {one.target: one for one in (M4, M0PLUS)}


def subpages(eeprom: NDArray[np.uint16], count: int, seed: int) -> NDArray[np.uint16]:
    """(count, 834) words of a still breast patch at 8 subpages/s."""
    radiometry = Radiometry(Constants.from_eeprom(eeprom), seed=seed)
    control = ControlRegister(refresh_code=4)
    scene = breast_patch(seed)
    frames = np.zeros((count, 834), np.uint16)
    for index in range(count):
        celsius = scene.celsius(index / 8)
        for half in (0, 1):
            measured = radiometry.measure(celsius, half, 2 * index + half, control, Conditions())
            frames[index, 768 + 32 * half : 800 + 32 * half] = measured.auxiliary
            if half == index % 2:
                frames[index, pattern(half, control.chess)] = measured.pixels
        frames[index, 832:] = control.to_word(), index % 2
    return frames


def extreme(eeprom: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(2, 834) words of a picture in the pattern that was not calibrated, with pixels in all four ranges."""
    radiometry, control = Radiometry(Constants.from_eeprom(eeprom)), ControlRegister(chess=False)
    celsius = np.random.default_rng(1).uniform(-30, 300, (24, 32))
    frames = np.zeros((2, 834), np.uint16)
    for half in (0, 1):
        measured = radiometry.measure(celsius, half, half, control, Conditions())
        frames[half, pattern(half, False)] = measured.pixels
        frames[:, 768 + 32 * half : 800 + 32 * half] = measured.auxiliary
        frames[half, 832:] = control.to_word(), half
    return frames


def table(name: str, values: NDArray[np.generic], kind: str) -> str:
    """A C array."""
    rows = values.reshape(values.shape[0], -1) if values.ndim > 1 else values
    body = (
        ",".join("{" + ",".join(map(str, row)) + "}" for row in rows.tolist())
        if values.ndim > 1
        else ",".join(map(str, rows.tolist()))
    )
    size = "".join(f"[{n}]" for n in rows.shape)
    return f"static const {kind} {name}{size} = {{{body}}};\n"


@dataclass(frozen=True)
class Golden:
    """Cases of the vendor's C library.

    Attributes:
        eeproms: (n, 832) uint16.
        frames: (2 n, 834) uint16.
        optics: (n, 2) float32, emissivity and reflected temperature, NaN for the default.
        celsius: (n, 768) float32, what the vendor's library gives.
    """

    eeproms: NDArray[np.uint16]
    frames: NDArray[np.uint16]
    optics: NDArray[np.float32]
    celsius: NDArray[np.float32]

    @classmethod
    def load(cls, shared: Path) -> "Golden | None":
        """The cases in `shared`; None where it is absent."""
        path = shared / "golden" / "mlx90640" / "vendor_vectors.npz"
        if not path.is_file():
            return None
        with np.load(path) as data:
            optics = np.stack((data["emissivity"], data["tr"]), axis=1).astype(np.float32)
            return cls(data["eeprom"], data["frames"].reshape(-1, 834), optics, data["to"])


def data_header(eeprom: NDArray[np.uint16], frames: NDArray[np.uint16], golden: Golden | None) -> str:
    """What firmware_m4.c works on."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 1 << 16, (RANDOM_FRAMES, 834), dtype=np.uint16)
    outliers = frames[:RANDOM_FRAMES].copy()
    for words in outliers:
        words[rng.choice(768, OUTLIERS * 2, replace=False)] = rng.integers(0, 1 << 16, OUTLIERS * 2)
    noise[:, 832:] = frames[:RANDOM_FRAMES, 832:]
    bad = np.zeros((24, 32), np.bool_)
    bad[[3, 12, 20], [4, 15, 31]] = True
    maps = [rng.normal(mean, spread, (24, 32)).astype(np.float32) for mean, spread in ((0, 0.5), (1, 0.02), (0, 0.01))]
    blob = np.frombuffer(to_bytes(PixelCorrection(maps[0], maps[1], maps[2], bad)), np.uint8)
    scene = rng.normal(34, 1, 768).astype(np.float32)
    return (
        "#include <math.h>\n#include <stdint.h>\n"
        f"#define FRAMES {FRAMES}U\n#define RANDOM_FRAMES {RANDOM_FRAMES}U\n"
        f"#define EMISSIVITY {EMISSIVITY}F\n#define REFLECTED NAN\n"
        + table("eeprom", eeprom, "uint16_t")
        + table("frames", frames, "uint16_t")
        + table("extreme_frames", extreme(eeprom), "uint16_t")
        + table("random_frames", noise, "uint16_t")
        + table("outlier_frames", outliers, "uint16_t")
        + table("blob", blob, "uint8_t").replace("static const", "static const _Alignas(8)")
        + table("scene", scene, "float")
        + golden_tables(golden)
    )


def golden_tables(golden: Golden | None) -> str:
    """The cases as C arrays, of one unused case where there are none."""
    if golden is None:
        return "#define GOLDEN 0U\nstatic const uint16_t golden_eeproms[1][832], golden_frames[2][834];\n" + (
            "static const float golden_optics[1][2];\n"
        )
    optics = table("golden_optics", golden.optics, "float").replace("nan", "NAN")
    return (
        f"#define GOLDEN {len(golden.eeproms)}U\n{optics}"
        + table("golden_eeproms", golden.eeproms, "uint16_t")
        + table("golden_frames", golden.frames, "uint16_t")
    )


def run(command: list[str]) -> str:
    """Standard output and error; ends the program where the command fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"firmware: {command[0]} failed: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout + done.stderr


def measure(
    header: str,
    program: str = "firmware_m4.c",
    modules: Sequence[Path] = SOURCES,
    dumps: Sequence[str] = ("scene", "golden"),
    processor: Processor = M4,
) -> tuple[dict[str, int], dict[str, list[bytes]]]:
    """Instructions a call by name, and what was computed by name.

    Args:
        header: what the program works on.
        program: beside this file.
        modules: of the firmware, that it needs.
        dumps: names of what is computed.
        processor: that it runs on.
    """
    fast_line = re.search(r"^FAST := (.*)$", (FIRMWARE / "Makefile").read_text(), re.MULTILINE)
    if fast_line is None:
        sys.exit("firmware: device/firmware/Makefile no longer says which modules are built for speed (FAST).")
    fast = fast_line[1].split()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data.h").write_text(header)
        script = (EMULATOR / "link.ld").read_text()
        for word, value in (("FLASH_AT", "0"), ("RAM_AT", "0x20000000"), ("FLASH_SIZE", "4M")):
            script = script.replace(f"= {word}", f"= {value}")
        (folder / "link.ld").write_text(script)
        compiler = [
            "arm-none-eabi-gcc",
            *processor.flags.split(),
            "-std=c11",
            "-ffp-contract=off",
            "-ffunction-sections",
            "-fdata-sections",
        ]
        objects = []
        include = [
            f"-I{path}"
            for path in (
                FIRMWARE / "core",
                FIRMWARE / "sensors",
                FIRMWARE / "boards" / "simulated",
                Path(__file__).parent,
                folder,
            )
        ]
        for module in modules:
            level = "-O2" if module.stem in fast else "-Os"
            objects.append(str(folder / f"{module.stem}.o"))
            run([*compiler, level, "-fno-math-errno", *include, "-c", str(module), "-o", objects[-1]])
        sources = [str(EMULATOR / "start.c"), str(Path(__file__).with_name(program))]
        link = ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections,--no-warn-rwx-segments"]
        elf = str(folder / "bench.elf")
        run([*compiler, "-O2", *include, *sources, *objects, *link, "-T", str(folder / "link.ld"), "-lm", "-o", elf])
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
    computed: dict[str, list[bytes]] = {name: [] for name in dumps}
    for line in said.splitlines():
        name, _, value = line.partition(" ")
        if name in computed:
            computed[name].append(bytes.fromhex(value))
        elif value.isdecimal():
            costs[name] = int(value)
    return costs, computed


def pictures(rows: list[bytes]) -> NDArray[np.float32]:
    """(n, 24, 32) temperatures the microcontroller computed."""
    return np.frombuffer(b"".join(rows), "<f4").reshape(-1, 24, 32)


@dataclass(frozen=True)
class Parity:
    """How far the microcontroller is from thermo_core.

    Attributes:
        scene_k: largest difference of a still scene's pictures, K.
        differing: share of the network input's pixels that are not core's.
        steps: by how many int8 steps at most.
        golden_k: largest difference below 150 degC on the vendor's vectors, K; None without them.
        vendor_k: the same to what the vendor's C library gives.
    """

    scene_k: float
    differing: float
    steps: int
    golden_k: float | None
    vendor_k: float | None


def network_inputs(scene: NDArray[np.float32]) -> NDArray[np.int64]:
    """int8 steps that pictures become: the mean of 16 above its median, which C's stages make byte for byte alike."""
    camera = {"kind": "mlx90640", "name": "skin", "path": [0x33]}
    parts = {"name": "scene", "version": "1", "sensors": [camera], "stages": list(STAGES)}
    graph = LiveGraph(plan(schema.from_plain(parts, Profile, "profile")), {})
    found = []
    for number, celsius in enumerate(scene):
        for produced in graph.push([{"skin": Sample(250_000 * number, celsius, 0)}]):
            if "above" in produced:
                found.append(INPUT.quantize(produced["above"].values).ravel().astype(np.int64))
    return np.stack(found)


def compare(
    eeprom: NDArray[np.uint16], frames: NDArray[np.uint16], computed: dict[str, list[bytes]], golden: Golden | None
) -> Parity:
    """Set what the microcontroller computed beside core's results."""
    decoder = Decoder(Constants.from_eeprom(eeprom), EMISSIVITY)
    wanted = np.stack([decoder.picture(*frames[i : i + 2]).celsius for i in range(0, FRAMES, 2)])
    away = np.abs(network_inputs(pictures(computed["scene"])) - network_inputs(wanted))
    scene_k = float(np.abs(pictures(computed["scene"]) - wanted).max())
    core_k = vendor_k = None
    if golden is not None:
        core_k, vendor_k = compare_golden(pictures(computed["golden"]), golden)
    return Parity(scene_k, float(np.mean(away > 0)), int(away.max()), core_k, vendor_k)


def compare_golden(computed: NDArray[np.float32], golden: Golden) -> tuple[float, float]:
    """Largest differences to core and to the vendor's library below 150 degC, K."""
    core, vendor = 0.0, 0.0
    for case, celsius in enumerate(computed):
        emissivity, reflected = golden.optics[case].tolist()
        calibration = Constants.from_eeprom(golden.eeproms[case])
        decoder = Decoder(calibration, emissivity, None if np.isnan(reflected) else reflected)
        halves = [decoder.decode(words) for words in golden.frames[2 * case : 2 * case + 2]]
        warm = (halves[0].valid | halves[1].valid) & (golden.celsius[case].reshape(24, 32) < 150)
        core = max(core, float(np.abs(celsius - halves[0].celsius - halves[1].celsius)[warm].max()))
        vendor = max(vendor, float(np.abs(celsius.ravel() - golden.celsius[case])[warm.ravel()].max()))
    return core, vendor


def run_all(shared: Path, processor: Processor = M4) -> tuple[dict[str, int], Parity]:
    """Instructions a call by name, and parity; ends the program where the emulator or its compiler fails."""
    golden = Golden.load(shared)
    eeprom = generate(1)
    frames = subpages(eeprom, FRAMES, 1)
    costs, computed = measure(data_header(eeprom, frames, golden), processor=processor)
    return costs, compare(eeprom, frames, computed, golden)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--processor", choices=PROCESSORS, default="m4", help="that is emulated")
    arguments = parser.parse_args()
    processor = PROCESSORS[arguments.processor]
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if not shutil.which(program):
            sys.exit(
                f"firmware: {program} is missing; install gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm."
            )
    found, parity = run_all(arguments.shared, processor)
    print(f"{f'{processor.name} in QEMU':58}{'instructions':>13}{'goal':>9}")
    for name, label, goal_m4 in ROWS:
        goal = goal_m4 if processor is M4 else GOALS_M0PLUS.get(name)
        print(f"{label:58}{found[name]:13,}{f'{goal:,}' if goal else '':>9}")
    print(f"pictures of a still scene: within {parity.scene_k:.6f} K of core's")
    print(f"network input: {parity.differing:.2%} of pixels differ from core's, by at most {parity.steps} step")
    if parity.golden_k is None:
        print("vendor's vectors: not measured, no shared folder")
        return
    print(
        f"vendor's vectors below 150 degC: within {parity.golden_k:.6f} K of core's (goal 0.02), "
        f"{parity.vendor_k:.4f} K of the vendor's C library"
    )


if __name__ == "__main__":
    main()
