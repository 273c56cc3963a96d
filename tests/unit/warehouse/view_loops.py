"""The views of the warehouse by loops over rows: slow, and hard to get wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from tests.unit.warehouse.view_leagues import SIDES, STATISTICS, Row, today

ROLLING = (
    *("points_for", "points_against", "margin", "win", "plays", "epa", "epa_play"),
    *("success_rate", "explosive_rate", "turnovers", "epa_allowed", "success_allowed"),
)


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of what is there."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def minus(one: float | None, other: float | None) -> float | None:
    """Difference; null where either is."""
    return None if one is None or other is None else one - other


def sorted_rows(table: pl.DataFrame) -> list[Row]:
    """Games in the order of their days."""
    return sorted(table.to_dicts(), key=lambda game: (game["date"], game["game_id"]))


def known(game: Row) -> bool:
    """Whether the result of a game is known."""
    return game["home_score"] is not None and game["away_score"] is not None


def side_of(game: Row, team: str) -> str | None:
    """The side on which a franchise is in a game, if it is."""
    return next((s for s in SIDES if today(game[f"{s}_team"]) == team), None)


def margin_of(game: Row, team: str) -> int:
    """Points by which a franchise won a game."""
    margin = game["home_score"] - game["away_score"]
    return margin if side_of(game, team) == "home" else -margin


def earlier(games: list[Row], game: Row, *teams: str) -> list[Row]:
    """Known games of all these franchises before the day of a game, in their order."""
    before = [other for other in games if other["date"] < game["date"] and known(other)]
    return [other for other in before if all(side_of(other, team) for team in teams)]


def slow_aggregates(games: pl.DataFrame, plays: pl.DataFrame) -> list[Row]:
    """game_aggregates by loops."""
    made = []
    for game in games.to_dicts():
        for own, other in (SIDES, SIDES[::-1]):
            team = game[f"{own}_team"]
            of_game = plays.filter(pl.col("game_id") == game["game_id"]).to_dicts()
            snaps = [
                play
                for play in of_game
                if play["posteam"] == team and play["play_class"] in ("pass", "run")
            ]
            if not snaps:
                continue
            valued = [play for play in snaps if play["epa"] is not None]
            passes = [play for play in snaps if play["play_class"] == "pass"]
            runs = [play for play in snaps if play["play_class"] == "run"]

            def total(kind: list[Row], some: bool = bool(valued)) -> float | None:
                return sum(play["epa"] or 0 for play in kind) if some else None

            made.append(
                {
                    "season": game["season"],
                    "game_id": game["game_id"],
                    "team": team,
                    "opponent": game[f"{other}_team"],
                    "at_home": own == "home",
                    "plays": len(snaps),
                    "epa": total(snaps),
                    "epa_play": mean(play["epa"] for play in snaps),
                    "pass_epa": total(passes),
                    "rush_epa": total(runs),
                    "success_rate": mean(float(play["epa"] > 0) for play in valued),
                    "explosive_passes": sum(play["explosive"] for play in passes),
                    "explosive_runs": sum(play["explosive"] for play in runs),
                    "explosive_rate": mean(float(play["explosive"]) for play in snaps),
                    "turnovers": sum(p["interception"] or p["fumble_lost"] for p in snaps),
                }
            )
    return made


def slow_rolling(games: pl.DataFrame, aggregates: pl.DataFrame) -> list[Row]:
    """team_rolling_stats by loops."""
    ordered = sorted_rows(games)
    of_team = {(row["game_id"], today(row["team"])): row for row in aggregates.to_dicts()}

    def did(game: Row, team: str, name: str) -> float | None:
        own = side_of(game, team)
        other = "away" if own == "home" else "home"
        margin = margin_of(game, team)
        results = {
            "points_for": game[f"{own}_score"],
            "points_against": game[f"{other}_score"],
            "margin": margin,
            "win": 1.0 if margin > 0 else 0.0 if margin < 0 else 0.5,
        }
        if name in results:
            return results[name]
        if name in ("epa_allowed", "success_allowed"):
            name = {"epa_allowed": "epa", "success_allowed": "success_rate"}[name]
            team = today(game[f"{other}_team"])
        return of_team.get((game["game_id"], team), {}).get(name)

    made = []
    for game in ordered:
        for own, other in (SIDES, SIDES[::-1]):
            team = today(game[f"{own}_team"])
            before = earlier(ordered, game, team)
            season = [past for past in before if past["season"] == game["season"]]
            windows = {f"last{k}": before[-k:] for k in (3, 5, 10)} | {"season": season}
            made.append(
                {
                    **{name: game[name] for name in ("season", "game_id", "date")},
                    "team": team,
                    "opponent": today(game[f"{other}_team"]),
                    "at_home": own == "home",
                    "games_prior": len(before),
                    "games_season": len(season),
                    **{
                        f"{name}_{window}": mean(did(past, team, name) for past in pasts)
                        for name in ROLLING
                        for window, pasts in windows.items()
                    },
                }
            )
    return made


def base(game: Row) -> Row:
    """What the views of games begin with."""
    teams = {f"{side}_team": today(game[f"{side}_team"]) for side in SIDES}
    return {name: game[name] for name in ("season", "game_id", "date")} | teams


def slow_matchups(games: pl.DataFrame) -> list[Row]:
    """team_matchup_history by loops."""
    ordered, made = sorted_rows(games), []
    for game in ordered:
        home = today(game["home_team"])
        past = earlier(ordered, game, home, today(game["away_team"]))
        margins = [margin_of(other, home) for other in past]
        made.append(
            {
                **base(game),
                "meetings": len(past),
                "home_wins": sum(margin > 0 for margin in margins),
                "away_wins": sum(margin < 0 for margin in margins),
                "ties": sum(margin == 0 for margin in margins),
                "home_margin_mean": mean(margins),
                "last_date": past[-1]["date"] if past else None,
                "last_home_margin": margins[-1] if past else None,
            }
        )
    return made


def slow_players(
    games: pl.DataFrame, player_games: pl.DataFrame, players: pl.DataFrame
) -> list[Row]:
    """player_season_stats by loops."""
    days = {game["game_id"]: game["date"] for game in games.to_dicts()}
    listed = {row["player_id"]: row for row in sorted(players.to_dicts(), key=_season)}
    groups: dict[tuple, list[Row]] = {}
    for row in sorted(player_games.to_dicts(), key=lambda x: (days[x["game_id"]], x["game_id"])):
        groups.setdefault((row["season"], row["player_id"]), []).append(row)
    made = []
    for (season, player), rows in groups.items():
        found = listed.get(player, {"name": rows[-1]["name"]})
        made.append(
            {
                "season": season,
                "player_id": player,
                "name": found["name"],
                **{name: found.get(name) for name in ("position", "birth_date")},
                "teams": ", ".join(sorted({today(row["team"]) for row in rows})),
                "games": len(rows),
                **{name: _total(row[name] for row in rows) for name in STATISTICS},
            }
        )
    return made


def _season(row: Row) -> int:
    return row["season"]


def _total(values: Iterable[int | None]) -> int | None:
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def slow_betting(games: pl.DataFrame, odds: pl.DataFrame | None) -> list[Row]:
    """betting_features by loops."""
    ordered = sorted_rows(games)
    lines = {} if odds is None else {row["game_id"]: row for row in odds.to_dicts()}

    def above(value: float | None) -> int | None:
        return None if not value else int(value > 0)  # on the line is null too

    def over(game: Row, name: str) -> float | None:
        line = lines.get(game["game_id"], {}).get(f"{name}_line")
        if not known(game):
            return None
        home, away = game["home_score"], game["away_score"]
        return minus(home - away if name == "spread" else home + away, line)

    def record(team: str, game: Row, name: str) -> float | None:
        found = []
        for past in earlier(ordered, game, team)[-10:]:
            won = above(over(past, name))
            visitor = name == "spread" and side_of(past, team) == "away"
            found.append(1 - won if visitor and won is not None else won)
        return mean(found)

    def chance(moneyline: float) -> float:
        return 100 / (100 + moneyline) if moneyline > 0 else -moneyline / (100 - moneyline)

    made = []
    for game in ordered:
        line = lines.get(game["game_id"], {})
        prices = [line.get(f"{side}_moneyline") for side in SIDES]
        chances = [] if None in prices else [chance(price) for price in prices]
        row = base(game) | {name: line.get(name) for name in ("spread_line", "total_line")}
        row["home_margin"] = minus(game["home_score"], game["away_score"])
        row["total"] = game["home_score"] + game["away_score"] if known(game) else None
        row |= {"cover_margin": over(game, "spread"), "total_margin": over(game, "total")}
        row |= {"home_cover": above(row["cover_margin"]), "over_hit": above(row["total_margin"])}
        row["market_prob"] = chances[0] / sum(chances) if chances else None
        for name, told in (("spread", "cover"), ("total", "over")):
            for side in SIDES:
                row[f"{side}_{told}_last10"] = record(row[f"{side}_team"], game, name)
        made.append(row)
    return made


def slow_venues(games: pl.DataFrame, weather: pl.DataFrame | None) -> list[Row]:
    """venue_weather_features by loops."""
    measured = {} if weather is None else {row["game_id"]: row for row in weather.to_dicts()}
    ordered = sorted_rows(games)

    def venue(game: Row) -> str | None:
        return game["stadium"] or (None if game["neutral"] else today(game["home_team"]))

    made = []
    for game in ordered:
        own, place = measured.get(game["game_id"], {}), venue(game)
        past = [x for x in earlier(ordered, game) if place is not None and venue(x) == place]
        there = [measured.get(x["game_id"], {}) for x in past]
        temperature = mean(x.get("temp_c") for x in there)
        made.append(
            {
                **{name: game[name] for name in ("season", "game_id", "date")},
                "venue": place,
                **{name: own.get(name) for name in ("temp_c", "wind_kmh", "precip_mm")},
                "venue_games": len(past),
                "venue_total_mean": mean(x["home_score"] + x["away_score"] for x in past),
                "venue_temp_c_mean": temperature,
                "venue_wind_kmh_mean": mean(x.get("wind_kmh") for x in there),
                "temp_c_diff": minus(own.get("temp_c"), temperature),
            }
        )
    return made


SLOW: dict[str, Callable[..., list[Row]]] = {
    "game_aggregates": slow_aggregates,
    "team_rolling_stats": slow_rolling,
    "team_matchup_history": slow_matchups,
    "player_season_stats": slow_players,
    "betting_features": slow_betting,
    "venue_weather_features": slow_venues,
}
