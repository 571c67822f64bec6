"""A model without a firmware: a container goes into a slot of image 1, is tried, runs instead of the compiled network, and stays or goes."""

import shutil
import struct
from pathlib import Path

import pytest
from two_slots import signed, update

from thermo_core.bundle import Bundle
from thermo_core.errors import DowngradeError, RefusedError, SignatureError
from thermo_core.firmware.signed import sign
from thermo_core.image import Version, load_private_key, load_public_key, verify
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY
from thermo_host.flash_model import ModelCandidate, flash_model, load_model
from thermo_host.link.wearable import Wearable
from thermo_quantize.container import layout
from thermo_quantize.container.build import build
from thermo_sim.board import Board, BoardOptions

ROOT = Path(__file__).resolve().parents[2]
BOARD = "mps2-an386"


@pytest.fixture(scope="module")
def built() -> Path:
    if not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulated microcontroller (qemu-system-arm is not installed)")
    return update("mps2_an386")


@pytest.fixture(scope="module")
def container(built: Path) -> bytes:
    data = (ROOT / "models/thermo_models/wearables/breast-patch/bundle.img").read_bytes()
    image = verify(data, [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())])
    return build(Bundle.from_payload(image.payload), "m4").data


def options(built: Path, folder: Path) -> BoardOptions:
    """A board with firmware 1.0.0 in slot A."""
    path = folder / "firmware.zip"
    path.write_bytes(signed(built, BOARD, "1.0.0"))
    return BoardOptions(link=folder / "wearable", kind=BOARD, firmware=path, state=folder / "state", warm_up=False)


def model(container: bytes, version: int, folder: Path) -> ModelCandidate:
    """The container as a file that a host reads."""
    path = folder / f"{version}.img"
    path.write_bytes(sign(container, Version(version), load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes())))
    found = load_model(path)
    assert found is not None and found.target == "m4" and found.development
    return found


def lying(container: bytes) -> bytes:
    """The same, but that a golden vector wants another output than the network gives."""
    network = layout.HEADER.unpack_from(container)[6]
    _, _, _, ends_at, inputs, tests_at, _ = layout.NETWORK.unpack_from(container, network)
    elements = [layout.END.unpack_from(container, ends_at + number * layout.END.size)[1] for number in range(inputs)]
    data = bytearray(container)
    data[tests_at + sum(elements)] ^= 1
    return bytes(data)


def models(wearable: Wearable) -> list[tuple[int, str, bool, bool]]:
    """Slot, version, active, confirmed of the models in slots."""
    found = [one for one in wearable.images() if one.image == 1]
    return [(one.slot, one.version, bool(one.active), bool(one.confirmed)) for one in found]


def test_a_model_is_exchanged_kept_and_taken_back(built: Path, container: bytes, tmp_path: Path) -> None:
    with (
        Board(options(built, tmp_path)) as board,
        Wearable.open(str(board.options.link), timeout_s=20) as wearable,
    ):
        assert models(wearable) == []
        second = model(container, 2, tmp_path)
        steps: list[str] = []
        done = flash_model(wearable, second, step=steps.append)
        assert steps == ["check", "upload", "test", "reset", "self-test", "confirm"]
        assert (done.version, done.previous, done.confirmed) == ("2.0.0", "", True)
        assert {"model lesion"} <= {one.name for one in done.self_test if one.passed}
        assert models(wearable) == [(0, "2.0.0", True, True)]
        assert flash_model(wearable, second).unchanged
        with pytest.raises(DowngradeError, match="newer version"):
            flash_model(wearable, model(container, 1, tmp_path))

        with pytest.raises(RefusedError, match=r"did not start the new model and runs model 2\.0\.0"):
            flash_model(wearable, model(lying(container), 3, tmp_path))
        assert (0, "2.0.0", True, True) in models(wearable)

        flash_model(wearable, model(container, 4, tmp_path), confirm=False)
        assert (1, "4.0.0", True, False) in models(wearable)
        wearable.reset()
        assert [one for one in models(wearable) if one[2]] == [(0, "2.0.0", True, True)]


def test_a_model_that_does_not_suit_is_refused_when_it_came_in(built: Path, container: bytes, tmp_path: Path) -> None:
    stages_at = layout.HEADER.unpack_from(container)[7]
    unknown = bytearray(container)
    unknown[stages_at : stages_at + 8] = b"moonwalk"
    sensor = bytearray(container)
    sensor[layout.HEADER.size - 1] ^= 1
    arena = bytearray(container)
    network = layout.HEADER.unpack_from(container)[6]
    for at in (12, network + 8):
        arena[at : at + 4] = struct.pack("<I", 1 << 20)
    with (
        Board(options(built, tmp_path)) as board,
        Wearable.open(str(board.options.link), timeout_s=20) as wearable,
    ):
        cases = (
            (unknown, 'needs the stage "moonwalk", which this firmware does not have'),
            (sensor, "for other sensors"),
            (arena, "needs 1048576 bytes of memory and this firmware has 4136"),
        )
        for version, (data, said) in enumerate(cases, 2):
            with pytest.raises(RefusedError, match=said):
                flash_model(wearable, model(bytes(data), version, tmp_path))
            assert not any(active for _, _, active, _ in models(wearable))


def test_a_damaged_model_is_not_sent(container: bytes, tmp_path: Path) -> None:
    good = model(container, 2, tmp_path)
    path = tmp_path / "damaged.img"
    path.write_bytes(good.data[:5000] + bytes([good.data[5000] ^ 1]) + good.data[5001:])
    with pytest.raises(SignatureError, match="hash does not match"):
        load_model(path)
    path.write_bytes(b"notes")
    assert load_model(path) is None
