// Trends: a number over nights, days, months or a year, beside what is usual of this wearer at that time of day.

import { el, fact, put } from "../modules/dom.js";
import { TrendChart } from "../modules/trend.js";
import { difference, moment, onUnit, quantity } from "../modules/units.js";

const DAY = 86400000;
const SPANS = [["night", "Night"], ["1", "24 hours"], ["7", "7 days"], ["30", "30 days"], ["366", "Year"]];

const AGAIN_MS = 10000;

export async function show(main, hub, [id]) {
  // What is drawn goes when another wearable is chosen, and when the first trends have come.
  let leave, gone = false;
  const draw = async (which) => {
    const begun = await drawn(main, hub, which, draw);
    leave?.();
    leave = begun;
    if (gone) leave();
  };
  await draw(id);
  return () => { gone = true; leave?.(); };
}

// Looks again until there is something to draw; a hub that does not answer is told in the banner.
function awaited(there, draw) {
  const timer = setInterval(() => there().then((come) => come && draw()).catch(() => {}), AGAIN_MS);
  return () => clearInterval(timer);
}

function every(refresh) {
  const timer = setInterval(refresh, 60000);
  return () => clearInterval(timer);
}

async function drawn(main, hub, id, draw) {
  const { wearables } = await hub.get("/api/trends");
  if (!wearables.length && !id) {
    put(main, el("h1", {}, "Trends"), el("div", { class: "empty" }, hub.researches ? "There are no trends yet of anybody who has given consent to research." : "There are no trends of any wearable yet; the first minute is over soon."));
    return awaited(async () => (await hub.get("/api/trends")).wearables.length, () => draw(id));
  }
  const wearable = id ?? wearables[0].wearable;
  const where = `/api/trends/${encodeURIComponent(wearable)}`;
  const { series } = await hub.get(`${where}/series`);
  const { nights } = await hub.get(`${where}/nights?count=30`);
  let span = "1", name = series[0]?.name, night = 0;

  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  const who = el("select", { "aria-label": "Wearable", onchange: () => { history.replaceState(null, "", `/trends/${encodeURIComponent(who.value)}`); draw(who.value); } },
    ...wearables.map((one) => el("option", { value: one.wearable }, one.label || `${one.profile} ${one.wearable}`)));
  who.value = wearable;
  const what = el("select", { "aria-label": "Number", onchange: () => { name = what.value; refresh(); } }, ...series.map((one) => el("option", { value: one.name }, one.label)));
  const spans = el("div", { class: "segmented", role: "group", "aria-label": "Stretch of time" });
  const which = el("select", { "aria-label": "Night", onchange: () => { night = Number(which.value); refresh(); } },
    ...nights.map((one, at) => el("option", { value: String(at) }, `night of ${date(one.night_of)} → woke ${date(one.woke)}`)));
  const chart = new TrendChart();
  const facts = el("dl", { class: "facts" });
  const title = el("h2", {}, series.find((one) => one.name === name)?.label ?? "Trend");
  const choose = () => {
    put(spans, ...SPANS.map(([key, words]) => el("button", { type: "button", "aria-pressed": String(key === span), onclick: () => { span = key; choose(); refresh(); } }, words)));
    which.hidden = span !== "night";
  };

  async function refresh() {
    if (!name) return;
    const now = Date.now();
    const [from, to] = span === "night" ? [nights[night].from_ms, nights[night].to_ms] : [now - Number(span) * DAY, now];
    try {
      const found = await hub.get(`${where}?from_ms=${Math.round(from)}&to_ms=${Math.round(to)}&name=${encodeURIComponent(name)}`);
      const { hours } = found.width === "day" ? { hours: [] } : await hub.get(`${where}/baseline?name=${encodeURIComponent(name)}&at_ms=${Math.round(span === "night" ? from : now)}`);
      problem.hidden = true;
      const one = found.series[0];
      put(title, span === "night" ? `${one.label}, night of ${date(nights[night].night_of)} → woke ${date(nights[night].woke)}` : `${one.label}, by ${found.width}s`);
      chart.update({ from, to, width: found.width_ms, unit: one.unit, label: one.label, columns: one, usual: hours });
      put(facts, ...summary(one, hours, found));
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  }

  choose();
  put(main, el("div", { class: "head" }, el("h1", {}, "Trends"), el("span", { class: "grow" }), who, what, which, spans), problem,
    series.length ? el("div", { class: "stack" }, el("section", { class: "card" }, title, chart.node, el("p", { class: "quiet" }, "Line: mean. Band: from the 5th to the 95th of a hundred samples. Dashed and hatched: what is usual of this wearer at this time of day. Where nothing came, nothing is drawn.")),
      el("section", { class: "card" }, el("h2", {}, "In this stretch"), facts, el("p", { class: "quiet" }, "Informs only. Not a medical device."))) : el("div", { class: "empty" }, "There are no trends of it yet; the first minute is over soon."));
  hub.watch([wearable], 60000);
  const end = series.length ? every(refresh) : awaited(async () => (await hub.get(`${where}/series`)).series.length, () => draw(id));
  const off = onUnit(() => { chart.draw(); refresh(); });
  await refresh();
  return () => { end(); off?.(); chart.end(); };
}

function summary(one, hours, found) {
  const n = one.n.reduce((sum, each) => sum + each, 0);
  if (!n) return fact("Samples", "none");
  const mean = one.mean.reduce((sum, each, at) => sum + (each ?? 0) * one.n[at], 0) / n;
  const known = (values) => values.filter((each) => each !== null);
  const expected = Math.max(1, Math.round((Math.min(Date.now(), found.to_ms) - found.from_ms) / found.width_ms));
  let far = 0, compared = 0;
  one.start_ms.forEach((start, at) => {
    const hour = hours[new Date(start).getHours()];
    if (hour && one.mean[at] !== null) {
      far += (one.mean[at] - hour.centre) * one.n[at];
      compared += one.n[at];
    }
  });
  const uncertainty = known(one.uncertainty), ambient = known(one.ambient);
  const calibrations = [...new Set(one.calibration.filter(Boolean))];
  return [
    fact("Mean", quantity(mean, one.unit, 2)), fact("Lowest, highest", `${quantity(Math.min(...known(one.low)), one.unit, 2)} to ${quantity(Math.max(...known(one.high)), one.unit, 2)}`),
    compared ? fact("From what is usual", difference(far / compared, one.unit === "degC" ? "K" : one.unit, 2)) : fact("What is usual", "not known before the third day"),
    fact("Samples", `${n}, ${one.doubtful.reduce((a, b) => a + b, 0)} left out as doubtful`), fact("There", `${one.start_ms.length} of ${expected} ${found.width}s`), fact("Blocks lost", String(one.lost.reduce((a, b) => a + b, 0))),
    uncertainty.length ? fact("Uncertainty (k = 2)", quantity(Math.max(...uncertainty), one.unit === "degC" ? "K" : one.unit, 2)) : fact("Calibration", "none"),
    calibrations.length ? fact("Calibration", calibrations.join(", ")) : null,
    ambient.length ? fact("Around it", `${quantity(Math.min(...ambient), "degC", 1)} to ${quantity(Math.max(...ambient), "degC", 1)}`) : null,
    fact("Newest", moment(one.start_ms[one.start_ms.length - 1])),
  ].flat();
}

function date(iso) {
  return new Date(`${iso}T12:00`).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
}
