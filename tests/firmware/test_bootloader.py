"""A whole board with its bootloader, exchanged by thermo-host, smpclient and smpmgr: loader, slot A, update, slot B, revert."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from smpclient.requests.image_management import ImageStatesWrite
from smpclient.requests.os_management import ResetWrite
from stock_clients import ask, images, smpmgr
from two_slots import KEY, signed, update

from thermo_core.errors import DowngradeError, RefusedError
from thermo_core.firmware.archive import FirmwareFile, unpack
from thermo_core.firmware.signed import sign
from thermo_core.image import Version
from thermo_host.flash_firmware import FirmwareCandidate, flash_firmware
from thermo_host.link.wearable import Wearable
from thermo_sim.board import Board, BoardOptions

pytestmark = pytest.mark.lengthy

BOARD = "mps2-an386"


@pytest.fixture(scope="module")
def built() -> Path:
    if not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulated microcontroller (qemu-system-arm is not installed)")
    return update("mps2_an386")


@pytest.fixture(scope="module")
def versions(built: Path) -> dict[str, FirmwareFile]:
    return {version: unpack(signed(built, BOARD, version)) for version in ("1.0.0", "2.0.0", "3.0.0")}


def options(built: Path, folder: Path, firmware: bytes | None) -> BoardOptions:
    """A board with a firmware in slot A, or with none at all."""
    path = built / "loader.elf"
    if firmware is not None:
        path = folder / "firmware.zip"
        path.write_bytes(firmware)
    return BoardOptions(link=folder / "wearable", kind=BOARD, firmware=path, state=folder / "state", warm_up=False)


def states(wearable: Wearable) -> list[tuple[int, str, bool, bool]]:
    """Slot, version, active, confirmed of each image."""
    return [(one.slot, one.version, bool(one.active), bool(one.confirmed)) for one in wearable.images()]


def test_a_firmware_is_exchanged_kept_and_taken_back(
    built: Path, versions: dict[str, FirmwareFile], tmp_path: Path
) -> None:
    with (
        Board(options(built, tmp_path, signed(built, BOARD, "1.0.0"))) as board,
        Wearable.open(str(board.options.link), timeout_s=20) as wearable,
    ):
        assert states(wearable) == [(0, "1.0.0", True, True)]
        steps: list[str] = []
        candidate = FirmwareCandidate(versions["2.0.0"])
        done = flash_firmware(wearable, candidate, step=steps.append)
        assert (done.version, done.previous, done.confirmed, done.unchanged) == ("2.0.0", "1.0.0", True, False)
        assert steps == ["check", "upload", "test", "reset", "self-test", "confirm"] and candidate.development
        assert flash_firmware(wearable, candidate).unchanged
        with pytest.raises(DowngradeError, match="sign it with a newer version"):
            flash_firmware(wearable, FirmwareCandidate(versions["1.0.0"]))
        with pytest.raises(RefusedError, match="linked for the free slot"):
            wearable.upload(versions["3.0.0"].data[1])
        wearable.reset()
        assert states(wearable) == [(0, "1.0.0", False, True), (1, "2.0.0", True, True)]
        flash_firmware(wearable, FirmwareCandidate(versions["3.0.0"]), confirm=False)
        assert states(wearable) == [(0, "3.0.0", True, False), (1, "2.0.0", False, True)]
        with pytest.raises(RefusedError, match="on trial"):
            wearable.erase_image()
        wearable.reset()
        assert states(wearable) == [(0, "3.0.0", False, False), (1, "2.0.0", True, True)]


def test_a_bootloader_without_a_firmware_takes_one(
    built: Path, versions: dict[str, FirmwareFile], tmp_path: Path
) -> None:
    with (
        Board(options(built, tmp_path, None)) as board,
        Wearable.open_for_flash(str(board.options.link), timeout_s=20) as wearable,
    ):
        assert wearable.images() == []
        assert wearable.echo("anybody?") == "anybody?"
        done = flash_firmware(wearable, FirmwareCandidate(versions["1.0.0"]))
        assert (done.version, done.previous, done.confirmed) == ("1.0.0", "", True)
        assert states(wearable) == [(0, "1.0.0", True, True)]


def test_a_firmware_that_hangs_is_taken_back_by_the_watchdog(
    built: Path, versions: dict[str, FirmwareFile], tmp_path: Path
) -> None:
    """Its vectors are good, and it does nothing, nor on an interrupt."""
    address = versions["1.0.0"].images[1].address
    assert address is not None
    loop = (address + 512 + 64 + 1).to_bytes(4, "little")
    vectors = (0x20001000).to_bytes(4, "little") + 15 * loop
    hung = sign(vectors + bytes.fromhex("fee7fee7"), Version(9), KEY, address=address)
    with (
        Board(options(built, tmp_path, signed(built, BOARD, "1.0.0"))) as board,
        Wearable.open(str(board.options.link), timeout_s=20) as wearable,
    ):
        wearable.upload(hung)
        (other,) = (state for state in wearable.images() if not state.active)
        wearable.test_image(bytes(other.hash or b""))
        wearable.reset(timeout_s=90)
        assert states(wearable) == [(0, "1.0.0", True, True), (1, "9.0.0", False, False)]


def test_stock_clients_do_the_same_update(built: Path, versions: dict[str, FirmwareFile], tmp_path: Path) -> None:
    file = tmp_path / "slot1.img"
    file.write_bytes(versions["2.0.0"].data[1])
    digest = versions["2.0.0"].images[1].sha512
    with Board(options(built, tmp_path, signed(built, BOARD, "1.0.0"))) as board:
        link = str(board.options.link)
        smpmgr(link, "--line-length", "128", "--line-buffers", "16", "image", "upload", str(file))
        smpmgr(link, "image", "state-write", digest.hex())
        assert [one.pending for one in images(link)] == [False, True]
        ask(link, ResetWrite())
        assert [(one.version, one.active, one.confirmed) for one in images(link)] == [
            ("1.0.0", False, True),
            ("2.0.0", True, False),
        ]
        ask(link, ImageStatesWrite(confirm=True))
        assert [one.confirmed for one in images(link)] == [True, True]


def test_options_are_those_of_other_boards(built: Path, tmp_path: Path) -> None:
    first = options(built, tmp_path, None)
    with pytest.raises(Exception, match="no bootloader"):
        Board(replace(first, kind="host", firmware=tmp_path / "x.zip"))
