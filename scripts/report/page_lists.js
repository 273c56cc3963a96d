// The report page, part 7: what the run has made: datasets, models, products.

const datasetPath = (row) => `${row.domain}/${row.dataset}`;

function drawDatasets() {
  const rows = DATA.datasets;
  if (!rows.length) {
    body("data-sets").append(
      empty("No dataset is built yet:", "snakemake --cores all lake ticks weekly nfl"),
    );
    return;
  }
  const share = (row) => (row.rows_in ? row.quarantined / row.rows_in : null);
  const columns = [
    {
      ...textColumn("dataset", "Dataset"),
      get: datasetPath,
      show: (row) => h("span", { class: "path" }, mark(domainOf(row)), datasetPath(row)),
    },
    numberColumn("partitions", "Partitions"),
    textColumn("first", "First"),
    textColumn("newest", "Newest"),
    textColumn("written", "Written, UTC", (row) => moment(row.written)),
    numberColumn("rows_in", "Rows in"),
    numberColumn("good", "Good rows"),
    {
      ...numberColumn("quarantined", "Quarantined rows"),
      show: (row) => h("span", { class: row.quarantined ? "bad" : null }, number(row.quarantined)),
    },
    {
      key: "share",
      head: "Quarantined, %",
      number: true,
      get: share,
      show: (row) => (share(row) === null ? NONE : number(100 * share(row), 2)),
    },
    numberColumn("files", "Files"),
    numberColumn("bytes", "Size, KiB", { factor: 1 / 1024 }),
  ].filter((column) => column.key !== "files" || rows.some((row) => typeof row.files === "number"));
  body("data-sets").append(
    table({
      columns,
      rows,
      noun: "dataset",
      caption: "datasets",
      chip: domainOf,
      id: datasetPath,
      text: (row) => [datasetPath(row), row.first, row.newest, ...Object.keys(row.reasons ?? {})].join(" "),
      open: reasons,
    }).element,
  );
}

function reasons(row) {
  const found = Object.entries(row.reasons ?? {}).sort((a, b) => b[1] - a[1]);
  if (!found.length)
    return empty(row.rows_in === null ? "Rows of this dataset are not counted." : "No row was quarantined.");
  return plainTable(
    ["Why rows were quarantined", "#Rows", "#Share of rows in, %"],
    found.map(([reason, count]) => [
      reason,
      number(count),
      row.rows_in ? number((100 * count) / row.rows_in, 3) : NONE,
    ]),
  );
}

function drawModels() {
  const rows = DATA.models;
  if (!rows.length) {
    body("models").append(empty("No model is scored yet:", "snakemake --cores all nfl"));
    return;
  }
  const four = { decimals: 4 };
  const columns = [
    textColumn("model", "Model", (row) => [
      row.model,
      row.simulated ? h("span", { class: "badge simulated" }, "simulated") : "",
    ]),
    textColumn("target", "Target"),
    textColumn("features", "Features"),
    textColumn("calibration", "Calibration"),
    textColumn("seasons", "Seasons"),
    numberColumn("n", "Games"),
    numberColumn("base_rate", "Base rate", four),
    numberColumn("brier", "Brier score", four),
    numberColumn("log_loss", "Log loss, nats", four),
    numberColumn("auc", "AUC", four),
    numberColumn("ece", "Calibration error", four),
    numberColumn("accuracy", "Accuracy", four),
    numberColumn("roi", "Return on stake", four),
  ].filter(({ key }) => rows.some((row) => row[key] !== null && row[key] !== undefined));
  body("models").append(
    table({
      columns,
      rows,
      noun: "model",
      caption: "models",
      chip: (row) => row.target ?? NONE,
      sort: ["brier", "ascending"],
      text: (row) =>
        [
          row.target,
          row.features,
          row.model,
          row.calibration,
          row.seasons,
          row.simulated ? "simulated" : "real",
        ].join(" "),
    }).element,
  );
}

function drawProducts() {
  const rows = DATA.products;
  if (!rows.length) {
    body("products").append(empty("Nothing is built yet:", "snakemake --cores all"));
    return;
  }
  const missing = rows.filter((row) => row.bytes === null).length;
  const columns = [
    textColumn("path", "File", (row) =>
      h(
        "span",
        { class: "path" },
        mark(domainOf(row)),
        row.bytes === null
          ? [row.path, h("span", { class: "badge missing" }, "not built")]
          : link(row.href, row.path),
      ),
    ),
    numberColumn("bytes", "Size, KiB", { decimals: 1, factor: 1 / 1024 }),
    textColumn("written", "Written, UTC", (row) => moment(row.written)),
  ];
  if (missing)
    body("products").append(
      h(
        "p",
        { class: "note" },
        `${plural(missing, "file")} not built (find “not built”); to build what is missing: `,
        h("code", {}, "snakemake --cores all"),
      ),
    );
  body("products").append(
    table({
      columns,
      rows,
      noun: "file",
      caption: "products",
      chip: domainOf,
      text: (row) => `${row.path} ${row.bytes === null ? "not built" : ""}`,
    }).element,
  );
}
