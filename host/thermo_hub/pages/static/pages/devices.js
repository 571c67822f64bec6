// Devices: what wearables are, count and run; self-tests, resets, new bundles.

import { chip, el, fact, put, renew } from "../modules/dom.js";
import { severityKind } from "../modules/said.js";
import { clock, duration } from "../modules/units.js";
import { calibrationWords } from "./wearable.js";

const HEADINGS = ["Wearable", "State", "Runs", "Platform", "Sensors", "Calibration", "Lost", "Latency"];

export function show(main, hub, [id]) {
  return id ? device(main, hub, id) : list(main, hub);
}

function list(main, hub) {
  const rows = new Map();
  const body = el("tbody");
  const shut = el("div", { class: "stack" });
  put(main, el("div", { class: "head" }, el("h1", {}, "Devices")),
    el("div", { class: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...HEADINGS.map((words) => el("th", { scope: "col" }, words)))), body)), shut);
  shut.style.marginTop = "16px";
  const refresh = () => {
    for (const [known, row] of rows) if (!hub.wearables.has(known)) { row.remove(); rows.delete(known); }
    for (const worn of hub.wearables.values()) {
      const { shown, line } = worn;
      if (!rows.has(worn.id)) {
        rows.set(worn.id, el("tr", {}, ...HEADINGS.map(() => el("td"))));
        body.append(rows.get(worn.id));
      }
      const able = shown.sensors.filter((sensor) => sensor.can_calibrate);
      const done = able.filter((sensor) => sensor.calibrated_unix_s).length;
      const faults = shown.sensors.filter((sensor) => sensor.fault || sensor.warning).length;
      const cells = [
        [el("a", { href: `/devices/${encodeURIComponent(worn.id)}` }, worn.title), el("div", { class: "quiet" }, `${shown.serial} · ${shown.port}`)],
        [worn.live ? chip("live", "good", true) : chip(shown.state === "live" ? "silent" : shown.state, "bad", true)],
        [shown.bundle ? `${shown.profile} ${shown.bundle}` : chip("no bundle", "warn"), shown.development_key ? [" ", chip("development key", "warn")] : null],
        [shown.platform, el("div", { class: "quiet" }, shown.software)],
        [`${shown.sensors.length}`, faults ? [" ", chip(`${faults} in doubt`, "warn")] : null],
        [able.length ? `${done} of ${able.length}` : "–"],
        [String(line.missing ?? "–")],
        [line.latency_s === null || line.latency_s === undefined ? "–" : `${Math.round(line.latency_s * 1000)} ms`],
      ];
      cells.forEach((cell, at) => renew(rows.get(worn.id).children[at], ...cell));
    }
    renew(shut, ...hub.shut.map((one) => el("div", { class: "note" }, el("b", {}, one.port), ` ${one.reason || "is asked who it is"}`)),
      hub.wearables.size ? null : el("div", { class: "empty" }, el("h2", {}, "No wearable is here yet"), el("p", {}, "Plug one in; it appears here by itself.")));
  };
  hub.addEventListener("any", refresh);
  hub.watch([], 60000);
  refresh();
  return () => hub.removeEventListener("any", refresh);
}

async function device(main, hub, id) {
  const path = `/api/devices/${encodeURIComponent(id)}`;
  const content = el("div", { class: "stack" });
  const job = el("div", { class: "stack", role: "status" });
  const problem = el("div", { class: "note bad", role: "alert", hidden: true });
  const title = el("h1", {}, id);
  const file = el("input", { type: "file", accept: ".img", id: "bundle", class: "hidden" });
  const act = (work) => async () => {
    problem.hidden = true;
    try { tell(await work()); } catch (error) { problem.hidden = false; put(problem, error.message); }
  };
  file.addEventListener("change", act(async () => {
    const [chosen] = file.files;
    file.value = "";
    return hub.ask("POST", `${path}/flash`, chosen);
  }));
  put(main, el("div", { class: "head" }, title, el("span", { class: "grow" }),
    el("button", { type: "button", onclick: act(() => hub.ask("POST", `${path}/self-test`)) }, "Self-test"),
    el("button", { type: "button", onclick: act(() => hub.ask("POST", `${path}/reset`)) }, "Restart"),
    el("button", { type: "button", onclick: () => calibration(hub, path, hub.wearables.get(id), act) }, "Calibrate…"),
    el("button", { type: "button", class: "main", onclick: () => file.click() }, "Flash a bundle…"), el("label", { class: "hidden", for: "bundle" }, "Signed bundle"), file),
  problem, job, content);
  job.style.marginBottom = "16px";

  function tell(now) {
    if (!now) return;
    const { what, state, step, share, result } = now;
    if (state === "running") {
      if (now.ask && job.querySelector("form")?.dataset.words === now.ask.words) return; // somebody types into it
      put(job, el("div", { class: "card stack" }, el("div", { class: "row" }, el("b", {}, what), el("span", {}, step), share ? el("progress", { value: share, max: "1", "aria-label": step }) : null,
        el("span", { class: "grow" }), what === "calibration" ? el("button", { type: "button", class: "small", onclick: act(() => hub.ask("POST", `${path}/job/end`)) }, "End it") : null),
      ...now.notes.map((words) => el("p", { class: "quiet" }, words)), now.ask ? question(hub, path, now.ask, act) : null));
    }
    else if (state === "failed") put(job, el("div", { class: "note bad" }, el("b", {}, `${what} failed. `), result.detail));
    else {
      const tests = result?.results ?? result?.self_test ?? [];
      put(job, el("section", { class: "card" }, el("h2", {}, outcome(what, result)),
        ...(what === "calibration" ? fitted(result) : []), ...(result?.waived ?? []).map((words) => el("p", { class: "note" }, `Signed all the same: ${words}`)), result?.development_key ? el("p", { class: "quiet" }, "The image is signed with the development key, with which anybody can sign.") : null,
        tests.length ? el("table", {}, el("tbody", {}, ...tests.map((one) => el("tr", {}, el("td", {}, one.name), el("td", {}, chip(one.passed ? "passed" : "failed", one.passed ? "good" : "bad")), el("td", { class: "quiet" }, one.detail))))) : null));
    }
  }

  async function refresh() {
    let facts;
    try {
      const { job: now } = await hub.get(`${path}/job`);
      tell(now);
      if (now?.state === "running") return; // it has no time to say more
      facts = await hub.get(path);
    } catch (error) {
      put(content, el("div", { class: "note bad" }, error.message));
      return;
    }
    const worn = hub.wearables.get(id);
    const { hello } = facts;
    put(title, worn?.title ?? hello.serial);
    document.title = `${worn?.title ?? hello.serial} · Devices · thermo-hub`;
    const counters = Object.entries(facts.counters).sort();
    put(content,
      el("section", { class: "card" }, el("h2", {}, "What it is"), el("dl", { class: "facts" },
        fact("Wearable", `${hello.name} ${hello.serial}`, hello.simulated ? [" ", chip("simulated")] : null), fact("Software", `${hello.software} on ${hello.platform}, protocol ${hello.protocol}`),
        fact("Profile", hello.profile), fact("Up for", duration(hello.time_us / 1e6)), fact("Line", `${facts.port}, round trip ${(facts.round_trip_s * 1000).toFixed(1)} ms`),
        fact("Bundle", hello.bundle || "none"), fact("Page", el("a", { href: `/wearable/${encodeURIComponent(id)}` }, "what it measures"))),
      hello.development_key && !hello.simulated ? el("p", { class: "note bad" }, "It trusts the development key, with which anybody can sign images.") : null),
      el("section", { class: "card scroll" }, el("h2", {}, "Images"), facts.images.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Slot", "Version", "SHA-256", "State"].map((words) => el("th", { scope: "col" }, words)))),
        el("tbody", {}, ...facts.images.map((one) => el("tr", {}, el("td", {}, String(one.slot)), el("td", {}, one.version), el("td", {}, el("code", {}, one.sha256.slice(0, 16))), el("td", {}, ...["active", "confirmed", "pending"].filter((name) => one[name]).map((name) => [chip(name, name === "pending" ? "warn" : "good"), " "])))))) : el("p", { class: "quiet" }, "None; flash one.")),
      el("section", { class: "card scroll" }, el("h2", {}, "Sensors"), el("table", {}, el("thead", {}, el("tr", {}, ...["Sensor", "Kind", "Id", "Rate", "Calibration", "In doubt"].map((words) => el("th", { scope: "col" }, words)))),
        el("tbody", {}, ...facts.sensors.map((one, at) => {
          const shown = worn?.shown.sensors[at];
          return el("tr", {}, el("td", {}, one.name, one.place ? el("div", { class: "quiet" }, one.place) : null), el("td", {}, one.kind), el("td", {}, one.id ? el("code", {}, one.id) : "–"), el("td", {}, one.rate_hz ? `${one.rate_hz} Hz` : "–"),
            el("td", {}, shown?.can_calibrate ? calibrationWords(shown, hub.now() / 1000) : "–"), el("td", {}, one.fault || one.warning ? el("span", { class: "note" }, one.fault || one.warning) : "–"));
        }))),
      worn?.shown.sensors.some((sensor) => sensor.can_calibrate && !sensor.calibrated_unix_s) ? el("p", { class: "quiet" }, "Calibrate it before a blackbody, its contact sensors in a bath, its accelerometer in positions; until then what they say may be off, temperatures by kelvins.") : null),
      el("section", { class: "card" }, el("h2", {}, "Counters since its start"), counters.length ? el("dl", { class: "facts counters" }, ...counters.map(([name, value]) => fact(name, String(value)))) : el("p", { class: "quiet" }, "None.")),
      el("section", { class: "card" }, el("h2", {}, "Log"), log(worn)));
    tell(facts.job);
  }

  const onJob = ({ detail }) => {
    if (detail.id !== id) return;
    tell(detail.job);
    if (detail.job.state !== "running") refresh();
  };
  let began = false;
  const onSession = () => { if (!began) { began = true; refresh(); } };
  hub.addEventListener("job", onJob);
  hub.addEventListener("session", onSession);
  hub.watch([id], 60000);
  if (hub.wearables.has(id)) onSession();
  return () => { hub.removeEventListener("job", onJob); hub.removeEventListener("session", onSession); };
}

/** What a job asks: something to type, or one of a few answers. */
function question(hub, path, ask, act) {
  const reply = (words) => act(() => hub.ask("POST", `${path}/job/answer`, { words }))();
  if (ask.choices.length) return el("div", { class: "note" }, el("p", {}, ask.words), el("div", { class: "row" }, ...ask.choices.map((words, at) => el("button", { type: "button", class: at ? "" : "main", onclick: () => reply(words) }, words))));
  const typed = el("input", { type: "text", inputmode: "decimal", id: "reading", maxlength: "20", autocomplete: "off" });
  return el("form", { class: "note", "data-words": ask.words, onsubmit: (event) => { event.preventDefault(); reply(typed.value); event.currentTarget.removeAttribute("data-words"); } },
    el("label", { for: "reading" }, ask.words), el("div", { class: "row" }, typed, el("button", { type: "submit", class: "main" }, "Enter")));
}

/** Asks how a wearable is to be calibrated, and begins. */
function calibration(hub, path, worn, act) {
  const able = (worn?.shown.sensors ?? []).filter((sensor) => sensor.can_calibrate);
  const warm = able.filter((sensor) => !sensor.laid), laid = able.filter((sensor) => sensor.laid);
  const what = el("select", { id: "what" }, warm.length || !laid.length ? el("option", { value: "" }, warm.length ? `Thermometers: ${warm.map((one) => one.name).join(", ")}` : "Thermometers") : null,
    ...laid.map((one) => el("option", { value: one.name }, `Accelerometer: ${one.name}`)));
  const points = el("input", { type: "text", id: "set-points", value: "30, 37" });
  const quick = el("input", { type: "checkbox", id: "quick" });
  const problem = el("p", { class: "note bad", hidden: true, role: "alert" });
  const how = el("p", {});
  const thermal = el("div", { class: "stack" }, el("label", { for: "set-points" }, "Set-points, °C, two or more"), points,
    el("label", { class: "check", for: "quick" }, quick, "Quick: under a minute, less careful"));
  const choose = () => {
    thermal.hidden = Boolean(what.value);
    problem.hidden = true;
    put(how, what.value
      ? "It is laid down at rest eight times: each axis up and down once, and twice leant on an edge, by which it is judged. You are asked for each; a simulated wearable does it by itself. Nothing is written before you agree."
      : "A camera or thermopile looks at a blackbody that fills its view, contact sensors lie in a bath. You are asked for each reading; a simulated wearable does it by itself. Nothing is written before you agree.");
  };
  what.addEventListener("change", choose);
  choose();
  const dialog = el("dialog", { "aria-label": "Calibrate" }, el("form", { method: "dialog", class: "stack" },
    laid.length ? [el("label", { for: "what" }, "What is calibrated"), what] : null, how, thermal, problem,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, "Calibrate"), el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const numbers = points.value.split(/[;,\s]+/).filter(Boolean).map(Number);
    if (!what.value && (numbers.length < 2 || numbers.some((one) => !Number.isFinite(one)))) {
      problem.hidden = false;
      put(problem, "Give two temperatures or more, such as 30, 37.");
      return;
    }
    dialog.close();
    act(() => hub.ask("POST", `${path}/calibrate`, what.value ? { sensor: what.value } : { set_points: numbers, quick: quick.checked }))();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** What a calibration found. */
function fitted(result) {
  const rows = (result.hold_outs ?? []).map((one) => el("tr", {}, el("td", {}, `${one.reference_c.toFixed(2)} °C`), el("td", {}, `${one.before.rmse_k.toFixed(3)} K`), el("td", {}, `${one.after.rmse_k.toFixed(3)} K`)));
  const axes = (result.sensors ?? []).flatMap((sensor) => sensor.numbers.filter((one) => one.unit === "g" && one.constants).map((one) => el("tr", {}, el("td", {}, `${sensor.name} ${one.name}`),
    ...[one.before, one.after, one.hold_out_before, one.hold_out_after].map((value) => el("td", {}, Number.isFinite(value) ? `${value.toFixed(4)} g` : "–")))));
  return [...result.objections.map((words) => el("p", { class: "note bad" }, words)),
    axes.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Axis", "Off before", "Off after", "Length off before, not fitted", "Length off after, not fitted"].map((words) => el("th", { scope: "col" }, words)))), el("tbody", {}, ...axes)) : null,
    rows.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Point that was not fitted", "RMSE before", "RMSE after"].map((words) => el("th", { scope: "col" }, words)))), el("tbody", {}, ...rows)) : null,
    el("p", {}, result.written ? "Written to the wearable and read back." : "Nothing was written to the wearable."),
    el("p", { class: "quiet" }, "Report, on the hub's computer: ", el("code", {}, result.report)), el("p", { class: "quiet" }, result.notice)];
}

function outcome(what, result) {
  if (what === "calibration") return result.written ? "Calibrated" : result.accepted ? "Measured, and not written" : "This calibration is not worth writing";
  if (what === "flash") return result.unchanged ? `${result.profile} ${result.version} runs already` : `${result.profile} ${result.version} runs${result.previous ? `, ${result.previous} ran before` : ""}`;
  if (what === "reset") return `It is back with ${result.bundle ? `bundle ${result.bundle}` : "no bundle"}`;
  return result.passed ? "The self-test passed" : "The self-test failed";
}

function log(worn) {
  const newest = new Map();
  for (const event of worn?.events ?? []) {
    newest.delete(event.code);
    newest.set(event.code, event);
  }
  if (!newest.size) return el("p", { class: "quiet" }, "Nothing since the hub began to listen.");
  return el("div", { class: "stack" }, ...[...newest.values()].reverse().map((event) => el("div", { class: "happened" }, el("span", { class: "quiet" }, clock(event.utc)),
    el("span", {}, chip(event.severity, severityKind(event.severity)), " ", event.text, event.count > 1 ? el("span", { class: "quiet" }, ` (${event.count} times)`) : null))));
}
