// Boxes and polygons on a picture, drawn with the mouse or with keys alone.

import { el, put, svg } from "./dom.js";

const HELP = "Arrow keys move the pixel. B sets a corner of a box, and B again the other. P adds a point of a polygon, Enter closes it. Escape gives up what is begun, Delete takes the last mark away.";

/** Marks on a `ThermalPicture`. `changed` is called whenever `shapes` is another one. */
export class Marking {
  constructor(view, signal, changed) {
    this.view = view;
    this.signal = signal;
    this.changed = changed;
    this.shapes = [];
    this.begun = null; // {kind, points}
    this.tool = "box";
    this.enabled = true;
    this.layer = svg("svg", { class: "layer marks", "aria-hidden": "true", preserveAspectRatio: "none" });
    view.figure.append(this.layer);
    this.said = el("p", { class: "hidden", role: "status" });
    this.help = el("p", { class: "quiet", id: `marking-${signal}` }, HELP);
    view.canvas.setAttribute("aria-describedby", `marking-${signal}`);
    const tool = (kind, words) => el("button", { type: "button", class: "small", "aria-pressed": String(this.tool === kind), onclick: () => this.choose(kind) }, words);
    this.tools = { box: tool("box", "Box"), polygon: tool("polygon", "Polygon") };
    this.list = el("ul", { class: "marked" });
    this.node = el("div", { class: "stack small" }, el("div", { class: "row" }, el("div", { class: "segmented", role: "group", "aria-label": `What is drawn on ${signal}` }, this.tools.box, this.tools.polygon),
      el("button", { type: "button", class: "small", onclick: () => this.take() }, "Take the last away")), this.help, this.list, this.said);
    view.canvas.addEventListener("keydown", (event) => this.key(event));
    view.canvas.addEventListener("pointerdown", (event) => this.down(event));
    view.canvas.addEventListener("pointermove", (event) => this.move(event));
    view.canvas.addEventListener("pointerup", (event) => this.up(event));
    view.canvas.addEventListener("dblclick", () => this.close());
    this.draw();
  }

  choose(kind) {
    this.tool = kind;
    this.begun = null;
    for (const [name, button] of Object.entries(this.tools)) button.setAttribute("aria-pressed", String(name === kind));
    this.draw();
  }

  set(shapes) {
    this.shapes = shapes.filter((one) => one.signal === this.signal);
    this.draw();
  }

  /** Corner of the pixel under the cursor that keys move: its left upper one. */
  get cursor() {
    const { rows, columns } = this.view.picture;
    const [row, column] = this.view.cursor ?? [rows >> 1, columns >> 1];
    return [column, row];
  }

  key(event) {
    if (!this.enabled || !this.view.picture || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { b: () => this.corner(), p: () => this.point(), enter: () => this.close(), escape: () => this.give(), delete: () => this.take(), backspace: () => this.take() }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    } else if (this.begun?.kind === "box") this.draw();
  }

  corner() {
    const [x, y] = this.cursor;
    if (this.begun?.kind !== "box") {
      this.begun = { kind: "box", points: [[x, y], [x + 1, y + 1]], from: [x, y] };
      this.tell(`First corner at row ${y + 1}, column ${x + 1}.`);
      this.draw();
      return;
    }
    this.add("box", around(this.begun.from, [x, y]));
  }

  point() {
    const [x, y] = this.cursor;
    if (this.begun?.kind !== "polygon") this.begun = { kind: "polygon", points: [] };
    this.begun.points.push([x + 0.5, y + 0.5]);
    this.tell(`Point ${this.begun.points.length} at row ${y + 1}, column ${x + 1}.`);
    this.draw();
  }

  close() {
    if (this.begun?.kind !== "polygon") return;
    const points = this.begun.points.filter(([x, y], at, all) => !at || x !== all[at - 1][0] || y !== all[at - 1][1]);
    if (points.length < 3) this.tell("A polygon takes three points at least.");
    else this.add("polygon", points);
  }

  give() {
    this.begun = null;
    this.tell("Nothing is begun.");
    this.draw();
  }

  take() {
    if (this.begun) return this.give();
    if (this.shapes.length) this.remove(this.shapes.length - 1);
    return undefined;
  }

  remove(at) {
    this.shapes = this.shapes.filter((_, place) => place !== at);
    this.tell("Taken away.");
    this.draw();
    this.changed();
  }

  add(kind, points) {
    this.begun = null;
    this.shapes = [...this.shapes, { kind, signal: this.signal, points }];
    this.tell(`${words(this.shapes.at(-1))} is marked.`);
    this.draw();
    this.changed();
  }

  place(event) {
    const box = this.view.canvas.getBoundingClientRect();
    const { rows, columns } = this.view.picture;
    const held = (value, most) => Math.round(Math.max(0, Math.min(most, value)) * 10) / 10;
    return [held(((event.clientX - box.left) / box.width) * columns, columns), held(((event.clientY - box.top) / box.height) * rows, rows)];
  }

  down(event) {
    if (!this.enabled || !this.view.picture || event.button) return;
    const at = this.place(event);
    if (this.tool === "box") {
      this.view.canvas.setPointerCapture(event.pointerId);
      this.begun = { kind: "box", points: [at, at], drawn: at };
    } else {
      if (this.begun?.kind !== "polygon") this.begun = { kind: "polygon", points: [] };
      this.begun.points.push(at);
      this.draw();
    }
  }

  move(event) {
    if (!this.begun?.drawn) return;
    this.begun.points = sorted(this.begun.drawn, this.place(event));
    this.draw();
  }

  up(event) {
    if (!this.begun?.drawn) return;
    const points = sorted(this.begun.drawn, this.place(event));
    this.begun = null;
    if (points[1][0] - points[0][0] >= 0.3 && points[1][1] - points[0][1] >= 0.3) this.add("box", points);
    else this.draw();
  }

  tell(words_) {
    put(this.said, words_);
  }

  draw() {
    const { picture } = this.view;
    if (picture) this.layer.setAttribute("viewBox", `0 0 ${picture.columns} ${picture.rows}`);
    const begun = this.begun?.from && picture ? { kind: "box", points: around(this.begun.from, this.cursor) } : this.begun;
    const shown = [...this.shapes, ...(begun?.points.length ? [{ ...begun, open: true }] : [])];
    this.layer.replaceChildren(...shown.flatMap((one) => [svg("path", { class: "halo", d: path(one) }), svg("path", { class: one.open ? "mark open" : "mark", d: path(one) })]));
    put(this.list, ...this.shapes.map((one, at) => el("li", {}, words(one), this.enabled ? [" ", el("button", { type: "button", class: "small", "aria-label": `Take ${words(one)} away`, onclick: () => this.remove(at) }, "×")] : null)));
  }
}

/** Shapes of others on a picture, only to look at. */
export function shownOn(view, shapes, kind) {
  const layer = svg("svg", { class: "layer marks", "aria-hidden": "true", preserveAspectRatio: "none" });
  view.figure.append(layer);
  const draw = () => {
    if (view.picture) layer.setAttribute("viewBox", `0 0 ${view.picture.columns} ${view.picture.rows}`);
    layer.replaceChildren(...shapes.flatMap((one) => [svg("path", { class: "halo", d: path(one) }), svg("path", { class: kind, d: path(one) })]));
  };
  draw();
  return draw;
}

/** A shape in words. */
export function words({ kind, points }) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const span = (values) => `${Math.floor(Math.min(...values)) + 1} to ${Math.max(Math.ceil(Math.max(...values)), Math.floor(Math.min(...values)) + 1)}`;
  return `${kind}, rows ${span(ys)}, columns ${span(xs)}`;
}

function around([x1, y1], [x2, y2]) {
  return [[Math.min(x1, x2), Math.min(y1, y2)], [Math.max(x1, x2) + 1, Math.max(y1, y2) + 1]];
}

function sorted([x1, y1], [x2, y2]) {
  return [[Math.min(x1, x2), Math.min(y1, y2)], [Math.max(x1, x2), Math.max(y1, y2)]];
}

function path({ kind, points, open }) {
  if (kind === "box") {
    const [[x1, y1], [x2, y2]] = points;
    return `M${x1} ${y1}H${x2}V${y2}H${x1}Z`;
  }
  return `M${points.map((point) => point.join(" ")).join("L")}${open ? "" : "Z"}`;
}
