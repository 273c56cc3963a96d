"""Oracle of the lake: slow, obvious, plain Python; every table from the vendor's raw files.

Written only from the lake's specification and its data dictionary (docs/data.md), to test an
independent fast implementation; it shares nothing with it. A table is a list of dicts, one a row;
a null is None; a timestamp is an int, nanoseconds since 1970 in UTC.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import statistics
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
RAW = ("ticker", "volume", "open", "close", "high", "low", "window_start", "transactions")
PARSED = ("underlying", "expiration", "contract_type", "strike")
OCC = re.compile(r"O:([A-Z0-9.]{1,6})(\d\d)(\d\d)(\d\d)([CP])(\d{8})")
DAY = timedelta(days=1)
GROWTH = {  # ratio -> (statement, value)
    "revenue_growth": ("is", "revenues"),
    "gross_profit_growth": ("is", "gross_profit"),
    "operating_income_growth": ("is", "operating_income_loss"),
    "net_income_growth": ("is", "net_income_loss"),
    "eps_growth": ("is", "diluted_earnings_per_share"),
    "assets_growth": ("bs", "assets"),
    "equity_growth": ("bs", "equity"),
    "operating_cash_flow_growth": ("cf", "net_cash_flow_from_operating_activities"),
}
OF_A_FILING = (  # columns of the ratios that daily bars carry
    *("fiscal_year", "fiscal_period", "gross_margin", "operating_margin", "net_margin"),
    *("roa", "roe", "roic", "current_ratio", "quick_ratio", "debt_to_equity", "debt_to_assets"),
    *("asset_turnover", "free_cash_flow", "revenue_growth", "net_income_growth"),
)


# Landing to bronze


def raw_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, fields as text) of a flat file, its header left out; the header is line 1."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, quoting=csv.QUOTE_NONE)
        assert tuple(next(reader)) == RAW
        yield from enumerate(reader, start=2)


def number(text: str) -> float | None:
    """A finite number of zero or more, else None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def stamp(text: str) -> int | None:
    """Nanoseconds since 1970 of a time in whatever unit: 19 digits from 2001 to 2286."""
    if not text.isdigit() or int(text) == 0:
        return None
    value = int(text)
    while value < 10**18:
        value *= 10
    return value


def in_new_york(timestamp: int) -> datetime:
    """Wall time in New York of a timestamp, to the second."""
    return datetime.fromtimestamp(timestamp // SECOND, UTC).astimezone(NEW_YORK)


def occ(ticker: str) -> Row:
    """Underlying, expiration, contract type and strike; all None where it does not parse."""
    match = OCC.fullmatch(ticker)
    if match:
        root, year, month, day, side, strike = match.groups()
        try:
            expiration = date(2000 + int(year), int(month), int(day))
        except ValueError:
            return dict.fromkeys(PARSED)
        kind = "call" if side == "C" else "put"
        return dict(zip(PARSED, (root, expiration, kind, int(strike) / 1000), strict=True))
    return dict.fromkeys(PARSED)


def bronze(file: Path, day: date, *, options: bool, daily: bool) -> tuple[list[Row], list[int]]:
    """The good rows of a flat file, sorted, and the lines of the others."""
    name = "ticker" if options else "symbol"
    good, refused, seen = [], [], set()
    for line, fields in raw_rows(file):
        row = bar(fields, day)
        key = row and (row["ticker"] if daily else (row["ticker"], row["timestamp"]))
        if row is None or key in seen:
            refused.append(line)
            continue
        seen.add(key)
        ticker = row.pop("ticker")
        head = {name: ticker} | (occ(ticker) if options else {})
        good.append(head | row | ({"month": f"{day:%Y-%m}"} if daily else {}))
    return sorted(good, key=lambda row: (row[name], row["timestamp"])), refused


def bar(fields: list[str], day: date) -> Row | None:
    """A bar of its eight fields, None if one is wrong."""
    if len(fields) != len(RAW):
        return None
    raw = dict(zip(RAW, fields, strict=True))
    values = {name: number(raw[name]) for name in ("open", "high", "low", "close", "volume")}
    timestamp = stamp(raw["window_start"])
    if not raw["ticker"] or None in values.values() or timestamp is None:
        return None
    if values["high"] < values["low"] or not raw["transactions"].isdigit():
        return None
    if in_new_york(timestamp).date() != day:
        return None
    count = {"transactions": int(raw["transactions"]), "date": day}
    return {"ticker": raw["ticker"], "timestamp": timestamp} | values | count


# Minutes


def divided(above: float | None, below: float | None) -> float | None:
    """A quotient, None where a part is None or the denominator 0."""
    return None if above is None or not below else above / below


def typical(row: Row) -> float:
    """(high + low + close) / 3."""
    return (row["high"] + row["low"] + row["close"]) / 3


def stocks_minute(bars: Iterable[Row], close: time) -> list[Row]:
    """Gold minutes of one session; `bars` sorted by symbol and time, `close` in New York."""
    out, sums = [], defaultdict(lambda: [0.0, 0.0])
    for row in bars:
        at = in_new_york(row["timestamp"]).time()
        regular = time(9, 30) <= at < close
        if regular:
            total = sums[row["symbol"]]
            total[0] += typical(row) * row["volume"]
            total[1] += row["volume"]
        out.append(
            row
            | {
                "minute_return": divided(row["close"] - row["open"], row["open"]),
                "spread": divided(row["high"] - row["low"], row["close"]),
                "typical_price": typical(row),
                "avg_trade_size": divided(row["volume"], row["transactions"]),
                "session_vwap": divided(*sums[row["symbol"]]) if regular else None,
                "is_premarket": time(4, 0) <= at < time(9, 30),
                "is_regular": regular,
                "is_postmarket": close <= at < time(20, 0),
            }
        )
    return out


def session_bars(minutes: Iterable[Row]) -> list[Row]:
    """Day bars of one session's gold minutes."""
    of_symbol = defaultdict(list)
    for row in minutes:
        of_symbol[row["symbol"]].append(row)
    out = []
    for symbol, rows in sorted(of_symbol.items()):
        regular = [row for row in rows if row["is_regular"]]
        value = sum(typical(row) * row["volume"] for row in regular)
        out.append(
            {
                "symbol": symbol,
                "open": rows[0]["open"],
                "high": max(row["high"] for row in rows),
                "low": min(row["low"] for row in rows),
                "close": rows[-1]["close"],
                "volume": sum(row["volume"] for row in rows),
                "transactions": sum(row["transactions"] for row in rows),
                "vwap": divided(value, sum(row["volume"] for row in regular)),
                "date": rows[0]["date"],
            }
        )
    return out


# Adjustments


class Adjustments:
    """Split and total-return factors, from splits, dividends and raw daily bars."""

    def __init__(self, splits: list[Row], dividends: list[Row], bars: list[Row], end: date) -> None:
        """Collect events up to `end`, the last session; dividends in other currencies are out."""
        self.end = end
        self.closes = {(row["symbol"], row["date"]): row["close"] for row in bars}
        self.split, self.cash = defaultdict(lambda: 1.0), defaultdict(float)
        for row in splits:
            key = row["ticker"], row["execution_date"]
            self.split[key] *= row["split_from"] / row["split_to"]
        for row in dividends:
            if row["currency"] == "USD":
                self.cash[row["ticker"], row["ex_dividend_date"]] += row["cash_amount"]

    def close_from(self, symbol: str, day: date) -> float | None:
        """Raw close of a day, else of the first session after it, None if there is none."""
        while day <= self.end:
            if (symbol, day) in self.closes:
                return self.closes[symbol, day]
            day += DAY
        return None

    def factors(self, symbol: str, session: date) -> tuple[float, float]:
        """Factors of one session: walk from the day after it, day by day, to the end."""
        split = total = 1.0
        day = session + DAY
        while day <= self.end:
            price = self.close_from(symbol, day)
            if (symbol, day) in self.cash and price:
                total *= price / (price + self.cash[symbol, day])
            if (symbol, day) in self.split:
                split *= self.split[symbol, day]
                total *= self.split[symbol, day]
            day += DAY
        return split, total

    def table(self) -> list[Row]:
        """One row per symbol and date with an event that counts."""
        paid = {key for key in self.cash if self.close_from(*key)}
        split = {key for key in self.split if key[1] <= self.end}
        rows = []
        for symbol, day in sorted(paid | split):
            of_split, total = self.factors(symbol, day - DAY)
            names = ("symbol", "date", "split_factor", "total_return_factor")
            rows.append(dict(zip(names, (symbol, day, of_split, total), strict=True)))
        return rows


def corporate_actions(splits: list[Row], dividends: list[Row], ipos: list[Row]) -> list[Row]:
    """Rows of the long table of actions, without the columns that another event type has."""
    rows = []
    for row in dividends:
        times = row["frequency"] if row["frequency"] in (12, 4, 2, 1) else None
        kept = ("cash_amount", "currency", "declaration_date", "pay_date", "record_date")
        rows.append(
            event("dividend", row, row["ex_dividend_date"], row["id"])
            | {name: row[name] for name in (*kept, "frequency", "dividend_type")}
            | {"annualised_amount": None if times is None else row["cash_amount"] * times}
            | {"is_special": row["frequency"] == 0}
        )
    for row in splits:
        ratio = row["split_to"] / row["split_from"]
        rows.append(
            event("split", row, row["execution_date"], row["id"])
            | {"split_from": row["split_from"], "split_to": row["split_to"]}
            | {"split_ratio": ratio, "is_reverse": ratio < 1}
        )
    rows += [
        event("ipo", row, row["listing_date"], None)
        | {"issue_price": row["final_issue_price"], "max_shares": row["max_shares_offered"]}
        | {"exchange": row["primary_exchange"], "ipo_status": row["ipo_status"]}
        | {"issuer_name": row["issuer_name"]}
        for row in ipos
    ]
    return rows


def event(kind: str, row: Row, day: date, number: str | None) -> Row:
    """What all actions have; a missing id is made of ticker and date."""
    ticker = row["ticker"]
    number = number or f"{ticker}_{day}"
    return {"event_type": kind, "ticker": ticker, "event_date": day, "id": number}


# Daily bars


def with_windows(rows: list[Row], price: str, volume: str) -> None:
    """Add returns, volatility and volume ratio to the bars of one instrument, in order of date."""
    for i, row in enumerate(rows):
        for n in (1, 5, 20):
            before = rows[i - n][price] if i >= n else 0.0
            both = before > 0 and row[price] > 0
            row[f"returns_{n}d"] = math.log(row[price] / before) if both else None
        back = row["returns_1d"]
        row["alpha_daily"] = None if back is None else -back
        last = rows[max(i - 19, 0) : i + 1]
        known = [r["returns_1d"] for r in last if r["returns_1d"] is not None]
        row["volatility_20d"] = statistics.stdev(known) if len(known) == 20 else None
        mean = statistics.fmean(r[volume] for r in last)
        row["volume_ratio_20d"] = divided(row[volume], mean) if len(last) == 20 else None
        row["price_range"] = row["high"] - row["low"]
        both = row["open"] > 0 and row["close"] > 0
        row["daily_return"] = (row["close"] - row["open"]) / row["open"] if both else None
        row["typical_price"] = typical(row)


def stocks_daily(
    bars: list[Row], adjustments: Adjustments, sessions: list[Row], ratios: list[Row]
) -> list[Row]:
    """Gold daily bars of all months; `sessions` are session bars, `ratios` calculated ones."""
    vwap = {(row["symbol"], row["date"]): row["vwap"] for row in sessions}
    of_symbol = defaultdict(list)
    for raw in sorted(bars, key=lambda row: (row["symbol"], row["date"])):
        key = raw["symbol"], raw["date"]
        split, total = adjustments.factors(*key)
        row = raw | {f"adj_{k}": raw[k] * split for k in ("open", "high", "low", "close")}
        row |= {"adj_volume": raw["volume"] / split, "vwap": vwap.get(key)}
        row |= {"split_factor": split, "total_return_factor": total}
        of_symbol[raw["symbol"]].append(row | fundamentals(ratios, *key))
    for rows in of_symbol.values():
        with_windows(rows, "adj_close", "adj_volume")
    return [row for rows in of_symbol.values() for row in rows]


def fundamentals(ratios: list[Row], symbol: str, day: date) -> Row:
    """Ratios of the latest quarter filed on or before a day, at most 400 days before it."""
    known = [
        row
        for row in ratios
        if row["ticker"] == symbol
        and row["timeframe"] == "quarterly"
        and day - 400 * DAY <= row["filing_date"] <= day
    ]
    names = ("fiscal_year", "fiscal_period", "filing_date")
    best = max(known, key=lambda row: [row[name] for name in names], default={})
    filed = {"fundamental_filing_date": best.get("filing_date")}
    return filed | {name: best.get(name) for name in OF_A_FILING}


def options_daily(bars: list[Row], stocks: list[Row], universe: set[str]) -> list[Row]:
    """Gold daily bars of options. An adjusted contract (XOM1) goes with its company (XOM)."""
    close = {(row["symbol"], row["date"]): row["close"] for row in stocks}
    of_ticker = defaultdict(list)
    for raw in sorted(bars, key=lambda row: (row["ticker"], row["date"])):
        root = raw["underlying"]
        if root is None or not {root, root.rstrip("0123456789")} & universe:
            continue
        under = close.get((root, raw["date"]))
        days = (raw["expiration"] - raw["date"]).days
        moneyness = divided(under, raw["strike"])
        more = {"underlying_close": under, "moneyness": moneyness, "days_to_expiry": days}
        of_ticker[raw["ticker"]].append(raw | more)
    for rows in of_ticker.values():
        with_windows(rows, "close", "volume")
    return [row for rows in of_ticker.values() for row in rows]


# Ratios


def percent(above: float | None, below: float | None) -> float | None:
    """A quotient in percent."""
    quotient = divided(above, below)
    return None if quotient is None else 100 * quotient


def difference(a: float | None, b: float | None) -> float | None:
    """A difference, None where a part is."""
    return None if a is None or b is None else a - b


def statement_ratios(bs: Mapping, income: Mapping, cf: Mapping) -> Row:
    """Ratios of one period's three statements."""
    revenue, cost = income["revenues"], income["cost_of_revenue"]
    operating, net = income["operating_income_loss"], income["net_income_loss"]
    current, due = bs["current_assets"], bs["current_liabilities"]
    assets, equity, inventory = bs["assets"], bs["equity"], bs["inventory"]
    long = bs["long_term_debt"] or 0.0
    debt = long + (bs["short_term_debt"] or 0.0)
    cfo = cf["net_cash_flow_from_operating_activities"]
    cfi = cf["net_cash_flow_from_investing_activities"]
    capex = cf["capital_expenditure"]
    receivables = divided(revenue, bs["accounts_receivable"])
    return {
        "gross_margin": percent(difference(revenue, cost), revenue),
        "operating_margin": percent(operating, revenue),
        "net_margin": percent(net, revenue),
        "roa": percent(net, assets),
        "roe": percent(net, equity),
        "roic": percent(net, None if equity is None else equity + long),
        "current_ratio": divided(current, due),
        "quick_ratio": divided(difference(current, inventory), due),
        "working_capital": difference(current, due),
        "total_debt": debt,
        "debt_to_equity": divided(debt, equity),
        "debt_to_assets": divided(debt, assets),
        "equity_multiplier": divided(assets, equity),
        "interest_coverage": divided(operating, income["interest_expense_operating"]),
        "asset_turnover": divided(revenue, assets),
        "inventory_turnover": divided(cost, inventory),
        "receivables_turnover": receivables,
        "days_sales_outstanding": divided(365, receivables),
        "operating_cash_flow_ratio": divided(cfo, due),
        "free_cash_flow_peer": None if cfi is None or cfo is None else cfo + cfi,
        "free_cash_flow": None if capex is None else difference(cfo, abs(capex)),
        "cash_flow_to_debt": divided(cfo, debt),
    }


class Statements:
    """The three statements as filed, asked for what was known on a day."""

    def __init__(self, bs: list[Row], income: list[Row], cf: list[Row]) -> None:
        """Take the bronze rows of all months."""
        self.filed = defaultdict(list)  # (statement, period) -> its filings
        for name, rows in (("bs", bs), ("is", income), ("cf", cf)):
            for row in rows:
                period = row["ticker"], row["fiscal_year"], row["fiscal_period"], row["timeframe"]
                self.filed[name, period].append(row)

    def known(self, name: str, period: tuple, day: date) -> Row | None:
        """The latest filing of one statement up to a day."""
        filings = [r for r in self.filed.get((name, period), []) if r["filing_date"] <= day]
        return max(filings, key=lambda row: row["filing_date"], default=None)

    def of(self, period: tuple, day: date) -> tuple[Row, Row, Row] | None:
        """All three statements of a period as known on a day, None if one is not."""
        three = tuple(self.known(name, period, day) for name in ("bs", "is", "cf"))
        return None if None in three else three

    def four(self, period: tuple, day: date) -> list[tuple[Row, Row, Row]] | None:
        """Statements of a quarter and the three before it, None if one is not known."""
        ticker, year, quarter, timeframe = period
        if timeframe != "quarterly":
            return None
        number = year * 4 + int(quarter[1]) - 1
        periods = [(ticker, n // 4, f"Q{n % 4 + 1}", timeframe) for n in range(number - 3, number)]
        found = [self.of(p, day) for p in [*periods, period]]
        return None if None in found else found


def calculated_ratios(statements: Statements, bars: list[Row]) -> list[Row]:
    """One row for each period and day on which its figures became known or changed."""
    days = defaultdict(set)
    for (_, period), filings in statements.filed.items():
        days[period] |= {row["filing_date"] for row in filings}
    closes = {(row["symbol"], row["date"]): row["close"] for row in bars}
    out = []
    for period in days:
        for day in days[period]:
            three = statements.of(period, day)
            if three:
                out.append(ratios_of(statements, period, day, three, closes))
    return out


def ratios_of(
    statements: Statements, period: tuple, day: date, three: tuple, closes: Mapping
) -> Row:
    """The row of one period as known on one day."""
    bs, income, cf = three
    ticker, year, quarter, timeframe = period
    row = {
        "ticker": ticker,
        "fiscal_year": year,
        "fiscal_period": quarter,
        "timeframe": timeframe,
        "filing_date": day,
        "end_date": income["end_date"],
        "balance_sheet_filing_date": bs["filing_date"],
        "income_statement_filing_date": income["filing_date"],
        "cash_flow_filing_date": cf["filing_date"],
        "quarter": f"{day.year}Q{(day.month + 2) // 3}",
    }
    row |= statement_ratios(bs, income, cf)
    now = {"bs": bs, "is": income, "cf": cf}
    for ratio, (name, value) in GROWTH.items():
        before = statements.known(name, (ticker, year - 1, quarter, timeframe), day)
        quotient = divided(now[name][value], before and before[value])
        row[ratio] = None if quotient is None else quotient - 1
    four = statements.four(period, day)
    row["revenue_ttm"] = added(s[1]["revenues"] for s in four or ())
    row["net_income_ttm"] = added(s[1]["net_income_loss"] for s in four or ())
    row["operating_income_ttm"] = added(s[1]["operating_income_loss"] for s in four or ())
    row["free_cash_flow_ttm"] = added(statement_ratios(*s)["free_cash_flow"] for s in four or ())
    row["roa_ttm"] = percent(row["net_income_ttm"], bs["assets"])
    row["roe_ttm"] = percent(row["net_income_ttm"], bs["equity"])
    sessions = [day - n * DAY for n in range(11) if (ticker, day - n * DAY) in closes]
    row["price_date"] = sessions[0] if sessions else None
    price = row["price"] = closes[ticker, sessions[0]] if sessions else None
    shares = row["shares"] = income["basic_average_shares"] or income["diluted_average_shares"]
    cap = row["market_cap"] = None if price is None or shares is None else price * shares
    value = difference(None if cap is None else cap + row["total_debt"], bs["cash"])
    row["enterprise_value"] = value
    row["price_to_earnings"] = divided(cap, row["net_income_ttm"])
    row["price_to_book"] = divided(cap, bs["equity"])
    row["price_to_sales"] = divided(cap, row["revenue_ttm"])
    row["ev_to_ebit"] = divided(value, row["operating_income_ttm"])
    return row


def added(values: Iterable[float | None]) -> float | None:
    """A sum, None where a part is or there are none."""
    values = list(values)
    return None if not values or None in values else sum(values)


def with_history(ratios: list[Row]) -> list[Row]:
    """Ratios with what superseded them: the next filing of the same period, if any."""
    period, out = ("ticker", "fiscal_year", "fiscal_period", "timeframe"), []
    for row in ratios:
        later = [
            other["filing_date"]
            for other in ratios
            if all(other[name] == row[name] for name in period)
            and other["filing_date"] > row["filing_date"]
        ]
        more = {"superseded": bool(later), "superseded_on": min(later, default=None)}
        out.append(row | {"source": "calculated"} | more)
    return out


# Qlib


def read_bin(file: Path) -> tuple[int, list[float]]:
    """Start index and values of one field of Qlib's binary format."""
    content = file.read_bytes()
    start, *values = struct.unpack(f"<{len(content) // 4}f", content)
    assert start == int(start)
    return int(start), values


def qlib_fields(row: Row, before: Row | None) -> dict[str, float | None]:
    """Fields of one gold daily bar; `before` is the symbol's bar before it."""
    fields = {name: row[f"adj_{name}"] for name in ("open", "high", "low", "close", "volume")}
    vwap = row["vwap"]
    return fields | {
        "factor": row["split_factor"],
        "vwap": None if vwap is None else vwap * row["split_factor"],
        "change": row["adj_close"] / before["adj_close"] - 1 if before else None,
        "transactions": row["transactions"],
        "total_return_factor": row["total_return_factor"],
        "volatility_20d": row["volatility_20d"],
        "volume_ratio_20d": row["volume_ratio_20d"],
    }
