// The report page, part 3: what ran when (a chart of lanes), and all that is known of one job.

const MOST_SHAPES = 6000; // more of them would make every stroke of the mouse slow
const LANE_HEIGHTS = [
  [4, 36],
  [12, 20],
  [40, 13],
  [Infinity, 8],
];
const GUTTERS = [56, 120]; // for the axis' unit and the lanes' numbers, or the names of machines
const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
].concat([2, 3, 6, 12, 24, 48, 120, 240].map((hours) => 3600 * hours));

/** The jobs of a lane between `from` and `to`, as shapes that begin at least `least` seconds apart. */
function shapesOf(jobs, from, to, least) {
  const shapes = [];
  for (const job of jobs) {
    const end = job.start + job.length;
    if (end < from || job.start > to) continue;
    const last = shapes.at(-1);
    // A job that can be seen by itself is not mixed with the small ones before it.
    if (last && job.start - last.from < least && (job.length < least || last.to - last.from < least)) {
      last.jobs.push(job);
      last.to = Math.max(last.to, end);
    } else shapes.push({ from: job.start, to: end, lane: job.lane, jobs: [job] });
  }
  return shapes;
}

/** The domain that most of the shape's time belongs to. */
function mainDomain({ jobs }) {
  const spent = new Map();
  for (const job of jobs) spent.set(domainOf(job), (spent.get(domainOf(job)) ?? 0) + job.length + 1e-9);
  return [...spent].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

/** Times of the axis: [seconds, label], about one in 90 pixels, and the unit of the labels. */
function axis(from, to, width) {
  const step = STEPS.find((one) => one >= (90 * (to - from)) / width) ?? STEPS.at(-1);
  const unit = to < 120 ? "s" : to < 7200 ? "min:s" : "h:min:s";
  const decimals = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const label = (time) => {
    if (unit === "s") return number(time, decimals);
    const [big, small] = unit === "min:s" ? [60, 1] : [3600, 60];
    const head = Math.floor(time / big + 1e-9);
    const parts =
      unit === "min:s" ? [time - head * big] : [Math.floor((time - head * big) / small), time % 60];
    return [
      head,
      ...parts.map((part, index) =>
        part
          .toFixed(index === parts.length - 1 ? decimals : 0)
          .padStart(decimals && index === parts.length - 1 ? 3 + decimals : 2, "0"),
      ),
    ].join(":");
  };
  const times = [];
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to * (1 + 1e-9); index++)
    times.push(index * step);
  return { unit, times: times.map((time) => [time, label(time)]) };
}

/** A bar, and its rule's name where there is room for it. */
function drawShape(shape, index, { left, width, top, height }) {
  const domain = mainDomain(shape);
  const states = ["failed", "unfinished"].filter((state) => shape.jobs.some((job) => job.state === state));
  const critical = shape.jobs.some((job) => job.critical) ? ["critical"] : [];
  const single = shape.jobs.length === 1 ? shape.jobs[0] : null;
  const rect = svg("rect", {
    x: left,
    y: top + 1,
    width,
    height: height - 2,
    class: [domain, ...states, ...critical].join(" "),
    "data-shape": index,
    "data-job": single?.id,
    tabindex: -1,
    role: "button",
    "aria-label": single
      ? `${titleOf(single)}, ${duration(single.seconds)}`
      : `${plural(shape.jobs.length, "job")}: zoom in`,
  });
  const letters = Math.floor((width - 8) / 6.1);
  if (!single || letters < 5 || height < 13) return [rect];
  const name = single.rule.length > letters ? `${single.rule.slice(0, letters - 1)}…` : single.rule;
  return [rect, svg("text", { class: `name ${domain}`, x: left + 5, y: top + height / 2 + 4 }, name)];
}

/** What stands before each lane: its number or, of several machines, the name at the first of each. */
function laneLabels(lanes, machines) {
  const several = new Set(lanes.map((lane) => machines[lane] ?? "")).size > 1;
  if (!several) return { machines: false, texts: lanes.map((lane) => String(lane + 1)) };
  const name = (lane) => machines[lane] || "elsewhere";
  const short = (text) => (text.length > 17 ? `${text.slice(0, 16)}…` : text);
  const texts = lanes.map((lane, row) =>
    row && name(lanes[row - 1]) === name(lane) ? "" : short(name(lane)),
  );
  return { machines: true, texts };
}

function drawTimeline() {
  const here = body("when");
  if (!DATA.runs.length) {
    here.append(empty("No run is recorded yet:", "snakemake --cores all"));
    return;
  }
  const view = { jobs: [], lanes: [], span: 1, from: 0, to: 1, shapes: [], drag: null };
  const pick = h("select", { id: "run-select", onchange: (event) => choose("run", event.target.value) });
  for (const run of [...DATA.runs].reverse()) {
    const kept = Object.hasOwn(DATA.details, run.id);
    const text = `${moment(run.started)} · ${run.status} · ${plural(run.done ?? 0, "job")} · ${duration(run.seconds)}`;
    pick.append(
      h(
        "option",
        { value: run.id, disabled: !kept, selected: run.id === chosen.run },
        kept ? text : `${text} (no details kept)`,
      ),
    );
  }
  const button = (label, title, press) =>
    h("button", { type: "button", title, "aria-label": title, onclick: press }, label);
  const about = h("span", { class: "count", role: "status" });
  const tools = h(
    "div",
    { class: "tools" },
    h("label", {}, "Run (UTC) ", pick),
    button("+", "Zoom in", () => zoom(0.5)),
    button("−", "Zoom out", () => zoom(2)),
    button("←", "Earlier", () => shift(-0.5)),
    button("→", "Later", () => shift(0.5)),
    button("Whole run", "Show the whole run", () => show(0, view.span)),
    about,
  );
  const top = svg("svg", { class: "axis", "aria-hidden": "true" });
  const chart = svg("svg", {
    id: "gantt",
    role: "group",
    "aria-label": "Jobs by lane and time; arrow keys move, Enter opens",
  });
  const box = h("div", { class: "lanes" }, chart);
  const panel = h("div", { id: "job", class: "panel", tabindex: -1, hidden: true });
  const none = h("p", { class: "empty", hidden: true }, "No jobs are recorded of this run.");
  here.append(
    tools,
    legend(),
    none,
    top,
    box,
    h(
      "p",
      { class: "note" },
      "A lane is a place where one job ran at a time. Drag over a stretch to zoom in; " +
        "click a job for all that is known of it. Jobs too small to see stand together as one bar.",
    ),
    panel,
  );

  function load() {
    const run = details();
    const wall = run?.wall_s ?? 0;
    view.jobs = (run?.jobs ?? [])
      .filter((job) => typeof job.start === "number")
      .map((job) => ({ ...job, lane: job.lane ?? 0, length: job.seconds ?? Math.max(0, wall - job.start) }))
      .sort((a, b) => a.start - b.start);
    const lanes = new Map(
      [...new Set(view.jobs.map((job) => job.lane))].sort((a, b) => a - b).map((lane) => [lane, []]),
    );
    for (const job of view.jobs) lanes.get(job.lane).push(job);
    view.lanes = [...lanes];
    view.labels = laneLabels(
      view.lanes.map(([lane]) => lane),
      run?.machines ?? [],
    );
    view.span = view.jobs.reduce((end, job) => Math.max(end, job.start + job.length), wall) || 1;
    none.hidden = view.jobs.length > 0;
    for (const part of [top, box]) part.style.display = view.jobs.length ? "" : "none";
    pick.value = chosen.run ?? "";
    show(0, view.span);
  }

  function show(from, to) {
    const length = Math.min(view.span, Math.max(to - from, view.span / 1e5));
    view.from = Math.max(0, Math.min(from, view.span - length));
    view.to = view.from + length;
    draw();
  }
  const zoom = (factor) => {
    const half = (factor * (view.to - view.from)) / 2;
    show((view.from + view.to) / 2 - half, (view.from + view.to) / 2 + half);
  };
  const shift = (part) =>
    show(view.from + part * (view.to - view.from), view.to + part * (view.to - view.from));

  function draw() {
    hideTip();
    const width = Math.max(200, box.clientWidth);
    const height = LANE_HEIGHTS.find(([most]) => view.lanes.length <= most)[1];
    const gutter = GUTTERS[Number(view.labels.machines)];
    const scale = (width - gutter - 2) / (view.to - view.from);
    const x = (time) => gutter + (Math.min(Math.max(time, view.from), view.to) - view.from) * scale;
    const least = Math.max(1, ((width - gutter) * view.lanes.length) / MOST_SHAPES) / scale;
    view.time = (pixel) => view.from + (pixel - gutter) / scale;
    view.shapes = [];
    const parts = [];
    const { unit, times } = axis(view.from, view.to, width);
    const total = view.lanes.length * height;
    for (const [time] of times)
      parts.push(svg("line", { class: "grid", x1: x(time), x2: x(time), y1: 0, y2: total }));
    const critical = []; // drawn last, so that no neighbour covers the outline
    view.lanes.forEach(([, jobs], row) => {
      const label = view.labels.texts[row];
      if (view.labels.machines && label && row)
        parts.push(svg("line", { class: "machine", x1: 0, x2: width, y1: row * height, y2: row * height }));
      if (height > 10 || view.labels.machines)
        parts.push(svg("text", { class: "lane", x: gutter - 8, y: (row + 0.5) * height + 4 }, label));
      for (const shape of shapesOf(jobs, view.from, view.to, least)) {
        const [left, right] = [x(shape.from), x(shape.to)];
        const place = { left, width: Math.max(right - left, 0.8), top: row * height, height };
        const drawn = drawShape(shape, view.shapes.length, place);
        (shape.jobs.some((job) => job.critical) ? critical : parts).push(...drawn);
        view.shapes.push(shape);
      }
    });
    chart.replaceChildren(...parts, ...critical);
    chart.querySelector("rect")?.setAttribute("tabindex", 0);
    size(chart, width, total);
    size(top, width, 22);
    top.replaceChildren(
      svg("text", { x: 0, y: 15 }, unit),
      ...times.map(([time, label]) =>
        svg("text", { x: x(time), y: 15, "text-anchor": x(time) > width - 25 ? "end" : "middle" }, label),
      ),
    );
    const seen = view.shapes.reduce((sum, shape) => sum + shape.jobs.length, 0);
    about.textContent = `${plural(seen, "job")} shown, ${duration(view.to - view.from)}`;
    highlight();
  }

  function highlight() {
    for (const rect of chart.querySelectorAll("rect[data-shape]")) {
      const { jobs } = view.shapes[rect.dataset.shape];
      rect.classList.toggle("dim", chosen.rule !== null && !jobs.some((job) => job.rule === chosen.rule));
      rect.classList.toggle(
        "picked",
        jobs.some((job) => job.id === chosen.job),
      );
    }
  }

  function press(shape) {
    if (shape.jobs.length === 1) choose("job", shape.jobs[0].id);
    else show(shape.from - 0.1 * (shape.to - shape.from), shape.to + 0.1 * (shape.to - shape.from));
  }

  const shapeAt = (target) => view.shapes[target.dataset?.shape];
  tips(chart, (target) => shapeAt(target) && tipOf(shapeAt(target)));
  roving(chart, "rect[data-shape]", 100); // a lane is not left by the way
  chart.addEventListener(
    "click",
    (event) => shapeAt(event.target) && !view.dragged && press(shapeAt(event.target)),
  );
  dragging(chart, view, show);
  onChoice("run", load);
  onChoice("rule", highlight);
  onChoice("job", (id) => {
    highlight();
    drawJob(
      panel,
      view.jobs.find((job) => job.id === id),
    );
  });
  new ResizeObserver(
    () => box.clientWidth && Number(chart.getAttribute("width")) !== Math.max(200, box.clientWidth) && draw(),
  ).observe(box);
  load();
}

function size(element, width, height) {
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
    element.setAttribute(name, value);
}

/** Drag with the mouse or a pen over a stretch of time: zoom there (a finger scrolls the page). */
function dragging(chart, view, show) {
  const place = (event) => event.clientX - chart.getBoundingClientRect().left;
  chart.addEventListener("pointerdown", (event) => {
    view.dragged = false;
    if (event.button === 0 && event.pointerType !== "touch") view.drag = { from: place(event), band: null };
  });
  chart.addEventListener("pointermove", (event) => {
    if (!view.drag || Math.abs(place(event) - view.drag.from) < 4) return;
    if (!view.drag.band) {
      view.dragged = true;
      chart.setPointerCapture(event.pointerId);
      view.drag.band = svg("rect", { class: "band", y: 0, height: chart.getAttribute("height") });
      chart.append(view.drag.band);
    }
    view.drag.band.setAttribute("x", Math.min(place(event), view.drag.from));
    view.drag.band.setAttribute("width", Math.abs(place(event) - view.drag.from));
  });
  chart.addEventListener("pointerup", (event) => {
    const { drag } = view;
    view.drag = null;
    if (!drag?.band) return;
    drag.band.remove();
    const [from, to] = [place(event), drag.from].sort((a, b) => a - b).map(view.time);
    show(Math.max(0, from), to);
  });
  chart.addEventListener("pointercancel", () => {
    view.drag?.band?.remove();
    view.drag = null;
  });
}

function legend() {
  const used = new Set(Object.values(DATA.details).flatMap((run) => run.jobs.map(domainOf)));
  return h(
    "ul",
    { class: "legend" },
    DOMAINS.filter((domain) => used.has(domain)).map((domain) => h("li", {}, mark(domain), domain)),
    h("li", {}, h("span", { class: "mark outlined", "aria-hidden": "true" }), "on the critical path"),
    h("li", {}, h("span", { class: "mark broken", "aria-hidden": "true" }), "failed"),
  );
}

function tipOf({ from, to, jobs }) {
  if (jobs.length > 1) {
    const rules = [...new Set(jobs.map((job) => job.rule))];
    const names = rules
      .slice(0, 5)
      .concat(rules.length > 5 ? [`and ${plural(rules.length - 5, "rule")} more`] : []);
    return [`${plural(jobs.length, "job")} in ${duration(to - from)}`, ...names, "click: zoom in"];
  }
  const [job] = jobs;
  const memory =
    job.peak_mib === null ? [] : [`peak ${number(job.peak_mib)} MiB of ${number(job.mem_mb)} MB asked`];
  const state = job.state === "done" ? duration(job.seconds) : `${job.state}, ${duration(job.seconds)}`;
  return [
    job.rule,
    ...(job.label ? [job.label] : []),
    `${state}, began after ${duration(job.start)}`,
    ...memory,
  ];
}
