// Accounts: who may come in, as what, and which wearables they see.

import { chip, el, put } from "../modules/dom.js";
import { passkeysAllowed, registerPasskey } from "../modules/passkeys.js";
import { moment } from "../modules/units.js";

const EVERY = "*";

export async function show(main, hub) {
  const problem = el("div", { class: "note bad", role: "alert", hidden: true });
  const said = el("div", { class: "stack", role: "status" });
  const content = el("div", { class: "stack" });
  put(main, el("div", { class: "head" }, el("h1", {}, "Accounts")), problem, said, content);
  const act = (work, words = null) => async () => {
    problem.hidden = true;
    put(said);
    try {
      const done = await work();
      if (words) put(said, el("div", { class: "card" }, ...words(done)));
      await refresh();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  };
  const refresh = async () => {
    const mine = await ownPasskeys(hub, act);
    if (!hub.may("administrator")) return put(content, mine);
    const { accounts, roles, wearables } = await hub.get("/api/accounts");
    return put(content, invitation(hub, roles, wearables, act), ...accounts.map((one) => account(hub, one, roles, wearables, act)),
      accounts.length ? null : el("div", { class: "empty" }, el("h2", {}, "There is no account yet"), el("p", {}, "You came in by the hub's own link. The first account that is made must be an administrator's.")), mine);
  };
  await act(async () => {})();
  return () => {};
}

function path(name, more = "") {
  return `/api/accounts/${encodeURIComponent(name)}${more}`;
}

/** Check boxes with their names; `chosen` gives what is checked. */
function choice(legend, options, checked) {
  const boxes = options.map(([value, words]) => [value, el("input", { type: "checkbox", checked: checked.includes(value), value }), words]);
  return {
    node: el("fieldset", {}, el("legend", {}, legend), el("div", { class: "row" }, ...boxes.map(([, box, words]) => el("label", { class: "row" }, box, words)))),
    chosen: () => boxes.filter(([, box]) => box.checked).map(([value]) => value),
  };
}

function wearableChoice(of, wearables, checked) {
  const gone = checked.filter((one) => one !== EVERY && !wearables.some((known) => known.id === one));
  return choice(`Wearables that ${of} sees`, [[EVERY, "all, those to come too"], ...wearables.map((one) => [one.id, `${one.label || one.profile} (${one.id})`]), ...gone.map((one) => [one, one])], checked);
}

/** A link by which somebody sets a password, told once. */
function linkOf(words) {
  return ({ name, link }) => [el("p", {}, `${words(name)} It is good once, for a week; the hub does not show it again.`), el("code", {}, link)];
}

function invitation(hub, roles, wearables, act) {
  const name = el("input", { type: "text", maxlength: "64", required: true, id: "invited" });
  const chosen = choice("Roles", roles.map((role) => [role, role]), []);
  const seen = wearableChoice("the account", wearables, []);
  return el("section", { class: "card" }, el("h2", {}, "Invite somebody"), el("form", { class: "stack", onsubmit: (event) => {
    event.preventDefault();
    act(() => hub.ask("POST", "/api/accounts", { name: name.value, roles: chosen.chosen(), wearables: seen.chosen() }), linkOf((who) => `Give ${who} this link.`))();
  } }, el("label", { class: "stack", for: "invited" }, "Name", name), chosen.node, seen.node, el("div", {}, el("button", { type: "submit", class: "main" }, "Invite"))));
}

function account(hub, one, roles, wearables, act) {
  const chosen = choice("Roles", roles.map((role) => [role, role]), one.roles);
  const seen = wearableChoice(one.name, wearables, one.wearables);
  const button = (words, work, told = null) => el("button", { type: "button", class: "small", "aria-label": `${words}: ${one.name}`, onclick: act(work, told) }, words);
  const set = (closed) => () => hub.ask("PUT", path(one.name), { roles: chosen.chosen(), closed });
  return el("section", { class: "card stack" },
    el("h2", {}, one.name, " ", one.closed ? chip("closed", "warn") : null, ...one.roles.map((role) => [" ", chip(role)])),
    el("p", { class: "quiet" }, `Since ${moment(one.since_ms)}; password of ${moment(one.changed_ms)}; ${one.passkeys} ${one.passkeys === 1 ? "passkey" : "passkeys"}; in at ${one.visits} ${one.visits === 1 ? "browser" : "browsers"}.`,
      one.wearables.length ? "" : " It sees no wearable."),
    chosen.node, el("div", {}, button("Keep roles", set(one.closed))),
    seen.node, el("div", {}, button("Keep wearables", () => hub.ask("PUT", path(one.name, "/wearables"), { wearables: seen.chosen() }))),
    el("div", { class: "row" },
      button("New password by a link", () => hub.ask("POST", "/api/accounts", { name: one.name, roles: one.roles }), linkOf((who) => `With this link ${who} sets another password.`)),
      button("Sign out everywhere", () => hub.ask("DELETE", path(one.name, "/visits"))),
      one.passkeys ? button("Remove passkeys", () => hub.ask("DELETE", path(one.name, "/passkeys"))) : null,
      button(one.closed ? "Open again" : "Close", set(!one.closed)),
      button("Delete", () => hub.ask("DELETE", path(one.name)))));
}

async function ownPasskeys(hub, act) {
  const { passkeys, account: has } = await hub.get("/api/me/passkeys");
  if (!has) return null;
  return el("section", { class: "card stack" }, el("h2", {}, "Your passkeys"),
    passkeys.length ? el("ul", {}, ...passkeys.map((one) => el("li", {}, `of ${moment(one.since_ms)}, ${one.used_ms ? `used ${moment(one.used_ms)}` : "not used yet"} `,
      el("button", { type: "button", class: "small", "aria-label": `Remove the passkey of ${moment(one.since_ms)}`, onclick: act(() => hub.ask("DELETE", `/api/me/passkeys/${encodeURIComponent(one.id)}`)) }, "Remove"))))
      : el("p", { class: "quiet" }, "You have none; with one you come in without a password."),
    passkeysAllowed() ? el("div", {}, el("button", { type: "button", onclick: act(() => registerPasskey(hub)) }, "Add a passkey")) : el("p", { class: "quiet" }, "Passkeys need a browser at a name, as localhost, or at a hub behind TLS; not at a bare address."));
}
