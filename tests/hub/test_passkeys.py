"""Passkeys in Chromium with a virtual authenticator, and what of their answers is refused."""

import re
from typing import Any

from hubs import Serving
from patience import WAIT_MS
from playwright.sync_api import Browser, Page, Route, expect

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "four words that rhyme not"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
expect.set_options(timeout=WAIT_MS)
INVITE = """async (name) => {
    const me = await (await fetch("/api/me")).json();
    const headers = { "content-type": "application/json", "x-thermo-csrf": me.csrf };
    const body = JSON.stringify({ name, roles: ["carer", "administrator"] });
    return (await fetch("/api/accounts", { method: "POST", headers, body })).json();
}"""


def named(address: str) -> str:
    """The same at a name: browsers bind no passkey to a bare address."""
    return address.replace("127.0.0.1", "localhost")


def test_somebody_makes_a_passkey_and_comes_in_by_it(browser: Browser, hub: Serving) -> None:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page: Page = context.new_page()
    page.goto(named(hub.new_link()))
    page.get_by_role("link", name="Accounts").wait_for()
    link = named(page.evaluate(INVITE, "Petra")["link"])
    context.clear_cookies()
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    key = line.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
    page.goto(link)
    page.get_by_label("Password, 12 characters at least").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Take it").click()
    page.get_by_role("link", name="Accounts").click()
    page.get_by_label("Your password").fill("another one")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The password is another one")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text(re.compile("^of .*not used yet"))).to_be_visible()
    assert len(line.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1

    sent: list[Any] = []

    def note(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.continue_()

    page.route("**/api/passkeys/sign-in", note)
    context.clear_cookies()
    page.goto(named(hub.origin))
    page.get_by_role("button", name="Sign in by a passkey").click()
    page.get_by_role("link", name="Accounts").click()
    expect(page.get_by_text(re.compile(", used "))).to_be_visible()
    assert page.evaluate("async () => (await (await fetch('/api/me')).json()).name") == "Petra"

    post = """async ([path, body]) => {
        const headers = { "content-type": "application/json" };
        const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
        return [answer.status, (await answer.json()).detail];
    }"""
    context.clear_cookies()
    status, detail = page.evaluate(post, ["/api/passkeys/sign-in", sent[0]])
    assert (status, "answered before" in detail) == (401, True)

    def sign(change: str) -> tuple[int, str]:
        """Have the authenticator answer a new challenge, of which something is changed on its way."""
        found: list[Any] = page.evaluate(
            """async (change) => {
                const ask = async (path, body) => {
                    const headers = { "content-type": "application/json" };
                    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
                    return [answer.status, await answer.json()];
                };
                const [, { options }] = await ask("/api/passkeys/options", {});
                const proved = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
                const credential = proved.toJSON();
                const code = (text) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
                const plain = (text) => atob(text.replaceAll("-", "+").replaceAll("_", "/"));
                const told = credential.response;
                if (change === "origin") told.clientDataJSON = code(plain(told.clientDataJSON).replace("localhost", "elsewhere"));
                if (change === "rp") told.authenticatorData = code("x" + plain(told.authenticatorData).slice(1));
                if (change === "signature") told.signature = code(plain(told.signature).slice(0, -1) + "x");
                if (change === "id") credential.id = credential.rawId = code("nobody's");
                const [status, said] = await ask("/api/passkeys/sign-in", { credential });
                return [status, said.detail ?? ""];
            }""",
            change,
        )
        return found[0], found[1]

    for change in ("origin", "rp", "signature", "id"):
        assert sign(change) == (401, "This passkey does not let you in here; use another, or your password."), change
    context.clear_cookies()
    assert sign("")[0] == 200

    # A copy of the key that was taken before stands behind with its counter.
    context.clear_cookies()
    copied = line.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"][0]
    line.send("WebAuthn.removeCredential", {"authenticatorId": key, "credentialId": copied["credentialId"]})
    line.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": {**copied, "signCount": 0}})
    assert sign("")[0] == 401
    context.close()
