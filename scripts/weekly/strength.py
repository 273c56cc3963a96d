"""Relative strength: a symbol's weekly price over that of a benchmark in the same week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from scripts.weekly import windows
from scripts.weekly.windows import lag

MARKET, EQUAL_WEIGHT = "SPY", "RSP"
FAMILIES = {  # benchmark's name in the feature -> column of the mappings, or the symbol itself
    "spy": MARKET,
    "rsp": EQUAL_WEIGHT,
    "sector": "sector_etf",
    "sector_ew": "equal_weight_etf",
    "subsector": "subsector_etf",
}
MAPPED = tuple(name for name in FAMILIES.values() if name.endswith("_etf"))
ENDINGS = ("", "_norm", "_slope4")
STRENGTH = tuple(f"w_rel_strength_{name}{ending}" for name in FAMILIES for ending in ENDINGS)
COMMON = 10  # weeks with the benchmark, before which there is no relative strength
NORM_BARS, NORM_LEAST, SLOPE_BARS = 12, 5, 4


@dataclass(frozen=True)
class Benchmarks:
    """Weekly prices of the benchmarks, and which of them each symbol is held against.

    Args:
        closes: symbol, week_end (Date), close (Float64) of every benchmark, a row a weekly bar.
        mappings: symbol and the columns `MAPPED` (null: none); a row a symbol.
    """

    closes: pl.DataFrame
    mappings: pl.DataFrame

    def align(
        self, bars: pl.DataFrame, starts: np.ndarray, *, parity: bool
    ) -> dict[str, np.ndarray]:
        """Family -> the benchmark's price in the week of each bar; NaN where it has no bar.

        Args:
            bars: symbol, week_end, sorted by them.
            starts: first bar of each symbol, and the number of bars.
            parity: a benchmark is also held against itself.
        """
        names = self.closes["symbol"].unique().sort()
        weeks = _weeks(self.closes["week_end"])
        origin, last = (weeks.min(), weeks.max()) if len(weeks) else (0, 0)
        table = np.full((len(names) + 1, last - origin + 3), np.nan)  # its edges stay empty
        rows = names.search_sorted(self.closes["symbol"]).to_numpy()
        table[rows, weeks - origin + 1] = self.closes["close"].to_numpy()
        column = np.clip(_weeks(bars["week_end"]) - origin + 1, 0, table.shape[1] - 1)
        against = self._against(bars["symbol"].gather(starts[:-1]), parity=parity)
        numbers = pl.DataFrame({"name": names, "row": np.arange(len(names))})
        found = {}
        for family in FAMILIES:
            chosen = against.select(name=family).join(
                numbers, on="name", how="left", maintain_order="left"
            )
            row = chosen["row"].fill_null(len(names)).to_numpy()
            found[family] = table[np.repeat(row, np.diff(starts)), column]
        return found

    def _against(self, symbols: pl.Series, *, parity: bool) -> pl.DataFrame:
        """Family -> benchmark of each symbol, null for none."""
        own = symbols.cast(pl.String).alias("symbol").to_frame()
        mapped = own.join(self.mappings, on="symbol", how="left", maintain_order="left")
        symbol = pl.col("symbol")
        chosen = []
        for family, name in FAMILIES.items():
            other = pl.col(name) if name in MAPPED else pl.lit(name)
            barred = symbol == MARKET if parity else (symbol == MARKET) | (symbol == other)
            chosen.append(
                pl.when(barred.fill_null(False)).then(None).otherwise(other).alias(family)
            )
        return mapped.select(*chosen)


def _weeks(week_end: pl.Series) -> np.ndarray:
    """Number of each week, of its Friday."""
    return week_end.to_physical().to_numpy().astype(np.int64) // 7


def features(
    family: str,
    close: np.ndarray,
    benchmark: np.ndarray,
    index: np.ndarray,
    count: np.ndarray,
    *,
    parity: bool,
) -> Mapping[str, np.ndarray]:
    """Relative strength against one benchmark: name -> one value a bar.

    Null before the `COMMON`th week that both have; in parity mode null throughout where the whole
    history has fewer, and from the first week on where it has more.

    Args:
        family: key of `FAMILIES`.
        close: weekly closes, symbol after symbol.
        benchmark: the benchmark's closes of the same weeks, NaN where it has none.
        index: which bar of its symbol each is, from 0.
        count: how many bars its symbol has.
        parity: as the peer does it.
    """
    present = ~np.isnan(benchmark)
    names = [f"w_rel_strength_{family}{ending}" for ending in ENDINGS]
    if not present.any():
        return {name: np.full_like(close, np.nan) for name in names}
    ratio = np.where(benchmark == 0, np.nan, close / benchmark)
    norm = ratio / windows.mean(ratio, index, NORM_BARS, NORM_LEAST) - 1
    slope = (ratio - lag(ratio, index, SLOPE_BARS)) / SLOPE_BARS
    place = np.arange(len(close))
    running = np.concatenate([[0], np.cumsum(present)])
    first = place - index
    until = first + count if parity else place + 1
    enough = running[until] - running[first] >= COMMON
    return {
        name: np.where(enough, values, np.nan)
        for name, values in zip(names, (ratio, norm, slope), strict=True)
    }
