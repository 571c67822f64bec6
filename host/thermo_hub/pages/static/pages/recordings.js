// Recordings: made of wearables that are here, listed, and looked at again with a scrubber.

import { Body } from "../modules/body.js";
import { Chart } from "../modules/chart.js";
import { chip, el, fact, put, renew } from "../modules/dom.js";
import { newest, pictures } from "../modules/frames.js";
import { ThermalPicture } from "../modules/picture.js";
import { restsControl } from "../modules/rests.js";
import { alertChip, flags } from "../modules/said.js";
import { clock, duration, moment } from "../modules/units.js";

const SETTLED_MS = 300; // without a move, after which it is asked what a finding rests on
const RESTS_MS = 3000; // between two looks at that while the recording plays

export function show(main, hub, [name]) {
  return name ? replay(main, hub, name) : list(main, hub);
}

async function list(main, hub) {
  const table = el("tbody");
  const making = el("div", { class: "stack" });
  const empty = el("div", { class: "empty", hidden: true }, ...(hub.researches
    ? [el("h2", {}, "Nothing to see yet"), el("p", {}, "Recordings are here of wearers who have given consent to research, under pseudonyms; the wearer or an administrator gives it on the page Sharing.")]
    : [el("h2", {}, "Nothing was recorded yet"), el("p", {}, "Start a recording of a wearable above, or on its page.")]));
  const box = el("div", { class: "scroll card" }, el("table", {}, el("thead", {}, el("tr", {}, ...["Recording", "Wearable", "Of", "Started", "Size", "File"].map((words) => el("th", { scope: "col" }, words)))), table));
  put(main, el("div", { class: "head" }, el("h1", {}, "Recordings")), making, box, empty);
  box.style.marginTop = "16px";

  async function refresh() {
    const { recordings, running } = await hub.get("/api/recordings");
    empty.hidden = recordings.length > 0;
    box.hidden = !recordings.length;
    renew(table, ...recordings.map((one) => el("tr", {},
      el("td", {}, one.problem ? one.name : el("a", { href: `/recordings/${encodeURIComponent(one.name)}` }, one.name), one.recording ? [" ", chip("recording", "bad", true)] : null),
      el("td", {}, one.problem ? el("span", { class: "quiet" }, one.problem) : `${one.profile} ${one.serial}`, one.simulated ? [" ", chip("simulated")] : null),
      el("td", {}, [one.subject, one.note].filter(Boolean).join(" · ") || "–"),
      el("td", {}, one.started ? moment(Date.parse(one.started)) : "–"),
      el("td", {}, size(one.size)),
      el("td", {}, el("a", { class: "button small", href: `/api/recordings/${encodeURIComponent(one.name)}/file`, download: true, "aria-label": `Download ${one.name}` }, "Download")))));
    renew(making, ...[...hub.wearables.values()].map((worn) => recorder(hub, worn, running[worn.id], refresh)));
  }

  const listener = () => refresh();
  for (const kind of ["recording", "wall", "session"]) hub.addEventListener(kind, listener);
  hub.watch([], 60000);
  await refresh();
  return () => { for (const kind of ["recording", "wall", "session"]) hub.removeEventListener(kind, listener); };
}

/** What starts, marks and ends the recording of a wearable. */
export function recorder(hub, worn, now, after) {
  const path = `/api/wearables/${encodeURIComponent(worn.id)}/recording`;
  const problem = el("span", { class: "chip bad", role: "alert", hidden: true });
  const act = (method, where, body) => async () => {
    try {
      problem.hidden = true;
      await hub.ask(method, where, body?.());
      await after();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  };
  if (now?.running) {
    const text = el("input", { type: "text", maxlength: "200", placeholder: "what happens", "aria-label": `What happens with ${worn.title}` });
    return el("div", { class: "card row" }, el("b", {}, worn.title), chip(`recording since ${clock(now.since)}`, "bad", true), el("span", { class: "grow" }),
      text, el("button", { type: "button", onclick: act("POST", `${path}/mark`, () => ({ text: text.value })) }, `Mark${now.marked ? ` (${now.marked})` : ""}`),
      el("button", { type: "button", class: "main", onclick: act("DELETE", path) }, "Stop"), problem);
  }
  const subject = el("input", { type: "text", maxlength: "200", placeholder: "whom it is of", "aria-label": `Whom the recording of ${worn.title} is of` });
  return el("div", { class: "card row" }, el("b", {}, worn.title), el("span", { class: "quiet" }, worn.shown.serial), now?.failure ? chip(now.failure, "bad") : null, el("span", { class: "grow" }), subject,
    el("button", { type: "button", disabled: !worn.live, onclick: act("POST", path, () => ({ subject: subject.value })) }, "Record"), problem);
}

async function replay(main, hub, name) {
  put(main, el("p", { class: "quiet", role: "status" }, "Reading the recording…"));
  const where = `/api/recordings/${encodeURIComponent(name)}`;
  let found;
  try {
    found = await hub.get(where);
  } catch (error) {
    put(main, el("div", { class: "empty" }, el("h1", {}, "This recording cannot be shown"), el("p", {}, error.message), el("a", { href: "/recordings" }, "All recordings")));
    return undefined;
  }
  const { facts } = found;
  const left = el("div", { class: "stack" }), right = el("div", { class: "stack" });
  const shown = [];
  const length = Math.max(1, found.to - found.from);
  const scrub = el("input", { type: "range", min: "0", max: "1000", value: "0", "aria-label": "Moment of the recording" });
  scrub.style.flex = "1";
  const at = el("b", {}, "");
  const play = el("button", { type: "button", class: "main" }, "Play");
  const speed = el("select", { "aria-label": "Speed" }, ...[1, 2, 5, 10, 60].map((times) => el("option", { value: String(times) }, `${times} ×`)));
  const said = el("dl", { class: "facts" });

  const models = [...new Set(found.findings.filter((one) => one.scores).map((one) => one.model))];
  for (const picture of found.pictures) {
    const view = new ThermalPicture(hub, picture.signal);
    view.show.own = view.show.mirror = false;
    const frames = await pictures(`${where}/pictures/${encodeURIComponent(picture.signal)}`, picture, view);
    const rests = models.length ? restsAt(hub, where, models, view, picture.signal) : null;
    shown.push((ms, playing) => {
      const frame = newest(frames, ms, (one) => one.utc);
      if (frame) view.update(frame);
      rests?.at(ms, playing);
    });
    left.append(el("section", { class: "card" }, el("h2", {}, picture.signal), view.node, rests ? el("div", { class: "controls" }, rests.box) : null, rests?.said));
  }
  for (const one of found.bodies) {
    const body = new Body(hub);
    const rows = found.lines[one.signal] ?? [];
    shown.push((ms) => { const row = newest(rows, ms / 1000, (each) => each[0]); if (row) body.update(row.slice(1)); });
    left.append(el("section", { class: "card" }, el("h2", {}, "Body"), body.node));
  }
  shown.push((ms) => {
    const latest = new Map();
    for (const finding of found.findings) if (finding.utc <= ms) latest.set(finding.model, finding);
    put(said, ...[...latest.values()].map((finding) => fact(finding.model, words(finding), " ", ...flags(finding.flags))));
  });
  right.append(el("section", { class: "card" }, el("h2", {}, "At this moment"), said, el("p", { class: "quiet" }, "Informs only. Not a medical device.")));
  right.append(el("section", { class: "card" }, el("h2", {}, "Recording"), el("dl", { class: "facts" },
    fact("Wearable", `${facts.profile} ${facts.serial}`), facts.subject ? fact("Of", facts.subject) : null, facts.note ? fact("Note", facts.note) : null,
    fact("Started", moment(Date.parse(found.started))), fact("Length", duration(length / 1000)),
    fact("Whole", found.complete ? "yes" : "no finished end; all that is there is shown", found.damaged ? `, ${found.damaged} damaged pieces left out` : "")),
  el("a", { class: "button small", href: `${where}/file`, download: true }, "Download")));
  const moments = [...found.markers.map((one) => [one.utc, `marker${one.text ? `: ${one.text}` : ""}`, null]), ...found.alerts.map((one) => [one.utc, null, alertChip(one)]), ...found.gaps.map((one) => [one.from, `gap of ${duration((one.to - one.from) / 1000)}: ${one.reason}`, null])]
    .sort((a, b) => a[0] - b[0]);
  if (moments.length) right.append(el("section", { class: "card" }, el("h2", {}, "Moments"), el("div", { class: "stack" }, ...moments.map(([utc, text, mark]) =>
    el("div", { class: "happened" }, el("button", { type: "button", class: "small", onclick: () => go(utc) }, clock(utc)), el("span", {}, mark ?? text))))));

  right.append(anotherModel(hub, where, (ms) => go(ms)));

  const past = new Map(Object.entries(found.lines));
  const units = new Map();
  for (const channel of found.channels) {
    if (channel.unit === "V") continue;
    if (!units.has(channel.unit)) units.set(channel.unit, []);
    units.get(channel.unit).push(channel);
  }
  const charts = [...units].map(([unit, channels]) => new Chart(unit === "degC" ? "Temperatures" : channels[0].name, unit, channels, 6));
  const grid = el("div", { class: "charts" }, ...charts.map((chart) => chart.node));
  put(main, el("div", { class: "head" }, el("div", {}, el("h1", {}, facts.subject || `${facts.profile} ${facts.serial}`), el("span", { class: "quiet" }, name)), el("span", { class: "grow" }), el("a", { class: "button", href: "/recordings" }, "All recordings")),
    el("div", { class: "card row" }, play, speed, scrub, at), el("div", { class: "worn" }, left, right), grid);
  main.querySelector(".worn").style.marginTop = "16px";
  if (!left.children.length) left.append(grid);
  if (charts.length === 1 || grid.parentNode === left) grid.style.gridTemplateColumns = "1fr";

  let now = found.from, timer = null, before = 0;
  const draw = () => {
    put(at, `${clock(now)} · ${duration((now - found.from) / 1000)} of ${duration(length / 1000)}`);
    for (const show of shown) show(now, timer !== null);
  };
  const go = (ms) => {
    now = Math.max(found.from, Math.min(found.to, ms));
    scrub.value = String(((now - found.from) / length) * 1000);
    draw();
  };
  const stop = () => { cancelAnimationFrame(timer); timer = null; put(play, "Play"); for (const show of shown) show(now, false); };
  const tick = (time) => {
    go(now + (time - before) * Number(speed.value));
    before = time;
    if (now >= found.to) stop();
    else timer = requestAnimationFrame(tick);
  };
  scrub.addEventListener("input", () => { now = found.from + (Number(scrub.value) / 1000) * length; draw(); });
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (now >= found.to) go(found.from);
    put(play, "Pause");
    before = performance.now();
    timer = requestAnimationFrame(tick);
    return undefined;
  });
  for (const chart of charts) {
    chart.window = Math.max(10, length / 1000);
    chart.update(past, found.gaps, found.to);
  }
  go(found.from);
  return () => { stop(); for (const chart of charts) chart.end(); };
}

/** Of what findings rest on at the moment shown: asked for once it stays, and now and then while the recording plays. */
function restsAt(hub, where, models, view, signal) {
  let moment = 0, played = false, settled = null, asked = 0;
  const ask = () => {
    asked = performance.now();
    return Promise.all(models.map((model) => hub.get(`${where}/rests/${encodeURIComponent(model)}?at_ms=${moment}`).catch((error) => ({ known: false, why: error.message }))));
  };
  const control = restsControl(view, signal, ask);
  const at = (ms, playing) => {
    if (ms === moment && playing === played) return;
    [moment, played] = [ms, playing];
    if (playing) {
      if (performance.now() - asked > RESTS_MS) control.look();
      return;
    }
    control.clear();
    clearTimeout(settled);
    settled = setTimeout(control.look, SETTLED_MS);
  };
  return { box: control.box, said: control.said, at };
}

/** What runs the recording again with another bundle, and what that says otherwise; `go` shows a moment. */
function anotherModel(hub, where, go) {
  const choice = el("select", { id: "bundle" });
  const given = el("input", { type: "file", accept: ".img", class: "hidden", tabindex: "-1", "aria-label": "File of a signed bundle" });
  const result = el("div", { class: "stack", role: "status" });
  const run = el("button", { type: "button", onclick: async () => {
    run.disabled = true;
    put(result, "Computing the recording again…");
    try {
      put(result, ...compared(await hub.ask("POST", `${where}/again`, { bundle: choice.value }), go));
    } catch (error) {
      put(result, el("div", { class: "note bad", role: "alert" }, error.message));
    }
    run.disabled = !choice.value;
  } }, "Run again");
  const list = async (wanted) => {
    const { bundles } = await hub.get("/api/bundles");
    put(choice, ...bundles.map((one) => el("option", { value: one.sha256, selected: one.sha256 === wanted }, `${one.wearable} ${one.version}${one.installed ? "" : `, ${one.sha256.slice(0, 8)}`}`)));
    run.disabled = !bundles.length;
  };
  given.addEventListener("change", async () => {
    if (!given.files.length) return;
    try {
      const { sha256 } = await hub.ask("POST", "/api/bundles", given.files[0]);
      await list(sha256);
      put(result, "The bundle is known now; run the recording again with it.");
    } catch (error) {
      put(result, el("div", { class: "note bad", role: "alert" }, error.message));
    }
    given.value = "";
  });
  list();
  const may = hub.may("clinician", "researcher", "engineer", "administrator");
  return el("section", { class: "card" }, el("h2", {}, "Another model"), el("div", { class: "row" }, el("label", { for: "bundle" }, "Bundle"), choice, run,
    may ? [given, el("button", { type: "button", class: "small", onclick: () => given.click() }, "Choose a file…")] : null), result);
}

/** What came of running a recording again, as nodes. */
function compared(found, go) {
  const parts = found.models.map((one) => el("p", {}, el("b", {}, one.name), one.both
    ? `: ${one.same} of ${one.both} findings the same${one.greatest ? `, values up to ${one.greatest.toPrecision(2)} apart` : ""}.`
    : ": nothing to compare.", one.recorded_only ? ` ${one.recorded_only} only recorded.` : "", one.again_only ? ` ${one.again_only} only again.` : ""));
  if (!found.models.length) parts.push(el("p", {}, "No model says anything of this recording."));
  parts.push(...found.alerts.map((one) => el("p", {}, `Alert ${one.name}: raised ${one.recorded} times in the recording, ${one.again === null ? "not computed again" : `${one.again} times again`}.`)));
  if (found.differences.length) {
    parts.push(el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...["When", "Model", "Recorded", "Again"].map((words) => el("th", { scope: "col" }, words)))),
      el("tbody", {}, ...found.differences.map((one) => el("tr", {}, el("td", {}, el("button", { type: "button", class: "small", onclick: () => go(one.utc) }, clock(one.utc))),
        el("td", {}, one.model), el("td", {}, one.recorded.words, " ", ...flags(one.recorded.flags)), el("td", {}, one.again.words, " ", ...flags(one.again.flags))))))));
  }
  if (found.different > found.differences.length) parts.push(el("p", { class: "quiet" }, `and ${found.different - found.differences.length} more.`));
  return [...parts, el("p", { class: "quiet" }, found.notice)];
}

function words(finding) {
  if (finding.label) return `${finding.label} ${Math.round(finding.scores[finding.label] * 100)} %`;
  return Object.entries(finding.quantities ?? {}).map(([name, { value, unit }]) => `${name} ${value === null ? "–" : value.toFixed(2)} ${unit === "degC" ? "°C" : unit}`).join(", ") || "no value";
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
