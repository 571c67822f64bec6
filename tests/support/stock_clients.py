"""A board exchanged by clients that nobody here wrote: smpclient and smpmgr."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from smp.image_management import ImageState
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead
from smpclient.transport.serial import SMPSerialTransport


def smpmgr(link: str, *arguments: str) -> str:
    """What smpmgr says to a command."""
    program = shutil.which("smpmgr", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    command = [program, "--port", link, "--timeout", "20", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(link: str, request: Any) -> Any:
    """One request of the stock smpclient; asked again while the board starts."""

    async def work() -> Any:
        async with SMPClient(SMPSerialTransport(line_length=128, line_buffers=16), link, 20) as client:
            return await client.request(request)

    for attempt in range(5):
        try:
            answer = asyncio.run(work())
            break
        except TimeoutError:
            if attempt == 4:
                raise
    assert success(answer), answer
    return answer


def images(link: str) -> list[ImageState]:
    """The image state, as smpclient reads it."""
    return list(ask(link, ImageStatesRead()).images)
