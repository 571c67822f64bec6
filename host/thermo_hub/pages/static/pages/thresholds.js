// Thresholds of one wearer beside the defaults, with who set them and when, and what they were before.

import { chip, el, put } from "../modules/dom.js";
import { moment } from "../modules/units.js";

/** A card with the thresholds of a wearable; whoever may change rules changes them here. */
export async function thresholds(hub, wearable) {
  const card = el("section", { class: "card scroll" });
  const problem = el("p", { class: "note bad", role: "alert", hidden: true });
  const path = `/api/alerts/thresholds/${encodeURIComponent(wearable)}`;
  const may = hub.may("clinician", "administrator");

  async function change(method, rule, body) {
    try {
      await hub.ask(method, `${path}/${encodeURIComponent(rule)}`, body);
      problem.hidden = true;
      await draw();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  }

  function row(one, version) {
    const own = one.personal;
    const when = el("input", { type: "text", maxlength: "60", value: own?.when ?? one.when, "aria-label": `Threshold of ${one.rule} for this wearer` });
    const why = el("input", { type: "text", maxlength: "200", value: own?.why ?? "", placeholder: "why", "aria-label": `Why ${one.rule} is another one` });
    return el("tr", {}, el("td", {}, one.rule, el("div", { class: "quiet" }, one.what.replaceAll("_", " "))), el("td", {}, one.when, one.clear ? el("div", { class: "quiet" }, `over: ${one.clear}`) : null),
      el("td", {}, own ? [chip(`of this wearer: ${own.when}`, "warn"), el("div", { class: "quiet" }, [own.by, own.at ? moment(Date.parse(own.at)) : "", own.why].filter(Boolean).join(", "))] : el("span", { class: "quiet" }, "as for everybody"),
        one.history.length > 1 ? el("details", {}, el("summary", {}, `${one.history.length} changes`), el("ul", { class: "marked" }, ...one.history.map((past) => el("li", {}, `${past.when ?? "as for everybody"}, version ${past.version}`, el("div", { class: "quiet" }, [past.by, past.at ? moment(Date.parse(past.at)) : "", past.why].filter(Boolean).join(", ")))))) : null,
        may ? el("details", {}, el("summary", {}, "Change"), el("div", { class: "row" }, when, why, el("button", { type: "button", class: "small", onclick: () => change("PUT", one.rule, { when: when.value, why: why.value, expected: version }) }, "Set"),
          own ? el("button", { type: "button", class: "small", onclick: () => change("DELETE", one.rule) }, "As for everybody") : null)) : null));
  }

  async function draw() {
    const { rules, version } = await hub.get(path);
    put(card, el("h2", {}, "Thresholds of this wearer"), problem, rules.length ? el("table", {}, el("thead", {}, el("tr", {}, ...["Rule", "For everybody", "For this wearer"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rules.map((one) => row(one, version)))) : el("p", { class: "quiet" }, "No rule with a threshold holds for this wearable."));
  }
  try { await draw(); } catch (error) { put(card, el("h2", {}, "Thresholds of this wearer"), el("p", { class: "note bad" }, error.message)); }
  return card;
}
