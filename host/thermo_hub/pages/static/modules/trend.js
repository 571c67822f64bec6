// One series of roll-ups as a line in a band, with what is usual behind it. A stretch of which nothing came is a gap.

import { el } from "./dom.js";
import { clock, convert, quantity } from "./units.js";

const HOUR = 3600000;

export class TrendChart {
  constructor() {
    this.canvas = el("canvas", { role: "img", height: "320" });
    this.reading = el("p", { class: "quiet", "aria-live": "off" }, " ");
    this.node = el("div", {}, this.canvas, this.reading);
    this.canvas.style.width = "100%";
    this.canvas.style.height = "320px";
    this.shown = null;
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.read(event.offsetX));
  }

  end() {
    this.observer.disconnect();
  }

  /** Show roll-ups: `columns` of a series as the hub gives them, `usual` of 24 hours. */
  update(shown) {
    this.shown = shown;
    const known = shown.columns.mean.filter((value) => value !== null);
    this.canvas.setAttribute("aria-label", known.length ? `${shown.label}: ${known.length} stretches, mean from ${quantity(Math.min(...known), shown.unit, 2)} to ${quantity(Math.max(...known), shown.unit, 2)}` : `${shown.label}: nothing in this stretch`);
    this.draw();
  }

  draw() {
    const { canvas, shown } = this;
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = 320;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    if (!shown || !width) return;
    const style = getComputedStyle(document.documentElement);
    const [ink, grid, accent] = ["--faint", "--line", "--accent"].map((name) => style.getPropertyValue(name).trim());
    const { columns: c, unit } = shown;
    const usual = this.usualPoints();
    const values = [...c.low, ...c.high, ...usual.flatMap((one) => [one.low, one.high])].filter((value) => value !== null).map((value) => convert(value, unit));
    let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
    const pad = Math.max(0.1, (high - low) * 0.08);
    [low, high] = [low - pad, high + pad];
    const box = { left: 52, right: width - 10, top: 8, bottom: height - 24 };
    const x = (this.x = (ms) => box.left + ((ms - shown.from) / (shown.to - shown.from)) * (box.right - box.left));
    const y = (value) => box.bottom - ((convert(value, unit) - low) / (high - low)) * (box.bottom - box.top);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = ink;
    context.strokeStyle = grid;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let at = 0; at <= 4; at++) {
      const value = low + ((high - low) * at) / 4, place = box.bottom - ((box.bottom - box.top) * at) / 4;
      line(context, box.left, place, box.right, place);
      context.fillText(value.toFixed(high - low < 4 ? 2 : 1), box.left - 6, place);
    }
    this.times(context, box, x);
    context.fillStyle = context.strokeStyle = accent;
    for (const run of this.runs()) {
      context.globalAlpha = 0.22;
      context.beginPath();
      for (const at of run) context.lineTo(x(c.start_ms[at] + shown.width / 2), y(c.p95[at]));
      for (const at of [...run].reverse()) context.lineTo(x(c.start_ms[at] + shown.width / 2), y(c.p5[at]));
      context.fill();
      context.globalAlpha = 1;
      context.lineWidth = 1.8;
      context.beginPath();
      for (const at of run) context.lineTo(x(c.start_ms[at] + shown.width / 2), y(c.mean[at]));
      if (run.length === 1) context.arc(x(c.start_ms[run[0]] + shown.width / 2), y(c.mean[run[0]]), 1.5, 0, 7);
      context.stroke();
    }
    context.strokeStyle = style.getPropertyValue("--ink").trim();
    context.lineWidth = 1;
    for (const one of usual) {
      context.globalAlpha = 0.35;
      for (let at = x(one.from) + 2; at < x(one.to); at += 6) line(context, at, y(one.low), at, y(one.high));
      context.globalAlpha = 0.9;
      context.setLineDash([5, 3]);
      line(context, x(one.from), y(one.centre), x(one.to), y(one.centre));
      context.setLineDash([]);
    }
    context.globalAlpha = 1;
  }

  /** Places of stretches that follow each other. */
  runs() {
    const { columns: c, width } = this.shown;
    const found = [];
    for (let at = 0; at < c.start_ms.length; at++) {
      if (c.mean[at] === null) continue;
      const run = found[found.length - 1];
      const before = run?.[run.length - 1];
      // A day has 23 or 25 hours where clocks are set.
      if (before !== undefined && c.start_ms[at] - c.start_ms[before] < width * 1.2) run.push(at);
      else found.push([at]);
    }
    return found;
  }

  usualPoints() {
    const { usual, from, to } = this.shown;
    if (!usual.length || to - from > 40 * 24 * HOUR) return [];
    const found = [];
    for (let ms = Math.floor(from / HOUR) * HOUR; ms < to; ms += HOUR) {
      const one = usual[new Date(ms).getHours()];
      if (one) found.push({ from: Math.max(from, ms), to: Math.min(to, ms + HOUR), centre: one.centre, low: one.centre - 2 * one.spread, high: one.centre + 2 * one.spread });
    }
    return found;
  }

  times(context, box, x) {
    const { from, to } = this.shown;
    const days = (to - from) / (24 * HOUR);
    const mark = new Date(from);
    mark.setMinutes(0, 0, 0);
    if (days > 2) mark.setHours(0);
    context.textBaseline = "top";
    context.textAlign = "center";
    for (let count = 0; mark.getTime() <= to && count < 400; count++) {
      const at = x(mark.getTime());
      if (at >= box.left && at <= box.right - 20) {
        line(context, at, box.bottom, at, box.bottom + 4);
        context.fillText(days > 2 ? mark.toLocaleDateString([], { day: "numeric", month: "short" }) : clock(mark.getTime(), false), at, box.bottom + 7);
      }
      if (days <= 2) mark.setHours(mark.getHours() + 3);
      else mark.setDate(mark.getDate() + Math.max(1, Math.round(days / 8)));
    }
  }

  read(place) {
    if (!this.shown || !this.x) return;
    const { columns: c, width, unit } = this.shown;
    const at = c.start_ms.findIndex((start) => place >= this.x(start) && place < this.x(start + width));
    this.reading.textContent = at < 0 || c.mean[at] === null ? "nothing then" :
      `${new Date(c.start_ms[at]).toLocaleString()}: mean ${quantity(c.mean[at], unit, 2)}, 5 to 95 %: ${quantity(c.p5[at], unit, 2)} to ${quantity(c.p95[at], unit, 2)}, ${c.n[at]} samples, ${c.lost[at]} blocks lost`;
  }
}

function line(context, fromX, fromY, toX, toY) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
