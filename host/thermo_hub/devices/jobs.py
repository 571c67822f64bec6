"""What takes long on a wearable, one job at a time for each, told to every page as it goes."""

import asyncio
import queue
import secrets
import time
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException

from thermo_core.errors import ThermoError, UsageError
from thermo_core.text import clean
from thermo_host.link.wearable import Wearable
from thermo_hub.events import Announced
from thermo_hub.hub import Hub

Tell = Callable[[str, float], None]
"""Told the step that begins, and the share of it that is done."""


ANSWER_S = 1800.0
"""For so long somebody is waited for."""
LOOK_S = 0.2
MOST_NOTES = 20


class Talk:
    """What a job tells pages, and asks whoever looks at them; `Tell` is its first half.

    Args:
        job: as pages see it.
        post: tells them that it changed.
    """

    def __init__(self, job: dict[str, Any], post: Callable[[], None]) -> None:
        self._job = job
        self._post = post
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._given_up = False
        self._held = True

    def __call__(self, step: str, share: float) -> None:
        """A step begins, or goes on."""
        self.hold()
        self._job["step"], self._job["share"] = step, round(share, 3)
        self._post()

    def note(self, words: str) -> None:
        """A line that stays."""
        self._job["notes"] = [*self._job["notes"], clean(words)][-MOST_NOTES:]
        self._post()

    def ask(self, words: str, choices: tuple[str, ...] = ()) -> str:
        """Ask, and wait for the answer.

        Raises:
            UsageError: nobody answers in half an hour, or somebody ends the job.
        """
        while not self._answers.empty():  # what was said twice is no answer to the next question
            self._answers.get()
        self._job["ask"] = {"words": words, "choices": list(choices)}
        self._post()
        end = time.monotonic() + ANSWER_S
        try:
            while time.monotonic() < end:
                self.hold()
                try:
                    return self._answers.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
        finally:
            self._job["ask"] = None
            self._post()
        raise UsageError("Nobody answered for half an hour; begin again.")

    def hold(self) -> None:
        """Raises UsageError where somebody has ended the job."""
        if self._given_up and self._held:
            raise UsageError("Somebody ended it; nothing was written.")

    def answer(self, words: str) -> None:
        """What somebody says to a question."""
        self._answers.put(words)

    def give_up(self) -> None:
        """End the job at its next step, unless it is past that."""
        self._given_up = True

    def past_ending(self) -> None:
        """From here on the job goes to its end: half of what it does now would be worse than all or nothing."""
        self.hold()
        self._held = False


class Jobs:
    """Jobs that run.

    Args:
        hub: where.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._running: dict[str, dict[str, Any]] = {}
        self._talks: dict[str, Talk] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, wearable: str) -> dict[str, Any] | None:
        """The job of a wearable, or the one it had last; None before the first."""
        return self._running.get(wearable)

    def start(self, wearable: str, what: str, work: Callable[[Wearable, Talk], dict[str, Any]]) -> dict[str, Any]:
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
            "notes": [],
            "ask": None,
            "result": None,
        }
        self._running[wearable] = job
        bus = self._hub.bus

        def post() -> None:
            bus.post([Announced("job", {"job": dict(job)}, wearable)])

        talk = self._talks[wearable] = Talk(job, post)
        answer = listener.ask(lambda one: work(one, talk), alone=True)
        task = asyncio.create_task(self._follow(wearable, job, asyncio.wrap_future(answer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def answer(self, wearable: str, words: str) -> dict[str, Any]:
        """Answer what the job of a wearable asks."""
        job = self._asking(wearable)
        if job["ask"] is None:
            raise HTTPException(409, "Nothing is asked now; wait until it is.")
        choices = job["ask"]["choices"]
        if choices and words not in choices:
            raise HTTPException(409, f"That is no answer to what is asked; say {' or '.join(choices)}.")
        self._talks[wearable].answer(words)
        return job

    def give_up(self, wearable: str) -> dict[str, Any]:
        """End the job of a wearable at its next step."""
        job = self._asking(wearable)
        self._talks[wearable].give_up()
        return job

    def _asking(self, wearable: str) -> dict[str, Any]:
        job = self._running.get(wearable)
        if job is None or job["state"] != "running":
            raise HTTPException(409, "No job runs on this wearable.")
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
