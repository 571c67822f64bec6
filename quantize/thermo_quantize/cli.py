"""`thermo-quantize`: from a trained network to a signed bundle; faults become one sentence and an exit code."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.image import Version, load_private_key, load_public_key
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_quantize import commands
from thermo_quantize.compile_command import compile_command
from thermo_quantize.files import read_file, read_json, read_text, write_file
from thermo_quantize.firmware_command import firmware_command
from thermo_quantize.sign import Signed, resign, sign_bundle

_CODES = (
    ExitCode.OK,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.IMAGE,
    ExitCode.FILE,
    ExitCode.ACCURACY,
    ExitCode.INTERRUPTED,
)
_EPILOG = "Exit codes:\n\n" + "\n\n".join(meanings(_CODES))
_MAX_PEM = 64 << 10


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thermo-quantize {software_version()}")
        raise typer.Exit


app = typer.Typer(
    name="thermo-quantize",
    help="Quantise, check and sign models for thermo-edge wearables.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Quantise, check and sign models for thermo-edge wearables."""


for _command in (commands.quantize, commands.evaluate, commands.compare, commands.inspect, commands.verify):
    app.command()(_command)
app.command("compile")(compile_command)
app.command("firmware")(firmware_command)


@app.command("sign")
def sign_command(
    key: Annotated[Path, typer.Option(help="Private key that signs (PEM), made with thermo-host keygen.")],
    out: Annotated[Path, typer.Option(help="Signed bundle to write.")],
    folder: Annotated[
        Path | None, typer.Option("--from", help="Folder with model.tflite, contract.json, profile.json and CARD.md.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Quantised .tflite model.")] = None,
    profile: Annotated[Path | None, typer.Option(help="Profile of the wearable (JSON).")] = None,
    contract: Annotated[Path | None, typer.Option(help="Meaning of input and output numbers (JSON).")] = None,
    card: Annotated[Path | None, typer.Option(help="Model card (Markdown).")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the bundle, as 1.2.3 or 1.2.3+4.")] = None,
    resign_image: Annotated[
        Path | None, typer.Option("--resign", help="Sign this bundle again instead of making one.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="With --resign: public key the bundle must be signed with now (PEM).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a signed bundle of a model, or sign a shipped bundle with a key of your own."""
    if folder is not None:
        model, profile = model or folder / "model.tflite", profile or folder / "profile.json"
        contract, card = contract or folder / "contract.json", card or folder / "CARD.md"
    parts = {"--model": model, "--profile": profile, "--contract": contract, "--card": card}
    new_version = None if version is None else Version.parse(version)
    private = load_private_key(_pem(key))
    if resign_image is not None:
        given = [name for name, path in parts.items() if path is not None]
        if given:
            raise UsageError(f"--resign takes the bundle as it is; leave out {', '.join(given)}.")
        if public_key is None:
            raise UsageError("--resign needs --public-key, the key that signed the bundle, to check it first.")
        signed = resign(read_file(resign_image), load_public_key(_pem(public_key)), private, new_version)
    else:
        missing = [name for name, path in parts.items() if path is None] + ["--version"] * (new_version is None)
        if model is None or profile is None or contract is None or card is None or new_version is None:
            raise UsageError(f"A new bundle needs {', '.join(missing)} too; add it, or use --resign.")
        if public_key is not None:
            raise UsageError("--public-key belongs to --resign; leave it out.")
        signed = sign_bundle(
            read_file(model), read_json(profile), read_json(contract), read_text(card), new_version, private
        )
    write_file(out, signed.data)
    _report(signed, out, as_json)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ends the process with an exit code."""
    _open_missing_streams()
    try:
        try:
            app(arguments)
        finally:
            sys.stdout.flush()
    except ThermoError as error:
        print(f"thermo-quantize: {clean(str(error))}", file=sys.stderr)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        # Nobody reads on, or there is no room; what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.ENOSPC:
            print(f"thermo-quantize: Standard output takes no more ({error.strerror}).", file=sys.stderr)
            sys.exit(ExitCode.FILE)


def _open_missing_streams() -> None:
    """Give the process outputs where its parent closed them, lest a model that is opened becomes descriptor 1."""
    if sys.stdout is None or sys.stderr is None:
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
        sys.stdout = sys.stdout or os.fdopen(1, "w")
        sys.stderr = sys.stderr or os.fdopen(2, "w")


def _pem(path: Path) -> bytes:
    return read_file(path, _MAX_PEM)


def _report(signed: Signed, out: Path, as_json: bool) -> None:
    facts = {
        "out": str(out),
        "bytes": len(signed.data),
        "profile": signed.bundle.profile.name,
        "version": str(signed.version),
        "sha256": signed.sha256.hex(),
        "key_sha256": signed.key_hash.hex(),
    }
    if as_json:
        print(json.dumps(facts))
    else:
        print(
            f"{out}: {signed.bundle.profile.name} {signed.version}, {len(signed.data)} bytes, "
            f"image {signed.sha256.hex()[:16]}, key {signed.key_hash.hex()[:16]}"
        )
