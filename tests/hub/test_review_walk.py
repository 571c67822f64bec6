"""All the way from a wearable that errs to one that does not: finding, review, labels, training, signing, flashing from the page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bundles import IMAGE
from hubs import Serving, command, serving
from patience import WAIT_MS
from playwright.sync_api import Page, expect, sync_playwright
from running import Running, started

from thermo_core.labels import read_labels
from thermo_core.tflite.interpreter import Int8Network
from thermo_host.flash import flash, load

pytestmark = pytest.mark.lengthy

CHROMIUM = "/usr/bin/chromium"
SERIALS = ("SIM-00000004", "SIM-00000005")
RECORDED_MS = 6_000.0
DEVELOPMENT_KEY = Path(str(resources.files("thermo_device") / "development_key" / "development_ed25519.pem"))
QUICK = ("--quick", "--set", "batch=16", "--set", "dropout=0.0")
WCAG = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A patch on skin without a lesion, whose sensor nobody calibrated: its model takes pixel errors for one."""
    folder = tmp_path_factory.mktemp("healthy")
    text = (resources.files("thermo_sim") / "worlds" / "breast-patch.toml").read_text()
    before, _, after = text.partition("[scene.options.lesion]")
    world = folder / "healthy.toml"
    world.write_text(before + after[after.index("\n[") :])
    with started("agent", folder, "--world", str(world)) as running:
        with running.open() as host:
            flash(host, load(IMAGE))
        yield running


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, ExitStack]]:
    """Another one, with a lesion under it, and what ends it: it is needed no longer than it is recorded."""
    with ExitStack() as stack:
        running = stack.enter_context(started("agent", tmp_path_factory.mktemp("ill"), "--seed", "5"))
        with running.open() as host:
            flash(host, load(IMAGE))
        yield running, stack


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory, healthy: Running, ill: tuple[Running, ExitStack]
) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("hub"), healthy, ill[0]) as found:
        yield found


@pytest.fixture(scope="module")
def page(hub: Serving) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1000})
        opened.set_default_timeout(WAIT_MS)
        opened.goto(hub.link)
        yield opened
        browser.close()


def record(page: Page, origin: str) -> None:
    """Of both wearables, on the page of recordings."""
    page.goto(f"{origin}/recordings")
    for serial, person in zip(SERIALS, ("Anna", "Berta"), strict=True):
        card = page.locator(".card.row", has_text=serial)
        card.get_by_role("textbox").fill(person)
        card.get_by_role("button", name="Record").click()
        expect(page.get_by_role("button", name="Stop")).to_have_count(1 if person == "Anna" else 2)
    page.wait_for_timeout(RECORDED_MS)
    for left in (1, 0):
        page.get_by_role("button", name="Stop").first.click()
        expect(page.get_by_role("button", name="Stop")).to_have_count(left)


def read_all(page: Page, origin: str) -> int:
    """Read every window, by keys alone, and keep what was said; how many there were."""
    page.goto(f"{origin}/review")
    page.locator("td a").first.wait_for()
    places = page.eval_on_selector_all("td a", "links => links.map(link => link.getAttribute('href'))")
    for place in places:
        page.goto(f"{origin}{place}")
        heading = page.get_by_role("heading", level=1)
        expect(page.get_by_role("heading", name="Your first read, blind")).to_be_visible()
        assert page.request.get(f"{origin}/api{place}/finding").status == 409
        expect(page.locator("main")).not_to_contain_text("What the model said")
        has_lesion = heading.inner_text() == "Berta"
        expect(page.locator(".figure .old")).to_have_text("")
        canvas = page.locator(".figure canvas")
        canvas.focus()
        if has_lesion:
            for key in ("ArrowUp", "b", *("ArrowRight",) * 4, *("ArrowDown",) * 3, "b"):
                page.keyboard.press(key)
            for key in ("p", "ArrowRight", "ArrowRight", "p", "ArrowDown", "ArrowDown", "p", "Enter"):
                page.keyboard.press(key)
            expect(page.locator("ul.marked li")).to_have_count(2)
        page.keyboard.press("2" if has_lesion else "1")
        page.get_by_role("button", name="Store my first read").press("Enter")
        expect(page.get_by_role("heading", name="What the model said")).to_be_visible()
        page.get_by_role("button", name="Keep it").press("Enter")
        expect(page.get_by_role("heading", name="You are done with it")).to_be_visible()
    return len(places)


def page_is_for_everybody(page: Page) -> None:
    """The page of a window that was read: named, with contrast, on a phone, light and dark."""
    for theme, width in (("light", 1280), ("dark", 360)):
        page.evaluate(f"localStorage.setItem('thermo-hub.theme', '{theme}')")
        page.set_viewport_size({"width": width, "height": 800})
        page.reload()
        expect(page.get_by_role("heading", name="What the model said")).to_be_visible()
        found = Axe().run(page, options=WCAG)
        assert found.violations_count == 0, (theme, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        expect(page.locator("footer")).to_contain_text("Informs only. Not a medical device.")
    page.set_viewport_size({"width": 1280, "height": 1000})


def run(program: str, *words: str | Path) -> None:
    whole = [Path(sys.executable).with_name(program), *words]
    done = subprocess.run(list(map(str, whole)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_wearable_that_errs_is_reviewed_trained_anew_and_errs_no_more(
    page: Page, hub: Serving, ill: tuple[Running, ExitStack], tmp_path: Path
) -> None:
    origin = hub.origin
    page.locator("a.tile").nth(1).wait_for()
    page.goto(f"{origin}/wearable/SIM-00000004")
    expect(page.locator(".finding .bar.first")).to_contain_text(re.compile(r"^lesion"))

    record(page, origin)
    for serial in SERIALS:
        page.goto(f"{origin}/sharing/{serial}")
        page.get_by_role("button", name="Give consent to training").click()
        expect(page.locator("main")).to_contain_text("training given by this computer")
    page.goto(f"{origin}/review")
    ill[1].close()

    windows = read_all(page, origin)
    page_is_for_everybody(page)
    assert windows >= 2

    file = tmp_path / "labels.npz"
    told = command("labels", "export", str(file), "--wearable", "breast-patch", "--folder", str(hub.folder))
    assert f"{windows} windows of 2 wearers" in told
    labels = read_labels(file)
    assert {one.opinion.label for one in labels.about.items} == {"lesion", "no lesion"}
    assert all([step.blinded for step in one.readings] == [True, False] for one in labels.about.items)
    assert "Anna" not in file.read_bytes().decode("latin-1")

    trained, bundle = tmp_path / "run", tmp_path / "better.img"
    run("thermo-models", "train", "breast-patch", "--labels", file, "--out", trained, *QUICK)
    sign = ("sign", "--key", DEVELOPMENT_KEY, "--wearable", trained, "--version", "1.1.1", "--out", bundle)
    run("thermo-quantize", *sign)

    page.goto(f"{origin}/devices/SIM-00000004")
    expect(page.locator("main")).to_contain_text("SHA-256")
    page.get_by_label("Signed bundle").set_input_files(bundle)
    expect(page.locator("main")).to_contain_text("breast-patch 1.1.1 runs, 1.1.0 ran before")
    page.goto(f"{origin}/wearable/SIM-00000004")
    expect(page.locator(".finding .bar.first")).to_contain_text(re.compile(r"^no lesion"))

    network = Int8Network((trained / "model.tflite").read_bytes())
    of_ill = np.array([labels.about.items[item].opinion.label == "lesion" for item in labels.items])
    lesion = network.predict([labels.signals["above"][..., np.newaxis]])[:, 1]
    assert lesion[of_ill].min() > lesion[~of_ill].max()
