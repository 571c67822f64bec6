// Numbers as people read them: degC or degF as they prefer, with as many digits as a unit deserves.

const KEY = "thermo-hub.unit";
let wanted = localStorage.getItem(KEY) === "F" ? "F" : "C";
const listeners = new Set();

export function fahrenheit() {
  return wanted === "F";
}

export function setUnit(unit) {
  wanted = unit;
  localStorage.setItem(KEY, unit);
  for (const listener of listeners) listener();
}

/** Call a function whenever the unit changes; gives what ends that. */
export function onUnit(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What people call a unit. */
export function unitName(unit) {
  if (unit === "degC") return fahrenheit() ? "°F" : "°C";
  if (unit === "K") return fahrenheit() ? "°F" : "K";
  return unit === "bpm" ? "bpm" : unit;
}

/** A number in the unit that is preferred. */
export function convert(value, unit) {
  if (value === null || value === undefined) return null;
  if (!fahrenheit()) return value;
  if (unit === "degC") return value * 1.8 + 32;
  return unit === "K" ? value * 1.8 : value;
}

function digits(value, unit) {
  if (unit === "bpm" || unit === "%" || Math.abs(value) >= 1000) return 0;
  if (unit === "degC") return fahrenheit() ? 1 : 2;
  return Math.abs(value) < 10 ? 2 : 1;
}

/** A number without its unit; a dash where there is none. */
export function figure(value, unit, places = null) {
  const shown = convert(value, unit);
  if (shown === null || !Number.isFinite(shown)) return "–";
  return shown.toFixed(places ?? digits(shown, unit));
}

/** A number with its unit. */
export function quantity(value, unit, places = null) {
  return `${figure(value, unit, places)} ${unitName(unit)}`.trim();
}

/** A difference of temperatures, with its sign. */
export function difference(value, unit = "K", places = 1) {
  const shown = convert(value, unit === "degC" ? "K" : unit);
  if (shown === null || !Number.isFinite(shown)) return "–";
  return `${shown < 0 ? "−" : "+"}${Math.abs(shown).toFixed(places)} ${unitName(unit === "degC" ? "K" : unit)}`;
}

/** How long, in words. */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  const days = Math.floor(seconds / 86400);
  return days < 14 ? `${days} d ${Math.floor((seconds % 86400) / 3600)} h` : `${days} days`;
}

/** A clock time of milliseconds since 1970. */
export function clock(ms, withSeconds = true) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: withSeconds ? "2-digit" : undefined, hour12: false });
}

/** A date with its time. */
export function moment(ms) {
  return new Date(ms).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
