# Lake: what the rules of silver and gold read. No rules here.


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


def qlib_is_intact(wildcards):
    """Whether the version that the export's manifest names is there; True before there is one."""
    return planned(getattr, LAKE, "qlib_is_intact")
