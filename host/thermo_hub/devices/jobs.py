"""What takes long on a wearable, one job at a time for each, told to every page as it goes."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException

from thermo_core.errors import ThermoError
from thermo_host.link.wearable import Wearable
from thermo_hub.events import Announced
from thermo_hub.hub import Hub

Tell = Callable[[str, float], None]
"""Told the step that begins, and the share of it that is done."""


class Jobs:
    """Jobs that run.

    Args:
        hub: where.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._running: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, wearable: str) -> dict[str, Any] | None:
        """The job of a wearable, or the one it had last; None before the first."""
        return self._running.get(wearable)

    def start(self, wearable: str, what: str, work: Callable[[Wearable, Tell], dict[str, Any]]) -> dict[str, Any]:
        """Start a job, in the event loop; how it stands.

        Args:
            wearable: id.
            what: it is, as pages call it.
            work: it, run in the thread of the wearable's listener, without its stream; gives what came of it.
        """
        now = self._running.get(wearable)
        if now is not None and now["state"] == "running":
            raise HTTPException(409, f"A {now['what']} runs on this wearable; wait until it is done.")
        listener = self._hub.wearables.listener(wearable)
        job = {
            "id": secrets.token_hex(4),
            "what": what,
            "state": "running",
            "step": "start",
            "share": 0.0,
            "result": None,
        }
        self._running[wearable] = job
        bus = self._hub.bus

        def tell(step: str, share: float) -> None:
            job["step"], job["share"] = step, round(share, 3)
            bus.post([Announced("job", {"job": dict(job)}, wearable)])

        answer = listener.ask(lambda one: work(one, tell), alone=True)
        task = asyncio.create_task(self._follow(wearable, job, asyncio.wrap_future(answer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def _follow(self, wearable: str, job: dict[str, Any], answer: "asyncio.Future[dict[str, Any]]") -> None:
        try:
            job["result"] = await answer
            job["state"] = "done"
        except ThermoError as error:
            job["state"], job["result"] = "failed", {"detail": str(error)}
        except Exception as error:
            job["state"], job["result"] = "failed", {"detail": f"A bug in the hub ({error}): please report it."}
        self._hub.bus.publish(Announced("job", {"job": dict(job)}, wearable))
