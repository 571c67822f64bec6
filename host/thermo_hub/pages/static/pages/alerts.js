// Alerts: those that are open, what became of each, what was delivered of it, and the rules that raise them.

import { chip, el, fact, put } from "../modules/dom.js";
import { severityKind } from "../modules/said.js";
import { clock, duration, moment } from "../modules/units.js";
import { silence, sounds, unmute } from "../modules/sound.js";

const STATES = {
  raised: ["○ raised", "warn"],
  notified: ["▲ calling", "bad"],
  acknowledged: ["✓ acknowledged", "good"],
  snoozed: ["◔ snoozed", ""],
  escalated: ["▲▲ escalated", "bad"],
  resolved: ["– over", ""],
};
const SNOOZES = [[15, "15 min"], [60, "1 h"], [480, "8 h"], [1440, "1 day"]];

export async function show(main, hub, [id]) {
  return id === "rules" ? rules(main, hub) : id ? one(main, hub, id) : list(main, hub);
}

async function list(main, hub) {
  let state = "open";
  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  const rows = el("div", { class: "stack", "aria-live": "polite" });
  const choice = el("div", { class: "segmented", role: "group", "aria-label": "Which alerts" });
  const sound = el("button", { type: "button" });
  const tell = (error) => { problem.hidden = !error; put(problem, error?.message ?? ""); };
  const choose = () => put(choice, ...["open", "all"].map((kind) =>
    el("button", { type: "button", "aria-pressed": String(kind === state), onclick: () => { state = kind; choose(); refresh(); } }, kind === "open" ? "Open" : "All")));
  const hear = () => put(sound, sounds() ? "Sound is on" : "Turn sound on");
  sound.addEventListener("click", async () => { await (sounds() ? silence() : unmute()); hear(); });
  const test = el("button", { type: "button", onclick: () => hub.ask("POST", "/api/alerts/test", {}).then(refresh, tell) }, "Test all channels");

  async function refresh() {
    try {
      const { alerts } = await hub.get(`/api/alerts?state=${state}`);
      tell(null);
      put(rows, ...(alerts.length ? alerts.map((alert) => card(hub, alert, refresh, tell)) : [el("div", { class: "empty" }, state === "open" ? "Nothing is open." : "There has been no alert yet.")]));
    } catch (error) {
      tell(error);
    }
  }

  choose();
  hear();
  put(main, el("div", { class: "head" }, el("h1", {}, "Alerts"), el("span", { class: "grow" }), choice, sound, test, el("a", { class: "button", href: "/alerts/rules" }, "Rules")),
    problem, rows, el("p", { class: "quiet" }, "Informs only. Not a medical device."));
  return listening(hub, refresh);
}

function card(hub, alert, after, tell) {
  const who = alert.label || alert.wearable || "the hub";
  return el("section", { class: "card", "data-alert": alert.id },
    el("div", { class: "row" }, stateChip(alert), chip(alert.severity, severityKind(alert.severity)), el("b", {}, el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, alert.text)), el("span", { class: "grow" }),
      el("span", { class: "quiet" }, moment(alert.raised_ms))),
    el("div", { class: "row" }, el("span", {}, who), el("span", { class: "quiet" }, said(alert)),
      alert.snoozed_ms && alert.state === "snoozed" ? chip(`until ${clock(alert.snoozed_ms, false)}`) : null, el("span", { class: "grow" }),
      ...(alert.resolved_ms ? [] : actions(hub, alert, after, tell))));
}

function actions(hub, alert, after, tell) {
  const where = `/api/alerts/${encodeURIComponent(alert.id)}`;
  const ask = (path, body) => hub.ask("POST", `${where}/${path}`, body).then(after, tell);
  const snooze = el("select", { "aria-label": `Snooze: ${alert.text}`, onchange: () => { if (snooze.value) ask("snooze", { minutes: Number(snooze.value) }); } },
    el("option", { value: "" }, "Snooze…"), ...SNOOZES.map(([minutes, name]) => el("option", { value: String(minutes) }, name)));
  const seen = el("button", { type: "button", class: "main", "aria-label": `Acknowledge: ${alert.text}`, onclick: () => ask("acknowledge", {}) }, "Acknowledge");
  return alert.state === "acknowledged" ? [snooze] : [snooze, seen];
}

async function one(main, hub, id) {
  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  const body = el("div", { class: "stack" });
  const tell = (error) => { problem.hidden = !error; put(problem, error?.message ?? ""); };

  async function refresh() {
    try {
      const alert = await hub.get(`/api/alerts/${encodeURIComponent(id)}`);
      tell(null);
      put(body, card(hub, alert, refresh, tell),
        el("section", { class: "card" }, el("h2", {}, "Rule"), el("dl", { class: "facts" },
          fact("Rule", `${alert.rule}, version ${alert.version}`), fact("Condition", alert.condition || "–", " ", alert.personal ? chip("of this wearer") : chip("as for everybody")),
          fact("Raised by", said(alert) || "–"), fact("Calls by", alert.channels.join(", ")))),
        el("section", { class: "card" }, el("h2", {}, "Steps"), el("div", { class: "scroll" }, el("table", {}, head("When", "Step", "By", "Note"),
          el("tbody", {}, ...alert.steps.map((step) => el("tr", {}, el("td", {}, moment(step.at_ms)), el("td", {}, step.state, step.until_ms ? ` until ${moment(step.until_ms)}` : ""), el("td", {}, step.by), el("td", {}, step.note))))))),
        el("section", { class: "card" }, el("h2", {}, "Deliveries"), alert.deliveries.length ? el("div", { class: "scroll" }, el("table", {}, head("Step", "Channel", "What for", "State", "Tries", "What was said"),
          el("tbody", {}, ...alert.deliveries.map((each) => el("tr", {}, el("td", {}, String(each.step)), el("td", {}, each.channel), el("td", {}, each.calls ? "call" : "news"), el("td", {}, each.state), el("td", { class: "number" }, String(each.attempts)), el("td", {}, each.detail)))))) : el("p", { class: "quiet" }, "None.")),
        el("p", { class: "quiet" }, alert.notice));
    } catch (error) {
      tell(error);
    }
  }

  put(main, el("div", { class: "head" }, el("h1", {}, "Alert"), el("span", { class: "grow" }), el("a", { class: "button", href: "/alerts" }, "All alerts")), problem, body);
  return listening(hub, refresh);
}

async function rules(main, hub) {
  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  const done = el("p", { class: "chip good", role: "status", hidden: true });
  const text = el("textarea", { rows: "28", spellcheck: "false", "aria-label": "Rules as TOML", class: "code" });
  const versions = el("select", { "aria-label": "Version" });
  const facts = el("p", { class: "quiet" });
  let newest = 0;
  const tell = (error, good = "") => { problem.hidden = !error; put(problem, error?.message ?? ""); done.hidden = !good; put(done, good); };

  async function load(version = null) {
    const found = await hub.get(`/api/alerts/rules${version === null ? "" : `?version=${version}`}`);
    if (version === null) newest = found.version;
    text.value = found.toml;
    put(versions, ...found.versions.map((number) => el("option", { value: String(number) }, `version ${number}`)));
    versions.value = String(found.version);
    put(facts, found.by ? `By ${found.by}, ${moment(Date.parse(found.at))}. ` : "What holds before anybody has written rules. ", found.wrong);
  }

  versions.addEventListener("change", () => load(Number(versions.value)).catch(tell));
  const save = el("button", { type: "button", class: "main", disabled: !hub.may("clinician", "administrator"), onclick: async () => {
    try {
      const { version } = await hub.ask("PUT", "/api/alerts/rules", { toml: text.value, expected: newest });
      await load();
      tell(null, `Version ${version} holds now.`);
    } catch (error) {
      tell(error);
    }
  } }, "Save as a new version");
  const channels = el("dl", { class: "facts" });
  const { channels: known } = await hub.get("/api/alerts/channels");
  put(channels, ...known.map((channel) => fact(channel.name, channel.what)));
  put(main, el("div", { class: "head" }, el("h1", {}, "Rules of alerts"), el("span", { class: "grow" }), versions, el("a", { class: "button", href: "/api/alerts/rules.toml", download: true }, "Download"), save, el("a", { class: "button", href: "/alerts" }, "All alerts")),
    problem, done, facts, text, el("section", { class: "card" }, el("h2", {}, "Channels"), channels));
  await load();
}

function listening(hub, refresh) {
  const kinds = ["alert", "alert-step"];
  for (const kind of kinds) hub.addEventListener(kind, refresh);
  hub.watch([], 60000);
  const timer = setInterval(refresh, 30000);
  refresh();
  return () => { clearInterval(timer); for (const kind of kinds) hub.removeEventListener(kind, refresh); };
}

function stateChip(alert) {
  const [words, kind] = STATES[alert.state] ?? [alert.state, ""];
  return chip(words, kind);
}

function said(alert) {
  const value = alert.value === null ? "" : `${Number(alert.value.toPrecision(5))} ${alert.unit === "degC" ? "°C" : alert.unit}`.trim();
  const length = alert.resolved_ms ? `, for ${duration((alert.resolved_ms - alert.raised_ms) / 1000)}` : "";
  return [alert.condition, value].filter(Boolean).join(": ") + length;
}

function head(...names) {
  return el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name))));
}
