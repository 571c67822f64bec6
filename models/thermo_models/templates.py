"""The wearable a task is of: its file, and that file with what a training has found put in its place."""

import io
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.schema import Floats
from thermo_core.stages.stage import Stage
from thermo_core.wearable import file, library
from thermo_core.wearable.profile import Profile
from thermo_core.wearable.toml_lines import line_of

CONSTANTS = "features.npz"
_LINE = re.compile(r"^(?P<head>\s*[A-Za-z0-9_-]+\s*=\s*)(?P<value>[^#]*?)(?P<tail>\s*(#.*)?)$")


@cache
def template(name: str) -> file.Wearable:
    """The wearable of that name that comes with the product, as its file has it."""
    return file.read(library.resolve(name))


def stage_of(profile: Profile, gives: str) -> Any:
    """The stage that gives a signal.

    Raises:
        UsageError: none does.
    """
    for stage in profile.stages:
        if stage.gives == gives:
            return stage
    raise UsageError(f'The wearable {profile.name} has no stage that gives "{gives}"; name one that it has.')


def chain(profile: Profile, entry: str) -> tuple[Stage, ...]:
    """The stages from a signal to the first input of the wearable's one model, each of which takes what the one before gives.

    Raises:
        UsageError: no chain of stages leads there.
    """
    found: list[Stage] = []
    name = profile.models[0].inputs[0] if profile.models else ""
    while name != entry:
        stage = stage_of(profile, name)
        if len(stage.inputs) != 1:
            raise UsageError(
                f'In the wearable {profile.name} no chain of stages leads from "{entry}" to its model; correct it.'
            )
        found.insert(0, stage)
        (name,) = stage.inputs
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a training puts into a wearable.

    Attributes:
        stages: in place of those that give the same signals, or further ones.
        values: of other fields by their paths, as ".models[0].quantities[0].spread".
    """

    stages: Sequence[Stage]
    values: Mapping[str, Any]


def filled(wearable: file.Wearable, learnt: Learnt) -> dict[str, bytes]:
    """The wearable's file with what was learnt, and the file of its constants where it has any; by name.

    Everything else of it, comments too, stays as it is written.

    Raises:
        UsageError: a value stands in a place that cannot be replaced.
    """
    text, constants = wearable.text, _kept(wearable, {stage.gives for stage in learnt.stages})
    for stage in learnt.stages:
        number = next((n for n, one in enumerate(wearable.profile.stages) if one.gives == stage.gives), None)
        before = None if number is None else wearable.profile.stages[number]
        lines = {} if before is not None else {"op": stage.op}
        for field in msgspec.structs.fields(stage):
            value = getattr(stage, field.name)
            if isinstance(value, Floats):
                constants[f"{stage.gives}_{field.name}"] = value.array
                lines[field.name] = f"{CONSTANTS}:{stage.gives}_{field.name}"
            elif value != (field.default if before is None else getattr(before, field.name)):
                lines[field.name] = value
        if number is None:
            text += "\n[[stages]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in lines.items())
        else:
            for name, value in lines.items():
                text = _replaced(wearable.path, text, f".stages[{number}].{name}", _toml(value))
    for path, value in learnt.values.items():
        text = _replaced(wearable.path, text, path, _toml(value))
    files = {library.FILE_NAME: text.encode()}
    if constants:
        content = io.BytesIO()
        np.savez(content, **constants)
        files[CONSTANTS] = content.getvalue()
    return files


def _kept(wearable: file.Wearable, learnt: Set[str]) -> dict[str, NDArray[np.float32]]:
    """Constants by name of the stages that give none of these signals, which the file of constants goes on to hold."""
    return {
        f"{stage.gives}_{field.name}": getattr(stage, field.name).array
        for stage in wearable.profile.stages
        for field in msgspec.structs.fields(stage)
        if stage.gives not in learnt and f'"{CONSTANTS}:{stage.gives}_{field.name}"' in wearable.text
    }


def _replaced(path: Path, text: str, field: str, value: str) -> str:
    """The text with another value on the line of a field."""
    lines = text.splitlines(keepends=True)
    place = line_of(text, field) - 1
    found = _LINE.match(lines[place].rstrip("\n"))
    if found is None or not found["head"].split("=")[0].strip() == field.rpartition(".")[2]:
        raise UsageError(
            f'{path}, line {place + 1}: {field[1:]} has no line of its own to put "{value[:40]}" on; give it one.'
        )
    lines[place] = f"{found['head']}{value}{found['tail']}\n"
    return "".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return repr(value)
