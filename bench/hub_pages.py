"""Pictures of every page of the hub, of the wearables of `thermo-hub demo`: `python bench/hub_pages.py [FOLDER]`, docs/hub by default.

Takes about five minutes, in which the demo's new warm spot grows.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "hub"
DESKTOP, PHONE = (1360, 850), (390, 844)
GROWS_S = 150.0
READY_S = 240.0
COLOURS, FLAT, APART, MOST_LOOKED_AT = 256, 96, 12, 4000
"""Colours of a picture; those of flat parts among them, how far two of these are apart, and among how many they are chosen."""


@contextmanager
def demo() -> Iterator[str]:
    """The demo at work; its link."""
    words = [sys.executable, "-m", "thermo_hub.cli", "demo", "--http-port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def take(page: Page, path: Path, whole: bool = True) -> None:
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")  # of a scroll bar that is not drawn
    page.screenshot(path=path, full_page=whole)
    with Image.open(path) as image:
        coloured = image.convert("RGB")
    coloured.quantize(palette=palette(coloured), dither=Image.Dither.NONE).save(path, optimize=True)
    print(path, flush=True)


def palette(image: Image.Image) -> Image.Image:
    """Colours of a page: what it is drawn with, each as it is, beside those that thermal pictures need."""
    flat: list[tuple[int, int, int]] = []
    counted: list[tuple[int, tuple[int, int, int]]] = sorted(image.getcolors(1 << 24), reverse=True)  # type: ignore[arg-type]
    for _, colour in counted[:MOST_LOOKED_AT]:
        if len(flat) < FLAT and all(sum(abs(a - b) for a, b in zip(colour, one, strict=True)) > APART for one in flat):
            flat.append(colour)
    others = image.quantize(COLOURS - FLAT, dither=Image.Dither.NONE).getpalette() or []
    made = Image.new("P", (1, 1))
    made.putpalette([part for colour in flat for part in colour] + others[: 3 * (COLOURS - len(flat))])
    return made


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def review(page: Page, origin: str, folder: Path) -> None:
    """A window, read with a box and a polygon, and what the model said of it."""
    page.goto(f"{origin}/review")
    page.locator("td a").first.click()
    page.locator(".figure canvas").focus()
    for key in (*["ArrowUp"] * 6, *["ArrowLeft"] * 8, "b", *["ArrowRight"] * 6, *["ArrowDown"] * 5, "b"):
        page.keyboard.press(key)
    for key in (
        *["ArrowRight"] * 4,
        "p",
        *["ArrowRight"] * 5,
        "p",
        *["ArrowDown"] * 3,
        *["ArrowLeft"] * 2,
        "p",
        "Enter",
        "2",
    ):
        page.keyboard.press(key)
    press(page, "Store my first read")
    page.get_by_role("heading", name="What the model said").wait_for()
    time.sleep(2)
    take(page, folder / "review.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as link, browser() as chromium:
        context = chromium.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, color_scheme="light")
        context.set_default_timeout(READY_S * 1000)
        page = context.new_page()
        page.goto(link)
        page.locator("a.tile").nth(4).wait_for(timeout=READY_S * 1000)
        origin = link.partition("/enter")[0]
        tiles = page.eval_on_selector_all("a.tile", "tiles => tiles.map(tile => tile.getAttribute('href'))")
        names = {href: page.locator(f"a.tile[href='{href}'] strong").inner_text() for href in tiles}
        wearable = {name.partition(",")[0]: href for href, name in names.items()}
        page.goto(f"{origin}{wearable['Anna']}")
        page.get_by_label("Whom the recording of").fill("Anna")
        press(page, "Record")
        time.sleep(GROWS_S)
        page.get_by_label("What happens with").fill("lies down")
        page.get_by_role("button", name="Mark").click()
        time.sleep(2)
        press(page, "Stop")
        page.goto(origin)
        time.sleep(3)
        take(page, folder / "wall.png")
        for name, file in (
            ("Eva", "new-spot"),
            ("Anna", "patch"),
            ("Clara", "monitor"),
            ("Ben", "clothing"),
            ("David", "wrist"),
        ):
            page.goto(f"{origin}{wearable[name]}")
            if file == "patch":
                page.get_by_label("What the finding rests on").check()
            time.sleep(4)
            take(page, folder / f"{file}.png")
        page.goto(f"{origin}{wearable['Anna'].replace('/wearable/', '/me/')}")
        time.sleep(3)
        take(page, folder / "me.png")
        page.goto(f"{origin}/accounts")
        time.sleep(1)
        take(page, folder / "accounts.png")
        for kind in ("png", "svg"):
            answer = page.request.get(
                f"{origin}/api/wearables/{wearable['Eva'].rpartition('/')[2]}/pictures/skin.{kind}"
            )
            (folder / f"annotated.{kind}").write_bytes(answer.body())
        page.goto(f"{origin}/recordings")
        time.sleep(2)
        take(page, folder / "recordings.png")
        page.locator("td a").first.click()
        page.wait_for_selector("input[type=range]")
        page.locator("input[type=range]").fill("600")
        page.get_by_label("What the finding rests on").check()
        page.get_by_text(re.compile(r"rests on (what|no)")).wait_for()
        time.sleep(2)
        take(page, folder / "replay.png")
        review(page, origin, folder)
        for name in ("alerts", "trends"):
            page.goto(f"{origin}/{name}")
            time.sleep(4)
            take(page, folder / f"{name}.png")
        page.goto(f"{origin}{wearable['Clara'].replace('/wearable/', '/sharing/')}")
        page.get_by_label("Note on the consent").fill("signed on paper")
        page.get_by_role("button", name="Give consent to sharing").click()
        time.sleep(3)
        take(page, folder / "sharing.png")
        page.goto(f"{origin}/devices")
        time.sleep(2)
        take(page, folder / "devices.png")
        page.locator("td a").first.click()
        time.sleep(2)
        press(page, "Self-test")
        page.wait_for_selector("text=self-test passed", timeout=30_000)
        time.sleep(2)
        take(page, folder / "device.png")
        phone = chromium.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]},
            color_scheme="dark",
            device_scale_factor=2,
            storage_state=context.storage_state(),
        ).new_page()
        phone.goto(f"{origin}{wearable['Eva']}")
        time.sleep(4)
        take(phone, folder / "phone.png", whole=False)


if __name__ == "__main__":
    main()
