"""`thermo-quantize firmware`: a bundle as C sources, or compiled as a container; with --sign, what was built for a bootloader."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.files import make_folder, read_file, refuse_overwriting, write_file, write_files
from thermo_quantize.compiler.targets import TARGETS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from thermo_quantize.firmware import Firmware


def firmware_command(
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the C files, made where it is missing; with --sign or --container the file to write."
        ),
    ],
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
    sign: Annotated[
        list[Path] | None,
        typer.Option(help="Sign this firmware instead: slot_a.elf, then once more slot_b.elf, of make update."),
    ] = None,
    container: Annotated[
        bool,
        typer.Option(
            "--container",
            help="Write one file instead: the bundle's networks, graph and profile compiled, with golden vectors, to run from any address.",
        ),
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="With --sign: private key for firmware (PEM). With --container: for models; signs it."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="With --sign: version, as 1.2.3 or 1.2.3+4. A container has its bundle's.")
    ] = None,
    board: Annotated[str | None, typer.Option(help="With --sign: the board, as mps2-an386.")] = None,
    loader: Annotated[
        Path | None,
        typer.Option(help="With --sign: loader.elf of make update, to be flashed onto boards that have none."),
    ] = None,
    counter: Annotated[
        int, typer.Option(min=0, max=0xFFFFFFFF, help="With --sign: security counter; lower ones are refused after it.")
    ] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files of that name in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write a wearable as C11 for the firmware: a signed bundle's networks, graph and profile, or sensors alone.

    With --sign, sign the firmware that was built of it, for both slots of a board with a bootloader.
    """
    from thermo_quantize.compiler.report import report

    if sign:
        if bundle is not None or wearable is not None or public_key is not None or container:
            raise UsageError(
                "--sign takes a firmware that is built already; leave out bundle, --wearable, --public-key and --container."
            )
        _sign(sign, loader, key, version, board, counter, out, force, as_json)
        return
    if loader is not None:
        raise UsageError("--loader belongs to --sign; name what to sign with it.")
    if container:
        if wearable is not None or version is not None or board is not None:
            raise UsageError("--container takes a signed bundle; leave out --wearable, --version and --board.")
        _container(bundle, public_key, target, key, counter, out, force, as_json)
        return
    if key is not None or version is not None or board is not None or counter:
        raise UsageError("--key, --version, --board and --counter belong to --sign; name what to sign with it.")

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


def _container(
    bundle: Path | None,
    public_key: Path | None,
    target: str,
    key: Path | None,
    counter: int,
    out: Path,
    force: bool,
    as_json: bool,
) -> None:
    from thermo_core.firmware.signed import sign
    from thermo_core.image import verify
    from thermo_quantize import keys
    from thermo_quantize.container.build import build

    image = verify(*_signed(bundle, public_key))
    made = build(image, target)
    data = made.data
    if key is not None:
        data = sign(data, image.version, keys.private_key(key), counter=counter)
    elif counter:
        raise UsageError("A security counter stands in a signed image; name the key with --key.")
    refuse_overwriting({out: data}, force)
    write_file(out, data)
    if as_json:
        result = {
            "file": str(out),
            "version": str(image.version),
            "target": target,
            "bytes": len(data),
            "arena_bytes": made.arena_bytes,
            "room_bytes": made.room_bytes,
            "relocations": made.relocations,
            "signed": key is not None,
        }
        print(json.dumps(result))
        return
    how = "signed" if key is not None else "not signed"
    print(
        f"{out}: {len(made.networks)} network{'s' * (len(made.networks) > 1)} of {image.version} for {target}, {len(data)} bytes, "
        f"{how}, memory {made.room_bytes} bytes"
    )


def _signed(bundle: Path | None, public_key: Path | None) -> tuple[bytes, list["Ed25519PublicKey"]]:
    """A signed bundle's bytes, and who must have signed it."""
    from thermo_core.firmware import companions
    from thermo_quantize import keys

    if bundle is None:
        raise UsageError("There is nothing to build; name a signed bundle, or a wearable with --wearable.")
    if public_key is None:
        raise UsageError("A bundle needs --public-key, the key that must have signed it.")
    return companions.split(read_file(bundle))[0], [keys.public_key(public_key)]


def _sign(
    programs: list[Path],
    loader: Path | None,
    key: Path | None,
    version: str | None,
    board: str | None,
    counter: int,
    out: Path,
    force: bool,
    as_json: bool,
) -> None:
    from thermo_core.firmware.archive import SLOTS, unpack
    from thermo_core.image import Version
    from thermo_quantize import keys
    from thermo_quantize.linked import read_elf
    from thermo_quantize.sign_firmware import sign_firmware

    if key is None or version is None or board is None:
        given = (("--key", key), ("--version", version), ("--board", board))
        raise UsageError(f"--sign needs {', '.join(name for name, value in given if value is None)} too; add it.")
    if len(programs) != SLOTS:
        raise UsageError("A board has two slots; give --sign slot_a.elf --sign slot_b.elf.")
    linked = [read_elf(read_file(path), str(path)) for path in programs]
    first = None if loader is None else read_elf(read_file(loader), str(loader))
    data = sign_firmware(linked, board, Version.parse(version), keys.private_key(key), counter, first)
    refuse_overwriting({out: data}, force)
    write_file(out, data)
    firmware = unpack(data)
    sizes = [len(image) for image in firmware.data]
    if as_json:
        hashes = [image.sha512.hex() for image in firmware.images]
        result = {
            "file": str(out),
            "board": board,
            "version": version,
            "counter": counter,
            "bytes": sizes,
            "sha512": hashes,
        }
        print(json.dumps(result))
        return
    behind = "" if firmware.loader is None else f", behind a bootloader of {len(firmware.loader.data)} bytes"
    print(f"{out}: firmware {firmware.version} for {board}, {sizes[0]} bytes in slot 0 or {sizes[1]} in slot 1{behind}")


def _made(bundle: Path | None, public_key: Path | None, wearable: str | None, target: str, name: str) -> "Firmware":
    from thermo_core.wearable import file, library
    from thermo_quantize.firmware import generate, generate_bare

    if wearable is not None:
        if bundle is not None or public_key is not None:
            raise UsageError("--wearable builds without a bundle; leave out the bundle and --public-key.")
        return generate_bare(file.read(library.resolve(wearable)).profile, name)
    data, (key,) = _signed(bundle, public_key)
    return generate(data, key, target, name)
