"""Calibrations in virtual time."""

from typing import Any

from laboratory import PATCH, Laboratory

from thermo_host.calibrate import html
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.settings import Settings

QUICK = Settings(pictures=64, hold_out_pictures=128, warm_up_s=0.0)
CREATED = 1_790_000_000


def laboratory(seed: int = 1, **changes: Any) -> Laboratory:
    return Laboratory(PATCH, seed=seed, **changes)


def page_of(outcome: Outcome) -> str:
    return html.page(outcome, False)
