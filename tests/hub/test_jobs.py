"""What a job on a wearable and whoever looks at its page say to one another."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from thermo_core.errors import UsageError
from thermo_hub.devices.jobs import Talk


class Page:
    """What a page shows of a job, and a person who answers as soon as something is asked."""

    def __init__(self) -> None:
        self.job: dict[str, Any] = {"step": "", "share": 0.0, "notes": [], "ask": None}
        self.react: Callable[[str], None] = lambda words: None
        self.talk = Talk(self.job, self._changed)

    def _changed(self) -> None:
        if self.job["ask"] is not None:
            threading.Thread(target=self.react, args=(self.job["ask"]["words"],), daemon=True).start()


def test_a_button_that_is_pressed_twice_answers_one_question() -> None:
    page, pressed = Page(), threading.Event()

    def twice(words: str) -> None:
        if words == "Reading?":
            page.talk.answer("30.02")
            page.talk.answer("30.02")
            pressed.set()
        else:
            page.talk.answer("Write it")

    page.react = twice
    assert page.talk.ask("Reading?") == "30.02"
    pressed.wait()
    assert page.talk.ask("Write?", ("Write it", "Leave it")) == "Write it"
    assert page.job["ask"] is None


def test_who_ends_a_job_ends_a_question_and_the_next_step() -> None:
    page = Page()
    page.react = lambda words: page.talk.give_up()
    with pytest.raises(UsageError, match="nothing was written"):
        page.talk.ask("Reading?")
    assert page.job["ask"] is None
    with pytest.raises(UsageError, match="Somebody ended it"):
        page.talk("Measuring", 0.5)
    with pytest.raises(UsageError, match="Somebody ended it"):
        page.talk.past_ending()


def test_what_is_being_written_is_written_to_its_end() -> None:
    page = Page()
    page.talk.past_ending()
    page.talk.give_up()
    page.talk("Writing to the wearable", 0.5)
    assert page.job["share"] == 0.5
