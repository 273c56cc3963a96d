# NFL: functions that turn config and wildcards into paths and params. No rules here.
from datetime import date

from scripts.plan import grid
from scripts.plan.nfl import CALIBRATED, MODEL_FILES, RAW, NflPlan

NFL = planned(NflPlan, config=config["nfl"], today=date.today())
GAMES = "<results>/nfl/features/games.parquet"
GAMECENTER_FILES = {
    "schedules": "games.csv",
    "pbp": "plays.parquet",
    "player_games": "player_games.parquet",
}
# Temperature and wind stand in the schedules' file; hours measured have one of their own.
WEATHER_TABLE = "weather" if NFL.sources["weather"] == "files" else "schedules"
# Players' games are counted from plays that name players, or landed by GameCenter.
PLAYER_GAMES_TABLE = "pbp" if NFL.sources["player_games"] == "pbp" else "player_games"
ETL_ALWAYS = ("schedules", "stadiums")


def raw_file(table, season):
    """Where a rule lands a season of a source."""
    if NFL.sources[table] == "gamecenter":
        return f"<results>/nfl/raw/gamecenter/season={season}/{GAMECENTER_FILES[table]}"
    return f"<results>/nfl/raw/{table}/season={season}/{RAW[table]}"


def source_file(table, season):
    """The file of a table and season, given by config or landed."""
    given = planned(NFL.given, table, season)
    # What a file of config holds is told by the param `revision`, season by season.
    return ancient(str(given)) if given else raw_file(table, season)


def source_of(table):
    """Input function: the file of a table and season, given by config or landed."""
    return partial(_source_of, table)


def _source_of(table, wildcards):
    return source_file(table, int(wildcards.season))


def manifest_of(table):
    """Input function: the manifest of what was landed over HTTP; it is gone when that failed."""
    return partial(_manifest_of, table)


def _manifest_of(table, wildcards):
    landed = NFL.sources[table] == "nflverse"
    return [raw_file(table, wildcards.season) + ".json"] if landed else []


def players_source(wildcards):
    """The roster of a season; none: the package's list."""
    return [raw_file("players", wildcards.season)] if NFL.sources["players"] == "nflverse" else []


def weather_starts(wildcards):
    """Kickoffs that hourly measures are looked up by."""
    return [ancient(str(NFL.files.starts))] if WEATHER_TABLE == "weather" else []


def release_of(wildcards):
    """What nflverse calls a table."""
    return {"players": "rosters"}.get(wildcards.dataset, wildcards.dataset)


def revision_of(table):
    """Params function: what the content of a source that no rule makes is known by."""
    return partial(_revision_of, table)


def _revision_of(table, wildcards):
    return planned(NFL.revision, table, int(wildcards.season))


def season_known_at(wildcards):
    """The day by which a season that is not over is known; None: it never changes again."""
    return NFL.known_at(int(wildcards.season))


def hides_after(wildcards):
    """The day after which a season's results are hidden, where config says so."""
    return NFL.hides_after(int(wildcards.season))


def etl_file(table, season):
    """A season of a table."""
    return f"<results>/nfl/etl/{table}/season={season}/part.parquet"


def etl_seasons(table):
    """Seasons of a table."""
    if table in ("pbp", "play_types", "team_epa"):
        return NFL.pbp_seasons
    if table == "player_games":
        return NFL.player_seasons
    return NFL.seasons if table in ETL_ALWAYS or NFL.has(table) else []


def etl_files(table):
    """All seasons of a table."""
    return [etl_file(table, season) for season in etl_seasons(table)]


def etl_up_to(table):
    """Input function: seasons of a table up to and with the job's own."""
    return partial(_etl_up_to, table)


def _etl_up_to(table, wildcards):
    return [etl_file(table, s) for s in etl_seasons(table) if s <= int(wildcards.season)]


def points_model(season):
    """The model of expected points for a season."""
    return f"<results>/nfl/expected_points/season={season}/model.ubj"


def points_model_of(wildcards):
    """The model that gives a season's plays their expected points; none: the source's own, or none."""
    season = int(wildcards.season)
    return [points_model(season)] if NFL.fits_points(season) else []


def earlier_plays(wildcards):
    """Plays of the seasons before the one a model is for."""
    return [etl_file("pbp", season) for season in NFL.earlier_pbp(int(wildcards.season))]


def features_file(season):
    """Features of a season's games."""
    return f"<results>/nfl/features/season={season}/part.parquet"


def features_up_to(wildcards):
    """Features of the seasons up to and with the one that is tested."""
    return [features_file(season) for season in NFL.up_to(int(wildcards.season))]


def provenance_sources(wildcards=None):
    """What was landed or given, of all tables and seasons."""
    files = {config["nfl"]["stadiums"]: None}
    tables = ("schedules", "pbp", "player_games", "players", "weather", "team_stats")
    seasons = {"pbp": NFL.pbp_seasons, "team_stats": NFL.stats_seasons}
    seasons["player_games"] = NFL.player_seasons
    for table in tables:
        if NFL.sources[table] in (None, "simulator", "schedules", "meteostat", "pbp"):
            continue
        if table == "players" and NFL.sources[table] == "gamecenter":
            continue
        for season in seasons.get(table, NFL.seasons):
            files[source_file(table, season)] = None
    if NFL.sources["weather"] == "files":
        files[ancient(str(NFL.files.starts))] = None
    for table, source in (("odds", "odds_api"), ("weather", "meteostat")):
        if NFL.sources[table] == source:
            files |= {
                f"<results>/nfl/raw/{table}/season={s}/account.json": None for s in NFL.seasons
            }
    return list(files)


def all_revisions(wildcards):
    """What the content of all files of config is known by."""
    tables = ("schedules", "pbp", "weather", "team_stats")
    seasons = {"pbp": NFL.pbp_seasons, "team_stats": NFL.stats_seasons}
    return [
        planned(NFL.revision, table, season)
        for table in tables
        if NFL.sources[table] == "files"
        for season in seasons.get(table, NFL.seasons)
    ]
