"""What runs of accounts, and how often somebody may try to come in."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from thermo_hub.accounts.book import Book
from thermo_hub.accounts.passkeys import Passkeys
from thermo_hub.hub import Hub, hub_of
from thermo_hub.security.limits import Limit, held

NAME = "accounts"
AT_ONCE = 2
"""Passwords that are proved at a time: each takes 64 MB and a core."""


@dataclass(frozen=True, slots=True)
class Running:
    """Accounts at work.

    Attributes:
        book: of accounts.
        passkeys: of them.
        by_name: how often the password of a name may be tried.
        by_address: how often an address may try any.
        proving: taken while a password is proved.
    """

    book: Book
    passkeys: Passkeys
    by_name: Limit = field(default_factory=lambda: Limit(5, 60))
    by_address: Limit = field(default_factory=lambda: Limit(20, 60))
    proving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[NAME]
    return found


Runs = Annotated[Running, Depends(running)]
Mine = Annotated[Hub, Depends(hub_of)]


def limit(runs: Running, request: Request, name: str) -> None:
    """Answer 429 where somebody tries too often.

    Args:
        runs: what counts.
        request: whose address counts.
        name: of the account that is tried; "" for none.
    """
    held(runs.by_address, request.client.host if request.client is not None else "")
    if name:
        held(runs.by_name, name)
