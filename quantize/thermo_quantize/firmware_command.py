"""`thermo-quantize firmware`: a signed bundle as the C sources that the microcontroller's firmware is built with."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.files import make_folder, read_file, refuse_overwriting, write_files
from thermo_quantize.compiler.targets import TARGETS

if TYPE_CHECKING:
    from thermo_quantize.firmware import Firmware


def firmware_command(
    out: Annotated[Path, typer.Option(help="Folder for the C files; made where it is missing.")],
    bundle: Annotated[Path | None, typer.Argument(help="Signed bundle (bundle.img).")] = None,
    public_key: Annotated[Path | None, typer.Option(help="Public key that must have signed the bundle (PEM).")] = None,
    wearable: Annotated[
        str | None,
        typer.Option(
            help="Instead of a bundle: a name that comes with thermo-edge, a wearable.toml, or its folder. Its sensors, and the "
            "stages that rest on them alone."
        ),
    ] = None,
    target: Annotated[str, typer.Option(help=f"Processor: {', '.join(TARGETS)}.")] = "generic",
    name: Annotated[str, typer.Option(help="Prefix of files and symbols.")] = "wearable",
    force: Annotated[bool, typer.Option("--force", help="Replace files of that name in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write a wearable as C11 for the firmware: a signed bundle's networks, graph and profile, or sensors alone."""
    from thermo_quantize.compiler.report import report

    made = _made(bundle, public_key, wearable, target, name)
    files = {out / file: text.encode() for file, text in made.files.items()}
    refuse_overwriting(files, force)
    make_folder(out)
    write_files(files)
    written = [str(path) for path in files]
    result = {
        "files": written,
        "profile": made.profile.name,
        "version": made.profile.version if made.image is None else str(made.image.version),
        "sha256": None if made.image is None else made.image.sha256.hex(),
        "target": target,
        "memory_bytes": made.graph.placement.bytes,
        "arena_bytes": {name: compiled.plan.size for name, compiled in made.networks.items()},
        "constant_bytes": sum(report(compiled)["constant_bytes"] for compiled in made.networks.values()),
    }
    if as_json:
        print(json.dumps(result))
        return
    origin = "no bundle" if made.image is None else f"image {made.image.sha256.hex()[:16]}"
    print(
        f"{', '.join(written)}: {result['profile']} {result['version']}, {origin}, "
        f"memory of signals, stages and networks {result['memory_bytes']} bytes, constants {result['constant_bytes']} bytes, "
        f"target {target}"
    )


def _made(bundle: Path | None, public_key: Path | None, wearable: str | None, target: str, name: str) -> "Firmware":
    from thermo_core.wearable import file, library
    from thermo_quantize import keys
    from thermo_quantize.firmware import generate, generate_bare

    if wearable is not None:
        if bundle is not None or public_key is not None:
            raise UsageError("--wearable builds without a bundle; leave out the bundle and --public-key.")
        return generate_bare(file.read(library.resolve(wearable)).profile, name)
    if bundle is None:
        raise UsageError("There is nothing to build; name a signed bundle, or a wearable with --wearable.")
    if public_key is None:
        raise UsageError("A bundle needs --public-key, the key that must have signed it.")
    return generate(read_file(bundle), keys.public_key(public_key), target, name)
