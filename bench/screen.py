"""The live view as a picture: what `thermo-host replay` shows at the end of a recording, drawn as a terminal draws it.

Run `python bench/screen.py RECORDING.mcap OUT.png [--columns 120] [--lines 30] [--seconds 60]`; docs/*.png are made so. The font is DejaVu Sans
Mono, which Debian has in fonts-dejavu-core.
"""

import argparse
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI

from thermo_host.link.items import Telemetry
from thermo_host.screen.view import View
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.playback import Recording

FONT = "DejaVuSansMono.ttf"
BOLD = "DejaVuSansMono-Bold.ttf"
SIZE = 16
CELL = (10, 20)
BACKGROUND, FOREGROUND = (18, 18, 22), (222, 222, 222)
HALVES = {
    "\u2580": (0.0, 0.0, 1.0, 0.5),
    "\u2584": (0.0, 0.5, 1.0, 1.0),
    "\u258c": (0.0, 0.0, 0.5, 1.0),
    "\u2588": (0.0, 0.0, 1.0, 1.0),
}
"""Blocks are drawn as areas, since a font leaves gaps between them."""


def main() -> None:
    """Draw one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("png", type=Path)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument(
        "--seconds", type=float, help="how far into it, by the wearable's clock; to its end where left out"
    )
    options = parser.parse_args()
    recording = Recording(options.recording)
    monitor = Monitor(recording.session)
    first_us: int | None = None
    for item in recording:
        if isinstance(item, Telemetry) and options.seconds is not None:
            first_us = item.header.time_us if first_us is None else first_us
            if item.header.time_us - first_us > 1e6 * options.seconds:
                break
        monitor.push(item)
    hello = monitor.session.hello
    view = View(monitor, f"{hello.profile}, {hello.name} {hello.serial}", hint="q ends it")
    drawn(view, options.columns, options.lines).save(options.png)


def drawn(view: View, columns: int, lines: int) -> Image.Image:
    """The view for a terminal of so many columns and lines."""
    console = Console(file=io.StringIO(), width=columns, height=lines, force_terminal=True, color_system="truecolor")
    rows = console.render_lines(view.render(columns, lines), pad=True)
    picture = Image.new("RGB", (CELL[0] * columns, CELL[1] * len(rows)), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    fonts = {bold: ImageFont.truetype(BOLD if bold else FONT, SIZE) for bold in (False, True)}
    for row, segments in enumerate(rows):
        column = 0
        for segment in segments:
            for character in segment.text:
                _cell(draw, fonts, (column * CELL[0], row * CELL[1]), character, segment)
                column += 1
    return picture


def _cell(
    draw: ImageDraw.ImageDraw,
    fonts: dict[bool, ImageFont.FreeTypeFont],
    at: tuple[int, int],
    character: str,
    segment: Segment,
) -> None:
    style = segment.style or Style.null()
    front, back = _rgb(style.color, FOREGROUND), _rgb(style.bgcolor, BACKGROUND)
    if style.dim:
        front = ((front[0] + back[0]) // 2, (front[1] + back[1]) // 2, (front[2] + back[2]) // 2)
    (x, y), (width, height) = at, CELL
    draw.rectangle((x, y, x + width - 1, y + height - 1), back)
    if character in HALVES:
        left, top, right, bottom = HALVES[character]
        draw.rectangle((x + left * width, y + top * height, x + right * width - 1, y + bottom * height - 1), front)
    elif character.strip():
        draw.text((x, y), character, front, fonts[bool(style.bold)])


def _rgb(color: Color | None, usual: tuple[int, int, int]) -> tuple[int, int, int]:
    return usual if color is None or color.is_default else color.get_truecolor(MONOKAI)


if __name__ == "__main__":
    main()
