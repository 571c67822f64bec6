"""`thermo-host keygen`: a key pair to sign bundles with."""

from pathlib import Path
from typing import Annotated

import typer

from thermo_host.commands.common import JsonOption, Output
from thermo_host.keys import generate_key_pair


def command(
    path: Annotated[Path, typer.Argument(metavar="NAME", help="Name of the pair: NAME.pem and NAME.pub.pem.")],
    as_json: JsonOption = False,
) -> None:
    """Make an Ed25519 key pair; existing files are never overwritten.

    Sign bundles with the private key and keep it off the devices; they get the public key, see `thermo-device run`.
    """
    output = Output(as_json)
    pair = generate_key_pair(path)
    data = {"private": str(pair.private), "public": str(pair.public), "key_sha256": pair.key_hash.hex()}
    words = (
        f"Private key {pair.private}: sign with it, show it to nobody.\n"
        f"Public key {pair.public}: goes to the devices.\n"
        f"SHA-256 {pair.key_hash.hex()}"
    )
    output.result(data, words)
