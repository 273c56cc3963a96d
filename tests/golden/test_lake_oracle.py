"""The built lake against the oracle: every column of every row, from the landed files up."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property
from pathlib import Path

import polars as pl
import pytest

from tests.oracles import lake as oracle
from tests.oracles.lake import Row
from tests.workflow.lakes import lake_of, read, small
from tests.workflow.project import ROOT, Project, copy_project

RTOL, ATOL = (
    1e-9,
    1e-12,
)  # of computed values; a return of two equal prices is 0 but for the last bit
SINGLE = 2.0**-23  # of a float32
COPIED = {"open", "high", "low", "close", "volume", "strike"}
FLAT = ("stocks_minute", "stocks_daily", "options_minute", "options_daily")
LEFT_OUT = {"SPY", "RSP", "NaN", "XLE"}  # of the universe, so that gold has something to drop
EARLY_CLOSE = date(2025, 11, 28)
BRONZE = {
    "stocks": "symbol timestamp open high low close volume transactions date",
    "options": "ticker underlying expiration contract_type strike timestamp open high low close "
    "volume transactions date",
}


@dataclass
class Lake:
    """A built lake and what the oracle makes of its landed files."""

    project: Project
    universe: set[str]
    close: time = time(16, 0)

    def given(self, place: str) -> list[Row]:
        """Rows of a table that the oracle takes as given (bronze of the REST datasets)."""
        return read(self.project, place).to_dicts()

    @cached_property
    def refused(self) -> dict[str, set[tuple[str, int]]]:
        """Dataset -> (date, line) that the oracle refuses; filled with `bronze`."""
        return {}

    @cached_property
    def bronze(self) -> dict[str, dict[date, list[Row]]]:
        """Dataset -> date -> good rows."""
        landing, out = lake_of(self.project) / "landing", {}
        for dataset in FLAT:
            for file in sorted((landing / dataset).rglob("*.csv.gz")):
                name = file.name.partition(".")[0]
                rows, lines = oracle.bronze(
                    file,
                    date.fromisoformat(name),
                    options=dataset.startswith("options"),
                    daily=dataset.endswith("daily"),
                )
                out.setdefault(dataset, {})[date.fromisoformat(name)] = rows
                self.refused.setdefault(dataset, set()).update((name, line) for line in lines)
        return out

    def all_of(self, dataset: str) -> list[Row]:
        """Bronze rows of all dates."""
        return [row for rows in self.bronze.get(dataset, {}).values() for row in rows]

    @cached_property
    def minutes(self) -> dict[date, list[Row]]:
        """Date -> enriched minutes of the whole market."""
        bronze = self.bronze.get("stocks_minute", {})
        return {day: oracle.stocks_minute(rows, self.close) for day, rows in bronze.items()}

    @property
    def gold_minutes(self) -> list[Row]:
        """Minutes of the universe, all dates."""
        every = [row for rows in self.minutes.values() for row in rows]
        return [row for row in every if row["symbol"] in self.universe]

    @cached_property
    def sessions(self) -> list[Row]:
        """Session bars of all dates: silver, so of the whole market."""
        return [row for rows in self.minutes.values() for row in oracle.session_bars(rows)]

    @cached_property
    def adjustments(self) -> oracle.Adjustments:
        """Factors from the actions in bronze."""
        splits, dividends = self.given("bronze/splits"), self.given("bronze/dividends")
        end = max(self.bronze["stocks_daily"])
        return oracle.Adjustments(splits, dividends, self.all_of("stocks_daily"), end)

    @cached_property
    def ratios(self) -> list[Row]:
        """Calculated ratios of all quarters."""
        names = ("balance_sheets", "income_statements", "cash_flow")
        if not (lake_of(self.project) / "bronze/balance_sheets").is_dir():
            return []
        statements = oracle.Statements(*(self.given(f"bronze/{name}") for name in names))
        return oracle.calculated_ratios(statements, self.all_of("stocks_daily"))

    @cached_property
    def daily(self) -> list[Row]:
        """Gold daily bars of stocks."""
        bars = [row for row in self.all_of("stocks_daily") if row["symbol"] in self.universe]
        return oracle.stocks_daily(bars, self.adjustments, self.sessions, self.ratios)


def built(folder: Path, close: time = time(16, 0), **keys: object) -> Lake:
    """Run the workflow once, with a universe of our own."""
    symbols = (ROOT / "config/universe/tickers.csv").read_text(encoding="utf-8").split()[1:]
    kept = [symbol for symbol in symbols if symbol not in LEFT_OUT]
    assert len(kept) == len(symbols) - len(LEFT_OUT)
    project = copy_project(folder, small(universe="config/universe/oracle.csv", **keys))
    table = project.folder / "config/universe/oracle.csv"
    table.write_text("\n".join(["symbol", *kept, ""]), encoding="utf-8")
    project.run("lake", check=True)
    return Lake(project, set(kept), close)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Ten sessions of all that the oracle covers, filings of 500 days before."""
    return built(
        tmp_path_factory.mktemp("oracle"),
        as_of="2025-09-08",
        days_back=14,
        datasets=[*FLAT, "financials", "actions"],
        look_back={"financials": 500, "news": 0, "ratios": 0, "shorts": 0},
    )


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Some 32 sessions of daily bars, for windows of 20."""
    return built(
        tmp_path_factory.mktemp("oracle"),
        as_of="2025-09-08",
        days_back=46,
        datasets=["stocks_daily", "options_daily", "actions"],
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The minutes of a session that closes at 13:00, in winter time."""
    return built(
        tmp_path_factory.mktemp("oracle"),
        close=time(13, 0),
        as_of=EARLY_CLOSE.isoformat(),
        start=EARLY_CLOSE.isoformat(),
        datasets=["stocks_minute"],
    )


def plain(frame: pl.DataFrame) -> list[Row]:
    """Rows of a frame, timestamps as nanoseconds."""
    stamps = [n for n, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(stamps).cast(pl.Datetime("ns")).cast(pl.Int64)).to_dicts()


def same(expected: object, got: object, copied: bool, rtol: float = RTOL) -> bool:
    """Whether two values agree: nulls and copied values exactly, computed floats nearly."""
    if isinstance(expected, float) and isinstance(got, float) and not copied:
        return math.isclose(expected, got, rel_tol=rtol, abs_tol=ATOL)
    return expected == got and (expected is None) == (got is None)


def compare(expected: Iterable[Row], frame: pl.DataFrame, keys: Sequence[str]) -> list[Row]:
    """Compare a built table with the oracle's; returns the expected rows, sorted by key."""

    def key(row: Row) -> list:
        return [row[name] for name in keys]

    wanted, found = sorted(expected, key=key), sorted(plain(frame), key=key)
    assert [key(row) for row in found] == [key(row) for row in wanted]
    assert set(frame.columns) == set(wanted[0])
    wrong = [
        f"{key(want)} {name}: expected {want[name]!r}, got {got[name]!r}"
        for want, got in zip(wanted, found, strict=True)
        for name in frame.columns
        if not same(want[name], got[name], copied=name in COPIED)
    ]
    columns = sorted({line.partition(": ")[0].rpartition(" ")[2] for line in wrong})
    assert not wrong, "\n".join([f"{len(wrong)} values wrong, in {columns}", *wrong[:20]])
    return wanted


def some_of_each(rows: list[Row], *names: str) -> None:
    """Assert that the oracle has nulls and values of columns: that the comparison can fail."""
    for name in names:
        assert {row[name] is None for row in rows} == {True, False}, name


def check_bronze(lake: Lake, dataset: str) -> None:
    """Bronze equals the oracle's: columns in order, rows in order, values to the bit."""
    days = lake.bronze[dataset]
    columns = BRONZE[dataset.partition("_")[0]].split()
    if dataset.endswith("daily"):
        columns.append("month")
        parts = {f"month={day:%Y-%m}": [] for day in days}
        for day, rows in days.items():
            parts[f"month={day:%Y-%m}"] += rows
    else:
        parts = {f"date={day}": rows for day, rows in days.items()}
    for part, rows in parts.items():
        rows.sort(key=lambda row: (row.get("symbol", row.get("ticker")), row["timestamp"]))
        file = lake_of(lake.project) / "bronze" / dataset / part / "part.parquet"
        frame = pl.read_parquet(file, hive_partitioning=False)
        assert frame.columns == columns
        assert frame.schema["timestamp"] == pl.Datetime("ns", "UTC")
        assert frame.schema["transactions"] == pl.UInt32
        found = plain(frame)
        wrong = [(want, got) for want, got in zip(rows, found, strict=True) if want != got]
        assert not wrong, f"{len(wrong)} rows wrong in {file}; first: {wrong[0]}"


@pytest.mark.parametrize("dataset", FLAT)
def test_bronze_holds_the_good_rows_as_they_came(whole: Lake, dataset: str) -> None:
    check_bronze(whole, dataset)


@pytest.mark.parametrize("dataset", FLAT)
def test_refused_rows_are_kept_aside_as_they_came(whole: Lake, dataset: str) -> None:
    good = len(whole.all_of(dataset))
    frame = read_quarantine(whole, dataset)
    names = frame["source"].map_elements(
        lambda path: Path(path).name.partition(".")[0], return_dtype=pl.String
    )
    found = list(zip(names, frame["line"], strict=True))
    assert set(found) == whole.refused[dataset]
    assert len(found) == len(whole.refused[dataset]) > 1
    landing = lake_of(whole.project) / "landing" / dataset
    total = 0
    for name in {file.name.partition(".")[0] for file in landing.rglob("*.gz")}:
        lines = dict(oracle.raw_rows(landing / name[:4] / name[5:7] / f"{name}.csv.gz"))
        total += len(lines)
        for row in frame.filter(names == name).to_dicts():
            assert [row[field] for field in oracle.RAW] == lines[row["line"]]
    assert good + len(found) == total


def read_quarantine(lake: Lake, dataset: str) -> pl.DataFrame:
    """All refused rows of a dataset."""
    files = sorted((lake_of(lake.project) / "quarantine" / dataset).glob("*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files])


def test_gold_minutes(whole: Lake) -> None:
    rows = whole.gold_minutes
    compare(rows, read(whole.project, "gold/stocks_minute"), ("symbol", "timestamp"))
    assert len(rows) < len(whole.all_of("stocks_minute"))
    some_of_each(rows, "session_vwap")


def test_an_early_close_ends_the_regular_session(short: Lake) -> None:
    rows = short.gold_minutes
    compare(rows, read(short.project, "gold/stocks_minute"), ("symbol", "timestamp"))
    compare(short.sessions, read(short.project, "silver/session_bars"), ("symbol", "date"))
    late = [r for r in rows if oracle.in_new_york(r["timestamp"]).time() >= short.close]
    assert late
    assert not any(row["is_regular"] for row in late)


def test_session_bars(whole: Lake) -> None:
    compare(whole.sessions, read(whole.project, "silver/session_bars"), ("symbol", "date"))


@pytest.mark.parametrize("which", ["whole", "long"])
def test_adjustments(which: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(which)
    rows = compare(
        lake.adjustments.table(), read(lake.project, "silver/adjustments"), ("symbol", "date")
    )
    assert {row["split_factor"] for row in rows} == {0.25, 1.0, 10.0}


@pytest.mark.parametrize("kind", ["dividend", "split", "ipo"])
def test_corporate_actions(whole: Lake, kind: str) -> None:
    given = [whole.given(f"bronze/{name}") for name in ("splits", "dividends", "ipos")]
    rows = [row for row in oracle.corporate_actions(*given) if row["event_type"] == kind]
    frame = read(whole.project, f"silver/corporate_actions/event_type={kind}")
    rows = [dict.fromkeys(frame.columns) | row for row in rows]
    compare(rows, frame, ("ticker", "event_date", "id"))


def test_financial_ratios_keep_what_was_superseded(whole: Lake) -> None:
    frame = read(whole.project, "silver/financial_ratios")
    rows = [
        {name: row.get(name) for name in frame.columns} for row in oracle.with_history(whole.ratios)
    ]
    compare(rows, frame, ("ticker", "fiscal_year", "fiscal_period", "filing_date"))
    some_of_each(rows, "superseded_on")


def test_calculated_ratios(whole: Lake) -> None:
    keys = ("ticker", "fiscal_year", "fiscal_period", "timeframe", "filing_date")
    rows = compare(whole.ratios, read(whole.project, "silver/calculated_ratios"), keys)
    periods = {tuple(row[key] for key in keys[:4]) for row in rows}
    assert len(periods) < len(rows)  # something was restated
    some_of_each(rows, "quick_ratio", "interest_coverage", "eps_growth", "roa_ttm", "ev_to_ebit")


def test_gold_daily_bars_of_stocks(whole: Lake) -> None:
    rows = compare(whole.daily, read(whole.project, "gold/stocks_daily"), ("symbol", "date"))
    some_of_each(rows, "returns_1d", "returns_5d", "quick_ratio", "revenue_growth")
    filed = {(row["symbol"], row["fundamental_filing_date"]) for row in rows}
    assert len(filed) > len({symbol for symbol, _ in filed})  # a filing within the window


def test_gold_daily_bars_of_stocks_over_windows_of_20(long: Lake) -> None:
    rows = compare(long.daily, read(long.project, "gold/stocks_daily"), ("symbol", "date"))
    some_of_each(rows, "returns_20d", "volatility_20d", "volume_ratio_20d")


@pytest.mark.parametrize("which", ["whole", "long"])
def test_gold_daily_bars_of_options(which: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(which)
    stocks = lake.all_of("stocks_daily")
    rows = oracle.options_daily(lake.all_of("options_daily"), stocks, lake.universe)
    rows = compare(rows, read(lake.project, "gold/options_daily"), ("ticker", "date"))
    some_of_each(rows, "underlying_close", "moneyness", "returns_1d")
    if which == "long":
        some_of_each(rows, "returns_20d", "volatility_20d", "volume_ratio_20d")


@pytest.mark.parametrize("which", ["whole", "long"])
def test_qlib_files(which: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(which)
    folder = lake_of(lake.project) / "qlib/current"
    calendar = sorted(lake.bronze["stocks_daily"])
    assert (folder / "calendars/day.txt").read_text().split("\n") == [*map(str, calendar), ""]
    of_symbol: dict[str, list[Row]] = {}
    for row in sorted(lake.daily, key=lambda row: (row["symbol"], row["date"])):
        of_symbol.setdefault(row["symbol"], []).append(row)
    names = qlib_names(folder, {s: rows[0]["date"] for s, rows in of_symbol.items()})
    lines = (folder / "instruments/all.txt").read_text().splitlines()
    wanted = [f"{names[s]}\t{r[0]['date']}\t{r[-1]['date']}" for s, r in of_symbol.items()]
    assert sorted(lines) == sorted(wanted)
    gaps = 0
    for symbol, rows in of_symbol.items():
        days = calendar[calendar.index(rows[0]["date"]) : calendar.index(rows[-1]["date"]) + 1]
        gaps += len(days) - len(rows)
        check_qlib(folder / "features" / names[symbol].lower(), rows, days, calendar)
    assert gaps > 0
    assert {p.name for p in (folder / "features").iterdir()} == {n.lower() for n in names.values()}


def qlib_names(folder: Path, symbols: Iterable[str]) -> dict[str, str]:
    """Symbol -> its name in the export: itself, but where Qlib's reader would mistake it."""
    listed = json.loads((folder.parent / "manifest.json").read_text())["names"]
    names = {symbol: listed.get(symbol, symbol) for symbol in symbols}
    assert len({name.casefold() for name in names.values()}) == len(names)
    missing = {"na", "nan", "null", "none", "n/a", ""}  # what pandas takes for no value
    assert not missing & {name.casefold() for name in names.values()}
    assert {"NA", "null", "ABRpD"} <= names.keys() & listed.keys()
    return names


def check_qlib(folder: Path, rows: list[Row], days: list[date], calendar: list[date]) -> None:
    """All fields of one symbol: start index, values, NaN on days without a bar or a value."""
    of_day = {
        row["date"]: oracle.qlib_fields(row, rows[i - 1] if i else None)
        for i, row in enumerate(rows)
    }
    fields = of_day[rows[0]["date"]]
    assert {file.name for file in folder.iterdir()} == {f"{name}.day.bin" for name in fields}
    for name in fields:
        start, values = oracle.read_bin(folder / f"{name}.day.bin")
        assert calendar[start] == days[0], (folder, name)
        assert len(values) == len(days), (folder, name)
        for day, value in zip(days, values, strict=True):
            want = of_day.get(day, {}).get(name)
            got = None if math.isnan(value) else value
            if want is not None:
                want = float(want)
            assert same(want, got, copied=False, rtol=SINGLE), (
                f"{folder.name} {name} {day}: expected {want!r}, got {got!r}"
            )


# The oracle itself, on the rows worked out by hand in the specification


def test_the_oracle_gives_the_worked_row_of_the_specification() -> None:
    bs = {"assets": 1000, "current_assets": 400, "current_liabilities": 200, "equity": 400}
    bs |= {"inventory": 50, "long_term_debt": 100, "short_term_debt": None}
    bs |= {"accounts_receivable": None}
    income = {"revenues": 500, "cost_of_revenue": 300, "operating_income_loss": 125}
    income |= {"net_income_loss": 100, "interest_expense_operating": 0}
    cf = {"net_cash_flow_from_operating_activities": 120, "capital_expenditure": None}
    cf |= {"net_cash_flow_from_investing_activities": -30}
    assert oracle.statement_ratios(bs, income, cf) == {
        "gross_margin": 40,
        "operating_margin": 25,
        "net_margin": 20,
        "roa": 10,
        "roe": 25,
        "roic": 20,
        "current_ratio": 2.0,
        "quick_ratio": 1.75,
        "working_capital": 200,
        "total_debt": 100,
        "debt_to_equity": 0.25,
        "debt_to_assets": 0.1,
        "equity_multiplier": 2.5,
        "interest_coverage": None,
        "asset_turnover": 0.5,
        "inventory_turnover": 6,
        "receivables_turnover": None,
        "days_sales_outstanding": None,
        "operating_cash_flow_ratio": 0.6,
        "free_cash_flow_peer": 90,
        "free_cash_flow": None,
        "cash_flow_to_debt": 1.2,
    }


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        (oracle.stamp, "1756785600000000000", 1_756_785_600_000_000_000),
        (oracle.stamp, "17567856000000000", 1_756_785_600_000_000_000),
        (oracle.stamp, "0000001756785600000", 1_756_785_600_000_000_000),
        (oracle.number, "3e3", 3000.0),
        (oracle.number, "nan", None),
        (oracle.number, "-1", None),
    ],
)
def test_the_oracle_reads_fields_as_the_specification_says(
    function: Callable, given: str, expected: object
) -> None:
    assert function(given) == expected


def test_the_oracle_parses_the_adjusted_contract_of_the_specification() -> None:
    parsed = oracle.occ("O:AAPL1250117C00150000")
    assert list(parsed.values()) == ["AAPL1", date(2025, 1, 17), "call", 150.0]
    assert set(oracle.occ("O:AAPL251399C00150000").values()) == {None}
