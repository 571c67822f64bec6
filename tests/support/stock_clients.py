"""A board with a bootloader, and stock clients that talk to it: smpclient and smpmgr."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from smp.image_management import ImageState
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead
from smpclient.transport.serial import SMPSerialTransport

from thermo_sim.board import BoardOptions

BOARD = "mps2-an386"
T = TypeVar("T")


def options(built: Path, folder: Path, firmware: bytes | None) -> BoardOptions:
    """A board with a firmware in slot A, or with none at all."""
    path = built / "loader.elf"
    if firmware is not None:
        path = folder / "firmware.zip"
        path.write_bytes(firmware)
    return BoardOptions(link=folder / "wearable", kind=BOARD, firmware=path, state=folder / "state", warm_up=False)


def smpmgr(link: str, *arguments: str) -> str:
    program = shutil.which("smpmgr", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    command = [program, "--port", link, "--timeout", "20", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(link: str, request: Any) -> Any:
    """One request of the stock smpclient; asked again while the board starts."""

    async def work() -> Any:
        async with SMPClient(SMPSerialTransport(line_length=128, line_buffers=16), link, 20) as client:
            return await client.request(request)

    for attempt in range(5):
        try:
            answer = run(work())
            break
        except TimeoutError:
            if attempt == 4:
                raise
    assert success(answer), answer
    return answer


def images(link: str) -> list[ImageState]:
    return list(ask(link, ImageStatesRead()).images)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
