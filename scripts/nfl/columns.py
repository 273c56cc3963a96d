"""Tables of the NFL domain: their columns, types, meanings and units."""

from __future__ import annotations

import polars as pl

from scripts.tables import Column

KEYS = {
    "season": Column(pl.Int32, "season, by the year of its first games"),
    "game_id": Column(pl.String, "SEASON_WK_AWAY_HOME, with the codes of the time"),
}
SCHEDULES = {
    **KEYS,
    "old_game_id": Column(pl.String, "the league's own number of the game, YYYYMMDDNN"),
    "game_type": Column(pl.String, "REG, WC, DIV, CON or SB"),
    "week": Column(pl.Int32, "week of the season; play-offs count on"),
    "date": Column(pl.Date, "day of the kickoff in New York"),
    "kickoff": Column(pl.String, "time of the kickoff in New York, HH:MM; null where unknown"),
    "home_team": Column(pl.String, "code of the home team at the time"),
    "away_team": Column(pl.String, "code of the visitors at the time"),
    "home_score": Column(pl.Int32, "points of the home team; null while not played or not known"),
    "away_score": Column(pl.Int32, "points of the visitors"),
    "neutral": Column(pl.Boolean, "neither team is at home"),
    "div_game": Column(pl.Boolean, "both teams are of one division; null where unknown"),
    "roof": Column(pl.String, "outdoors, open, closed or dome; null where unknown"),
    "surface": Column(pl.String, "kind of the playing surface; null where unknown"),
    "stadium": Column(pl.String, "name of the stadium; null where unknown"),
    "home_qb": Column(pl.String, "id of the home team's starting quarterback"),
    "away_qb": Column(pl.String, "id of the visitors' starting quarterback"),
    "home_coach": Column(pl.String, "head coach of the home team"),
    "away_coach": Column(pl.String, "head coach of the visitors"),
}
ODDS = {
    **KEYS,
    "spread_line": Column(
        pl.Float64, "closing line: points by which the home team is favoured (negative: visitors)"
    ),
    "total_line": Column(pl.Float64, "closing line of the points of both teams"),
    "home_moneyline": Column(pl.Float64, "American odds of a home win"),
    "away_moneyline": Column(pl.Float64, "American odds of an away win"),
    "simulated": Column(pl.Boolean, "whether the lines are the simulator's"),
}
WEATHER = {
    **KEYS,
    "temp_c": Column(pl.Float64, "temperature at kickoff in degrees Celsius; null indoors"),
    "humidity_pct": Column(pl.Float64, "relative humidity at kickoff in percent"),
    "wind_kmh": Column(pl.Float64, "wind speed at kickoff in km/h"),
    "pressure_hpa": Column(pl.Float64, "air pressure at kickoff in hPa"),
    "precip_mm": Column(pl.Float64, "precipitation of the kickoff hour in mm"),
    "simulated": Column(pl.Boolean, "whether the weather is the simulator's"),
}
STADIUMS = {
    "season": KEYS["season"],
    "team": Column(pl.String, "franchise that is at home there (code of today); null: nobody's"),
    "stadium": Column(pl.String, "name of the stadium"),
    "lat": Column(pl.Float64, "latitude in degrees north"),
    "lon": Column(pl.Float64, "longitude in degrees east"),
    "roof": Column(pl.String, "outdoors, retractable or dome"),
    "surface": Column(pl.String, "grass or artificial"),
}
PLAYERS = {
    "season": KEYS["season"],
    "player_id": Column(pl.String, "GSIS id"),
    "name": Column(pl.String, "full name"),
    "team": Column(pl.String, "franchise of the season (code of today); null where unknown"),
    "position": Column(pl.String, "position; null where unknown"),
    "birth_date": Column(pl.Date, "date of birth; null where unknown"),
}
PLAYS = {
    **KEYS,
    "play_id": Column(pl.Int32, "number of the play; plays of a game are in its order"),
    "drive": Column(pl.Int32, "number of the drive"),
    "quarter": Column(pl.Int32, "quarter; overtime counts on from 5"),
    "half_seconds": Column(pl.Int32, "seconds left in the half (in overtime: in the period)"),
    "game_seconds": Column(pl.Int32, "seconds left in regulation; 0 in overtime"),
    "posteam": Column(pl.String, "team with the ball (kicking team on kickoffs); null: nobody"),
    "defteam": Column(pl.String, "the other team"),
    "down": Column(pl.Int32, "down; null on kickoffs, conversions and timeouts"),
    "ydstogo": Column(pl.Int32, "yards to go"),
    "yardline_100": Column(pl.Int32, "yards to the opponent's goal line"),
    "kind": Column(
        pl.String,
        "pass, run, punt, field_goal, kickoff, conversion, qb_kneel, qb_spike, no_play, timeout",
    ),
    "yards_gained": Column(pl.Int32, "yards gained; null where unknown"),
    "interception": Column(pl.Boolean, "the pass was intercepted"),
    "fumble_lost": Column(pl.Boolean, "the other team got the ball by a fumble"),
    "sack": Column(pl.Boolean, "the quarterback was sacked"),
    "penalty": Column(pl.Boolean, "a penalty was called on the play"),
    "penalty_team": Column(pl.String, "team of the first penalty that was enforced; null: none"),
    "touchdown": Column(pl.Boolean, "a touchdown was scored"),
    "scoring_team": Column(pl.String, "team that scored on the play; null: none"),
    "points": Column(pl.Int32, "points scored on the play, without the try after it"),
    "try_points": Column(pl.Int32, "points of the try after its touchdown; null where unknown"),
    "home_points": Column(
        pl.Int32, "points of the home team before the play; an unknown try counts 1"
    ),
    "away_points": Column(pl.Int32, "points of the visitors before the play"),
    "epa": Column(pl.Float64, "the source's own expected points added; null where it has none"),
    "wp": Column(pl.Float64, "the source's own win probability of posteam; null: none"),
}
PLAYER_GAMES = {
    **KEYS,
    "player_id": PLAYERS["player_id"],
    "name": Column(pl.String, "name as the play-by-play writes it: T.Brady"),
    "team": Column(pl.String, "code of the player's team at the time"),
    "attempts": Column(pl.Int32, "passes thrown, spikes too; sacks and tries are none"),
    "completions": Column(pl.Int32, "passes caught"),
    "passing_yards": Column(pl.Int32, "yards of completions, with those after a lateral"),
    "passing_tds": Column(pl.Int32, "touchdowns by passes thrown"),
    "interceptions": Column(pl.Int32, "passes thrown that were intercepted"),
    "sacks": Column(pl.Int32, "times sacked"),
    "sack_yards": Column(pl.Int32, "yards lost by sacks"),
    "carries": Column(pl.Int32, "runs, kneel-downs too; a run after a lateral is none"),
    "rushing_yards": Column(pl.Int32, "yards of runs, with those after a lateral"),
    "rushing_tds": Column(pl.Int32, "touchdowns by runs"),
    "targets": Column(pl.Int32, "passes thrown to the player; null where the source knows none"),
    "receptions": Column(pl.Int32, "passes caught; a catch of a lateral is none"),
    "receiving_yards": Column(pl.Int32, "yards of catches, with those after a lateral"),
    "receiving_tds": Column(pl.Int32, "touchdowns by catches"),
    "fumbles_lost": Column(
        pl.Int32, "fumbles lost with the ball from scrimmage; not those of returns and kicks"
    ),
}
PREDICTIONS = {
    **KEYS,
    "week": SCHEDULES["week"],
    "date": SCHEDULES["date"],
    "outcome": Column(pl.Int8, "1 or 0; null for a push and for games not played"),
    "probability": Column(pl.Float64, "predicted probability of outcome 1"),
}
