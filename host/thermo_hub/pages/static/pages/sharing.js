// Sharing: what a wearer agrees to, what a clinician confirms, and what was sent to a FHIR server.

import { chip, el, put } from "../modules/dom.js";
import { moment } from "../modules/units.js";

const SPANS = [["day", 1], ["week", 7], ["month", 31]];
const DAY_MS = 86400000;
const KINDS = { sent: "good", waiting: "warn", failed: "bad", cancelled: "" };

export function show(main, hub, [id]) {
  return id ? wearable(main, hub, id) : list(main, hub);
}

function list(main, hub) {
  const body = el("tbody");
  const empty = el("div", { class: "empty", hidden: true }, el("h2", {}, "No wearable is here yet"), el("p", {}, "Plug one in; it appears here by itself."));
  const box = el("div", { class: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Wearable"), el("th", { scope: "col" }, "Agreed to"))), body));
  put(main, el("div", { class: "head" }, el("h1", {}, "Sharing")), box, empty);
  const refresh = async () => {
    const worn = [...hub.wearables.values()];
    empty.hidden = worn.length > 0;
    box.hidden = !worn.length;
    const rows = await Promise.all(worn.map(async (one) => {
      const { purposes } = await hub.get(`${path(one.id)}/consents`);
      const given = purposes.filter((purpose) => purpose.given).map((purpose) => chip(purpose.purpose, "good"));
      return el("tr", {}, el("td", {}, el("a", { href: `/sharing/${encodeURIComponent(one.id)}` }, one.title)), el("td", {}, given.length ? given.flatMap((words) => [words, " "]) : "nothing"));
    }));
    put(body, ...rows);
  };
  const listener = () => refresh();
  for (const kind of ["wall", "session"]) hub.addEventListener(kind, listener);
  hub.watch([], 60000);
  refresh();
  return () => { for (const kind of ["wall", "session"]) hub.removeEventListener(kind, listener); };
}

async function wearable(main, hub, id) {
  const problem = el("div", { class: "note bad", role: "alert", hidden: true });
  const content = el("div", { class: "stack" });
  put(main, el("div", { class: "head" }, el("h1", {}, `Sharing of ${hub.wearables.get(id)?.title ?? id}`)), problem, content);
  const refresh = async () => put(content, ...(await Promise.all([
    consents(hub, id, act), hub.may("clinician") ? taking(hub, id, act) : null, hub.may("clinician", "administrator") ? sendings(hub, id, act) : null,
  ])));
  const act = (work) => async () => {
    problem.hidden = true;
    try {
      await work();
      await refresh();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  };
  hub.watch([id], 60000);
  await act(async () => {})();
  return () => {};
}

async function consents(hub, id, act) {
  const { purposes, said } = await hub.get(`${path(id)}/consents`);
  const may = hub.may("wearer", "administrator");
  const note = el("input", { type: "text", maxlength: "500", placeholder: "as where it was signed", "aria-label": "Note on the consent" });
  const say = (purpose, given) => act(() => hub.ask("PUT", `${path(id)}/consents/${purpose}`, { given, note: note.value }));
  return el("section", { class: "card scroll" }, el("h2", {}, "What the wearer agrees to"),
    el("table", {}, el("tbody", {}, ...purposes.map((one) => el("tr", {}, el("th", { scope: "row" }, one.purpose), el("td", {}, one.words), el("td", {}, chip(one.given ? "agreed" : "not agreed", one.given ? "good" : "")),
      el("td", {}, may ? el("button", { type: "button", class: "small", "aria-label": `${one.given ? "Withdraw" : "Give"} consent to ${one.purpose}`, onclick: say(one.purpose, !one.given) }, one.given ? "Withdraw" : "Give consent") : null))))),
    may ? el("div", { class: "row" }, note) : el("p", { class: "quiet" }, "The wearer or an administrator gives and withdraws consent."),
    said.length ? el("ul", {}, ...said.map((one) => el("li", {}, `${moment(one.at_ms)}: ${one.purpose} ${one.given ? "given" : "withdrawn"} by ${one.by}`, one.note ? ` (${one.note})` : ""))) : el("p", { class: "quiet" }, "Nobody has said anything yet."));
}

async function taking(hub, id, act) {
  const { estimates } = await hub.get(`${path(id)}/estimates?most=24`);
  const now = Date.now();
  const links = SPANS.flatMap(([name, days]) => [el("a", { class: "button small", download: true, href: `${path(id)}?from_ms=${now - days * DAY_MS}&to_ms=${now}` }, `The last ${name}`), " "]);
  const rows = estimates.map((one) => {
    const at = moment(one.start_ms);
    if (one.confirmed) return el("tr", {}, el("td", {}, at), el("td", {}, `${one.mean.toFixed(2)} °C`), el("td", { colspan: "3" }, chip(`${one.confirmed.value.toFixed(2)} °C`, "good"), ` confirmed by ${one.confirmed.by}`, one.confirmed.note ? ` (${one.confirmed.note})` : ""));
    const value = el("input", { type: "number", step: "0.01", min: "25", max: "45", value: one.mean.toFixed(2), "aria-label": `What holds for the hour from ${at}` });
    const note = el("input", { type: "text", maxlength: "500", placeholder: "ear thermometer, say", "aria-label": `How that was found, for the hour from ${at}` });
    const confirm = act(() => hub.ask("POST", `${path(id)}/confirmations`, { series: one.series, start_ms: one.start_ms, value: Number(value.value), note: note.value }));
    return el("tr", {}, el("td", {}, at), el("td", {}, `${one.mean.toFixed(2)} °C`, one.spread ? ` ± ${one.spread.toFixed(2)}` : ""), el("td", {}, value), el("td", {}, note), el("td", {}, el("button", { type: "button", class: "small", "aria-label": `Confirm the hour from ${at}`, onclick: confirm }, "Confirm")));
  });
  return el("section", { class: "card scroll" }, el("h2", {}, "FHIR"), el("p", {}, ...links), el("h3", {}, "Estimates"),
    rows.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Hour", "Model", "Holds", "How it was found", "Confirmed"].map((words) => el("th", { scope: "col" }, words)))), el("tbody", {}, ...rows))
      : el("p", { class: "quiet" }, "No model of this wearable estimates a temperature."));
}

async function sendings(hub, id, act) {
  const { server, sendings: sent } = await hub.get(`${path(id)}/sendings`);
  if (!server) return el("section", { class: "card" }, el("h2", {}, "FHIR server"), el("p", { class: "quiet" }, "None is set; [fhir] of hub.toml names one."));
  const rows = sent.map((one) => el("tr", {}, el("td", {}, `${moment(one.from_ms)} – ${moment(one.to_ms)}`), el("td", {}, chip(one.state, KINDS[one.state])), el("td", {}, String(one.tries.length)), el("td", {}, one.tries.at(-1)?.detail ?? "–")));
  return el("section", { class: "card scroll" }, el("h2", {}, "FHIR server"), el("p", {}, server),
    rows.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Window", "State", "Tries", "What it said"].map((words) => el("th", { scope: "col" }, words)))), el("tbody", {}, ...rows)) : el("p", { class: "quiet" }, "Nothing was sent yet: whole hours are, from the first that begins after the wearer agreed."),
    el("button", { type: "button", onclick: act(() => hub.ask("POST", `${path(id)}/sendings/again`)) }, "Try at once what waits or failed"));
}

function path(id) {
  return `/api/fhir/${encodeURIComponent(id)}`;
}
