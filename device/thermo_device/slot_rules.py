"""What a reset does with the slots, and which image may follow which: rules over values, apart from the files."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from thermo_core.errors import DowngradeError
from thermo_core.image import Image, Version
from thermo_device.slot_state import Change, Installed, Pending, State

Note = Callable[[str], None]
"""Takes a sentence that is worth an event."""


def after_reset(
    state: State, usable: Sequence[bool], other_exists: Callable[[], bool], note: Note
) -> tuple[State, Change]:
    """What a reset makes of a state: it brings in a pending image, or takes back one that was not confirmed.

    Args:
        state: before.
        usable: of each slot, whether its image may run.
        other_exists: whether the slot that is not active holds a file, usable or not.
        note: told what is out of the ordinary.
    """
    other = 1 - state.active
    if state.pending is not Pending.NONE:
        if not usable[other]:
            note("The pending image cannot be used, so the active one goes on; flash it again.")
            return _bootable(replace(state, pending=Pending.NONE), Change.NONE, usable, note)
        permanent = state.pending is Pending.PERMANENT
        change = Change.PERMANENT if permanent else Change.TEST
        return _bootable(State(other, confirmed=permanent, spare=usable[state.active]), change, usable, note)
    if state.confirmed:
        return _bootable(state, Change.NONE, usable, note)
    if not usable[other] and usable[state.active] and other_exists():
        note("The image before this one cannot be used, so the one on trial stays; flash a new one.")
        return _bootable(replace(state, confirmed=True, spare=False), Change.RECOVERED, usable, note)
    note("The image on trial was not confirmed, so the one before it is active again; flash it again to retry.")
    return _bootable(State(active=other), Change.REVERTED, usable, note)


def unchanged(state: State, usable: Sequence[bool], note: Note) -> tuple[State, Change]:
    """The same where a reset may change nothing, because that could not be written down."""
    return _bootable(state, Change.NONE, usable, note)


def recovered(versions: Sequence[Version | None]) -> State:
    """The state where none is known, by the versions of the slots' images: the older is the known good one, a newer may never have run."""
    filled = [(version, index) for index, version in enumerate(versions) if version is not None]
    return State(active=min(filled)[1] if filled else 0)


def refuse_older(version: Version, running: Installed | None) -> None:
    """Raises DowngradeError where an image of that version is older than the active one."""
    if running is not None and version < running.image.version:
        raise DowngradeError(
            f"The image has version {version} and {running.image.version} runs; give it a higher version."
        )


def refuse_ambiguous(image: Image, running: Installed | None) -> None:
    """Raises DowngradeError where an image is older than the active one, or another of the same version."""
    refuse_older(image.version, running)
    if running is not None and image.version == running.image.version and image.sha256 != running.image.sha256:
        raise DowngradeError(
            f"An image with other content runs as version {image.version} already; give this one a higher version."
        )


def _bootable(state: State, change: Change, usable: Sequence[bool], note: Note) -> tuple[State, Change]:
    """The same, or the spare image where the active one cannot be used."""
    if not usable[state.active] and state.spare and usable[1 - state.active]:
        note("The active image cannot be used, so the one before it runs; flash a new one.")
        return State(active=1 - state.active), Change.RECOVERED
    return state, change
