"""The uncertainty budget of a calibrated pixel after the GUM (JCGM 100:2008): rows, combined, expanded by k = 2."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from thermo_host.calibrate.reference import ReferenceUncertainty

COVERAGE = 2.0
TA_RANGE_K = 5.0
"""The budget holds for die temperatures this far from those of the calibration."""
UNKNOWN_DIE_EFFECT = 0.01
"""Standard deviation assumed for what one ambient cannot show, K of reading per K of die temperature."""
_RECTANGULAR = sqrt(3.0)


@dataclass(frozen=True, slots=True)
class Component:
    """One row.

    Attributes:
        name: what it is.
        standard: standard uncertainty, K.
        kind: "A" from statistics of this run, "B" from other knowledge.
        basis: how the figure was had.
    """

    name: str
    standard: float
    kind: str
    basis: str


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one pixel's corrected temperature at the hold-out points, averaged over `pictures` pictures.

    Attributes:
        components: rows; noise of the average is the one named "noise".
        pictures: how many the average holds.
        netd: noise of a single picture, K.
    """

    components: tuple[Component, ...]
    pictures: int
    netd: float

    @property
    def combined(self) -> float:
        """Combined standard uncertainty, K."""
        return sqrt(sum(component.standard**2 for component in self.components))

    @property
    def expanded(self) -> float:
        """k = 2, K."""
        return COVERAGE * self.combined

    @property
    def expanded_single(self) -> float:
        """Of a pixel of a single picture, k = 2, K."""
        others = sum(component.standard**2 for component in self.components if component.name != "noise")
        return COVERAGE * sqrt(others + self.netd**2)

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {
            "components": [
                {
                    "name": component.name,
                    "standard_k": round(component.standard, 5),
                    "type": component.kind,
                    "basis": component.basis,
                }
                for component in self.components
            ],
            "coverage_factor": COVERAGE,
            "combined_k": round(self.combined, 5),
            "expanded_k": round(self.expanded, 5),
            "pictures": self.pictures,
            "expanded_single_picture_k": round(self.expanded_single, 5),
        }


def budget(
    reference: ReferenceUncertainty,
    emissivity_sensitivity: float,
    netd: float,
    pictures: int,
    averaging_noise: float,
    fit: float,
    die_effect: float | None,
    drift: Sequence[tuple[float, float]],
) -> Budget:
    """Put the rows together.

    Args:
        reference: of the blackbody.
        emissivity_sensitivity: K per unit of emissivity.
        netd: of one picture, K.
        pictures: averaged at a hold-out point.
        averaging_noise: what averaging leaves, K.
        fit: RMS error at the hold-out points without averaging noise, K.
        die_effect: standard uncertainty of the die's effect, K/K; None with a single ambient.
        drift: (slope K/min, seconds) of each set-point.
    """
    largest = max((abs(k_per_min) * seconds / 60 for k_per_min, seconds in drift), default=0.0)
    ta = UNKNOWN_DIE_EFFECT if die_effect is None else die_effect
    ta_basis = f"{ta:.3f} K/K " + ("assumed (one ambient)" if die_effect is None else "from the ambients of this run")
    return Budget(
        components=(
            Component("reference", reference.expanded / COVERAGE, "B", f"U = {reference.expanded:g} K (k = 2)"),
            Component(
                "uniformity", reference.uniformity / _RECTANGULAR, "B", f"±{reference.uniformity:g} K over its surface"
            ),
            Component(
                "emissivity",
                reference.emissivity * abs(emissivity_sensitivity) / _RECTANGULAR,
                "B",
                f"±{reference.emissivity:g}, {0.01 * abs(emissivity_sensitivity):.3f} K per 0.01",
            ),
            Component(
                "field of view",
                reference.field_of_view / _RECTANGULAR,
                "B",
                f"±{reference.field_of_view:g} K stray light",
            ),
            Component("noise", averaging_noise, "A", f"NETD {netd:.3f} K averaged over {pictures} pictures"),
            Component("fit", fit, "A", "error at the hold-out points, averaging noise removed"),
            Component(
                "Ta",
                ta * TA_RANGE_K / _RECTANGULAR,
                "A" if die_effect is not None else "B",
                f"{ta_basis}, ±{TA_RANGE_K:g} K",
            ),
            Component("drift", largest / 2 / _RECTANGULAR, "A", f"up to {largest:.3f} K during a set-point"),
        ),
        pictures=pictures,
        netd=netd,
    )
