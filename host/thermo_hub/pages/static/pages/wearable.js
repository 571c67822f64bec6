// One wearable: its picture or body, what its models say and how sure that is, its signals, and how well all of it is known.

import { Body } from "../modules/body.js";
import { Chart } from "../modules/chart.js";
import { chip, el, fact, put, renew } from "../modules/dom.js";
import { ThermalPicture } from "../modules/picture.js";
import { restsControl } from "../modules/rests.js";
import { alertChip, big, flags, isOpen, severityKind, spread } from "../modules/said.js";
import { clock, difference, duration, figure, moment, onUnit, quantity } from "../modules/units.js";
import { recorder } from "./recordings.js";
import { headline, ranked } from "./wall.js";

const WINDOWS = [[60, "1 min"], [300, "5 min"], [900, "15 min"]];
const WAVE_S = 10;
const OLD_CALIBRATION_S = 365 * 86400;
const FEW_CHARTS = 4; // that stand beneath the picture, where there is room
const RESTS_MS = 3000; // between two looks at what findings rest on

export function show(main, hub, [id]) {
  const page = new Page(main, hub, id);
  hub.watch([id]);
  return () => page.end();
}

class Page {
  constructor(main, hub, id) {
    this.main = main;
    this.hub = hub;
    this.id = id;
    this.built = null;
    this.window = 300;
    this.pictures = new Map();
    this.charts = [];
    this.listeners = [
      ["any", ({ detail }) => detail.id === id && this.refresh(detail.type)],
      ["wall", () => this.refresh("wall")],
      ["picture", ({ detail }) => detail.worn.id === id && this.pictures.get(detail.picture.signal)?.update(detail.picture)],
      ["recording", ({ detail }) => detail.id === id && this.askRecording(hub.wearables.get(id))],
      ["overlay", ({ detail }) => detail.id === id && this.pictures.get(detail.overlay.signal)?.overlay(detail.overlay)],
    ];
    for (const [name, listener] of this.listeners) hub.addEventListener(name, listener);
    this.stop = onUnit(() => this.refresh("unit"));
    put(main, el("p", { class: "quiet", role: "status" }, "Asking the hub…"));
    this.refresh("begin");
  }

  end() {
    for (const [name, listener] of this.listeners) this.hub.removeEventListener(name, listener);
    this.stop();
    this.clear();
  }

  clear() {
    for (const chart of this.charts) chart.end();
    for (const picture of this.pictures.values()) picture.stop();
    this.charts = [];
    this.pictures.clear();
  }

  refresh(why) {
    const worn = this.hub.wearables.get(this.id);
    if (!worn) {
      if (why === "wall") put(this.main, el("div", { class: "empty" }, el("h1", {}, "This wearable is not here"), el("a", { href: "/" }, "All wearables")));
      return;
    }
    const shape = JSON.stringify([worn.shown.profile, worn.shown.pictures, worn.shown.channels.length, worn.shown.models.length]);
    if (this.built !== shape) {
      this.built = shape;
      this.build(worn);
    }
    if (why === "overlay" && this.anomalies) this.tellAnomalies(worn);
    if (["pulse", "past", "session", "left", "returned", "unit", "begin", "device alert", "event"].includes(why)) this.update(worn);
  }

  build(worn) {
    this.clear();
    const { shown } = worn;
    document.title = `${worn.title} · thermo-hub`;
    this.title = el("h1");
    this.under = el("span", { class: "quiet" });
    this.state = el("span");
    this.open = el("div", { class: "stack" });
    const rename = el("button", { type: "button", class: "small", onclick: () => this.rename(worn) }, "Rename");
    const left = el("div", { class: "stack" });
    const right = el("div", { class: "stack" });
    for (const picture of shown.pictures) left.append(this.pictureCard(worn, picture));
    if (shown.bodies.length) {
      this.body = new Body(this.hub);
      left.append(el("section", { class: "card" }, el("h2", {}, "Body"), this.body.node));
    } else this.body = null;
    this.headline = el("div", { class: "row bigs" });
    right.append(el("section", { class: "card" }, el("h2", {}, "Now"), this.headline, this.openAlerts = el("div", { class: "row" })));
    this.findings = el("div");
    if (shown.models.length) right.append(el("section", { class: "card" }, el("h2", {}, "What its models say"), this.findings, el("p", { class: "quiet" }, shown.notice)));
    this.trust = el("dl", { class: "facts" });
    this.warnings = el("div", { class: "stack" });
    right.append(el("section", { class: "card" }, el("h2", {}, "How well this is known"), this.trust, this.warnings));
    this.recording = el("div");
    this.askRecording(worn);
    this.events = el("div", { class: "stack" });
    right.append(el("section", { class: "card" }, el("h2", {}, "What happened"), this.events), this.recording);
    const charts = el("div", { class: "charts" });
    for (const chart of this.makeCharts(worn)) {
      this.charts.push(chart);
      charts.append(chart.node);
    }
    const windows = el("div", { class: "segmented", role: "group", "aria-label": "How far back lines go" }, ...WINDOWS.map(([seconds, words]) =>
      el("button", { type: "button", class: "small", "aria-pressed": String(seconds === this.window), onclick: (event) => {
        this.window = seconds;
        for (const button of event.currentTarget.parentNode.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
        this.update(worn);
      } }, words)));
    if (!shown.pictures.length && !shown.bodies.length && this.charts.length) {
      left.append(charts);
      charts.style.marginTop = "0";
      charts.style.gridTemplateColumns = "1fr";
      left.prepend(el("div", { class: "row" }, el("span", { class: "grow" }), windows));
    }
    const few = this.charts.length && this.charts.length <= FEW_CHARTS && !charts.parentNode;
    const signals = el("div", { class: "head signals" }, el("h2", {}, "Signals"), el("span", { class: "grow" }), charts.parentNode ? null : windows);
    if (few) left.append(signals, charts);
    put(this.main,
      el("div", { class: "head" }, el("div", {}, this.title, this.under), this.state, el("span", { class: "grow" }), rename),
      this.open, el("div", { class: "worn" }, left, right),
      charts.parentNode ? null : signals, charts.parentNode ? null : charts);
  }

  async askRecording(worn) {
    if (!this.hub.may("wearer", "carer", "clinician")) return;
    const { running } = await this.hub.get("/api/recordings");
    put(this.recording, recorder(this.hub, worn, running[worn.id], () => this.askRecording(worn)));
  }

  pictureCard(worn, shown) {
    const picture = new ThermalPicture(this.hub, shown.place || shown.signal);
    this.pictures.set(shown.signal, picture);
    if (worn.overlay?.signal === shown.signal) picture.overlay(worn.overlay);
    const newest = worn.pictures.get(shown.signal);
    if (newest) picture.update(newest);
    const toggle = (name, words, key) => el("label", { class: "check" }, el("input", { type: "checkbox", checked: picture.show[name], onchange: (event) => {
      picture.show[name] = event.currentTarget.checked;
      picture.redraw();
    } }), key ? el("span", { class: `key ${key}`, "aria-hidden": "true" }) : null, words);
    const hold = el("button", { type: "button", class: "small", "aria-pressed": "false", onclick: (event) => {
      const fixed = picture.range.fixed ? null : picture.range.ends.map((end) => Math.round(end * 2) / 2);
      picture.range.fixed = fixed;
      event.currentTarget.setAttribute("aria-pressed", String(Boolean(fixed)));
      picture.redraw();
    } }, "Hold the scale");
    const where = `/api/wearables/${encodeURIComponent(worn.id)}/pictures/${encodeURIComponent(shown.signal)}`;
    this.anomalies = el("div", { class: "anomaly", role: "status" });
    const rests = worn.shown.models.length ? this.restsControl(worn, picture, shown.signal) : [];
    return el("section", { class: "card" }, el("h2", {}, shown.place || shown.signal, el("span", { class: "grow" }),
      el("a", { class: "button small", href: `${where}.png`, download: true }, "PNG"), el("a", { class: "button small", href: `${where}.svg`, download: true }, "SVG")),
    picture.node,
    el("div", { class: "controls" }, toggle("isotherms", "Isotherms"), toggle("own", "Warmer than usual for this person", "own"), toggle("mirror", "Warmer than the mirrored side", "dashed"), ...rests.slice(0, 1), toggle("steady", "Steady"), hold),
    this.anomalies, ...rests.slice(1));
  }

  /** Of what the findings of models rest on; asked for again and again while it is ticked. */
  restsControl(worn, picture, signal) {
    let timer = 0;
    const ask = () => Promise.all(worn.shown.models.map((model) =>
      this.hub.get(`/api/wearables/${encodeURIComponent(worn.id)}/rests/${encodeURIComponent(model.name)}`).catch((error) => ({ known: false, why: error.message }))));
    const control = restsControl(picture, signal, ask, (ticked) => {
      clearInterval(timer);
      if (ticked) timer = setInterval(() => (control.box.isConnected ? control.look() : clearInterval(timer)), RESTS_MS);
    });
    return [control.box, control.said];
  }

  makeCharts(worn) {
    const groups = new Map();
    const put = (title, channel) => {
      const key = `${title}\u0000${channel.unit}`;
      if (!groups.has(key)) groups.set(key, [title, channel.unit, []]);
      groups.get(key)[2].push(channel);
    };
    const air = new Set(worn.shown.channels.filter((channel) => channel.unit === "%").map((channel) => channel.signal.split(".")[0]));
    for (const heart of worn.shown.hearts) put("Heart rate", heart);
    for (const channel of [...ranked(worn), ...worn.shown.beside]) {
      const sensor = channel.signal.split(".")[0];
      if (channel.unit === "V") continue;
      if (channel.signal.endsWith(".ta")) put("Sensors themselves", channel);
      else if (channel.unit === "degC") put(air.has(sensor) ? "Air" : "Temperatures", channel);
      else if (channel.unit === "%") put("Humidity", channel);
      else put(`${channel.signal[0].toUpperCase()}${channel.signal.slice(1).replaceAll("-", " ")}`, channel);
    }
    return [...groups.values()].map(([title, unit, channels]) => new Chart(title, unit, channels, 6, channels.every((channel) => channel.fast)));
  }

  async rename(worn) {
    const input = el("input", { type: "text", maxlength: "80", value: worn.shown.label, id: "label" });
    const problem = el("p", { class: "note bad", hidden: true, role: "alert" });
    const dialog = el("dialog", { "aria-label": "Rename" }, el("form", { method: "dialog", class: "stack" },
      el("label", { for: "label" }, "What this wearable is called, such as who wears it and where"), input, problem,
      el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, "Keep"), el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await this.hub.ask("PUT", `/api/wearables/${encodeURIComponent(this.id)}/label`, { label: input.value });
        dialog.close();
      } catch (error) {
        problem.hidden = false;
        put(problem, error.message);
      }
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  update(worn) {
    const { shown, line } = worn;
    put(this.title, worn.title);
    put(this.under, [shown.label && shown.profile, shown.serial, shown.bundle && `bundle ${shown.bundle}`, shown.port].filter(Boolean).join(" · "));
    renew(this.state, worn.live ? chip("live", "good", true) : chip(shown.state === "live" ? "silent" : shown.state, "bad", true), shown.simulated ? [" ", chip("simulated")] : null);
    this.tellState(worn);
    const old = worn.live ? null : `not of now${line.age_s ? `, ${duration(line.age_s)} old` : ""}`;
    for (const [name, picture] of this.pictures) picture.stale(old ?? (line.stale?.[name] ? `${duration(line.stale[name])} old` : null));
    renew(this.headline, ...headline(worn).slice(0, 6));
    const alerts = Object.values(worn.alerts);
    renew(this.openAlerts, ...alerts.filter((alert) => alert.state !== "clear").map((alert) => el("span", { title: alert.text || "" }, alertChip(alert))));
    this.openAlerts.style.marginTop = this.openAlerts.children.length ? "12px" : "0";
    if (this.body) {
      const newest = worn.newest[shown.bodies[0].signal];
      if (newest) this.body.update(newest.values);
      this.body.node.classList.toggle("lost", !worn.live);
    }
    this.tellFindings(worn);
    this.tellTrust(worn);
    this.tellEvents(worn);
    if (this.anomalies) this.tellAnomalies(worn);
    for (const chart of this.charts) {
      chart.window = chart.wave ? WAVE_S : this.window;
      chart.update(chart.wave ? worn.waves : worn.signals, worn.gaps, this.hub.now() - (chart.wave ? 500 : 0));
    }
  }

  tellState(worn) {
    const { shown, line } = worn;
    const notes = [];
    if (shown.state !== "live") notes.push(el("div", { class: "note bad", role: "alert" }, el("b", {}, "No data. "), `${capital(shown.reason)}; waiting for it. What is shown is not of now.`));
    else if (line.silent) notes.push(el("div", { class: "note bad", role: "alert" }, el("b", {}, "No data "), `for ${duration(line.age_s)}: the wearable is silent.`));
    for (const alert of Object.values(worn.alerts).filter(isOpen)) {
      notes.push(el("div", { class: `note ${severityKind(alert.severity)}`, role: "alert" }, el("b", {}, `${alert.alert}: `),
        alert.text || `${worn.shown.alerts.find((one) => one.name === alert.alert)?.when ?? "its rule"} holds.`, ` Since ${clock(alert.utc)}.`));
    }
    for (const sentence of shown.waived) notes.push(el("div", { class: "note" }, `Its bundle was signed all the same: ${sentence}`));
    renew(this.open, ...notes);
    this.open.style.marginBottom = notes.length ? "16px" : "0";
  }

  tellFindings(worn) {
    const parts = worn.shown.models.map((model) => {
      const finding = worn.findings[model.name];
      if (!finding) return el("div", { class: "finding" }, el("b", {}, model.name), el("span", { class: "quiet" }, "has not said anything yet"));
      const marks = el("div", { class: "row" }, ...flags(finding.flags), finding.fetched ? chip("fetched later") : null,
        el("span", { class: "quiet" }, `of ${clock(finding.utc)}, ${Math.round(finding.latency_us / 1000)} ms after the capture`));
      if (finding.scores) {
        const sorted = Object.entries(finding.scores).sort((a, b) => b[1] - a[1]);
        return el("div", { class: "finding" }, el("div", { class: "row" }, el("b", {}, model.name), chip(sorted[0][0])),
          ...sorted.map(([name, share], at) => {
            const bar = el("i");
            bar.style.width = `${share * 100}%`;
            return el("div", { class: `bar ${at ? "" : "first"}` }, el("span", {}, name), el("span", { class: "track", "aria-hidden": "true" }, bar), el("span", { class: "share" }, `${Math.round(share * 100)} %`));
          }), marks);
      }
      const quantities = Object.entries(finding.quantities ?? {});
      if (!quantities.length) return el("div", { class: "finding" }, el("b", {}, model.name), el("span", {}, "no value"), marks);
      return el("div", { class: "finding" }, el("b", {}, model.name), el("dl", { class: "facts" }, ...quantities.map(([name, one]) =>
        fact(name.replaceAll("-", " "), el("b", {}, one.unit ? quantity(one.value, one.unit) : figure(one.value, "", 2)), " ", el("span", { class: "quiet" }, spread(one.spread, one.unit))))), marks);
    });
    renew(this.findings, ...parts);
  }

  tellTrust(worn) {
    const { shown, line } = worn;
    const painted = this.hub.latency();
    const rows = [];
    const ms = (seconds) => `${Math.round(seconds * 1000)} ms`;
    if (line.latency_s !== null && line.latency_s !== undefined) rows.push(fact("Capture to hub", `${ms(line.latency_s)}, 99 % within ${ms(line.latency_p99_s)}`));
    if (painted && this.pictures.size) rows.push(fact("Capture to screen", `${Math.round(painted.median)} ms, 99 % within ${Math.round(painted.p99)} ms`));
    const lost = line.missing ?? 0;
    rows.push(fact("Losses", lost ? el("b", {}, `${lost} blocks`) : "none", `, ${line.gaps ?? 0} gap${line.gaps === 1 ? "" : "s"}${line.gap_s ? ` (${duration(line.gap_s)})` : ""}, ${line.device_dropped ?? 0} dropped by the wearable`));
    for (const sensor of shown.sensors.filter((one) => one.can_calibrate).slice(0, 4)) rows.push(fact(`Calibration of ${sensor.name}`, calibrationWords(sensor, this.hub.now() / 1000)));
    const more = shown.sensors.filter((one) => one.can_calibrate).length - 4;
    if (more > 0) rows.push(fact("", `and ${more} sensors more on `, el("a", { href: `/devices/${encodeURIComponent(worn.id)}` }, "the devices page")));
    const ambient = ambientOf(worn);
    if (ambient.length) rows.push(fact("Ambient", ambient.join(", ")));
    const seen = [...new Set(Object.values(worn.newest).flatMap((one) => one.flags))];
    rows.push(fact("Quality", seen.length ? el("span", { class: "row" }, ...flags(seen)) : "nothing in doubt"));
    const rates = Object.entries(line.moments_per_second ?? {}).filter(([, rate]) => rate > 0).slice(0, 6).map(([name, rate]) => `${name} ${rate.toFixed(1)}/s`);
    if (rates.length) rows.push(fact("Rates", rates.join(", ")));
    renew(this.trust, ...rows);
    const warnings = shown.sensors.flatMap((sensor) => [sensor.fault, sensor.warning].filter(Boolean).map((words) => el("div", { class: "note" }, el("b", {}, `${sensor.name}: `), words)));
    renew(this.warnings, ...warnings);
  }

  tellEvents(worn) {
    const newest = new Map();
    for (const event of worn.events) {
      newest.delete(event.code);
      newest.set(event.code, event);
    }
    const rows = [...newest.values()].reverse().slice(0, 6).map((event) => el("div", { class: "happened" }, el("span", { class: "quiet" }, clock(event.utc)),
      el("span", {}, event.severity === "info" ? null : [chip(event.severity, severityKind(event.severity)), " "], event.text, event.count > 1 ? el("span", { class: "quiet" }, ` (${event.count} times)`) : null)));
    renew(this.events, ...(rows.length ? rows : [el("p", { class: "quiet" }, "Nothing since the hub began to listen.")]));
  }

  tellAnomalies(worn) {
    const found = worn.overlay;
    if (!found) {
      renew(this.anomalies, el("span", { class: "quiet" }, "Comparing the picture with what is usual begins with its first minute."));
      return;
    }
    const { own, mirror } = found;
    const sentence = (kind, regions, than) => regions.length
      ? el("span", {}, el("b", {}, difference(regions[0].kelvin)), ` ${than} at row ${Math.floor(regions[0].peak[1]) + 1}, column ${Math.floor(regions[0].peak[0]) + 1} (${regions[0].z.toFixed(1)} spreads, ${regions[0].pixels} pixels)${regions.length > 1 ? `, and ${regions.length - 1} more` : ""}.`)
      : el("span", {}, `Nowhere ${than}.`);
    renew(this.anomalies,
      own.ready ? sentence("own", own.regions, "warmer than is usual for this person") : el("span", { class: "quiet" }, `Learning what is usual for this person: ${duration(own.learned_s)} of ${duration(own.learn_s)}.`),
      sentence("mirror", mirror.regions, "warmer than the mirrored side"));
  }
}

/** What is known of a sensor's calibration, in words. */
export function calibrationWords(sensor, nowS) {
  if (!sensor.calibrated_unix_s) return chip("not calibrated", "warn");
  const age = nowS - sensor.calibrated_unix_s;
  const words = `${duration(Math.max(0, age))} old, ± ${quantity(2 * sensor.residual_rms, sensor.unit === "degC" ? "K" : sensor.unit, 2)} at points that were not fitted (k = 2)`;
  return el("span", { title: moment(sensor.calibrated_unix_s * 1000) }, age > OLD_CALIBRATION_S ? [chip("calibrate anew", "warn"), " "] : null, words);
}

function ambientOf(worn) {
  const humid = worn.shown.channels.filter((channel) => channel.unit === "%").map((channel) => channel.signal.split(".")[0]);
  const value = (name) => worn.newest[name]?.values?.[0];
  const air = humid.map((name) => `${name} ${quantity(value(name), "degC", 1)} at ${quantity(value(`${name}.rh`), "%")}`);
  const dies = worn.shown.beside.filter((one) => one.unit === "degC").map((one) => `camera itself ${quantity(value(one.signal), "degC", 1)}`);
  return [...air, ...dies];
}

function capital(words) {
  return words ? words[0].toUpperCase() + words.slice(1) : "It is not here";
}
