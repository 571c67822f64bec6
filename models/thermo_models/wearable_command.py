"""`thermo-models wearable`: begin a wearable, check its file, show its graph, print the schema of such files."""

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thermo_core.errors import UsageError

if TYPE_CHECKING:
    from thermo_core.graph.plan import Plan
    from thermo_core.wearable.file import Wearable

app = typer.Typer(
    help="Wearables as files: begin one, check it, show its graph.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Which = Annotated[
    str, typer.Argument(metavar="FILE", help="A wearable.toml, its folder, or a name that comes with thermo-edge.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the wearable: lower-case letters, digits, - and _.")],
    out: Annotated[Path | None, typer.Option(help="Folder to make; ./NAME by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a wearable.toml that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a wearable.toml to begin with: two thermistors, a stage, an alert, and what else there can be."""
    from thermo_core.errors import SchemaError
    from thermo_core.files import make_folder, refuse_overwriting, write_file
    from thermo_core.schema import Name, from_plain
    from thermo_core.wearable.library import FILE_NAME

    try:
        from_plain(name, Name, "The name")
    except SchemaError as error:
        raise UsageError(str(error)) from error
    folder = out or Path(name)
    path = folder / FILE_NAME
    text = resources.files("thermo_models").joinpath("wearable_template.toml").read_text(encoding="utf-8")
    content = text.replace("NAME", name).encode()
    refuse_overwriting({path: content}, force)
    make_folder(folder)
    write_file(path, content)
    if as_json:
        print(json.dumps({"file": str(path)}))
        return
    print(f"{path}: change it, then `thermo-models wearable check {folder}`.")


@app.command()
def check(
    wearable: Which,
    board: Annotated[
        str, typer.Option(help="Also estimate what it draws on this board: nrf52840 or stm32l476.", show_default=False)
    ] = "",
    battery_mah: Annotated[float, typer.Option(help="Charge of the battery, mAh.", min=1, max=1e6)] = 200.0,
    duty: Annotated[
        float, typer.Option(help="Share of the time in which it measures; sensors are off for the rest.", min=0, max=1)
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Whether a wearable fits together, and its networks with it; what does not is named by line and field."""
    from thermo_core.sensors.bus_load import overload
    from thermo_models.energy_text import estimate, facts, sentences
    from thermo_models.wearable_text import bus_sentence, bus_share

    found, plan, networks = _opened(wearable)
    untrained = [model.name for model in found.profile.models if model.name not in networks]
    if too_much := overload(found.profile.sensors):
        raise UsageError(f"{found.path}: {too_much}.")
    energy = estimate(found, plan, networks, board) if board else None
    profile = found.profile
    counts = {name: len(getattr(profile, name)) for name in ("sensors", "stages", "models", "alerts")}
    if as_json:
        told = {
            "file": str(found.path),
            "name": profile.name,
            **counts,
            "untrained": untrained,
            "bus_share": bus_share(plan),
        }
        if energy is not None:
            told["energy"] = facts(energy, battery_mah, duty)
        print(json.dumps(told))
        return
    said = ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in counts.items())
    print(f"{found.path}: {profile.name} {profile.version} fits together: {said}.")
    for sentence in bus_sentence(plan):
        print(sentence)
    if untrained:
        print(f'It has no network yet for {", ".join(untrained)}; name one as network = "FILE.tflite" to sign it.')
    if energy is not None:
        print("\n".join(["", *sentences(energy, battery_mah, duty)]))


@app.command()
def show(
    wearable: Which,
    target: Annotated[
        str, typer.Option(help="Processor that costs are told for, as `thermo-quantize compile` has it.")
    ] = "m4",
    as_json: Json = False,
) -> None:
    """Draw a wearable's graph: shapes, units, rates, and what it costs on a processor."""
    from thermo_core.errors import ProfileError
    from thermo_models.wearable_text import Drawn, facts, text

    found, plan, networks = _opened(wearable)
    try:
        drawn = Drawn.of(plan, networks, target)
    except ProfileError as error:
        raise found.at_line(error) from None
    print(json.dumps(facts(drawn)) if as_json else text(drawn))


@app.command()
def schema() -> None:
    """Print the JSON schema of wearable.toml, for editors and other programs."""
    from thermo_core.wearable.file import file_schema

    print(json.dumps(file_schema(), indent=2))


def _opened(name: str) -> "tuple[Wearable, Plan, dict[str, bytes]]":
    """A wearable, its graph, and those of its networks that it names; all of it checked.

    Raises:
        UsageError: the file, or what it describes, is wrong; the sentence names file, line and field.
        StorageError: a file cannot be read.
        ModelError: a network is damaged or does not fit.
    """
    from thermo_core.bundle import Bundle
    from thermo_core.files import read_file, read_text
    from thermo_core.wearable import file, library
    from thermo_quantize.fit import check_bundle

    found = file.read(library.resolve(name))
    networks = {model: read_file(path) for model, path in found.networks.items()}
    plan = found.plan()
    card = "-" if found.card is None else read_text(found.card)
    if len(networks) == len(found.profile.models):
        check_bundle(Bundle(profile=found.profile, networks=networks, card=card))
    return found, plan, networks
