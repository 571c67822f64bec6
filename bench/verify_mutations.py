"""Mutates real models, verifies each mutant, and lets tflite-runtime and ai-edge-litert run whatever was accepted.

`python bench/verify_mutations.py` makes 100,000 mutants and prints how many were accepted, and how many of those crashed or
hung a runtime, which should be none. `--unverified N` gives the first N mutants to the runtimes without verifying them.
"""

import argparse
import json
import random
import select
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import read_model
from thermo_core.tflite.verify import verify_model

ROOT = Path(__file__).resolve().parents[1]
RUNTIMES = ("tflite_runtime", "ai_edge_litert")
HANG_S = 60.0
SLOW_MACS = 5_000_000
_INTEGERS = (0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 65535, 1 << 16, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
_FLOATS = (0.0, -1.0, 1e-38, 1e-20, 1e-10, 1e10, 1e20, 3e38, float("inf"), float("nan"))
_ANSWER = {b"k": "ran", b"e": "refused by the runtime"}
_WORKER = """
import importlib, struct, sys
import numpy as np
runtime = importlib.import_module(sys.argv[1] + ".interpreter")
def run(model, kernels):
    interpreter = runtime.Interpreter(model_content=model, num_threads=1, **kernels)
    interpreter.allocate_tensors()
    generator = np.random.default_rng(0)
    for end in interpreter.get_input_details():
        low, high = (-100, 100) if end["dtype"] != np.float32 else (-4, 4)
        interpreter.set_tensor(end["index"], generator.integers(low, high, end["shape"]).astype(end["dtype"]))
    interpreter.invoke()
    for end in interpreter.get_output_details():
        interpreter.get_tensor(end["index"])
reference = {"experimental_op_resolver_type": runtime.OpResolverType.BUILTIN_REF}
while True:
    header = sys.stdin.buffer.read(5)
    if len(header) < 5:
        break
    size, slow = struct.unpack("<IB", header)
    model = sys.stdin.buffer.read(size)
    answer = b"k"
    for kernels in ({},) if slow else (reference, {}):
        try:
            run(model, kernels)
        except (ValueError, RuntimeError, SystemError, TypeError, OverflowError, MemoryError):
            answer = b"e"
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
"""


class Worker:
    """A process with one runtime, started anew whenever a model kills it."""

    def __init__(self, runtime: str) -> None:
        self._runtime = runtime
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, self._runtime],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def send(self, model: bytes, slow: bool) -> None:
        """Give it a model; `slow` leaves the reference kernels out."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(struct.pack("<IB", len(model), slow) + model)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> str:
        """What became of the model: "ran", "refused by the runtime", "crashed" or "hung"."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], HANG_S)
        said = self._process.stdout.read(1) if ready else b""
        if said in _ANSWER:
            return _ANSWER[said]
        self._process.kill()
        self._process.wait()
        self._start()
        return "crashed" if ready else "hung"

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def structure(model: bytes) -> list[int]:
    """Positions of the bytes that are not weights."""
    keep = bytearray(b"\1") * len(model)
    for tensor in read_model(model).tensors:
        if tensor.data is not None and len(tensor.data) > 32:
            start = model.find(tensor.data)
            keep[start : start + len(tensor.data)] = bytes(len(tensor.data))
    return [position for position, kept in enumerate(keep) if kept]


def mutate(model: bytes, places: list[int], chance: random.Random) -> bytes:
    """The model with one to three faults, mostly outside of its weights."""
    data = bytearray(model)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.choice(places) if chance.random() < 0.9 else chance.randrange(len(data))
        at = min(at, len(data) - 4)
        word = at & ~3
        kind = chance.randrange(9)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.randrange(256)
        elif kind == 2:
            struct.pack_into("<I", data, word, chance.choice(_INTEGERS))
        elif kind == 3:
            value = struct.unpack_from("<I", data, word)[0] + chance.randrange(-16, 17)
            struct.pack_into("<I", data, word, value & 0xFFFFFFFF)
        elif kind == 4:
            struct.pack_into("<f", data, word, chance.choice(_FLOATS))
        elif kind == 5:
            other = min(chance.choice(places), len(data) - 4) & ~3
            data[word : word + 4], data[other : other + 4] = data[other : other + 4], data[word : word + 4]
        elif kind == 6:
            other, size = min(chance.choice(places), len(data) - 4) & ~3, 4 * chance.randrange(1, 17)
            block = data[other : other + size]
            data[word : word + len(block)] = block
        elif kind == 7:
            data[at] = (data[at] + chance.choice((1, 255))) & 255
        elif chance.random() < 0.2:
            del data[chance.randrange(8, len(data)) :]
            data += bytes(max(0, 64 - len(data)))
        else:
            struct.pack_into("<H", data, at & ~1, chance.choice((0, 4, 6, 8, 12, 16, 0xFFFF)))
    return bytes(data[: len(model)])


def models(shared: Path) -> dict[str, bytes]:
    """Every real model at hand, by name."""
    found = [*sorted(shared.glob("*_models/*.tflite")), *sorted((ROOT / "tests").glob("*/data/*.tflite"))]
    found += sorted((ROOT / "models").rglob("*.tflite"), key=lambda path: (path.parent.name, path.name))
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


def campaign(count: int, seed: int, shared: Path, unverified: int = 0, keep: Path | None = None) -> dict[str, object]:
    """Run it; counts by outcome."""
    originals = models(shared)
    slow = {name: sum(verify_model(data, stateful=True).macs) > SLOW_MACS for name, data in originals.items()}
    places = {name: structure(data) for name, data in originals.items()}
    names = list(originals)
    workers = {runtime: Worker(runtime) for runtime in RUNTIMES}
    outcomes = {runtime: Counter[str]() for runtime in RUNTIMES}
    made, verified_s, began = Counter[str](), 0.0, time.monotonic()
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        mutant = mutate(originals[name], places[name], chance)
        if mutant == originals[name]:
            made["unchanged"] += 1
        started = time.perf_counter()
        try:
            if number >= unverified:
                verify_model(mutant, stateful=True)
            accepted = True
        except ModelError:
            accepted = False
        verified_s += time.perf_counter() - started
        made["accepted" if accepted else "refused"] += 1
        if accepted:
            for worker in workers.values():
                worker.send(mutant, slow[name] and number % 16 != 0)
            for runtime, worker in workers.items():
                outcome = worker.answer()
                outcomes[runtime][outcome] += 1
                if keep is not None and outcome in ("crashed", "hung"):
                    (keep / f"{seed}-{number}-{runtime}-{outcome}.tflite").write_bytes(mutant)
        if number % 1000 == 999:
            print(f"{number + 1} mutants, {time.monotonic() - began:.0f} s, {dict(made)}", file=sys.stderr, flush=True)
    for worker in workers.values():
        worker.stop()
    return {
        "models": len(originals),
        "mutants": count,
        "seed": seed,
        **made,
        "verify_ms": round(1000 * verified_s / max(1, count), 3),
        "runtimes": {runtime: dict(found) for runtime, found in outcomes.items()},
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--unverified", type=int, default=0, help="so many mutants go to the runtimes unseen")
    parser.add_argument("--keep", type=Path, help="folder for mutants that crash a runtime")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = campaign(options.count, options.seed, options.shared, options.unverified, options.keep)
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['mutants']} mutants of {result['models']} models: {result.get('accepted', 0)} accepted,", end=" ")
    print(f"{result.get('refused', 0)} refused; {result['verify_ms']} ms each")
    for runtime, outcomes in result["runtimes"].items():  # type: ignore[attr-defined]
        print(f"  {runtime:15} " + ", ".join(f"{what} {n}" for what, n in sorted(outcomes.items())))


if __name__ == "__main__":
    main()
