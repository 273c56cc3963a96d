# Lake: functions that turn config and wildcards into paths and params. No rules here.
from datetime import datetime, timezone

from scripts.plan.calendar import Calendar, quarter_months, quarter_of, shift_month
from scripts.plan.lake import FAMILY, FLAT, LAYERS, LakePlan

LAKE = planned(
    LakePlan,
    config=config["lake"],
    folder=Path(f"results/{config['run']}/lake"),
    calendar=Calendar(ROOT / "config" / "calendars" / "XNYS.csv"),
    now=datetime.now(timezone.utc),
)
for name in planned(getattr, LAKE, "left_out"):
    print(f"lake: no {name}: it needs lake.fundamental_tickers or lake.universe", file=sys.stderr)

MINUTE = ("options_minute", "stocks_minute")
DAILY = ("options_daily", "stocks_daily")
STATEMENTS = ("balance_sheets", "cash_flow", "income_statements")
EVENTS = {
    "dividend": "dividends",
    "ipo": "ipos",
    "split": "splits",
    "ticker_change": "ticker_events",
}
KEYS = {
    **dict.fromkeys((*MINUTE, "news"), "date"),
    **dict.fromkeys(("related", "ticker_types", "tickers"), "week"),
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


def window_months(month, back):
    """A month and the `back` ones before it, as a set."""
    return {shift_month(month, -by) for by in range(back + 1)}


def landing_path(dataset, day, suffix=".csv.gz"):
    """A landed file, or with .json its manifest."""
    return f"<results>/lake/landing/{dataset}/{day[:4]}/{day[5:7]}/{day}{suffix}"


def landed_file(wildcards):
    """The landed file of a day."""
    return landing_path(wildcards.dataset, wildcards.date)


def landed_month(wildcards):
    """The landed files of a month."""
    return [landing_path(wildcards.dataset, day) for day in month_dates(wildcards)]


def month_dates(wildcards):
    """The days of a month that a flat dataset has."""
    return planned(LAKE.month_days, wildcards.dataset, wildcards.month)


def adopted_file(wildcards):
    """The file of lake.adopt that is taken over, if there is one."""
    return planned(LAKE.adopted, wildcards.dataset, wildcards.date)


def revision(wildcards):
    """ETag that `make update` saw in the place of the landed one; None: nothing newer is known."""
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


def statement_files(dataset):
    """Input function: a statement's months that a quarter's figures need."""
    return partial(_statement_files, dataset)


def _statement_files(dataset, wildcards):
    return bronze_files(
        dataset, window_months(quarter_months(wildcards.quarter)[2], STATEMENT_MONTHS + 2)
    )


def quarter_prices(wildcards):
    """Daily bars of a quarter's months and of the one before."""
    return bronze_files("stocks_daily", window_months(quarter_months(wildcards.quarter)[2], 3))


def silver_quarters(dataset):
    """Quarters of a silver dataset."""
    place = f"silver/{dataset}"
    if LAKE.skips("silver"):
        return sorted(LAKE.on_disk(place))
    sources = (*STATEMENTS, "ratios") if dataset == "financial_ratios" else STATEMENTS
    return planned(LAKE.quarters, *sources)


def silver_files(dataset, first="", last="9999"):
    """Quarter partitions of a silver dataset from `first` to `last`."""
    quarters = [quarter for quarter in silver_quarters(dataset) if first <= quarter <= last]
    return [f"<results>/lake/silver/{dataset}/quarter={q}/part.parquet" for q in quarters]


def earlier_quarter(month, back):
    """The quarter `back` quarters before that of a month."""
    return quarter_of(shift_month(month, -3 * back))


def calculated_files(wildcards):
    """Calculated ratios of a quarter, of the year before and of all later ones (they supersede)."""
    first = earlier_quarter(quarter_months(wildcards.quarter)[0], FUNDAMENTAL_QUARTERS)
    return silver_files("calculated_ratios", first)


def vendor_ratios(wildcards):
    """The vendor's ratios of a quarter and of all later months."""
    first = quarter_months(wildcards.quarter)[0]
    return [bronze_path("ratios", month) for month in bronze_keys("ratios") if month >= first]


def event_files(wildcards):
    """Bronze months of one type of corporate action."""
    return bronze_files(EVENTS[wildcards.event_type])


def event_types():
    """Types of corporate actions that the lake has."""
    return [name for name, dataset in EVENTS.items() if bronze_keys(dataset)]


def action_file(event_type):
    """The silver file of a type of corporate action, if the lake has it."""
    there = LAKE.on_disk("silver/corporate_actions") if LAKE.skips("silver") else event_types()
    path = f"<results>/lake/silver/corporate_actions/event_type={event_type}/part.parquet"
    return [path] if event_type in there else []


def last_session(wildcards):
    """The last session up to the window's end."""
    return planned(getattr, LAKE, "last_session")


def month_bars(dataset, back, layer="bronze"):
    """Input function: bars of a month and of the `back` ones before it."""
    return partial(_month_bars, dataset, back, layer)


def _month_bars(dataset, back, layer, wildcards):
    months = window_months(wildcards.month, back)
    return bronze_files(dataset, months) if layer == "bronze" else gold_files(dataset, months)


def month_session_bars(wildcards):
    """Day bars rebuilt from minutes, for the days of a month."""
    days = bronze_keys("stocks_minute")
    return [session_bars(day) for day in days if day.startswith(wildcards.month)]


def session_bars(day):
    """Day bars rebuilt from a day's minutes."""
    return f"<results>/lake/silver/session_bars/date={day}/part.parquet"


def month_fundamentals(wildcards):
    """Ratios that can be known in a month."""
    first = earlier_quarter(wildcards.month, FUNDAMENTAL_QUARTERS)
    return silver_files("financial_ratios", first, quarter_of(wildcards.month))


def gold_keys(dataset):
    """Keys of a gold dataset's partitions."""
    if LAKE.skips("gold"):
        return sorted(LAKE.on_disk(f"gold/{dataset}"))
    return bronze_keys("stocks_daily" if dataset == "alpha158" else dataset)


def gold_files(dataset, keys=None):
    """The partitions of a gold dataset, or those of `keys` that it has, sorted."""
    return [gold_path(dataset, k) for k in gold_keys(dataset) if keys is None or k in keys]


def gold_path(dataset, key):
    """A partition of gold."""
    name = "date" if dataset == "stocks_minute" else "month"
    return f"<results>/lake/gold/{dataset}/{name}={key}/part.parquet"


def session_inputs(wildcards):
    """Everything that one session left in the layers, for its check: input name -> files."""
    day, month = wildcards.date, wildcards.date[:7]
    files = {"universe": universe_file(wildcards)}
    for dataset in FLAT:
        if day in planned(LAKE.month_days, dataset, month):
            key = day if dataset in MINUTE else month
            files[f"reconcile_{dataset}"] = refusals(dataset, key)[1]
            files[f"bronze_{dataset}"] = bronze_path(dataset, key)
            if dataset != "options_minute":
                files[f"gold_{dataset}"] = gold_path(dataset, key)
    if "bronze_stocks_minute" in files:
        files["session_bars"] = session_bars(day)
    return {name: paths for name, paths in files.items() if paths}


def sessions():
    """Every day that a flat dataset has, sorted."""
    return sorted({day for dataset in FLAT for day in planned(LAKE.days, dataset)})
