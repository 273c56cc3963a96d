"""Blows on what the weekly features are made of: daily bars, mappings, names of both."""

from __future__ import annotations

import datetime as dt
import io
import math
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa

from scripts.plan.weekly import WeeklyPlan
from scripts.weekly import build_bars, build_benchmarks
from scripts.weekly.features import FEATURES
from scripts.weekly.mappings import read_mappings
from tests.torture.mutate import HOSTILE_NAMES
from tests.torture.mutate_more import csv_rows, keyed, of_csv, of_one, of_parquet, parquet_rows
from tests.torture.reader import Bad, Doubtful, Files, Reader, cases_of, play
from tests.torture.tally import Case

KIND = "malformed weekly"
NUMBERS = ("open", "high", "low", "close", "volume")
MAPPED = ("symbol", "sector_etf", "equal_weight_etf", "subsector_etf")
SYMBOLS = ("AAPL", "SPY", "RSP", "XLK")
DAILY = "daily.parquet"
MOST_MB = 2048


# ---- daily bars


def daily(rng: Random, symbols: tuple[str, ...] = SYMBOLS, days: int = 8) -> pl.DataFrame:
    """Random bars of so many days."""
    rows = []
    for symbol in symbols:
        for day in range(days):
            close = round(rng.uniform(5, 500), 2)
            date = dt.date(2024, 3, 1) + dt.timedelta(day)
            rows.append(
                (symbol, date, close - 1, close + 2, close - 2, close, 1000 + day, close / 2)
            )
    return pl.DataFrame(rows, ["symbol", "date", *NUMBERS, "adj_close"], orient="row")


def _parquet(frame: pl.DataFrame) -> bytes:
    frame.write_parquet(out := io.BytesIO())
    return out.getvalue()


def _checked(sources: list[Path], out: Path) -> dict:
    """The checked daily bars of a batch of all symbols, as the job makes them."""
    build_bars.build(
        sources=sources,
        columns=None,
        adjusted_close="adj_close",
        batch=0,
        batches_in_all=1,
        max_symbols=None,
        memory_limit_mb=MOST_MB,
        checked=out / "checked.parquet",
        out=out / "bars.parquet",
    )
    rows = pl.read_parquet(out / "checked.parquet").to_dicts()
    return {(row["symbol"], str(row["date"])[:10]): row for row in rows}


def read_daily(given: Path, out: Path) -> dict:
    """The checked daily bars of a batch, and what follows from them; as the jobs do it."""
    rows = _checked([given / DAILY], out)
    bars = pl.read_parquet(out / "bars.parquet").to_dicts()
    return {
        **rows,
        "weeks": {(b["symbol"], b["week_end"]): [b[n] for n in NUMBERS] for b in bars},
    }


def read_benchmarks(given: Path, out: Path) -> dict:
    """The weekly closes of SPY and RSP, as the job does it."""
    build_benchmarks.build(
        sources=[given / DAILY],
        mappings=[],
        adjusted_close="adj_close",
        parity=False,
        out=out / "benchmarks.parquet",
    )
    rows = pl.read_parquet(out / "benchmarks.parquet").to_dicts()
    return {(row["symbol"], row["week_end"]): row["close"] for row in rows}


def two_files(rng: Random) -> dict[str, bytes]:
    """Daily bars in two files, each with symbols of its own."""
    own = {"one.parquet": SYMBOLS[:2], "two.parquet": SYMBOLS[2:]}
    return {name: _parquet(daily(rng, symbols)) for name, symbols in own.items()}


def read_two(given: Path, out: Path) -> dict:
    """The checked daily bars of both."""
    return _checked(sorted(given.glob("*.parquet")), out)


def two_rows(files: Files) -> dict:
    """The oracle of `read_two`: files of other columns may be refused."""
    found, names = {}, []
    for name in sorted(files):
        schema, rows = parquet_rows(files, name)
        check_columns(schema)
        if not rows:
            raise Doubtful("a file has no rows", found)
        own = checked_weeks(schema, rows)[0]
        if twice := own.keys() & found.keys():
            raise Bad(f"{min(twice)} stands in both")
        found |= own
        names.append({field.name: str(field.type) for field in schema})
    if names[0] != names[1]:
        every = dict.fromkeys((*names[0], *names[1]))
        raise Doubtful("the files have other columns", {k: every | r for k, r in found.items()})
    return found


def benchmark_rows(files: Files) -> dict:
    """The oracle of `read_benchmarks`: other symbols are not looked at."""
    schema, rows = parquet_rows(files, DAILY)
    check_columns(schema)
    if not rows:
        raise Bad("it has no rows")
    if any(row["symbol"] is None for row in rows):
        raise Bad("a row has no symbol")
    weeks = checked_weeks(schema, [row for row in rows if row["symbol"] in ("SPY", "RSP")])[1]
    return {key: week[-1] for key, week in weeks.items()}


def daily_rows(files: Files) -> dict:
    """The oracle of `read_daily`."""
    schema, rows = parquet_rows(files, DAILY)
    check_columns(schema)
    if not rows:
        raise Bad("it has no rows")
    found, weeks = checked_weeks(schema, rows)
    return {**found, "weeks": {key: week[:-1] for key, week in weeks.items()}}


def check_columns(schema: pa.Schema) -> None:
    """Refuse columns that are missing or of another kind."""
    names = schema.names
    if missing := [name for name in ("symbol", "date", *NUMBERS) if name not in names]:
        raise Bad(f"no column {missing[0]}")
    if taken := [name for name in names if name in FEATURES or name in ("batch", "week_end")]:
        raise Bad(f"{taken[0]} is one of the output")
    kind = schema.field("symbol").type
    if not (
        pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_string(kind)
    ):
        raise Bad(f"symbol is {kind}")
    kind = schema.field("date").type
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)) or getattr(kind, "tz", None):
        raise Bad(f"date is {kind}")
    price = "adj_close" if "adj_close" in names else "close"
    for name in {*NUMBERS, price}:
        kind = schema.field(name).type
        if not (pa.types.is_null(kind) or _is_number(kind)):
            raise Bad(f"{name} is {kind}")


def checked_weeks(schema: pa.Schema, rows: list[dict]) -> tuple[dict, dict]:
    """Rows by symbol and day, all of them valid, and their weeks."""
    price = "adj_close" if "adj_close" in schema.names else "close"
    for row in rows:
        symbol, date = row["symbol"], row["date"]
        if not symbol or symbol != symbol.strip():
            raise Bad(f"symbol is {symbol!r}")
        if date is None or getattr(date, "hour", 0) or getattr(date, "minute", 0):
            raise Bad(f"date is {date}")
        if inf := [n for n in (*NUMBERS, price) if _infinite(row[n])]:
            raise Bad(f"{inf[0]} is infinite")
    found = keyed([{**row, "day": str(row["date"])[:10]} for row in rows], "symbol", "day")
    for row in found.values():
        del row["day"]
    for symbol in {row["symbol"] for row in rows}:
        own = [row for row in rows if row["symbol"] == symbol]
        if all(_none(r[price]) for r in own) and not all(_none(r["close"]) for r in own):
            raise Bad(f"{symbol} has no {price}")
    return found, _weeks(found, price)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _none(value: Any) -> bool:
    return value is None or value != value


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _weeks(found: dict, price: str) -> dict:
    """Open, high, low, close and volume of each week, by the rule of the specification."""
    weeks: dict[tuple, list[dict]] = {}
    for (symbol, day), row in sorted(found.items()):
        date = dt.date.fromisoformat(day)
        weeks.setdefault((symbol, date + dt.timedelta((4 - date.weekday()) % 7)), []).append(row)
    told = {}
    for key, rows in weeks.items():
        known = {n: [float(r[n]) for r in rows if not _none(r[n])] for n in (*NUMBERS, price)}
        if known[price]:
            pick = {"open": lambda v: v[0], "high": max, "low": min, "close": lambda v: v[-1]}
            told[key] = [f(known[n]) if known[n] else None for n, f in pick.items()]
            told[key] += [sum(known["volume"]), known[price][-1]]
    return told


# ---- mappings


def mappings(_rng: Random) -> dict[str, bytes]:
    """A CSV of mappings."""
    lines = [",".join(MAPPED), "AAPL,XLK,RSPT,SMH", "NA,null,,XLF", "JPM, XLF ,RSPF,"]
    return {"mappings.csv": ("\n".join(lines) + "\n").encode()}


def take_mappings(given: Path, _out: Path) -> dict:
    """The mappings by symbol."""
    rows = read_mappings(given / "mappings.csv").to_dicts()
    return {row["symbol"]: row for row in rows}


def mapping_rows(files: Files) -> dict:
    """The oracle of `take_mappings`."""
    rows = csv_rows(files["mappings.csv"], MAPPED)
    rows = [{name: row[name].strip() or None for name in MAPPED} for row in rows]
    if any(row["symbol"] is None for row in rows):
        raise Bad("a row has no symbol")
    return {key: row for (key,), row in keyed(rows, "symbol").items()}


READERS = [
    Reader(
        "daily bars",
        lambda rng: {DAILY: _parquet(daily(rng))},
        of_one(of_parquet),
        read_daily,
        daily_rows,
    ),
    Reader(
        "benchmarks",
        lambda rng: {DAILY: _parquet(daily(rng))},
        of_one(of_parquet),
        read_benchmarks,
        benchmark_rows,
    ),
    Reader("daily bars of two files", two_files, of_one(of_parquet), read_two, two_rows),
    Reader("mappings", mappings, of_one(of_csv), take_mappings, mapping_rows),
]


# ---- names


def named_symbol(name: str, _rng: Random) -> dict[str, bytes]:
    """Daily bars of a symbol of that name beside others."""
    return {DAILY: _parquet(daily(Random(1), (name, *SYMBOLS[:2])))}


def named_file(name: str, _rng: Random) -> dict[str, bytes]:
    """A parquet file in a folder, under a name that a file can have."""
    return {f"bars/{name}.parquet": _parquet(daily(Random(1))), "bars/other.parquet": b"x"}


def read_folder(given: Path, _out: Path) -> list[str]:
    """The files that the plan finds in a folder."""
    plan = WeeklyPlan.__new__(WeeklyPlan)
    object.__setattr__(plan, "config", {"input": str(given / "bars")})
    return [str(Path(path).relative_to(given)) for path in plan.files]


def folder_files(files: Files) -> list[str]:
    """The oracle of `read_folder`."""
    shown = [name for name in files if not Path(name).name.startswith((".", "_"))]
    if odd := [name for name in shown if set("{}") & set(name)]:
        raise Bad(f"{odd[0]} would be a wildcard")
    return sorted(shown, key=Path)


def _odd(name: str) -> bool:
    return name.endswith("/other.parquet")


def hostile_names(seed: int) -> list[Case]:
    """Symbols and files of hostile names."""
    rng, made = Random(seed), []
    names = [name for name in HOSTILE_NAMES if len(name) < 200]
    for name in names:
        reader = Reader(
            f"symbol {name[:20]!r}",
            partial(named_symbol, name),
            lambda _rng, files: (files, "a hostile name", DAILY),
            read_daily,
            daily_rows,
            always=False,
        )
        made.append((reader, rng.randrange(2**32)))
        if name and not set("/\x00") & set(name) and name not in (".", ".."):
            reader = Reader(
                f"file {name[:20]!r}",
                partial(named_file, name),
                lambda _rng, files: (files, "a hostile name", sorted(files, key=_odd)[0]),
                read_folder,
                folder_files,
                always=False,
            )
            made.append((reader, rng.randrange(2**32)))
    return [
        Case("hostile names", f"weekly: {reader.name}", own, partial(play, reader, own))
        for reader, own in made
    ]


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on daily bars and mappings."""
    return cases_of(KIND, READERS, seed, count)
