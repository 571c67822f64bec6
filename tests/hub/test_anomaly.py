"""What stands out of pictures, on simulated skin whose truth is known, and how it is drawn."""

import io
import itertools
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont
from scipy import ndimage

from thermo_core.signals import Signal, Values
from thermo_hub.anomaly.deviation import Deviation, Overlay
from thermo_hub.anomaly.drawing import Subject, draw, to_png, to_svg
from thermo_hub.anomaly.labels import Labels, Place
from thermo_hub.anomaly.outlines import outlines, padded
from thermo_sim.scenes import Lesion, breast_patch

pytestmark = pytest.mark.lengthy

SKIN = Signal("skin", (24, 32), "degC", 8.0, "skin")
LEARN_S = 40.0
PERIOD_NS = 125_000_000
HOSTILE = 'A<script>alert("x")</script> & \x1b[31mB'


class Person:
    """Somebody whose skin a camera with its own fixed faults looks at."""

    def __init__(self, seed: int, wearer: Deviation) -> None:
        self._wearer = wearer
        self._random = np.random.default_rng(seed)
        self._fixed = self._random.normal(0, 0.3, SKIN.shape)
        self._utc_ns = 10**18

    def show(self, scene: Values, seconds: float) -> Overlay:
        overlay = None
        for _ in range(int(seconds * 8)):
            self._utc_ns += PERIOD_NS
            seen = scene + self._fixed + self._random.normal(0, 0.4, SKIN.shape)
            overlay = self._wearer.push(self._utc_ns, seen.astype(np.float32), 0) or overlay
        assert overlay is not None
        return overlay


def scene(seed: int, lesion: Lesion | None = None) -> Values:
    return breast_patch(seed, lesion).celsius(0.0).astype(np.float32)


@given(st.integers(0, 200), st.floats(0.2, 0.8))
@settings(max_examples=30)
def test_every_point_of_an_outline_lies_where_the_picture_crosses_the_level(seed: int, share: float) -> None:
    values = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(12, 16)), 1).astype(np.float32)
    level = float(values.min() + share * (values.max() - values.min()))
    lines = outlines(values, level)
    assert lines
    for line in lines:
        for x, y in line:
            at = ndimage.map_coordinates(values, [[y - 0.5], [x - 0.5]], order=1, mode="nearest")[0]
            assert at == pytest.approx(level, abs=2e-3)
        closed = line[0] == line[-1]
        ends = [line[0], line[-1]]
        assert closed or all(min(x - 0.5, y - 0.5, 15.5 - x, 11.5 - y) < 1e-6 for x, y in ends)


def test_a_disc_has_one_closed_outline_of_its_size() -> None:
    row, column = np.mgrid[0:24, 0:32]
    disc = (6.0 - np.hypot(row - 11, column - 16)).astype(np.float32)
    (line,) = outlines(padded(disc, -9.0), 0.0)
    assert line[0] == line[-1]
    radii = [np.hypot(x - 17.5, y - 12.5) for x, y in line]
    assert min(radii) > 5.8
    assert max(radii) < 6.2


def test_what_is_new_on_skin_is_outlined_where_it_is() -> None:
    random = np.random.default_rng(7)
    found, right = 0, 0
    for seed in range(10):
        row, column, radius = random.uniform(4, 19), random.uniform(4, 27), random.uniform(2, 4)
        lesion = Lesion(row=row, column=column, radius=radius, contrast_k=float(random.uniform(0.5, 2.0)))
        person = Person(seed, Deviation(SKIN, LEARN_S))
        healthy = person.show(scene(seed), LEARN_S + 6)
        assert healthy.ready
        assert healthy.own == ()
        new = person.show(scene(seed, lesion), 5).own
        if new:
            found += 1
            x, y = new[0].peak
            right += bool(np.hypot(y - 0.5 - row, x - 0.5 - column) <= 1.2 * radius)
            assert 0 < new[0].kelvin < 3
    assert found >= 8
    assert right >= 0.8 * found


def test_nothing_is_said_of_what_is_usual_before_it_was_learned() -> None:
    person = Person(1, Deviation(SKIN, 1000.0))
    overlay = person.show(scene(1), 20)
    assert not overlay.ready
    assert overlay.own == ()
    assert 10 < overlay.learned_s < 30


def test_what_was_learned_outlasts_a_restart_and_is_told_from_what_is_none() -> None:
    first = Deviation(SKIN, LEARN_S)
    Person(2, first).show(scene(2), LEARN_S + 6)
    second = Deviation(SKIN, LEARN_S)
    second.load(first.state)
    assert second.state == first.state
    assert second.samples == first.samples
    with pytest.raises(ValueError, match="bytes"):
        Deviation(SKIN, LEARN_S).load(b"nonsense")


def test_a_spot_on_one_side_is_warmer_than_the_mirrored_one() -> None:
    flat = np.full(SKIN.shape, 34.0, np.float32)
    row, column = np.mgrid[0:24, 0:32]
    spot = flat + 2.0 * np.exp(-((row - 8) ** 2 + (column - 25) ** 2) / 10).astype(np.float32)
    (region, *_) = Person(3, Deviation(SKIN, LEARN_S)).show(spot, 5).mirror
    x, y = region.peak
    assert np.hypot(x - 25.5, y - 8.5) < 1.5
    both = spot + 2.0 * np.exp(-((row - 8) ** 2 + (column - 6) ** 2) / 10).astype(np.float32)
    assert Person(3, Deviation(SKIN, LEARN_S)).show(both, 5).mirror == ()


def test_a_picture_without_values_gives_nothing_and_no_warning() -> None:
    overlay = Person(4, Deviation(SKIN, LEARN_S)).show(np.full(SKIN.shape, np.nan, np.float32), 5)
    assert (overlay.own, overlay.mirror) == ((), ())


def annotated() -> tuple[Values, Overlay]:
    person = Person(5, Deviation(SKIN, LEARN_S))
    person.show(scene(5), LEARN_S + 6)
    picture = scene(5, Lesion(row=8, column=10, radius=3, contrast_k=2.0))
    return picture, person.show(picture, 5)


def test_the_annotated_picture_is_svg_and_png_and_says_that_it_informs_only() -> None:
    values, overlay = annotated()
    drawing = draw(values, overlay, Subject(HOSTILE, "2026-11-28 10:00:00 UTC", ("calibration: none",)))
    text = to_svg(drawing)
    root = ElementTree.fromstring(text)
    words = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Informs only. Not a medical device." in words
    assert f"+{overlay.own[0].kelvin:.1f} K" in words
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    with Image.open(io.BytesIO(to_png(drawing))) as image:
        assert image.size == (round(drawing.width * 2), round(drawing.height * 2))
        assert len(image.getcolors(1 << 24) or ()) > 100


@given(st.lists(st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.integers(1, 8)), max_size=20))
def test_no_text_lies_upon_another_or_beyond_the_picture(wanted: list[tuple[float, float, int]]) -> None:
    """Boxes are measured anew, by the font that the PNG is drawn with."""
    labels = Labels((0.0, 0.0, 400.0, 300.0))
    font = ImageFont.load_default(16)
    boxes = []
    for x, y, length in wanted:
        text = "+8.8 K  "[:length]
        anchors: tuple[Place, ...] = ((x, y, "middle"), (x, y + 30, "start"), (x, y - 30, "end"))
        place = labels.place(text, 16, anchors)
        if place is not None:
            left, top, right, bottom = font.getbbox(text, anchor={"start": "ls", "middle": "ms", "end": "rs"}[place[2]])
            boxes.append((place[0] + left, place[1] + top, place[0] + right, place[1] + bottom))
    for box in boxes:
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= 400 and box[3] <= 300
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    alone = Labels((0.0, 0.0, 400.0, 300.0))
    assert alone.place("37.0", 16, ((200, 150, "middle"),)) == (200, 150, "middle"), "where there is room, one stands"


def test_a_picture_with_holes_and_without_an_overlay_is_drawn_too() -> None:
    values = scene(6)
    values[5:9, 5:9] = np.nan
    drawing = draw(values, None, Subject("skin", ""))
    assert ElementTree.fromstring(to_svg(drawing)) is not None
    assert to_png(drawing)
