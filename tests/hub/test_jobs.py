"""What a job on a wearable and whoever looks at its page say to one another."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laid_band import ZERO_G, laid_band

from thermo_core.errors import CalibrationFailedError, UsageError
from thermo_core.sensors.kinds import correction_of
from thermo_host.calibrate.positions import HOLD_OUTS, POSITIONS
from thermo_host.link.wearable import Wearable
from thermo_hub.devices import calibration
from thermo_hub.devices.calibration import LIES, WRITE, calibrated
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


def test_an_accelerometer_is_calibrated_from_its_page_in_the_positions_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_simulated", lambda wearable: None)  # somebody lays it down
    page, asked = Page(), []
    known = {**POSITIONS, **HOLD_OUTS}
    with laid_band(tmp_path / "thermo0") as (peer, port):

        def lay(words: str) -> None:
            asked.append(words)
            if "rests: " in words:
                peer.up = np.array(known[words.partition("rests: ")[2].partition(".")[0]])
                page.talk.answer(LIES)
            else:
                page.talk.answer(WRITE)

        page.react = lay
        with Wearable.open(port, timeout_s=30.0) as wearable:

            def calibrate(sensor: str) -> dict[str, Any]:
                folder = tmp_path / f"reports {len(asked)}"
                return calibrated(wearable, page.talk, (30.0, 37.0), False, 0.1, folder, sensor)

            found = calibrate("motion")
            assert found["written"] and Path(found["report"]).exists()
            assert len(asked) == len(known) + 1
            assert "In positions that were not fitted: motion 0.0" in asked[-1] and " g before and 0.00" in asked[-1]
            correction = correction_of(peer.corrections[2])
            np.testing.assert_allclose(correction.offset_g, ZERO_G, atol=0.003)  # type: ignore[attr-defined]
            before = dict(peer.corrections)
            page.react = lambda words: page.talk.answer(LIES)  # and lays it down no more
            with pytest.raises(CalibrationFailedError, match="With x up the accelerometer feels"):
                calibrate("motion")
            with pytest.raises(UsageError, match="no sensor 'pulse' that can be calibrated"):
                calibrate("pulse")
            assert peer.corrections == before
    assert len(list(tmp_path.glob("reports */*"))) == 1  # what came to nothing leaves none
