"""Types that many threads meet at once for the first time: each of them reads, and the process lives."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

RACE = """
import sys, threading
from typing import Annotated
import msgspec
from thermo_core.schema import Record, from_plain
from thermo_core.typed import convert, from_json, from_msgpack

sys.setswitchinterval(1e-6)
fields = {f"f{i}": float(i) for i in range(20)}
plain = {"one": fields, "many": [fields, fields]}
json, msgpack = msgspec.json.encode(plain), msgspec.msgpack.encode(plain)
READ = {
    "from_plain": lambda kind: from_plain(plain, kind, "it"),
    "convert": lambda kind: convert(plain, kind),
    "from_json": lambda kind: from_json(json, kind),
    "from_msgpack": lambda kind: from_msgpack(msgpack, kind),
}
read = READ[sys.argv[1]]
for n in range(100):
    inner = msgspec.defstruct(
        f"Inner{n}", [(f, Annotated[float, msgspec.Meta(ge=0)]) for f in fields], bases=(Record,), kw_only=True
    )
    kind = msgspec.defstruct(f"Outer{n}", [("one", inner), ("many", tuple[inner, ...])], bases=(Record,), kw_only=True)
    found, gate = [], threading.Barrier(4)

    def work():
        gate.wait()
        found.append(read(kind))

    threads = [threading.Thread(target=work) for _ in range(4)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    assert len(found) == 4 and all(one == found[0] and one.many[1].f19 == 19.0 for one in found)
"""


@pytest.mark.parametrize("way", ["from_plain", "convert", "from_json", "from_msgpack"])
def test_threads_that_meet_a_type_at_once_all_read_it(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RACE), way], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_typed_reading_goes_through_it() -> None:
    """But for decoders that a module makes as it is imported, of types of its own."""
    root = Path(__file__).parents[2]
    typed = re.compile(
        r"msgspec\.convert\(|msgspec\.\w+\.decode\([^\n]*\btype=|^\s+.*msgspec\.\w+\.Decoder\(", re.MULTILINE
    )
    sources = [
        path
        for room in ("core", "device", "host", "hw_sim", "models", "quantize")
        for path in (root / room).rglob("*.py")
    ]
    assert len(sources) > 500
    assert [path.name for path in sources if typed.search(path.read_text())] == ["typed.py"]
