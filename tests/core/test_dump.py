"""Dumps of other tools: the same words out of every format they write, a sentence for everything else, memory with bounds."""

import contextlib
import io
import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.arrays import read_npy
from thermo_core.errors import EepromError, StorageError, ThermoError
from thermo_core.sensors.mlx90640.dump import Dump, read_dump, read_eeprom
from thermo_core.sensors.mlx90640.frames import CONTROL, SUBPAGE, Words
from thermo_sim.chips.mlx90640 import eeprom as eeproms
from thermo_sim.chips.mlx90640.dataset import PictureSource

EEPROM = eeproms.generate(4)
FRAMES = np.stack(
    [words for level in (30.0, 34.0, 37.5) for words in PictureSource(4, eeprom=EEPROM).words(np.full((24, 32), level))]
)
Writer = Callable[[Words, Words], bytes]


def dump_of(data: bytes, name: str = "dump.txt", eeprom: Words | None = None) -> Dump:
    return read_dump(io.BytesIO(data), name, eeprom)


def npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def c_array(name: str, words: Words, form: str = "0x{:04X}") -> str:
    rows = [", ".join(form.format(int(word)) for word in words[at : at + 16]) for at in range(0, len(words), 16)]
    return (
        f"static const uint16_t {name}[{len(words)}] = {{  // {len(words)} words\n    "
        + ",\n    ".join(rows)
        + "\n};\n"
    )


def hexdump(data: bytes) -> str:
    """As `hexdump -C` and `xxd -g1` write it."""
    lines = []
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        shown = "".join(chr(byte) if 33 <= byte < 127 else "." for byte in part)
        lines.append(f"{at:08x}  {part.hex(' ')}  |{shown}|")
    return "\n".join(lines)


def signed(words: Words) -> list[int]:
    return words.astype(np.int16).tolist()


def grid(words: Words, separator: str = " ", form: str = "{}") -> str:
    """32 numbers a line."""
    texts = [form.format(int(word)) for word in words]
    return "\n".join(separator.join(texts[at : at + 32]) for at in range(0, len(texts), 32))


WRITERS: dict[str, tuple[str, Writer]] = {
    "npz": ("a.npz", lambda e, f: npz(eeprom=e, frames=f)),
    "npz of signed words under other names": ("a.npz", lambda e, f: npz(eeData=e.astype(int), frameData=f.astype(np.int32))),
    "CSV, a row a frame": (
        "a.csv",
        lambda e, f: "\n".join(",".join(map(str, row.tolist())) for row in [e, *f]).encode(),
    ),
    "CSV of signed words with a header and columns before": (
        "a.csv",
        lambda e, f: (
            "time;what;words\r\n"
            + f"start;eeprom;{';'.join(map(str, signed(e)))}\r\n"
            + "\r\n".join(f"2024-05-0{at}T10:00:00.5;frame;{';'.join(map(str, signed(row)))}" for at, row in enumerate(f))
        ).encode(),
    ),
    "C arrays": (
        "a.h",
        lambda e, f: (
            "/* dump of a sensor */\n#include <stdint.h>\n"
            + c_array("eeMLX90640", e)
            + "".join(c_array(f"frame_{at}", row, "{}") for at, row in enumerate(f))
        ).encode(),
    ),
    "a C array of arrays": (
        "a.c",
        lambda e, f: (
            c_array("ee", e)
            + "uint16_t frames[][834] = {\n"
            + ",\n".join("{" + ",".join(map(str, row.tolist())) + "}" for row in f)
            + "};"
        ).encode(),
    ),
    "JSON": ("a.json", lambda e, f: json.dumps({"eeprom": e.tolist(), "frames": f.tolist()}).encode()),
    "JSON, indented": ("a.json", lambda e, f: json.dumps({"eeprom": e.tolist(), "frames": f.tolist()}, indent=1).encode()),
    "lists of Python": ("a.log", lambda e, f: f"eeprom: {e.tolist()}\n".encode() + b"".join(f"frame: {row.tolist()}\n".encode() for row in f)),
    "headings and lines of numbers": (
        "a.txt",
        lambda e, f: ("EEPROM dump\n" + grid(e) + "\n" + "".join(f"Frame {at}:\n{grid(row)}\n" for at, row in enumerate(f))).encode(),
    ),
    "one number a line": ("a.txt", lambda e, f: "\n".join(map(str, [*e.tolist(), *f.ravel().tolist()])).encode()),
    "hexadecimal words": (
        "a.txt",
        lambda e, f: ("EEPROM\n" + grid(e, " ", "{:04X}") + "".join(f"\nFRAME {at}\n{grid(row, ' ', '{:04x}')}" for at, row in enumerate(f))).encode(),
    ),
    "hexadecimal words of any length, one a line": (
        "a.txt",
        lambda e, f: "\n".join(f"{word:x}" for word in [*e.tolist(), *f.ravel().tolist()]).encode(),
    ),
    "hexadecimal words of any length, some a line": (
        "a.txt",
        lambda e, f: (grid(e, " ", "{:X}") + "".join(f"\nframe {at}\n{grid(row, ' ', '{:x}')}" for at, row in enumerate(f))).encode(),
    ),
    "one string of hexadecimal digits, as xxd -p": (
        "a.hex",
        lambda e, f: "\n".join(
            (e.astype(">u2").tobytes() + f.astype(">u2").tobytes()).hex()[at : at + 64] for at in range(0, 4 * (832 + f.size), 64)
        ).encode(),
    ),
    "od -x": (
        "a.txt",
        lambda e, f: "\n".join(
            f"{at:07o} " + " ".join(f"{word:04x}" for word in words)
            for block in (e, f.ravel())
            for at, words in ((16 * n, block[8 * n : 8 * n + 8].tolist()) for n in range((len(block) + 7) // 8))
        ).encode(),
    ),
    "CSV in quotation marks": (
        "a.csv",
        lambda e, f: "\n".join(",".join(f'"{word}"' for word in row.tolist()) for row in [e, *f]).encode(),
    ),
    "a matrix of MATLAB": (
        "a.m",
        lambda e, f: f"ee = [{' '.join(map(str, e.tolist()))}];\nframes = [{'; '.join(' '.join(map(str, row.tolist())) for row in f)}];".encode(),
    ),
    "hexadecimal words with 0x": ("a.txt", lambda e, f: (grid(e, ", ", "0x{:04x}") + "\n" + grid(f.ravel(), ", ", "0x{:X}")).encode()),
    "hexadecimal bytes of an I2C log": (
        "a.log",
        lambda e, f: (
            "ee data\n" + hexdump(e.astype(">u2").tobytes()) + "".join(f"\nread {at} ok\n{hexdump(row.astype('>u2').tobytes())}" for at, row in enumerate(f))
        ).encode(),
    ),
    "bytes as the sensor sends them": ("a.bin", lambda e, f: e.astype(">u2").tobytes() + f.astype(">u2").tobytes()),
    "text in UTF-16": ("a.csv", lambda e, f: "\n".join(",".join(map(str, row.tolist())) for row in [e, *f]).encode("utf-16")),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True], ids=["", "bytes turned"])
@pytest.mark.parametrize(("name", "write"), WRITERS.values(), ids=WRITERS.keys())
def test_every_format_gives_the_same_words(name: str, write: Writer, turned: bool) -> None:
    eeprom, frames = (EEPROM.byteswap(), FRAMES.byteswap()) if turned else (EEPROM, FRAMES)
    dump = dump_of(write(eeprom, frames), name)
    assert dump.eeprom is not None
    np.testing.assert_array_equal(dump.eeprom, EEPROM)
    np.testing.assert_array_equal(dump.frames, FRAMES)
    assert len(dump.notes) == (2 if turned else 0)
    assert all("round" in note for note in dump.notes)


@pytest.mark.parametrize(("name", "write"), WRITERS.values(), ids=WRITERS.keys())
def test_an_eeprom_comes_alone_too(name: str, write: Writer) -> None:
    np.testing.assert_array_equal(read_eeprom(io.BytesIO(write(EEPROM, FRAMES)), name), EEPROM)
    alone = write(EEPROM, FRAMES[:0])
    np.testing.assert_array_equal(read_eeprom(io.BytesIO(alone), name), EEPROM)


def test_frames_come_alone_with_another_files_eeprom() -> None:
    csv = "\n".join(",".join(map(str, row.tolist())) for row in FRAMES).encode()
    assert dump_of(csv, "frames.csv").eeprom is None
    for turned in (FRAMES, FRAMES.byteswap()):
        stream = io.BytesIO()
        np.save(stream, turned)
        dump = dump_of(stream.getvalue(), "frames.npy", EEPROM)
        np.testing.assert_array_equal(dump.frames, FRAMES)
    with pytest.raises(StorageError, match="holds frames and no EEPROM"):
        read_eeprom(io.BytesIO(csv), "frames.csv")


def test_a_status_register_in_place_of_the_subpage_is_understood() -> None:
    frames = FRAMES.copy()
    frames[:, SUBPAGE] |= 0x0038
    dump = dump_of(npz(eeprom=EEPROM, frames=frames), "a.npz")
    np.testing.assert_array_equal(dump.frames, FRAMES)
    assert "status register" in dump.notes[0]
    frames[1, SUBPAGE] = 0x1901  # no status register has that
    np.testing.assert_array_equal(dump_of(npz(eeprom=EEPROM, frames=frames), "a.npz").frames, frames)


def test_ram_alone_holds_both_subpages() -> None:
    ram = FRAMES[1::2, :832]
    for data, name in (
        (npz(eeprom=EEPROM, ram=ram), "a.npz"),
        ("\n".join(",".join(map(str, row.tolist())) for row in [EEPROM, *ram]).encode(), "a.csv"),
    ):
        dump = dump_of(data, name)
        assert dump.frames.shape == (6, 834)
        np.testing.assert_array_equal(dump.frames[0::2, :832], ram)
        np.testing.assert_array_equal(dump.frames[1::2, :832], ram)
        assert (dump.frames[:, CONTROL] == EEPROM[12]).all()
        assert dump.frames[:, SUBPAGE].tolist() == [0, 1] * 3
        assert "RAM alone" in dump.notes[0]


def test_a_corrupt_eeprom_is_named_by_its_word() -> None:
    corrupt = EEPROM.copy()
    corrupt[0x30] = 0xFFFF
    for data in (npz(eeprom=corrupt, frames=FRAMES), json.dumps({"eeprom": corrupt.tolist()}).encode()):
        with pytest.raises(EepromError, match="0x2430"):
            dump_of(data)
    with pytest.raises(EepromError, match="0x2430"):
        read_eeprom(io.BytesIO(corrupt.astype(">u2").tobytes()), "a.bin")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pkl", pickle.dumps({"eeprom": EEPROM}), r"pickle.*never loaded.*numpy\.savez"),
        ("a.npz", pickle.dumps(1, protocol=2), "pickle"),
        ("a.npy", b"", "holds no such numbers"),
        ("a.npz", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n", "git lfs pull"),
        ("a.mcap", b"\x89MCAP0\r\n", "thermo-host replay"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("a.csv.gz", b"\x1f\x8b\x08", "gunzip"),
        ("a.html", b"<!DOCTYPE html><html>", "web page"),
        ("a.csv", "\n".join(",".join(["33.25"] * 768) for _ in range(3)).encode(), "decimals"),
        ("a.csv", ",".join(["1"] * 768).encode(), "768 numbers"),
        ("a.csv", ",".join(["1"] * 835).encode(), "835 numbers"),
        ("a.csv", ",".join(["70000"] * 834).encode(), "70000"),
        ("a.csv", ",".join(["99999999999"] * 834).encode(), "more than 16 bits"),
        ("a.csv", ",".join(["-5", "40000"] * 417).encode(), "-5 to 40000"),
        ("a.bin", bytes(1001), "1001 bytes"),
        ("a.bin", bytes(1000), "500 numbers"),
        ("a.txt", b"Lorem ipsum dolor sit amet", "no such numbers"),
        ("a.json", json.dumps({"a": [1] * 832, "b": [2] * 834}).encode(), "832 and of 834"),
        ("a.npz", npz(picture=np.zeros((3, 24, 32))), "picture"),
        ("a.npz", npz(eeprom=EEPROM.astype(float)), "float64"),
        ("a.npz", npz(eeprom=EEPROM, frames=np.zeros((2, 768), int)), "768"),
        ("a.npz", npz(eeprom=EEPROM, frames=np.array(5)), "shape"),
        ("a.npz", npz(eeprom=np.array([{}] * 832, dtype=object)), "never loaded"),
    ],
)
def test_what_is_not_clear_is_named(name: str, data: bytes, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        dump_of(data, name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b"0x", b",", b"\n", b"eeprom", b"-", b"1e5", b".5", b"00ff ", b"\x93NUMPY\x01\x00"]
    ),
    st.integers(-(2**33), 2**33).map(lambda number: f"{number} ".encode()),
    st.just(b"1 " * 832),
    st.just(b"0x1, " * 834),
)


@few(120, of=400)
@given(st.lists(PIECES, max_size=12).map(b"".join), st.sampled_from(["a.csv", "a.bin", "a.npz", "a.txt"]))
@example(b"PK\x03\x04" + b"\xff" * 60, "a.npz")
@example(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "a.npy")
@example(b"\x93NUMPY\x01\x00\x10\x00{'descr': ('<f8'", "a.npy")  # a bracket that is never closed
def test_no_bytes_are_a_bug(data: bytes, name: str) -> None:
    try:
        dump_of(data, name)
    except ThermoError as error:
        assert "\n" not in str(error)


@few(100, of=300)
@given(st.data())
def test_no_damaged_archive_is_a_bug(data: st.DataObject) -> None:
    whole = bytearray(npz(eeprom=EEPROM, frames=FRAMES[:2]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        dump_of(bytes(whole[: data.draw(st.integers(0, len(whole)))]), "a.npz")
    except ThermoError as error:
        assert "\n" not in str(error)


def bomb(shape: str, size: int) -> bytes:
    """An archive whose array of zeros is small while it is packed."""
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("frames.npy", "w") as member:
        member.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        for _ in range(size // (1 << 20)):
            member.write(bytes(1 << 20))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("shape", "size"), [("(2000000, 834)", 64 << 20), ("(834,)", 64 << 20), ("(3, 400000000, 834)", 1 << 20)]
)
def test_a_small_archive_takes_little_memory(shape: str, size: int) -> None:
    data = bomb(shape, size)
    assert len(data) < 1 << 20
    tracemalloc.start()
    try:
        with contextlib.suppress(StorageError):
            dump_of(data, "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_header_of_any_length_is_not_read() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(StorageError, match="header"):
            read_npy(io.BytesIO(b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(100)), "a.npy")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_the_public_cases_are_read(shared_dir: Path) -> None:
    """Words of a real sensor, swapped, with status registers, shifted, as CSV and as the kernel gives them."""
    folder = shared_dir / "cases" / "public_reports"
    with (folder / "F06-kernel-nvmem-little-endian" / "nvmem.bin").open("rb") as file:
        kernel = read_eeprom(file, "nvmem.bin")
    with (folder / "F01-eeprom-bytes-swapped" / "dump.npz").open("rb") as file:
        swapped = read_dump(file, "dump.npz")
    assert swapped.eeprom is not None
    np.testing.assert_array_equal(swapped.eeprom, kernel)
    with (folder / "F03-status-register-as-subpage" / "dump.npz").open("rb") as file:
        status = read_dump(file, "dump.npz")
    np.testing.assert_array_equal(status.frames, swapped.frames)
    with (folder / "F05-csv-of-words" / "frames.csv").open("rb") as file:
        assert read_dump(file, "frames.csv", kernel).frames.shape == (2, 834)
