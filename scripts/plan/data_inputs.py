"""Tables that the config names and people keep: which columns they have."""

from __future__ import annotations

from scripts.nfl.build_stadiums import HEADER as STADIUMS
from scripts.weekly.mappings import COLUMNS as MAPPINGS

_STADIUM = (
    "name of the stadium",
    "its other names, separated by ;",
    "franchise that is at home there; empty: nobody's",
    "first season of it",
    "last season; empty: it goes on",
    "latitude, degrees north",
    "longitude, degrees east",
    "outdoors, retractable or dome",
    "grass or artificial",
)
_MAPPING = (
    "symbol, a row each",
    "ETF of its sector; empty: none",
    "ETF of the sector by equal weights",
    "ETF of its industry",
)
_NUMBERS = {"first_season": int, "last_season": int, "lat": float, "lon": float}
# Path from the project's folder, who reads it, columns, what it holds.
INPUTS = (
    (
        "config/calendars/XNYS.csv",
        "scripts/plan/calendar.py",
        {
            "session": (str, "trading day, YYYY-MM-DD, sorted"),
            "close": (str, "time of an early close in New York, HH:MM; empty: 16:00"),
        },
        "sessions of the New York Stock Exchange, generated",
    ),
    (
        "config/universe/tickers.csv",
        "scripts/lake/universe.py",
        {"symbol": (str, "ticker, upper and lower case differ")},
        "symbols of the lake's gold tables",
    ),
    (
        "config/universe/securities.csv",
        "scripts/plan/ticks.py",
        {
            "security": (str, "name of the security, upper case"),
            "exchange": (str, "ADX or DFM, whose ticks it has"),
            "peer_exchange": (str, "the exchange that the peer took it to be of: parity"),
            "quote_size": (int, "shares of a quote"),
            "max_position": (int, "shares held at most, on either side"),
            "min_local_currency_before_quote": (
                float,
                "value that must stand at the best price before we quote, AED",
            ),
            "max_notional": (float, "value held at most, AED; in parity by v1 alone"),
            "order_notional": (float, "value of an order of the closing strategy, AED"),
            "refill_interval_sec": (float, "time until a filled quote is set anew, s"),
        },
        "securities of the ticks, with their parameters",
    ),
    (
        "config/universe/sectors.csv",
        "scripts/weekly/mappings.py",
        {name: (str, told) for name, told in zip(MAPPINGS, _MAPPING, strict=True)},
        "ETFs that a symbol is held against: weekly.mappings",
    ),
    (
        "config/universe/nfl_stadiums.csv",
        "scripts/nfl/build_stadiums.py",
        {
            name: (_NUMBERS.get(name, str), told)
            for name, told in zip(STADIUMS, _STADIUM, strict=True)
        },
        "stadiums with their places",
    ),
)
