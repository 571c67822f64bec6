// What somebody sees whom nobody has let in yet: a form for name and password, or for the password of an invitation.

import { el, put } from "./dom.js";
import { passkeysAllowed, signInByPasskey } from "./passkeys.js";

export function signIn(main) {
  const name = el("input", { type: "text", autocomplete: "username", required: true, maxlength: "64", id: "name" });
  const password = el("input", { type: "password", autocomplete: "current-password", required: true, maxlength: "256", id: "password" });
  form(main, "Nobody has let you in yet", [["Name", name], ["Password", password]], "Sign in", async () => {
    await post("/api/sign-in", { name: name.value, password: password.value });
    location.reload();
  }, el("div", { class: "stack" }, passkeysAllowed() ? byPasskey() : null, el("p", { class: "quiet" }, "Or open the link that the hub printed when it started; ", el("code", {}, "thermo-hub link"), " prints another.")));
}

function byPasskey() {
  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  return el("div", { class: "stack" }, el("button", { type: "button", onclick: async () => {
    try {
      await signInByPasskey(post);
      location.reload();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
  } }, "Sign in by a passkey"), problem);
}

export function invited(main, token) {
  const password = el("input", { type: "password", autocomplete: "new-password", required: true, minlength: "12", maxlength: "256", id: "password" });
  const again = el("input", { type: "password", autocomplete: "new-password", required: true, maxlength: "256", id: "again" });
  form(main, "Choose your password", [["Password, 12 characters at least", password], ["The same again", again]], "Take it", async () => {
    if (password.value !== again.value) throw new Error("The two are not the same; type them again.");
    const { name } = await post("/api/invitations/accept", { token, password: password.value });
    await post("/api/sign-in", { name, password: password.value });
    location.replace("/");
  });
}

function form(main, title, fields, action, send, more = null) {
  const problem = el("p", { class: "chip bad", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "main" }, action);
  main.classList.add("alone");
  put(main, el("h1", {}, title), el("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message);
    }
    button.disabled = false;
  } }, ...fields.map(([label, input]) => el("label", { class: "stack", for: input.id }, label, input)), button, problem), more);
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(typeof said.detail === "string" ? said.detail : said.detail?.[0]?.msg ?? "The hub refused this.");
  return said;
}
