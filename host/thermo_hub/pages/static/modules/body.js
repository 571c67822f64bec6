// A body from the front and the back, each segment in the colour of its temperature with its number on it.

import { put, svg } from "./dom.js";
import { colourOf } from "./picture.js";
import { figure, quantity } from "./units.js";

const BETWEEN = 14;

export class Body {
  constructor(hub) {
    const { width, height, segments, views } = hub.drawing.body;
    this.palette = hub.drawing.palette;
    this.segments = segments;
    this.parts = [];
    this.title = svg("title", {}, "Temperatures of the body");
    const groups = Object.entries(views).map(([view, parts], number) => {
      const shapes = parts.map(([segment, points]) => {
        const polygon = svg("polygon", { points: points.map((point) => point.join(",")).join(" ") }, svg("title"));
        const [x, y] = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
        const text = svg("text", { x, y: y + 1.6 });
        this.parts.push({ segment, polygon, text });
        return [polygon, text];
      });
      const [first, second] = view === "front" ? ["R", "L"] : ["L", "R"];
      return svg("g", { transform: `translate(${number * (width + BETWEEN)} 0)` }, ...shapes.map(([polygon]) => polygon), ...shapes.map(([, text]) => text),
        svg("text", { class: "side", x: width / 2, y: height + 7 }, view), svg("text", { class: "side", x: 6, y: height + 7 }, first), svg("text", { class: "side", x: width - 6, y: height + 7 }, second));
    });
    this.node = svg("svg", { class: "body", viewBox: `0 0 ${2 * width + BETWEEN} ${height + 10}`, role: "img" }, this.title, ...groups);
  }

  /** Temperatures of the segments, degC, null where there is none. */
  update(values) {
    const known = values.filter((value) => value !== null);
    const [low, high] = known.length ? [Math.min(...known) - 0.2, Math.max(...known) + 0.2] : [20, 36];
    for (const { segment, polygon, text } of this.parts) {
      const value = values[segment];
      const share = value === null ? NaN : (value - low) / Math.max(high - low, 1);
      polygon.style.fill = colourOf(this.palette, share);
      put(polygon.firstChild, `${this.segments[segment]}: ${quantity(value, "degC", 1)}`);
      put(text, figure(value, "degC", 1));
    }
    put(this.title, `Temperatures of the body: ${this.segments.map((name, at) => `${name} ${quantity(values[at], "degC", 1)}`).join(", ")}`);
  }
}
