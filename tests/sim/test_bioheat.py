"""Bioheat: the closed form against a finite-volume solution of Pennes' equation, and against what must hold of it."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.bioheat import BLOOD_J_M3K, Tissue, Tumour, surface_rise

STEP_M, SIZE_M = 0.5e-3, 0.07


def by_finite_volumes(tumour: Tumour, tissue: Tissue) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rise of the skin by distance (mm): rings of a cylinder, whose temperature is solved for with and without the tumour."""
    count = int(SIZE_M / STEP_M)
    place = (np.arange(count) + 0.5) * STEP_M
    radius, depth = np.meshgrid(place, place, indexing="ij")
    share = np.zeros_like(radius)  # of a ring's section that is tumour
    for a in (-0.375, -0.125, 0.125, 0.375):
        for b in (-0.375, -0.125, 0.125, 0.375):
            square = (radius + a * STEP_M) ** 2 + (depth + b * STEP_M - tumour.depth_mm / 1000) ** 2
            share += (square <= (tumour.radius_mm / 1000) ** 2) / 16
    air = (
        tissue.skin_celsius
        - tissue.conductivity * tissue.decay * (tissue.blood_celsius - tissue.skin_celsius) / tissue.loss
    )
    to_air = 1 / (1 / tissue.loss + STEP_M / 2 / tissue.conductivity)

    def skin(inside: NDArray[np.float64]) -> NDArray[np.float64]:
        blood = (tissue.perfusion + inside * (tumour.perfusion - tissue.perfusion)) * BLOOD_J_M3K
        volume = radius * STEP_M**2
        diagonal, right = blood * volume, (blood * tissue.blood_celsius + inside * tumour.metabolism) * volume
        diagonal[:, 0] += to_air * place * STEP_M
        right[:, 0] += to_air * place * STEP_M * air
        number = np.arange(count * count).reshape(count, count)
        outward = np.repeat((tissue.conductivity * np.arange(1, count) * STEP_M)[:, None], count, 1)
        downward = np.repeat((tissue.conductivity * place)[:, None], count - 1, 1)
        matrix = scipy.sparse.lil_array((count * count, count * count)).tocsr()
        for one, other, flow in (
            (number[:-1], number[1:], outward),
            (number[:, :-1], number[:, 1:], downward),
        ):
            for i, j in ((one, other), (other, one)):
                matrix = matrix + scipy.sparse.coo_array((-flow.ravel(), (i.ravel(), j.ravel())), shape=matrix.shape)
                np.add.at(diagonal.ravel(), i.ravel(), flow.ravel())
        solved = scipy.sparse.linalg.spsolve(
            (matrix + scipy.sparse.diags_array(diagonal.ravel())).tocsc(), right.ravel()
        )
        first: NDArray[np.float64] = solved.reshape(count, count)[:, 0]
        return air + (first - air) * to_air / tissue.loss

    return place * 1000, skin(share) - skin(np.zeros_like(share))


@pytest.mark.parametrize(
    ("depth", "radius", "perfusion", "metabolism"),
    [
        (10, 5, 0.006, 3000),
        (7, 5, 0.01, 3000),
        (10, 8, 0.01, 3000),
        (15, 8, 0.006, 20_000),
        (20, 10, 0.003, 0),
        (6, 3, 0.0005, 5000),
    ],
)
def test_the_closed_form_is_what_finite_volumes_give(
    depth: float, radius: float, perfusion: float, metabolism: float
) -> None:
    tumour = Tumour(depth_mm=depth, radius_mm=radius, perfusion=perfusion, metabolism=metabolism)
    distance, expected = by_finite_volumes(tumour, Tissue())
    near = distance < 40
    assert surface_rise(tumour, Tissue(), distance[near]) == pytest.approx(
        expected[near], abs=0.015 * float(expected[0])
    )


def test_a_small_source_far_from_blood_and_air_is_a_point_charge_with_its_image() -> None:
    # Without perfusion and loss of heat the rise is that of electrostatics: Q / (4 pi k r), doubled by the image at the skin.
    tissue = Tissue(perfusion=1e-9, loss=0.0)
    tumour = Tumour(depth_mm=12, radius_mm=2, perfusion=1e-9, metabolism=40_000)
    distance = np.array([0.0, 5.0, 15.0])
    heat = 40_000 * 4 / 3 * np.pi * 0.002**3
    expected = 2 * heat / (4 * np.pi * tissue.conductivity * np.hypot(0.012, distance / 1000))
    assert surface_rise(tumour, tissue, distance) == pytest.approx(expected, rel=0.01)


def test_deeper_and_smaller_lumps_are_seen_less_and_wider() -> None:
    distance = np.linspace(0, 40, 81)
    rises = [surface_rise(Tumour(depth_mm=depth, radius_mm=5), Tissue(), distance) for depth in (6, 8, 10, 15, 20)]
    peaks = [rise[0] for rise in rises]
    assert peaks == sorted(peaks, reverse=True) and min(peaks) > 0
    widths = [distance[np.argmax(rise < rise[0] / 2)] for rise in rises]
    assert widths == sorted(widths)
    assert all((np.diff(rise) <= 1e-9).all() for rise in rises)
    assert surface_rise(Tumour(radius_mm=4), Tissue(), distance)[0] < rises[2][0]


def test_a_lump_like_its_surroundings_is_not_seen_and_one_that_reaches_the_skin_is_refused() -> None:
    same = Tumour(depth_mm=8, radius_mm=4, perfusion=Tissue().perfusion, metabolism=0.0)
    assert abs(surface_rise(same, Tissue(), np.linspace(0, 30, 5))).max() < 1e-9
    with pytest.raises(UsageError, match="reaches the skin"):
        surface_rise(Tumour(depth_mm=4, radius_mm=4), Tissue(), np.zeros(1))
