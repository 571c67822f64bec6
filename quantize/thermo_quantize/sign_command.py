"""`thermo-quantize sign`: a signed bundle of a wearable and its networks, or of a bundle that is signed already."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thermo_core.errors import AccuracyDropError, UsageError
from thermo_core.files import read_file, read_json, read_text, refuse_overwriting, write_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from thermo_core.image import Version
    from thermo_core.wearable.file import Wearable
    from thermo_quantize.sign import Signed

_MAX_REPORT = 64 << 20


def sign_command(
    key: Annotated[Path, typer.Option(help="Private key that signs (PEM), made with thermo-host keygen.")],
    out: Annotated[Path, typer.Option(help="Signed bundle to write.")],
    wearable: Annotated[
        str | None, typer.Option(help="Wearable: a name that comes with thermo-edge, a wearable.toml, or its folder.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="Network of a model as MODEL=FILE.tflite, once a model; those the wearable names itself may be left out."
        ),
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="Card about its models (Markdown); the wearable's own else.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version of the bundle, as 1.2.3 or 1.2.3+4.")] = None,
    resign_image: Annotated[
        Path | None, typer.Option("--resign", help="Sign this bundle again instead of making one.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="With --resign: public key the bundle must be signed with now (PEM).")
    ] = None,
    container: Annotated[
        list[str] | None,
        typer.Option(
            help="Put in, too, what a microcontroller runs of it: m4, m0plus; once a processor. Needs gcc-arm-none-eabi."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace what --out names, and sign a model whose accuracy gate failed; the bundle says so."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a signed bundle of a wearable and its networks, or sign a shipped bundle with a key of your own."""
    from thermo_core.image import Version
    from thermo_quantize import keys
    from thermo_quantize.sign import resign

    new_version = None if version is None else Version.parse(version)
    _keep({"--key": key, "--resign": resign_image, "--public-key": public_key}, out)
    private = keys.private_key(key)
    if resign_image is not None:
        given = {"--wearable": wearable, "--network": network, "--card": card}
        if extra := [name for name, value in given.items() if value]:
            raise UsageError(f"--resign takes the bundle as it is; leave out {', '.join(extra)}.")
        if public_key is None:
            raise UsageError("--resign needs --public-key, the key that signed the bundle, to check it first.")
        signed = resign(read_file(resign_image), keys.public_key(public_key), private, new_version)
    else:
        if wearable is None or new_version is None:
            missing = ["--wearable"] * (wearable is None) + ["--version"] * (new_version is None)
            raise UsageError(f"A new bundle needs {', '.join(missing)} too; add it, or use --resign.")
        if public_key is not None:
            raise UsageError("--public-key belongs to --resign; leave it out.")
        signed = _new(wearable, network or (), card, new_version, private, out, force)
    data, containers = _with_containers(signed, private, container or ())
    refuse_overwriting({out: data}, force)
    write_file(out, data)
    _say(signed, out, containers, as_json)


def _with_containers(
    signed: "Signed", key: "Ed25519PrivateKey", targets: Sequence[str]
) -> tuple[bytes, dict[str, int]]:
    """The file's bytes, and those of each container in it."""
    if not targets:
        return signed.data, {}
    from thermo_core.firmware import companions
    from thermo_quantize.container.build import sign_containers

    if repeated := sorted({target for target in targets if targets.count(target) > 1}):
        raise UsageError(f"--container names {repeated[0]} twice; name each processor once.")
    made = sign_containers(signed.data, key, targets)
    return companions.join(signed.data, made.values()), {target: len(data) for target, data in made.items()}


def _new(
    name: str,
    given: Sequence[str],
    card: Path | None,
    version: "Version",
    key: "Ed25519PrivateKey",
    out: Path,
    force: bool,
) -> "Signed":
    from thermo_core.wearable import file, library
    from thermo_quantize.sign import sign_bundle

    wearable = file.read(library.resolve(name))
    wearable.plan()
    paths = _networks(wearable, given)
    about = card or wearable.card
    if about is None:
        raise UsageError(f"{wearable.path} names no card; give one about its models with --card FILE.md.")
    inputs = {f"the network of {model}": path for model, path in paths.items()}
    _keep({**inputs, "--wearable": wearable.path, "--card": about}, out)
    networks = {model: read_file(path) for model, path in paths.items()}
    waived = tuple(
        sentence for model, path in paths.items() for sentence in _waived(model, path, networks[model], force)
    )
    return sign_bundle(wearable.profile, networks, read_text(about), version, key, waived)


def _networks(wearable: "Wearable", given: Sequence[str]) -> dict[str, Path]:
    """Files by the names of models: the wearable's own, and those of the command line in their place."""
    names = [model.name for model in wearable.profile.models]
    found = dict(wearable.networks)
    seen: set[str] = set()
    for word in given:
        model, equals, path = word.partition("=")
        if not equals or not path:
            raise UsageError(f"--network {word} names no file; write MODEL=FILE.tflite.")
        if model not in names:
            known = f"its models are {', '.join(names)}" if names else "it has no models"
            raise UsageError(f'{wearable.path} has no model "{model}"; {known}.')
        if model in seen:
            raise UsageError(f"--network names {model} twice; give each model one network.")
        seen.add(model)
        found[model] = Path(path)
    if missing := [name for name in names if name not in found]:
        raise UsageError(
            f"{wearable.path} names no network for {', '.join(missing)}; add --network {missing[0]}=FILE.tflite."
        )
    return {name: found[name] for name in names}


def _keep(inputs: Mapping[str, Path | None], out: Path) -> None:
    """Refuse to write over what is read.

    Raises:
        UsageError: `out` is one of them.
    """
    for name, path in inputs.items():
        if path is not None and out.exists() and path.exists() and out.samefile(path):
            raise UsageError(f"--out {out} is what {name} names, which would be lost; name another file.")


def _say(signed: "Signed", out: Path, containers: Mapping[str, int], as_json: bool) -> None:
    bundle = signed.bundle
    facts: dict[str, Any] = {
        "out": str(out),
        "bytes": len(signed.data) + sum(containers.values()),
        "containers": dict(containers),
        "profile": bundle.profile.name,
        "models": [model.name for model in bundle.profile.models],
        "version": str(signed.version),
        "sha256": signed.sha256.hex(),
        "key_sha256": signed.key_hash.hex(),
        "waived": list(bundle.waived),
    }
    for sentence in bundle.waived:
        print(f"Signed all the same, as the bundle says: {sentence}", file=sys.stderr)
    if as_json:
        print(json.dumps(facts))
        return
    inside = f", with containers for {', '.join(containers)}" if containers else ""
    print(
        f"{out}: {bundle.profile.name} {signed.version}, {facts['bytes']} bytes{inside}, "
        f"image {signed.sha256.hex()[:16]}, key {signed.key_hash.hex()[:16]}"
    )


def _waived(model: str, path: Path, content: bytes, force: bool) -> tuple[str, ...]:
    """What the report beside a network, where it is of this very network, says against signing it.

    Raises:
        AccuracyDropError: its accuracy gate failed, and nobody insists.
        UsageError: the report cannot be read.
    """
    report_path = path.with_name("report.json")
    if not report_path.exists():
        return ()
    report = read_json(report_path, _MAX_REPORT)
    try:
        assert isinstance(report, dict)
        own = report["model"]["sha256"] == hashlib.sha256(content).hexdigest()
        evaluation = report["evaluation"]
        failed = own and evaluation is not None and not evaluation["passed"]
    except (AssertionError, KeyError, TypeError) as error:
        raise UsageError(
            f"{report_path} is no report of thermo-quantize quantize; remove it, or quantise again."
        ) from error
    if not failed:
        return ()
    lost = (
        f"the {report['scheme']} network of {model} lost {evaluation['drop']:.2f} points of {evaluation['float']['metric']} and "
        f"might lose {evaluation['max_drop']:g}"
    )
    if not force:
        raise AccuracyDropError(
            f"{report_path} says that {lost}, so quantise it otherwise, or add --force, which the bundle then says."
        )
    return (f"In quantisation {lost}.",)
