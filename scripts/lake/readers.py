"""Readers of single JSON values: each gives the value of a column, or says why it cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import polars as pl

Reader = Callable[[Any], Any]  # a JSON value, not null -> a value of a column; or ValueError


def text(value: Any) -> str:
    """Text that can be written as UTF-8; nothing is stripped."""
    if not isinstance(value, str):
        raise ValueError("is not text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("is not valid Unicode") from None
    return value


def texts(value: Any) -> list[str]:
    """A list of texts."""
    if not isinstance(value, list):
        raise ValueError("is not a list of texts")
    try:
        return [text(one) for one in value]
    except ValueError:
        raise ValueError("is not a list of texts") from None


def names(value: Any) -> list[str]:
    """A list of texts, none of them empty, at least one."""
    if not (read := texts(value)) or "" in read:
        raise ValueError("is not a list of names")
    return read


def number(value: Any) -> float:
    """A finite number; text and true/false are none."""
    if type(value) is float or type(value) is int:
        try:
            read = float(value)
        except OverflowError:
            read = math.inf
        if math.isfinite(read):
            return read
    raise ValueError("is not a finite number")


def not_negative(value: Any) -> float:
    """A finite number, 0 or more."""
    if (read := number(value)) < 0:
        raise ValueError("is negative")
    return read


def positive(value: Any) -> float:
    """A finite number above 0."""
    if (read := number(value)) <= 0:
        raise ValueError("is not positive")
    return read


def whole(value: Any, bits: int = 64) -> int:
    """A whole number of so many bits, its sign included; 5.0 is one."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise ValueError("is not a whole number")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise ValueError(f"does not fit {bits} bits")
    return value


def whole_32(value: Any) -> int:
    """A whole number of 32 bits."""
    return whole(value, 32)


def count_32(value: Any) -> int:
    """A whole number of 32 bits, 0 or more."""
    if (read := whole_32(value)) < 0:
        raise ValueError("is negative")
    return read


def count(value: Any) -> int:
    """A whole number of 64 bits, 0 or more."""
    if (read := whole(value)) < 0:
        raise ValueError("is negative")
    return read


def year(value: Any) -> int:
    """A year of four digits, as a number or as text."""
    if isinstance(value, str) and re.fullmatch("[0-9]{4}", value):
        value = int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not 1000 <= value <= 9999:
        raise ValueError("is not a year")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("is not true or false")
    return value


def day(value: Any) -> date:
    """A date written YYYY-MM-DD."""
    if not isinstance(value, str):
        raise ValueError("is not a date")
    return _day(value)


@lru_cache(maxsize=2**14)
def _day(value: str) -> date:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("is not a date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date") from None


def moment(value: Any) -> datetime:
    """A time in ISO 8601 with its zone (Z or an offset), in UTC, cut to microseconds."""
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is not None:
            return read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError("is not a time with its zone")


READERS: Mapping[Any, Reader] = {
    pl.String: text,
    pl.Date: day,
    pl.Datetime("us", "UTC"): moment,
    pl.Float64: number,
    pl.Int32: whole_32,
    pl.Int64: whole,
    pl.Boolean: flag,
    pl.List(pl.String): texts,
}
