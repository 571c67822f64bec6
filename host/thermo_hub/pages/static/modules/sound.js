// The sound of alerts: as long as one calls, two notes every few seconds, on every page; browsers allow it after a click alone.

const KEY = "thermo-hub.sound";
const EVERY_MS = 4000;
let context = null;
let timer = null;
let calling = new Set();

/** Whether alerts sound here. */
export function sounds() {
  return localStorage.getItem(KEY) !== "off" && context?.state === "running";
}

export async function unmute() {
  localStorage.setItem(KEY, "on");
  context ??= new AudioContext();
  await context.resume();
  play();
}

export async function silence() {
  localStorage.setItem(KEY, "off");
  await context?.suspend();
}

/** Follow the alerts of a hub, whichever page is open. */
export function follow(hub) {
  const look = async () => {
    try {
      const { alerts } = await hub.get("/api/alerts?state=open&most=500");
      calling = new Set(alerts.filter((alert) => alert.calling).map((alert) => alert.id));
    } catch {
      return; // the line says so itself
    }
    play();
  };
  const step = (event) => {
    const alert = event.detail.alert;
    if (alert.calling) calling.add(alert.id);
    else calling.delete(alert.id);
    play();
  };
  hub.addEventListener("alert", step);
  hub.addEventListener("alert-step", step);
  hub.addEventListener("connection", () => hub.connected && look());
  addEventListener("pointerdown", () => localStorage.getItem(KEY) !== "off" && unmute(), { once: true });
  look();
}

function play() {
  document.documentElement.dataset.calling = String(calling.size);
  if (!calling.size) {
    clearInterval(timer);
    timer = null;
    return;
  }
  if (timer === null) {
    timer = setInterval(beep, EVERY_MS);
    beep();
  }
}

function beep() {
  if (!calling.size || !sounds()) return;
  for (const [at, hertz] of [[0, 880], [0.22, 660]]) {
    const tone = context.createOscillator(), loud = context.createGain();
    tone.frequency.value = hertz;
    loud.gain.setValueAtTime(0.0001, context.currentTime + at);
    loud.gain.exponentialRampToValueAtTime(0.2, context.currentTime + at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + at + 0.2);
    tone.connect(loud).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.21);
  }
}
