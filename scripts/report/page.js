// The report page, part 1: what the other parts share, and the start. The parts (page*.js) are put
// one after the other into one module; each section is drawn by one function of `SECTIONS`.
// Texts of the data may hold anything: they reach the page by text nodes and attributes alone.

const DATA = JSON.parse(document.getElementById("data").textContent);
const DOMAINS = ["lake", "ticks", "weekly", "nfl", "warehouse", "book", "other"];
const NONE = "–";

/** An element: attributes (`on*`: listeners; null and false: left out), then children or texts. */
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const body = (section) => document.querySelector(`#${section} .body`);

/** What a section says where it has nothing to show, and the command that would change it. */
function empty(text, command = null) {
  return h("p", { class: "empty" }, text, command ? [" ", h("code", {}, command)] : []);
}

// ---- numbers, times and links as text

const formats = new Map();

/** A number with this many decimals; null, and what is no number: a dash. */
function number(value, decimals = 0) {
  if (typeof value !== "number" || !Number.isFinite(value)) return NONE;
  if (!formats.has(decimals)) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    formats.set(decimals, new Intl.NumberFormat("en-GB", digits));
  }
  return formats.get(decimals).format(value);
}

const percent = (value, decimals = 0) =>
  typeof value === "number" ? `${number(100 * value, decimals)} %` : NONE;

/** A length of time for people: `0.42 s`, `12.3 s`, `5 min 4 s`, `2 h 10 min`. */
function duration(seconds) {
  if (typeof seconds !== "number") return NONE;
  if (seconds < 60) return `${number(seconds, seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${number(Math.floor(whole / 3600))} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A moment, given as ISO text or as seconds since 1970, in UTC to the minute (or second). */
function moment(value, unit = "minute") {
  const time = new Date(typeof value === "number" ? 1000 * value : (value ?? NaN));
  if (Number.isNaN(time.getTime())) return NONE;
  return time
    .toISOString()
    .slice(0, unit === "second" ? 19 : 16)
    .replace("T", " ");
}

const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A link to a file, by its quoted path from this page; all else is no file of ours: its text. */
const link = (path, text) =>
  /^\.\.?\//.test(path ?? "") ? h("a", { href: path }, text) : document.createTextNode(text);

/** A link to a log, named without the way to it. */
function logLink(log) {
  try {
    return link(log, decodeURIComponent(log.replace(/^(\.\.\/)+/, "")));
  } catch {
    return link(log, log); // a percent sign that quotes nothing
  }
}

const domainOf = (item) => (DOMAINS.includes(item.domain) ? item.domain : "other");

/** The colour of a domain, as a small square. */
const mark = (domain) => h("span", { class: `mark ${domain}`, "aria-hidden": "true" });

/** Rule and wildcards of a job or a failure. */
const titleOf = (job) => (job.label ? `${job.rule} ${job.label}` : job.rule);

// ---- what is chosen, and who wants to know

const chosen = { run: null, rule: null, job: null };
const listeners = { run: [], rule: [], job: [] };

/** Choose a run, a rule or a job; null: none. A job belongs to the chosen run. */
function choose(what, value) {
  chosen[what] = value;
  if (what === "run") choose("job", null);
  for (const listener of listeners[what]) listener(value);
}

const onChoice = (what, listener) => listeners[what].push(listener);

/** What is kept of the chosen run's jobs, or null. */
const details = () => (Object.hasOwn(DATA.details, chosen.run ?? "") ? DATA.details[chosen.run] : null);

/** In the navigation: the chosen rule, and a way back. */
function drawChosen(rule) {
  const clear = { type: "button", "aria-label": "Choose no rule", onclick: () => choose("rule", null) };
  document
    .getElementById("chosen")
    .replaceChildren(...(rule ? [h("span", {}, rule), h("button", clear, "×")] : []));
}

// ---- the tooltip

/** Show lines of text near a place of the window; the first is the title. */
function showTip(lines, x, y) {
  const tip = document.getElementById("tip");
  tip.replaceChildren(...lines.map((line, index) => h(index ? "div" : "strong", {}, line)));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 16 + height > innerHeight ? Math.max(4, y - height - 12) : y + 16}px`;
}

const hideTip = () => (document.getElementById("tip").hidden = true);

/** Tooltips of the elements in `box` that `linesOf` has lines for: under the mouse, and in focus. */
function tips(box, linesOf) {
  box.addEventListener("pointermove", (event) => {
    const lines = event.buttons ? null : linesOf(event.target);
    if (lines) showTip(lines, event.clientX, event.clientY);
    else hideTip();
  });
  box.addEventListener("pointerleave", hideTip);
  box.addEventListener("focusin", (event) => {
    const lines = event.target.matches(":focus-visible") && linesOf(event.target);
    const place = event.target.getBoundingClientRect();
    if (lines) showTip(lines, place.left, place.bottom - 8);
  });
  box.addEventListener("focusout", hideTip);
}

/**
 * One stop of the Tab key for all drawn elements of `box` that match `selector`: arrow keys go to
 * the nearest in that direction, Enter and Space press. `aside`: see `nearest`.
 */
function roving(box, selector, aside) {
  box.addEventListener("focusin", (event) => {
    if (!event.target.matches(selector)) return;
    for (const other of box.querySelectorAll(`${selector}[tabindex="0"]`)) other.setAttribute("tabindex", -1);
    event.target.setAttribute("tabindex", 0);
  });
  box.addEventListener("keydown", (event) => {
    if (!event.target.matches(selector)) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      return;
    }
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    nearest(event.target, box.querySelectorAll(selector), way, aside)?.focus();
  });
}

/** The nearest of `others` on the side of `from` that `way` points to; a step off it counts `aside` times. */
function nearest(from, others, [dx, dy], aside) {
  const middle = (place) => [place.left + place.width / 2, place.top + place.height / 2];
  const [x, y] = middle(from.getBoundingClientRect());
  let best = null;
  let least = Infinity;
  for (const other of others) {
    if (other === from) continue;
    const [left, top] = middle(other.getBoundingClientRect());
    const along = (left - x) * dx + (top - y) * dy;
    const off = Math.abs((left - x) * dy) + Math.abs((top - y) * dx);
    if (along > 0.01 && along + aside * off < least) {
      best = other;
      least = along + aside * off;
    }
  }
  return best;
}

// ---- start

const SECTIONS = {
  head: () => drawHead(),
  when: () => drawTimeline(),
  rules: () => drawRules(),
  critical: () => drawCritical(),
  slowest: () => drawSlowest(),
  history: () => drawHistory(),
  graph: () => drawGraph(),
  "data-sets": () => drawDatasets(),
  models: () => drawModels(),
  products: () => drawProducts(),
};

/** Draw every section; one that cannot be drawn says so, and the others stand. */
function start() {
  document.title = `${DATA.run}: control room`;
  chosen.run = [...DATA.runs].reverse().find((run) => Object.hasOwn(DATA.details, run.id))?.id ?? null;
  onChoice("rule", drawChosen);
  for (const [section, draw] of Object.entries(SECTIONS)) {
    try {
      draw();
    } catch (error) {
      console.error(error);
      body(section).append(empty(`This section could not be drawn: ${error.message}`));
    }
  }
}

// A module runs before this event, so every part is there by then.
document.addEventListener("DOMContentLoaded", start);
