"""A model without a firmware: a container goes into a slot of image 1, is tried, runs with its stages and alerts in place of what is compiled
in, and stays or goes."""

import json
import shutil
import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest
from running import engine_of, hear, of
from smpclient.requests.os_management import ResetWrite
from stock_clients import ask, images, smpmgr
from two_slots import KEY as FIRMWARE_KEY
from two_slots import signed, update
from typer.testing import CliRunner

from thermo_core import schema
from thermo_core.bundle import Bundle
from thermo_core.errors import DowngradeError, RefusedError, SignatureError
from thermo_core.firmware import companions
from thermo_core.firmware.container import HEADER
from thermo_core.firmware.signed import sign
from thermo_core.graph.alerts import AlertState
from thermo_core.image import Version, load_private_key, load_public_key, parse, verify
from thermo_core.sensors.kind import Block
from thermo_core.stages.centre import Centre
from thermo_core.stages.gaussian import Gaussian
from thermo_core.wire.records import AlertRecord, FindingRecord, Record
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY, DEVELOPMENT_PUBLIC_KEY
from thermo_host.application import application
from thermo_host.flash_model import ModelCandidate, flash_model, load_model
from thermo_host.link.wearable import Wearable
from thermo_quantize.container import layout
from thermo_quantize.container.build import build, sign_containers
from thermo_quantize.sign import sign_bundle
from thermo_sim.board import Board, BoardOptions

pytestmark = pytest.mark.lengthy

ROOT = Path(__file__).resolve().parents[2]
BOARD = "mps2-an386"
SCORE = 0.02
"""A float of the firmware's may move a score by some steps of 1/256."""
SHIPPED = ROOT / "models/thermo_models/wearables/breast-patch/bundle.img"


@pytest.fixture(scope="module")
def built() -> Path:
    if not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulated microcontroller (qemu-system-arm is not installed)")
    return update("mps2_an386")


@pytest.fixture(scope="module")
def container(built: Path) -> bytes:
    return build(verify(SHIPPED.read_bytes(), [load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())])).data


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
    assert found is not None and found.fit.target == "m4" and found.development
    return found


def lying(container: bytes) -> bytes:
    """The same, but that a golden vector wants another output than the network gives."""
    network = HEADER.unpack_from(container)[6]
    _, _, _, ends_at, inputs, tests_at, _ = layout.NETWORK.unpack_from(container, network)
    elements = [layout.END.unpack_from(container, ends_at + number * layout.END.size)[1] for number in range(inputs)]
    data = bytearray(container)
    data[tests_at + sum(elements)] ^= 1
    return bytes(data)


def models(wearable: Wearable) -> list[tuple[int, str, bool, bool]]:
    """Slot, version, active, confirmed of the models in slots."""
    found = [one for one in wearable.images() if one.image == 1]
    return [(one.slot, one.version, bool(one.active), bool(one.confirmed)) for one in found]


def other_bundle(version: str, targets: tuple[str, ...] = ("m4",)) -> tuple[bytes, Bundle]:
    """A bundle with other stages, other constants of those that stay, and other alerts than the firmware's; what is in it."""
    key = load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes())
    shipped = Bundle.from_payload(verify(SHIPPED.read_bytes(), [key.public_key()]).payload)
    named = {stage.gives: stage for stage in shipped.profile.stages}
    average, centre = named["calm"], named["above"]
    assert isinstance(centre, Centre)
    (lesion,), (alert,) = shipped.profile.models, shipped.profile.alerts
    profile = msgspec.structs.replace(
        shipped.profile,
        stages=(
            msgspec.structs.replace(average, pictures=4),
            Gaussian(of="calm", gives="smooth", sigma=0.8),
            msgspec.structs.replace(centre, of="smooth"),
        ),
        models=(msgspec.structs.replace(lesion, read=None),),
        alerts=(
            msgspec.structs.replace(alert, name="any", when="lesion.lesion >= 0.01"),
            msgspec.structs.replace(alert, name="none", when="lesion.lesion > 0.99"),
        ),
    )
    made = sign_bundle(profile, shipped.networks, "# Another", Version.parse(version), key)
    return companions.join(made.data, sign_containers(made.data, key, targets).values()), made.bundle


def test_a_model_is_exchanged_kept_and_taken_back(built: Path, container: bytes, tmp_path: Path) -> None:
    with (
        Board(options(built, tmp_path)) as board,
        Wearable.open(str(board.options.link), timeout_s=5) as wearable,
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


def test_a_bundle_is_flashed_as_onto_a_computer(built: Path, tmp_path: Path) -> None:
    """`thermo-host flash PORT bundle.img` brings stages, constants, alerts and profile with it; without the processor's container
    the exact next command is told, and after a reset without confirmation the firmware's own bundle runs."""
    path = tmp_path / "other.img"
    data, bundle = other_bundle("3.1.0")
    with Board(options(built, tmp_path)) as board:
        port = str(board.options.link)
        for lacks, named in ((SHIPPED.read_bytes(), "m4"), (other_bundle("3.0.0", ("m0plus",))[0], "m4")):
            path.write_bytes(lacks)
            refused = CliRunner().invoke(application(["flash"]), ["flash", port, str(path)])
            said = " ".join(str(refused.exception).split())
            assert f"holds nothing that is compiled for {named}" in said and f"--resign {path}" in said
            assert f"--container {named} --out {path.with_suffix('')}-{named}.img" in said

        path.write_bytes(data)
        for words, confirmed in (["--no-confirm"], False), ([], True):
            done = CliRunner().invoke(
                application(["flash"]), ["flash", port, str(path), "--timeout", "5", "--json", *words]
            )
            assert done.exit_code == 0, done.output
            told = json.loads(done.stdout)
            assert (told["version"], told["profile"], told["confirmed"]) == ("3.1.0", "breast-patch", confirmed)
            with Wearable.open(port, timeout_s=5) as wearable:
                hello = wearable.hello()
                assert hello.bundle == "3.1.0" and wearable.profile_bytes() == schema.to_cbor(bundle.profile)
                assert len(wearable.alerts()) == 2
                assert {one.name for one in wearable.self_test() if one.passed} >= {"model lesion"}
                if not confirmed:
                    wearable.reset()
                    assert wearable.hello().bundle == str(parse(SHIPPED.read_bytes()).version)
                    assert len(wearable.alerts()) == 1
                else:
                    findings_are_of(bundle, wearable)


def is_raised(records: list[Record]) -> bool:
    return any((one.change.alert, one.change.state) == (0, AlertState.RAISED) for one in of(AlertRecord, records))


def findings_are_of(bundle: Bundle, host: Wearable) -> None:
    """Findings of a fresh start are what core makes of the same blocks with this bundle, and its own alert is raised."""
    host.reset()
    engine = engine_of(bundle, host, host.hello())
    heard = hear(
        host,
        lambda records: len(of(FindingRecord, records)) >= 12 and is_raised(records),
        "findings and an alert",
        120.0,
    )
    wanted = {one.finding.time_us: one.finding for block in of(Block, heard) for one in engine.push(block).said}
    both = [(one, wanted[one.time_us]) for one in of(FindingRecord, heard) if one.time_us in wanted]
    assert len(both) >= 8
    for theirs, ours in both:
        np.testing.assert_allclose(theirs.values, ours.values, atol=SCORE)


def test_a_model_that_does_not_suit_is_refused_when_it_came_in(built: Path, container: bytes, tmp_path: Path) -> None:
    stages_at = HEADER.unpack_from(container)[7]
    unknown = bytearray(container)
    unknown[stages_at : stages_at + 8] = b"moonwalk"
    sensor = bytearray(container)
    sensor[HEADER.size - 1] ^= 1
    room = bytearray(container)
    room[52:56] = struct.pack("<I", 1 << 20)
    with (
        Board(options(built, tmp_path)) as board,
        Wearable.open(str(board.options.link), timeout_s=5) as wearable,
    ):
        cases = (
            (unknown, 'needs the stage "moonwalk", which this firmware does not have'),
            (sensor, "for other sensors"),
            (room, "needs 1048576 bytes of memory and this firmware has"),
        )
        for version, (data, said) in enumerate(cases, 2):
            with pytest.raises(RefusedError, match=said):
                flash_model(wearable, model(bytes(data), version, tmp_path))
            assert not any(active for _, _, active, _ in models(wearable))
        path = tmp_path / "other_role.img"
        path.write_bytes(sign(container, Version(9), FIRMWARE_KEY))
        other_role = load_model(path)
        assert other_role is not None
        with pytest.raises(RefusedError, match="key"):
            flash_model(wearable, other_role)


def test_stock_clients_do_the_same_update(built: Path, container: bytes, tmp_path: Path) -> None:
    """smpmgr uploads, marks and confirms, smpclient looks and resets; the next reset keeps it."""
    candidate = model(container, 2, tmp_path)
    with Board(options(built, tmp_path)) as board:
        link = str(board.options.link)
        line = ("--line-length", "128", "--line-buffers", "16")
        smpmgr(link, *line, "image", "upload", "--slot", "1", str(tmp_path / "2.img"))
        smpmgr(link, "image", "state-write", candidate.image.sha512.hex())
        assert [(one.version, one.pending, one.active) for one in images(link) if one.image == 1] == [
            ("2.0.0", True, False)
        ]
        ask(link, ResetWrite())
        assert [(one.version, one.active, one.confirmed) for one in images(link) if one.image == 1] == [
            ("2.0.0", True, False)
        ]
        smpmgr(link, "image", "state-write", candidate.image.sha512.hex(), "--confirm")
        ask(link, ResetWrite())
        assert [(one.version, one.active, one.confirmed) for one in images(link)] == [
            ("1.0.0", True, True),
            ("2.0.0", True, True),
        ]


def test_a_damaged_model_is_not_sent(container: bytes, tmp_path: Path) -> None:
    good = model(container, 2, tmp_path)
    path = tmp_path / "damaged.img"
    path.write_bytes(good.data[:5000] + bytes([good.data[5000] ^ 1]) + good.data[5001:])
    with pytest.raises(SignatureError, match="hash does not match"):
        load_model(path)
    path.write_bytes(b"notes")
    assert load_model(path) is None
