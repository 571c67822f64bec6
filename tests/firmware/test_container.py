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
from thermo_core.errors import ImageFormatError, ModelError
from thermo_core.firmware import companions
from thermo_core.firmware import container as format_
from thermo_core.firmware.signed import verify
from thermo_core.image import Image, load_public_key
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY
from thermo_host.flash import load
from thermo_quantize import structures
from thermo_quantize.application import app
from thermo_quantize.container import build as building
from thermo_quantize.container import layout
from thermo_quantize.container.relocations import read

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"
TARGET = "m4"
KEPT_AT = 68
"""Byte of the header that says how much room for kept findings there has to be."""


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
def image(bench: ModuleType) -> Image:
    found = bench.shipped("breast-patch")
    assert isinstance(found, Image)
    return found


@pytest.fixture(scope="module")
def made(image: Image) -> building.Container:
    return building.build(image, TARGET)


@pytest.fixture(scope="module")
def container(made: building.Container) -> bytes:
    return made.data


@pytest.mark.parametrize("target", ["m4", "m0plus"])
def test_a_container_runs_at_two_addresses_as_the_linked_in_network(
    bench: ModuleType, image: Image, target: str
) -> None:
    if not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: qemu-system-arm is not installed")
    found = bench.measure(image, target)
    costs = found.costs
    assert costs["rehearsed"] == 2 and costs["differing"] == 0
    for way in ("container in flash", "container in RAM"):
        assert costs[way] <= costs["linked in"] * 1.01
    assert set(found.relocations) <= {"R_ARM_REL32", "R_ARM_THM_CALL", "R_ARM_THM_JUMP24"}


@pytest.mark.parametrize(
    ("wearable", "needs"),
    [("breast-watch", {"model", "registration", "learning"}), ("neuro-band", {"model", "learning"})],
)
def test_a_container_names_what_its_graph_takes_of_the_firmware(
    bench: ModuleType, wearable: str, needs: set[str]
) -> None:
    """Besides its stages: what keeps what is learned of the wearer, and what lays one picture over another."""
    image = bench.shipped(wearable)
    data = building.build(image, TARGET).data
    header = format_.HEADER.unpack_from(data)
    rows = [layout.STAGE.unpack_from(data, header[7] + number * layout.STAGE.size) for number in range(header[8])]
    found = {name.rstrip(b"\0").decode(): mark for name, mark in rows}
    assert set(found) == needs | {stage.op for stage in Bundle.from_payload(image.payload).profile.stages}
    assert all(mark == structures.mark(name) for name, mark in found.items())


def test_code_with_an_address_is_refused(tmp_path: Path) -> None:
    """A table of addresses, as a switch of the compiler's own float helpers has one; and a variable."""
    table = "const int a = 3; const int *const t[] = {&a, 0}; int f(int i) { return *t[i]; }"
    variable = "static int a; int f(void) { return a++; }"
    for name, text, place, sentence in (
        ("table", table, "-fno-pie", "address"),
        ("data", table, "-fPIE", "variable"),
        ("pointer", "extern void g(void); void (*const p)(void) = g; void g(void) {}", "-fno-pie", "address"),
        ("variable", variable, "-fno-pie", "address|section"),
        ("far-variable", variable, "-fPIE", "variable|address"),
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
    room_bytes: int = 1 << 16
    kept_bytes: int = 0
    sensors: bytes = b""
    structures: int = structures.structures()
    stages: tuple[tuple[str, bytes], ...] = ()


@pytest.fixture(scope="module")
def opens(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("container")
    return build(folder, "container", ("container", "text", "float32"))


@pytest.fixture
def host(image: Image) -> Host:
    """A firmware with the bundle's sensors and every stage."""
    profile = Bundle.from_payload(image.payload).profile
    stages = tuple((name, structures.mark(name)) for name in structures.offers())
    return Host(sensors=structures.sensors_digest(profile), stages=stages)


def opened(library: ctypes.CDLL, data: bytes, host: Host) -> str:
    """Why it is refused; "" where it is not, and then its tables are loaded. Container and room end where memory may be used."""
    held = np.zeros(-(-len(data) // 8) + 1, "<u8")
    place = held.view(np.uint8)[: len(data)]
    place[:] = np.frombuffer(data, np.uint8)
    room = np.zeros(host.room_bytes, np.uint8)
    sentence = ctypes.create_string_buffer(240)
    suits = library.shim_container_open(
        ctypes.c_void_p(place.ctypes.data),
        ctypes.c_size_t(len(data)),
        host.target.encode(),
        ctypes.c_uint32(host.structures),
        host.sensors,
        b"".join(layout.STAGE.pack(name.encode(), mark) for name, mark in host.stages),
        ctypes.c_size_t(len(host.stages)),
        ctypes.c_void_p(room.ctypes.data),
        ctypes.c_size_t(host.room_bytes),
        ctypes.c_size_t(host.kept_bytes),
        sentence,
    )
    assert bool(suits) == (not sentence.value)
    return sentence.value.decode()


def test_what_does_not_suit_is_refused_with_a_sentence(
    opens: ctypes.CDLL, made: building.Container, host: Host
) -> None:
    container = made.data
    assert opened(opens, container, host) == ""
    assert opened(opens, container, replace(host, room_bytes=made.room_bytes)) == ""
    marks = dict(host.stages)
    for changed, said in (
        (replace(host, target="m0plus"), "compiled for m4, this firmware runs on m0plus"),
        (replace(host, structures=host.structures ^ 1), "of different versions; make both with one version"),
        (
            replace(host, room_bytes=made.room_bytes - 1),
            f"needs {made.room_bytes} bytes of memory and this firmware has",
        ),
        (replace(host, sensors=bytes(32)), "for other sensors"),
        (
            replace(host, stages=tuple(row for row in host.stages if row[0] != "centre")),
            'needs the stage "centre", which this firmware does not have',
        ),
        (
            replace(host, stages=tuple((marks | {"average": bytes(8)}).items())),
            'The stage "average" of this firmware is of another version',
        ),
    ):
        assert said in opened(opens, container, changed)
    kept = bytearray(container)
    kept[KEPT_AT : KEPT_AT + 4] = struct.pack("<I", 500)
    assert "needs 500 bytes for findings that are kept and this firmware has 0" in opened(opens, bytes(kept), host)
    assert opened(opens, bytes(kept), replace(host, kept_bytes=500)) == ""
    for data, said in (
        (b"\0" * len(container), "no container"),
        (container[:60], "no container"),
        (container[:-8], "cut"),
        (container[:4] + struct.pack("<H", format_.ABI + 1) + container[6:], "ABI 3 and this firmware speaks 2"),
    ):
        assert said in opened(opens, data, host)


def test_no_damaged_container_reads_or_writes_beyond_its_end(opens: ctypes.CDLL, container: bytes, host: Host) -> None:
    """Every word of its tables as 0, as all ones, and as its own end; the library is compiled with -fsanitize=undefined."""
    header = format_.HEADER.unpack_from(container)
    networks_at, tables_at, tables_bytes, addresses_at, count = header[6], header[9], header[10], header[12], header[13]
    ends_at = layout.NETWORK.unpack_from(container, networks_at)[3]
    places = [*range(8, format_.HEADER.size, 4), *range(networks_at, networks_at + layout.NETWORK.size, 4)]
    places += range(ends_at, ends_at + 2 * layout.END.size, 4)
    places += range(addresses_at, addresses_at + 4 * count, 4)
    places += [tables_at + at for (at,) in struct.iter_unpack("<I", container[addresses_at : addresses_at + 4 * count])]
    refused = 0
    for at in places:
        for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xBFFFFFFF, tables_bytes, len(container), len(container) - 2):
            data = bytearray(container)
            data[at : at + 4] = struct.pack("<I", value)
            sentence = opened(opens, bytes(data), host)
            refused += bool(sentence)
            assert not sentence or sentence.endswith(".")
    assert refused > len(places) * 3


def test_the_command_writes_a_container_and_signs_it(tmp_path: Path, container: bytes) -> None:
    out = tmp_path / "model.bin"
    command = ["firmware", str(BUNDLE), "--container", "--target", TARGET, "--public-key", str(DEVELOPMENT_PUBLIC_KEY)]
    done = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == container and "not signed" in done.output
    signed = tmp_path / "model.img"
    done = CliRunner().invoke(app, [*command, "--key", str(DEVELOPMENT_PRIVATE_KEY), "--out", str(signed)])
    assert done.exit_code == 0, done.output
    found = verify(signed.read_bytes(), [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())])
    assert found.payload == container


def test_a_bundle_carries_what_microcontrollers_run_of_it(tmp_path: Path, image: Image) -> None:
    """The bundle keeps its bytes, each container is an image of its own, and a bundle that carries some is a bundle to every command."""
    out = tmp_path / "both.img"
    command = ["sign", "--resign", str(BUNDLE), "--public-key", str(DEVELOPMENT_PUBLIC_KEY), "--key"]
    command += [str(DEVELOPMENT_PRIVATE_KEY), "--container", "m4", "--container", "m0plus", "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "with containers for m4, m0plus" in done.output
    bundle, containers = companions.split(out.read_bytes())
    assert bundle == BUNDLE.read_bytes()
    keys = [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())]
    found = [verify(one, keys) for one in containers]
    assert [one.version for one in found] == [image.version] * 2
    assert [format_.fit_of(one.payload).target for one in found] == ["m4", "m0plus"]
    again = ["sign", "--resign", str(out), "--public-key", str(DEVELOPMENT_PUBLIC_KEY), "--key"]
    again += [str(DEVELOPMENT_PRIVATE_KEY), "--out", str(tmp_path / "again.img")]
    assert CliRunner().invoke(app, again).exit_code == 0
    assert (tmp_path / "again.img").read_bytes() == bundle
    assert load(out).data == bundle
    for damaged in (out.read_bytes()[:-1], out.read_bytes() + BUNDLE.read_bytes()):
        out.write_bytes(damaged)
        with pytest.raises(ImageFormatError, match="no whole container"):
            load(out)


@pytest.mark.parametrize(
    ("targets", "said"),
    [(["m4", "m4"], "names m4 twice"), (["m55"], "No container is made for 'm55'; choose one of m0")],
)
def test_targets_that_cannot_be_put_in_are_named(targets: list[str], said: str, tmp_path: Path) -> None:
    command = ["sign", "--resign", str(BUNDLE), "--public-key", str(DEVELOPMENT_PUBLIC_KEY), "--key"]
    command += [str(DEVELOPMENT_PRIVATE_KEY), "--out", str(tmp_path / "out.img")]
    done = CliRunner().invoke(app, [*command, *(word for target in targets for word in ("--container", target))])
    assert done.exit_code != 0 and said in " ".join(str(done.exception or done.output).split())
    assert not (tmp_path / "out.img").exists()
