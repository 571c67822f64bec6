"""Windows that were read, as the file that training takes; wearers are pseudonyms, and notes stay here."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from thermo_core.errors import ThermoError, UsageError
from thermo_core.labels import About, Item, Labels, Opinion, Reading
from thermo_core.signals import Values
from thermo_hub.review import life
from thermo_hub.review.desk import Desk, Kept
from thermo_hub.review.playing import samples_of
from thermo_hub.security.consents import HOW
from thermo_hub.security.pseudonyms import pseudonym
from thermo_hub.security.scopes import ALL, Scope


def labels(
    desk: Desk,
    folder: Path,
    key: bytes,
    profile: str,
    model: str = "",
    decided_only: bool = False,
    seen: Scope = ALL,
    left_out: Callable[[int, int], None] = lambda windows, wearers: None,
) -> Labels:
    """Everything that was read of a wearable, of those who have agreed to training.

    Args:
        desk: of reviews.
        folder: of recordings.
        key: by which pseudonyms are made.
        profile: name of the wearable.
        model: of it; may be left out where only one was read.
        seen: wearables whose windows.
        decided_only: leave out what only one reader has read.
        left_out: told how many windows of how many wearers are left out because these have not agreed to training.

    Raises:
        UsageError: nothing of it was read, nobody has agreed to training, or it is not plain which model is meant.
    """
    kept = [one for one in desk.all() if one.row.profile == profile and life.holding(one.steps) is not None]
    kept = [one for one in kept if seen.sees(one.row.wearable)]
    if decided_only:
        kept = [one for one in kept if one.state in life.CLOSED]
    models = sorted({one.row.model for one in kept})
    if not model and len(models) > 1:
        raise UsageError(f"The models {', '.join(models)} of {profile} were read; name one of them.")
    kept = [one for one in kept if one.row.model == (model or models[0])] if models else []
    if not kept:
        what = "read by two, and agreed on or decided" if decided_only else "read to its end"
        whose, more = (
            ("", "")
            if seen.is_all
            else (
                " of wearers that you see",
                ", and an administrator assigns wearables; a researcher sees those alone who have given consent to research",
            )
        )
        raise UsageError(
            f"No window of {profile!r:.60} {model}{whose} was {what} yet; clinicians read them on the Review page{more}."
        )
    agreed = desk.agreed_to_training()
    every, kept = kept, [one for one in kept if one.row.wearable in agreed]
    if not kept:
        raise UsageError(
            f"{len(every)} windows of {profile} were read, but nobody who wore it has given consent to training; {HOW}."
        )
    others_of = {one.row.person for one in every if one.row.wearable not in agreed}
    left_out(len(every) - len(kept), len(others_of))
    classes = kept[-1].classes
    others = [one.row.id for one in kept if one.classes != classes]
    if others:
        raise UsageError(f"Windows of {profile} have other classes than its model has now; they cannot be in one file.")
    kept.sort(key=lambda one: (one.row.from_ns, one.row.id))
    items: list[Item] = []
    places: list[int] = []
    moments: list[int] = []
    signals: dict[str, list[Values]] = {}
    for one in kept:
        try:
            utc_ns, rows = samples_of(folder / one.row.recording, one.row.model, one.row.from_ns, one.row.to_ns)
        except ThermoError as error:
            raise UsageError(f"A window that was read has lost its recording: {error}") from error
        if moments and rows and rows.keys() != signals.keys():
            raise UsageError(f"Recordings of {profile} have different stages; they cannot be in one file.")
        items.append(_item(one, key))
        places += [len(items) - 1] * len(utc_ns)
        moments += utc_ns
        for name, values in rows.items():
            signals.setdefault(name, []).extend(values)
    about = About(profile=profile, model=kept[0].row.model, classes=classes, items=tuple(items))
    return Labels(
        about,
        np.array(places, np.int64),
        np.array(moments, np.int64),
        {name: np.asarray(values, np.float32) for name, values in signals.items()},
    )


def _item(one: Kept, key: bytes) -> Item:
    holding = life.holding(one.steps)
    assert holding is not None
    return Item(
        id=one.row.id,
        person=pseudonym(one.row.person, key),
        from_ns=one.row.from_ns,
        to_ns=one.row.to_ns,
        bundle=msgspec.json.decode(one.row.finding)["bundle"],
        opinion=_without_note(holding),
        adjudicated=one.state in life.CLOSED,
        readings=_without_notes(one.steps),
    )


def _without_notes(steps: Sequence[Reading]) -> tuple[Reading, ...]:
    return tuple(msgspec.structs.replace(step, opinion=_without_note(step.opinion)) for step in steps)


def _without_note(opinion: Opinion) -> Opinion:
    return msgspec.structs.replace(opinion, note="")
