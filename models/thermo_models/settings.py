"""How a network is trained: one validated set of numbers, read from a TOML file and overridden on the command line."""

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from thermo_core.errors import StorageError, UsageError
from thermo_models.networks.layers import ATTENTION
from thermo_models.networks.views import VIEWS


@dataclass(frozen=True, slots=True)
class Settings:
    """One training.

    Attributes:
        network: name in the registry.
        width: multiplier of its channels.
        attention: "none", "channel", "spatial" or "both".
        dropout: share of features dropped.
        epochs: passes over the training samples, at most.
        batch: samples a step.
        rate: first learning rate; it falls to zero by a cosine.
        decay: decoupled weight decay (AdamW).
        patience: epochs without a better validation loss before training stops; 0 trains all epochs and keeps a moving average.
        balance: weigh classes by their rarity.
        seeds: how many seeds each fold is trained with.
        variant: what of the task's data is used, named by the task.
        folds: folds of the protocol, where people are dealt to them.
        views: orientations the trained network averages over, 1, 2, 4 or 8 (`networks.views`).
    """

    network: str
    width: float = 1.0
    attention: str = "none"
    dropout: float = 0.2
    epochs: int = 60
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.0
    patience: int = 0
    balance: bool = False
    seeds: int = 1
    variant: str = "full"
    folds: int = 5
    views: int = 1

    def __post_init__(self) -> None:
        limits = {
            "width": (0.05, 8), "dropout": (0, 0.9), "epochs": (1, 10_000), "batch": (1, 65_536), "rate": (1e-7, 1),
            "decay": (0, 1), "patience": (0, 10_000), "seeds": (1, 100), "folds": (2, 1000),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} = {getattr(self, name)} is out of range, so give {low} to {high}.")
        if self.views not in VIEWS:
            raise UsageError(f"views = {self.views} is not possible, so choose one of {', '.join(map(str, VIEWS))}.")
        if self.attention not in ATTENTION:
            raise UsageError(f"There is no attention {self.attention!r}, so choose one of {', '.join(ATTENTION)}.")

    def changed(self, changes: dict[str, object]) -> "Settings":
        """A copy with some values replaced.

        Args:
            changes: name to value, of TOML's types.

        Raises:
            UsageError: no such setting, or a value of the wrong type or out of range.
        """
        types = {item.name: type(getattr(self, item.name)) for item in dataclasses.fields(self)}
        checked: dict[str, object] = {}
        for name, value in changes.items():
            if name not in types:
                raise UsageError(f"There is no setting {name!r}, so choose one of {', '.join(types)}.")
            if types[name] is float and type(value) is int:
                value = float(value)
            if type(value) is not types[name]:
                raise UsageError(
                    f"{name} = {value!r} has the wrong type, so give a value of type {types[name].__name__}."
                )
            checked[name] = value
        return dataclasses.replace(self, **checked)  # type: ignore[arg-type]

    def to_toml(self) -> str:
        """As a file `read` takes."""
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in dataclasses.asdict(self).items())


def read(
    start: Settings,
    path: Path | None,
    overrides: Sequence[str],
    by_variant: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> Settings:
    """Settings of a task, changed by a file and then by `name=value` words.

    Args:
        start: the task's defaults.
        path: TOML file.
        overrides: words.
        by_variant: what else the defaults are for a variant that file or words choose.

    Raises:
        StorageError: the file cannot be read.
        UsageError: something in it or in a word is wrong.
    """
    settings = start
    if path is not None:
        try:
            settings = settings.changed(tomllib.loads(path.read_text()))
        except OSError as error:
            raise StorageError(f"{path} cannot be read ({error.strerror}), so check --config.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} is no TOML file ({error}), so write lines like epochs = 60.") from error
    for word in overrides:
        name, separator, text = word.partition("=")
        if not separator:
            raise UsageError(f"--set {word} has no value, so write it as name=value.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        settings = settings.changed({name.strip(): value})
    if settings.variant in by_variant:
        return read(start.changed(dict(by_variant[settings.variant])), path, overrides)
    return settings
