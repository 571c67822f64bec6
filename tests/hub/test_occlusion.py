"""What a finding rests on: on simulated skin whose truth is known, on networks that look at a known place, and on the page."""

from collections.abc import Sequence

import numpy as np
import pytest
from hubs import Visit

from thermo_core import image
from thermo_core.signals import Values
from thermo_core.wearable import library
from thermo_hub.anomaly.occlusion import rests_on
from thermo_hub.wearables.bundles import Bundles
from thermo_sim.scenes import Lesion, breast_patch

LABELS = ("no", "yes")


class Corner:
    """A network that looks at nothing but one part of a picture."""

    def __init__(self, rows: slice, columns: slice) -> None:
        self._rows, self._columns = rows, columns

    def infer(self, inputs: Sequence[Values]) -> Values:
        warm = float(inputs[1][self._rows, self._columns].mean())
        yes = 1 / (1 + np.exp(-4 * (warm - 0.5)))
        return np.array([1 - yes, yes], np.float32)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (20, 28), (9, 14)])
def test_a_network_that_looks_at_one_place_rests_on_it(row: int, column: int) -> None:
    rows, columns = slice(row, row + 4), slice(column, column + 4)
    picture = np.random.default_rng(0).normal(0, 0.1, (24, 32)).astype(np.float32)
    picture[rows, columns] += 1.5
    found = rests_on(Corner(rows, columns), (np.zeros(3, np.float32), picture), 1, LABELS)
    assert found.label == "yes"
    x, y = found.peak
    assert row <= y <= row + 4 and column <= x <= column + 4
    around = np.array([point for line in found.outline for point in line])
    assert around[:, 1].min() >= row - 6 and around[:, 1].max() <= row + 10
    assert found.loss[(row + 12) % 24, (column + 16) % 32] == pytest.approx(0, abs=0.05)


def test_a_finding_that_no_place_carries_has_no_outline() -> None:
    class Sure:
        def infer(self, inputs: Sequence[Values]) -> Values:
            return np.array([0.2, 0.8], np.float32)

    assert rests_on(Sure(), (np.zeros((24, 32), np.float32),), 0, LABELS).outline == ()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 8.0])
def test_how_sure_scores_are_made_changes_nothing_of_what_carries_them(temperature: float) -> None:
    class Tempered(Corner):
        def infer(self, inputs: Sequence[Values]) -> Values:
            no, yes = super().infer(inputs)
            odds = float(np.log(yes / no)) / temperature
            scores = np.array([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))])
            return (np.round(scores * 256) / 256).astype(np.float32)

    picture = np.random.default_rng(0).normal(0, 0.1, (24, 32)).astype(np.float32)
    picture[8:12, 8:12] += 0.8
    placed = rests_on(Tempered(slice(8, 12), slice(8, 12)), (np.zeros(3, np.float32), picture), 1, LABELS)
    assert placed.outline
    x, y = placed.peak
    assert 8 <= y <= 12 and 8 <= x <= 12
    even = np.full((24, 32), 1.0, np.float32) + np.random.default_rng(1).normal(0, 0.3, (24, 32)).astype(np.float32)
    spread = rests_on(Tempered(slice(0, 24), slice(0, 32)), (np.zeros(3, np.float32), even), 1, LABELS)
    assert spread.outline == ()


def test_a_lesion_that_the_shipped_network_finds_is_where_its_finding_rests() -> None:
    bundles = Bundles(library.folder() / "nowhere")
    sha256 = image.parse((library.folder() / "breast-patch" / "bundle.img").read_bytes()).sha256
    networks = bundles.networks(sha256)
    assert networks is not None
    random = np.random.default_rng(3)
    said = right = 0
    for seed in range(20):
        row, column, radius = random.uniform(4, 19), random.uniform(4, 27), random.uniform(2, 4)
        lesion = Lesion(row=row, column=column, radius=radius, contrast_k=float(random.uniform(0.7, 2.0)))
        seen = breast_patch(seed, lesion).celsius(0.0) + random.normal(0, 0.1, (24, 32))
        found = rests_on(networks["lesion"], ((seen - np.median(seen)).astype(np.float32),), 0, ("no lesion", "lesion"))
        if found.label == "lesion":
            said += 1
            x, y = found.peak
            right += bool(np.hypot(y - 0.5 - row, x - 0.5 - column) <= 1.2 * radius)
    assert said >= 10
    assert right >= 0.8 * said


def test_a_bundle_is_known_where_it_is_installed_or_was_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bundles")
    data = (library.folder() / "breast-patch" / "bundle.img").read_bytes()
    parsed = image.parse(data)
    assert Bundles(folder).networks(b"") is None
    assert Bundles(folder).networks(bytes(32)) is None
    Bundles(folder).keep(data)
    kept = folder / f"{parsed.sha256.hex()}.img"
    assert kept.read_bytes() == data
    kept.write_bytes(data[:1000])
    assert Bundles(folder).networks(parsed.sha256) is not None, "a damaged one is passed over"


def test_of_what_is_not_known_the_sentence_says_why(visit: Visit) -> None:
    visit.come_in()
    answer = visit.client.get("/api/wearables/nobody/rests/lesion").json()
    assert answer == {"known": False, "why": "This model has looked at no picture yet, or at none at all."}
