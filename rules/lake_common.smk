# Lake: functions that turn config and wildcards into paths and params. No rules here.
from datetime import datetime, timezone

from scripts.plan.calendar import Calendar, quarter_months, quarter_of, shift_month
from scripts.plan.lake import FAMILIES, FAMILY, FLAT, LAYERS, LakePlan

LAKE = planned(
    LakePlan,
    config=config["lake"],
    folder=Path(f"results/{config['run']}/lake"),
    calendar=Calendar(ROOT / "config" / "calendars" / "XNYS.csv"),
    now=datetime.now(timezone.utc),
)
for note in planned(getattr, LAKE, "notes"):
    print(f"lake: {note}", file=sys.stderr)

MINUTE = ("options_minute", "stocks_minute")
DAILY = ("options_daily", "stocks_daily")
STATEMENTS = FAMILIES["financials"]
EVENTS = {
    "dividend": "dividends",
    "ipo": "ipos",
    "split": "splits",
    "ticker_change": "ticker_events",
}
KEYS = {
    **dict.fromkeys((*MINUTE, "news"), "date"),
    **dict.fromkeys(FAMILIES["reference"], "week"),
}
RETURN_MONTHS = 2  # windows of 20 bars reach so many months back
FACTOR_MONTHS = 4  # and those of 60 bars
STATEMENT_MONTHS = 16  # the year before, and its late filings
FUNDAMENTAL_QUARTERS = 5  # an older filing is not joined to prices


def bronze_path(dataset, key):
    """A partition of bronze."""
    return f"<results>/lake/bronze/{dataset}/{KEYS.get(dataset, 'month')}={key}/part.parquet"


def bronze_keys(dataset):
    """Keys of a dataset's partitions."""
    return planned(LAKE.partitions, dataset)


def bronze_files(dataset, keys=None):
    """The partitions of a dataset, or those of `keys` that it has, sorted."""
    return [bronze_path(dataset, k) for k in bronze_keys(dataset) if keys is None or k in keys]


def refusals(dataset, key):
    """What was refused on the way to a partition, and how many."""
    return [
        f"<results>/lake/quarantine/{dataset}/{key}.parquet",
        f"<results>/lake/reconcile/{dataset}/{key}.json",
    ]


def accounts(files):
    """Input function: the counts that the REST partitions of `files` were written with.

    Where a partition could not be fetched again they are missing, so who reads it waits.
    """
    return partial(_accounts, files)


def _accounts(files, wildcards):
    paths = [account(*path.split("/")[3:5]) for path in files(wildcards)]
    return [path for path in paths if not LAKE.skips("bronze") or on_disk(path)]


def account(dataset, folder):
    """The counts of a bronze partition; the three statements of a filing share theirs."""
    name = "financials" if dataset in STATEMENTS else dataset
    return refusals(name, folder.partition("=")[2])[1]


def window_months(month, back):
    """A month and the `back` ones before it, as a set."""
    return {shift_month(month, -by) for by in range(back + 1)}


def landing_path(dataset, day, suffix=".csv.gz"):
    """A landed file, or with .json its manifest."""
    return f"<results>/lake/landing/{dataset}/{day[:4]}/{day[5:7]}/{day}{suffix}"


def landed_file(wildcards):
    """The landed file of a day."""
    return landing_path(wildcards.dataset, wildcards.date)


def landed_manifest(wildcards):
    """The manifest of a day's landed file, which a hand-made landing folder may lack."""
    return _manifests(wildcards.dataset, [wildcards.date])


def landed_month(wildcards):
    """The landed files of a month."""
    return [landing_path(wildcards.dataset, day) for day in month_dates(wildcards)]


def landed_manifests(wildcards):
    """The manifests of a month's landed files."""
    return _manifests(wildcards.dataset, month_dates(wildcards))


def _manifests(dataset, days):
    paths = [landing_path(dataset, day, ".json") for day in days]
    return [path for path in paths if not LAKE.skips("landing") or on_disk(path)]


def on_disk(path):
    """Whether a file of the lake is there already."""
    return (LAKE.folder / path.removeprefix("<results>/lake/")).is_file()


def month_dates(wildcards):
    """The days of a month that a flat dataset has."""
    return planned(LAKE.month_days, wildcards.dataset, wildcards.month)


def adopted_file(wildcards):
    """The file of lake.adopt that is taken over; "" for none.

    No input: that the folder is there no more is no reason to land its files again.
    """
    return "".join(planned(LAKE.adopted, wildcards.dataset, wildcards.date))


def revision(wildcards):
    """ETag that `make update` saw in the place of the landed one; None: nothing newer is known."""
    # No constraint can say it: executors read each constraint by itself, without the other wildcards.
    if not wildcards.date.startswith(f"{wildcards.year}-{wildcards.mm}-"):
        raise WorkflowError(
            f"{wildcards.date} does not belong into {wildcards.year}/{wildcards.mm}"
        )
    return planned(getattr, LAKE, "revisions").get(f"{wildcards.dataset}/{wildcards.date}")


def open_files(wildcards):
    """Landed files that the vendor may still replace."""
    return planned(LAKE.open_files)


def known_at(*datasets):
    """Params function: date as of which a REST partition is made; the dataset, or its wildcard."""
    return partial(_known_at, datasets)


def _known_at(datasets, wildcards):
    dataset = datasets[0] if datasets else wildcards.dataset
    key = next(wildcards[k] for k in ("month", "date", "week") if k in wildcards.keys())
    return planned(LAKE.known_at, dataset, key)


def tickers_asked(wildcards):
    """Tickers of the calls that go ticker by ticker; None: the whole market."""
    return planned(getattr, LAKE, "tickers")


def universe_file(wildcards):
    """The universe's file, if config names one."""
    return [config["lake"]["universe"]] if config["lake"]["universe"] else []


def universe_digest(wildcards):
    """Hash of the universe's symbols."""
    return planned(getattr, LAKE, "universe_digest")


def session_close(wildcards):
    """Close of a session in New York."""
    return planned(LAKE.calendar.close, wildcards.date)
