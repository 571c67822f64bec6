// What the findings of models rest on: a box to tick beneath a picture, outlines upon it, and a sentence.

import { el, put } from "./dom.js";

/** `ask` gives an answer of the hub for each model. `box` is to be ticked, `said` is the sentence, `look` asks while it is ticked, `clear` takes outlines away that are of another moment. */
export function restsControl(picture, signal, ask, ticked = () => {}) {
  const said = el("p", { class: "quiet", role: "status", hidden: true });
  let running = false, again = false;
  const look = async () => {
    if (!picture.show.rests) return;
    again = running;
    if (running) return;
    running = true;
    const found = await ask();
    running = false;
    if (again) return void look();
    if (picture.show.rests) tell(found);
  };
  const tell = (found) => {
    const here = found.filter((one) => one.known && one.signal === signal);
    picture.rests(here);
    const words = here.map((one) => one.outline.length
      ? `${one.label} (${Math.round(one.score * 100)} %) rests on what is outlined: without it, its odds fall by a factor of ${Math.exp(one.loss).toPrecision(2)}.`
      : `${one.label} (${Math.round(one.score * 100)} %) rests on no single place.`);
    put(said, words.join(" ") || found.find((one) => !one.known)?.why || "No model looks at this picture.");
  };
  const clear = () => {
    if (!picture.show.rests) return;
    picture.rests([]);
    put(said, "Covering the picture part by part…");
  };
  const input = el("input", { type: "checkbox", onchange: () => {
    picture.show.rests = input.checked;
    said.hidden = !input.checked;
    if (input.checked) {
      clear();
      look();
    } else {
      put(said, "");
      picture.redraw();
    }
    ticked(input.checked);
  } });
  const box = el("label", { class: "check" }, input, el("span", { class: "key rests", "aria-hidden": "true" }), "What the finding rests on");
  return { box, said, look, clear };
}
