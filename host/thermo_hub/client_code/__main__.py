"""`python -m thermo_hub.client_code` writes `client/answers.py`, `client/operations.py` and `client/async_operations.py` anew."""

import subprocess
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from thermo_core.files import write_file
from thermo_hub.client_code.operations import method_code, operations, wanted
from thermo_hub.client_code.schemas import needed, struct
from thermo_hub.openapi import whole

FOLDER = Path(__file__).parents[1] / "client"
MADE = "Made of the hub's OpenAPI by `python -m thermo_hub.client_code`."


def files(described: Mapping[str, Any]) -> dict[str, str]:
    """What is written, by the names of files, not formatted."""
    schemas = described["components"]["schemas"]
    names = needed(schemas, wanted(described))
    answers = "\n\n".join(struct(name, schemas[name]) for name in names)
    typing = "from typing import Any, Literal\n"
    return {
        "answers.py": f'"""What the hub\'s API answers. {MADE}"""\n\n{typing}\nimport msgspec\n\n\n{answers}',
        "operations.py": _groups(described, names, waits=False),
        "async_operations.py": _groups(described, names, waits=True),
    }


def formatted(text: str) -> str:
    """As the formatter of this repository has it, without imports that nothing uses."""
    for words in (["check", "--select", "F401,I", "--fix", "--quiet"], ["format", "--quiet"]):
        run = [sys.executable, "-m", "ruff", *words, "--stdin-filename", str(FOLDER / "made.py"), "-"]
        text = subprocess.run(run, input=text, capture_output=True, text=True, check=True).stdout
    return text


def _groups(described: Mapping[str, Any], names: list[str], waits: bool) -> str:
    ask, line = ("AsyncLine", "async_line") if waits else ("Line", "line")
    what = "Operations of the hub's API, for `async` code." if waits else "Operations of the hub's API."
    parts = [
        f'"""{what} {MADE}"""\n',
        "from collections.abc import Sequence",
        "from typing import Any, Literal\n",
        f"from thermo_hub.client.answers import {', '.join(names)}",
        f"from thermo_hub.client.{line} import {ask}",
        "from thermo_hub.client.requests import quoted\n",
    ]
    groups = []
    for group, found in groupby(operations(described), key=lambda one: one.group):
        own = f"{'Async' if waits else ''}{group.title()}Operations"
        groups.append((group, own))
        methods = "\n".join(method_code(one, waits) for one in found)
        parts.append(
            f'\nclass {own}:\n    """Operations of {group}."""\n\n'
            f"    def __init__(self, line: {ask}) -> None:\n        self._line = line\n\n{methods}"
        )
    attributes = "\n".join(f"        self.{group} = {own}(line)" for group, own in groups)
    parts.append(
        f'\nclass {"Async" if waits else ""}Operations:\n    """All operations, by the part of the hub.\n\n    Args:\n        line: to the hub.\n    """\n\n'
        f"    def __init__(self, line: {ask}) -> None:\n{attributes}\n"
    )
    return "\n".join(parts)


if __name__ == "__main__":
    for name, text in files(whole()).items():
        write_file(FOLDER / name, formatted(text).encode())
