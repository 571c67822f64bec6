"""The stock smpmgr and smpclient from PyPI flash a wearable, and an image that must not run does not."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from smp.image_management import IMG_MGMT_ERR, ImageState
from smpclient import SMPClient
from smpclient.exceptions import SMPUploadError
from smpclient.generics import success
from smpclient.requests.image_management import ImageErase, ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, MCUMgrParametersRead, OSApplicationInfoRead, ResetWrite
from smpclient.transport.serial import SMPSerialTransport

from thermo_core.errors import LinkError
from thermo_core.image import Version, parse, sign
from thermo_host.link.wearable import Wearable

T = TypeVar("T")
MakeImage = Callable[..., bytes]
StartWearable = Callable[..., Any]


def with_client(link: Path, work: Callable[[SMPClient], Coroutine[Any, Any, T]]) -> T:
    """Run something with an smpclient of its own, as a user's script would."""

    async def session() -> T:
        async with SMPClient(SMPSerialTransport(), str(link), timeout_s=10.0) as client:
            return await work(client)

    return asyncio.run(session())


def states(link: Path) -> list[ImageState]:
    async def read(client: SMPClient) -> list[ImageState]:
        answer = await client.request(ImageStatesRead())
        assert success(answer), answer
        return list(answer.images)

    return with_client(link, read)


def request(link: Path, message: Any) -> Any:
    async def ask(client: SMPClient) -> Any:
        return await client.request(message)

    return with_client(link, ask)


def upload(link: Path, image: bytes) -> None:
    async def send(client: SMPClient) -> None:
        offsets = [offset async for offset in client.upload(image)]
        assert offsets[-1] == len(image) and offsets == sorted(offsets)

    with_client(link, send)


def refused_upload(link: Path, image: bytes) -> IMG_MGMT_ERR:
    with pytest.raises(SMPUploadError) as refused:
        upload(link, image)
    return IMG_MGMT_ERR(refused.value.args[0].err.rc)


def smpmgr(link: Path, *arguments: str) -> str:
    program = shutil.which("smpmgr", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    done = subprocess.run(
        [program, "--port", str(link), "--timeout", "10", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "400"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def flashed(link: Path, image: bytes) -> None:
    """Upload, test, reset and confirm with smpclient."""
    upload(link, image)
    assert success(request(link, ImageStatesWrite(hash=parse(image).sha256)))
    assert success(request(link, ResetWrite()))
    assert success(request(link, ImageStatesWrite(confirm=True)))


def test_smpmgr_flashes_a_wearable(start_wearable: StartWearable, make_image: MakeImage, tmp_path: Path) -> None:
    link = start_wearable().link
    image = make_image("1.2.3")
    digest = parse(image).sha256
    file = tmp_path / "bundle.img"
    file.write_bytes(image)

    assert "r='hello'" in smpmgr(link, "os", "echo", "hello")
    smpmgr(link, "--line-length", "128", "--line-buffers", "16", "image", "upload", str(file))
    (waiting,) = states(link)
    assert (waiting.version, bytes(waiting.hash or b"")) == ("1.2.3", digest)
    assert not waiting.active and not waiting.pending

    smpmgr(link, "image", "state-write", digest.hex())
    shown = smpmgr(link, "image", "state-read")
    assert "1.2.3" in shown and digest.hex().upper() in shown
    (pending,) = states(link)
    assert pending.pending and not pending.permanent and not pending.active

    assert "ResetWriteResponse" in smpmgr(link, "os", "reset")
    (trial,) = states(link)
    assert trial.active and trial.slot == 0 and not trial.confirmed

    smpmgr(link, "image", "state-write", "--confirm")
    (confirmed,) = states(link)
    assert confirmed.active and confirmed.confirmed
    assert success(request(link, ResetWrite()))
    with Wearable.open(str(link)) as host:
        assert (host.hello().bundle, host.hello().profile) == ("1.2.3", "test-patch")


def test_smpclient_learns_the_buffer_and_the_identity(start_wearable: StartWearable) -> None:
    link = start_wearable().link
    parameters = request(link, MCUMgrParametersRead())
    assert success(parameters) and parameters.buf_size >= 4096
    long = "x" * 3000
    assert request(link, EchoWrite(d=long)).r == long
    information = request(link, OSApplicationInfoRead(format="a"))
    assert success(information) and "thermo-edge" in information.output


def test_what_must_not_run_is_refused_and_the_running_model_goes_on(
    start_wearable: StartWearable, make_image: MakeImage, development_key: Ed25519PrivateKey
) -> None:
    link = start_wearable().link
    good = make_image("2.0.0")
    flashed(link, good)
    newer = make_image("2.1.0")
    digest_at = newer.rindex(parse(newer).signature)
    cases = {
        "unsigned": (newer[: parse(newer).header_size + len(parse(newer).payload)], IMG_MGMT_ERR.INVALID_IMAGE_HEADER),
        "wrong key": (make_image("2.1.0", key=Ed25519PrivateKey.generate()), IMG_MGMT_ERR.INVALID_HASH),
        "altered": (newer[:5000] + bytes([newer[5000] ^ 1]) + newer[5001:], IMG_MGMT_ERR.INVALID_HASH),
        "other signature": (newer[:digest_at] + bytes(64), IMG_MGMT_ERR.INVALID_HASH),
        "truncated": (newer[:-1000], IMG_MGMT_ERR.INVALID_IMAGE_HEADER),
        "older": (make_image("1.9.9"), IMG_MGMT_ERR.CURRENT_VERSION_IS_NEWER),
        "no bundle": (sign(b"firmware", Version(3), development_key), IMG_MGMT_ERR.INVALID_IMAGE_VECTOR_TABLE),
        "noise": (bytes(range(256)) * 20, IMG_MGMT_ERR.INVALID_IMAGE_HEADER),
    }
    with Wearable.open(str(link)) as host, host.stream(lease_s=10.0):
        reasons = set()
        for name, (image, _) in cases.items():
            with pytest.raises(LinkError) as refused:
                host.upload(image)
            assert getattr(refused.value, "reason", "").endswith("."), name
            reasons.add(str(refused.value))
        assert host.hello().bundle == "2.0.0"
        assert len(reasons) >= 5
    for name, (image, code) in cases.items():
        assert refused_upload(link, image) == code, name
    (running,) = states(link)
    assert running.active and running.confirmed and running.version == "2.0.0"
    assert not success(request(link, ImageStatesWrite(hash=bytes(32))))
    assert success(request(link, ResetWrite()))
    assert [state.version for state in states(link)] == ["2.0.0"]


def test_an_image_larger_than_a_slot_is_refused_at_its_first_packet(start_wearable: StartWearable) -> None:
    link = start_wearable().link
    assert refused_upload(link, bytes(12 << 20)) == IMG_MGMT_ERR.INVALID_IMAGE_TOO_LARGE


def test_a_device_with_its_own_key_refuses_the_development_key(
    start_wearable: StartWearable, make_image: MakeImage, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    own = Ed25519PrivateKey.generate()
    pem = tmp_path / "own.pub.pem"
    pem.write_bytes(own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    link = start_wearable("--trust", str(pem)).link
    assert refused_upload(link, make_image("1.0.0")) == IMG_MGMT_ERR.INVALID_HASH
    flashed(link, make_image("1.0.0", key=own))
    with Wearable.open(str(link)) as host:
        hello = host.hello()
        assert hello.bundle == "1.0.0" and not hello.development_key


def test_what_is_not_confirmed_is_taken_back(start_wearable: StartWearable, make_image: MakeImage) -> None:
    link = start_wearable().link
    flashed(link, make_image("1.0.0"))
    upload(link, make_image("1.1.0"))
    (_, waiting) = states(link)
    assert success(request(link, ImageStatesWrite(hash=bytes(waiting.hash or b""))))
    assert success(request(link, ResetWrite()))
    (trial, fallback) = states(link)
    assert (trial.version, trial.active, trial.confirmed) == ("1.1.0", True, False)
    assert (fallback.version, fallback.confirmed) == ("1.0.0", True)
    assert not success(request(link, ImageErase()))
    assert success(request(link, ResetWrite()))
    assert [(state.version, state.active) for state in states(link)] == [("1.0.0", True), ("1.1.0", False)]
    assert success(request(link, ImageErase()))
    assert [state.version for state in states(link)] == ["1.0.0"]


@pytest.mark.parametrize("confirm", [False, True])
def test_a_model_that_does_not_run_gives_way_at_once(
    start_wearable: StartWearable, make_image: MakeImage, small_model: bytes, confirm: bool
) -> None:
    link = start_wearable().link
    flashed(link, make_image("1.0.0"))
    broken = make_image("1.1.0", model=small_model[:8] + bytes(len(small_model) - 8))
    upload(link, broken)
    assert success(request(link, ImageStatesWrite(hash=parse(broken).sha256, confirm=confirm)))
    assert success(request(link, ResetWrite()))
    with Wearable.open(str(link)) as host:
        assert host.hello().bundle == "1.0.0"
        assert host.counters()["models_rejected"] == 1
    assert states(link)[0].version == "1.0.0" and states(link)[0].confirmed
