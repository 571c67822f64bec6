"""What findings rest on, of every wearable whose networks are known here: worked out when somebody asks, one at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermo_core.errors import ThermoError, UsageError
from thermo_core.recording.session import Session
from thermo_core.signals import Values
from thermo_core.wearable.profile import Model
from thermo_hub.anomaly.occlusion import Rest, rests_on
from thermo_hub.events import Event, Fed
from thermo_hub.hub import Hub
from thermo_hub.wearables.bundles import Bundles

FRESH_NS = 2_000_000_000
"""For so long the last answer is given again."""


@dataclass(frozen=True, slots=True)
class Resting:
    """What a finding rests on, and where that lies.

    Attributes:
        signal: the camera on whose picture it is drawn.
        utc_ns: of the moment.
        rest: it.
    """

    signal: str
    utc_ns: int
    rest: Rest


class Rests:
    """Keeps what models were given last, and works out what they rest on.

    Args:
        hub: whose wearables and bundles.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._fed: dict[tuple[str, str], Fed] = {}
        self._made: dict[tuple[str, str], Resting] = {}
        self._worker = ThreadPoolExecutor(1, "what findings rest on")

    def take(self, event: Event) -> None:
        """Take what a model was given; a handler of the bus."""
        if isinstance(event, Fed):
            self._fed[event.wearable, event.model] = event

    def end(self) -> None:
        """Nothing is asked any more."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    async def of(self, wearable: str, model: str) -> Resting:
        """What the newest finding rests on.

        Raises:
            UsageError: it cannot be said; the sentence says why.
        """
        fed = self._fed.get((wearable, model))
        worn = self._hub.wearables.get(wearable)
        if fed is None or worn is None:
            raise UsageError("This model has looked at no picture yet, or at none at all.")
        made = self._made.get((wearable, model))
        if made is None or not 0 <= fed.utc_ns - made.utc_ns < FRESH_NS:
            loop = asyncio.get_running_loop()
            bundles = self._hub.bundles
            made = await loop.run_in_executor(
                self._worker, resting, bundles, worn.session, model, fed.utc_ns, fed.values
            )
            self._made[wearable, model] = made
        return made


def resting(bundles: Bundles, session: Session, model_name: str, utc_ns: int, values: tuple[Values, ...]) -> Resting:
    """What a finding rests on.

    Args:
        bundles: that are known, the wearable's among them.
        session: that held.
        model_name: of the model.
        utc_ns: of the moment.
        values: that the model was given, in the order of its inputs.

    Raises:
        UsageError: it cannot be said; the sentence says why.
    """
    model = next((one for one in session.profile.models if one.name == model_name), None)
    if model is None or not model.scores:
        raise UsageError("What a score rests on can be said; this model gives none.")
    place, signal = _picture(session, model)
    if not all(np.isfinite(one).all() for one in values):
        raise UsageError("The picture has pixels without a value, of which the model says nothing.")
    networks = bundles.networks(session.hello.bundle_sha256)
    if networks is None or model.name not in networks:
        raise UsageError(
            "The network of this wearable is not known here; flash its bundle from the Devices page, and it will be."
        )
    try:
        return Resting(signal, utc_ns, rests_on(networks[model.name], values, place, model.scores))
    except ThermoError as error:
        raise UsageError(f"What the finding rests on cannot be worked out: {error}") from error


def told(found: Resting) -> dict[str, Any]:
    """The same as `answers.RestsOn`."""
    return {"known": True, "signal": found.signal, "utc": round(found.utc_ns / 1e6, 1), **found.rest.to_map()}


def _picture(session: Session, model: Model) -> tuple[int, str]:
    """The input of a model that is a camera's picture pixel for pixel, and that camera."""
    plan = session.plan
    for place, name in enumerate(model.inputs):
        for number in plan.origins(name):
            camera = plan.profile.sensors[number].signals[0]
            if len(camera.shape) == 2 and camera.shape == plan.signals[name].shape:
                return place, camera.name
    raise UsageError(
        "This model looks at no picture of a camera pixel for pixel, so that nothing can be drawn upon it."
    )
