"""An ADS1115 with NTC thermistors at its inputs, as a profile describes it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from thermo_core.errors import UsageError
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.ads1115_ntc.thermistor import ThermistorChannel
from thermo_sim.chips.ads1115_ntc.adc import NOISE_V, SimulatedAds1115
from thermo_sim.chips.ads1115_ntc.ntc import Ntc, Wiring
from thermo_sim.chips.kind import Array, ChipKind, Site, Worn
from thermo_sim.faults import Fault, FaultPlan
from thermo_sim.surface import ROOM, CelsiusAt, Surface


class SimulatedThermistors(SimulatedAds1115):
    """The ADC with its thermistors.

    Args:
        ntcs: by input.
        celsius: of what each is in or on.
        address: 7-bit I2C address.
        seed: of the ADC's noise and oscillator.
        air: around all of them.

    Attributes:
        ntcs: true constants, by input.
    """

    def __init__(
        self, ntcs: tuple[Ntc, ...], celsius: tuple[CelsiusAt, ...], address: int, seed: int, air: CelsiusAt = ROOM
    ) -> None:
        super().__init__(self._tap, address, seed=seed)
        self.ntcs = ntcs
        self._surfaces = tuple(Surface(one, air) for one in celsius)

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """As the ADC's, and DRIFT, CONTACT and AMBIENT of all thermistors alike."""
        taken = [surface.take(fault, time_us) for surface in self._surfaces]
        if not any(taken):
            super().inject(fault, plan, time_us)

    def set_wiring(self, channel: int, wiring: Wiring) -> None:
        """Open or short a thermistor's leads, or repair them.

        Raises:
            UsageError: no such channel.
        """
        if not 0 <= channel < len(self.ntcs):
            raise UsageError(f"There is no thermistor {channel}; number them 0 to {len(self.ntcs) - 1}.")
        ntcs = list(self.ntcs)
        ntcs[channel] = replace(ntcs[channel], wiring=wiring)
        self.ntcs = tuple(ntcs)

    def _tap(self, channel: int, time_s: float) -> float:
        if channel >= len(self.ntcs):
            return 0.0
        return self.ntcs[channel].volts(self._surfaces[channel].celsius(time_s))


def _make(settings: Ads1115NtcSettings, site: Site) -> SimulatedThermistors:
    return SimulatedThermistors(
        tuple(Ntc.near(settings.channels[place], site.seed, place) for place in range(len(settings.channels))),
        tuple(site.around.touched(settings.name, place) for place in range(len(settings.channels))),
        settings.bus_path.address,
        site.seed,
        site.around.beside(settings.name),
    )


def _set_wiring(chip: SimulatedThermistors, request: Mapping[str, Any]) -> Mapping[str, Any]:
    channel, state = request.get("channel"), request.get("state")
    if isinstance(channel, bool) or not isinstance(channel, int):
        raise UsageError('"channel" must be the number of a thermistor, from 0; add it to the request.')
    states = [wiring.value for wiring in Wiring]
    if state not in states:
        raise UsageError(f'"state" must be one of {", ".join(states)}; add it to the request.')
    chip.set_wiring(channel, Wiring(state))
    return {"channel": channel, "state": state}


def _says(settings: Ads1115NtcSettings, worn: Worn) -> tuple[Array]:
    seed = int(worn.own.integers(1 << 31))
    channels = []
    for place, described in enumerate(settings.channels):
        felt, read = worn.felt(place), ThermistorChannel.from_settings(described)
        part = Ntc.near(described, seed, place)
        # What the reader makes of the part's volts, and how much of it a volt is, between a few temperatures.
        baths = np.arange(np.floor(felt.min()) - 1, np.ceil(felt.max()) + 2)
        volts = np.array([part.volts(bath) for bath in baths.tolist()])
        as_read = read.celsius(read.adc.counts(volts))[0]
        kelvin_a_volt = np.abs(np.gradient(baths, volts)).mean()
        said = felt + worn.errors * np.interp(felt, baths, as_read - baths) + worn.noise(NOISE_V * kelvin_a_volt)
        step_k = read.adc.volts(1) * kelvin_a_volt
        channels.append(np.rint(said / step_k) * step_k)
    return (np.stack(channels, axis=1),)


KIND = ChipKind(_make, _says, changes={"wiring": _set_wiring})
