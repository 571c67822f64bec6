// A picture of temperatures: colours, isotherms, scale, and a cursor that mouse and arrow keys move.

import { el, put, svg } from "./dom.js";
import { Labels } from "./labels.js";
import { difference, figure, onUnit, quantity, unitName } from "./units.js";

const SETTLE = 0.12; // share by which the scale follows each picture
const STEADY_MS = 1200; // time over which noise is averaged
const LEAST_SPAN = 1.5; // K that the scale shows at least

let lut = null;

function colours(palette) {
  if (lut) return lut;
  lut = new Uint32Array(257);
  palette.forEach(([r, g, b], at) => { lut[at] = (255 << 24) | (b << 16) | (g << 8) | r; });
  lut[256] = (255 << 24) | (90 << 16) | (90 << 8) | 90;
  return lut;
}

/** Colour of a share of the scale, as "rgb(...)". */
export function colourOf(palette, share) {
  if (!Number.isFinite(share)) return "rgb(110,110,115)";
  const [r, g, b] = palette[Math.max(0, Math.min(255, Math.round(share * 255)))];
  return `rgb(${r},${g},${b})`;
}

/** Ends of a scale that follows pictures slowly, so that colours do not flicker. */
export class Range {
  constructor() {
    this.low = null;
    this.high = null;
    this.fixed = null;
  }

  follow(values) {
    if (this.fixed) return;
    const known = values.filter(Number.isFinite).sort();
    if (!known.length) return;
    let low = known[Math.floor(known.length * 0.01)];
    let high = known[Math.min(known.length - 1, Math.floor(known.length * 0.995))];
    const lacking = LEAST_SPAN - (high - low);
    if (lacking > 0) [low, high] = [low - lacking / 2, high + lacking / 2];
    if (this.low === null) [this.low, this.high] = [low, high];
    else {
      this.low += SETTLE * (low - this.low);
      this.high += SETTLE * (high - this.high);
    }
  }

  get ends() {
    return this.fixed ?? [this.low ?? 20, this.high ?? 40];
  }
}

/** Paint a picture, made larger by interpolation, into a canvas. */
export function paint(canvas, picture, range, palette, factor) {
  const { rows, columns, values } = picture;
  const table = colours(palette);
  const [width, height] = [columns * factor, rows * factor];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const [low, high] = range.ends;
  const scale = 255 / Math.max(high - low, 1e-6);
  for (let y = 0; y < height; y++) {
    const v = Math.min(Math.max((y + 0.5) / factor - 0.5, 0), rows - 1);
    const top = Math.min(Math.floor(v), rows - 2 < 0 ? 0 : rows - 2);
    const fy = v - top;
    for (let x = 0; x < width; x++) {
      const u = Math.min(Math.max((x + 0.5) / factor - 0.5, 0), columns - 1);
      const left = Math.min(Math.floor(u), columns - 2);
      const fx = u - left;
      const at = top * columns + left;
      const value = (values[at] * (1 - fx) + values[at + 1] * fx) * (1 - fy)
        + (values[at + columns] * (1 - fx) + values[at + columns + 1] * fx) * fy;
      const level = (value - low) * scale;
      pixels[y * width + x] = level !== level ? table[256] : table[level < 0 ? 0 : level > 255 ? 255 : level | 0];
    }
  }
  context.putImageData(image, 0, 0);
}

/** Smoothed by its neighbours, so that isotherms follow skin and not noise. */
function calmed({ rows, columns, values }) {
  const found = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let [sum, weight] = [0, 0];
      for (let dr = -2; dr <= 2; dr++) {
        for (let dc = -2; dc <= 2; dc++) {
          const [y, x] = [r + dr, c + dc];
          if (y < 0 || x < 0 || y >= rows || x >= columns) continue;
          const value = values[y * columns + x];
          if (value !== value) continue;
          const w = Math.exp(-(dr * dr + dc * dc) / 2.4);
          sum += w * value;
          weight += w;
        }
      }
      found[r * columns + c] = weight ? sum / weight : NaN;
    }
  }
  return found;
}

/** Line segments at which values cross a level, by marching squares; in units of pixels, centres at halves. */
function crossings(values, rows, columns, level) {
  const lines = [];
  const between = (a, b) => (level - a) / (b - a);
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const a = values[r * columns + c], b = values[r * columns + c + 1];
      const d = values[(r + 1) * columns + c], e = values[(r + 1) * columns + c + 1];
      if (a + b + d + e !== a + b + d + e) continue;
      const points = [];
      if (a < level !== b < level) points.push([c + 0.5 + between(a, b), r + 0.5]);
      if (b < level !== e < level) points.push([c + 1.5, r + 0.5 + between(b, e)]);
      if (d < level !== e < level) points.push([c + 0.5 + between(d, e), r + 1.5]);
      if (a < level !== d < level) points.push([c + 0.5, r + 0.5 + between(a, d)]);
      for (let at = 0; at + 1 < points.length; at += 2) lines.push([points[at], points[at + 1]]);
    }
  }
  return lines;
}

/** The picture before led a little towards a new one: noise goes, what stays comes. */
export function steadied(before, newest) {
  if (!before || before.values.length !== newest.values.length || newest.utc - before.utc > 2500 || newest.utc <= before.utc) return newest;
  const share = Math.min(1, Math.max(0.12, (newest.utc - before.utc) / STEADY_MS));
  const values = newest.values.map((value, at) => {
    const old = before.values[at];
    return value === value && old === old ? old + share * (value - old) : value;
  });
  return { ...newest, values };
}

/** A place's outline, with a dark line behind it so that it is seen upon any colour. */
function outlined(lines, kind) {
  const path = lines.map((line) => `M${line.map(([x, y]) => `${x} ${y}`).join("L")}Z`).join("");
  return [svg("path", { class: "halo", d: path }), svg("path", { class: kind, d: path })];
}

function niceStep(span) {
  for (const step of [0.1, 0.2, 0.25, 0.5, 1, 2, 5]) if (span / step <= 8) return step;
  return 10;
}

/** A picture that lives. `update` takes each, `overlay` what stands out of it. */
export class ThermalPicture {
  constructor(hub, label) {
    this.hub = hub;
    this.range = new Range();
    this.show = { isotherms: true, own: true, mirror: true, rests: false, steady: true };
    this.picture = null;
    this.overlayed = null;
    this.resting = [];
    this.cursor = null;
    this.canvas = el("canvas", { role: "img", tabindex: "0", "aria-label": label });
    this.layer = svg("svg", { class: "layer", "aria-hidden": "true", preserveAspectRatio: "none" });
    this.reading = el("div", { class: "reading", hidden: true });
    this.old = el("div", { class: "old", hidden: true });
    this.figure = el("div", { class: "figure" }, this.canvas, this.layer, this.reading, this.old);
    this.bar = el("canvas", { width: 256, height: 1, "aria-hidden": "true" });
    this.low = el("span");
    this.high = el("span");
    this.said = el("p", { class: "hidden", "aria-live": "off" });
    this.node = el("div", {}, this.figure, el("div", { class: "scale" }, this.low, this.bar, this.high), this.said);
    this.label = label;
    this.lastLines = 0;
    const context = this.bar.getContext("2d");
    hub.drawing.palette.forEach(([r, g, b], at) => { context.fillStyle = `rgb(${r},${g},${b})`; context.fillRect(at, 0, 1, 1); });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.cursor = null; this.read(); });
    this.canvas.addEventListener("keydown", (event) => this.step(event));
    this.canvas.addEventListener("blur", () => { this.cursor = null; this.read(); });
    this.stop = onUnit(() => { this.marks(true); this.read(); });
  }

  update(newest) {
    this.picture = this.show.steady ? steadied(this.picture, newest) : newest;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.range.follow(this.picture.values);
      paint(this.canvas, this.picture, this.range, this.hub.drawing.palette, 16);
      this.marks();
      this.read();
      const { utc } = this.picture;
      // The frame that shows it is on the screen when the next one begins.
      requestAnimationFrame(() => this.hub.painted(utc));
    });
  }

  redraw() {
    this.lastLines = 0;
    if (this.picture) this.update(this.picture);
  }

  overlay(found) {
    this.overlayed = found;
    this.lastLines = 0;
    if (this.picture) this.marks();
  }

  /** What findings rest on: outlines by the names of models. */
  rests(found) {
    this.resting = found;
    this.lastLines = 0;
    if (this.picture) this.marks();
  }

  stale(words) {
    this.old.hidden = !words;
    put(this.old, words ?? "");
    this.node.classList.toggle("lost", Boolean(words));
  }

  point(event) {
    if (!this.picture) return;
    const box = this.canvas.getBoundingClientRect();
    const { rows, columns } = this.picture;
    this.cursor = [
      Math.max(0, Math.min(rows - 1, Math.floor(((event.clientY - box.top) / box.height) * rows))),
      Math.max(0, Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns))),
    ];
    this.read();
  }

  step(event) {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by || !this.picture) return;
    event.preventDefault();
    const { rows, columns } = this.picture;
    const [r, c] = this.cursor ?? [rows >> 1, columns >> 1];
    this.cursor = [Math.max(0, Math.min(rows - 1, r + by[0])), Math.max(0, Math.min(columns - 1, c + by[1]))];
    this.read(true);
  }

  read(aloud = false) {
    const picture = this.picture;
    this.reading.hidden = !this.cursor || !picture;
    if (!this.cursor || !picture) {
      this.crosshair?.remove();
      this.crosshair = null;
      return;
    }
    const [r, c] = this.cursor;
    const words = `${quantity(picture.values[r * picture.columns + c], picture.unit)} · row ${r + 1}, column ${c + 1}`;
    put(this.reading, words);
    if (aloud) {
      this.said.setAttribute("aria-live", "polite");
      put(this.said, words);
    }
    this.crosshair?.remove();
    this.crosshair = svg("rect", { x: c, y: r, width: 1, height: 1, fill: "none", stroke: "#fff", "stroke-width": 2, "vector-effect": "non-scaling-stroke" });
    this.layer.append(this.crosshair);
  }

  marks(force = false) {
    const picture = this.picture;
    if (!picture) return;
    const [low, high] = this.range.ends;
    put(this.low, figure(low, picture.unit, 1));
    put(this.high, `${figure(high, picture.unit, 1)} ${unitName(picture.unit)}`);
    const now = performance.now();
    if (!force && now - this.lastLines < 400) return;
    this.lastLines = now;
    this.layer.setAttribute("viewBox", `0 0 ${picture.columns} ${picture.rows}`);
    const labels = new Labels(picture.columns, picture.rows);
    const anomalies = this.overlayed ? this.anomalies(labels) : [];
    const isotherms = this.show.isotherms ? this.isotherms(picture, low, high, labels) : [];
    const rests = this.show.rests ? this.resting.flatMap(({ outline }) => outlined(outline, "rests")) : [];
    this.layer.replaceChildren(...isotherms, ...rests, ...anomalies);
    this.words(picture);
  }

  isotherms(picture, low, high, labels) {
    const values = calmed(picture);
    const step = niceStep(high - low);
    const parts = [];
    for (let level = Math.ceil(low / step) * step; level < high; level += step) {
      const lines = crossings(values, picture.rows, picture.columns, level);
      if (lines.length < 3) continue;
      const path = lines.map(([[x1, y1], [x2, y2]]) => `M${x1.toFixed(2)} ${y1.toFixed(2)}L${x2.toFixed(2)} ${y2.toFixed(2)}`).join("");
      parts.push(svg("path", { class: "isotherm", d: path }));
      const words = figure(level, picture.unit, step < 1 ? 1 : 0);
      const places = [0.62, 0.5, 0.75, 0.35, 0.9, 0.2, 0.1].map((share) => [...lines[Math.floor(lines.length * share)][0], "middle"]);
      const place = labels.place(words, 0.8, places);
      if (place) parts.push(this.text(...place, words, 0.8));
    }
    return parts;
  }

  anomalies(labels) {
    const parts = [];
    for (const kind of ["mirror", "own"]) {
      const found = this.overlayed[kind];
      if (!found || !this.show[kind]) continue;
      for (const region of found.regions) {
        parts.push(...outlined(region.outline, kind));
      }
      const top = found.regions[0];
      if (top) {
        const [x, y] = top.peak;
        parts.push(svg("path", { class: "halo", d: `M${x - 0.7} ${y}H${x + 0.7}M${x} ${y - 0.7}V${y + 0.7}` }));
        parts.push(svg("path", { class: kind, "stroke-dasharray": "none", d: `M${x - 0.7} ${y}H${x + 0.7}M${x} ${y - 0.7}V${y + 0.7}` }));
        // The two kinds begin on two sides of the peak, so that neither hides the other.
        const [up, down] = [y - 0.9, y + 1.9];
        const heights = kind === "own" ? [up, down, y - 2.4, y + 3.4] : [down, up, y + 3.4, y - 2.4];
        const places = heights.flatMap((height) => [[x + 1, height, "start"], [x - 1, height, "end"]]);
        const words = difference(top.kelvin);
        parts.push(this.text(...(labels.place(words, 1.15, places) ?? places[0]), words, 1.15, kind));
      }
    }
    return parts;
  }

  text(x, y, anchor, words, size, kind = null) {
    return svg("text", { x, y, "font-size": size, "text-anchor": anchor, class: kind && `of-${kind}` }, words);
  }

  words(picture) {
    let [min, max, place] = [Infinity, -Infinity, 0];
    picture.values.forEach((value, at) => {
      if (value < min) min = value;
      if (value > max) [max, place] = [value, at];
    });
    const own = this.overlayed?.own?.regions?.length ?? 0;
    const mirror = this.overlayed?.mirror?.regions?.length ?? 0;
    const outstanding = own || mirror ? ` ${own} place${own === 1 ? "" : "s"} warmer than usual, ${mirror} warmer than the mirrored side.` : "";
    this.canvas.setAttribute("aria-label",
      `${this.label}: ${quantity(min, picture.unit, 1)} to ${quantity(max, picture.unit, 1)}, warmest at row ${Math.floor(place / picture.columns) + 1}, column ${(place % picture.columns) + 1}.${outstanding} Arrow keys read single pixels.`);
  }
}
