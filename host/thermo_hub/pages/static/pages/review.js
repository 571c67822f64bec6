// Review: windows that wait for a physician, read blind first; then the model's finding, other readers, and a decision.

import { Body } from "../modules/body.js";
import { Chart } from "../modules/chart.js";
import { chip, el, fact, put, renew } from "../modules/dom.js";
import { newest, pictures } from "../modules/frames.js";
import { Marking, words as shapeWords } from "../modules/marking.js";
import { ThermalPicture } from "../modules/picture.js";
import { clock, duration, moment } from "../modules/units.js";
import { thresholds } from "./thresholds.js";

const NOBODY = "cannot tell";
const STATES = { waiting: "", reading: "warn", "read once": "", agreed: "good", disputed: "bad", adjudicated: "good" };
const KINDS = { first: "read blind", kept: "kept it", changed: "changed it", revised: "came round", adjudicated: "decided" };
const ASKED = { first: "Read blind", kept: "Say whether you keep it", revised: "Disagreed: come round, or leave it", adjudicated: "Decide between two readers" };

export function show(main, hub, [id]) {
  return id ? window_(main, hub, id) : list(main, hub);
}

async function list(main, hub) {
  const every = el("input", { type: "checkbox", id: "every" });
  const table = el("tbody");
  const empty = el("div", { class: "empty", hidden: true });
  const box = el("div", { class: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...["Window", "Of", "Wearable", "State", "For you"].map((name) => el("th", { scope: "col" }, name)))), table));
  const problem = el("p", { class: "note bad", role: "alert", hidden: true });
  const agreed = el("section", { class: "card scroll", hidden: true });
  const labels = el("section", { class: "card", hidden: true });
  put(main, el("div", { class: "head" }, el("h1", {}, "Review"), el("span", { class: "grow" }), hub.may("clinician") ? el("label", { class: "check" }, every, "Also what I have read") : null),
    problem, box, empty, el("div", { class: "stack below" }, labels, agreed));

  async function refresh() {
    try {
      const all = every.checked || !hub.may("clinician");
      const found = await hub.get(`/api/review?state=${all ? "all" : "mine"}`);
      problem.hidden = true;
      box.hidden = !found.items.length;
      empty.hidden = found.items.length > 0;
      put(empty, el("h2", {}, found.all ? "Nothing waits for you" : "There is nothing to review yet"), el("p", {}, found.all ? "You have read every window that you can." : "Windows come of recordings: start one on the page of a wearable, and end it."));
      renew(table, ...found.items.map((one) => el("tr", {},
        el("td", {}, el("a", { href: `/review/${one.id}` }, moment(one.from_ms)), el("div", { class: "quiet" }, `from ${clock(one.from_ms)}, ${duration((one.to_ms - one.from_ms) / 1000)}`)),
        el("td", {}, one.person), el("td", {}, one.profile, el("div", { class: "quiet" }, one.model)),
        el("td", {}, chip(one.state, STATES[one.state])), el("td", {}, one.may.map((kind) => ASKED[kind]).filter(Boolean).join(", ") || "–"))));
      const { pairs } = await hub.get("/api/review/agreement");
      agreed.hidden = !pairs.length;
      put(agreed, el("h2", {}, "How far readers agree"), agreementTable(pairs), el("p", { class: "quiet" }, "Cohen's kappa of blind first reads, 95 % interval: 1 is full agreement, 0 what chance gives. Each class is one against the rest."));
      const profiles = [...new Set(found.items.filter((one) => ["read once", "agreed", "adjudicated"].includes(one.state)).map((one) => one.profile))];
      labels.hidden = !profiles.length;
      put(labels, el("h2", {}, "Labels for training"), el("div", { class: "row" }, ...profiles.map((name) => el("a", { class: "button", href: `/api/review/labels.npz?profile=${encodeURIComponent(name)}`, download: true }, `Download labels of ${name}`))),
        el("p", { class: "quiet" }, "Wearers are pseudonyms, notes stay here. ", el("code", {}, "thermo-models train TASK --labels FILE"), " takes the file as it is."));
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  }
  every.addEventListener("change", refresh);
  await refresh();
  const timer = setInterval(refresh, 30000);
  return () => clearInterval(timer);
}

function agreementTable(pairs) {
  const value = (one) => (one.kappa === null ? "–" : `${one.kappa.toFixed(2)} (${one.low.toFixed(2)} to ${one.high.toFixed(2)})`);
  return el("table", {}, el("thead", {}, el("tr", {}, ...["Readers", "Model", "Class", "Windows", "Agree", "Kappa"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...pairs.flatMap((pair) => [["all", pair.over_all], ...Object.entries(pair.classes)].map(([name, one], at) => el("tr", {},
      el("td", {}, at ? "" : pair.readers.join(" and ")), el("td", {}, at ? "" : `${pair.profile} ${pair.model}`), el("td", {}, name), el("td", {}, String(one.n)), el("td", {}, `${Math.round(one.agreed * 100)} %`), el("td", {}, value(one)))))));
}

async function window_(main, hub, id) {
  put(main, el("p", { class: "quiet", role: "status" }, "Reading the window…"));
  const where = `/api/review/${encodeURIComponent(id)}`;
  let found;
  try {
    found = await hub.get(where);
  } catch (error) {
    put(main, el("div", { class: "empty" }, el("h1", {}, "This window cannot be shown"), el("p", {}, error.message), el("a", { href: "/review" }, "All windows")));
    return undefined;
  }
  const [from, to] = [found.from_ms, found.to_ms];
  const left = el("div", { class: "stack" }), right = el("div", { class: "stack" });
  const shown = [], markings = [];
  const scrub = el("input", { type: "range", min: "0", max: "1000", value: "0", "aria-label": "Moment of the window", class: "wide" });
  const at = el("b", {}, "");
  const play = el("button", { type: "button", class: "main" }, "Play");
  const problem = el("p", { class: "note bad", role: "alert", hidden: true });
  const done = el("p", { class: "hidden", role: "status" });
  const ask = el("section", { class: "card stack" }), said = el("section", { class: "card", "aria-label": "The model's finding" }), others = el("section", { class: "card" });
  let ranges = [], began = null, chosen = null, now = from, timer = null, before = 0;
  const charts = [];

  for (const picture of found.pictures) {
    const [rows, columns] = found.shapes[picture.signal];
    const view = new ThermalPicture(hub, picture.signal);
    view.show.own = view.show.mirror = false;
    const frames = await pictures(`${where}/pictures/${encodeURIComponent(picture.signal)}`, { ...picture, rows, columns }, view);
    const marking = new Marking(view, picture.signal, () => {});
    markings.push(marking);
    shown.push((ms) => { const frame = newest(frames, ms, (one) => one.utc); if (frame) { view.update(frame); marking.draw(); } });
    left.append(el("section", { class: "card" }, el("h2", {}, picture.signal), view.node, marking.node));
  }
  for (const one of found.bodies) {
    const body = new Body(hub);
    const rows = found.lines[one.signal] ?? [];
    shown.push((ms) => { const row = newest(rows, ms / 1000, (each) => each[0]); if (row) body.update(row.slice(1)); });
    left.append(el("section", { class: "card" }, el("h2", {}, "Body"), body.node));
  }
  for (const [unit, channels] of grouped(found.channels.filter((one) => one.unit !== "V"))) charts.push(new Chart(unit === "degC" ? "Temperatures" : channels[0].name, unit, channels, 6));
  const grid = el("div", { class: "charts" }, ...charts.map((chart) => chart.node));
  right.append(ask, said, others);
  const worn = found.wearable === undefined ? null : hub.wearables.get(found.wearable);
  put(main, el("div", { class: "head" }, el("div", {}, el("h1", {}, found.person), el("span", { class: "quiet" }, `${found.profile}, ${worn?.title ?? found.model}, ${moment(from)}`)), el("span", { class: "grow" }), el("a", { class: "button", href: "/review" }, "All windows")),
    el("div", { class: "card row" }, play, scrub, at), problem, done, el("div", { class: "worn" }, left, right));
  left.append(grid);
  grid.style.marginTop = "0";
  main.querySelector(".worn").style.marginTop = "16px";
  if (found.wearable !== undefined) right.append(await thresholds(hub, found.wearable));

  const opinion = () => ({ label: chosen === NOBODY ? null : chosen, shapes: markings.flatMap((one) => one.shapes), ranges, note: main.querySelector("#note")?.value ?? "" });
  const take = async (kind) => {
    if (kind !== "kept" && chosen === null) return tell(new Error("Choose a class, or say that you cannot tell."));
    try {
      const given = await hub.ask("POST", `${where}/steps`, { kind, expected: found.mine, ...(kind === "kept" ? {} : { opinion: opinion() }) });
      Object.assign(found, given);
      tell(null, `Stored: ${KINDS[kind]}.`);
      await draw();
    } catch (error) {
      tell(error);
    }
    return undefined;
  };
  function tell(error, good = "") {
    problem.hidden = !error;
    put(problem, error?.message ?? "");
    put(done, good);
  }

  function choices() {
    const names = [...found.classes, NOBODY];
    return el("fieldset", {}, el("legend", {}, "What do you see?"), ...names.map((name, place) => {
      const button = el("input", { type: "radio", name: "label", id: `label-${place}`, value: name, onchange: () => { chosen = name; } });
      button.checked = chosen === name;
      return el("label", { class: "check", for: `label-${place}` }, button, name, el("kbd", { "aria-hidden": "true" }, name === NOBODY ? "0" : String(place + 1)));
    }));
  }

  function times() {
    return el("div", { class: "stack small" }, el("div", { class: "row" },
      el("button", { type: "button", class: "small", onclick: () => begin() }, "Begins here ", el("kbd", { "aria-hidden": "true" }, "[")),
      el("button", { type: "button", class: "small", onclick: () => end() }, "Ends here ", el("kbd", { "aria-hidden": "true" }, "]")),
      el("span", { class: "quiet" }, began === null ? (ranges.length ? "" : "The whole window, where no time is marked.") : `from ${clock(began)} on`)),
    el("ul", { class: "marked" }, ...ranges.map(([a, b], place) => el("li", {}, `${clock(a)} to ${clock(b)}, ${((b - a) / 1000).toFixed(1)} s `,
      el("button", { type: "button", class: "small", "aria-label": `Take the time from ${clock(a)} away`, onclick: () => { ranges = ranges.filter((_, other) => other !== place); form(); } }, "×")))));
  }
  function begin() { began = now; form(); }
  function end() {
    if (began === null || now <= began) return tell(new Error("Mark where it begins, go on, and mark where it ends."));
    ranges = [...ranges, [began, now]];
    began = null;
    tell(null, "A time is marked.");
    form();
    return undefined;
  }

  function form() {
    const note = main.querySelector("#note")?.value ?? "";
    const may = new Set(found.may);
    for (const marking of markings) { marking.enabled = may.size > 0 && !(may.has("kept") && chosen === null); marking.node.hidden = !may.size; marking.draw(); }
    if (!may.size) {
      const waits = { waiting: "", "read once": "It waits for a second reader.", reading: "It waits for another reader.", disputed: "Two readers disagree; it waits for a third.", agreed: "Readers agree on it.", adjudicated: "A third reader decided it." }[found.state];
      put(ask, el("h2", {}, hub.may("clinician") ? "You are done with it" : "How it stands", el("span", { class: "grow" }), chip(found.state, STATES[found.state])), el("p", {}, waits), el("div", { class: "row" }, el("button", { type: "button", class: "main", onclick: () => next() }, "Next window")));
      return;
    }
    const buttons = { first: ["Store my first read", "main"], kept: ["Keep it", "main"], changed: ["Change to this", ""], revised: ["Come round to this", "main"], adjudicated: ["Decide", "main"] };
    const heading = may.has("first") ? "Your first read, blind" : may.has("kept") ? "Keep it, or change it" : may.has("revised") ? "You two disagree" : "You decide";
    put(ask, el("h2", {}, heading, el("span", { class: "grow" }), chip(found.state, STATES[found.state])),
      may.has("first") ? el("p", { class: "quiet" }, "The finding of the model is shown once your opinion is stored.") : null,
      choices(), times(), el("label", { class: "stack small", for: "note" }, "Note", el("textarea", { id: "note", rows: "2", maxlength: "500" })),
      el("div", { class: "row" }, ...["kept", "changed", "first", "revised", "adjudicated"].filter((kind) => may.has(kind)).map((kind) => el("button", { type: "button", class: buttons[kind][1], onclick: () => take(kind) }, buttons[kind][0]))));
    main.querySelector("#note").value = note;
  }

  async function draw() {
    const mine = found.steps.filter((one) => one.by === hub.me.name).at(-1);
    if (mine) {
      chosen = mine.opinion.label ?? NOBODY;
      ranges = mine.opinion.ranges;
      for (const marking of markings) marking.set(mine.opinion.shapes);
    }
    said.hidden = !found.sees_finding;
    if (found.sees_finding) {
      try { put(said, ...finding(await hub.get(`${where}/finding`))); } catch (error) { put(said, el("p", { class: "note bad" }, error.message)); }
    }
    others.hidden = !found.steps.length;
    put(others, el("h2", {}, "What was said"), el("ol", { class: "steps" }, ...found.steps.map((one) => el("li", {}, el("b", {}, one.by), ` ${KINDS[one.kind]}: `, chip(one.opinion.label ?? NOBODY, one.opinion.label ? "" : "warn"),
      el("div", { class: "quiet" }, [moment(one.at_ms), ...one.opinion.shapes.map(shapeWords), ...one.opinion.ranges.map(([a, b]) => `${clock(a)} to ${clock(b)}`), one.opinion.note].filter(Boolean).join(" · "))))));
    form();
  }

  async function next() {
    const { items } = await hub.get("/api/review");
    const other = items.find((one) => one.id !== id);
    history.pushState(null, "", other ? `/review/${other.id}` : "/review");
    dispatchEvent(new PopStateEvent("popstate"));
  }

  const show = () => {
    put(at, `${clock(now)} · ${((now - from) / 1000).toFixed(1)} s of ${duration((to - from) / 1000)}`);
    for (const one of shown) one(now);
  };
  const goTo = (ms) => { now = Math.max(from, Math.min(to, ms)); scrub.value = String(((now - from) / (to - from)) * 1000); show(); };
  const stop = () => { cancelAnimationFrame(timer); timer = null; put(play, "Play"); };
  const tick = (time) => {
    goTo(now + time - before);
    before = time;
    if (now >= to) stop(); else timer = requestAnimationFrame(tick);
  };
  const toggle = () => {
    if (timer !== null) return stop();
    if (now >= to) goTo(from);
    put(play, "Pause");
    before = performance.now();
    timer = requestAnimationFrame(tick);
    return undefined;
  };
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input[type=text], textarea, select, dialog") || !found.may.length) return;
    const number = /^[0-9]$/.test(event.key) ? Number(event.key) : null;
    if (number !== null && number <= found.classes.length) { chosen = number ? found.classes[number - 1] : NOBODY; form(); }
    else if (event.key === "[") begin();
    else if (event.key === "]") end();
    else return;
    event.preventDefault();
  };
  scrub.addEventListener("input", () => { now = from + (Number(scrub.value) / 1000) * (to - from); show(); });
  play.addEventListener("click", toggle);
  document.addEventListener("keydown", keys);
  for (const chart of charts) { chart.window = (to - from) / 1000; chart.update(new Map(Object.entries(found.lines)), [], to); }
  goTo(from + (to - from) / 2);
  await draw();
  return () => { stop(); document.removeEventListener("keydown", keys); for (const chart of charts) chart.end(); };
}

function finding(found) {
  const bars = Object.entries(found.scores).map(([name, score]) => el("div", { class: `bar ${name === found.label ? "first" : ""}` }, el("span", {}, name), el("span", { class: "track" }, bar(score)), el("span", { class: "share" }, `${Math.round(score * 100)} %`)));
  return [el("h2", {}, "What the model said"), ...bars, el("dl", { class: "facts" }, fact("Findings", String(found.findings)), fact("Uncertainty", `${Math.round(found.uncertainty * 100)} % of the most there can be`),
    [...found.alerts, ...found.called].length ? fact("Alerts", [...found.alerts, ...found.called].join(", ")) : null, fact("Bundle", found.bundle)), el("p", { class: "quiet" }, found.notice)];
}

function bar(score) {
  const filled = el("i");
  filled.style.width = `${Math.round(score * 100)}%`;
  return filled;
}

function grouped(channels) {
  const found = new Map();
  for (const one of channels) found.set(one.unit, [...(found.get(one.unit) ?? []), one]);
  return found;
}
