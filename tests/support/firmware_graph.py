"""Random graphs in C: generated, compiled many at once, and run over recordings on this machine or an emulated Cortex-M4."""

import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from compiled_once import compile_c, objects
from firmware_library import FIRMWARE, HARNESS, ROOMS
from processors import M4, Processor
from sensor_recordings import Recording, plain_bytes
from small_networks import interpreted, networks

from thermo_core import schema
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan
from thermo_core.graph.rates import plan_at
from thermo_core.signals import Sample
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.graph.generate import Graph, generate

EMULATOR = Path(__file__).resolve().parents[1] / "quantize/emulator"
CORE = "board container text float32 soft_float order history graph learner elapsed network findings alerts"
WARNINGS = (
    "-std=c11 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes "
    "-Wmissing-prototypes -Wvla -Wundef -ffp-contract=off -fno-math-errno"
)
SANITIZED = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

_OWN = tuple(f"-I{room}" for room in (*(FIRMWARE / room for room in ROOMS), HARNESS))

_PASS, _END = 0, 2
"""Marks behind a pass and a case."""

_BLOCK_END, _RESET, _RATE = 0, 0xFFFF, 0xFFFE
"""Numbers of signals of what is no moment."""

Block = Sequence[Mapping[str, Sample]]
"""Moments that a block of a sensor gives, each of samples by signal; no moment stands for starting anew."""
Pass = Mapping[str, tuple[int, int, bool, bytes]]
"""What a pass makes: time, flags, freshness and the bytes of the values of each signal."""


@dataclass(frozen=True)
class Case:
    """A graph and what its sensors say.

    Attributes:
        plan: as C is generated of it.
        blocks: what comes.
        networks: of its models.
        rates_hz: what sensors are set to before, by number; those of the plan where there are none.
    """

    plan: Plan
    blocks: Sequence[Block]
    networks: Mapping[str, bytes]
    rates_hz: Sequence[float] = ()

    @classmethod
    def of(cls, plan: Plan, recording: Recording, seed: int = 1) -> "Case":
        """With random networks for its models, and started anew in between."""
        blocks: list[Block] = [[{name: sample} for sample in samples] for name, samples in recording]
        blocks.insert(2 * len(blocks) // 3, [])
        return cls(plan, blocks, networks(plan, seed))

    def wanted(self) -> list[Pass]:
        """What Python makes of it, pass by pass."""
        return self._wanted

    @cached_property
    def _wanted(self) -> list[Pass]:
        outputs = {model.name: self.plan.signals[model.raw].shape for model in self.plan.profile.models}
        at_rates = plan_at(self.plan.profile, self.rates_hz, outputs) if self.rates_hz else self.plan
        graph = LiveGraph(at_rates, interpreted(self.networks))
        passes: list[Pass] = []
        for block in self.blocks:
            if not block:
                graph.reset()
                continue
            passes += [
                {n: (s.time_us, s.flags, s.fresh, plain_bytes(s.values)) for n, s in produced.items()}
                for produced in graph.push(block)
            ]
        return passes

    def stream(self, number: int) -> bytes:
        """What the harness reads of it."""
        numbers = {name: place for place, name in enumerate(self.plan.signals)}
        parts = [
            struct.pack("<qH", sensor << 32 | round(1000 * rate_hz), _RATE)
            for sensor, rate_hz in enumerate(self.rates_hz)
        ]
        for block in self.blocks:
            for moment in block:
                (time_us,) = {sample.time_us for sample in moment.values()}
                text = struct.pack("<qH", time_us, len(moment))
                for name, sample in moment.items():
                    text += struct.pack("<HHH", numbers[name], sample.flags, sample.fresh)
                    text += np.asarray(sample.values, "<f4").tobytes()
                parts.append(text)
            parts.append(struct.pack("<qH", 0, _BLOCK_END if block else _RESET))
        return b"".join([struct.pack("<HI", number, len(parts)), *parts])

    def generate(self, name: str, target: str) -> Graph:
        """Its C files."""
        compiled = {
            model: compile_model(data, f"{name}_{model.replace('-', '_')}", target)
            for model, data in self.networks.items()
        }
        return generate(self.plan, compiled, name)

    def found(self, words: "_Words") -> list[Pass]:
        """What the harness wrote of it."""
        signals = list(self.plan.signals.values())
        passes: list[Pass] = []
        produced: dict[str, tuple[int, int, bool, bytes]] = {}
        while (mark := words.take("<H")[0]) != _END:
            if mark == _PASS:
                passes.append(produced)
                produced = {}
                continue
            number, flags, fresh, time_us = words.take("<HHHq")
            values = np.frombuffer(words.bytes(4 * signals[number].elements), "<f4")
            produced[signals[number].name] = (time_us, flags, bool(fresh), plain_bytes(values))
        return passes


def first_difference(case: Case, found: Sequence[Pass]) -> str:
    """Where what C made of a case is not what Python makes of it, in words; "" where it is nowhere."""
    wanted = case.wanted()
    if len(wanted) != len(found):
        return f"{len(found)} passes, not {len(wanted)}"
    for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
        if one != other:
            names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
            return f"pass {number}, signals {', '.join(names)} of {schema.to_readable(case.plan.profile)}"
    return ""


class _Words:
    """What the harness wrote."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def bytes(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def run(cases: Sequence[Case], folder: Path, processor: Processor | None = None) -> list[list[Pass]]:
    """What C makes of all cases, in one program.

    Args:
        cases: graphs and recordings.
        folder: for sources and program.
        processor: in QEMU; without one this machine runs it, under AddressSanitizer and UBSan.
    """
    sources = []
    made = [
        case.generate(f"case{number}", processor.target if processor else "generic")
        for number, case in enumerate(cases)
    ]
    for graph in made:
        for file, text in graph.files.items():
            (folder / file).write_text(text)
            sources += [folder / file] if file.endswith(".c") else []
    rows = "\n".join(
        f"    {{&case{number}_plan, {graph.placement.shared_bytes}}}," for number, graph in enumerate(made)
    )
    includes = "\n".join(f'#include "case{number}.h"' for number in range(len(made)))
    (folder / "cases.h").write_text(
        f"{includes}\nstruct graph_case {{\n  const struct graph_plan *plan;\n  uint32_t shared_bytes;\n}};\n"
        f"static const struct graph_case cases[] = {{\n{rows}\n}};\n"
    )
    stream = b"".join(case.stream(number) for number, case in enumerate(cases))
    written = _emulate(sources, stream, folder, processor) if processor else _execute(sources, stream, folder)
    words = _Words(written)
    found = [case.found(words) for case in cases]
    assert words.left == 0, "more was written than there are passes"
    return found


def core_sources() -> Iterator[Path]:
    """All that generated graphs rest on."""
    yield from (FIRMWARE / "core" / f"{name}.c" for name in CORE.split())
    yield from sorted((FIRMWARE / "stages").glob("*.c"))


def includes(folder: Path) -> list[str]:
    """Where headers are, `folder` with the generated ones among them."""
    return [*_OWN, f"-I{folder}"]


def sanitised_program(sources: Sequence[Path], folder: Path, name: str, firmware: Sequence[Path] = ()) -> Path:
    """A program that a wrong address or undefined behaviour ends.

    Args:
        sources: of its own, which may include generated headers.
        folder: for the program, where generated headers are.
        name: of the program.
        firmware: sources of the firmware; those that generated graphs rest on where left out.
    """
    command = ["gcc", *WARNINGS.split(), *SANITIZED.split(), *_OWN]
    made = objects(firmware or list(core_sources()), command, folder)
    compile_c([*command, f"-I{folder}", *map(str, [*sources, *made]), "-o", str(folder / name), "-lm"])
    return folder / name


def _execute(sources: Sequence[Path], stream: bytes, folder: Path) -> bytes:
    program = sanitised_program([HARNESS / "graph.c", HARNESS / "io_host.c", *sources], folder, "graphs")
    done = subprocess.run([str(program)], input=stream, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[:4000]
    return done.stdout


def _emulate(sources: Sequence[Path], stream: bytes, folder: Path, processor: Processor) -> bytes:
    (folder / "stream.h").write_text(f"static const uint8_t stream[] = {{{','.join(map(str, stream))}}};\n")
    program = emulated_program(
        [*core_sources(), HARNESS / "graph.c", HARNESS / "io_emulated.c", *sources], folder, processor
    )
    return bytes.fromhex(emulate(program, processor=processor))


def emulated_program(sources: Sequence[Path], folder: Path, processor: Processor = M4) -> Path:
    """A program for an emulated processor, compiled as the firmware's stages are; object files of what is not the firmware's
    own lie in `folder`."""
    script = (EMULATOR / "link.ld").read_text()
    for word, value in (("FLASH_AT", "0"), ("RAM_AT", "0x20000000"), ("FLASH_SIZE", "4M")):
        script = script.replace(f"= {word}", f"= {value}")
    (folder / "link.ld").write_text(script)
    command = ["arm-none-eabi-gcc", *processor.flags.split(), "-O2", "-ffunction-sections", "-fdata-sections", "-std=c11",
               "-ffp-contract=off", "-fno-math-errno", *_OWN]  # fmt: skip
    own = [source for source in sources if FIRMWARE not in source.parents]
    made = objects([EMULATOR / "start.c", *(source for source in sources if source not in own)], command, folder)
    for number, source in enumerate(own):
        made.append(folder / (f"{source.stem}.o" if source.parent == folder else f"{number}.o"))
        compile_c([*command, f"-I{folder}", "-c", str(source), "-o", str(made[-1])])
    program = folder / "program.elf"
    link: list[str | Path] = [
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections,--no-warn-rwx-segments",
        "-T",
        folder / "link.ld",
    ]
    compile_c([*command, *map(str, [*made, *link]), "-lm", "-o", str(program)])
    return program


def emulate(program: Path, *options: str, processor: Processor = M4) -> str:
    """What a program says on an emulated processor."""
    run = f"qemu-system-arm -M {processor.machine} -nographic -monitor none -serial none -semihosting-config enable=on,target=native"
    command = [*run.split(), *options, "-kernel", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout + done.stderr
