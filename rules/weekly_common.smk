# Weekly: functions that turn config and wildcards into paths and params. No rules here.
from scripts.plan.weekly import WeeklyPlan

WEEKLY = planned(WeeklyPlan, config=config["weekly"], lake_simulated=LAKE.simulated)
SIMULATED_DAILY = "<results>/weekly/source/daily.parquet"
# Of a job that holds a block of every batch; of more than four, smaller ones.
BLOCKS_MB = 150 + 140 * min(4, len(WEEKLY.batches)) + 4 * len(WEEKLY.batches)
BATCH_FOLDERS = ("checked", "bars", "features", "daily", "targets")


def daily_sources(wildcards):
    """The files that hold the daily bars of all symbols; none where there is no input."""
    if WEEKLY.source == "simulator":
        return [SIMULATED_DAILY]
    if WEEKLY.source == "lake":
        return gold_files("stocks_daily")
    return planned(getattr, WEEKLY, "files")


def daily_contents(wildcards):
    """Hashes of the files given by config."""
    return planned(getattr, WEEKLY, "contents")


def mappings_file(wildcards):
    """The CSV of the mappings, if config names one."""
    return [WEEKLY.mappings] if WEEKLY.mappings else []


def mappings_content(wildcards):
    """Hash of the mappings' file."""
    return planned(getattr, WEEKLY, "mappings_content")


def batch_file(folder, batch):
    """A partition of a batch."""
    return f"<results>/weekly/{folder}/batch={batch}/part.parquet"


def batch_files(folder):
    """The partitions of all batches."""
    return [batch_file(folder, batch) for batch in WEEKLY.batches]


def symbol_file(folder):
    """Input function: the partition of the batch that a symbol is in."""
    return partial(_symbol_file, folder)


def _symbol_file(folder, wildcards):
    return batch_file(folder, WEEKLY.batch_of(wildcards.symbol))


def batch_memory(per_mb, parts=1):
    """Resource function of a job over one batch, which is one of so many parts of its input: 200 MB
    plus `per_mb` MB for each MiB of it, at most what config lets the job take."""
    return partial(_batch_memory, per_mb / parts)


def _batch_memory(per_mb, wildcards, input):
    limit = max(FLOOR_MB, NODE_MB + config["weekly"]["memory_limit_mb"])
    return min(limit, max(FLOOR_MB, NODE_MB + int(200 + per_mb * size_mb(input))))


def weekly_plots(symbol):
    """The files of a symbol's picture, one in each format."""
    return [f"<results>/weekly/plots/{symbol}.{kind}" for kind in PLOT_FORMATS]


def weekly_products():
    """All files of the domain; without daily bars there are none."""
    if not daily_sources(None):
        if WEEKLY.source == "lake" or "weekly" in sys.argv:
            lacking = "the lake has no daily bars" if WEEKLY.source else "weekly.input is null"
            print(f"weekly: nothing to build, {lacking}", file=sys.stderr)
        return []
    return [
        "<results>/weekly/features.parquet",
        "<results>/weekly/provenance.json",
        # Also what lies between: only a target that names a file sees that it is missing.
        *([SIMULATED_DAILY] if WEEKLY.source == "simulator" else []),
        "<results>/weekly/benchmarks.parquet",
        *(path for folder in BATCH_FOLDERS for path in batch_files(folder)),
        *(path for symbol in WEEKLY.plots for path in weekly_plots(symbol)),
    ]


PRODUCTS["weekly"] = weekly_products
