// A wearer's own page, in plain words: my temperature, what it said, who looked, and what is mine to take along.

import { chip, el, put, renew } from "../modules/dom.js";
import { severityKind } from "../modules/said.js";
import { clock, difference, duration, moment, onUnit, quantity } from "../modules/units.js";

const EVERY_MS = 1000;
const USUAL_MS = 600000; // between two questions of what is usual
const ROWS_MS = 20000; // between two looks at alerts and at who looked
const THINGS = [
  ["/api/live", "the live page"], ["/recordings", "recordings"], ["/recording", "recordings"], ["/trends", "past days"], ["/fhir", "what is shared"],
  ["/alerts", "alerts"], ["/review", "pictures for review"], ["/labels", "opinions of physicians"], ["/accesses", "who looked"], ["/pictures", "pictures"], ["/rests", "pictures"],
  ["/devices", "the device"],
];
const DID = { live: "looked at", read: "looked at", export: "took along", change: "changed" };

export function show(main, hub, [id]) {
  if (id) return new Page(main, hub, id).begin();
  return choose(main, hub);
}

/** The only wearable there is, or a list of them. */
function choose(main, hub) {
  const list = el("ul", { class: "stack" });
  put(main, el("div", { class: "head" }, el("h1", {}, "Me")), el("div", { class: "card" }, el("p", {}, "Which wearable is yours?"), list));
  const refresh = () => renew(list, ...[...hub.wearables.values()].map((worn) => el("li", {}, el("a", { href: `/me/${encodeURIComponent(worn.id)}` }, worn.title))));
  for (const kind of ["wall", "session"]) hub.addEventListener(kind, refresh);
  hub.watch([], 60000);
  refresh();
  return () => { for (const kind of ["wall", "session"]) hub.removeEventListener(kind, refresh); };
}

class Page {
  constructor(main, hub, id) {
    [this.main, this.hub, this.id] = [main, hub, id];
    this.usual = new Map();
  }

  begin() {
    const { main, hub, id } = this;
    this.title = el("h1", {}, "Me");
    this.state = el("p", { role: "status" });
    this.now = el("div", { class: "stack" });
    this.said = el("div", { class: "stack" });
    this.past = el("ul", { class: "marked" });
    this.looked = el("ul", { class: "marked" });
    this.mine = el("ul", { class: "marked" });
    const notice = () => el("p", { class: "quiet" }, "It informs; it is no medical device. When you feel ill, ask a physician, whatever stands here.");
    put(main, el("div", { class: "head" }, this.title), el("div", { class: "worn" },
      el("div", { class: "stack" },
        el("section", { class: "card" }, el("h2", {}, "My temperature"), el("div", { class: "stack" }, this.state, this.now, notice())),
        el("section", { class: "card" }, el("h2", {}, "What it said"), el("div", { class: "stack" }, this.said, this.past, notice()))),
      el("div", { class: "stack" },
        el("section", { class: "card" }, el("h2", {}, "Who looked"), this.looked),
        el("section", { class: "card" }, el("h2", {}, "My data"), el("div", { class: "stack" }, this.mine,
          el("p", {}, el("a", { href: `/sharing/${encodeURIComponent(id)}` }, "What I agree to share")),
          el("p", {}, el("a", { href: `/trends/${encodeURIComponent(id)}` }, "My past days")))))));
    const tell = () => this.tell();
    const ask = () => this.ask();
    hub.watch([id], EVERY_MS);
    for (const kind of ["any", "wall"]) hub.addEventListener(kind, tell);
    const stop = onUnit(tell);
    const timer = setInterval(ask, ROWS_MS);
    tell();
    ask();
    return () => {
      for (const kind of ["any", "wall"]) hub.removeEventListener(kind, tell);
      clearInterval(timer);
      stop();
    };
  }

  tell() {
    const worn = this.hub.wearables.get(this.id);
    if (!worn) {
      put(this.state, "Your wearable is not here now; what it measured before stays.");
      return;
    }
    put(this.title, worn.title);
    put(this.state, worn.live ? "Your wearable measures now." : `Your wearable is silent${worn.line.age_s ? ` for ${duration(worn.line.age_s)}` : ""}; what stands here is not of now.`);
    renew(this.now, ...this.temperatures(worn));
    renew(this.said, ...this.findings(worn));
  }

  temperatures(worn) {
    const found = [];
    for (const picture of worn.shown.pictures) {
      const newest = worn.pictures.get(picture.signal);
      if (!newest || newest.unit !== "degC") continue;
      const known = newest.values.filter(Number.isFinite);
      if (!known.length) continue;
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      found.push(this.sentence(`The skin under the camera${picture.place ? ` (${picture.place})` : ""} is`, mean, `${picture.signal}.mean`, `; its warmest place ${quantity(Math.max(...known), "degC", 1)}`));
    }
    for (const channel of worn.shown.channels) {
      if (channel.unit !== "degC" || channel.signal.endsWith(".ta")) continue;
      const value = worn.newest[channel.signal]?.values?.[channel.element];
      if (!Number.isFinite(value)) continue;
      const alone = (worn.newest[channel.signal]?.values?.length ?? 1) === 1;
      found.push(this.sentence(`${channel.name.replaceAll("-", " ")} is`, value, alone ? channel.signal : `${channel.signal}.${channel.element}`, ""));
    }
    return found.length ? found.slice(0, 8) : [el("p", { class: "quiet" }, "No temperature has come yet.")];
  }

  /** "skin is 33.4 degC, as usual at this hour": what is usual is asked for once in a while. */
  sentence(words, value, series, more) {
    const usual = this.usualOf(series);
    const apart = usual && Math.abs(value - usual.centre) > Math.max(2 * usual.spread, 0.3) ? value - usual.centre : null;
    const beside = !usual ? "" : apart === null
      ? ` That is as usual for you at this hour (of ${usual.days} days).`
      : ` That is ${difference(Math.abs(apart)).replace("+", "")} ${apart > 0 ? "more" : "less"} than is usual for you at this hour (${quantity(usual.centre, "degC", 1)}, of ${usual.days} days).`;
    return el("p", {}, `${words[0].toUpperCase()}${words.slice(1)} `, el("b", {}, quantity(value, "degC", 1)), `${more}.`, beside);
  }

  usualOf(series) {
    const known = this.usual.get(series);
    if (!known || Date.now() - known.at > USUAL_MS) {
      this.usual.set(series, { at: Date.now(), hours: known?.hours ?? null });
      this.hub.get(`/api/trends/${encodeURIComponent(this.id)}/baseline?name=${encodeURIComponent(series)}`)
        .then(({ hours, day_ms }) => Object.assign(this.usual.get(series), { hours, day_ms }))
        .catch(() => { /* no such series yet: it has one after its first minute */ });
    }
    // By the hub's clock, which may be of another zone than this browser's.
    return known?.hours?.[Math.floor((Date.now() - known.day_ms) / 3600000) % 24] ?? null;
  }

  findings(worn) {
    const found = [];
    for (const model of worn.shown.models) {
      const finding = worn.findings[model.name];
      if (!finding) continue;
      const doubt = (finding.flags ?? []).filter((flag) => flag !== "simulated");
      const beside = doubt.length ? ` In doubt: ${doubt.join(", ")}.` : "";
      if (finding.label) found.push(el("p", {}, `Just now (${clock(finding.utc, false)}) it says `, el("b", {}, finding.label), `, and is ${Math.round(finding.scores[finding.label] * 100)} % sure.${beside}`));
      else if (Object.keys(finding.quantities ?? {}).length) found.push(el("p", {}, `Just now (${clock(finding.utc, false)}) it says: ${Object.entries(finding.quantities).map(([name, one]) =>
        `${name.replaceAll("-", " ")} ${quantity(one.value, one.unit, one.unit ? null : 2)}`).join(", ")}.${beside}`));
    }
    return found.length ? found : [el("p", { class: "quiet" }, "It has not said anything yet.")];
  }

  /** Who looked at what, each once, with when that was last; the wearer's own looks in one line. */
  lookers(accesses) {
    const own = accesses.filter((one) => one.who === this.hub.me.name);
    const others = new Map();
    for (const one of accesses) {
      if (one.who === this.hub.me.name) continue;
      const thing = THINGS.find(([path]) => one.what.includes(path))?.[1] ?? "your wearable";
      const words = one.ok ? `${DID[one.action] ?? "used"} ${thing}` : `wanted to see ${thing} and might not`;
      const key = `${one.who}\u0000${words}`;
      if (!others.has(key)) others.set(key, { ...one, words, times: 0 });
      others.get(key).times += 1;
    }
    const rows = [...others.values()].map((one) => el("li", {}, el("b", {}, one.who), one.roles.length ? ` (${one.roles.join(", ")})` : "", ` ${one.words}`,
      el("span", { class: "quiet" }, `, ${one.times > 1 ? `${one.times} times, last ` : ""}${moment(one.at_ms)}`)));
    if (!rows.length) rows.push(el("li", {}, "Nobody else has looked."));
    if (own.length) rows.push(el("li", { class: "quiet" }, `You looked last at ${moment(own[0].at_ms)}.`));
    return rows;
  }

  async ask() {
    const id = encodeURIComponent(this.id);
    const [alerts, looks, recordings] = await Promise.all([
      this.hub.get(`/api/alerts?state=all&most=10&wearable=${id}`), this.hub.get(`/api/accesses/${id}?most=30`), this.hub.get("/api/recordings"),
    ].map((one) => one.catch(() => null)));
    if (alerts) {
      renew(this.past, ...(alerts.alerts.length ? alerts.alerts.map((one) => el("li", {}, `${moment(one.raised_ms)}: `, chip(one.severity, severityKind(one.severity)), ` ${plain(one)} `,
        el("span", { class: "quiet" }, one.resolved_ms ? `It was over at ${moment(one.resolved_ms)}.` : "It is not over.")))
        : [el("li", {}, "It has never called anybody.")]));
    }
    if (looks) renew(this.looked, ...this.lookers(looks.accesses));
    if (recordings) {
      const own = recordings.recordings.filter((one) => one.wearable === this.id);
      renew(this.mine, ...(own.length ? own.map((one) => el("li", {}, el("a", { href: `/api/recordings/${encodeURIComponent(one.name)}/file`, download: true }, one.started ? moment(Date.parse(one.started)) : one.name), ` ${(one.size / 1e6).toFixed(1)} MB`))
        : [el("li", {}, "Nothing of you was recorded here.")]));
    }
  }
}

/** What an alert called for, without the arithmetic of its rule. */
function plain(alert) {
  const sentence = alert.text && !/[<>]/.test(alert.text) ? alert.text : "";
  return sentence || `It called because of: ${alert.rule.replace(/^own-/, "").replaceAll("-", " ")}.`;
}
