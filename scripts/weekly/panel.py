"""Daily bars as they come: checked, and sorted by symbol and date; no value is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from scripts.errors import DataError
from scripts.weekly.features import FEATURES, OHLCV
from scripts.weekly.layout import row_key, symbol_starts

NEEDED = ("symbol", "date", *OHLCV)
TEXT = (pl.String, pl.Categorical, pl.Enum)
ADJUSTED = "adj_close"  # may be looked for though it is not there


@dataclass(frozen=True)
class Panel:
    """Daily bars of many symbols, sorted by symbol and date, checked by `panel`.

    Args:
        frame: `NEEDED` and other columns, a row a symbol and date.
    """

    frame: pl.DataFrame

    @cached_property
    def starts(self) -> np.ndarray:
        """First row of each symbol, and the number of rows."""
        return symbol_starts(self.frame["symbol"])

    @cached_property
    def day(self) -> np.ndarray:
        """Day of each row, counted from 1970-01-01."""
        return day_numbers(self.frame["date"])

    def numbers(self, name: str) -> np.ndarray:
        """A numeric column in 64 bits, null as NaN."""
        return self.frame[name].cast(pl.Float64).to_numpy()


def day_numbers(dates: pl.Series) -> np.ndarray:
    """Days from 1970-01-01, of dates without null."""
    return dates.cast(pl.Date).to_physical().to_numpy().astype(np.int64)


def other_columns(schema: pl.Schema) -> list[str]:
    """Numeric columns beside `NEEDED`, in their order."""
    return [name for name, kind in schema.items() if kind.is_numeric() and name not in NEEDED]


def price_column(columns: Sequence[str], adjusted: str | None) -> str:
    """Column that features are computed from: the adjusted close if there is one, else close."""
    return adjusted if adjusted in columns else "close"


def check_schema(schema: pl.Schema, adjusted: str | None) -> None:
    """Whether the columns are there and of the right kind.

    Raises:
        DataError: one is not; the message names it, what it is, and what to do.
    """
    if taken := [name for name in schema if name in FEATURES]:
        raise DataError(f"column {taken[0]} of the input is one of the output; rename it")
    if adjusted in NEEDED or (adjusted not in (None, ADJUSTED) and adjusted not in schema):
        raise DataError(
            f"weekly.adjusted_close: {adjusted} is no other column; there are {', '.join(schema)}"
        )
    if missing := [name for name in NEEDED if name not in schema]:
        raise DataError(
            f"no column {', '.join(missing)}; expected {', '.join(NEEDED)}, got "
            f"{', '.join(schema) or 'none'}"
        )
    if schema["symbol"] not in TEXT:
        raise DataError(f"column symbol is {schema['symbol']}, expected text; cast it")
    kind = schema["date"]
    if getattr(kind, "time_zone", None):
        raise DataError(
            f"column date is {kind}, expected dates without zone; take the exchange's date"
        )
    if kind not in (pl.Date, pl.Datetime):
        raise DataError(f"column date is {kind}, expected dates; parse it (str.to_date)")
    for name in (*OHLCV, price_column(list(schema), adjusted)):
        if not (schema[name].is_numeric() or schema[name] == pl.Null):
            raise DataError(f"column {name} is {schema[name]}, expected numbers; cast it")
    if schema.get("week_end", pl.Date).is_numeric():
        raise DataError("column week_end is one of the weekly bars; rename it")


def panel(frame: pl.DataFrame, adjusted: str | None = None, *, part: bool = False) -> Panel:
    """Check daily bars and sort them by symbol and date; the frame passed stays as it is.

    Args:
        frame: columns `NEEDED` in any order of rows; others are kept.
        adjusted: name of the adjusted close; not there, close is taken.
        part: other rows of a symbol may be elsewhere, and with them its adjusted close.

    Raises:
        DataError: no row; a column is missing or of the wrong kind; symbol or date is null; a date
            holds a time of day; a symbol has two rows of one date, no name, or no adjusted close;
            a price or volume is infinite.
    """
    check_schema(frame.schema, adjusted)
    if frame.is_empty():
        raise DataError("no rows; expected daily bars")
    for name in ("symbol", "date"):
        if nulls := frame[name].null_count():
            row = frame.filter(pl.col(name).is_null())[0]
            other = "date" if name == "symbol" else "symbol"
            raise DataError(
                f"{nulls} rows without {name}, first one of {other} {row[other][0]}; give it or "
                "drop them"
            )
    if frame.schema["date"] != pl.Date:
        timed = frame.filter(pl.col("date").dt.time() != pl.time(0))
        if not timed.is_empty():
            raise DataError(f"{_place(timed)}: the date has a time of day; truncate it to days")
    frame = _sorted(frame)
    checked = Panel(frame)
    price = price_column(frame.columns, adjusted)
    _check_names(checked)
    if not part:
        _check_adjusted(checked, price)
    names = dict.fromkeys([*OHLCV, price])
    found = [pl.col(name).is_infinite() for name in names if frame.schema[name].is_float()]
    infinite = frame.filter(pl.any_horizontal(pl.lit(False), *found))
    if not infinite.is_empty():
        name = next(name for name in names if np.isinf(float(infinite[name][0] or 0)))
        raise DataError(
            f"{_place(infinite)}: {name} is {infinite[name][0]}, expected a finite number; correct "
            f"or drop it ({infinite.height} rows have one)"
        )
    return checked


def _check_names(daily: Panel) -> None:
    """Raise for a symbol that no mapping could name."""
    names = daily.frame["symbol"].gather(daily.starts[:-1]).cast(pl.String)
    odd = names.filter((names.str.strip_chars() != names) | (names == ""))
    if len(odd):
        raise DataError(f"symbol {odd[0]!r} is empty or has blanks around it; strip it")


def _check_adjusted(daily: Panel, price: str) -> None:
    """Raise where a symbol has closes and no adjusted one: it would have no features at all."""
    if price == "close":
        return
    close, adjusted = (
        np.logical_or.reduceat(~np.isnan(daily.numbers(name)), daily.starts[:-1])
        for name in ("close", price)
    )
    if (close & ~adjusted).any():
        symbol = daily.frame["symbol"][int(daily.starts[int((close & ~adjusted).argmax())])]
        raise DataError(
            f"symbol {symbol}: {price} is null throughout; give it, or take close by "
            "weekly.adjusted_close: null"
        )


def _place(frame: pl.DataFrame) -> str:
    return f"symbol {frame['symbol'][0]}, date {frame['date'][0]}"


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` by symbol and date; as it is where it is so already."""
    if not _increasing(frame):
        text = frame["symbol"].cast(pl.String)
        names = text.unique().sort()
        number = text.cast(pl.Enum(names)).to_physical().to_numpy()
        frame = frame[pl.Series(row_key(number, day_numbers(frame["date"]))).arg_sort()]
    again = (frame["symbol"] == frame["symbol"].shift(1)) & (
        frame["date"] == frame["date"].shift(1)
    )
    if again.any():
        twice = frame.filter(again)
        raise DataError(
            f"{_place(twice)}: two rows of one date; drop one ({twice.height} such rows)"
        )
    return frame


def _increasing(frame: pl.DataFrame) -> bool:
    starts = symbol_starts(frame["symbol"])
    names = frame["symbol"].gather(starts[:-1]).cast(pl.String)
    forward = np.diff(day_numbers(frame["date"])) >= 0
    forward[starts[1:-1] - 1] = True
    return bool(forward.all()) and names.n_unique() == len(names) and names.is_sorted()
