"""Compiled models run here and emulated, and the reference kernels they are held against."""

import ctypes
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from processors import MICROBIT

from thermo_core.tflite.reader import read_model
from thermo_quantize.compiler.compile import compile_model

STRICT = "-O1 -fsanitize=undefined -fno-sanitize-recover=all"
"""Flags under which undefined behaviour ends the process."""


def reference(model: bytes, inputs: NDArray[Any], resets: Sequence[int] = ()) -> list[NDArray[Any]]:
    """Flat outputs of BUILTIN_REF, (n, size) for each output, of inputs (n, ...); states are cleared before runs `resets`."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    sinks = interpreter.get_output_details()
    results: list[list[NDArray[Any]]] = [[] for _ in sinks]
    for number, sample in enumerate(inputs):
        if number in resets:
            interpreter.reset_all_variables()
        interpreter.set_tensor(source["index"], sample.reshape(source["shape"]))
        interpreter.invoke()
        for collected, sink in zip(results, sinks, strict=True):
            collected.append(interpreter.get_tensor(sink["index"]).ravel().copy())
    return [np.stack(collected) for collected in results]


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


def _output_type(header: str, name: str) -> Any:
    """The type of a compiled model's outputs."""
    return np.dtype(_found(rf"const (\w+)_t \*{name}_output\(", header))


def host_run(
    files: dict[str, str],
    name: str,
    inputs: NDArray[Any],
    folder: Path,
    flags: str = "-O1",
    compiler: str = "gcc",
    resets: Sequence[int] = (),
) -> NDArray[Any]:
    """Outputs (n, size) of C files on inputs (n, size), compiled with this machine's compiler as strictly as it can."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    library = folder / f"{name}.so"
    strict = "-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -shared -fPIC"
    command = [compiler, *strict.split(), *flags.split(), "-o", str(library), str(folder / f"{name}.c"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    loaded = ctypes.CDLL(str(library))
    header = files[f"{name}.h"]
    size, kind = int(_found(rf"{name.upper()}_OUTPUT_ELEMENTS (\d+)", header)), _output_type(header, name)
    source, sink = getattr(loaded, f"{name}_input"), getattr(loaded, f"{name}_output")
    source.restype = sink.restype = ctypes.c_void_p
    results = []
    for number, sample in enumerate(inputs.reshape(len(inputs), -1)):
        if number in resets:
            getattr(loaded, f"{name}_reset")()
        ctypes.memmove(source(), np.ascontiguousarray(sample).ctypes.data, sample.nbytes)
        getattr(loaded, f"{name}_invoke")()
        results.append(np.frombuffer(ctypes.string_at(sink(), size * kind.itemsize), kind).copy())
    return np.stack(results)


_BOARDS = {
    "m0plus": ("-mcpu=cortex-m0plus", MICROBIT, "0x00000000", "0x20000000", "4M"),
    "m4": ("-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard", "mps2-an386", "0x00000000", "0x20000000", "4M"),
    "m7": ("-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard", "mps2-an500", "0x00000000", "0x20000000", "4M"),
    "m33": ("-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard", "mps2-an505", "0x10000000", "0x38000000", "4M"),
    "m55": ("-mcpu=cortex-m55 -mfloat-abi=hard", "mps3-an547", "0x10000000", "0x31000000", "512K"),
}


@dataclass(frozen=True)
class Emulated:
    """A model to run on an emulated board: its C files, their name, inputs (n, size), and the runs before which to reset."""

    files: dict[str, str]
    name: str
    inputs: NDArray[Any]
    resets: Sequence[int] = ()


def emulate(models: list[Emulated], cpu: str, folder: Path, flags: str = "-O2") -> list[NDArray[Any]]:
    """Outputs (n, size) of each model on an emulated Cortex-M, all of them in one go."""
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).resolve().parents[1] / "quantize/emulator"
    core, machine, flash, ram, flash_size = _BOARDS[cpu]
    main = ["#include <stdint.h>", "#include <string.h>", "void say(const char *text);"]
    calls = []
    for model in models:
        for file, text in model.files.items():
            (folder / file).write_text(text)
        count = len(model.inputs)
        rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in model.inputs.reshape(count, -1).tolist())
        size = model.inputs.size // count
        main.append(f'#include "{model.name}.h"')
        width = model.inputs.dtype.itemsize
        main.append(f"static const {model.inputs.dtype}_t {model.name}_data[{count}][{size}] = {{{rows}}};")
        upper = model.name.upper()
        reset = "".join(f"if (i == {run}) {{ {model.name}_reset(); }} " for run in model.resets)
        calls.append(
            f"for (int i = 0; i < {count}; i++) {{ {reset}memcpy({model.name}_input(), {model.name}_data[i], {size * width}); "
            f"{model.name}_invoke(); "
            f"show({model.name}_output(), {upper}_OUTPUT_ELEMENTS * (int)sizeof *{model.name}_output()); }}"
        )
    main.append(
        'static void show(const void *from, int count) { const int8_t *at = from; static const char digits[] = "0123456789abcdef"; char text[3] = {0};'
        " for (int i = 0; i < count; i++) { text[0] = digits[(at[i] >> 4) & 15]; text[1] = digits[at[i] & 15]; say(text); }"
        ' say("\\n"); }'
    )
    main.append("int main(void) { " + " ".join(calls) + " return 0; }")
    (folder / "main.c").write_text("\n".join(main))
    strict = "-std=c11 -mthumb -Wall -Wextra -Wshadow -Werror -ffunction-sections -fdata-sections"
    sources = [str(folder / f"{model.name}.c") for model in models]
    link = f"-nostartfiles --specs=nano.specs -Wl,--gc-sections,--no-warn-rwx-segments -T {folder / 'link.ld'}"
    script = (here / "link.ld").read_text()
    for word, value in (("FLASH_AT", flash), ("RAM_AT", ram), ("FLASH_SIZE", flash_size)):
        script = script.replace(f"= {word}", f"= {value}")
    (folder / "link.ld").write_text(script)
    command = (
        f"arm-none-eabi-gcc {core} {strict} {flags} -I{folder} -o {folder}/test.elf {here}/start.c {folder}/main.c"
    )
    done = subprocess.run(
        [*command.split(), *sources, *link.split(), "-lm"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:3000]
    run = f"qemu-system-arm -M {machine} -nographic -monitor none -serial none -kernel {folder}/test.elf"
    config = ["-semihosting-config", "enable=on,target=native"]
    done = subprocess.run([*run.split(), *config], capture_output=True, text=True, check=False)
    rows_out = [bytes.fromhex(line) for line in (done.stdout + done.stderr).split()]
    results, at = [], 0
    for model in models:
        taken = rows_out[at : at + len(model.inputs)]
        at += len(taken)
        kind = _output_type(model.files[f"{model.name}.h"], model.name)
        results.append(np.array([np.frombuffer(row, kind) for row in taken]))
    return results


def made_of(model: bytes) -> list[str]:
    """Names of its operators, in order."""
    return [operator.name for operator in read_model(model).operators]


def check_on_host(
    models: Callable[[int], Any], folder: Path, seed: int, layers: list[str], samples: int, flags: str = STRICT
) -> None:
    """A random model of these layers gives here what the reference kernels give, to the bit.

    Args:
        models: makes a source of random models of a seed.
        folder: for what is compiled.
        seed: of model and inputs.
        layers: of the model.
        samples: that it is run on.
        flags: of the compiler.
    """
    random = models(seed)
    model, shape = random.build(layers)
    inputs = random.inputs(shape, samples)
    [expected] = reference(model, inputs)
    got = host_run(compile_model(model, "net").files, "net", inputs, folder / str(seed), flags)
    assert got.dtype == expected.dtype
    assert np.array_equal(got, expected), (seed, made_of(model), shape)


def check_emulated(
    models: Callable[[int], Any], folder: Path, cpu: str, plans: Iterable[tuple[int, list[str]]], samples: int
) -> None:
    """Random models of seeds and layers give on an emulated processor what the reference kernels give, to the bit."""
    made, expected, names = [], [], []
    for number, (seed, layers) in enumerate(plans):
        random = models(seed)
        model, shape = random.build(layers)
        inputs = random.inputs(shape, samples)
        expected.append(reference(model, inputs)[0])
        made.append(Emulated(compile_model(model, f"net{number}", cpu).files, f"net{number}", inputs))
        names.append((seed, made_of(model), shape))
    for got, wanted, name in zip(emulate(made, cpu, folder), expected, names, strict=True):
        assert np.array_equal(got, wanted), name
