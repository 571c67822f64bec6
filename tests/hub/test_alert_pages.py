"""The pages of alerts and trends in Debian's Chromium."""

import re
from collections.abc import Iterator

import pytest
from hubs import Serving
from patience import WAIT_MS
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.lengthy

PASSWORD = "four words that rhyme not"
expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def page(browser: Browser, hub: Serving) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(hub.new_link())
    opened.locator("a.tile").first.wait_for()
    yield opened
    assert not complaints
    context.close()


def test_a_test_calls_on_every_page_until_it_is_acknowledged(page: Page, hub: Serving) -> None:
    page.goto(f"{hub.origin}/alerts")
    page.get_by_role("button", name="Test all channels").click()
    card = page.locator("section[data-alert]", has_text="A test of alerts by this computer.")
    expect(card).to_contain_text("calling")
    page.goto(f"{hub.origin}/recordings")
    expect(page.locator("html")).to_have_attribute("data-calling", re.compile("^[1-9]"))
    page.goto(f"{hub.origin}/alerts")
    buttons = page.get_by_role("button", name="Acknowledge: A test of alerts")
    buttons.first.wait_for()
    for left in reversed(range(buttons.count())):
        buttons.first.click()
        expect(buttons).to_have_count(left)
    expect(card).to_have_count(0)
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("link", name="A test of alerts by this computer.").first.click()
    expect(page.locator("table").first).to_contain_text("acknowledged")
    expect(page.locator("table").nth(1)).to_contain_text("said on the pages that are open")


def test_rules_are_written_on_the_page_and_what_is_wrong_is_said(page: Page, hub: Serving) -> None:
    page.goto(f"{hub.origin}/alerts/rules")
    text = page.get_by_label("Rules as TOML")
    expect(text).to_have_value(re.compile("calibration-expired"))
    before = text.input_value()
    text.fill(
        f'{before}\n[[rules]]\nname = "warm"\nwatch = {{ kind = "region", signal = "skin", of = "max" }}\nwhen = "> -50 K"\n'
    )
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("status").filter(has_text="holds now")).to_be_visible()
    text.fill("rules = 7")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("alert").filter(has_text="rules")).to_be_visible()


def test_trends_are_shown_once_a_minute_is_over_or_said_to_come(page: Page, hub: Serving) -> None:
    page.goto(f"{hub.origin}/trends")
    expect(page.get_by_role("heading", level=1, name="Trends")).to_be_visible()
    expect(page.locator("canvas[role=img]").or_(page.get_by_text("There are no trends of")).first).to_be_visible()
    # They come by themselves.
    expect(page.locator("canvas[role=img]").first).to_be_visible()


def test_somebody_who_was_invited_signs_in(page: Page, browser: Browser, hub: Serving) -> None:
    made = page.evaluate(
        """async () => {
            const me = await (await fetch("/api/me")).json();
            const headers = { "content-type": "application/json", "x-thermo-csrf": me.csrf };
            const body = JSON.stringify({ name: "Carla", roles: ["carer"], wearables: ["*"] });
            return (await fetch("/api/accounts", { method: "POST", headers, body })).json();
        }"""
    )
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    other = context.new_page()
    other.goto(made["link"])
    other.get_by_label("Password, 12 characters at least").fill(PASSWORD)
    other.get_by_label("The same again").fill(PASSWORD)
    other.get_by_role("button", name="Take it").click()
    other.locator("a.tile").first.wait_for()
    expect(other.locator("#pages")).not_to_contain_text("Devices")
    context.clear_cookies()
    other.goto(f"{hub.origin}/alerts")
    other.get_by_label("Name").fill("Carla")
    other.get_by_label("Password").fill("wrong")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("alert")).to_contain_text("Name or password is wrong")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1, name="Alerts")).to_be_visible()
    context.close()
