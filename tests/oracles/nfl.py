"""Oracle of the NFL features: slow, obvious, plain Python; the past of each game collected anew.

Written only from the section Features of docs/nfl.md, to test an independent fast implementation;
it shares nothing with it. Tables are lists of dicts, a null is None. `random_league` makes input
with every nasty case the text speaks of.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import polars as pl

Row = dict[str, Any]
Table = pl.DataFrame | Sequence[Mapping[str, Any]]

ELO = {"k": 20.0, "home_edge": 55.0, "regression": 0.33, "start": 1500}
RADIUS_KM = 6371.0088
FRANCHISE = {"STL": "LA", "SD": "LAC", "OAK": "LV", "JAC": "JAX"}
FORM = ("points_for", "points_against", "margin", "win")
PLAYED = (
    *("plays", "epa", "epa_play", "pass_epa", "rush_epa"),
    *("success_rate", "explosive_rate", "turnovers", "penalties"),
)  # of team_games
EFFICIENCY = (*PLAYED, "epa_allowed", "success_allowed")
SUMMED = ("points_for", "points_against", "margin", "epa", "plays")


def names_of(statistics: Iterable[str]) -> tuple[str, ...]:
    """Names of the features of statistics."""
    return tuple(
        f"{x}_{ending}"
        for x in statistics
        for ending in ("prior", "last3", "last5", "season", "prior_sum")
        if ending != "prior_sum" or x in SUMMED
    )


TEAM = {  # group -> names that stand three times
    "form": (*names_of(FORM), "games_prior", "games_season", "prev_win", "prev_margin"),
    "efficiency": names_of(EFFICIENCY),
    "rating": ("elo",),
    "situation": (
        *("rest_days", "short_rest", "long_rest", "venue_changed"),
        *("qb_changed", "coach_changed", "qb_tenure", "coach_tenure", "travel_km"),
    ),
    "weather": (),
    "market": ("prev_line", "prev_cover"),
}
GAME = {  # group -> names that stand once
    "form": (),
    "efficiency": (),
    "rating": ("elo_prob",),
    "situation": ("neutral", "div_game", "postseason", "indoors", "grass", "week"),
    "weather": ("temp_c", "wind_kmh", "humidity_pct", "pressure_hpa", "precip_mm"),
    "market": ("spread_line", "total_line", "market_prob"),
}
TARGETS = ("home_margin", "total", "home_win")
LINE_TARGETS = ("home_cover", "over_hit")  # only with lines
KEYS = {"season": pl.Int32, "game_id": pl.String, "date": pl.Date}


def schema(*, lines: bool = True, weather: bool = True) -> dict[str, Any]:
    """Columns and types of the features; all but the keys are Float64."""
    out: dict[str, Any] = dict(KEYS)
    for group, names in TEAM.items():
        if (group == "market" and not lines) or (group == "weather" and not weather):
            continue
        for name in names:
            out |= dict.fromkeys((f"home_{name}", f"away_{name}", f"{name}_diff"), pl.Float64)
        out |= dict.fromkeys(GAME[group], pl.Float64)
    return out | dict.fromkeys((*TARGETS, *(LINE_TARGETS if lines else ())), pl.Float64)


# One number of a few


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the known values, None if there are none."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def minus(a: float | None, b: float | None) -> float | None:
    """a - b, None where either is."""
    return None if a is None or b is None else a - b


def side_of(value: float | None, equal: float | None) -> float | None:
    """1 above 0, 0 below, `equal` at 0."""
    if value is None:
        return None
    if value == 0:
        return equal
    return 1.0 if value > 0 else 0.0


def flag(value: Any) -> float | None:
    """1 or 0, None stays."""
    return None if value is None else float(bool(value))


def payout(american: float) -> float:
    """Decimal odds of American odds."""
    return 1 + (american / 100 if american > 0 else 100 / -american)


def great_circle(a: tuple[float | None, float | None], b: tuple) -> float | None:
    """Distance in km of two (lat, lon), by the angle of their vectors."""
    if None in a or None in b:
        return None
    u, v = (
        (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
        for lat, lon in ((math.radians(x), math.radians(y)) for x, y in (a, b))
    )
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    dot = sum(x * y for x, y in zip(u, v, strict=True))
    return RADIUS_KM * math.atan2(math.hypot(*cross), dot)


# Tables


def rows_of(table: Table) -> list[Row]:
    """The rows of a table."""
    return table.to_dicts() if isinstance(table, pl.DataFrame) else [dict(row) for row in table]


def by_game(table: Table | Mapping[str, Mapping[str, Any]] | None) -> dict[str, Row]:
    """game_id -> its only row."""
    if table is None:
        return {}
    if isinstance(table, Mapping):
        return {game_id: dict(row) for game_id, row in table.items()}
    out = {row["game_id"]: row for row in rows_of(table)}
    assert len(out) == len(table), "a game has two rows"
    return out


def appearances(games: list[Row], team_games: Table, lines: dict[str, Row]) -> dict[str, list[Row]]:
    """Franchise -> its games on the schedule as it saw them, in order of date."""
    played = {(row["game_id"], row["team"]): row for row in rows_of(team_games)}
    out = defaultdict(list)
    for game in games:
        for us, them in (("home", "away"), ("away", "home")):
            team, other = (FRANCHISE.get(game[f"{s}_team"], game[f"{s}_team"]) for s in (us, them))
            ours, theirs = (played.get((game["game_id"], t), {}) for t in (team, other))
            margin = minus(game[f"{us}_score"], game[f"{them}_score"])
            line = lines.get(game["game_id"], {}).get("spread_line")
            seen = {
                "game_id": game["game_id"],
                "date": game["date"],
                "season": game["season"],
                "team": team,
                "side": us,
                "known": margin is not None,
                "points_for": game[f"{us}_score"],
                "points_against": game[f"{them}_score"],
                "margin": margin,
                "win": side_of(margin, 0.5),
                "epa_allowed": theirs.get("epa"),
                "success_allowed": theirs.get("success_rate"),
                "qb": game[f"{us}_qb"],
                "coach": game[f"{us}_coach"],
                "line": line if us == "home" or line is None else 0 - line,
            }
            out[team].append(seen | {name: ours.get(name) for name in PLAYED})
    for team, seen in out.items():
        assert len({s["date"] for s in seen}) == len(seen), f"{team} plays twice on one day"
    return dict(out)


# Features of a team before a game


def statistics(season: int, earlier: list[Row], names: Iterable[str]) -> Row:
    """Means and sums of the statistics of earlier games."""
    out: Row = {}
    for x in names:
        values = [game[x] for game in earlier]
        out[f"{x}_prior"] = mean(values)
        out[f"{x}_last3"] = mean(values[-3:])
        out[f"{x}_last5"] = mean(values[-5:])
        out[f"{x}_season"] = mean(game[x] for game in earlier if game["season"] == season)
        if x in SUMMED:
            known = [value for value in values if value is not None]
            out[f"{x}_prior_sum"] = math.fsum(known) if known else None
    return out


def changed(now: str | None, before: list[str | None]) -> float | None:
    """Whether the one of now is not the last known one before."""
    known = [one for one in before if one is not None]
    return None if now is None or not known else float(now != known[-1])


def tenure(now: str | None, before: list[str | None]) -> float | None:
    """How many in a row, counted back, are the one of now."""
    if now is None:
        return None
    count = 0
    while count < len(before) and before[-1 - count] == now:
        count += 1
    return float(count)


def before_game(seen: Row, all_of_team: list[Row]) -> Row:
    """All features of a team before one of its games, but elo and travel_km."""
    scheduled = [game for game in all_of_team if game["date"] < seen["date"]]
    earlier = [game for game in scheduled if game["known"]]
    last = earlier[-1] if earlier else None
    this_season = [game for game in scheduled if game["season"] == seen["season"]]
    rest = (seen["date"] - this_season[-1]["date"]).days if this_season else 7
    out = statistics(seen["season"], earlier, (*FORM, *EFFICIENCY))
    out |= {
        "games_prior": len(earlier),
        "games_season": sum(game["season"] == seen["season"] for game in earlier),
        "prev_win": last and last["win"],
        "prev_margin": last and last["margin"],
        "rest_days": rest,
        "short_rest": flag(rest < 6),
        "long_rest": flag(rest > 13),
        "venue_changed": flag(scheduled[-1]["side"] != seen["side"]) if scheduled else None,
        "prev_line": last and last["line"],
        "prev_cover": last and side_of(minus(last["margin"], last["line"]), 0.5),
    }
    for who in ("qb", "coach"):
        past = [game[who] for game in earlier]
        out[f"{who}_changed"], out[f"{who}_tenure"] = (
            changed(seen[who], past),
            tenure(seen[who], past),
        )
    return out


def multiplier(margin: float, advantage: float) -> float:
    """m of a game: `margin` and `advantage` R, both from the home team's side."""
    if margin == 0:
        return math.log(2)
    of_winner = advantage if margin > 0 else -advantage
    return math.log(abs(margin) + 1) * 2.2 / (0.001 * of_winner + 2.2)


def expectation(advantage: float) -> float:
    """elo_prob of R."""
    return 1 / (1 + 10 ** (-advantage / 400))


def ratings(games: list[Row], teams: dict[str, list[Row]], elo: Mapping[str, float]) -> dict:
    """game_id -> ratings (home, away) before the game, R; `games` in order of date.

    A rating comes from the team's game before on the schedule: from that game's ratings and result.
    """
    of_game = {game["game_id"]: game for game in games}
    out: dict[str, tuple[float, float, float]] = {}

    def before(game: Row, side: str) -> float:
        team = FRANCHISE.get(game[f"{side}_team"], game[f"{side}_team"])
        past = [seen for seen in teams[team] if seen["date"] < game["date"]]
        if not past:
            return elo["start"]
        last = of_game[past[-1]["game_id"]]
        home, away, advantage = out[last["game_id"]]
        rating = home if past[-1]["side"] == "home" else away
        margin = minus(last["home_score"], last["away_score"])
        if margin is not None:
            gain = elo["k"] * multiplier(margin, advantage)
            gain *= side_of(margin, 0.5) - expectation(advantage)
            rating += gain if past[-1]["side"] == "home" else -gain
        if last["season"] != game["season"]:
            rating += elo["regression"] * (elo["start"] - rating)
        return rating

    for game in games:
        home, away = before(game, "home"), before(game, "away")
        edge = 0 if game["neutral"] else elo["home_edge"]
        out[game["game_id"]] = (home, away, home - away + edge)
    return out


# Features of a game


def indoors(roof: str | None) -> float | None:
    """1 under a roof, 0 under the sky, None for a roof that may be either or is unknown."""
    return None if roof in (None, "", "retractable") else float(roof in ("dome", "closed"))


def grass(surface: str | None) -> float | None:
    """1 on grass, 0 on anything else that is known."""
    kind = (surface or "").strip()
    return float(kind.startswith("grass") or kind == "dessograss") if kind else None


def of_the_game(game: Row, line: Row, air: Row, place: Row) -> Row:
    """What stands once in a row, with the targets, but elo_prob."""
    home_margin = minus(game["home_score"], game["away_score"])
    total = None if home_margin is None else game["home_score"] + game["away_score"]
    under_roof = indoors(game["roof"] or place.get("roof"))
    odds = [line.get(f"{side}_moneyline") for side in ("home", "away")]
    home, away = [None, None] if None in odds else [1 / payout(x) for x in odds]
    return {
        "neutral": flag(game["neutral"]),
        "div_game": flag(game["div_game"]),
        "postseason": flag(game["game_type"] != "REG"),
        "indoors": under_roof,
        "grass": grass((game["surface"] or "").strip() or place.get("surface")),
        "week": game["week"],
        **{name: None if under_roof == 1 else air.get(name) for name in GAME["weather"]},
        "spread_line": line.get("spread_line"),
        "total_line": line.get("total_line"),
        "market_prob": None if home is None else home / (home + away),
        "home_margin": home_margin,
        "total": total,
        "home_win": side_of(home_margin, None),
        "home_cover": side_of(minus(home_margin, line.get("spread_line")), None),
        "over_hit": side_of(minus(total, line.get("total_line")), None),
    }


def features(
    schedules: Table,
    team_games: Table,
    odds: Table | None,
    weather: Table | None,
    stadiums: Table | Mapping[str, Mapping[str, Any]],
    *,
    elo: Mapping[str, float] = ELO,
) -> pl.DataFrame:
    """The features of docs/nfl.md: a row per game, in order of date, game_id; see `schema`.

    Args:
        schedules: as columns.SCHEDULES, in any order.
        team_games: game_id, team (franchise) and PLAYED; rows may lack, values may be null.
        odds: as columns.ODDS; None: no columns of the market, no home_cover, over_hit.
        weather: as columns.WEATHER; None: no such columns.
        stadiums: game_id and lat, lon, roof, surface, home_lat, home_lon, away_lat, away_lon;
            roof and surface serve where those of the schedule are null.
        elo: k, home_edge, regression, start.
    """
    games = sorted(rows_of(schedules), key=lambda game: (game["date"], game["game_id"]))
    lines, airs, places = by_game(odds), by_game(weather), by_game(stadiums)
    teams = appearances(games, team_games, lines)
    rated = ratings(games, teams, elo)
    out = []
    for game in games:
        game_id = game["game_id"]
        place = places.get(game_id, {})
        home_elo, away_elo, advantage = rated[game_id]
        row = {name: game[name] for name in KEYS} | {"elo_prob": expectation(advantage)}
        row |= of_the_game(game, lines.get(game_id, {}), airs.get(game_id, {}), place)
        sides = {}
        for side, rating in (("home", home_elo), ("away", away_elo)):
            team = FRANCHISE.get(game[f"{side}_team"], game[f"{side}_team"])
            seen = next(seen for seen in teams[team] if seen["game_id"] == game_id)
            stadium = (place.get(f"{side}_lat"), place.get(f"{side}_lon"))
            km = great_circle(stadium, (place.get("lat"), place.get("lon")))
            sides[side] = before_game(seen, teams[team]) | {"elo": rating, "travel_km": km}
        for name, value in sides["home"].items():
            other = sides["away"][name]
            row |= {
                f"home_{name}": value,
                f"away_{name}": other,
                f"{name}_diff": minus(value, other),
            }
        out.append(row)
    columns = schema(lines=odds is not None, weather=weather is not None)
    data = {
        name: pl.Series(name, [row[name] for row in out], dtype=dtype, strict=False)
        for name, dtype in columns.items()
    }
    return pl.DataFrame(data)


# Input


CODES_BEFORE = {new: old for old, new in FRANCHISE.items()}
LEAGUE = ("LA", "KC", "LV", "ARI", "JAX", "SF", "LAC", "SEA", "DEN", "CHI", "NYG", "HOU")
AIR = {
    "temp_c": (-15, 35),
    "humidity_pct": (5, 100),
    "wind_kmh": (0, 60),
    "pressure_hpa": (980, 1040),
    "precip_mm": (0, 9),
}
TEXT, WHOLE, REAL = pl.String, pl.Int32, pl.Float64
SEASON_GAME = {"season": WHOLE, "game_id": TEXT}
SCHEMAS = {
    "schedules": SEASON_GAME
    | {"old_game_id": TEXT, "game_type": TEXT, "week": WHOLE, "date": pl.Date, "kickoff": TEXT}
    | {"home_team": TEXT, "away_team": TEXT, "home_score": WHOLE, "away_score": WHOLE}
    | {"neutral": pl.Boolean, "div_game": pl.Boolean}
    | dict.fromkeys(("roof", "surface", "stadium"), TEXT)
    | dict.fromkeys(("home_qb", "away_qb", "home_coach", "away_coach"), TEXT),
    "team_games": SEASON_GAME | {"team": TEXT} | dict.fromkeys(PLAYED, REAL),
    "odds": SEASON_GAME
    | dict.fromkeys(("spread_line", "total_line", "home_moneyline", "away_moneyline"), REAL)
    | {"simulated": pl.Boolean},
    "weather": SEASON_GAME | dict.fromkeys(AIR, REAL) | {"simulated": pl.Boolean},
    "stadiums": {"game_id": TEXT, "lat": REAL, "lon": REAL, "roof": TEXT, "surface": TEXT}
    | dict.fromkeys(("home_lat", "home_lon", "away_lat", "away_lon"), REAL),
}


class League(NamedTuple):
    """Input of `features`, in its order; columns and types in SCHEMAS."""

    schedules: pl.DataFrame
    team_games: pl.DataFrame
    odds: pl.DataFrame
    weather: pl.DataFrame
    stadiums: pl.DataFrame


class _Club:
    """A franchise of the random league: who leads it, where it is at home, when it was away."""

    def __init__(self, rng: random.Random, name: str, seasons: range) -> None:
        self.rng, self.name = rng, name
        self.moves = rng.choice(seasons)  # first season of the code of today
        self.pause = rng.choice((None, None, seasons[0], rng.choice(seasons)))  # not in the league
        self.people = {"qb": f"qb-{name}", "coach": f"coach-{name}"}
        self.places = [(rng.uniform(-60, 70), rng.uniform(-180, 180)) for _ in range(2)]

    def code(self, season: int) -> str:
        return self.name if season >= self.moves else CODES_BEFORE.get(self.name, self.name)

    def place(self, season: int) -> tuple[float | None, float | None]:
        return self.places[season < self.moves]

    def leader(self, who: str, change: float, unknown: float) -> str | None:
        """Who starts the next game; some come back, some come from another team."""
        if self.rng.random() < change:
            self.people[who] = self.rng.choice((f"{who}-{self.name}", f"{who}-2", f"{who}-3"))
        return None if self.rng.random() < unknown else self.people[who]


def random_league(
    seed: int,
    n_teams: int = 6,
    n_seasons: int = 3,
    weeks: int = 7,
    *,
    unplayed: float = 0.06,
    missing: float = 0.1,
    moved: float = 0.12,
) -> League:
    """A league with everything that can go wrong; the same for the same arguments.

    Codes change (STL, SD, OAK, JAC become LA, LAC, LV, JAX), teams sit out weeks or a whole season,
    games are ties, neutral, cancelled or moved behind later weeks, the last weeks are still to be
    played, seasons lack plays, penalties or moneylines, lines are met exactly.

    Args:
        seed: of the random numbers.
        n_teams: 2 to 12.
        n_seasons: from 2013 on.
        weeks: of a season, at most 20; the last but one is WC, the last SB from four on.
        unplayed: share of games that are cancelled; 0 leaves out the unplayed last weeks as well.
        missing: share of rows and values that lack.
        moved: share of games moved to a later week.
    """
    rng = random.Random(f"{seed} {n_teams} {n_seasons} {weeks}")
    seasons = range(2013, 2013 + n_seasons)
    clubs = [_Club(rng, name, seasons) for name in LEAGUE[:n_teams]]
    clubs[0].pause = clubs[1].pause = None  # so that each season has a game
    no_plays, no_penalties, no_odds = (rng.choice(seasons) for _ in range(3))
    no_moneylines = rng.choice((seasons[0], None))
    still_to_play = rng.randint(0, 2) if unplayed else 0
    tables: dict[str, list[Row]] = {name: [] for name in SCHEMAS}

    def lacks(share: float = missing) -> bool:
        return rng.random() < share

    def maybe(value: Any) -> Any:
        return None if lacks() else value

    for season in seasons:
        start = date(season, rng.choice((9, 12)), rng.randint(1, 9))  # some see the new year
        busy: set[tuple[str, date]] = set()
        slots = []
        for week in range(1, weeks + 1):
            here = [club for club in clubs if club.pause != season]
            here = [club for club in here if week == 1 or not lacks(0.08)]
            rng.shuffle(here)
            slots += [(week, *pair) for pair in zip(here[::2], here[1::2], strict=False)]
        for week, home, away in slots:
            day = start + timedelta(7 * week + rng.choice((0, 3, 3, 3, 4)))
            behind = day + timedelta(7 * rng.randint(1, 3) + rng.choice((-2, -1, 2)))
            days = [behind, day] if lacks(moved) else [day]
            days += [start + timedelta(7 * week + n) for n in range(7)]
            day = next(d for d in days if not {(home.name, d), (away.name, d)} & busy)
            busy |= {(home.name, day), (away.name, day)}
            codes = home.code(season), away.code(season)
            key = {"season": season, "game_id": f"{season}_{week:02d}_{codes[1]}_{codes[0]}"}
            scores = [rng.choice((0, 3, 7, 10, 13, 17, 20, 24, 27, 31, 45)) for _ in codes]
            if lacks(0.08):
                scores[1] = scores[0]
            margin, total = scores[0] - scores[1], sum(scores)
            if lacks(unplayed) or (season == seasons[-1] and week > weeks - still_to_play):
                scores = [None, None]
            neutral = lacks(0.12)
            last_weeks = {weeks: "SB", weeks - 1: "WC"} if weeks >= 4 else {}
            game = key | {
                "old_game_id": f"{day:%Y%m%d}{len(tables['schedules']) % 100:02d}",
                "game_type": last_weeks.get(week, "REG"),
                "week": week,
                "date": day,
                "kickoff": maybe("13:00"),
                **dict(zip(("home_team", "away_team"), codes, strict=True)),
                **dict(zip(("home_score", "away_score"), scores, strict=True)),
                "neutral": neutral,
                "div_game": maybe(lacks(0.4)),
                "roof": rng.choice((None, "outdoors", "open", "closed", "dome")),
                "surface": rng.choice(
                    (None, "grass", "grass ", " grass", "dessograss", "fieldturf", "a_turf")
                ),
                "stadium": maybe("Field"),
            }
            for side, club in (("home", home), ("away", away)):
                game[f"{side}_qb"] = club.leader("qb", 0.3, missing)
                game[f"{side}_coach"] = club.leader("coach", 0.1, missing / 2)
            tables["schedules"].append(game)
            place = (
                (rng.uniform(-60, 70), rng.uniform(-180, 180)) if neutral else home.place(season)
            )
            located: Row = {"game_id": key["game_id"]}
            for prefix, found in (
                ("", place),
                ("home_", home.place(season)),
                ("away_", away.place(season)),
            ):
                lat, lon = (None, None) if lacks(missing / 2) else found
                located |= {f"{prefix}lat": lat, f"{prefix}lon": lon}
            located["roof"] = rng.choice((None, "outdoors", "retractable", "dome"))
            located["surface"] = rng.choice((None, "grass", "artificial"))
            tables["stadiums"].append(located)
            for club in (home, away):
                if lacks(0.5 if season == no_plays or scores[0] is None else missing / 2):
                    continue
                numbers = dict.fromkeys(PLAYED)
                if season != no_plays:
                    plays, parts = rng.randint(40, 80), [rng.gauss(0, 8) for _ in range(2)]
                    numbers = {
                        "plays": plays,
                        "epa": maybe(sum(parts)),
                        "epa_play": maybe(sum(parts) / plays),
                        "pass_epa": maybe(parts[0]),
                        "rush_epa": maybe(parts[1]),
                        "success_rate": maybe(rng.randint(10, 40) / plays),
                        "explosive_rate": maybe(rng.randint(0, 12) / plays),
                        "turnovers": maybe(rng.randint(0, 5)),
                        "penalties": None if season == no_penalties else rng.randint(0, 12),
                    }
                tables["team_games"].append(key | {"team": club.name} | numbers)
            if not lacks(0.7 if season == no_odds else missing):
                spread = rng.choice((margin, 0.0, rng.randint(-28, 28) / 2))
                chance = min(max(0.5 + spread / 40, 0.05), 0.95)
                money = [
                    None if lacks(missing / 2) else _american(p + 0.02)
                    for p in (chance, 1 - chance)
                ]
                if season == no_moneylines:
                    money = [None, None]
                line = {
                    "spread_line": maybe(spread),
                    "total_line": maybe(rng.choice((total, rng.randint(60, 120) / 2))),
                    "home_moneyline": money[0],
                    "away_moneyline": money[1],
                    "simulated": True,
                }
                tables["odds"].append(key | line)
            if not lacks():
                air = {name: maybe(rng.uniform(*ends)) for name, ends in AIR.items()}
                tables["weather"].append(key | air | {"simulated": True})
    for rows in tables.values():
        rng.shuffle(rows)
    return League(*(pl.DataFrame(tables[name], schema=SCHEMAS[name]) for name in League._fields))


def _american(probability: float) -> float:
    """American odds that pay for a probability."""
    p = probability
    return float(round(-100 * p / (1 - p) if p >= 0.5 else 100 * (1 - p) / p))
