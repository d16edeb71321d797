"use strict";

// How a run stands, drawn again whenever it is told. Text is only ever put in as text.

const SVG = "http://www.w3.org/2000/svg";
const RESULTS = [["answered", "good"], ["throttled", "late"], ["failed", "bad"]];
const PARTS = [["imported", "good"], ["present", "good"], ["earlier", "past"], ["skipped", "skip"],
  ["rejected", "bad"], ["refused", "bad"], ["blocked", "bad"]];
const LOST = ["rejected", "refused", "blocked"];

const at = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en-US");
const counted = (number, one) => `${count(number)} ${one}${number === 1 ? "" : "s"}`;
const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);

function element(name, attributes = {}, ...children) {
  const is = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) is.setAttribute(key, value);
  is.append(...children);
  return is;
}

function duration(seconds) {
  const [d, h, m, s] = [seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(Math.floor);
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  if (m) return s ? `${m} min ${s} s` : `${m} min`;
  return `${s} s`;
}

const clock = (time) => new Date(time).toISOString().slice(11, 19) + " UTC";
const moment = (time) => new Date(time).toISOString().slice(0, 16).replace("T", " ") + " UTC";

// What each part was drawn from, so that a part that has not changed is left alone: a selection stays.
const drawn = new Map();

function part(id, from, draw) {
  const key = JSON.stringify(from) + at(id).clientWidth;
  if (drawn.get(id) === key) return;
  drawn.set(id, key);
  const section = at(id);
  const into = section.tagName === "SECTION" ? section.querySelector("div") : section;
  const children = draw(into);
  section.hidden = children.length === 0;
  into.replaceChildren(...children);
}

function tile(number, name, kind = "") {
  const words = /^[a-z]/.test(number) ? "words" : "";
  return element("div", { class: `tile ${kind}` }, element("b", { class: words }, number), element("span", {}, name));
}

function tiles(status) {
  const { progress, requests, flows } = status;
  const lost = sum(flows.flatMap((flow) => flow.outcomes).filter((it) => LOST.includes(it.outcome)).map((it) => it.rows));
  const tiles = [tile(count(sum(flows.map((flow) => flow.read))), "rows read")];
  tiles.push(tile(count(lost), "rejected, refused or blocked", lost ? "lost" : ""));
  const allowed = progress?.requestsAllowed;
  const ofAllowed = allowed ? `requests of ${count(Math.max(allowed, requests.sent))} allowed so far` : "requests";
  tiles.push(tile(count(requests.sent), ofAllowed));
  if (status.state === "ended") {
    tiles.push(tile(duration((Date.parse(status.ended.time) - Date.parse(status.started)) / 1000), "taken"));
    return tiles;
  }
  const steps = Math.max(1, Math.round(60 / status.steps.seconds));
  const records = status.steps.records.slice(-steps);
  const minutes = records.length * status.steps.seconds / 60;
  if (records.length) tiles.push(tile(count(Math.round(sum(records) / minutes)), "records a minute, of late"));
  if (progress?.secondsLeft) {
    const [least, most] = progress.secondsLeft.map(duration);
    tiles.push(tile(least === most ? least : `${least} to ${most}`, "left"));
  }
  if (progress) tiles.push(waiting(progress));
  return tiles;
}

function waiting(progress) {
  switch (progress.waitsFor) {
    case "hold": return tile(duration(progress.heldSeconds), "more of a pause that CometChat has asked for");
    case "pace": return tile("rate limit", "is waited for");
    case "source": return tile("source", "is waited for");
    default: return progress.inFlight
      ? tile(counted(progress.inFlight, "answer"), "waited for")
      : tile("a moment", "until the next step");
  }
}

function notices(status) {
  const notices = [];
  const notice = (text) => notices.push(element("p", { class: "warning" }, text));
  if (status.ended?.message) notice([status.ended.message, status.ended.help].filter(Boolean).join(": "));
  if (status.addsUp === false) notice("The sums do not agree: some rows that were read have no outcome. Please report this.");
  if (status.ended?.next) notices.push(element("p", {}, `The next run begins at ${clock(status.ended.next)}.`));
  if (status.problem && status.state !== "ended") {
    const { message, time, times } = status.problem;
    notice(`Problem at ${clock(time)}${times > 1 ? `, the latest of ${count(times)}` : ""}: ${message}`);
  }
  return notices;
}

function bar(parts, of) {
  const svg = element("svg:svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" });
  let x = 0;
  for (const [kind, rows] of parts) {
    const width = 100 * rows / Math.max(1, of);
    svg.append(element("svg:rect", { x, width, y: 0, height: 4, class: kind }));
    x += width;
  }
  return svg;
}

function entities({ progress, flows }) {
  if (!progress?.entities.length) return [];
  return progress.entities.map(({ entity, total, outcomes }) => {
    const settled = sum(Object.values(outcomes));
    // Where it is not known how many there are, a bar tells how many of those that were read.
    const read = sum(flows.filter((flow) => flow.entity === entity).map((flow) => flow.read));
    const numbers = total ? `${count(settled)} of ${count(total)}` : `${count(settled)} of ${count(read)} read`;
    const parts = PARTS.filter(([name]) => outcomes[name]).map(([name, kind]) => [kind, outcomes[name]]);
    const words = PARTS.filter(([name]) => outcomes[name]).map(([name]) => `${name} ${count(outcomes[name])}`);
    return element("div", { class: "entity" },
      element("span", {}, entity), element("span", { class: "number" }, numbers), bar(parts, total ?? read),
      element("span", { class: "outcomes" }, words.join(" \u00b7 ")));
  });
}

function legend(kinds) {
  return element("ul", { class: "legend" }, ...kinds.map(([name, kind]) => {
    const mark = element("svg:rect", { width: 10, height: 10, rx: 2, class: kind });
    return element("li", {}, element("svg:svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, mark), name);
  }));
}

// Columns of the steps of time, each with its parts from the bottom up.
function columns(into, label, seconds, series) {
  const [left, top, height] = [56, 10, 130];
  const width = Math.max(280, at("progress").parentElement.clientWidth);
  const steps = series[0].values.length;
  const all = Array.from({ length: steps }, (_, step) => sum(series.map(({ values }) => values[step])));
  const most = Math.max(1, ...all);
  const svg = element("svg:svg", { viewBox: `0 0 ${width} 170`, role: "img", "aria-label": label });
  for (const value of most > 1 ? [0, Math.floor(most / 2), most] : [0, 1]) {
    const y = top + height * (1 - value / most);
    svg.append(element("svg:line", { x1: left, x2: width, y1: y, y2: y }),
      element("svg:text", { x: left - 8, y: y + 4, "text-anchor": "end" }, count(value)));
  }
  // A run that has just begun does not fill the chart with its first second.
  const each = (width - left) / Math.max(30, steps);
  const every = Math.ceil(76 / each);
  for (let step = 0; step < Math.max(30, steps); step += 1) {
    const x = left + step * each;
    if (step % every === 0 && x + 30 < width) {
      svg.append(element("svg:text", { x, y: 162, "text-anchor": "start" }, duration(step * seconds)));
    }
    let y = top + height;
    for (const { kind, name, values } of series) {
      if (!values[step]) continue;
      const tall = Math.max(1, height * values[step] / most);
      y -= tall;
      const title = element("svg:title", {}, `after ${duration(step * seconds)}: ${count(values[step])} ${name}`);
      svg.append(element("svg:rect", { x: x + each * 0.1, width: Math.max(1, each * 0.8), y, height: tall, class: kind }, title));
    }
  }
  return element("div", { class: "chart" }, svg);
}

function records(into, { steps }) {
  if (!sum(steps.records)) return [];
  const series = [{ name: "records", kind: "good", values: steps.records }];
  return [columns(into, "Records delivered over time", steps.seconds, series),
    element("p", { class: "note" }, `Each column is ${duration(steps.seconds)}.`)];
}

function requests(into, { steps }) {
  const kinds = RESULTS.filter(([name]) => sum(steps[name]));
  if (!kinds.length) return [];
  const series = kinds.map(([name, kind]) => ({ name, kind, values: steps[name] }));
  return [columns(into, "Requests over time", steps.seconds, series), legend(kinds)];
}

// The latest requests from their sending to their answers; those under way together are above each other.
function timeline({ latest, now }) {
  if (!latest.length) return [];
  const width = Math.max(280, at("progress").parentElement.clientWidth);
  const end = Math.max(...latest.map((it) => it.sentMs + it.tookMs));
  const begin = Math.max(Math.min(...latest.map((it) => it.sentMs)), end - 60000);
  const shown = latest.filter((it) => it.sentMs + it.tookMs >= begin).sort((a, b) => a.sentMs - b.sentMs);
  const scale = width / Math.max(1000, end - begin);
  const lanes = [];
  const bars = shown.map((it) => {
    const x = Math.max(0, (it.sentMs - begin) * scale);
    const wide = Math.max(2, (it.sentMs + it.tookMs - begin) * scale - x - 1);
    let lane = lanes.findIndex((free) => free <= x);
    if (lane < 0) lane = lanes.push(0) - 1;
    lanes[lane] = x + wide;
    const kind = RESULTS.find(([name]) => name === it.result)[1];
    const words = [it.entity, counted(it.records, "record"), `${count(it.tookMs)} ms`];
    words.push(it.status ? `HTTP ${it.status}` : "no answer", `sent at ${clock(it.sentMs)}`);
    return element("svg:rect", { x, width: wide, y: lane * 11, height: 9, class: kind },
      element("svg:title", {}, words.join(", ")));
  });
  const height = lanes.length * 11;
  const ago = (Date.parse(now) - begin) / 1000;
  const label = `${counted(shown.length, "request")}, from sending to answer, since ${clock(begin)}`;
  const svg = element("svg:svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...bars);
  const slowest = Math.max(...shown.map((it) => it.tookMs));
  const note = `${label} (${duration(Math.max(0, ago))} ago). The slowest took ${count(slowest)} ms.`;
  return [element("div", { class: "chart" }, svg), element("p", { class: "note" }, note)];
}

function failures({ failures }) {
  return failures.map(({ flow, outcome, reason, rows, remedy, examples }) => {
    const tag = element("span", { class: `tag ${LOST.includes(outcome) ? "lost" : ""}` }, outcome);
    const title = element("h3", {}, `${counted(rows, "row")} of `, element("bdi", {}, flow), ": ", element("bdi", {}, reason), " ", tag);
    const parts = [title];
    if (remedy) parts.push(element("p", { class: "remedy" }, remedy));
    const lines = examples.map(({ id, place }) => {
      const line = element("li");
      if (id !== null) line.append(element("bdi", {}, id));
      if (place !== null) line.append(id === null ? place : `, ${place}`);
      return line;
    });
    if (lines.length) parts.push(element("ul", {}, ...lines));
    return element("div", {}, ...parts);
  });
}

function account({ flows }) {
  const of = (name) => (flow) => sum(flow.outcomes.filter((it) => it.outcome === name).map((it) => it.rows));
  const all = [["read", (flow) => flow.read], ["imported", of("imported")], ["present", of("present")],
    ["earlier", (flow) => flow.earlier], ["skipped", of("skipped")], ["rejected", of("rejected")],
    ["refused", of("refused")], ["blocked", of("blocked")], ["pending", (flow) => flow.pending]];
  if (!flows.length) return [];
  const shown = all.filter(([, rows], place) => place < 2 || sum(flows.map(rows)));
  const cell = (rows) => element("td", rows ? {} : { class: "zero" }, count(rows));
  const head = element("tr", {}, element("th", {}, "flow"), ...shown.map(([name]) => element("th", {}, name)));
  const body = flows.map((flow) => element("tr", {}, element("td", {}, element("bdi", {}, flow.flow)),
    ...shown.map(([, rows]) => cell(rows(flow)))));
  const foot = element("tr", {}, element("td", {}, "total"), ...shown.map(([, rows]) => cell(sum(flows.map(rows)))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body), element("tfoot", {}, foot));
  return [element("div", { class: "wide" }, table)];
}

function state(words, kind) {
  if (at("state").textContent !== words) at("state").textContent = words;
  at("state").className = `state ${kind}`;
}

let latest;

function draw() {
  const status = latest;
  if (!status) return;
  const { title, pipeline, ended } = status;
  document.title = `${ended ? ended.how : status.state}: ${pipeline}`;
  part("title", [title, pipeline], () => [title, " ", element("span", { class: "of" }, element("bdi", {}, pipeline))]);
  if (ended) state(`ended: ${ended.how}`, ended.exit ? "trouble" : "ended");
  else state(status.state, status.state);
  at("when").textContent = ended
    ? `at ${moment(ended.time)}, exit code ${ended.exit}`
    : `for ${duration((Date.parse(status.now) - Date.parse(status.started)) / 1000)}, since ${moment(status.started)}`;
  at("version").textContent = `chatferry ${status.version}`;
  part("notices", [ended, status.addsUp, status.problem], () => notices(status));
  part("tiles", [status.progress, status.requests, status.flows, status.steps, status.state], () => tiles(status));
  part("progress", [status.progress?.entities, status.flows], () => entities(status));
  part("records", status.steps, (into) => records(into, status));
  part("requests", status.steps, (into) => requests(into, status));
  part("timeline", status.latest, () => timeline(status));
  part("failures", status.failures, () => failures(status));
  part("account", status.flows, () => account(status));
  at("notices").hidden = false;
}

const events = new EventSource("api/events");

events.addEventListener("message", ({ data }) => {
  latest = JSON.parse(data);
  draw();
  // Nothing follows: asking again would only find nobody there.
  if (latest.last) events.close();
});

events.addEventListener("error", () => {
  if (latest?.last) return;
  state("no connection", "lost");
  at("when").textContent = latest
    ? `since ${clock(latest.now)}: the program has ended, or cannot be reached; what it said last is below`
    : "to the program";
});

addEventListener("resize", draw);
