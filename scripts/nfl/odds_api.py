"""The Odds API, version 4: historical snapshots of bookmakers' lines, and their consensus.

Snapshots of the markets h2h, spreads and totals exist from 2020-06-06 on, every 5 to 10 minutes.
The API wants its key in the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from scripts.errors import DataError
from scripts.nfl import contents
from scripts.nfl.teams import NAMES

BASE = "https://api.the-odds-api.com"
PATH = "/v4/historical/sports/americanfootball_nfl/odds"
KEY = "ODDS_API_KEY"
FIRST_DAY = date(2020, 6, 6)
QUERY = {"regions": "us", "markets": "h2h,spreads,totals", "oddsFormat": "american"}
SHIFT = timedelta(hours=12)  # a kickoff may move as much and still be of the same game
TOLD = {  # market -> what its outcomes tell, within which limits
    "spreads": ("point", -50, 50),
    "totals": ("point", 20, 100),
    "h2h": ("price", -100_000, 100_000),
}
SIDES = ("Over", "Under")
LEAST_ODDS = 100  # American odds are beyond it, on either side of zero


class Lines(NamedTuple):
    """Lines of a game; None where no bookmaker has one."""

    spread_line: float | None = None  # points by which the home team is favoured
    total_line: float | None = None
    home_moneyline: float | None = None  # American odds
    away_moneyline: float | None = None


class Event(NamedTuple):
    """A game in a snapshot: its kickoff, its two names, each bookmaker's markets."""

    commence: datetime
    names: tuple[str, str]
    bookmakers: tuple[Mapping[str, Sequence[Mapping]], ...]  # market -> outcomes

    def teams(self) -> set[str | None]:
        """The two franchises; None for a name that is no team's."""
        return {NAMES.get(name) for name in self.names}


class Snapshot(NamedTuple):
    """All games that were open to bets at a time."""

    timestamp: datetime
    events: tuple[Event, ...]

    def unknown(self) -> set[str]:
        """Names that are no team's."""
        return {name for event in self.events for name in event.names if name not in NAMES}


def key_of(environment: Mapping[str, str]) -> str:
    """The API key of an environment.

    Raises:
        DataError: there is none, or it cannot be one; the line does not show it.
    """
    key = environment.get(KEY, "").strip()
    if not key:
        raise DataError(f"no key for The Odds API: set {KEY} in the environment")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise DataError(f"{KEY} has spaces or characters that no key has: copy it again")
    return key


def snapshot(body: bytes, place: str) -> Snapshot:
    """An answer of the API.

    Raises:
        PassingError: it is no JSON.
        DataError: it has another shape.
    """
    told = contents.json_value(body, place)
    try:
        events = tuple(
            Event(
                _moment(event["commence_time"]),
                (_text(event["home_team"]), _text(event["away_team"])),
                tuple(
                    {
                        market["key"]: contents.listed(market["outcomes"])
                        for market in contents.listed(bookmaker["markets"])
                    }
                    for bookmaker in contents.listed(event["bookmakers"])
                ),
            )
            for event in contents.listed(told["data"])
        )
        return Snapshot(_moment(told["timestamp"]), events)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{place}: the answer has another shape ({type(error).__name__} {error}); expected "
            "timestamp and data with bookmakers, markets, outcomes"
        ) from None


def consensus(found: Snapshot, home: str, away: str, kickoff: datetime, place: str) -> Lines | None:
    """The lines of a game: of each market the median over bookmakers.

    A game that has begun by the snapshot's time has lines of play in it, not closing ones.

    Args:
        found: the snapshot.
        home, away: franchises. Which of them the API has at home does not matter.
        kickoff: of the game, UTC.
        place: what to call the snapshot in an error.

    Returns:
        None where the game is not in the snapshot, or has begun.

    Raises:
        DataError: two games come into question, or a price is no American odds.
    """
    events = [
        event
        for event in found.events
        if event.teams() == {home, away}
        and abs(event.commence - kickoff) <= SHIFT
        and event.commence > found.timestamp
    ]
    if not events:
        return None
    if len(events) > 1:
        raise DataError(f"{place}: {len(events)} games of {away} at {home} near {kickoff}")
    spreads, totals, prices = [], [], []
    try:
        for bookmaker in events[0].bookmakers:
            points, total, odds = (_told(events[0], bookmaker, market) for market in TOLD)
            if home in points:
                spreads.append(-points[home])  # a favourite gives points
            totals += [total["Over"]] if "Over" in total else []
            if home in odds and away in odds:
                prices.append((odds[home], odds[away]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{place}: {away} at {home}: a bookmaker's outcome has another shape "
            f"({type(error).__name__} {error}); expected name, price and point"
        ) from None
    if wrong := [price for pair in prices for price in pair if abs(price) < LEAST_ODDS]:
        raise DataError(f"{place}: {away} at {home}: {wrong[0]:g} is no American odds")
    return Lines(
        median(spreads) + 0.0 if spreads else None,  # + 0.0: an even game is 0, not -0
        median(totals) if totals else None,
        median_odds([pair[0] for pair in prices]) if prices else None,
        median_odds([pair[1] for pair in prices]) if prices else None,
    )


def _told(event: Event, bookmaker: Mapping[str, Sequence[Mapping]], market: str) -> dict:
    """Outcome of a market (a franchise, Over or Under) -> its point or price.

    Raises:
        KeyError, TypeError, ValueError: it has another shape, an outcome of nobody or one twice, or
            a number that cannot be.
    """
    what, low, high = TOLD[market]
    told: dict[str, float] = {}
    for outcome in bookmaker.get(market, ()):
        name = outcome["name"]
        if name not in (SIDES if market == "totals" else event.names):
            raise ValueError(f"{market} of {contents.shown(name)}")
        if (key := NAMES.get(name, name)) in told:
            raise ValueError(f"{market} of {name} twice")
        told[key] = contents.number(outcome[what], low, high)
    return told


def median_odds(prices: Sequence[float]) -> float:
    """The median of American odds, which have none between -100 and 100.

    The middle of two is that of their decimal odds, by which American odds are in the same order.

    Args:
        prices: at least one.
    """
    ordered = sorted(prices)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    if low == high:
        return low
    middle = (_decimal(low) + _decimal(high)) / 2
    return round((middle - 1) * 100 if middle >= 2 else -100 / (middle - 1), 6)


def asked_at(kickoff: datetime) -> datetime:
    """The time to ask for: the API answers with the last snapshot up to it."""
    return kickoff - timedelta(minutes=1)


def iso(moment: datetime) -> str:
    """A time as the API writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _decimal(american: float) -> float:
    """What a stake of 1 gives back, the stake too."""
    return 1 + (american / 100 if american > 0 else -100 / american)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"got {contents.shown(value)}, expected a name")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text} without a zone")
    return moment.astimezone(UTC)
