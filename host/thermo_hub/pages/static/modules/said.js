// What models and alerts say, in the same words and marks on every page.

import { chip, el } from "./dom.js";
import { figure, quantity, unitName } from "./units.js";

const SEVERITIES = { info: "", warning: "warn", urgent: "bad", error: "bad", debug: "" };

/** What a model said last, in a few words; null where it has not said anything. */
export function verdict(finding) {
  if (!finding) return null;
  if (finding.label) return { words: finding.label, share: finding.scores[finding.label] };
  const quantities = Object.entries(finding.quantities ?? {});
  return quantities.length ? { quantities } : null;
}

/** Flags that a reader must know of, as chips. */
export function flags(names) {
  return (names ?? []).map((name) => chip(name, name === "simulated" || name === "uncalibrated" ? "" : "warn"));
}

/** A state of a device's alert as a chip. */
export function alertChip(alert) {
  const kind = alert.state === "raised" ? SEVERITIES[alert.severity] || "warn" : "";
  const mark = alert.state === "raised" ? "▲ " : alert.state === "acknowledged" ? "✓ " : "";
  return chip(`${mark}${alert.alert}: ${alert.state}`, kind);
}

/** Whether an alert wants to be looked at. */
export function isOpen(alert) {
  return alert.state === "raised";
}

export function severityKind(severity) {
  return SEVERITIES[severity] ?? "";
}

/** A large number with its name. */
export function big(name, value, unit, more = null, places = null) {
  return el("div", { class: "big" },
    el("span", { class: "value" }, figure(value, unit, places), " ", el("small", {}, unitName(unit))),
    el("span", { class: "name" }, name, more ? ` ${more}` : ""));
}

/** A spread in words, "± 0.4 K". */
export function spread(value, unit) {
  return value ? `± ${quantity(value, unit === "degC" ? "K" : unit, 2)}` : "";
}
