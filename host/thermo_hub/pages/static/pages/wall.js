// The wall: every wearable at once, what needs somebody first.

import { chip, el, put, renew } from "../modules/dom.js";
import { Body } from "../modules/body.js";
import { Range, paint, steadied } from "../modules/picture.js";
import { alertChip, big, isOpen, verdict } from "../modules/said.js";
import { duration, onUnit, quantity } from "../modules/units.js";

const EVERY_MS = 450;

export function show(main, hub) {
  const wall = el("div", { class: "wall", role: "list" });
  const count = el("span", { class: "quiet", role: "status" });
  put(main, el("div", { class: "head" }, el("h1", {}, "Wearables"), count), wall);
  const tiles = new Map();

  function refresh() {
    for (const [id, tile] of tiles) if (!hub.wearables.has(id)) { tile.node.remove(); tiles.delete(id); }
    const order = [...hub.wearables.values()].sort((a, b) => urgency(b) - urgency(a) || a.id.localeCompare(b.id));
    order.forEach((worn, at) => {
      if (!tiles.has(worn.id)) tiles.set(worn.id, new Tile(worn, hub));
      const { node } = tiles.get(worn.id);
      if (wall.children[at] !== node) wall.insertBefore(node, wall.children[at] ?? null);
      tiles.get(worn.id).update();
    });
    put(count, counted(order, hub.shut));
    empty.hidden = order.length > 0;
    renew(shut, ...hub.shut.map((one) => el("div", { class: "note" }, el("b", {}, one.port), ` ${one.reason || "is asked who it is"}`)));
  }

  const empty = el("div", { class: "empty", hidden: true }, el("h2", {}, "No wearable is here yet"),
    el("p", {}, "Plug one in, or start a simulated one: ", el("code", {}, "thermo-sim wearable --link /tmp/thermo0"), ". It appears here by itself."));
  const shut = el("div", { class: "stack" });
  main.append(empty, shut);
  const onPicture = ({ detail: { worn, picture } }) => tiles.get(worn.id)?.picture(picture);
  const onAny = ({ detail }) => { if (detail.type !== "overlay") refresh(); };
  hub.addEventListener("picture", onPicture);
  hub.addEventListener("any", onAny);
  const stop = onUnit(refresh);
  hub.watch([], EVERY_MS);
  refresh();
  return () => {
    hub.removeEventListener("picture", onPicture);
    hub.removeEventListener("any", onAny);
    stop();
  };
}

function urgency(worn) {
  return Object.values(worn.alerts).filter(isOpen).length * 2 + (worn.live ? 0 : 1);
}

function counted(order, shut) {
  const live = order.filter((worn) => worn.live).length;
  const parts = [`${live} of ${order.length} live`];
  const open = order.reduce((sum, worn) => sum + Object.values(worn.alerts).filter(isOpen).length, 0);
  if (open) parts.push(`${open} alert${open === 1 ? "" : "s"}`);
  if (shut.length) parts.push(`${shut.length} port${shut.length === 1 ? "" : "s"} without an answer`);
  return order.length ? parts.join(" · ") : "";
}

class Tile {
  constructor(worn, hub) {
    this.worn = worn;
    this.hub = hub;
    this.range = new Range();
    this.canvas = worn.shown.pictures.length ? el("canvas", { role: "img", "aria-label": "Thermal picture" }) : null;
    this.body = !this.canvas && worn.shown.bodies.length ? new Body(hub) : null;
    this.numbers = this.canvas || this.body ? null : el("div", { class: "numbers" });
    this.title = el("div");
    this.state = el("div");
    this.bigs = el("div", { class: "bigs" });
    this.chips = el("div", { class: "chips" });
    this.shown = el("div", { class: "shown" }, this.canvas ?? this.body?.node ?? this.numbers);
    this.link = el("a", { class: "card tile", href: `/wearable/${encodeURIComponent(worn.id)}` },
      el("div", { class: "title" }, this.title, this.state), this.shown, this.bigs, this.chips);
    this.node = el("div", { role: "listitem" }, this.link);
    for (const picture of worn.pictures.values()) this.picture(picture);
  }

  picture(picture) {
    if (!this.canvas || picture.signal !== this.worn.shown.pictures[0].signal) return;
    this.steady = steadied(this.steady, picture);
    this.range.follow(this.steady.values);
    requestAnimationFrame(() => paint(this.canvas, this.steady, this.range, this.hub.drawing.palette, 8));
  }

  update() {
    const worn = this.worn = this.hub.wearables.get(this.worn.id);
    const { shown, line } = worn;
    renew(this.title, el("strong", {}, worn.title), el("span", { class: "quiet" }, `${shown.label ? `${shown.profile} · ` : ""}${shown.serial}`));
    renew(this.state, worn.live ? chip("live", "good", true) : chip(line.age_s ? `no data for ${duration(line.age_s)}` : shown.state, "bad", true));
    this.link.classList.toggle("lost", !worn.live);
    const bigs = headline(worn);
    renew(this.bigs, ...bigs.slice(0, 3));
    if (this.body) {
      const newest = worn.newest[shown.bodies[0].signal];
      if (newest) this.body.update(newest.values);
    }
    if (this.numbers) put(this.numbers, ...bigs.slice(0, 6).length ? [] : [el("span", { class: "quiet" }, "Waiting for the first sample")], ...lines(worn));
    const open = Object.values(worn.alerts).filter(isOpen).map(alertChip);
    const said = Object.values(worn.findings).map(verdict).filter((one) => one?.words).map((one) => chip(`${one.words} ${Math.round(one.share * 100)} %`));
    renew(this.chips, ...open, ...said, shown.simulated ? chip("simulated") : null);
  }
}

function lines(worn) {
  return worn.shown.channels.slice(0, 6).map((channel) => {
    const value = worn.newest[channel.signal]?.values?.[channel.element];
    return el("div", { class: "row" }, el("span", { class: "quiet" }, channel.name), el("span", { class: "grow" }), el("b", {}, quantity(value, channel.unit)));
  });
}

/** The few numbers that matter most of a wearable: quantities of its models, its warmest pixel, then its channels. */
export function headline(worn) {
  const found = [];
  for (const finding of Object.values(worn.findings)) {
    for (const [name, { value, unit }] of Object.entries(finding.quantities ?? {})) {
      if (unit) found.push(big(name.replaceAll("-", " "), value, unit, null, unit === "degC" ? 1 : null));
    }
  }
  for (const heart of worn.shown.hearts) found.push(big(heart.name, worn.newest[heart.signal]?.values?.[heart.element], heart.unit));
  for (const picture of worn.shown.pictures) {
    const newest = worn.newest[picture.signal];
    if (newest?.max !== undefined) found.push(big("warmest", newest.max, picture.unit, null, 1), big("mean", newest.mean, picture.unit, null, 1));
  }
  for (const channel of ranked(worn)) {
    if (channel.unit !== "degC" || channel.signal.endsWith(".ta")) continue;
    found.push(big(channel.name, worn.newest[channel.signal]?.values?.[channel.element], channel.unit, null, 1));
  }
  return found;
}

/** Channels with those first that stages made of many sensors. */
export function ranked(worn) {
  const made = (channel) => !worn.shown.sensors.some((sensor) => channel.signal.split(".")[0] === sensor.name);
  return [...worn.shown.channels.filter(made), ...worn.shown.channels.filter((channel) => !made(channel))];
}
