"""The part of accounts: signing in, invitations, and what an administrator does with them."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from thermo_core.errors import UsageError
from thermo_hub.accounts.answers import Accounts, Assigned, Invited, Looks, Named, Routes
from thermo_hub.accounts.book import LONGEST_NAME, LONGEST_PASSWORD, Book, checked_name
from thermo_hub.accounts.limits import Limit
from thermo_hub.described import says
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.accesses import Accesses
from thermo_hub.security.cookies import set_cookie
from thermo_hub.security.matrix import matrix
from thermo_hub.security.roles import EVERYBODY, TENDING, WATCHING, Role, Visitor, allow

ROUTER = APIRouter(prefix="/api", tags=["accounts"])
AT_ONCE = 2
"""Passwords that are proved at a time: each takes 64 MB and a core."""
ADMINISTERS = Depends(allow(Role.ADMINISTRATOR))
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Chosen = Annotated[list[Annotated[str, Field(min_length=1, max_length=80)]], Field(max_length=1000)]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD)]


@dataclass(frozen=True, slots=True)
class Running:
    """Accounts at work.

    Attributes:
        book: of accounts.
        by_name: how often the password of a name may be tried.
        by_address: how often an address may try any.
        proving: taken while a password is proved.
    """

    book: Book
    by_name: Limit = field(default_factory=lambda: Limit(5, 60))
    by_address: Limit = field(default_factory=lambda: Limit(20, 60))
    proving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


@contextlib.asynccontextmanager
async def run(hub: Hub) -> AsyncIterator[Running]:
    """Keep accounts as long as the hub runs."""
    yield Running(await asyncio.to_thread(Book, hub.store, hub.door))


PART = Part("accounts", ROUTER, run)


def running(connection: HTTPConnection) -> Running:
    """What runs: a dependency."""
    found: Running = connection.app.state.running[PART.name]
    return found


Runs = Annotated[Running, Depends(running)]
Mine = Annotated[Hub, Depends(hub_of)]


class SignIn(BaseModel):
    """Who somebody says they are.

    Attributes:
        name: of the account.
        password: of it.
    """

    name: Name
    password: Password


class Acceptance(BaseModel):
    """What somebody who was invited sends.

    Attributes:
        token: of the invitation.
        password: that is to be theirs.
    """

    token: Annotated[str, Field(max_length=200)]
    password: Password


class Invitation(BaseModel):
    """Who is invited.

    Attributes:
        name: of the account.
        roles: that it is to have.
        wearables: ids of those that it is to see, "*" for all; null leaves what is assigned.
    """

    name: Name
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    wearables: Chosen | None = None


class Assignment(BaseModel):
    """Which wearables an account is to see.

    Attributes:
        wearables: ids; "*" for all.
    """

    wearables: Chosen


class Roles(BaseModel):
    """What an account may do from now on.

    Attributes:
        roles: of it.
        closed: whether nobody comes in by it.
    """

    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    closed: bool = False


class Change(BaseModel):
    """Another password.

    Attributes:
        before: that it was.
        after: that it is to be.
    """

    before: Password
    after: Password


@ROUTER.post("/sign-in", responses=says(Named, 429))
async def sign_in(body: SignIn, request: Request, answer: Response, hub: Mine, runs: Runs) -> dict[str, str]:
    """Come in by name and password."""
    _limit(runs, request, body.name)
    async with runs.proving:
        roles = await run_in_threadpool(runs.book.sign_in, body.name, body.password)
    if roles is None:
        raise HTTPException(401, "Name or password is wrong; try again, or ask an administrator for an invitation.")
    runs.by_name.forgive(body.name)
    cookie = await run_in_threadpool(hub.door.let_in, body.name, roles)
    set_cookie(answer, hub.settings, cookie)
    return {"name": body.name}


@ROUTER.post("/invitations/accept", responses=says(Named, 429))
async def accept(body: Acceptance, request: Request, runs: Runs) -> dict[str, str]:
    """Set a password of your own, by an invitation."""
    _limit(runs, request, "")
    async with runs.proving:
        return {"name": await run_in_threadpool(runs.book.accept, body.token, body.password)}


@ROUTER.post("/me/password", responses=says(Named, 429))
async def change_password(
    body: Change, request: Request, runs: Runs, visitor: Annotated[Visitor, Depends(allow(EVERYBODY))]
) -> dict[str, str]:
    """Take another password; sign in again by it."""
    _limit(runs, request, visitor.name)
    async with runs.proving:
        await run_in_threadpool(runs.book.change_password, visitor.name, body.before, body.after)
    return {"name": visitor.name}


@ROUTER.get("/accounts", dependencies=[ADMINISTERS], responses=says(Accounts))
def accounts(runs: Runs) -> dict[str, Any]:
    """All accounts."""
    return {"accounts": runs.book.accounts(), "roles": list(Role), "wearables": runs.book.wearables()}


@ROUTER.post("/accounts", responses=says(Invited))
def invite(body: Invitation, hub: Mine, runs: Runs, visitor: Annotated[Visitor, ADMINISTERS]) -> dict[str, str]:
    """Invite somebody; the link lets them set a password once, within a week."""
    name = checked_name(body.name)
    token = runs.book.invite(name, body.roles)
    if body.wearables is not None:
        runs.book.assign(name, body.wearables, visitor.name)
    return {"name": name, "link": f"{hub.settings.origin(hub.settings.port)}/invited/{token}"}


@ROUTER.put("/accounts/{name}", dependencies=[ADMINISTERS], responses=says(Named))
def set_roles(name: str, body: Roles, runs: Runs) -> dict[str, str]:
    """Give an account other roles, or close it."""
    runs.book.set_roles(name, body.roles, body.closed)
    return {"name": name}


@ROUTER.put("/accounts/{name}/wearables", responses=says(Assigned))
def assign(name: str, body: Assignment, runs: Runs, visitor: Annotated[Visitor, ADMINISTERS]) -> dict[str, Any]:
    """Have an account see these wearables and no others."""
    return {"name": name, "wearables": runs.book.assign(name, body.wearables, visitor.name)}


@ROUTER.delete("/accounts/{name}/visits", dependencies=[ADMINISTERS], responses=says(Named))
def end_visits(name: str, runs: Runs) -> dict[str, str]:
    """Have everybody who came in by an account sign in again."""
    runs.book.end_visits(name)
    return {"name": name}


@ROUTER.delete("/accounts/{name}", responses=says(Named))
def remove(name: str, runs: Runs, visitor: Annotated[Visitor, ADMINISTERS]) -> dict[str, str]:
    """Delete an account."""
    if name == visitor.name:
        raise UsageError("You cannot delete the account that you came in by; have another administrator do it.")
    runs.book.remove(name)
    return {"name": name}


@ROUTER.get("/roles", dependencies=[Depends(allow(TENDING))], responses=says(Routes))
def roles(request: Request) -> dict[str, Any]:
    """Which role may use which route."""
    return {
        "routes": [
            {"method": one.method, "path": one.path, "roles": None if one.roles is None else sorted(one.roles)}
            for one in matrix(request.app.state.routes)
        ]
    }


@ROUTER.get(
    "/accesses/{wearable}", dependencies=[Depends(allow(WATCHING | {Role.ADMINISTRATOR}))], responses=says(Looks)
)
def accesses(wearable: str, request: Request, most: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """Who looked at a wearable, or at all of them, newest first."""
    found: Accesses = request.app.state.accesses
    return {"accesses": found.of(wearable, most)}


def _limit(runs: Running, request: Request, name: str) -> None:
    address = request.client.host if request.client is not None else ""
    wait_s = runs.by_address.wait_s(address)
    wait_s = max(wait_s, runs.by_name.wait_s(name) if name and not wait_s else 0.0)
    if wait_s:
        seconds = math.ceil(wait_s)
        raise HTTPException(429, f"Too many tries; wait {seconds} s.", {"retry-after": str(seconds)})
