"""The simulated market: its events, its prices, and its flat files in the vendor's format."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.lake import market, market_events, market_listings
from scripts.lake.simulated_files import HEADER, flat_file

ROOT = Path(__file__).parents[3]
SEED = 1
DATASETS = ("options_daily", "options_minute", "stocks_daily", "stocks_minute")
SESSIONS = [date(2025, 8, day) for day in range(25, 30)] + [
    date(2025, 9, day) for day in (2, 3, 4, 5, 8)
]
NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31)).filter(lambda day: day.weekday() < 5)
SEEDS = st.integers(0, 2**32)


def lines(dataset: str, day: date, seed: int = SEED) -> list[list[str]]:
    """The fields of a file's lines, without its header."""
    text = gzip.decompress(flat_file(seed, dataset, day)).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == HEADER.split(",")
    return rows[1:]


def instant(stamp: str) -> datetime:
    """A vendor's stamp by its magnitude, slowly: nanoseconds, two zeros short, milliseconds."""
    number, digits = int(stamp), len(stamp.lstrip("0"))
    scale = {19: 1, 17: 100, 13: 10**6}[digits]
    return datetime.fromtimestamp(number * scale // 10**9, UTC)


def is_good(row: list[str], day: date) -> bool:
    """Whether a row is of any use, by the rules of spec section 1; repetition apart."""
    _, volume, opened, closed, high, low, stamp, _ = row
    try:
        prices, shares = [float(text) for text in (opened, closed, high, low)], float(volume)
    except ValueError:
        return False
    in_order = max(prices) == prices[2] and min(prices) == prices[3]
    own_day = instant(stamp).astimezone(NEW_YORK).date() == day
    return min(prices) > 0 and shares >= 0 and in_order and own_day


def good_rows(dataset: str, day: date, seed: int = SEED) -> dict[str, list[list[str]]]:
    """Good rows of a file by ticker, without the second of two equal ones."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for row in lines(dataset, day, seed):
        if is_good(row, day) and row not in found[row[0]]:
            found[row[0]].append(row)
    return {name: rows for name, rows in found.items() if rows}


# Files


def test_bytes_depend_on_seed_dataset_and_day_alone() -> None:
    here = [hashlib.sha256(flat_file(SEED, name, SESSIONS[6])).hexdigest() for name in DATASETS]
    code = (
        "from datetime import date; from hashlib import sha256;"
        "from scripts.lake.simulated_files import flat_file;"
        f"flat_file({SEED}, 'stocks_daily', date(2019, 5, 6));"  # another day before
        f"[print(sha256(flat_file({SEED}, name, date(2025, 9, 3))).hexdigest())"
        f" for name in {DATASETS[::-1]}]"
    )
    env = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == here[::-1]
    assert len({*here, *(flat_file(2, name, SESSIONS[6]) for name in DATASETS)}) == 8
    assert flat_file(SEED, "stocks_daily", SESSIONS[5]) != flat_file(
        SEED, "stocks_daily", SESSIONS[6]
    )


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("day", [*SESSIONS[4:7], date(2015, 1, 2), date(2035, 12, 31)])
def test_a_file_is_sorted_and_almost_all_good(dataset: str, day: date) -> None:
    rows = lines(dataset, day)
    assert [row[0].encode() for row in rows] == sorted(row[0].encode() for row in rows)
    good = good_rows(dataset, day)
    for found in good.values():
        stamps = [instant(row[6]) for row in found]
        assert stamps == sorted(set(stamps))
    bad = len(rows) - sum(map(len, good.values()))
    assert bad <= (0.01 if len(rows) > 200 else 0.05) * len(rows)
    assert bad > 0 or dataset == "stocks_daily"


def test_every_fault_is_in_a_minute_file_and_in_some_daily_one() -> None:
    def faults(dataset: str, days: list[date]) -> set[str]:
        found = set()
        for day in days:
            rows = lines(dataset, day)
            for row in rows:
                _, volume, opened, closed, high, low, stamp, _ = row
                found |= {"repeated"} if rows.count(row) > 1 else set()
                found |= {"empty"} if not closed else set()
                found |= {"text"} if volume == "many" else set()
                found |= {"negative"} if opened.startswith("-") else set()
                found |= {"inverted"} if float(high) < float(low) else set()
                own = instant(stamp).astimezone(NEW_YORK).date() == day
                found |= {"day"} if not own else set()
        return found

    every = {"repeated", "empty", "text", "negative", "inverted", "day"}
    assert faults("stocks_minute", SESSIONS[:1]) == every
    weekdays = [day for n in range(42) if (day := SESSIONS[0] + timedelta(n)).weekday() < 5]
    assert faults("stocks_daily", weekdays) == every
    assert sum(bool(faults("stocks_daily", [day])) for day in SESSIONS) in (1, 2)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, day=DAYS)
def test_on_any_day_of_any_seed_a_daily_file_is_good_to_a_twentieth(seed: int, day: date) -> None:
    rows = lines("stocks_daily", day, seed)
    good = good_rows("stocks_daily", day, seed)
    assert len(rows) - len(good) <= 0.05 * len(rows)
    assert {"NA", "NaN", "null", "BRK.A", "ABRpD", "ABRPD", "SPY"} <= set(good)


@pytest.mark.parametrize("kind", ["stocks", "options"])
@pytest.mark.parametrize("day", [SESSIONS[4], SESSIONS[5], date(2027, 11, 26)])
def test_a_daily_bar_is_the_sum_of_its_minutes(kind: str, day: date) -> None:
    minutes, days = good_rows(f"{kind}_minute", day), good_rows(f"{kind}_daily", day)
    assert set(minutes) == set(days)
    for name, bars in minutes.items():
        (daily,) = days[name]
        volume, opened, closed, high, low = ([float(bar[n]) for bar in bars] for n in range(1, 6))
        summed = [sum(volume), opened[0], closed[-1], max(high), min(low)]
        count = sum(int(bar[7]) for bar in bars)
        told = [float(text) for text in daily[1:6]]
        if market.reaggregates(name):
            assert (summed, count) == (told, int(daily[7])), name
        else:
            assert summed[1:] == told[1:]
            assert summed[0] < told[0]
            assert count < int(daily[7])
    assert [name for name in minutes if not market.reaggregates(name)] == (
        ["SLOW"] if kind == "stocks" else []
    )


def test_volumes_are_whole_fractional_scientific_and_huge() -> None:
    volumes = {row[0]: row[1] for row in lines("stocks_daily", SESSIONS[5])}
    assert float(volumes["BRK.A"]) % 1 > 0
    assert "e" in volumes["TINY"]
    assert float(volumes["TINY"]) >= 1000
    assert float(volumes["SPY"]) > 2**32
    assert volumes["AAPL"].isdigit()
    assert "3e3" in [row[1] for row in lines("stocks_minute", SESSIONS[5]) if row[0] == "TINY"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_prices_are_shortest_decimals_of_at_most_four_places(dataset: str) -> None:
    for rows in good_rows(dataset, SESSIONS[5]).values():
        for text in (field for row in rows for field in row[2:6]):
            assert text == np.format_float_positional(float(text), trim="-")
            assert len(text.partition(".")[2]) <= 4


def test_daily_stamps_are_of_all_the_vendors_kinds() -> None:
    stamps = {row[0]: row[6] for row in lines("stocks_daily", SESSIONS[5])}
    midnight = datetime(2025, 9, 2, 4, tzinfo=UTC)  # summer time
    assert instant(stamps["AAPL"]) == midnight
    assert (len(stamps["JPM"]), instant(stamps["JPM"])) == (17, midnight)
    assert instant(stamps["KO"]) == midnight + timedelta(hours=16)
    assert stamps["XLF"].startswith("000000")
    assert (len(stamps["XLF"]), instant(stamps["XLF"])) == (19, midnight + timedelta(hours=16))


@pytest.mark.parametrize(
    ("day", "close"),
    [
        (date(2025, 3, 7), "16:00"),  # winter time, and the Monday after it summer's
        (date(2025, 3, 10), "16:00"),
        (date(2025, 11, 28), "13:00"),
        (date(2024, 12, 24), "13:00"),
        (date(2025, 7, 3), "13:00"),
        (date(2025, 11, 21), "16:00"),
    ],
)
def test_minutes_lie_in_new_yorks_day_and_thin_out_at_the_close(day: date, close: str) -> None:
    clocks = [
        f"{instant(row[6]).astimezone(NEW_YORK):%H:%M:%S}"
        for row in good_rows("stocks_minute", day)["SPY"]
    ]
    assert all("04:00:00" <= clock < "20:00:00" and clock.endswith(":00") for clock in clocks)
    early = [clock for clock in clocks if clock < "09:30"]
    late = [clock for clock in clocks if clock >= close]
    assert len(clocks) == 150 + 18 + 18
    assert (len(early), len(late)) == (18, 18)


def test_liquidity_differs_and_the_illiquid_one_skips_days() -> None:
    counts = {name: len(rows) for name, rows in good_rows("stocks_minute", SESSIONS[5]).items()}
    assert counts["SLOW"] == 3
    assert counts["SPY"] > 150 > counts["MAPL"] > counts["null"] > 3
    trading = [day for day in SESSIONS if "SLOW" in good_rows("stocks_daily", day)]
    assert 0 < len(trading) < len(SESSIONS)


# Prices


def test_weekdays_are_counted_as_numpy_counts_them() -> None:
    for offset in range(0, 9000, 7):
        for day in (market.EPOCH + timedelta(days=offset + n) for n in range(7)):
            assert market.weekdays(day) == np.busday_count(market.EPOCH, day)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=DAYS)
def test_only_splits_move_a_raw_price_by_more_than_a_walk_can(seed: int, day: date) -> None:
    before = day - timedelta(days=3 if day.weekday() == 0 else 1)
    ratios = {s.symbol: s.of / s.to for s in market_events.splits(seed) if s.day == day}
    for symbol in market_listings.LISTINGS:
        old, new = market.close(seed, symbol, before), market.close(seed, symbol, day)
        move = new / old / ratios.get(symbol, 1.0)
        assert abs(np.log(move)) < 6 * market.DAILY_VOLATILITY + 0.01 / min(old, new, 1.0), symbol


def test_prices_of_the_demos_first_day_are_those_of_the_listings() -> None:
    for seed in (1, 2):
        for entry in market_listings.LISTINGS.values():
            assert market.close(seed, entry.symbol, market_listings.REFERENCE) == entry.price


def test_two_tickers_of_one_company_have_one_walk() -> None:
    day = date(2025, 9, 3)
    assert market.close(SEED, "OLDN", day) == market.close(SEED, "NEWN", day)
    assert market.close(1, "NEWN", day) != market.close(2, "NEWN", day)


# Events


def test_the_demos_events_are_where_they_are_said_to_be() -> None:
    window = (SESSIONS[0], SESSIONS[-1])

    def within(events: tuple) -> list:
        return [event for event in events if window[0] <= event.day <= window[1]]

    splits = {(s.symbol, str(s.day), s.to / s.of) for s in within(market_events.splits(SEED))}
    assert splits == {("FORK", "2025-09-03", 4.0), ("TINY", "2025-08-28", 0.1)}
    paid = within(market_events.dividends(SEED))
    assert [(d.symbol, d.currency) for d in paid if d.currency != "USD"] == [("MAPL", "CAD")]
    assert [(d.symbol, str(d.day)) for d in paid if not d.frequency] == [("MSFT", "2025-09-04")]
    assert {d.day for d in paid if d.frequency} >= {date(2025, 8, 29), date(2025, 9, 2)}
    traded = {day: good_rows("stocks_daily", day) for day in SESSIONS}
    assert [("OLDN" in traded[day], "NEWN" in traded[day]) for day in SESSIONS[5:7]] == [
        (True, False),
        (False, True),
    ]
    assert [("DEBUT" in traded[day]) for day in SESSIONS[2:4]] == [False, True]
    assert [("GONE" in traded[day]) for day in SESSIONS[7:9]] == [True, False]
    assert float(traded[SESSIONS[6]]["FORK"][0][3]) < 0.3 * float(traded[SESSIONS[5]]["FORK"][0][3])


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_every_year_from_2015_to_2035_has_every_kind_of_event(seed: int) -> None:
    splits, paid = market_events.splits(seed), market_events.dividends(seed)
    entries = market_listings.listings(seed).values()
    for year in range(2015, 2036):
        assert {(s.day.month + 2) // 3 for s in splits if s.day.year == year} == {1, 2, 3, 4}
        own = [d for d in paid if d.day.year == year]
        assert {d.day.month for d in own} == set(range(1, 13))
        assert any(not d.frequency for d in own)
        assert {d.currency for d in own} == {"USD", "CAD"}
        assert any(e.first.year == year for e in market_listings.ipos(seed))
        assert any(e.last.year == year for e in entries)
        assert any(change.day.year == year for change in market_listings.renames(seed))
    assert {s.to > s.of for s in splits} == {True, False}
    assert all(d.cash > 0 for d in paid)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_a_rename_leaves_no_day_without_and_none_with_both_tickers(seed: int) -> None:
    entries = market_listings.listings(seed)
    for change in market_listings.renames(seed):
        old, new = entries[change.old], entries[change.new]
        assert old.name == new.name
        assert old.last + timedelta(days=1) == new.first == change.day
        assert old.first < change.day < new.last


def test_events_are_on_sessions_of_the_exchange() -> None:
    with (ROOT / "config/calendars/XNYS.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    sessions, last = {row[0] for row in rows}, date.fromisoformat(rows[-1][0])
    for seed in range(5):
        days = [e.day for e in (*market_events.splits(seed), *market_events.dividends(seed))]
        days += [change.day for change in market_listings.renames(seed)]
        days += [entry.first for entry in market_listings.ipos(seed)]
        wanted = {str(day) for day in days if market_listings.HISTORY <= day <= last}
        assert wanted
        assert not wanted - sessions


# Universe, options


def test_the_universe_file_names_every_ticker_for_any_seed() -> None:
    text = (ROOT / "config/universe/tickers.csv").read_text()
    assert text.split() == ["symbol", *market_listings.SYMBOLS]
    for seed in (1, 99):
        assert list(market_listings.listings(seed)) == list(market_listings.SYMBOLS)
    assert list(market_listings.SYMBOLS) == sorted(market_listings.SYMBOLS, key=str.encode)


def test_options_are_two_expiries_of_three_strikes_an_adjusted_one_and_two_without_occ() -> None:
    found = market.contracts(SEED, SESSIONS[5])
    assert len(found) == 4 * 2 * 3 * 2 + 1 + 2
    assert [c.symbol for c in found] == sorted(c.symbol for c in found)
    assert {c.expiry for c in found if c.root} == {date(2025, 9, 19), date(2025, 10, 17)}
    adjusted = [c for c in found if c.root != c.underlying]
    assert [(c.root, c.underlying, c.expiry) for c in adjusted] == [
        ("XOM1", "XOM", date(2025, 9, 19))
    ]
    assert adjusted[0].symbol.startswith("O:XOM1250919C00")
    assert [c.symbol for c in found if not c.root] == [
        "O:XOM251399P00100000",
        "O:weird250101C00001000",
    ]


def test_a_contract_lives_until_its_expiry() -> None:
    weeks = [date(2025, 7, 21) + timedelta(days=7 * n) for n in range(8)]
    names = [{c.symbol for c in market.contracts(SEED, day) if c.root == "KO"} for day in weeks]
    expiring = {name for name in set.union(*names) if name.startswith("O:KO250919")}
    assert len(expiring) == 6
    assert all(expiring <= traded for traded in names)
    assert not expiring & {c.symbol for c in market.contracts(SEED, date(2025, 9, 22))}


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=DAYS)
def test_an_option_is_worth_at_least_what_it_gains_at_once(seed: int, day: date) -> None:
    for option in market.contracts(seed, day):
        assert option.expiry >= day
        if option.root:
            spot = market.close(seed, option.underlying, day)
            sign = 1 if option.kind == "C" else -1
            assert market.premium(seed, option, day) >= sign * (spot - option.strike) - 0.006
