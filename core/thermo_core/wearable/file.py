"""A wearable as a person writes it: `wearable.toml`, with its networks, card and long lists of constants in files beside it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from thermo_core.arrays import read_npz
from thermo_core.errors import ProfileError, SchemaError, StorageError, UsageError
from thermo_core.graph.plan import Plan, plan
from thermo_core.schema import MAX_FLOATS, Floats, from_plain, json_schema, special_schema
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Model, Profile
from thermo_core.wearable.toml_lines import line_of

MAX_FILE = 1 << 20
_FileName = Annotated[str, Meta(min_length=1, max_length=200)]


class FileModel(Model, frozen=True, kw_only=True):
    """A model in a file.

    Attributes:
        network: its .tflite file, beside the wearable's; none while it is not trained yet.
    """

    network: _FileName | None = None


class WearableFile(Profile, frozen=True, kw_only=True):
    """What a file holds: a profile, and where its networks and card are.

    Attributes:
        models: as the profile's, with their files.
        card: Markdown file about the models, beside this one.
    """

    models: Annotated[tuple[FileModel, ...], Meta(max_length=8)] = ()
    card: _FileName | None = None


@dataclass(frozen=True)
class Wearable:
    """A file that was read and checked.

    Attributes:
        path: of the file.
        text: of the file.
        profile: what it describes.
        networks: files by the names of models.
        card: file, or None.
    """

    path: Path
    text: str
    profile: Profile
    networks: dict[str, Path]
    card: Path | None

    def plan(self, outputs: dict[str, tuple[int, ...]] | None = None) -> Plan:
        """The checked graph.

        Args:
            outputs: shape of each network's output, by the name of its model.

        Raises:
            UsageError: something does not fit together; the sentence names file, line and field.
        """
        try:
            return plan(self.profile, outputs)
        except ProfileError as error:
            raise self.at_line(error) from None

    def at_line(self, error: ProfileError) -> UsageError:
        """What is wrong with its profile, with file and line."""
        return _at_line(self.path, self.text, str(error), error.path)


def read(path: Path) -> Wearable:
    """Read a file and check it, but for what depends on its networks.

    Raises:
        StorageError: it or a file it names cannot be read.
        UsageError: it is no such file, or something in it is wrong; the sentence names file, line and field.
    """
    text = _text_of(path)
    try:
        data: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML file ({error}); correct it.") from error
    _read_constants(path, text, data)
    try:
        content = from_plain(data, WearableFile, "", "correct it")
    except SchemaError as error:
        raise _at_line(path, text, str(error).removesuffix("; correct it."), error.path) from None
    networks = {model.name: path.parent / model.network for model in content.models if model.network is not None}
    card = None if content.card is None else path.parent / content.card
    return Wearable(path, text, _profile(content), networks, card)


def file_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a file: that of its types, where constants may also be texts like "features.npz:centre"."""
    schema = json_schema(WearableFile, "thermo-edge wearable")
    numbers = special_schema(Floats)
    text = {"type": "string", "pattern": r"^.+\.npz:.+$"}

    def with_texts(part: Any) -> Any:
        if isinstance(part, list):
            return [with_texts(item) for item in part]
        if not isinstance(part, dict):
            return part
        if all(part.get(key) == value for key, value in numbers.items()):
            return {"anyOf": [numbers, text]} | {key: value for key, value in part.items() if key not in numbers}
        return {key: with_texts(value) for key, value in part.items()}

    found: dict[str, Any] = with_texts(schema)
    return found


def _profile(content: WearableFile) -> Profile:
    """The profile alone, without the names of files."""
    models = tuple(
        Model(**{name: getattr(model, name) for name in Model.__struct_fields__}) for model in content.models
    )
    kept = {name: getattr(content, name) for name in Profile.__struct_fields__}
    return Profile(**{**kept, "models": models})


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise StorageError(
                f"{path} has more than {MAX_FILE} bytes; a wearable.toml is a few kilobytes, so check the name."
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); check the name.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8; check that it is a wearable.toml.") from error


def _read_constants(path: Path, text: str, data: dict[str, Any]) -> None:
    """Put numbers in place of texts like "features.npz:centre" where a stage has a list of constants."""
    stages = data.get("stages")
    for number, stage in enumerate(stages if isinstance(stages, list) else []):
        op = OPS.get(str(stage.get("op"))) if isinstance(stage, dict) else None
        if op is None:
            continue
        for field in msgspec.structs.fields(op.stage):
            value = stage.get(field.name)
            if isinstance(value, str) and Floats in (field.type, *getattr(field.type, "__args__", ())):
                where = f".stages[{number}].{field.name}"
                stage[field.name] = _constants(path, text, value, where)


def _constants(path: Path, text: str, reference: str, where: str) -> list[float]:
    name, _, key = reference.partition(":")
    if not name.endswith(".npz") or not key:
        raise _at_line(path, text, f'{where[1:]} is "{reference}"; write numbers, or "FILE.npz:NAME"', where)
    try:
        with (path.parent / name).open("rb") as stream:
            found = read_npz(stream, name, lambda headers: [key] if key in headers else [])
    except OSError as error:
        raise _at_line(path, text, f"{where[1:]}: {name} cannot be read ({error.strerror or error})", where) from error
    except StorageError as error:
        raise _at_line(path, text, f"{where[1:]}: {str(error).removesuffix('.')}", where) from error
    if key not in found:
        raise _at_line(path, text, f"{where[1:]}: {name} holds no numbers named {key}", where)
    array = found[key]
    if array.dtype.kind not in "fiu" or array.size > MAX_FLOATS:
        raise _at_line(path, text, f"{where[1:]}: {key} of {name} is no list of at most {MAX_FLOATS} numbers", where)
    numbers: list[float] = array.astype(np.float64).ravel().tolist()
    return numbers


def _at_line(path: Path, text: str, problem: str, where: str) -> UsageError:
    return UsageError(f"{path}, line {line_of(text, where)}: {problem}{'' if ';' in problem else '; correct it'}.")
