// Signals as lines over the past minutes: a gap in time is a gap in the line, and each line can be taken away.

import { el, put } from "./dom.js";
import { clock, convert, figure, onUnit, quantity, unitName } from "./units.js";

const LINES = 8;
const DASHES = [[], [6, 3], [2, 2], [9, 3, 2, 3]];
const GAP_FACTOR = 3.5;

/** Lines of one unit. `lines` are {signal, element, name}. */
export class Chart {
  constructor(title, unit, lines, visible = LINES, wave = false) {
    this.unit = unit;
    this.wave = wave;
    this.lines = lines.map((line, at) => ({ ...line, on: at < visible, number: at }));
    this.canvas = el("canvas", { role: "img", tabindex: "0", "aria-label": title });
    this.legend = el("div", { class: "legend" });
    this.tip = el("div", { class: "reading", hidden: true });
    this.title = title;
    this.node = el("section", { class: "card chart" }, el("h2", {}, title, el("span", { class: "quiet" }, unitName(unit))),
      el("div", { class: "chart" }, this.canvas, this.tip), this.legend);
    this.past = new Map();
    this.gaps = [];
    this.window = 300;
    this.at = null;
    this.canvas.addEventListener("pointermove", (event) => { this.at = event.offsetX / this.canvas.clientWidth; this.draw(); });
    this.canvas.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    this.canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      this.at = Math.max(0, Math.min(1, (this.at ?? 1) + by));
      this.draw();
    });
    this.canvas.addEventListener("blur", () => { this.at = null; this.draw(); });
    this.stop = onUnit(() => { put(this.node.querySelector("h2 .quiet"), unitName(unit)); this.key(); this.draw(); });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.key();
  }

  end() {
    this.stop();
    this.observer.disconnect();
  }

  update(past, gaps, nowMs) {
    this.past = past;
    this.gaps = gaps;
    this.nowS = nowMs / 1000;
    this.draw();
    this.key();
  }

  colour(number) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--l${(number % LINES) + 1}`).trim();
  }

  key() {
    const shown = this.lines.map((line) => {
      const rows = this.past.get(line.signal);
      const last = rows?.[rows.length - 1]?.[1 + line.element];
      return [line, last === null || last === undefined ? "–" : figure(last, this.unit)];
    });
    if (this.legend.children.length !== shown.length) {
      put(this.legend, ...shown.map(([line]) => el("button", {
        type: "button", "aria-pressed": String(line.on),
        onclick: (event) => { line.on = !line.on; event.currentTarget.setAttribute("aria-pressed", String(line.on)); this.draw(); },
      }, el("span", { class: "key", "aria-hidden": "true" }), " ", line.name, " ", el("b"))));
    }
    shown.forEach(([line, words], at) => {
      const button = this.legend.children[at];
      put(button.querySelector("b"), words);
      const key = button.querySelector(".key");
      key.style.color = this.colour(line.number);
      key.classList.toggle("dashed", line.number >= LINES);
    });
  }

  draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !this.nowS) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const [ink, grid] = [style.getPropertyValue("--faint"), style.getPropertyValue("--line")];
    const to = this.nowS, from = to - this.window;
    const on = this.lines.filter((line) => line.on);
    let [low, high] = [Infinity, -Infinity];
    const drawn = on.map((line) => {
      const rows = (this.past.get(line.signal) ?? []).filter((row) => row[0] >= from - 2);
      for (const row of rows) {
        const value = convert(row[1 + line.element], this.unit);
        if (value === null) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      return [line, rows];
    });
    const box = { left: 46, right: width - 8, top: 8, bottom: height - 20 };
    if (low > high) [low, high] = [0, 1];
    const least = this.unit === "degC" ? 0.4 : this.unit === "g" ? 0.1 : Math.max(1e-3, Math.abs(high) * (this.wave ? 1e-4 : 0.02));
    if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
    const pad = (high - low) * 0.08;
    [low, high] = [low - pad, high + pad];
    const x = (s) => box.left + ((s - from) / this.window) * (box.right - box.left);
    const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    context.fillStyle = ink;
    context.strokeStyle = grid;
    const step = ticks(high - low, 4);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
      line(context, box.left, y(v), box.right, y(v));
      context.fillText(v.toFixed(Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step === 0.25 || step === 2.5 ? 1 : 0))), box.left - 6, y(v));
    }
    context.textBaseline = "top";
    const each = this.window <= 12 ? 2 : this.window <= 120 ? 30 : this.window <= 300 ? 60 : 180;
    for (let s = Math.ceil(from / each) * each; s <= to; s += each) {
      context.textAlign = x(s) > box.right - 30 ? "right" : "center";
      context.fillText(clock(s * 1000, this.window <= 120), x(s), box.bottom + 5);
    }
    context.fillStyle = grid;
    context.globalAlpha = 0.55;
    for (const gap of this.gaps) {
      const [a, b] = [Math.max(x(gap.from / 1000), box.left), Math.min(x(gap.to / 1000), box.right)];
      if (b > a) context.fillRect(a, box.top, Math.max(1, b - a), box.bottom - box.top);
    }
    context.globalAlpha = 1;
    context.save();
    context.beginPath();
    context.rect(box.left, 0, box.right - box.left, height);
    context.clip();
    for (const [one, rows] of drawn) {
      context.strokeStyle = this.colour(one.number);
      context.lineWidth = 1.8;
      context.setLineDash(DASHES[Math.floor(one.number / LINES) % DASHES.length]);
      context.beginPath();
      const usual = usualStep(rows);
      let before = null;
      for (const row of rows) {
        const value = convert(row[1 + one.element], this.unit);
        if (value === null) { before = null; continue; }
        if (before !== null && row[0] - before <= usual * GAP_FACTOR) context.lineTo(x(row[0]), y(value));
        else {
          context.moveTo(x(row[0]) - (this.wave ? 0 : 0.9), y(value));
          context.lineTo(x(row[0]) + (this.wave ? 0 : 0.9), y(value));
        }
        before = row[0];
      }
      context.stroke();
    }
    context.setLineDash([]);
    context.restore();
    this.say(drawn, from, context, x, box, ink);
  }

  say(drawn, from, context, x, box, ink) {
    const width = this.canvas.clientWidth;
    this.tip.hidden = this.at === null;
    const summary = drawn.map(([line, rows]) => {
      const values = rows.map((row) => row[1 + line.element]).filter((value) => value !== null);
      return values.length ? `${line.name} ${quantity(values[values.length - 1], this.unit)}, from ${figure(Math.min(...values), this.unit)} to ${figure(Math.max(...values), this.unit)}` : `${line.name} no value`;
    });
    this.canvas.setAttribute("aria-label", `${this.title}, the past ${this.window < 60 ? `${Math.round(this.window)} seconds` : `${Math.round(this.window / 60)} minutes`}: ${summary.join("; ")}.`);
    if (this.at === null) return;
    const when = from + ((this.at * width - box.left) / (box.right - box.left)) * this.window;
    context.strokeStyle = ink;
    line(context, x(when), box.top, x(when), box.bottom);
    const parts = drawn.map(([one, rows]) => {
      const row = rows.reduce((best, each) => (best === null || Math.abs(each[0] - when) < Math.abs(best[0] - when) ? each : best), null);
      const near = row && Math.abs(row[0] - when) <= Math.max(3, usualStep(rows) * 1.5);
      return `${one.name} ${near ? figure(row[1 + one.element], this.unit) : "–"}`;
    });
    put(this.tip, `${clock(when * 1000)} · ${parts.slice(0, 6).join(" · ")}`);
  }
}

function usualStep(rows) {
  if (rows.length < 3) return 10;
  const steps = [];
  for (let at = 1; at < rows.length; at++) steps.push(rows[at][0] - rows[at - 1][0]);
  steps.sort((a, b) => a - b);
  return Math.max(0.01, steps[steps.length >> 1]);
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function ticks(span, count) {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const step of [1, 2, 2.5, 5, 10]) if (raw <= step * power) return step * power;
  return 10 * power;
}
