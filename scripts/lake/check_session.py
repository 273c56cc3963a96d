"""Account for every row of a day, from flat files to gold; compare minutes with daily bars."""

import json
from collections.abc import Mapping, Sequence
from datetime import date as Date  # noqa: N812
from math import isclose
from pathlib import Path

import polars as pl

from scripts import tables
from scripts.errors import DataError
from scripts.lake.bars import is_options, total
from scripts.lake.inputs import as_paths
from scripts.lake.universe import keep, read_universe

DATASETS = ("options_daily", "options_minute", "stocks_daily", "stocks_minute")
FIELDS = ("open", "high", "low", "close", "volume", "transactions")
CLOSE = 1e-12  # relative: sums of the same volumes differ only by rounding
SHOWN = 20


def account(
    dataset: str, day: str, files: Mapping[str, Sequence[Path]], symbols: Sequence[str] | None
) -> dict:
    """The account of one dataset on one day.

    Args:
        dataset: one of `DATASETS`.
        day: YYYY-MM-DD.
        files: as in `check`.
        symbols: the universe; None: all.

    Returns:
        rows_in, good, quarantined, out (rows in gold), outside_universe (rows of bronze that gold
        leaves out), volume_in, volume_bronze, volume_out; what concerns gold is null without gold.

    Raises:
        DataError: rows or volume were lost or added on the way.
    """
    reconcile, bronze = files[f"reconcile_{dataset}"][0], files[f"bronze_{dataset}"][0]
    gold = [*files.get(f"gold_{dataset}", []), None][0]
    told = json.loads(reconcile.read_text(encoding="utf-8"))["days"].get(day)
    if told is None:
        raise DataError(f"{reconcile}: no {day} among days; delete it to have it made again")
    if told["rows_in"] != told["good"] + told["quarantined"]:
        raise DataError(
            f"{reconcile}, days, {day}: rows_in {told['rows_in']} is not good {told['good']} + "
            f"quarantined {told['quarantined']}; delete it to have it made again"
        )
    name = "underlying" if is_options(dataset) else "symbol"
    rows = rows_of(bronze, day, [name, "volume"])
    report = {
        "rows_in": told["rows_in"],
        "good": told["good"],
        "quarantined": told["quarantined"],
        "out": None,
        "outside_universe": None,
        "volume_in": told["volume"],
        "volume_bronze": total(rows["volume"]),
        "volume_out": None,
    }
    compare(bronze, day, rows, told["good"], told["volume"], reconcile)
    if gold:
        wanted, kept = keep(rows, symbols, name), rows_of(gold, day, ["volume"])
        compare(gold, day, kept, wanted.height, total(wanted["volume"]), bronze)
        report["out"] = kept.height
        report["outside_universe"] = rows.height - wanted.height
        report["volume_out"] = total(kept["volume"])
    return report


def rows_of(file: Path, day: str, names: Sequence[str]) -> pl.DataFrame:
    """Columns of a partition's rows of one day."""
    of_day = pl.col("date") == Date.fromisoformat(day)
    return tables.scan([file]).filter(of_day).select(names).collect()


def compare(
    file: Path, day: str, found: pl.DataFrame, rows: int, volume: float, source: Path
) -> None:
    """Raise DataError unless `found`, rows of `file`, has the rows and volume of its source."""
    place, fix = f"{file}, {day}", "delete it to have it made again"
    if found.height != rows:
        raise DataError(f"{place}: {found.height} rows, but {rows} in {source}; {fix}")
    if not isclose(total(found["volume"]), volume, rel_tol=CLOSE):
        raise DataError(
            f"{place}: volume {total(found['volume'])!r}, but {volume!r} in {source}; {fix}"
        )


def compare_bars(minute: pl.DataFrame, day: pl.DataFrame) -> dict:
    """Bars of the day rebuilt from minutes beside the vendor's own.

    The two need not agree: the vendor's daily bar also knows odd lots and late trades.

    Args:
        minute, day: symbol and `FIELDS`, each symbol once.

    Returns:
        compared: symbols in both; equal: those with all fields equal (volume to a relative 1e-12);
        different: the first 20 fields that are not, {symbol, field, minute, day}; only_minute,
        only_day: symbols in one alone.
    """
    both = minute.join(day, on="symbol", suffix="_day").sort("symbol")
    size = pl.max_horizontal("volume", "volume_day")
    same = {name: pl.col(name) == pl.col(f"{name}_day") for name in FIELDS}
    same["volume"] = (pl.col("volume") - pl.col("volume_day")).abs() <= CLOSE * size
    equal = both.select(pl.all_horizontal(same.values())).to_series()
    different = [
        {"symbol": row["symbol"], "field": name, "minute": row[name], "day": row[f"{name}_day"]}
        for row in both.with_columns(**{f"same_{name}": same[name] for name in FIELDS})
        .filter(~equal)
        .head(SHOWN)
        .iter_rows(named=True)
        for name in FIELDS
        if not row[f"same_{name}"]
    ]
    return {
        "compared": both.height,
        "equal": int(equal.sum()),
        "different": different[:SHOWN],
        "only_minute": minute.height - both.height,
        "only_day": day.height - both.height,
    }


def check(*, date: str, files: Mapping[str, Sequence[Path]], out: Path) -> dict:
    """Write the account of one day.

    Args:
        date: YYYY-MM-DD.
        files: for each flat dataset of the day reconcile_<dataset>, bronze_<dataset> and, where it
            has one, gold_<dataset>; session_bars; universe. A name that does not apply is absent.
        out: JSON {date, datasets: {dataset: `account`}, bars: `compare_bars`}; bars is null where
            the day lacks minutes or daily bars of stocks.

    Returns:
        what was written.

    Raises:
        DataError: as `account`.
    """
    symbols = read_universe(files.get("universe", []))
    named = [name for name in DATASETS if f"bronze_{name}" in files]
    report = {
        "date": date,
        "datasets": {name: account(name, date, files, symbols) for name in named},
        "bars": None,
    }
    if "session_bars" in files and "bronze_stocks_daily" in files:
        sources = (files["session_bars"][0], files["bronze_stocks_daily"][0])
        report["bars"] = compare_bars(*(rows_of(f, date, ["symbol", *FIELDS]) for f in sources))
    tables.write_json(report, out)
    return report


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            check(
                date=snakemake.wildcards.date,  # noqa: F821
                files={name: as_paths(files) for name, files in snakemake.input.items()},  # noqa: F821
                out=Path(snakemake.output.report),  # noqa: F821
            ),
        )
