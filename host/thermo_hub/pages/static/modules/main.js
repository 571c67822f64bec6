// The frame of all pages: navigation, preferences, and which page is shown.

import { el, put } from "./dom.js";
import { Hub } from "./hub.js";
import { PAGES } from "./registry.js";
import { invited, signIn } from "./signin.js";
import { follow } from "./sound.js";
import { fahrenheit, setUnit } from "./units.js";

const hub = new Hub();
const main = document.getElementById("main");
const banner = document.getElementById("banner");
let leave = null;
let turn = 0;

const THEME = "thermo-hub.theme";

function theme() {
  const chosen = localStorage.getItem(THEME);
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function dress() {
  document.documentElement.dataset.theme = theme();
}

function tools() {
  const unit = el("button", { class: "small", type: "button", onclick: () => { setUnit(fahrenheit() ? "C" : "F"); tools(); } },
    fahrenheit() ? "°F" : "°C");
  unit.setAttribute("aria-label", `Temperatures in ${fahrenheit() ? "degrees Fahrenheit" : "degrees Celsius"}; change`);
  const dark = theme() === "dark";
  const look = el("button", { class: "small", type: "button", onclick: () => { localStorage.setItem(THEME, dark ? "light" : "dark"); dress(); tools(); } },
    dark ? "Light" : "Dark");
  look.setAttribute("aria-label", dark ? "Light colours" : "Dark colours");
  put(document.getElementById("tools"), unit, look);
}

function navigation(current) {
  const links = PAGES.filter((page) => page.link && hub.may(...page.roles)).map((page) =>
    el("a", { href: page.link, "aria-current": page === current || (current?.name === "wearable" && page.name === "wall") ? "page" : null }, page.title));
  put(document.getElementById("pages"), ...links);
}

async function show() {
  const mine = ++turn;
  leave?.();
  leave = null;
  const page = PAGES.find((one) => one.at.test(location.pathname));
  navigation(page);
  if (!page) {
    document.title = "Not here · thermo-hub";
    put(main, el("div", { class: "empty" }, el("h1", {}, "There is no such page"), el("a", { href: "/" }, "All wearables")));
    return;
  }
  if (!hub.may(...page.roles)) {
    const others = PAGES.filter((one) => one.link && hub.may(...one.roles));
    if (location.pathname === "/" && others.length) {
      go(others[0].link);
      return;
    }
    document.title = `${page.title} · thermo-hub`;
    put(main, el("div", { class: "empty" }, el("h1", {}, "This page is not for you"), el("p", {}, `It is for a ${page.roles.join(" or ")}; ask an administrator for that role.`),
      others.map((one) => el("a", { href: one.link }, one.title))));
    return;
  }
  const parameters = page.at.exec(location.pathname).slice(1).map((one) => one && decodeURIComponent(one));
  const module = await import(`../pages/${page.name}.js`);
  if (mine !== turn) return;
  document.title = `${page.title} · thermo-hub`;
  // A page that is left while it still asks draws where nobody sees it, and ends as soon as it can be ended.
  const place = el("div", { class: "place" });
  put(main, place);
  const end = (await module.show(place, hub, parameters)) ?? null;
  if (mine === turn) leave = end;
  else end?.();
}

/** Go to another page without loading anew. */
export function go(path) {
  history.pushState(null, "", path);
  show();
  main.focus();
  scrollTo(0, 0);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { dress(); tools(); });

hub.addEventListener("connection", () => {
  put(banner, hub.connected ? "" : "The hub does not answer; what is shown is not of now. Trying again.");
  document.documentElement.classList.toggle("offline", !hub.connected);
});

dress();
tools();
try {
  await hub.begin();
  if (hub.may("wearer", "carer", "clinician")) follow(hub);
  await show();
} catch (error) {
  const token = /^\/invited\/([^/]+)$/.exec(location.pathname)?.[1];
  if (token) invited(main, decodeURIComponent(token));
  else if (hub.me === null) signIn(main);
  else put(main, el("div", { class: "empty" }, el("h1", {}, "This page cannot be shown"), el("p", {}, error.message)));
}
