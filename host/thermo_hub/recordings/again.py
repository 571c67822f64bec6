"""Computing a recording again with another bundle, and where it says something else."""

from pathlib import Path
from typing import Any

from thermo_core.bundle import Bundle
from thermo_core.quality import in_words
from thermo_core.wearable.profile import NOTICE
from thermo_host.rerun import Compared, Difference, Rerun, Verdict, Wanted, of_bundle
from thermo_host.stream.playback import Recording, announced

MOST = 200
"""Moments that are told one by one."""


def again(path: Path, bundle: Bundle) -> dict[str, Any]:
    """Run it.

    Args:
        path: of the recording.
        bundle: whose graph and networks run, over the recording's sensors.

    Returns:
        As `answers.RunAgain`.

    Raises:
        StorageError: it cannot be read.
        RecordingError: it is none of ours.
        UsageError: the bundle's wearable has other sensors, or no runtime is installed.
        ModelError: a network cannot run.
    """
    recording = Recording(path)
    rerun = Rerun(recording.session, Wanted(bundle.profile, of_bundle(bundle)))
    for item in announced(recording.items(), rerun.expect):
        rerun.push(item)
    rerun.end()
    return {
        "wearable": bundle.profile.name,
        "models": [_model(name, compared) for name, compared in rerun.models.items()],
        "alerts": [
            {"name": name, "recorded": raised.recorded, "again": raised.again if rerun.computes(name) else None}
            for name, raised in rerun.alerts.items()
        ],
        "different": rerun.different,
        "differences": [_difference(one) for one in rerun.differences[:MOST]],
        "notice": NOTICE,
    }


def _model(name: str, compared: Compared) -> dict[str, Any]:
    return {
        "name": name,
        "both": compared.both,
        "same": compared.same,
        "greatest": round(compared.greatest, 4),
        "recorded_only": compared.recorded_only + compared.fetched,
        "again_only": compared.again_only,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "utc": one.utc_ns / 1e6,
        "model": one.model,
        "recorded": _said(one.recorded),
        "again": _said(one.again),
    }


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"words": verdict.words, "flags": list(in_words(verdict.flags))}
