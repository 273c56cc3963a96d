// The report page, part 4: one run (its head, a job of it, its critical path) and the last runs.

const LISTED = 12; // links of a list, before "and n more"
const STATES = { ok: "finished", failed: "failed", unfinished: "has not ended" };

// ---- the head

function drawHead() {
  const sources = { true: ["simulated", "simulated data"], false: ["real", "real data"] }[DATA.simulated] ?? [
    "",
    "sources not told",
  ];
  body("head").append(
    h("h1", {}, DATA.run, h("span", { class: `badge ${sources[0]}` }, sources[1])),
    h(
      "p",
      { class: "note" },
      `Control room of almanac ${DATA.version ?? ""} · made ${moment(DATA.made)} UTC`,
    ),
  );
  const run = DATA.runs.at(-1);
  if (!run) {
    body("head").append(empty("No run is recorded yet:", "snakemake --cores all"));
    return;
  }
  body("head").append(verdict(run), keyFigures(run));
}

function verdict(run) {
  const failures = DATA.failures.filter((failure) => failure.run === run.id);
  const counts = `${number(run.done)} of ${plural(run.total, "job")} done`;
  const length = run.seconds === null ? "" : ` in ${duration(run.seconds)}`;
  const more = run.status === "unfinished" ? " It is running, or it was killed." : "";
  const failed = run.failed ? `, ${number(run.failed)} failed` : "";
  const status = Object.hasOwn(STATES, run.status) ? run.status : "unfinished";
  return h(
    "div",
    { class: `verdict ${status}`, id: "verdict" },
    h(
      "p",
      {},
      h("strong", {}, `The newest run ${STATES[status]}`),
      `: ${counts}${failed}${length}.${more} `,
      h("span", { class: "soft" }, `Began ${moment(run.started)} UTC${run.host ? ` on ${run.host}` : ""}.`),
    ),
    failures.length ? failureList(failures) : [],
  );
}

function failureList(failures) {
  return h(
    "ul",
    { class: "failures" },
    failures
      .slice(0, 50)
      .map((failure) =>
        h(
          "li",
          {},
          h("strong", {}, titleOf(failure)),
          failure.attempt > 1 ? ` (attempt ${failure.attempt})` : "",
          h("br"),
          failure.cause || "cause unknown",
          failure.log ? [h("br"), "log: ", logLink(failure.log)] : [],
        ),
      ),
    failures.length > 50 ? h("li", {}, `and ${number(failures.length - 50)} more`) : [],
  );
}

function keyFigures(run) {
  const figures = [
    ["Jobs done", `${number(run.done)} of ${number(run.total)}`, ""],
    ["Wall time", duration(run.seconds), ""],
    ["Work", duration(run.work_s), "seconds of all jobs times their threads"],
    ["Cores", number(run.cores), ""],
    ["Critical path", duration(run.critical_s), "the longest chain of jobs that wait for each other"],
    [
      "Wall / least possible",
      run.seconds && run.bound_s ? `${number(run.seconds / run.bound_s, 2)} ×` : NONE,
      "least possible: the larger of the critical path and of work / cores",
    ],
    ["Peak memory of a job", run.peak_mib ? `${number(run.peak_mib)} MiB` : NONE, ""],
  ];
  return h(
    "dl",
    { class: "figures" },
    figures.map(([name, value, title]) =>
      h("div", { title: title || null }, h("dt", {}, name), h("dd", {}, value)),
    ),
  );
}

// ---- one job

/** All that is known of a job, below the chart. */
function drawJob(panel, job) {
  panel.hidden = !job;
  if (!job) return;
  const { jobs } = details();
  const known = new Map(jobs.map((one) => [one.id, one]));
  const began = DATA.runs.find((run) => run.id === chosen.run)?.started;
  const start = typeof began === "number" ? began : Date.parse(began) / 1000;
  const cpu =
    typeof job.cpu_s === "number" && (job.run_s || job.seconds)
      ? `${number(job.cpu_s, 2)} s (${percent(job.cpu_s / ((job.run_s || job.seconds) * (job.threads ?? 1)))} of ${plural(job.threads ?? 1, "thread")})`
      : NONE;
  const waited = job.after.map((id) => known.get(id)).filter(Boolean);
  const facts = [
    ["State", job.state + (job.critical ? ", on the critical path" : "")],
    ["Took", `${number(job.seconds, 2)} s`],
    ["Began", `${number(job.start, 2)} s after the run (${moment(start + job.start, "second")} UTC)`],
    ["Machine", job.host],
    ["CPU", cpu],
    ["Threads", number(job.threads) + (job.gpu ? ", and the GPU" : "")],
    ["Memory", `peak ${number(job.peak_mib)} MiB, asked for ${number(job.mem_mb)} MB`],
    ["Cause", job.cause],
    ["Why it ran", job.reason],
    ["Log", job.log && logLink(job.log)],
    ["Output", job.output && job.output + (job.outputs > 1 ? ` and ${number(job.outputs - 1)} more` : "")],
    ["Waited for", waited.length ? jobLinks(waited) : "nothing of this run"],
    ["Was waited for by", jobLinks(jobs.filter((one) => one.after.includes(job.id)))],
  ];
  panel.replaceChildren(
    h(
      "button",
      { type: "button", class: "close", "aria-label": "Close", onclick: () => choose("job", null) },
      "×",
    ),
    h(
      "h3",
      {},
      mark(domainOf(job)),
      h(
        "button",
        {
          type: "button",
          class: "opener",
          title: "Show this rule everywhere",
          onclick: () => choose("rule", job.rule),
        },
        job.rule,
      ),
    ),
    job.label ? h("p", { class: "label" }, job.label) : "",
    h(
      "dl",
      {},
      facts.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ),
  );
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

function jobLinks(jobs) {
  if (!jobs.length) return null;
  return h(
    "ul",
    { class: "links" },
    jobs
      .slice(0, LISTED)
      .map((job) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "opener", "data-job": job.id, onclick: () => choose("job", job.id) },
            titleOf(job),
          ),
          h("span", { class: "soft" }, ` ${duration(job.seconds)}`),
        ),
      ),
    jobs.length > LISTED ? h("li", { class: "soft" }, `and ${number(jobs.length - LISTED)} more`) : [],
  );
}

// ---- the critical path

function drawCritical() {
  const here = body("critical");
  const redraw = () => here.replaceChildren(...criticalParts());
  onChoice("run", redraw);
  redraw();
}

function criticalParts() {
  const run = details();
  if (!run?.path?.length)
    return [empty("No run with finished jobs is recorded yet:", "snakemake --cores all")];
  const known = new Map(run.jobs.map((job) => [job.id, job]));
  let end = 0;
  const rows = run.path
    .map((id) => known.get(id))
    .filter(Boolean)
    .map((job, index) => {
      const gap = Math.max(0, job.start - end);
      end = job.start + (job.seconds ?? 0);
      const took = job.run_s || job.seconds; // as the path's sum counts it
      const share = run.wall_s ? (took ?? 0) / run.wall_s : null;
      return [
        String(index + 1),
        [
          mark(domainOf(job)),
          h(
            "button",
            { type: "button", class: "opener", "data-job": job.id, onclick: () => choose("job", job.id) },
            titleOf(job),
          ),
        ],
        number(job.start, 1),
        number(gap, 1),
        number(took, 1),
        [meter(share, domainOf(job)), ` ${number(share === null ? null : 100 * share, 1)}`],
      ];
    });
  return [
    h("p", { id: "bound" }, boundText(run)),
    h(
      "div",
      { class: "tall" },
      plainTable(["#Step", "Job", "#Began, s", "#Waited, s", "#Took, s", "#Share of wall, %", ""], rows),
    ),
  ];
}

function boundText(run) {
  const { wall_s: wall, critical_s: critical, work_s: work, cores, bound_s: bound } = run;
  const least =
    `No run of these jobs can take less than the longest chain (${duration(critical)}), ` +
    `nor less than all work shared evenly (${duration(work)} / ${plural(cores ?? 1, "core")} = ${duration(work === null ? null : work / (cores || 1))}).`;
  if (!wall || !bound) return least;
  return `${least} The larger is ${duration(bound)}; this run took ${duration(wall)}, ${number(wall / bound, 2)} times that.`;
}

/** A bar of a share of 1. */
function meter(share, domain) {
  return h(
    "span",
    { class: "meter", "aria-hidden": "true" },
    h("span", { class: `fill ${domain}`, style: `width:${Math.min(100, 100 * (share ?? 0))}%` }),
  );
}

// ---- the last runs

function drawHistory() {
  const here = body("history");
  if (!DATA.runs.length) {
    here.append(empty("No run is recorded yet:", "snakemake --cores all"));
    return;
  }
  const charts = [
    ["Wall time, s", (run) => run.seconds, () => 0],
    ["Work, s", (run) => run.work_s, () => 0],
    ["Jobs done and failed", (run) => (run.done ?? 0) + (run.failed ?? 0), (run) => run.failed ?? 0],
  ];
  const columns = [
    textColumn("started", "Began, UTC", (run) => moment(run.started)),
    textColumn("status", "Status", (run) => h("span", { class: `status ${run.status}` }, run.status)),
    numberColumn("done", "Jobs done"),
    numberColumn("total", "Jobs planned"),
    numberColumn("failed", "Failed"),
    secondsColumn("seconds", "Wall, s", DATA.runs),
    secondsColumn("work_s", "Work, s", DATA.runs),
    secondsColumn("cpu_s", "CPU, s", DATA.runs),
    secondsColumn("critical_s", "Critical path, s", DATA.runs),
    secondsColumn("bound_s", "Least possible, s", DATA.runs),
    numberColumn("cores", "Cores"),
    textColumn("host", "Host"),
  ];
  const runs = [...DATA.runs].reverse();
  const { element, mark: markRun } = table({
    columns,
    rows: runs,
    noun: "run",
    caption: "runs",
    text: (run) => `${moment(run.started)} ${run.status} ${run.host} ${run.id}`,
    id: (run) => run.id,
    open: openRun,
    onOpen: (run) => run && Object.hasOwn(DATA.details, run.id) && choose("run", run.id),
  });
  here.append(
    h(
      "div",
      { class: "charts" },
      charts.map((chart) => barChart(...chart)),
    ),
    element,
  );
  onChoice("run", markRun);
}

function openRun(run) {
  const failures = DATA.failures.filter((failure) => failure.run === run.id);
  return [
    h("p", {}, `Run ${run.id}. `, failures.length ? "Failed:" : "No failure is recorded."),
    failures.length ? failureList(failures) : "",
  ];
}

/** One bar a run, oldest first; the part that `bad` counts stands in red below. */
function barChart(title, value, bad) {
  const [width, height] = [300, 90];
  const largest = DATA.runs.reduce((most, run) => Math.max(most, value(run) ?? 0), 0) || 1;
  const step = width / Math.max(DATA.runs.length, 6);
  const bars = DATA.runs.map((run, index) => {
    const [all, red] = [value(run) ?? 0, bad(run)].map((part) => (part / largest) * height);
    const x = index * step + step * 0.15;
    return svg(
      "g",
      {},
      svg(
        "title",
        {},
        `${moment(run.started)} UTC: ${number(value(run), 0)}${bad(run) ? `, ${number(bad(run))} failed` : ""} (${run.status})`,
      ),
      svg("rect", { class: `bar ${run.status}`, x, y: height - all, width: step * 0.7, height: all }),
      svg("rect", { class: "bad", x, y: height - red, width: step * 0.7, height: red }),
    );
  });
  return h(
    "figure",
    {},
    h(
      "figcaption",
      {},
      title,
      h("span", { class: "soft" }, ` largest ${number(largest, largest < 10 ? 1 : 0)}`),
    ),
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height + 1}`, role: "img", "aria-label": title },
      bars,
      svg("line", { class: "grid", x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5 }),
    ),
  );
}
