"""Relations of the warehouse: columns and types of warehouse/schema.yaml, with their meanings.

Tables hold the parquet of nfl/etl, whose columns say what they mean; views have words of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.nfl import build_team_epa, columns, feature_columns, play_types
from scripts.warehouse import declared


class Relation(NamedTuple):
    """A table or view: its columns are name -> (type in PostgreSQL, meaning)."""

    name: str
    kind: str
    about: str
    columns: Mapping[str, tuple[str, str]]


ABOUT = {
    "games": "a row for each game of the schedule, played or not",
    "loads": "the last load of each table and season",
    "schema_migrations": "the migrations that were applied",
    "teams": "codes of teams at any time, with that of today",
    "warehouse": "whose results these are, in one row",
    "plays": "a row for each play, with its class and expected points",
    "players": "players as in the latest season that has them",
    "rosters": "franchise of each player in each season, where the source knows it",
    "player_games": "the offence's box score of each player in each game",
    "odds": "closing lines",
    "weather": "weather at kickoff",
    "team_epa": "what each team did in each game",
    "refresh_log": "a row for each refresh of a materialised view",
    "sides": "two rows a game: each side, by franchise",
    "game_aggregates": "a row for each side of a game with plays, codes of the time",
    "team_rolling_stats": "means over earlier games, a row for each side of every game",
    "team_matchup_history": "earlier games of the two teams, from today's home team's side",
    "player_season_stats": "sums of each player and season, play-offs too",
    "betting_features": "a row for every game: margins against the closing lines; a push is null",
    "venue_weather_features": "a row for every game: weather, and what the venue was known for",
}
SOURCES = {  # columns that a relation takes over as they are
    "games": columns.SCHEDULES,
    "plays": {**columns.PLAYS, **play_types.COLUMNS},
    "players": columns.PLAYERS,
    "rosters": columns.PLAYERS,
    "player_games": columns.PLAYER_GAMES,
    "odds": columns.ODDS,
    "weather": columns.WEATHER,
    "team_epa": build_team_epa.COLUMNS,
    "player_season_stats": {**columns.PLAYERS, **columns.PLAYER_GAMES},
    "betting_features": {**columns.ODDS, **columns.SCHEDULES, **feature_columns.COLUMNS},
    "venue_weather_features": {**columns.WEATHER, **columns.SCHEDULES},
    "team_matchup_history": {**columns.SCHEDULES, **feature_columns.COLUMNS},
    "team_rolling_stats": columns.SCHEDULES,
    "sides": columns.SCHEDULES,
    "game_aggregates": {**columns.SCHEDULES, **build_team_epa.COLUMNS},
}
OWN = {
    "loads.table_name": "table",
    "loads.season": "season; 0: of all seasons together",
    "loads.rows": "rows loaded",
    "loads.sha256": "checksum of what was loaded",
    "loads.loaded_at": "time of the load",
    "schema_migrations.number": "number of the migration",
    "schema_migrations.name": "its file, without .sql",
    "schema_migrations.sha256": "checksum of its text",
    "schema_migrations.applied_at": "time of its end",
    "schema_migrations.seconds": "how long it took, s",
    "plays.epa": "expected points added: the source's, our model's where it has none",
    "teams.code": "code of a team at some time",
    "teams.franchise": "code of today",
    "teams.division": "conference and division of today",
    "warehouse.run": "the run",
    "warehouse.version": "version of the project",
    "warehouse.config_hash": "hash of the config of nfl",
    "warehouse.simulated": "whether anything of it is simulated",
    "refresh_log.view": "materialised view",
    "refresh_log.started_at": "time of its beginning",
    "refresh_log.seconds": "how long it took, s",
    "refresh_log.rows": "rows of the view",
    "refresh_log.was_concurrent": "whether readers could go on",
    "players.last_season": "latest season that has the player",
    "player_season_stats.teams": "codes of the player's teams of the season",
    "player_season_stats.games": "games with any entry",
    "team_matchup_history.meetings": "earlier games of the two",
    "team_matchup_history.home_wins": "of them won by today's home team",
    "team_matchup_history.away_wins": "of them won by today's visitors",
    "team_matchup_history.ties": "of them drawn",
    "team_matchup_history.home_margin_mean": "mean margin of today's home team, points",
    "team_matchup_history.last_date": "day of the last of them",
    "team_matchup_history.last_home_margin": "margin of today's home team in it, points",
    "betting_features.cover_margin": "home_margin less spread_line, points",
    "betting_features.total_margin": "total less total_line, points",
    "venue_weather_features.venue": "stadium at the time; home team where it is unknown",
    "venue_weather_features.venue_games": "earlier games there",
    "venue_weather_features.venue_total_mean": "mean of the points of both teams in them",
    "venue_weather_features.venue_temp_c_mean": "mean temperature in them, degrees Celsius",
    "venue_weather_features.venue_wind_kmh_mean": "mean wind speed in them, km/h",
    "venue_weather_features.temp_c_diff": "temp_c less that mean, degrees Celsius",
}
SIDE = {  # of a team in a game
    "team": "the team",
    "opponent": "the other team",
    "at_home": "whether the team is at home",
    "points_for": "points scored",
    "points_against": "points allowed",
    "margin": "points scored less allowed",
    "known": "whether the result is known",
    "plays": "passes and runs",
    "epa": "expected points added, sum of passes and runs",
    "epa_play": "expected points added by play",
    "pass_epa": "expected points added, sum of passes",
    "rush_epa": "expected points added, sum of runs",
    "success_rate": "share of plays that added expected points",
    "explosive_passes": "passes of 20 yards or more",
    "explosive_runs": "runs of 10 yards or more",
    "explosive_rate": "share of explosive plays",
    "turnovers": "interceptions thrown and fumbles lost",
    "games_prior": "earlier games, ever",
    "games_season": "earlier games of this season",
}
WINDOWS = {
    "last3": "the last 3 earlier games",
    "last5": "the last 5 earlier games",
    "last10": "the last 10 earlier games",
    "season": "earlier games of this season",
}
AGAINST_LINE = {"cover": "games in which the line was beaten", "over": "games above the total line"}


def meaning(relation: str, column: str) -> str:
    """What a column means; '' where nobody says."""
    if told := OWN.get(f"{relation}.{column}"):
        return told
    if relation in ("sides", "game_aggregates", "team_rolling_stats") and column in SIDE:
        return SIDE[column]
    if column in (source := SOURCES.get(relation, {})):
        return source[column].meaning
    statistic, _, window = column.rpartition("_")
    statistics = {**feature_columns.FORM, **feature_columns.EFFICIENCY}
    if window in WINDOWS and statistic in statistics:
        return f"mean over {WINDOWS[window]}: {statistics[statistic]}"
    side, _, of = statistic.partition("_")
    if window in WINDOWS and of in AGAINST_LINE:
        return f"{feature_columns.TEAMS[side]}: share of {AGAINST_LINE[of]}, {WINDOWS[window]}"
    return ""


def relations(schema: Path) -> Iterator[Relation]:
    """All relations, tables first, in the order of the file.

    Args:
        schema: warehouse/schema.yaml.
    """
    for kind, entries in declared.read(schema).items():
        for name, entry in (entries or {}).items():
            types = {
                column: (told["is"] if isinstance(told, dict) else told)
                for column, told in entry.get("columns", {}).items()
            }
            made = {column: (type_, meaning(name, column)) for column, type_ in types.items()}
            yield Relation(name, declared.KINDS[kind], ABOUT.get(name, ""), made)
