// The report page, part 5: rules. The table, the slowest, and the graph of what needs what.

const FLOOR_MB = 500; // what a rule asks for at least, however little it needs
const WASTED = 2; // asked / peak above which memory is held for nothing

function drawRules() {
  const rows = DATA.rules;
  if (!rows.length) {
    body("rules").append(empty("No rule has run yet:", "snakemake --cores all"));
    return;
  }
  const columns = [
    textColumn("rule", "Rule", (row) => [mark(domainOf(row)), row.rule]),
    numberColumn("jobs", "Jobs"),
    secondsColumn("total_s", "Total, s", rows),
    secondsColumn("median_s", "Median, s", rows),
    secondsColumn("max_s", "Longest, s", rows),
    numberColumn("cpu_use", "CPU, % of threads", {
      factor: 100,
      title: "CPU seconds / (seconds × threads asked for)",
    }),
    {
      ...numberColumn("threads", "Threads"),
      show: (row) => [
        row.gpu || row.device === "gpu" ? h("span", { class: "badge" }, "GPU") : "",
        number(row.threads),
      ],
    },
    numberColumn("peak_mib", "Peak, MiB"),
    numberColumn("mem_mb", "Asked, MB"),
    {
      ...numberColumn("mem_ratio", "Asked / peak", {
        decimals: 1,
        title: "below 1: too little; above 2: too much, unless it is the floor of 500 MB",
      }),
      show: memory,
    },
    {
      ...numberColumn("change", "Trend of the median", {
        title: "newest run against the median of earlier ones",
      }),
      show: trend,
    },
    numberColumn("failed", "Failed"),
  ];
  const { element, mark: markRow } = table({
    columns,
    rows,
    noun: "rule",
    caption: "rules",
    chip: domainOf,
    sort: ["total_s", "descending"],
    text: (row) => `${row.rule} ${row.domain} ${row.trend ?? ""}`,
    id: (row) => `${row.rule} ${row.device ?? ""}`,
    group: (row) => row.rule, // on the GPU it has a row of its own
    open: ruleHistory,
    onOpen: (row) => choose("rule", row?.rule ?? null),
  });
  body("rules").append(
    h(
      "p",
      { class: "note" },
      `Jobs that ended well in ${DATA.runs.length > 1 ? `the last ${DATA.runs.length} runs` : "the one recorded run"}; click a rule for each run, and to see it in the timeline and the graph.`,
    ),
    element,
  );
  onChoice("rule", markRow);
}

/** Peak of asked memory: red where too little was asked for, amber where far too much. */
function memory(row) {
  if (typeof row.mem_ratio !== "number") return NONE;
  const level =
    row.mem_ratio < 1 ? "little" : row.mem_ratio > WASTED && row.mem_mb > FLOOR_MB ? "much" : "right";
  const words = { little: "asks for less than it needs", much: "asks for far more than it needs", right: "" }[
    level
  ];
  return h(
    "span",
    { class: `memory ${level}`, title: words || null },
    h(
      "span",
      { class: "meter", "aria-hidden": "true" },
      h("span", { class: "fill", style: `width:${Math.min(100, 100 / row.mem_ratio)}%` }),
    ),
    ` ${number(row.mem_ratio, 1)}`,
  );
}

function trend(row) {
  const told = { slower: "▲ slower", faster: "▼ faster", steady: "steady" }[row.trend];
  if (!told) return NONE;
  const change = row.trend === "steady" ? "" : ` ${number(row.change, 2)} ×`;
  return h(
    "span",
    { class: `trend ${row.trend}` },
    sparkline(row.history.map((run) => run.median_s)),
    ` ${told}${change}`,
  );
}

function sparkline(values) {
  const known = values.filter((value) => typeof value === "number");
  if (known.length < 2) return "";
  const [width, height] = [54, 16];
  const most = Math.max(...known) || 1;
  const points = known.map((value, index) => [
    1 + (index * (width - 4)) / (known.length - 1),
    height - 2 - (value / most) * (height - 4),
  ]);
  return svg(
    "svg",
    { class: "spark", width, height, "aria-hidden": "true" },
    svg("polyline", {
      points: points.map((point) => point.map((place) => place.toFixed(1)).join(",")).join(" "),
    }),
    svg("circle", { cx: points.at(-1)[0], cy: points.at(-1)[1], r: 2 }),
  );
}

function ruleHistory(row) {
  const started = new Map(DATA.runs.map((run) => [run.id, moment(run.started)]));
  const rows = [...row.history]
    .reverse()
    .map((run) => [
      started.get(run.run) ?? run.run,
      number(run.jobs),
      number(run.median_s, 2),
      number(run.total_s, 2),
      number(run.peak_mib),
    ]);
  return [
    h(
      "p",
      {},
      h("a", { href: "#graph" }, "Show it in the rule graph"),
      " · ",
      h("a", { href: "#when" }, "Show its jobs in the timeline"),
    ),
    typeof row.now_s === "number" && typeof row.before_s === "number"
      ? h(
          "p",
          {},
          `The newest run's median of jobs that can be compared is ${number(row.now_s, 2)} s; before it was ${number(row.before_s, 2)} s (${plural(row.earlier_jobs ?? 0, "job")} of ${plural(row.earlier_runs ?? 0, "run")}).`,
        )
      : h("p", {}, "Too few jobs of earlier runs can be compared with the newest run's."),
    rows.length
      ? plainTable(["Run, UTC", "#Jobs", "#Median, s", "#Total, s", "#Peak, MiB"], rows)
      : empty("No earlier run is recorded."),
  ];
}

// ---- the slowest

function drawSlowest() {
  const here = body("slowest");
  const redraw = () => here.replaceChildren(...slowestParts());
  onChoice("run", redraw);
  redraw();
}

function slowestParts() {
  const spent = new Map();
  for (const job of details()?.jobs ?? []) {
    const row = spent.get(job.rule) ?? { rule: job.rule, domain: domainOf(job), seconds: 0, jobs: 0 };
    spent.set(job.rule, { ...row, seconds: row.seconds + (job.seconds ?? 0), jobs: row.jobs + 1 });
  }
  const all = [...spent.values()].sort((a, b) => b.seconds - a.seconds);
  const total = all.reduce((sum, row) => sum + row.seconds, 0);
  if (!total) return [empty("No run with finished jobs is recorded yet:", "snakemake --cores all")];
  const bars = all
    .slice(0, 20)
    .map((row) =>
      h(
        "li",
        {},
        h("button", { type: "button", class: "opener", onclick: () => choose("rule", row.rule) }, row.rule),
        meter(row.seconds / all[0].seconds, row.domain),
        h("span", { class: "number" }, `${number(row.seconds, 1)} s`),
        h("span", { class: "number soft" }, percent(row.seconds / total, 1)),
      ),
    );
  return [
    h(
      "p",
      { class: "note" },
      `Seconds of all jobs of a rule in the run chosen above, and their share of the run's ${number(total)} s.`,
    ),
    h("ol", { class: "bars" }, bars),
  ];
}
