"""Oracle of the weekly features: slow, obvious, plain Python; one symbol at a time.

Written only from the specification, to test an independent fast implementation; it shares nothing
with it. A column is a list of floats, one a bar; a null is None; every window is summed afresh.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import polars as pl

Row = dict[str, Any]
Values = list[float | None]
Mappings = Mapping[str, Mapping[str, str | None]]

BASE = ("symbol", "date", "open", "high", "low", "close", "volume")
PERIODS = (20, 50, 100, 200)
OF_MAPPING = {"sector": "sector_etf", "sector_ew": "equal_weight_etf", "subsector": "subsector_etf"}
FEATURES = (
    *("w_ret", "w_rsi_14", "w_rsi_21", "w_rsi_30", "w_macd_histogram", "w_macd_hist_deriv_ema3"),
    *(f"w_ma_{p}" for p in PERIODS),
    *(f"w_pct_slope_ma_{p}" for p in PERIODS),
    *(f"w_sign_ma_{p}" for p in PERIODS),
    *("w_trend_score_granular", "w_trend_score_sign", "w_trend_score_slope"),
    *("w_trend_persist_ema", "w_trend_alignment"),
    *(f"w_pct_dist_ma_{p}" for p in PERIODS),
    *(f"w_pct_dist_ma_{p}_z" for p in PERIODS),
    *("w_min_pct_dist_ma", "w_relative_dist_20_50", "w_relative_dist_20_50_z"),
    *(f"w_sma{p}" for p in PERIODS),
    *(
        f"w_rel_strength_{benchmark}{ending}"
        for benchmark in ("spy", "rsp", *OF_MAPPING)
        for ending in ("", "_norm", "_slope4")
    ),
)
ABOVE, BELOW, HORIZON = 3.0, 1.5, 20  # of the targets: barriers in ATRs, bars
TARGETS = {
    "symbol": pl.String,
    "date": pl.Date,
    "atr14": pl.Float64,
    "upper": pl.Float64,
    "lower": pl.Float64,
    "target": pl.Int8,
    "exit_date": pl.Date,
    "bars_held": pl.Int16,
    "target_return": pl.Float64,
    "weight": pl.Float64,
    "horizon_complete": pl.Boolean,
}


# Numbers


def known(value: Any) -> Any:
    """The value, None for NaN."""
    return None if value != value else value


def or_nan(value: float | None) -> float:
    """The value, NaN for None."""
    return math.nan if value is None else value


def quotient(above: float | None, below: float | None) -> float | None:
    """A quotient as IEEE has it: x/0 is infinite, 0/0 is NaN and so None."""
    if above is None or below is None:
        return None
    if below != 0:
        return known(above / below)
    if above == 0 or above != above:
        return None
    return math.copysign(math.inf, above) * math.copysign(1.0, below)


def minus(a: float | None, b: float | None) -> float | None:
    """A difference, None where a part is."""
    return None if a is None or b is None else known(a - b)


def sign(value: float) -> float:
    """1.0, -1.0 or 0.0."""
    return float((value > 0) - (value < 0))


def mean(values: Sequence[float]) -> float:
    """The mean; of equal values exactly that value."""
    if min(values) == max(values):
        return values[0]
    total = math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
    return total / len(values)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a population; of equal values exactly 0."""
    if min(values) == max(values):
        return 0.0
    middle = mean(values)
    return math.sqrt(mean([(v - middle) ** 2 for v in values]))


def single(value: float | None) -> float | None:
    """The value rounded to 32 bits."""
    return None if value is None else float(np.float32(value))


# Bars


def week_end(day: date) -> date:
    """The Friday on or after a day."""
    return day + timedelta((4 - day.weekday()) % 7)


def other_columns(frame: pl.DataFrame) -> list[str]:
    """Numeric columns beyond OHLCV, in order."""
    return [name for name, kind in frame.schema.items() if name not in BASE and kind.is_numeric()]


def rows_of(frame: pl.DataFrame) -> dict[str, list[Row]]:
    """Symbol -> its rows in order of date, NaN as None."""
    out = defaultdict(list)
    for row in frame.sort("symbol", "date").iter_rows(named=True):
        out[row["symbol"]].append({name: known(value) for name, value in row.items()})
    return dict(out)


def weekly_bars(frame: pl.DataFrame, price: str = "close") -> dict[str, list[Row]]:
    """Symbol -> its weekly bars, oldest first; weeks without a price are left out."""
    others, out = other_columns(frame), {}
    for symbol, rows in rows_of(frame).items():
        weeks = defaultdict(list)
        for row in rows:
            weeks[week_end(row["date"])].append(row)
        bars = [weekly_bar(friday, weeks[friday], price, others) for friday in sorted(weeks)]
        out[symbol] = [bar for bar in bars if bar["price"] is not None]
    return out


def weekly_bar(friday: date, rows: list[Row], price: str, others: list[str]) -> Row:
    """The bar of one week's rows."""

    def filled(name: str) -> list:
        return [row[name] for row in rows if row[name] is not None]

    def last(name: str) -> Any:
        return next(reversed(filled(name)), None)

    return {
        "week_end": friday,
        "open": next(iter(filled("open")), None),
        "high": max(filled("high"), default=None),
        "low": min(filled("low"), default=None),
        "close": last("close"),
        "volume": sum(filled("volume")),
        "price": last(price),
        **{name: last(name) for name in others},
    }


# Features


def rolling(
    values: Values, window: int, least: int, of: Callable[[list[float]], float] = mean
) -> Values:
    """A statistic of the non-null values in the last `window` slots, if there are `least`."""
    out = []
    for i in range(len(values)):
        seen = [v for v in values[max(i - window + 1, 0) : i + 1] if v is not None]
        out.append(known(of(seen)) if len(seen) >= least else None)
    return out


def z_scores(values: Values) -> Values:
    """Distance from the mean of 12 bars in standard deviations; None where there is no spread."""
    means, spreads = rolling(values, 12, 5), rolling(values, 12, 5, deviation)
    return [
        quotient(minus(v, m), s or None) for v, m, s in zip(values, means, spreads, strict=True)
    ]


def log(value: float) -> float:
    """The natural logarithm; of 0 -inf, of less NaN."""
    return math.log(value) if value > 0 else math.nan if value < 0 else -math.inf


def returns(c: list[float]) -> Values:
    """Log returns."""
    return [known(log(c[i]) - log(c[i - 1])) if i else None for i in range(len(c))]


def rsi(c: list[float], period: int) -> Values:
    """Relative strength index: means over all differences so far, weighted (1 - 1/period)^age."""
    out: Values = [None] * len(c)
    for i in range(period, len(c)):
        d = np.diff(c[: i + 1])
        weights = (1 - 1 / period) ** np.arange(len(d) - 1, -1, -1)
        up = float(np.sum(weights * np.maximum(d, 0)) / np.sum(weights))
        down = float(np.sum(weights * np.maximum(-d, 0)) / np.sum(weights))
        out[i] = quotient(100 * up, up + down)
    return out


def seeded_ema(values: list[float], k: int) -> Values:
    """EMA that starts, at index k-1, from the mean of the first k values."""
    out: Values = [None] * len(values)
    if len(values) >= k:
        out[k - 1] = e = mean(values[:k])
        for i in range(k, len(values)):
            e += 2 / (k + 1) * (values[i] - e)
            out[i] = e
    return out


def ema(values: list[float], span: int) -> list[float]:
    """EMA that starts from the first value (adjust=False)."""
    alpha, out = 2 / (span + 1), values[:1]
    for value in values[1:]:
        out.append(alpha * value + (1 - alpha) * out[-1])
    return out


def macd_histogram(c: list[float]) -> Values:
    """MACD 12/26 minus its signal 9; from bar 33."""
    macd = list(map(minus, seeded_ema(c, 12), seeded_ema(c, 26)))
    signal = [None] * min(len(c), 25) + seeded_ema([or_nan(value) for value in macd[25:]], 9)
    return list(map(minus, macd, signal))


def macd_derivative(histogram: Values) -> Values:
    """EMA 3 of the differences of the histogram in 32 bits; from bar 34."""
    stored = [single(value) for value in histogram[33:]]
    differences = [or_nan(minus(b, a)) for a, b in pairwise(stored)]
    out: Values = [None] * min(len(histogram), 34)
    return out + [known(value) for value in ema(differences, 3)]


def trend_sign(slope: float | None) -> float:
    """Which way an average goes."""
    if slope is None or -1e-5 <= slope <= 1e-5:
        return 0.0
    return sign(slope)


def price_features(c: list[float], *, parity: bool) -> dict[str, Values]:
    """All features that need no benchmark, of the weekly prices of one symbol."""
    n = len(c)
    out: dict[str, Values] = {"w_ret": returns(c)}
    for p in (14, 21, 30):
        out[f"w_rsi_{p}"] = rsi(c, p)
    out["w_macd_histogram"] = macd_histogram(c)
    out["w_macd_hist_deriv_ema3"] = macd_derivative(out["w_macd_histogram"])

    ma = {p: rolling(c, p, max(5, p // 2)) for p in PERIODS}
    slope = {
        p: [minus(quotient(ma[p][i], ma[p][i - 4]), 1.0) if i >= 4 else None for i in range(n)]
        for p in PERIODS
    }
    signs = {p: [trend_sign(value) for value in slope[p]] for p in PERIODS}
    for p in PERIODS:
        out[f"w_ma_{p}"] = ma[p]
        out[f"w_pct_slope_ma_{p}"] = slope[p]
        out[f"w_sign_ma_{p}"] = signs[p]

    ups = [sum(signs[p][i] == 1 for p in PERIODS) for i in range(n)]
    downs = [sum(signs[p][i] == -1 for p in PERIODS) for i in range(n)]
    score = [(u - d) / (u + d) if u + d else 0.0 for u, d in zip(ups, downs, strict=True)]
    score_sign = [sign(value) for value in score]
    out["w_trend_score_granular"] = score
    out["w_trend_score_sign"] = score_sign
    out["w_trend_score_slope"] = [score[i] - score[i - 1] if i else None for i in range(n)]
    out["w_trend_persist_ema"] = ema(score_sign, 10)
    out["w_trend_alignment"] = [
        u / (u + d) if u + d else None for u, d in zip(ups, downs, strict=True)
    ]

    distance = {
        p: [quotient(minus(x, m), m) if m else None for x, m in zip(c, ma[p], strict=True)]
        for p in PERIODS
    }
    for p in PERIODS:
        out[f"w_pct_dist_ma_{p}"] = distance[p]
        out[f"w_pct_dist_ma_{p}_z"] = z_scores(distance[p])
    out["w_min_pct_dist_ma"] = [
        min((abs(distance[p][i]) for p in PERIODS if distance[p][i] is not None), default=None)
        for i in range(n)
    ]
    relative = [quotient(minus(a, b), b) for a, b in zip(ma[20], ma[50], strict=True)]
    out["w_relative_dist_20_50"] = relative
    out["w_relative_dist_20_50_z"] = z_scores(relative)

    for p in PERIODS:
        out[f"w_sma{p}"] = rolling(c, p, p if parity and n >= p else p // 2)
    return out


def relative_strength(bars: list[Row], benchmark: list[Row], *, parity: bool) -> list[Values]:
    """Price over the benchmark's of the same week, against its own mean, and its slope."""
    price_of = {bar["week_end"]: bar["price"] for bar in benchmark}
    common = [bar["week_end"] in price_of for bar in bars]
    rs = []
    for bar in bars:
        below = price_of.get(bar["week_end"])
        rs.append(quotient(bar["price"], below) if below else None)
    norm = [minus(quotient(r, m), 1.0) for r, m in zip(rs, rolling(rs, 12, 5), strict=True)]
    slope = [quotient(minus(rs[i], rs[i - 4]), 4.0) if i >= 4 else None for i in range(len(rs))]

    seen = list(accumulate(common, initial=0))  # before bar i, at i + 1 up to and with it
    return [
        [value if seen[-1 if parity else i + 1] >= 10 else None for i, value in enumerate(values)]
        for values in (rs, norm, slope)
    ]


def features_of(
    symbol: str, bars_of: Mapping[str, list[Row]], mappings: Mappings, *, parity: bool
) -> dict[str, Values]:
    """The 53 features of one symbol."""
    bars, mapping = bars_of[symbol], mappings.get(symbol, {})
    out = price_features([float(bar["price"]) for bar in bars], parity=parity)
    benchmarks = {"spy": "SPY", "rsp": "RSP"}
    benchmarks |= {name: mapping.get(key) for name, key in OF_MAPPING.items()}
    for name, benchmark in benchmarks.items():
        without = symbol == "SPY" or (symbol == benchmark and not parity)
        others = [] if without else bars_of.get(benchmark, [])
        columns = relative_strength(bars, others, parity=parity)
        for ending, values in zip(("", "_norm", "_slope4"), columns, strict=True):
            out[f"w_rel_strength_{name}{ending}"] = values
    return {name: out[name] for name in FEATURES}


def weekly_features(
    frame: pl.DataFrame,
    mappings: Mappings,
    *,
    mode: str,
    price: str = "close",
    lags: Sequence[int] = (),
    lagged: Sequence[str] = (),
) -> pl.DataFrame:
    """One row a weekly bar: symbol, week_end, the features, the carried columns, their lags."""
    if mode not in ("parity", "default"):
        raise ValueError(f"mode must be parity or default, not {mode!r}")
    carried = {f"w_{name}": name for name in other_columns(frame)}
    if mode == "default" and carried.keys() & set(FEATURES):
        raise ValueError(f"these would replace features: {carried.keys() & set(FEATURES)}")
    bars_of = weekly_bars(frame, price)
    columns: dict[str, list] = defaultdict(list)
    for symbol, bars in sorted(bars_of.items()):
        of_symbol = features_of(symbol, bars_of, mappings, parity=mode == "parity")
        for name, source in carried.items():
            values = [bar[source] for bar in bars]
            of_symbol[name] = [None if value is None else float(value) for value in values]
        for lag in lags:
            for name in lagged:
                shifted = [None] * lag + of_symbol[name]
                of_symbol[f"{name}_lag{lag}w"] = shifted[: len(bars)]
        columns["symbol"] += [symbol] * len(bars)
        columns["week_end"] += [bar["week_end"] for bar in bars]
        for name, values in of_symbol.items():
            columns[name] += values
    names = dict.fromkeys([*FEATURES, *carried])
    names |= dict.fromkeys(f"{name}_lag{lag}w" for lag in lags for name in lagged)
    return pl.DataFrame(
        [
            pl.Series("symbol", columns["symbol"], pl.String),
            pl.Series("week_end", columns["week_end"], pl.Date),
            *(pl.Series(name, columns[name], pl.Float64).cast(pl.Float32) for name in names),
        ]
    )


# Daily rows


def business_days(after: date, until: date) -> int:
    """Mondays to Fridays after a day, up to and with another."""
    days = (after + timedelta(n) for n in range(1, (until - after).days + 1))
    return sum(day.weekday() < 5 for day in days)


def daily_features(
    frame: pl.DataFrame,
    mappings: Mappings,
    *,
    mode: str,
    price: str = "close",
    lags: Sequence[int] = (),
    lagged: Sequence[str] = (),
    visible_from: str = "same_day",
    stale_after: int | None = 10,
) -> pl.DataFrame:
    """All daily rows as they are, each with the weekly features visible on its date."""
    if visible_from not in ("same_day", "next_day"):
        raise ValueError(f"visible_from must be same_day or next_day, not {visible_from!r}")
    if mode == "parity":
        visible_from, stale_after = "same_day", None
    weekly = weekly_features(frame, mappings, mode=mode, price=price, lags=lags, lagged=lagged)
    fridays, first = defaultdict(list), {}
    for number, (symbol, friday) in enumerate(weekly.select("symbol", "week_end").iter_rows()):
        first.setdefault(symbol, number)
        fridays[symbol].append(friday)
    before = bisect_right if visible_from == "same_day" else bisect_left
    daily, found = frame.sort("symbol", "date"), []
    for symbol, day in daily.select("symbol", "date").iter_rows():
        bars = fridays[symbol]
        count = before(bars, day)
        age = business_days(bars[count - 1], day) if count else None
        shown = count and (stale_after is None or age <= stale_after)
        found.append(first[symbol] + count - 1 if shown else None)
    added = []
    for column in weekly.drop("symbol", "week_end").iter_columns():
        values = column.to_list()
        taken = [None if number is None else values[number] for number in found]
        added.append(pl.Series(column.name, taken, pl.Float32))
    return daily.hstack(added)


# Targets


def targets(frame: pl.DataFrame, price: str = "close") -> pl.DataFrame:
    """Which barrier a long trade entered at each close meets first, and how unique that is."""
    out = []
    for symbol, rows in rows_of(frame).items():
        needed = ("open", "high", "low", "close", price)
        of_date = {
            row["date"]: scaled(row, price)
            for row in rows
            if all(row[name] is not None and row[name] > 0 for name in needed)
        }
        days = sorted(of_date)
        labels = dict(zip(days, labels_of(days, [of_date[day] for day in days]), strict=True))
        for row in rows:
            empty = dict.fromkeys(TARGETS) | {"symbol": symbol, "date": row["date"]}
            out.append(empty | labels.get(row["date"], {}))
    return pl.DataFrame(out, schema=TARGETS, orient="row")


def scaled(row: Row, price: str) -> Row:
    """Open, high, low and close of a bar in units of its price."""
    factor = 1.0
    if price != "close":
        factor = or_nan(quotient(row[price], row["close"]))
    return {name: row[name] * factor for name in ("open", "high", "low", "close")}


def labels_of(days: list[date], bars: list[Row]) -> list[Row]:
    """The target columns of each bar of one symbol."""
    atr = true_range_averages(bars)
    labels = [label(i, days, bars, atr[i]) for i in range(len(bars))]
    spans = {  # labelled bar -> bars of its trade
        i: range(i + 1, i + 1 + row["bars_held"])
        for i, row in enumerate(labels)
        if row.get("target") is not None
    }
    concurrent = [0] * len(bars)
    for span in spans.values():
        for j in span:
            concurrent[j] += 1
    for i, span in spans.items():
        labels[i]["weight"] = mean([1 / concurrent[j] for j in span])
    return labels


def true_range_averages(bars: list[Row]) -> Values:
    """Wilder's average true range over 14 bars; from bar 14."""
    ranges = []
    for before, bar in pairwise(bars):
        high, low, close = bar["high"], bar["low"], before["close"]
        ranges.append(float(np.max([high - low, abs(high - close), abs(low - close)])))  # NaN stays
    out: Values = [None] * min(len(bars), 14)
    for i in range(14, len(bars)):
        out.append(mean(ranges[:14]) if i == 14 else (13 * out[-1] + ranges[i - 1]) / 14)
    return out


def label(i: int, days: list[date], bars: list[Row], atr: float | None) -> Row:
    """The target columns of one bar, all but the weight."""
    atr = None if atr is None else known(atr)
    out: Row = {"atr14": atr, "horizon_complete": i + HORIZON < len(bars)}
    if not atr:
        return out
    close = bars[i]["close"]
    upper, lower = close + ABOVE * atr, close - BELOW * atr
    if upper == close or lower == close:  # a halted price: no barrier that could be told from it
        return out
    out |= {"upper": known(upper), "lower": known(lower)}
    for j in range(i + 1, min(i + HORIZON, len(bars) - 1) + 1):
        bar = bars[j]
        if bar["low"] <= lower:  # asked first: of both in one bar the stop counts
            target, leaves = -1, min(lower, bar["open"])
        elif bar["high"] >= upper:
            target, leaves = 1, max(upper, bar["open"])
        elif j == i + HORIZON:
            target, leaves = 0, bar["close"]
        else:
            continue
        gain = minus(quotient(leaves, close), 1.0)
        held = {"exit_date": days[j], "bars_held": j - i}
        return out | held | {"target": target, "target_return": gain}
    return out
