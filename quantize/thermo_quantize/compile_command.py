"""`thermo-quantize compile`: a quantised .tflite model as C11 for a microcontroller."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.files import make_folder, read_file, refuse_overwriting, write_files
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.compiler.flash import code_bytes
from thermo_quantize.compiler.report import render, report
from thermo_quantize.compiler.targets import TARGETS


def compile_command(
    model: Annotated[Path, typer.Argument(help="Quantised .tflite model: int8, or int16 activations.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.h and NAME.c; made where it is missing.")],
    target: Annotated[str, typer.Option(help=f"Processor: {', '.join(TARGETS)}.")] = "generic",
    name: Annotated[
        str | None, typer.Option(help="Prefix of files and functions (default: the model's file name).")
    ] = None,
    bench: Annotated[bool, typer.Option("--bench", help="Also write NAME_engine.c for mcu_bench.")] = False,
    show_report: Annotated[
        bool,
        typer.Option(
            "--report", help="Print products, memory, constants and estimated instructions by layer, and flash."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files of that name in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compile a model to C11: exactly the reference kernels' numbers, no interpreter, no heap."""
    data = read_file(model)
    chosen = name if name is not None else re.sub(r"\W", "_", model.stem, flags=re.ASCII)
    compiled = compile_model(data, chosen, target, bench)
    files = {out / file: text.encode() for file, text in compiled.files.items()}
    refuse_overwriting(files, force)
    make_folder(out)
    write_files(files)
    facts = report(compiled, code_bytes(compiled) if show_report else None)
    written = [str(path) for path in files]
    if as_json:
        print(json.dumps({"files": written, "target": target, **facts}))
        return
    for note in facts["notes"]:
        typer.echo(f"Note: {note}", err=True)
    if show_report:
        print(render(facts))
    print(
        f"{', '.join(written)}: arena {facts['arena_bytes']} bytes (lower bound {facts['arena_lower_bound_bytes']}), "
        f"constants {facts['constant_bytes']} bytes, target {target}"
    )
