"""`thermo-quantize sign`: a signed bundle of a model, its profile, contract and card, or of a bundle that is signed already."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from thermo_core.errors import AccuracyDropError, UsageError
from thermo_quantize.files import read_file, read_json, read_text, refuse_overwriting, write_file

_MAX_REPORT = 64 << 20


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
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace what --out names, and sign a model whose accuracy gate failed; the bundle says so."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a signed bundle of a model, or sign a shipped bundle with a key of your own."""
    from thermo_core.image import Version
    from thermo_quantize import keys
    from thermo_quantize.sign import resign, sign_bundle

    if folder is not None:
        model, profile = model or folder / "model.tflite", profile or folder / "profile.json"
        contract, card = contract or folder / "contract.json", card or folder / "CARD.md"
    parts = {"--model": model, "--profile": profile, "--contract": contract, "--card": card}
    inputs = {**parts, "--key": key, "--resign": resign_image, "--public-key": public_key}
    for name, path in inputs.items():
        if path is not None and out.exists() and path.exists() and out.samefile(path):
            raise UsageError(f"--out {out} is what {name} names, which would be lost; name another file.")
    new_version = None if version is None else Version.parse(version)
    private = keys.private_key(key)
    if resign_image is not None:
        given = [name for name, path in parts.items() if path is not None]
        if given:
            raise UsageError(f"--resign takes the bundle as it is; leave out {', '.join(given)}.")
        if public_key is None:
            raise UsageError("--resign needs --public-key, the key that signed the bundle, to check it first.")
        signed = resign(read_file(resign_image), keys.public_key(public_key), private, new_version)
    else:
        missing = [name for name, path in parts.items() if path is None] + ["--version"] * (new_version is None)
        if model is None or profile is None or contract is None or card is None or new_version is None:
            raise UsageError(f"A new bundle needs {', '.join(missing)} too; add it, or use --resign.")
        if public_key is not None:
            raise UsageError("--public-key belongs to --resign; leave it out.")
        content = read_file(model)
        waived = _waived(model, content, force)
        signed = sign_bundle(
            content, read_json(profile), read_json(contract), read_text(card), new_version, private, waived
        )
    refuse_overwriting({out: signed.data}, force)
    write_file(out, signed.data)
    bundle = signed.bundle
    facts: dict[str, Any] = {
        "out": str(out),
        "bytes": len(signed.data),
        "profile": bundle.profile.name,
        "version": str(signed.version),
        "sha256": signed.sha256.hex(),
        "key_sha256": signed.key_hash.hex(),
        "waived": list(bundle.waived),
    }
    for sentence in bundle.waived:
        print(f"Signed all the same, as the bundle says: {sentence}", file=sys.stderr)
    if as_json:
        print(json.dumps(facts))
    else:
        print(
            f"{out}: {bundle.profile.name} {signed.version}, {len(signed.data)} bytes, "
            f"image {signed.sha256.hex()[:16]}, key {signed.key_hash.hex()[:16]}"
        )


def _waived(model: Path, content: bytes, force: bool) -> tuple[str, ...]:
    """What the report beside the model, where it is of this very model, says against signing it.

    Raises:
        AccuracyDropError: its accuracy gate failed, and nobody insists.
        UsageError: the report cannot be read.
    """
    import hashlib

    path = model.with_name("report.json")
    if not path.exists():
        return ()
    report = read_json(path, _MAX_REPORT)
    try:
        assert isinstance(report, dict)
        own = report["model"]["sha256"] == hashlib.sha256(content).hexdigest()
        evaluation = report["evaluation"]
        failed = own and evaluation is not None and not evaluation["passed"]
    except (AssertionError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no report of thermo-quantize quantize; remove it, or quantise again.") from error
    if not failed:
        return ()
    lost = (
        f"the {report['scheme']} model lost {evaluation['drop']:.2f} points of {evaluation['float']['metric']} and might lose "
        f"{evaluation['max_drop']:g}"
    )
    if not force:
        raise AccuracyDropError(
            f"{path} says that {lost}, so quantise it otherwise, or add --force, which the bundle then says."
        )
    return (f"In quantisation {lost}.",)
