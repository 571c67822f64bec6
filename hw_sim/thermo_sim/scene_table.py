"""Scenes by the name that a world gives them."""

from collections.abc import Callable, Mapping
from typing import Any

from thermo_core.errors import SchemaError, UsageError
from thermo_core.schema import from_plain
from thermo_sim.scenes import Hand, Lesion, Scene, Still, blackbody, breast_patch, skin
from thermo_sim.worn_patch import WornOptions, worn_patch


def _breast_patch(seed: int, options: Mapping[str, Any]) -> Scene:
    options = dict(options)
    lesion = options.pop("lesion", None)
    if lesion is not None:
        lesion = Lesion(**lesion)
    return breast_patch(seed, lesion, **options)


def _worn_patch(seed: int, options: Mapping[str, Any]) -> Scene:
    return worn_patch(seed, from_plain(dict(options), WornOptions, "options"))


SCENES: Mapping[str, Callable[[int, Mapping[str, Any]], Scene]] = {
    "blackbody": lambda seed, options: blackbody(**{"seed": seed, **options}),
    "skin": lambda seed, options: Still(skin(seed, **options), lambda grid: skin(seed, **options, grid=grid)),
    "breast-patch": _breast_patch,
    "worn-patch": _worn_patch,
    "hand": lambda seed, options: Hand(seed, **options),
}


def make_scene(name: str, seed: int, options: Mapping[str, Any] | None = None) -> Scene:
    """A scene by name, with its options as keyword arguments (`lesion` as a table of `Lesion`'s fields).

    Raises:
        UsageError: no such scene, or an option it does not have.
    """
    if name not in SCENES:
        raise UsageError(f"There is no scene '{name}'; use one of {', '.join(SCENES)}.")
    try:
        return SCENES[name](seed, options or {})
    except TypeError as error:
        raise UsageError(f"The scene '{name}' does not take these options ({error}); correct them.") from error
    except SchemaError as error:
        raise UsageError(f"The scene '{name}': {error}") from error
