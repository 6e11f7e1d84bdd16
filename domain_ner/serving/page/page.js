"use strict";

// Offsets of the answers are UTF-16 units, as those of strings here. Texts are only ever set as text, never as HTML.
const PALETTE = ["#a6cee3", "#b2df8a", "#fdbf6f", "#cab2d6", "#fb9a99", "#ffff99", "#8dd3c7", "#fccde5", "#d9d9d9", "#e5c494"];
// Longer texts scroll in a box; of so many entities, the table lists the first.
const LONG_FROM = 6000;
const MAX_ROWS = 500;
const $ = (id) => document.getElementById(id);
const state = { key: "", model: null, colours: new Map(), hidden: new Set(), text: "", answer: null };

function element(name, { className = "", text = "", ...rest } = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return Object.assign(made, rest);
}

function percent(confidence) {
  if (confidence === null) return "–";
  return `${confidence >= 1 ? 100 : Math.min(99, Math.round(100 * confidence))} %`;
}

function colour(label) {
  if (!state.colours.has(label)) state.colours.set(label, PALETTE[state.colours.size % PALETTE.length]);
  return state.colours.get(label);
}

function paint(made, label) {
  made.style.setProperty("--c", colour(label));
  made.style.setProperty("--t", "#14181d");
  return made;
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

async function call(path, content) {
  const headers = { "Content-Type": "application/json" };
  if (state.key) headers.Authorization = `Bearer ${state.key}`;
  const options = content ? { method: "POST", headers, body: JSON.stringify(content) } : { headers };
  const response = await fetch(path, options);
  if (response.status === 401) {
    $("key-form").hidden = false;
    $("key").focus();
    throw new Error(state.key ? "This API key is not right." : "This service needs an API key.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || `The service answered ${response.status}.`);
  return answer;
}

async function describe() {
  try {
    state.model = await call("/v1/model");
  } catch (error) {
    say(error.message, true);
    return;
  }
  const model = state.model;
  $("name").textContent = document.title = `${model.name} ${model.version}`;
  const f1 = typeof model.f1 === "number" ? `, F1 ${(100 * model.f1).toFixed(1)} %` : "";
  const labels = model.labels.length === 1 ? "1 label" : `${model.labels.length} labels`;
  $("about").textContent = `${labels}${f1}. Each entity has a calibrated confidence. No text is kept.`;
  model.labels.forEach(({ label }) => colour(label));
  showCount();
}

function showCount() {
  const length = $("text").value.length;
  const most = state.model ? state.model.limits.max_characters : 0;
  $("count").textContent = length ? `${length.toLocaleString()} characters${most && length > most ? `; at most ${most.toLocaleString()}` : ""}` : "";
}

async function extract() {
  const text = $("text").value;
  if (!text.trim()) {
    say("Paste a text first.", true);
    $("text").focus();
    return;
  }
  $("submit").disabled = true;
  say("Reading …");
  const begun = performance.now();
  try {
    const answer = await call("/v1/extract", { text, offsets: "utf16", below_threshold: true });
    state.text = text;
    state.answer = answer.documents[0];
    if (state.answer.error) throw new Error(state.answer.error);
    say(`${(performance.now() - begun).toFixed(0)} ms`);
    $("result").hidden = false;
    show();
  } catch (error) {
    say(error.message, true);
  } finally {
    $("submit").disabled = false;
  }
}

// Every span with whether it is above the threshold: that of calibration, or the slider's.
function spans() {
  const { entities, below_threshold: below = [] } = state.answer;
  const all = [...entities.map((span) => ({ ...span, isAbove: true })), ...below.map((span) => ({ ...span, isAbove: false }))];
  if ($("calibrated").checked) return all;
  const least = Number($("threshold").value) / 100;
  return all.map((span) => ({ ...span, isAbove: span.confidence === null || span.confidence >= least }));
}

function visible() {
  const wanted = spans().filter(({ label, isAbove }) => !state.hidden.has(label) && (isAbove || $("show-below").checked));
  // Where two cross, the one above the threshold is shown, then the more confident one.
  wanted.sort((a, b) => b.isAbove - a.isAbove || (b.confidence ?? 1) - (a.confidence ?? 1));
  const kept = [];
  const crosses = (a, b) => a.start < b.end && b.start < a.end && !(a.start <= b.start && a.end >= b.end) && !(b.start <= a.start && b.end >= a.end);
  for (const span of wanted) {
    const isSame = (other) => other.start === span.start && other.end === span.end && !span.isAbove;
    if (!kept.some((other) => crosses(other, span) || isSame(other))) kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start || b.end - a.end);
}

function mark(span) {
  const made = paint(element("mark", { className: span.isAbove ? "" : "below" }), span.label);
  made.title = `${span.label}, ${percent(span.confidence)}${span.isAbove ? "" : ", below the threshold"}`;
  return made;
}

// Nested spans become nested marks.
function markedText(kept) {
  const root = document.createDocumentFragment();
  const open = [{ node: root, end: Infinity, span: null }];
  let at = 0;
  const write = (end) => {
    if (end > at) open[open.length - 1].node.append(state.text.slice(at, end));
    at = Math.max(at, end);
  };
  const close = () => {
    const { node, end, span } = open.pop();
    if (end > at) node.append(state.text.slice(at, end));
    at = Math.max(at, end);
    node.append(element("small", { text: `${span.label} ${percent(span.confidence)}` }));
  };
  for (const span of kept) {
    while (open[open.length - 1].end <= span.start) close();
    write(span.start);
    const node = mark(span);
    open[open.length - 1].node.append(node);
    open.push({ node, end: span.end, span });
  }
  while (open.length > 1) close();
  write(state.text.length);
  return root;
}

function row(span) {
  const made = element("tr", { className: span.isAbove ? "" : "below" });
  const label = element("td");
  label.append(paint(element("span", { className: "chip", text: span.label }), span.label));
  made.append(
    element("td", { text: span.text }),
    label,
    element("td", { className: "number", text: percent(span.confidence) + (span.isAbove ? "" : " (below)") }),
    element("td", { className: "number place", text: `${span.start}–${span.end}` }),
  );
  return made;
}

function legend() {
  const counts = new Map();
  for (const { label, isAbove } of spans()) counts.set(label, (counts.get(label) || 0) + isAbove);
  const labels = [...new Set([...(state.model ? state.model.labels.map(({ label }) => label) : []), ...counts.keys()])];
  $("legend").replaceChildren(...labels.map((label) => {
    const item = element("li");
    const box = element("input", { type: "checkbox", checked: !state.hidden.has(label) });
    box.addEventListener("change", () => {
      if (box.checked) state.hidden.delete(label);
      else state.hidden.add(label);
      draw();
    });
    const holder = element("label");
    holder.append(box, paint(element("span", { className: "chip", text: label }), label), `${counts.get(label) || 0}`);
    item.append(holder);
    return item;
  }));
}

function draw() {
  const kept = visible();
  const above = kept.filter(({ isAbove }) => isAbove);
  $("threshold-value").textContent = $("calibrated").checked ? "" : `${$("threshold").value} %`;
  $("marked").classList.toggle("long", state.text.length > LONG_FROM);
  $("marked").replaceChildren(markedText(kept));
  $("rows").replaceChildren(...kept.slice(0, MAX_ROWS).map(row));
  const below = kept.length - above.length;
  const more = kept.length > MAX_ROWS ? `; the first ${MAX_ROWS} are listed` : "";
  $("caption").textContent = `${above.length} ${above.length === 1 ? "entity" : "entities"}${below ? `, ${below} below the threshold` : ""}${more}`;
}

function show() {
  legend();
  draw();
}

function chosen() {
  return visible().filter(({ isAbove }) => isAbove).map(({ isAbove, ...span }) => span);
}

function asJson() {
  return `${JSON.stringify({ text: state.text, offsets: "utf16", entities: chosen() }, null, 1)}\n`;
}

function asCsv() {
  // A field that a spreadsheet would take for a formula gets a leading apostrophe.
  const field = (value) => `"${String(value ?? "").replace(/^([=+\-@\t\r])/, "'$1").replaceAll('"', '""')}"`;
  const rows = chosen().map(({ text, label, confidence, start, end }) => [text, label, confidence, start, end]);
  return [["text", "label", "confidence", "start", "end"], ...rows].map((one) => one.map(field).join(",")).join("\r\n") + "\r\n";
}

function save(content, type, name) {
  const link = element("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(asJson());
    say("Copied.");
  } catch {
    say("The browser does not let this page copy; use Save JSON.", true);
  }
}

async function read(file) {
  if (!file) return;
  const text = await file.text();
  if (text.includes("\u0000") || text.includes("\ufffd")) {
    say(`${file.name} is no text file in UTF-8.`, true);
    return;
  }
  $("text").value = text;
  showCount();
  await extract();
}

$("form").addEventListener("submit", (event) => { event.preventDefault(); extract(); });
$("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  state.key = $("key").value;
  say("");
  await describe();
  if (state.model) $("key-form").hidden = true;
});
$("text").addEventListener("input", showCount);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); extract(); }
});
for (const kind of ["dragenter", "dragover"]) {
  $("text").addEventListener(kind, (event) => { event.preventDefault(); $("text").classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) $("text").addEventListener(kind, () => $("text").classList.remove("over"));
$("text").addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  read(event.dataTransfer.files[0]);
});
$("file").addEventListener("change", () => read($("file").files[0]));
$("threshold").addEventListener("input", () => { $("calibrated").checked = false; show(); });
for (const id of ["calibrated", "show-below"]) $(id).addEventListener("change", show);
$("copy").addEventListener("click", copy);
$("save-json").addEventListener("click", () => save(asJson(), "application/json", "entities.json"));
$("save-csv").addEventListener("click", () => save(asCsv(), "text/csv", "entities.csv"));
describe();
