"""Boards that run nothing of ours, programmed through the RP2040's genuine boot ROM, and the files they are programmed from."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
import usb.core
from boot_rom import BootRom, Cable, Disk
from hypothesis import given
from hypothesis import strategies as st
from stm32_boot_rom import Stm32BootRom
from typer.testing import CliRunner

from thermo_core.errors import AmbiguousPortError, ImageFormatError, LinkError, PortNotFoundError, UsageError
from thermo_core.firmware import elf, uf2
from thermo_core.firmware.segments import Segment, filled
from thermo_host.application import application
from thermo_host.bootmode import drives, firmware_file, picoboot, programs

FLASH = 0x10000000
CONTENT = bytes(range(256)) * 18 + b"the end"
FIRMWARE = firmware_file.Firmware(Path("some.uf2"), (Segment(FLASH + 0x1000, CONTENT),), "rp2040")


@pytest.fixture(scope="module")
def board() -> BootRom:
    return BootRom()


def info(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "INFO_UF2.TXT").write_text(text)
    return folder


def test_the_boot_rom_is_programmed_over_picoboot_and_starts_anew(board: BootRom) -> None:
    cable = Cable(board)
    board.flash[0x1000:0x3000] = bytes(0x2000)
    device = picoboot.choose(None, cable)
    assert picoboot.serial_of(device) != ""
    reported: list[tuple[int, int]] = []
    assert picoboot.flash(device, FIRMWARE, lambda done, total: reported.append((done, total))) == 0x2000
    assert bytes(board.flash[0x1000 : 0x1000 + len(CONTENT)]) == CONTENT
    assert set(board.flash[0x1000 + len(CONTENT) : 0x3000]) == {0xFF}
    assert reported == [(0x2000, 0x2000)]
    board.wait(lambda: board.restarts == 1)


@pytest.mark.parametrize(("command", "why"), [("write", "not aligned"), ("unknown", "does not know")])
def test_what_the_boot_rom_refuses_is_said_with_its_reason(command: str, why: str) -> None:
    with picoboot.Picoboot(picoboot.choose(None, Cable(BootRom()))) as held, pytest.raises(LinkError, match=why):
        if command == "write":
            held.write(FLASH + 1, bytes(256))
        else:
            held._command("dance", 0x77)


def test_the_boot_rom_takes_our_uf2_file_from_its_drive() -> None:
    fresh = BootRom()
    disk = Disk(fresh)
    file = uf2.encode(FIRMWARE.segments, uf2.FAMILIES["rp2040"])
    disk.write(1000, file)
    fresh.wait(lambda: fresh.restarts == 1)
    assert bytes(fresh.flash[0x1000 : 0x1000 + len(CONTENT)]) == CONTENT


def test_the_boot_roms_own_drive_is_known_for_what_it_is(tmp_path: Path) -> None:
    text = Disk(BootRom()).file(b"INFO_UF2TXT").decode()
    found = drives.read(info(tmp_path, text))
    assert found is not None
    assert (found.board, found.chip) == ("RPI-RP2", "rp2040")


def test_a_drive_is_given_the_file_that_its_chip_takes(tmp_path: Path) -> None:
    folder = info(tmp_path / "RPI-RP2", "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    drive = drives.choose(None, [tmp_path, folder])
    assert drives.flash(drive, FIRMWARE) == len(CONTENT)
    held = uf2.decode((folder / "FIRMWARE.UF2").read_bytes())
    assert (held.chip, held.segments) == ("rp2040", filled(FIRMWARE.segments, uf2.SECTOR_BYTES))


def test_drives_that_are_none_too_many_or_of_another_chip_are_refused(tmp_path: Path) -> None:
    pico = info(tmp_path / "pico", "Model: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    xiao = info(tmp_path / "xiao", "Model: Seeed XIAO nRF52840\nBoard-ID: Seeed_XIAO_nRF52840_Sense\n")
    other = info(tmp_path / "other", "Model: \x1b[2Jclear\nBoard-ID: SAMD21\n")
    with pytest.raises(PortNotFoundError, match="hold BOOTSEL"):
        drives.choose(tmp_path)
    with pytest.raises(PortNotFoundError, match="No board shows itself"):
        drives.choose(None, [])
    with pytest.raises(AmbiguousPortError, match=r"pico.*xiao"):
        drives.choose(None, [pico, xiao])
    with pytest.raises(ImageFormatError, match=r"for rp2040.*nRF52840"):
        drives.flash(drives.choose(xiao), FIRMWARE)
    with pytest.raises(ImageFormatError, match=r"keeps for itself.*--via pyocd"):
        drives.flash(drives.choose(xiao), firmware_file.Firmware(Path("x.elf"), (Segment(0, CONTENT),), None))
    found = drives.choose(other)
    assert "\x1b" not in found.model
    with pytest.raises(ImageFormatError, match="SAMD21"):
        drives.flash(found, FIRMWARE)
    assert not (xiao / "FIRMWARE.UF2").exists()


def test_a_firmware_for_another_chip_never_reaches_the_board() -> None:
    elsewhere = firmware_file.Firmware(Path("x.elf"), (Segment(0x0800_0000, b"\1"),), None)
    device = usb.core.find(backend=Cable(BootRom()))
    with pytest.raises(ImageFormatError, match="0x8000000"):
        picoboot.flash(device, elsewhere)
    with pytest.raises(ImageFormatError, match="for nrf52840"):
        picoboot.flash(device, firmware_file.Firmware(Path("x.uf2"), FIRMWARE.segments, "nrf52840"))


def test_without_a_board_in_boot_mode_the_way_there_is_said() -> None:
    with pytest.raises(PortNotFoundError, match="hold BOOTSEL"):
        picoboot.choose(None, Cable(None))


SEGMENTS = st.lists(
    st.tuples(st.integers(0, 20), st.binary(min_size=1, max_size=3000)),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one[0],
).map(lambda parts: tuple(Segment(FLASH + 0x1000 * place, data) for place, data in sorted(parts)))


@given(SEGMENTS)
def test_uf2_gives_back_whole_sectors(segments: tuple[Segment, ...]) -> None:
    held = uf2.decode(uf2.encode(segments, uf2.FAMILIES["nrf52840"]))
    flash = {one.address + place: byte for one in held.segments for place, byte in enumerate(one.data)}
    assert held.chip == "nrf52840"
    assert len(flash) % uf2.SECTOR_BYTES == 0
    for segment in segments:
        for place, byte in enumerate(segment.data):
            assert flash.pop(segment.address + place) == byte
    assert set(flash.values()) <= {0xFF}


@given(st.data())
def test_a_damaged_uf2_file_is_refused_or_read_whole(data: st.DataObject) -> None:
    whole = bytearray(uf2.encode(FIRMWARE.segments, uf2.FAMILIES["rp2040"]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(whole), len(whole), data.draw(st.integers(0, len(whole)))]))
    try:
        held = uf2.decode(bytes(whole[:cut]))
    except ImageFormatError as error:
        assert str(error)[-1] == "."
    else:
        assert all(segment.data for segment in held.segments)


def test_an_elf_file_gives_what_objcopy_gives(tmp_path: Path) -> None:
    source, program, flat = tmp_path / "a.c", tmp_path / "a.elf", tmp_path / "a.bin"
    source.write_text(
        'const char words[] = "in flash"; int counter = 7; void _start(void) { counter++; for (;;) {} }\n'
    )
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", "-nostdlib", "-Wl,-Ttext=0x10000100,--no-warn-rwx-segments", str(source), "-o", str(program)],
        check=True,
    )  # fmt: skip
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(program), str(flat)], check=True)
    segments = elf.segments(program.read_bytes())
    content = bytearray(segments[-1].end - segments[0].address)
    for segment in segments:
        content[segment.address - segments[0].address :][: len(segment.data)] = segment.data
        start = segment.address - segments[0].address
        content[start : start + len(segment.data)] = segment.data
    begin = content.find(flat.read_bytes()[:16])
    assert bytes(content[begin : begin + flat.stat().st_size]) == flat.read_bytes()


@pytest.mark.parametrize("size", [0, 3, 20, 51, 60, 200])
def test_a_cut_elf_file_is_refused(size: int) -> None:
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 40, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    whole = header + struct.pack("<8I", 1, 84, FLASH, FLASH, 200, 200, 5, 4) + bytes(200)
    assert elf.segments(whole) == (Segment(FLASH, bytes(200)),)
    with pytest.raises(ImageFormatError):
        elf.segments(whole[:size])


def stm32() -> firmware_file.Firmware:
    return firmware_file.Firmware(Path("some.bin"), (Segment(0x08000000, CONTENT),), None)


def test_stm32loader_programs_what_its_boot_rom_then_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "modem_lines.so"
    source = Path(__file__).parent / "shim/modem_lines.c"
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(shim), "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    with Stm32BootRom() as board:
        assert programs.flash("stm32loader", stm32(), str(board.port), "F4") == len(CONTENT)
    assert bytes(board.flash[: len(CONTENT)]) == CONTENT
    assert board.erased == [-1] and board.started == 0x08000000


def test_stm32flash_programs_what_its_boot_rom_then_starts() -> None:
    if not shutil.which("stm32flash"):
        pytest.skip("hardware absent: stm32flash is not installed")
    with Stm32BootRom() as board:
        # A pseudo-terminal has no parity bit, and stm32flash looks whether its even parity was set.
        assert programs.flash("stm32flash", stm32(), str(board.port), say=("-m", "8n1")) == len(CONTENT)
    assert bytes(board.flash[: len(CONTENT)]) == CONTENT
    assert board.erased and board.started == 0x08000000


def test_what_a_program_needs_to_be_told_is_said_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stm32loader", "stm32flash"):
        with pytest.raises(UsageError, match="serial port"):
            programs.flash(name, stm32(), None)
    with pytest.raises(UsageError, match="leave --chip out"):
        programs.flash("stm32flash", stm32(), "/dev/ttyS0", "F4")
    with pytest.raises(ImageFormatError, match="no flash of an STM32"):
        programs.flash("stm32loader", FIRMWARE, "/dev/ttyS0")
    with pytest.raises(ImageFormatError, match="2 places"):
        programs.flash(
            "stm32loader", firmware_file.Firmware(Path("x"), (*stm32().segments, Segment(0, b"1")), None), "x"
        )
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt install stm32flash"):
        programs.flash("stm32flash", stm32(), "/dev/ttyS0")
    with pytest.raises(UsageError, match="pip install pyocd"):
        programs.flash("pyocd", FIRMWARE, None)


def test_pyocd_is_told_target_address_and_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, said = tmp_path / "pyocd", tmp_path / "said"
    program.write_text(f'#!/bin/sh\necho "$@" > {said}\nfor last; do :; done\ncat "$last" >> {said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert programs.flash("pyocd", FIRMWARE, "E6614103E7") == len(CONTENT)
    first, _, content = said.read_bytes().partition(b"\n")
    assert (
        first.decode().split()[:8]
        == "flash --target rp2040 --uid E6614103E7 --base-address 0x10001000 --format".split()
    )
    assert content == CONTENT


def test_the_command_flashes_a_drive_and_says_that_nobody_signed(tmp_path: Path) -> None:
    folder = info(tmp_path / "RPI-RP2", "Model: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    plain = tmp_path / "some.bin"
    plain.write_bytes(CONTENT)
    result = CliRunner().invoke(
        application(["flash"]), ["flash", "--via", "uf2", "--address", "0x10001000", "--json", str(folder), str(plain)]
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["via"], said["bytes"]) == ("uf2", len(CONTENT))
    assert "Not a medical device" in said["notice"]
    assert uf2.decode((folder / "FIRMWARE.UF2").read_bytes()).segments[0].data.startswith(CONTENT)


def test_files_and_options_that_do_not_fit_are_refused_in_a_sentence(tmp_path: Path) -> None:
    plain, note = tmp_path / "some.bin", tmp_path / "note.txt"
    plain.write_bytes(CONTENT)
    note.write_text("hello")
    whole = tmp_path / "some.uf2"
    whole.write_bytes(uf2.encode(FIRMWARE.segments, uf2.FAMILIES["rp2040"]))
    with pytest.raises(UsageError, match="--address"):
        firmware_file.load(plain)
    with pytest.raises(UsageError, match="leave --address out"):
        firmware_file.load(whole, FLASH)
    with pytest.raises(ImageFormatError, match="no firmware"):
        firmware_file.load(note)
    with pytest.raises(ImageFormatError, match="chip family"):
        whole.write_bytes(uf2.encode(FIRMWARE.segments, 0x12345678))
        firmware_file.load(whole)
