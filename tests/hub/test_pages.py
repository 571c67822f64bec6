"""Pages in Debian's Chromium, of a hub and a simulated patch that run: what a person sees, presses and hears."""

import io
import json
import re
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from hubs import Serving
from patience import WAIT_MS
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from thermo_hub.security.cookies import name_of
from thermo_hub.security.door import Door
from thermo_hub.security.roles import Role
from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store

pytestmark = pytest.mark.lengthy

CHROMIUM = "/usr/bin/chromium"
NOTICE = "Informs only. Not a medical device."
expect.set_options(timeout=WAIT_MS)


class Looking:
    """A page, with all that it asked for and complained of."""

    def __init__(self, browser: Browser, hub: Serving) -> None:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        context.set_default_timeout(WAIT_MS)
        self.hub = hub
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self._asked(request))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(hub.new_link())

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.hub.origin}{path}")
        return self.page

    def wearable(self) -> str:
        """Path of the page of the only wearable."""
        self.go("/")
        path = self.page.locator("a.tile").first.get_attribute("href")
        assert path is not None
        return path

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture(scope="module")
def looking(browser: Browser, hub: Serving) -> Iterator[Looking]:
    opened = Looking(browser, hub)
    yield opened
    opened.close()


def test_the_link_leaves_no_token_in_the_address(looking: Looking) -> None:
    assert looking.page.url == f"{looking.hub.origin}/"
    looking.page.locator("a.tile").first.wait_for()


def test_the_wall_shows_each_wearable_live(looking: Looking) -> None:
    page = looking.go("/")
    tile = page.locator("a.tile").first
    expect(tile).to_contain_text("breast-patch")
    expect(tile).to_contain_text("live")
    expect(tile).to_contain_text("°C")
    expect(tile.locator("canvas")).to_be_visible()
    tile.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("breast-patch")
    page.go_back()
    page.locator("a.tile").first.wait_for()


def test_a_wearable_shows_pictures_findings_signals_and_how_well_they_are_known(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    expect(page.get_by_role("img", name=re.compile(r"skin: \d+\.\d °C to \d+\.\d °C, warmest at row"))).to_be_visible()
    for words in (
        "no lesion",
        "Capture to hub",
        "Capture to screen",
        "Losses",
        "not calibrated",
        "camera itself",
        "simulated",
    ):
        expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("img", name=re.compile("Temperatures, the past 5 minutes: thermistor 1"))).to_be_visible()
    expect(page.locator("main")).to_contain_text("warmer than the mirrored side")
    drawn = page.locator(".figure canvas").screenshot()
    with Image.open(io.BytesIO(drawn)) as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 50
    assert page.locator("path.isotherm").count() > 0
    page.get_by_label("Isotherms").uncheck()
    expect(page.locator("path.isotherm")).to_have_count(0)
    page.get_by_label("Isotherms").check()


def test_what_the_finding_rests_on_is_shown_and_said(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    expect(page.locator("path.rests")).to_have_count(0)
    page.get_by_label("What the finding rests on").check()
    expect(page.locator("main")).to_contain_text(re.compile(r"lesion \(\d+ %\) rests on what is outlined"))
    expect(page.locator("path.rests").first).to_be_attached()
    page.get_by_label("What the finding rests on").uncheck()
    expect(page.locator("path.rests")).to_have_count(0)


def test_a_wearer_reads_in_plain_words_what_it_measures_says_and_who_looked(looking: Looking) -> None:
    page = looking.go(looking.wearable().replace("/wearable/", "/me/"))
    main = page.locator("main")
    expect(main).to_contain_text(re.compile(r"The skin under the camera is \d+\.\d °C; its warmest place \d+\.\d °C\."))
    expect(main).to_contain_text("Thermistor 1 is")
    expect(main).to_contain_text(re.compile(r"it says (no )?lesion, and is \d+ % sure"))
    expect(main).to_contain_text("You looked last at")
    expect(main).to_contain_text("It informs; it is no medical device.")
    page.get_by_role("button", name="Temperatures in degrees Celsius; change").click()
    expect(main).to_contain_text(re.compile(r"The skin under the camera is \d+\.\d °F"))
    page.get_by_role("button", name="Temperatures in degrees Fahrenheit; change").click()
    page.get_by_role("link", name="What I agree to share").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sharing of")


def test_pictures_go_on_coming(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    canvas = page.locator(".figure canvas")
    canvas.wait_for()
    seen: set[bytes] = set()
    until = time.monotonic() + WAIT_MS / 1000
    while len(seen) < 3:
        assert time.monotonic() < until
        seen.add(canvas.screenshot())


def test_degrees_fahrenheit_and_dark_colours_stay_chosen(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    page.get_by_role("button", name="Temperatures in degrees Celsius; change").click()
    expect(page.locator(".bigs")).to_contain_text("°F")
    page.get_by_role("button", name="Dark colours").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator(".bigs")).to_contain_text("°F")
    warmest = float(re.findall(r"\d+\.\d", page.locator(".bigs .value").first.inner_text())[0])
    assert 85 < warmest < 105
    page.get_by_role("button", name="Light colours").click()
    page.get_by_role("button", name="Temperatures in degrees Fahrenheit; change").click()
    expect(page.locator(".bigs")).to_contain_text("°C")


def test_everything_is_reached_and_read_by_keyboard(looking: Looking) -> None:
    page = looking.go("/")
    page.locator("a.tile").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    names = []
    for _ in range(20):  # the links to pages come first
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.className"))
        if "tile" in names[-1]:
            break
    assert "tile" in names[-1]
    page.keyboard.press("Enter")
    canvas = page.locator(".figure canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".figure .reading")).to_have_text(re.compile(r"\d+\.\d+ °C · row 13, column 18"))
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"


AXE = Axe()
WCAG = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
LINKS = "async () => (await import('/static/modules/registry.js')).PAGES.map((one) => one.link).filter(Boolean)"
"""Addresses of pages that need no wearable's id."""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_every_page_informs_only_has_names_contrast_and_fits_a_phone(looking: Looking, theme: str, width: int) -> None:
    page = looking.page
    wearable = looking.wearable()
    page.evaluate(f"localStorage.setItem('thermo-hub.theme', '{theme}')")
    links = page.evaluate(LINKS)
    assert {"/", "/alerts", "/recordings"} < set(links)
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        *links,
        "/alerts/rules",
        wearable,
        *(wearable.replace("/wearable/", f"/{name}/") for name in ("devices", "sharing", "me")),
    ):
        looking.go(path)
        page.get_by_role("heading", level=1).first.wait_for()
        expect(page.locator("footer")).to_contain_text(NOTICE)
        page.wait_for_timeout(400)
        found = AXE.run(page, options=WCAG)
        assert found.violations_count == 0, (path, theme, width, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, width)
        assert page.locator("html").get_attribute("lang") == "en"
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("localStorage.removeItem('thermo-hub.theme')")


def test_a_hostile_name_is_shown_and_not_obeyed(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    hostile = "<img src=x onerror=alert(1)>\u202egnihton"
    page.on("dialog", lambda dialog: pytest.fail("a name was obeyed"))
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("What this wearable is called").fill(hostile)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>gnihton")
    assert page.locator("main img").count() == 0
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("What this wearable is called").fill("")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("breast-patch")


def test_what_leaves_the_hub_is_agreed_to_on_a_page(looking: Looking) -> None:
    page = looking.go("/sharing")
    page.locator("td a").first.click()
    main = page.locator("main")
    expect(main).to_contain_text("not agreed")
    page.get_by_label("Note on the consent").fill("<b>on paper</b>")
    page.get_by_role("button", name="Give consent to sharing").click()
    expect(main).to_contain_text("sharing given by this computer (<b>on paper</b>)")
    expect(main).to_contain_text("None is set; [fhir] of hub.toml names one.")
    href = page.get_by_role("link", name="The last day").get_attribute("href")
    bundle = page.request.get(f"{looking.hub.origin}{href}")
    assert bundle.json()["resourceType"] == "Bundle"
    page.get_by_role("button", name="Withdraw consent to sharing").click()
    expect(main).to_contain_text("sharing withdrawn by this computer")
    refused = page.request.get(f"{looking.hub.origin}{href}")
    assert (refused.status, "withdrew consent" in refused.json()["detail"]) == (403, True)


def test_the_annotated_picture_is_given_as_png_and_svg(looking: Looking) -> None:
    wearable = looking.wearable().rpartition("/")[2]
    base = f"{looking.hub.origin}/api/wearables/{wearable}/pictures/skin"
    png = looking.page.request.get(f"{base}.png")
    with Image.open(io.BytesIO(png.body())) as image:
        assert image.format == "PNG"
    svg = looking.page.request.get(f"{base}.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert NOTICE in svg.text()
    assert looking.page.request.get(f"{base}x.png").status == 404


def test_a_recording_is_made_marked_and_looked_at_again(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    page.get_by_label("Whom the recording of").fill("Anna")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("main")).to_contain_text("recording since")
    page.wait_for_timeout(2500)
    page.get_by_label("What happens with").fill("lies down")
    page.get_by_role("button", name="Mark").click()
    expect(page.get_by_role("button", name="Mark (1)")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    page.get_by_role("link", name="Recordings").click()
    expect(page.locator("tbody")).to_contain_text("Anna")
    page.locator("td a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anna")
    expect(page.locator("main")).to_contain_text("marker: lies down")
    expect(page.get_by_role("img", name=re.compile(r"skin: \d+"))).to_be_visible()
    page.get_by_label("Moment of the recording").fill("900")
    expect(page.locator("main")).to_contain_text("lesion")
    rests = page.get_by_label("What the finding rests on")
    rests.focus()
    page.keyboard.press("Space")
    expect(page.locator("main")).to_contain_text(
        re.compile(r"lesion \(\d+ %\) rests on (what is outlined|no single place)")
    )
    page.keyboard.press("Space")
    expect(page.locator("path.rests")).to_have_count(0)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name=re.compile("Pause|Play"))).to_be_visible()
    page.get_by_label("Bundle", exact=True).select_option(label="breast-patch 1.1.0")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"lesion: \d+ of \d+ findings the same"))
    found = AXE.run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    href = page.locator("a[download]").first.get_attribute("href")
    answer = page.request.get(f"{looking.hub.origin}{href}")
    assert answer.body()[:8] == b"\x89MCAP0\r\n"
    page.route("**/pictures/skin", lambda route: route.fulfill(status=200, body=b""))
    page.reload()
    expect(page.locator(".figure")).to_contain_text("There is no whole picture in this time.")
    page.unroute("**/pictures/skin")
    looking.go(looking.wearable().replace("/wearable/", "/me/"))
    expect(page.locator("main a[download]").first).to_have_attribute("href", href)


def test_a_calibration_from_the_page_asks_before_it_writes(looking: Looking) -> None:
    page = looking.go(looking.wearable().replace("/wearable/", "/devices/"))
    page.get_by_role("button", name="Calibrate…").click()
    page.get_by_label("Set-points").fill("warm")
    page.get_by_role("button", name="Calibrate", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Give two temperatures or more")
    page.get_by_label("Set-points").fill("30, 37")
    page.get_by_label("Quick").check()
    page.get_by_role("button", name="Calibrate", exact=True).click()
    expect(page.locator("main [role=status]")).to_contain_text("calibration")
    page.reload()  # what is asked stays asked
    leave = page.get_by_role("button", name="Leave it")
    leave.wait_for()
    expect(page.locator("main")).to_contain_text(re.compile(r"skin \d\.\d+ K before and 0\.\d+ K after"))
    leave.click()
    expect(page.get_by_role("heading", name="Measured, and not written")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Nothing was written to the wearable.")
    expect(page.locator("main")).to_contain_text("34.70 °C")
    assert list((looking.hub.folder / "calibrations").glob("*/report.html"))


def test_the_devices_page_tests_the_wearable_and_flashes_it(looking: Looking) -> None:
    page = looking.go(looking.wearable().replace("/wearable/", "/devices/"))
    for words in ("Counters since its start", "Images", "confirmed", "mlx90640", "not calibrated"):
        expect(page.locator("main")).to_contain_text(words)
    page.get_by_role("button", name="Self-test").click()
    expect(page.get_by_role("heading", name="The self-test passed")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "bundle.img", "mimeType": "application/octet-stream", "buffer": looking.hub.patch.image}
    )
    expect(page.get_by_role("heading", name="runs already")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "bundle.img", "mimeType": "application/octet-stream", "buffer": b"nonsense"}
    )
    expect(page.get_by_role("alert")).to_contain_text("cannot be flashed")
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("heading", name="It is back with bundle")).to_be_visible()


def test_who_looks_after_devices_sees_them_and_no_picture(browser: Browser, hub: Serving) -> None:
    settings = Settings(folder=str(hub.folder), port=int(hub.origin.rpartition(":")[2]))
    store = open_store(settings)
    door = Door(store)
    door.scopes.assign("Ed", ["*"], "a test")
    cookie = door.let_in("Ed", frozenset({Role.ENGINEER}))
    store.close()
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    context.add_cookies([{"name": name_of(settings), "value": cookie, "url": hub.origin}])
    page = context.new_page()
    frames: list[bytes | str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda said: frames.append(said)))
    page.goto(hub.origin)
    expect(page.get_by_role("heading", level=1)).to_have_text("Devices")
    expect(page.locator("tbody")).to_contain_text("breast-patch")
    page.goto(f"{hub.origin}/alerts")
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is not for you")
    assert frames
    assert not [frame for frame in frames if isinstance(frame, bytes) or '"values"' in frame]
    context.close()


def test_a_pulled_cable_is_shown_and_what_comes_back_is_live_again(looking: Looking) -> None:
    page = looking.go(looking.wearable())
    page.locator(".chip.good", has_text="live").wait_for()
    looking.hub.patch.laboratory("unplug", seconds=6.0)
    expect(page.get_by_role("alert").first).to_contain_text("No data")
    expect(page.locator(".figure .old")).to_be_visible()
    page.locator(".chip.good", has_text="live").wait_for()
    expect(page.locator(".figure .old")).to_be_hidden()


def test_no_request_left_the_machine_and_no_page_complained(looking: Looking) -> None:
    assert looking.requests
    foreign = [url for url in looking.requests if not url.startswith((looking.hub.origin, "data:", "blob:"))]
    assert foreign == []
    # What the browser logs of answers that tests asked for on purpose, and of the hub's word for a bad image.
    expected = re.compile(r"status of (400|403|404|500|502)")
    assert [said for said in looking.complaints if not expected.search(said)] == []
    assert json.dumps(looking.requests).count("token=") == 1
