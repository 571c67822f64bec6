"""Containers of networks: run at two addresses as linked in, without an address in them, and refused with a sentence where they do not suit."""

import ctypes
import importlib.util
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from firmware_library import build
from typer.testing import CliRunner

from thermo_core.bundle import Bundle
from thermo_core.errors import ModelError, UsageError
from thermo_core.firmware.signed import verify
from thermo_core.image import load_public_key
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY
from thermo_quantize.cli import app
from thermo_quantize.container import build as building
from thermo_quantize.container import layout
from thermo_quantize.container.relocations import read

ROOT = Path(__file__).resolve().parents[2]
TARGET = "m4"


@pytest.fixture(autouse=True)
def compiler() -> None:
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("hardware absent: arm-none-eabi-gcc is not installed")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """bench/container.py."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        spec = importlib.util.spec_from_file_location("container_bench", ROOT / "bench" / "container.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "bench"))


@pytest.fixture(scope="module")
def bundle(bench: ModuleType) -> Bundle:
    found = bench.shipped("breast-patch")
    assert isinstance(found, Bundle)
    return found


@pytest.fixture(scope="module")
def container(bundle: Bundle) -> bytes:
    return building.build(bundle, TARGET).data


@pytest.mark.parametrize("target", ["m4", "m0plus"])
def test_a_container_runs_at_two_addresses_as_the_linked_in_network(
    bench: ModuleType, bundle: Bundle, target: str
) -> None:
    if not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: qemu-system-arm is not installed")
    found = bench.measure(bundle, target)
    costs = found.costs
    assert costs["rehearsed"] == 2 and costs["differing"] == 0
    for way in ("container in flash", "container in RAM"):
        assert costs[way] <= costs["linked in"] * 1.01
    assert set(found.relocations) <= {"R_ARM_REL32", "R_ARM_THM_CALL", "R_ARM_THM_JUMP24"}


def test_code_with_an_address_is_refused(tmp_path: Path) -> None:
    """A table of addresses, as a switch of the compiler's own float helpers has one; and a variable."""
    table = "const int a = 3; const int *const t[] = {&a, 0}; int f(int i) { return *t[i]; }"
    variable = "static int a; int f(void) { return a++; }"
    for name, text, place, sentence in (
        ("table", table, "-fno-pie", "address"),
        ("data", table, "-fPIE", "section"),
        ("pointer", "extern void g(void); void (*const p)(void) = g; void g(void) {}", "-fno-pie", "address"),
        ("variable", variable, "-fno-pie", "address|section"),
        ("far-variable", variable, "-fPIE", "section"),
    ):
        source, elf, script = (tmp_path / f"{name}.{kind}" for kind in ("c", "elf", "ld"))
        source.write_text(text)
        script.write_text(building._SCRIPT)
        command = [building.COMPILER, *building.PROCESSORS[TARGET].split(), "-O1", place, "-nostdlib", "-T"]
        command += [str(script), "-Wl,--emit-relocs,--no-warn-rwx-segments,-e0", str(source), "-o", str(elf)]
        subprocess.run(command, check=True)
        with pytest.raises(ModelError, match=sentence):
            read(elf.read_bytes())


@dataclass(frozen=True)
class Host:
    """What a firmware offers."""

    target: str = TARGET
    arena_bytes: int = 1 << 16
    sensors: bytes = b""
    stages: tuple[tuple[str, bytes], ...] = ()
    elements: tuple[int, ...] = (768, 2)


@pytest.fixture(scope="module")
def opens(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("container")
    library = build(folder, "container", ("container", "text", "float32"))
    library.shim_container_open.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
    ]
    return library


@pytest.fixture
def host(bundle: Bundle) -> Host:
    """A firmware that was built with the bundle."""
    return Host(sensors=layout.sensors_digest(bundle.profile), stages=layout.stages(bundle.profile))


def opened(library: ctypes.CDLL, data: bytes, host: Host) -> str:
    """Why it is refused; "" where it is not. The container ends where memory may be read."""
    held = np.zeros(-(-len(data) // 8) + 1, "<u8")
    place = held.view(np.uint8)[: len(data)]
    place[:] = np.frombuffer(data, np.uint8)
    sentence = ctypes.create_string_buffer(240)
    rows = b"".join(layout.STAGE.pack(name.encode(), mark) for name, mark in host.stages)
    elements = np.array(host.elements, np.uint32)
    suits = library.shim_container_open(
        place.ctypes.data,
        len(data),
        host.target.encode(),
        host.arena_bytes,
        elements.ctypes.data,
        len(elements) - 1,
        host.sensors,
        rows,
        len(host.stages),
        sentence,
    )
    assert bool(suits) == (not sentence.value)
    return sentence.value.decode()


def test_what_does_not_suit_is_refused_with_a_sentence(opens: ctypes.CDLL, container: bytes, host: Host) -> None:
    assert opened(opens, container, host) == ""
    first, *rest = host.stages
    for changed, said in (
        (replace(host, target="m0plus"), "compiled for m4, this firmware runs on m0plus"),
        (replace(host, arena_bytes=4000), "needs 4136 bytes of memory and this firmware has 4000"),
        (replace(host, sensors=bytes(32)), "for other sensors"),
        (replace(host, stages=(first,)), 'needs the stage "centre", which this firmware does not have'),
        (replace(host, elements=(768, 3)), "inputs or an output of other sizes"),
        (replace(host, stages=((first[0], bytes(8)), *rest)), 'The stage "average" has other constants'),
        (replace(host, stages=(*rest, first)), 'The stage "average" has other constants or another place'),
        (replace(host, stages=(*host.stages, ("rest", bytes(8)))), "fewer stages"),
    ):
        assert said in opened(opens, container, changed)
    for data, said in (
        (b"\0" * len(container), "no container"),
        (container[:60], "no container"),
        (container[:-8], "cut"),
        (container[:4] + struct.pack("<H", layout.ABI + 1) + container[6:], "ABI 2 and this firmware speaks 1"),
    ):
        assert said in opened(opens, data, host)


def test_no_damaged_container_reads_beyond_its_end(opens: ctypes.CDLL, container: bytes, host: Host) -> None:
    """Every word of its tables as 0, as all ones, and as its own end; the library is compiled with -fsanitize=undefined."""
    header = layout.HEADER.unpack_from(container)
    networks_at = header[6]
    ends_at = layout.NETWORK.unpack_from(container, networks_at)[3]
    places = [*range(8, layout.HEADER.size, 4), *range(networks_at, networks_at + layout.NETWORK.size, 4)]
    places += range(ends_at, ends_at + 2 * layout.END.size, 4)
    refused = 0
    for at in places:
        for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, len(container), len(container) - 2):
            data = bytearray(container)
            data[at : at + 4] = struct.pack("<I", value)
            sentence = opened(opens, bytes(data), host)
            refused += bool(sentence)
            assert not sentence or sentence.endswith(".")
    assert refused > len(places) * 3


def test_the_command_writes_a_container_and_signs_it(tmp_path: Path, container: bytes) -> None:
    image = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
    out = tmp_path / "model.bin"
    command = ["firmware", str(image), "--container", "--target", TARGET, "--public-key", str(DEVELOPMENT_PUBLIC_KEY)]
    done = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == container and "not signed" in done.output
    signed = tmp_path / "model.img"
    done = CliRunner().invoke(app, [*command, "--key", str(DEVELOPMENT_PRIVATE_KEY), "--out", str(signed)])
    assert done.exit_code == 0, done.output
    found = verify(signed.read_bytes(), [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())])
    assert found.payload == container


def test_a_target_that_no_container_is_made_for_is_named(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="No container is made for 'm55'"):
        building.build(bundle, "m55")
