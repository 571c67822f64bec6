"""An upload cut at 50 places goes on where it was: the line drops in the middle of a packet, or the agent is killed."""

import asyncio
import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from smp.image_management import ImageUploadWriteResponse
from smpclient import SMPClient
from smpclient.requests.image_management import ImageStatesRead, ImageUploadWrite
from smpclient.transport.serial import SMPSerialTransport

from thermo_core.image import parse
from thermo_core.wire.smp import encode_packets
from thermo_device.upload import SYNC_BYTES

CUTS = 50
KILLS = 8
CHUNK = 4000


def first_packet(image: bytes) -> ImageUploadWrite:
    return ImageUploadWrite(
        off=0, data=image[:CHUNK], image=0, len=len(image), sha=hashlib.sha256(image).digest(), upgrade=False
    )


async def ask(client: SMPClient, request: ImageUploadWrite) -> int:
    answer = await client.request(request, timeout_s=20.0)
    assert isinstance(answer, ImageUploadWriteResponse), answer
    assert answer.off is not None
    return answer.off


async def send(link: Path, image: bytes, until: int) -> tuple[int, int]:
    """Upload from wherever the device is to at least `until`; returns where it went on and where it stopped."""
    async with SMPClient(SMPSerialTransport(), str(link), timeout_s=20.0) as client:
        began = offset = await ask(client, first_packet(image))
        while offset < min(until, len(image)):
            offset = await ask(client, ImageUploadWrite(off=offset, data=image[offset : offset + CHUNK]))
        return began, offset


def drop_in_the_middle(link: Path, image: bytes, offset: int, share: float) -> None:
    """A host that dies while it writes a packet: some of its bytes reach the device and the rest never."""
    packets = encode_packets(ImageUploadWrite(off=offset, data=image[offset : offset + CHUNK]).BYTES)
    with serial.Serial(str(link), timeout=0) as port:
        port.write(packets[: max(1, int(share * len(packets)))])
        port.flush()


def test_an_upload_cut_at_fifty_places(
    start_wearable: Callable[..., Any], make_image: Callable[..., bytes], tmp_path: Path
) -> None:
    rng = random.Random(7)
    image = make_image("1.0.0", padding=600_000)
    places = sorted(rng.sample(range(CHUNK, len(image) - CHUNK), CUTS))
    kills = set(rng.sample(range(CUTS), KILLS))
    state = tmp_path / "state"
    wearable = start_wearable("--state", str(state))
    link = wearable.link
    offset = 0
    for cut, place in enumerate(places):
        began, offset_now = asyncio.run(send(link, image, place))
        # A first packet that begins an upload carries data itself; one that resumes is told where to go on.
        assert began == (offset if cut else CHUNK), f"cut {cut}"
        offset = offset_now
        if cut in kills:
            wearable.kill()
            kept = offset - offset % SYNC_BYTES
            wearable = start_wearable("--state", str(state), link=link)
            began, _ = asyncio.run(send(link, image, 0))
            assert kept - SYNC_BYTES <= began <= offset, f"cut {cut}: what was synced must survive a kill"
            offset = began
        else:
            drop_in_the_middle(link, image, offset, rng.random())
    _, offset = asyncio.run(send(link, image, len(image)))
    assert offset == len(image)

    async def state_of() -> Any:
        async with SMPClient(SMPSerialTransport(), str(link), timeout_s=10.0) as client:
            return await client.request(ImageStatesRead())

    (waiting,) = asyncio.run(state_of()).images
    assert bytes(waiting.hash) == parse(image).sha256 and waiting.bootable
    assert image in [path.read_bytes() for path in state.glob("slot*.img")]


def test_another_image_begins_anew(start_wearable: Callable[..., Any], make_image: Callable[..., bytes]) -> None:
    link = start_wearable().link
    first, second = make_image("1.0.0"), make_image("1.0.1")
    asyncio.run(send(link, first, len(first) // 2))
    began, offset = asyncio.run(send(link, second, len(second)))
    assert (began, offset) == (CHUNK, len(second))


@pytest.mark.parametrize(
    "noise", [b"\x06\x09", b"\x06\x09AAAA", b"\x04\x14AAAA\n", b"\x00" * 50, bytes(range(256)) * 40]
)
def test_noise_on_the_line_does_not_stop_the_next_host(
    start_wearable: Callable[..., Any], make_image: Callable[..., bytes], noise: bytes
) -> None:
    link = start_wearable().link
    descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY)
    os.write(descriptor, noise)
    os.close(descriptor)
    image = make_image("1.0.0")
    _, offset = asyncio.run(send(link, image, len(image)))
    assert offset == len(image)
