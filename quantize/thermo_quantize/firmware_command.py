"""`thermo-quantize firmware`: a signed bundle as the C sources that the microcontroller's firmware is built with."""

import json
from pathlib import Path
from typing import Annotated

import typer

from thermo_quantize.compiler.targets import TARGETS
from thermo_quantize.files import make_folder, read_file, refuse_overwriting, write_files


def firmware_command(
    bundle: Annotated[Path, typer.Argument(help="Signed bundle (bundle.img).")],
    out: Annotated[Path, typer.Option(help="Folder for the C files; made where it is missing.")],
    public_key: Annotated[Path, typer.Option(help="Public key that must have signed the bundle (PEM).")],
    target: Annotated[str, typer.Option(help=f"Processor: {', '.join(TARGETS)}.")] = "generic",
    name: Annotated[str, typer.Option(help="Prefix of files and symbols.")] = "wearable",
    force: Annotated[bool, typer.Option("--force", help="Replace files of that name in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Verify a signed bundle and write its networks, graph and profile as C11 for the firmware."""
    from thermo_quantize import keys
    from thermo_quantize.compiler.report import report
    from thermo_quantize.firmware import generate

    made = generate(read_file(bundle), keys.public_key(public_key), target, name)
    files = {out / file: text.encode() for file, text in made.files.items()}
    refuse_overwriting(files, force)
    make_folder(out)
    write_files(files)
    written = [str(path) for path in files]
    result = {
        "files": written,
        "profile": made.profile.name,
        "version": str(made.image.version),
        "sha256": made.image.sha256.hex(),
        "target": target,
        "memory_bytes": made.graph.placement.bytes,
        "arena_bytes": {name: compiled.plan.size for name, compiled in made.networks.items()},
        "constant_bytes": sum(report(compiled)["constant_bytes"] for compiled in made.networks.values()),
    }
    if as_json:
        print(json.dumps(result))
        return
    print(
        f"{', '.join(written)}: {result['profile']} {result['version']}, image {result['sha256'][:16]}, "
        f"memory of signals, stages and networks {result['memory_bytes']} bytes, constants {result['constant_bytes']} bytes, "
        f"target {target}"
    )
