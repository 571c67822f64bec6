// The line to the hub: one WebSocket a page, requests with the visit's token, and the newest of every wearable.

const KEPT = 900;
const NO_VALUE = -32768;

/** What is known of one wearable. `shown` is its session message. */
class Wearable {
  constructor(shown) {
    this.shown = shown;
    this.signals = new Map();
    this.waves = new Map();
    this.newest = {};
    this.findings = {};
    this.alerts = {};
    this.events = [];
    this.gaps = [];
    this.line = {};
    this.pictures = new Map();
    this.overlay = null;
  }

  get id() {
    return this.shown.id;
  }

  get title() {
    return this.shown.label || this.shown.profile;
  }

  get live() {
    return this.shown.state === "live" && !this.line.silent;
  }

  add(signals, into = this.signals) {
    for (const [name, rows] of Object.entries(signals)) {
      const past = into.get(name) ?? [];
      const last = past.length ? past[past.length - 1][0] : -Infinity;
      for (const row of rows) if (row[0] > last) past.push(row);
      if (past.length > KEPT) past.splice(0, past.length - KEPT);
      into.set(name, past);
    }
  }
}

export class Hub extends EventTarget {
  constructor() {
    super();
    this.me = null;
    this.wearables = new Map();
    this.shut = [];
    this.connected = false;
    this.offset = 0; // hub's clock less ours, ms
    this.latencies = [];
    this.streams = new Map();
    this.watching = null;
    this.socket = null;
    this.pause = 250;
    this.best = Infinity;
  }

  /** Who the visitor is. */
  async begin() {
    this.me = await this.get("/api/me");
    this.drawing = await this.get("/api/drawing");
  }

  may(...roles) {
    return roles.some((role) => this.me.roles.includes(role));
  }

  /** Whether recordings and trends are seen for research alone, under pseudonyms. */
  get researches() {
    return !this.may("wearer", "carer", "clinician");
  }

  async get(path) {
    return this.ask("GET", path);
  }

  /** A request; an answer that is none raises an Error with the hub's sentence. */
  async ask(method, path, body = undefined) {
    const headers = { accept: "application/json" };
    if (method !== "GET") headers["x-thermo-csrf"] = this.me.csrf;
    if (body !== undefined && !(body instanceof Blob)) {
      headers["content-type"] = "application/json";
      body = JSON.stringify(body);
    }
    let answer;
    try {
      answer = await fetch(path, { method, headers, body });
    } catch {
      throw new Error("The hub does not answer; see that it runs.");
    }
    if (answer.status === 401) {
      this.dispatchEvent(new Event("stranger"));
    }
    const text = await answer.text();
    const said = answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
    if (!answer.ok) {
      const detail = said?.detail;
      throw new Error(typeof detail === "string" ? detail : detail?.[0]?.msg ?? `The hub refused this (${answer.status}).`);
    }
    return said;
  }

  /** Look at some wearables (all where none are named), with so much time between two pictures at least. */
  watch(wearables = [], everyMs = 0) {
    // A researcher has recordings and no live pages.
    if (!this.may("wearer", "carer", "clinician", "engineer", "administrator")) return;
    this.watching = { type: "watch", wearables, every_ms: everyMs };
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.watching));
    else if (!this.socket) this.connect();
  }

  connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.pause = 250;
      socket.send(JSON.stringify(this.watching));
      this.askTime();
      this.stand(true);
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.hear(JSON.parse(data)) : this.see(data));
    socket.onclose = () => {
      this.socket = null;
      this.stand(false);
      setTimeout(() => this.socket || this.connect(), this.pause);
      this.pause = Math.min(5000, this.pause * 2);
    };
  }

  askTime() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ type: "time", sent: performance.now() }));
    setTimeout(() => this.askTime(), this.best === Infinity ? 200 : 30000);
  }

  stand(connected) {
    if (this.connected !== connected) {
      this.connected = connected;
      this.dispatchEvent(new Event("connection"));
    }
  }

  now() {
    return Date.now() + this.offset;
  }

  hear(said) {
    const worn = said.id === undefined ? null : this.wearables.get(said.id);
    switch (said.type) {
      case "time": {
        const trip = performance.now() - said.sent;
        if (trip < this.best) {
          this.best = trip;
          this.offset = said.utc + trip / 2 - Date.now();
        }
        return;
      }
      case "beat":
        return;
      case "wall":
        this.shut = said.shut;
        for (const id of [...this.wearables.keys()]) if (!said.wearables.includes(id)) this.wearables.delete(id);
        break;
      case "session": {
        const known = worn ?? new Wearable(said);
        known.shown = said;
        this.wearables.set(said.id, known);
        for (const picture of said.pictures) this.streams.set(picture.stream, [known, picture]);
        break;
      }
      case "past":
        worn.signals.clear();
        worn.waves.clear();
        worn.add(said.signals);
        worn.add(said.waves, worn.waves);
        for (const name of ["newest", "findings", "alerts", "events", "gaps", "line"]) worn[name] = said[name];
        break;
      case "pulse":
        if (!worn) return;
        worn.add(said.signals);
        worn.add(said.waves, worn.waves);
        Object.assign(worn.newest, said.newest);
        Object.assign(worn.findings, said.findings);
        worn.line = said.line;
        break;
      case "left":
        if (worn) Object.assign(worn.shown, { state: "lost", reason: said.reason, since: said.since });
        break;
      case "returned":
        if (worn) {
          Object.assign(worn.shown, { state: "live", reason: "" });
          worn.gaps.push(said.gap);
        }
        break;
      case "device alert":
        if (worn) worn.alerts[said.alert.alert] = said.alert;
        break;
      case "event":
        if (worn) worn.events.push(said.event);
        break;
      case "overlay":
        if (worn) worn.overlay = said.overlay;
        break;
    }
    this.dispatchEvent(new CustomEvent(said.type, { detail: said }));
    this.dispatchEvent(new CustomEvent("any", { detail: said }));
  }

  see(buffer) {
    const view = new DataView(buffer);
    const known = this.streams.get(view.getUint16(9, true));
    if (view.getUint8(0) !== 1 || !known) return;
    const [worn, shown] = known;
    const steps = new Int16Array(buffer.slice(11));
    const values = new Float32Array(steps.length);
    for (let at = 0; at < steps.length; at++) values[at] = steps[at] === NO_VALUE ? NaN : steps[at] / 100;
    const picture = { ...shown, values, utc: Number(view.getBigUint64(1, true) / 1000n) / 1000 };
    worn.pictures.set(shown.signal, picture);
    this.dispatchEvent(new CustomEvent("picture", { detail: { worn, picture } }));
  }

  /** Tell that a picture was painted: how long after its capture. */
  painted(utc) {
    this.latencies.push(this.now() - utc);
    if (this.latencies.length > 512) this.latencies.shift();
  }

  /** Median and 99th percentile from capture to paint, ms; null before the first. */
  latency() {
    if (!this.latencies.length) return null;
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return { median: sorted[sorted.length >> 1], p99: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] };
  }
}
