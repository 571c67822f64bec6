"""Draws what each stage on pictures makes of the same scene: `python bench/stage_pictures.py docs/stages.png`.

The scene is a body with a warm spot on its left before a cool wall, 24 x 32 pixels with 0.1 K of noise; what learns a background has
seen the wall before.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from thermo_core.schema import from_plain
from thermo_core.signals import Signal, Values
from thermo_core.stages import OPS, AnyStage
from thermo_core.stages.stage import Elementwise, Moments, Recursive

PICTURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gaussian", {"op": "gaussian"}),
    ("median3", {"op": "median3"}),
    ("sobel", {"op": "sobel"}),
    ("canny", {"op": "canny", "high": 1.5, "low": 0.6}),
    ("segment, mask", {"op": "segment", "opening": 1}),
    ("segment, picture", {"op": "segment", "opening": 1, "give": "picture"}),
    ("equalise", {"op": "equalise", "low": 20.0, "high": 38.0}),
    ("equalise, 3 x 4 tiles", {"op": "equalise", "low": 20.0, "high": 38.0, "tile_rows": 3, "tile_columns": 4, "clip": 2.0}),
    ("normalise_percentiles", {"op": "normalise_percentiles", "low": 10, "high": 60}),
    ("subtract_background", {"op": "subtract_background"}),
    ("the same, mask", {"op": "subtract_background", "give": "mask"}),
    ("difference of halves", {"op": "difference"}),
    ("crop", {"op": "crop", "row": 4, "column": 10, "rows": 14, "columns": 12}),
    ("resize, area", {"op": "resize", "rows": 12, "columns": 16, "by": "area"}),
    ("resize, bilinear", {"op": "resize", "rows": 72, "columns": 96}),
)  # fmt: skip

WIDE, HIGH, COLUMNS = 192, 144, 6
"""Pixels of a picture on the page, and pictures in a row of it."""


def scene(seed: int, body: bool = True) -> Values:
    """(24, 32) degC; the wall alone without a body."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :32]
    trunk = 1 / (1 + np.exp(3 * ((np.abs(x - 15.5) - 8) + 0.1 * np.abs(y - 12))))
    spot = 2.0 * np.exp(-((x - 11) ** 2 + (y - 11) ** 2) / 5)
    return np.asarray(23 + body * (10 * trunk + spot) + 0.05 * y + rng.normal(0, 0.1, x.shape), np.float32)


def made(stage: dict[str, Any], picture: Values) -> Values:
    """What a stage makes of a picture; one that learns has seen the wall alone for 20 s before."""
    typed: Any = from_plain({"of": "x", "gives": "y"} | stage, AnyStage, "stage")
    op = OPS[typed.op]
    signal = Signal("x", picture.shape, "degC", 8.0, "x")
    op.result(typed, [signal])
    if isinstance(op, Recursive):
        course = np.stack([*(scene(seed, body=False) for seed in range(160)), picture])
        times_us = np.arange(len(course), dtype=np.int64) * 125_000
        moments = Moments(times_us, [course], np.zeros(len(course), np.uint16))
        return np.asarray(op.start(typed, [signal]).run(moments)[0][-1], np.float32)
    assert isinstance(op, Elementwise)
    return np.asarray(op.apply(typed, [signal], [picture[np.newaxis]])[0], np.float32)


def drawn(values: Values) -> Image.Image:
    """A picture in shades of grey from its least to its greatest value, blue where there is none."""
    missing = np.isnan(values)
    low, high = np.nanmin(values), np.nanmax(values)
    grey = np.nan_to_num((values - low) / max(float(high - low), 1e-6) * 255).astype(np.uint8)
    colours = np.stack([grey, grey, np.where(missing, 160, grey)], axis=-1).astype(np.uint8)
    return Image.fromarray(colours)


def page(picture: Values) -> Image.Image:
    """All of them, with their names."""
    shown = [("the scene", picture), *((title, made(stage, picture)) for title, stage in PICTURES)]
    sheet = Image.new("RGB", (COLUMNS * (WIDE + 12) + 12, 3 * (HIGH + 30) + 6), "white")
    pen = ImageDraw.Draw(sheet)
    places = [(12 + column * (WIDE + 12), 22 + row * (HIGH + 30)) for row in range(3) for column in range(COLUMNS)]
    for (left, top), (title, values) in zip(places, shown, strict=False):
        scale = min(WIDE / values.shape[1], HIGH / values.shape[0])
        size = (round(values.shape[1] * scale), round(values.shape[0] * scale))
        sheet.paste(drawn(values).resize(size, Image.Resampling.NEAREST), (left, top))
        pen.text((left, top - 14), title, fill="black")
    (left, top), (texture_left, texture_top) = places[len(shown) :]
    sheet.paste(drawn(picture).resize((WIDE, HIGH), Image.Resampling.NEAREST), (left, top))
    pen.text((left, top - 14), "hot_spots", fill="black")
    for contrast, area, row, column in made({"op": "hot_spots", "least_k": 9.7, "most": 1}, picture).tolist():
        if not np.isnan(contrast):
            x, y = left + (column + 0.5) * WIDE / 32, top + (row + 0.5) * HIGH / 24
            pen.ellipse((x - 9, y - 9, x + 9, y + 9), outline="red", width=2)
            pen.text((x + 12, y - 12), f"{contrast:.1f} K, {area:.0f} px", fill="red")
    rows = made({"op": "glcm", "low": 22.0, "high": 36.0, "angles": [0, 90]}, picture).tolist()
    words = ("contrast", "homogeneity", "energy", "correlation")
    lines = [f"{word}: {one:.2f}, {other:.2f}" for word, one, other in zip(words, *rows, strict=True)]
    pen.text((texture_left, texture_top - 14), "glcm, 0 and 90 degrees", fill="black")
    pen.text((texture_left, texture_top + 20), "\n".join(lines), fill="black")
    return sheet


def main() -> None:
    """Draw the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="picture to write, .png")
    parser.add_argument("--seed", type=int, default=1, help="of the noise")
    arguments = parser.parse_args()
    page(scene(arguments.seed)).save(arguments.file, optimize=True)
    print(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
