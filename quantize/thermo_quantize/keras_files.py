"""Opens .keras and .h5 files with the Keras that wrote them: Keras 3, or tf-keras for TensorFlow up to 2.15."""

import importlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from thermo_core.errors import ModelError, UsageError
from thermo_core.files import check_readable
from thermo_quantize.install import INSTALL_TRAIN
from thermo_quantize.quiet import quiet

SUFFIXES = (".keras", ".h5", ".hdf5")
_CODE = ("Lambda", "__lambda__")
"""Classes whose code stands in the file; it would run when the model is opened."""
_UNKNOWN = re.compile(
    r"(?:Could not locate (?:class|function)|Unknown (?:layer|activation function|object):?) '?(\w+)'?"
)


def load_keras(path: Path) -> Any:
    """The model of a .keras or .h5 file, built and uncompiled; no code of the file is run.

    TensorFlow must have been imported before, with its chatter off.

    Raises:
        StorageError: it cannot be read, or a Git LFS pointer stands in for it.
        ModelError: it is no such file, is damaged, or needs code that is not in it.
    """
    check_readable(path)
    try:
        version, config = _said(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not a Keras model or is damaged ({first_line(error)}); save it again.") from error
    if config is None:
        raise ModelError(f"{path} holds weights without their model; save the whole of it with model.save(FILE).")
    if any(name in _CODE for name in _classes(config)):
        raise ModelError(
            f"{path} needs a Lambda layer, whose code is not run from a file; export it with model.export(FOLDER) and give "
            "that folder."
        )
    library = "tf_keras" if version.partition(".")[0] in ("1", "2") else "keras"
    try:
        with quiet():
            return importlib.import_module(library).models.load_model(path, compile=False)
    except ModuleNotFoundError as error:
        raise UsageError(f"{path} needs the package {library}, which is not installed; {INSTALL_TRAIN}.") from error
    except Exception as error:  # Keras raises whatever the content leads to
        own = _UNKNOWN.search(str(error))
        if own:
            raise ModelError(
                f"{path} needs the class {own[1]!r}, whose code is not in the file; export it with model.export(FOLDER) and "
                "give that folder."
            ) from error
        raise ModelError(
            f"{path}, saved by Keras {version or 'of an unknown version'}, cannot be opened ({first_line(error)}); export it "
            "where it was made with model.export(FOLDER) and give that folder."
        ) from error


def first_line(error: Exception) -> str:
    """The beginning of an error's text, for a sentence."""
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__


def _said(path: Path) -> tuple[str, Any]:
    """Version of the Keras that wrote the file, "" where it does not say, and the model's configuration, None without one."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
            return str(metadata.get("keras_version", "")), json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(path) as file:
        config = file.attrs.get("model_config")
        return _text(file.attrs.get("keras_version", "")), None if config is None else json.loads(_text(config))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _classes(config: Any) -> list[str]:
    """Every class that a configuration names."""
    found: list[str] = []
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found += [str(part[key]) for key in ("class_name", "registered_name") if part.get(key) is not None]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found
