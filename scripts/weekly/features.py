"""The weekly features: one row a weekly bar, all symbols at once.

Formulas: docs/weekly.md. Computed in 64 bits, stored in 32; NaN means null.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
import polars as pl

from scripts.errors import DataError
from scripts.weekly import strength, windows
from scripts.weekly.layout import bar_index, blocks, symbol_starts
from scripts.weekly.strength import STRENGTH, Benchmarks
from scripts.weekly.windows import lag

OHLCV = ("open", "high", "low", "close", "volume")
AVERAGES = (20, 50, 100, 200)  # bars
RSI = (14, 21, 30)
FAST, SLOW, SIGNAL = 12, 26, 9  # MACD
FLAT = 1e-5  # a slope within it is none
Z_BARS, Z_LEAST = 12, 5
SLOPE_BARS = 4


def of_averages(*names: str) -> list[str]:
    """Names with each period in the place of {}, one name after the other."""
    return [name.format(bars) for name in names for bars in AVERAGES]


OWN = (  # of the symbol's own price
    "w_ret",
    *(f"w_rsi_{bars}" for bars in RSI),
    "w_macd_histogram",
    "w_macd_hist_deriv_ema3",
    *of_averages("w_ma_{}", "w_pct_slope_ma_{}", "w_sign_ma_{}"),
    "w_trend_score_granular",
    "w_trend_score_sign",
    "w_trend_score_slope",
    "w_trend_persist_ema",
    "w_trend_alignment",
    *of_averages("w_pct_dist_ma_{}", "w_pct_dist_ma_{}_z"),
    "w_min_pct_dist_ma",
    "w_relative_dist_20_50",
    "w_relative_dist_20_50_z",
    *of_averages("w_sma{}"),
)
FEATURES = (*OWN, *STRENGTH)
BLOCK = 2**15  # bars worked on at once: their arrays stay in the cache


def own_features(
    close: np.ndarray, index: np.ndarray, count: np.ndarray, *, parity: bool
) -> dict[str, np.ndarray]:
    """The features `OWN`: name -> one value a bar.

    Args:
        close: weekly closes, finite, symbol after symbol.
        index: which bar of its symbol each is, from 0.
        count: how many bars its symbol has; looked at in parity mode alone.
        parity: as the peer does it.
    """
    change = np.where(index > 0, close - lag(close, index, 1), 0.0)
    found = {"w_ret": np.log(close) - np.log(lag(close, index, 1))}
    for bars in RSI:
        decay = 1 - 1 / bars
        up, down = (
            windows.decayed_sum(np.maximum(part, 0), index, decay) for part in (change, -change)
        )
        found[f"w_rsi_{bars}"] = np.where(index >= bars, 100 * up / (up + down), np.nan)
    found |= _macd(close, index)
    found |= _trend(close, index, count, parity=parity)
    return {name: found[name] for name in OWN}


def _macd(close: np.ndarray, index: np.ndarray) -> dict[str, np.ndarray]:
    macd = windows.seeded_ema(close, index, FAST) - windows.seeded_ema(close, index, SLOW)
    histogram = macd - windows.seeded_ema(macd, index, SIGNAL, SLOW - 1)
    stored = histogram.astype(np.float32).astype(float)
    first = SLOW + SIGNAL - 1  # the second bar with a histogram
    derivative = windows.ema(stored - lag(stored, index, 1), index, 0.5, first)
    return {"w_macd_histogram": histogram, "w_macd_hist_deriv_ema3": derivative}


def _trend(
    close: np.ndarray, index: np.ndarray, count: np.ndarray, *, parity: bool
) -> dict[str, np.ndarray]:
    found = {}
    of = windows.windows(close, index, AVERAGES)
    positive, negative = np.zeros_like(close), np.zeros_like(close)
    nearest = np.full_like(close, np.nan)
    averages = {}
    for bars in AVERAGES:
        half = bars // 2
        average = averages[bars] = np.where(index + 1 >= max(5, half), of[bars].mean, np.nan)
        least = np.where(count >= bars, bars, half) if parity else half
        slope = average / lag(average, index, SLOPE_BARS) - 1
        rising, falling = slope > FLAT, slope < -FLAT
        distance = np.where(average == 0, np.nan, (close - average) / average)
        found[f"w_ma_{bars}"] = average
        found[f"w_sma{bars}"] = np.where(index + 1 >= least, of[bars].mean, np.nan)
        found[f"w_pct_slope_ma_{bars}"] = slope
        found[f"w_sign_ma_{bars}"] = rising.astype(float) - falling
        found[f"w_pct_dist_ma_{bars}"] = distance
        found[f"w_pct_dist_ma_{bars}_z"] = windows.z_score(distance, index, Z_BARS, Z_LEAST)
        positive += rising
        negative += falling
        nearest = np.fmin(nearest, np.abs(distance))
    relative = (averages[20] - averages[50]) / averages[50]
    moving = positive + negative
    score = np.where(moving == 0, 0.0, (positive - negative) / moving)
    return found | {
        "w_min_pct_dist_ma": nearest,
        "w_relative_dist_20_50": relative,
        "w_relative_dist_20_50_z": windows.z_score(relative, index, Z_BARS, Z_LEAST),
        "w_trend_score_granular": score,
        "w_trend_score_sign": np.sign(score),
        "w_trend_score_slope": score - lag(score, index, 1),
        "w_trend_persist_ema": windows.ema(np.sign(score), index, 1 - 2 / 11, 0),
        "w_trend_alignment": np.where(moving == 0, np.nan, positive / moving),
    }


def lagged_names(lags: Sequence[int], columns: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Name of a lagged column -> the column, and its lag in weekly bars."""
    return {f"{column}_lag{bars}w": (column, bars) for bars in lags for column in columns}


def check_names(
    carried: Sequence[str], lags: Sequence[int], lagged: Sequence[str], *, parity: bool
) -> None:
    """Whether the columns of the output can be told apart.

    Args:
        carried: other numeric columns of the input, without their w_.
        lags: weekly bars.
        lagged: columns to lag, as they are named in the output.
        parity: a carried column then takes the place of the feature of its name.

    Raises:
        DataError: a collision, or an unknown column to lag.
    """
    known = [*FEATURES, *(f"w_{name}" for name in carried)]
    if unknown := [name for name in lagged if name not in known]:
        near = get_close_matches(unknown[0], known, n=1)
        raise DataError(
            f"weekly.lags.columns: no weekly column {unknown[0]}; "
            + (f"did you mean {near[0]}?" if near else "docs/data.md lists them")
        )
    if twice := [name for name in lagged_names(lags, lagged) if name in known]:
        raise DataError(f"column {twice[0][2:]} would come out as the lag {twice[0]}; rename it")
    clash = sorted({f"w_{name}" for name in carried} & set(FEATURES))
    if clash and not parity:
        raise DataError(
            f"column {clash[0][2:]} would take the place of the feature {clash[0]}; rename it, or "
            "leave it out by weekly.columns"
        )


def calculate(
    bars: pl.DataFrame,
    benchmarks: Benchmarks,
    *,
    price: str,
    parity: bool,
    lags: Sequence[int] = (),
    lagged: Sequence[str] = (),
) -> pl.DataFrame:
    """Features of weekly bars.

    Args:
        bars: columns as `bars.resample` gives them, sorted by symbol, week_end.
        benchmarks: closes of the benchmarks, and which symbol is held against which.
        price: column that the features are computed from.
        parity: as the peer does it (docs/weekly.md lists the differences).
        lags: weekly bars.
        lagged: columns that are lagged by each of `lags`.

    Returns:
        symbol, week_end; `FEATURES`, w_<name> of every other column of the bars, and the lagged
        columns, Float32. A row for each bar, in the same order.

    Raises:
        DataError: as `check_names`.
    """
    carried = [name for name in bars.columns if name not in ("symbol", "week_end", *OHLCV)]
    check_names(carried, lags, lagged, parity=parity)
    names = list(dict.fromkeys([*FEATURES, *(f"w_{name}" for name in carried)]))
    out = {name: np.empty(bars.height, np.float32) for name in names}
    close = bars[price].to_numpy().astype(float)
    starts = symbol_starts(bars["symbol"])
    counts = np.diff(starts)
    index = bar_index(starts)
    aligned = benchmarks.align(bars, starts, parity=parity)
    with np.errstate(all="ignore"):  # NaN and infinities are values here
        for first, end in blocks(starts, BLOCK):
            part = slice(starts[first], starts[end])
            place, count = index[part], np.repeat(counts[first:end], counts[first:end])
            found = own_features(close[part], place, count, parity=parity)
            for family, other in aligned.items():
                found |= strength.features(
                    family, close[part], other[part], place, count, parity=parity
                )
            for name, values in found.items():
                out[name][part] = values
        for name in carried:
            out[f"w_{name}"][:] = bars[name].cast(pl.Float64).to_numpy()
        for name, (column, back) in lagged_names(lags, lagged).items():
            out[name] = lag(out[column], index, back)
    columns = [pl.Series(name, values).fill_nan(None) for name, values in out.items()]
    return bars.select("symbol", "week_end").hstack(columns)
