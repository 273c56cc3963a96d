"""Weekly bars of a batch and the benchmarks -> weekly features."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts.tables import Column, scan, write
from scripts.weekly import batches
from scripts.weekly.build_bars import COLUMNS as BARS
from scripts.weekly.build_bars import with_batch
from scripts.weekly.features import AVERAGES, RSI, calculate
from scripts.weekly.mappings import NONE, read_mappings
from scripts.weekly.panel import price_column
from scripts.weekly.strength import FAMILIES, MAPPED, Benchmarks


def meanings() -> dict[str, str]:
    """Feature -> what it means, in the order of the file."""
    found = {"w_ret": "ln of this week's close over the last one's"}
    for bars in RSI:
        found[f"w_rsi_{bars}"] = f"relative strength index, 0 to 100, EWM of alpha 1/{bars}"
    found["w_macd_histogram"] = "MACD(12, 26) minus its signal (9), SMA-seeded, price units"
    found["w_macd_hist_deriv_ema3"] = "EMA(3) of the histogram's change, price units"
    of = {n: max(5, n // 2) for n in AVERAGES}
    found |= {f"w_ma_{n}": f"mean of {n} weekly closes ({of[n]} at least)" for n in of}
    found |= {f"w_pct_slope_ma_{n}": f"w_ma_{n} / that of 4 bars before - 1" for n in of}
    found |= {f"w_sign_ma_{n}": "1, 0 or -1: that slope beyond 1e-5, within, below" for n in of}
    found |= {
        "w_trend_score_granular": "(rising - falling) / (rising + falling) averages; 0 for none",
        "w_trend_score_sign": "its sign",
        "w_trend_score_slope": "its change from the bar before",
        "w_trend_persist_ema": "EMA(10) of its sign, from the first bar",
        "w_trend_alignment": "rising / (rising + falling) averages; null for none",
    }
    found |= {f"w_pct_dist_ma_{n}": f"close / w_ma_{n} - 1" for n in of}
    found |= {f"w_pct_dist_ma_{n}_z": "its z-score over 12 bars (5 at least)" for n in of}
    found |= {
        "w_min_pct_dist_ma": "least distance from an average, without sign",
        "w_relative_dist_20_50": "w_ma_20 / w_ma_50 - 1",
        "w_relative_dist_20_50_z": "its z-score over 12 bars (5 at least)",
    }
    found |= {f"w_sma{n}": f"mean of {n} weekly closes ({n // 2} at least)" for n in of}
    for name, benchmark in FAMILIES.items():
        benchmark = f"the mapped {benchmark}" if benchmark in MAPPED else benchmark
        found[f"w_rel_strength_{name}"] = f"close / close of {benchmark} in the same week"
        found[f"w_rel_strength_{name}_norm"] = "that / its mean over 12 bars - 1"
        found[f"w_rel_strength_{name}_slope4"] = "its change over 4 bars, a bar"
    return found


COLUMNS = {
    "symbol": BARS["symbol"],
    "week_end": BARS["week_end"],
    **{name: Column(pl.Float32, text) for name, text in meanings().items()},
    "batch": BARS["batch"],
}
# `<...>` stands for any number of columns, in the order of the input and of the config.
OTHERS = {  # before batch
    "w_<numeric column of the input>": Column(pl.Float32, "its last value of the week"),
    "w_<column>_lag<n>w": Column(pl.Float32, "column of weekly.lags, n weekly bars before"),
}


def build(
    *,
    bars: Path,
    benchmarks: Path,
    mappings: Sequence[Path],
    adjusted_close: str | None,
    parity: bool,
    lags: Sequence[int],
    lagged: Sequence[str],
    batch: int,
    batches_in_all: int,
    memory_limit_mb: int,
    out: Path,
) -> dict:
    """Write the features of a batch's weekly bars.

    Args:
        bars: as `build_bars` writes them.
        benchmarks: as `build_benchmarks` writes them.
        mappings: none, or one CSV.
        adjusted_close: column that features are computed from, where it is there; None: close.
        parity: as the peer does it.
        lags: weekly bars.
        lagged: columns of the output to shift by them.
        batch: number of the batch.
        batches_in_all: number of batches.
        memory_limit_mb: what the job may take.
        out: parquet of `COLUMNS` and `OTHERS`, sorted by symbol, week_end.

    Returns:
        the number of rows.

    Raises:
        DataError: as `mappings.read_mappings`, `features.check_names` and `batches.check_memory`.
    """
    weekly = scan([bars]).drop("batch").collect()
    width = len(COLUMNS) + len(weekly.columns) + len(lags) * len(lagged)
    need = batches.features_need(weekly.height, width)
    batches.check_memory(
        need, f"{weekly.height:,} weekly bars", batch, batches_in_all, memory_limit_mb
    )
    table = Benchmarks(
        pl.read_parquet(benchmarks), read_mappings(mappings[0]) if mappings else NONE
    )
    price = price_column(weekly.columns, adjusted_close)
    frame = calculate(weekly, table, price=price, parity=parity, lags=lags, lagged=lagged)
    write(with_batch(frame, batch), out)
    return {"rows": frame.height}


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                bars=Path(snakemake.input.bars),  # noqa: F821
                benchmarks=Path(snakemake.input.benchmarks),  # noqa: F821
                mappings=[Path(path) for path in snakemake.input.get("mappings", [])],  # noqa: F821
                adjusted_close=snakemake.params.adjusted_close,  # noqa: F821
                parity=snakemake.params.parity,  # noqa: F821
                lags=snakemake.params.lags,  # noqa: F821
                lagged=snakemake.params.lagged,  # noqa: F821
                batch=int(snakemake.wildcards.batch),  # noqa: F821
                batches_in_all=snakemake.params.batches,  # noqa: F821
                memory_limit_mb=snakemake.resources.memory_limit_mb,  # noqa: F821
                out=Path(snakemake.output.features),  # noqa: F821
            ),
        )
