"""metabolic_rate: what a body turns over, from its heart rate and what is known of it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thermo_core.quality import Quality
from thermo_core.signals import Ref, Signal, Values
from thermo_core.stages.stage import Arrays, Elementwise, OneInput, Signals

WEARER = 4
"""Numbers that must be known of the wearer."""
REST_ML = 3.5
"""Oxygen uptake at rest, ml a minute and kg: one MET."""
WATTS_PER_ML = 4.88 * 4.184 / 60
"""W per ml of oxygen a minute: Weir's 3.941 + 1.106 R kcal a litre, at a respiratory quotient R of 0.85."""
MAX_RATE = (208.0, -0.7)
"""Largest heart rate by age (Tanaka, Monahan & Seals 2001)."""
UPTAKE = (45.2 - 10.9 * 2 - 0.46, -0.35, -0.15 * 2.20462, 0.68 / 0.0254, 10.9)
"""Largest oxygen uptake, ml a minute and kg, of what no exercise test was made with: level, and what a year, a kg, a metre of height and
being male add (registry FRIEND, treadmill: de Souza e Silva et al. 2018)."""
LEAST_SPAN = 20.0
"""Beats a minute from rest to the largest heart rate; with fewer, either is wrong."""


class MetabolicRate(OneInput, frozen=True, tag="metabolic_rate"):
    """Metabolic rate by heart-rate reserve: the share of the way from rest to the largest heart rate is that of oxygen uptake.

    uptake = 3.5 + share (largest - 3.5), in ml a minute and kg, with the share from 0 to 1 (Swain & Leutholtz 1997). The largest
    heart rate and uptake follow from age, weight, height and sex. It holds for exercise of large muscles; fever, heat, coffee, drugs
    that slow the heart and excitement raise or lower the heart rate without the metabolic rate.

    There is no value without a heart rate, or without all that must be known of the wearer: then it is flagged MISSING. Where rest and
    largest heart rate are less than 20 apart, it is flagged OUT_OF_DOMAIN.

    Attributes:
        resting: heart rate at rest, at the same moments.
        wearer: age in years, weight in kg, height in m and sex, 0 female and 1 male, at the same moments.
        per: "kg" for W/kg, "body" for W.
    """

    resting: Ref
    wearer: Ref
    per: Literal["body", "kg"] = "kg"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Heart rate, that at rest, and the wearer."""
        return (self.of, self.resting, self.wearer)


def _apply(stage: MetabolicRate, inputs: Signals, values: Arrays) -> Values:
    rate, rest = (one.reshape(-1) for one in values[:2])
    wearer = values[2].reshape(-1, WEARER)
    age, weight, height, male = wearer.T
    f = np.float32
    with np.errstate(all="ignore"):
        span = (f(MAX_RATE[0]) + f(MAX_RATE[1]) * age) - rest
        share = np.minimum(np.maximum((rate - rest) / span, f(0)), f(1))
        most = (((f(UPTAKE[0]) + f(UPTAKE[1]) * age) + f(UPTAKE[2]) * weight) + f(UPTAKE[3]) * height) + f(
            UPTAKE[4]
        ) * male
        uptake = f(REST_ML) + share * np.maximum(most - f(REST_ML), f(0))
        said = f(WATTS_PER_ML) * uptake
        if stage.per == "body":
            said = said * weight
        known = np.isfinite(said) & np.isfinite(rate) & np.isfinite(wearer).all(1) & (span >= f(LEAST_SPAN))
    return np.where(known, said, f(np.nan)).astype(np.float32)


def _flags(stage: MetabolicRate, inputs: Signals, values: Arrays, given: Values) -> NDArray[np.uint16]:
    rest, wearer = values[1].reshape(-1), values[2].reshape(-1, WEARER)
    unknown = ~np.isfinite(wearer).all(1)
    with np.errstate(all="ignore"):
        span = (np.float32(MAX_RATE[0]) + np.float32(MAX_RATE[1]) * wearer[:, 0]) - rest
    flags = np.where(unknown, int(Quality.MISSING), 0) | np.where(
        span < np.float32(LEAST_SPAN), int(Quality.OUT_OF_DOMAIN), 0
    )
    found: NDArray[np.uint16] = flags.astype(np.uint16)
    return found


def _result(stage: MetabolicRate, inputs: Signals) -> Signal:
    """A number in W/kg or W; takes one heart rate, one at rest, and four numbers of the wearer."""
    for signal, wanted in zip(inputs, (1, 1, WEARER), strict=True):
        if signal.elements != wanted:
            raise stage.fail(
                f'takes {wanted} number{"s" * (wanted > 1)} there, and "{signal.name}" has {signal.elements}; select them first'
            )
    (signal, _, _) = inputs
    return Signal(stage.gives, (), "W/kg" if stage.per == "kg" else "W", signal.rate_hz, signal.clock)


OP = Elementwise(
    MetabolicRate,
    _result,
    _apply,
    "float32; span = (208 + -0.7 age) - rest; share = (rate - rest) / span within 0 and 1; largest uptake = (((c + a age) + b weight) + d "
    "height) + e male; 0.340... * (3.5 + share * (largest - 3.5)), times the weight for a body; constants from float64.",
    flags=_flags,
)
