"""Which tables a run has: where, and the constant of the script that it is written by."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from scripts.plan.data_inputs import INPUTS
from scripts.weekly.build_bars import BATCH, CHECKED
from scripts.weekly.build_bars import COLUMNS as BARS
from scripts.weekly.build_bars import OTHERS as OTHER_BARS
from scripts.weekly.build_features import COLUMNS as FEATURES
from scripts.weekly.build_features import OTHERS as OTHER_FEATURES


class Table(NamedTuple):
    """Files of one kind.

    Args:
        place: path below results/<run>/ (config/...: from the project's folder), see
            `data_dictionary.described`.
        source: the script, and its constant.
        columns: name -> (type, meaning), in the order of the file; none: the source's own.
        about: what it holds, in a line.
        optional: columns that are there only where they have a source.
        note: what else is to be said.
    """

    place: str
    source: str
    columns: Mapping[str, tuple]
    about: str
    optional: frozenset[str] = frozenset()
    note: str = ""

    @property
    def domain(self) -> str:
        """Folder of results that it is in."""
        return self.place.partition("/")[0]


# Path below results/<run>/<domain>/, script, its constant (an entry of it), what it holds.
LAKE = (
    ("landing/*/*/*/*.csv.gz", "bars", "LANDED", "flat file of the vendor, byte by byte"),
    ("bronze/stocks_minute/date=*", "build_minute_bars", "STOCKS_MINUTE", "minute bars of stocks"),
    (
        "bronze/options_minute/date=*",
        "build_minute_bars",
        "OPTIONS_MINUTE",
        "minute bars of options",
    ),
    ("bronze/stocks_daily/month=*", "build_daily_bars", "STOCKS_DAILY", "day bars of stocks"),
    ("bronze/options_daily/month=*", "build_daily_bars", "OPTIONS_DAILY", "day bars of options"),
    (
        *("bronze/balance_sheets/month=*", "land_financials", "STATEMENTS.balance_sheets"),
        "balance sheets as filed",
    ),
    ("bronze/cash_flow/month=*", "land_financials", "STATEMENTS.cash_flow", "cash flow as filed"),
    (
        *("bronze/income_statements/month=*", "land_financials", "STATEMENTS.income_statements"),
        "income statements as filed",
    ),
    ("bronze/dividends/month=*", "land_actions", "DIVIDENDS", "dividends by ex-date"),
    ("bronze/splits/month=*", "land_actions", "SPLITS", "splits by execution date"),
    ("bronze/ipos/month=*", "land_actions", "IPOS", "listings, done and expected"),
    ("bronze/ticker_events/month=*", "land_ticker_events", "COLUMNS", "changes of tickers"),
    ("bronze/news/date=*", "land_news", "COLUMNS", "articles"),
    ("bronze/short_interest/month=*", "land_shorts", "SHORT_INTEREST", "short interest"),
    ("bronze/short_volume/month=*", "land_shorts", "SHORT_VOLUME", "short volume by day"),
    ("bronze/ratios/month=*", "land_ratios", "COLUMNS", "the vendor's own ratios"),
    ("bronze/tickers/week=*", "land_reference", "TICKERS", "securities of the universe"),
    ("bronze/ticker_types/week=*", "land_reference", "TICKER_TYPES", "kinds of securities"),
    ("bronze/related/week=*", "land_reference", "RELATED", "companies near one another"),
    ("quarantine/stocks_minute/*", "bars", "QUARANTINE", "refused rows of flat files"),
    ("quarantine/stocks_daily/*", "bars", "QUARANTINE", ""),
    ("quarantine/options_minute/*", "bars", "QUARANTINE", ""),
    ("quarantine/options_daily/*", "bars", "QUARANTINE", ""),
    *(
        (f"quarantine/{name}/*", "records", "QUARANTINE", "refused records of the REST API")
        for name in (
            *("dividends", "financials", "ipos", "news", "ratios", "related"),
            *("short_interest", "short_volume", "splits"),
            *("ticker_events", "ticker_types", "tickers"),
        )
    ),
    (
        *("silver/session_bars/date=*", "build_stocks_minute", "SESSIONS"),
        "day bars rebuilt from minutes",
    ),
    (
        *("silver/calculated_ratios/quarter=*", "build_calculated_ratios", "COLUMNS"),
        "ratios from statements and prices",
    ),
    (
        *("silver/financial_ratios/quarter=*", "build_financial_ratios", "COLUMNS"),
        "ours beside the vendor's",
    ),
    (
        *("silver/fundamentals_wide/quarter=*", "build_fundamentals_wide", "COLUMNS"),
        "all statements of a filing in one row",
    ),
    (
        *("silver/corporate_actions/event_type=*", "build_corporate_actions", "COLUMNS"),
        "dividends, splits, listings and changes of tickers in one form",
    ),
    ("silver/adjustments", "build_adjustments", "COLUMNS", "what prices are adjusted with"),
    ("gold/stocks_minute/date=*", "build_stocks_minute", "COLUMNS", "minute bars of the universe"),
    ("gold/stocks_daily/month=*", "build_stocks_daily", "COLUMNS", "adjusted day bars"),
    ("gold/options_daily/month=*", "build_options_daily", "COLUMNS", "day bars of options"),
    ("gold/alpha158/month=*", "build_alpha158", "COLUMNS", "158 factors of daily bars"),
)
TICKS = (
    ("parquet/*.parquet", "events", "COLUMNS", "checked events of a security"),
    ("quarantine/ticks/*.parquet", "build_parquet", "QUARANTINE", "refused rows of a security"),
    ("trades/*/!(closing_strategy)/*/*.csv", "backtest", "QUOTING", "fills of a backtest"),
    ("trades/*/closing_strategy/*/*.csv", "backtest", "CLOSING", "fills of the closing strategy"),
    ("sweeps/*/*/*.parquet", "simulate_sweep", "COLUMNS", "fills of many backtests of a security"),
    ("summary.csv", "score_summary", "COLUMNS", "scores of all base backtests and portfolios"),
    ("sweeps/*.csv", "score_sweeps", "COLUMNS", "scores of a strategy's sweeps"),
    ("fixes.csv", "score_fixes", "COLUMNS", "what each fix of the realistic mode does"),
)
NFL = (
    ("raw/gamecenter/season=*/games.csv", "gamecenter", "GAMES", "games, in nflverse's names"),
    ("raw/gamecenter/season=*/plays.parquet", "gamecenter", "PLAYS", "plays, flattened"),
    (
        *("raw/gamecenter/season=*/player_games.parquet", "box_scores", "COLUMNS"),
        "players' statistics, added up",
    ),
    ("raw/odds/season=*", "columns", "ODDS", "closing lines of The Odds API"),
    ("raw/weather/season=*", "columns", "WEATHER", "weather at kickoffs, of stations"),
    ("etl/schedules/season=*", "columns", "SCHEDULES", "games of a season"),
    ("etl/stadiums/season=*", "columns", "STADIUMS", "stadiums of a season"),
    ("etl/players/season=*", "columns", "PLAYERS", "players of a season"),
    ("etl/pbp/season=*", "columns", "PLAYS", "plays of a season"),
    ("etl/odds/season=*", "columns", "ODDS", "closing lines"),
    ("etl/weather/season=*", "columns", "WEATHER", "weather at kickoffs"),
    ("etl/play_types/season=*", "play_types", "COLUMNS", "classes of plays"),
    ("etl/player_games/season=*", "columns", "PLAYER_GAMES", "players' statistics by game"),
    ("etl/team_epa/season=*", "build_team_epa", "COLUMNS", "what each team did in each game"),
    ("features/season=*", "feature_columns", "COLUMNS", "features and targets, a row a game"),
    ("features/games.parquet", "feature_columns", "COLUMNS", "the same of all seasons"),
    (
        *("models/*/*/*/*/season=*/predictions.parquet", "columns", "PREDICTIONS"),
        "predictions of a model for a season",
    ),
    ("tables/models.csv", "score_models", "MODELS", "all models against the references"),
    ("tables/reliability.csv", "score_models", "BINS", "outcomes by predicted probability"),
    ("tables/seasons.csv", "score_models", "SEASONS", "scores of all models by season"),
    ("grid/*/*/*/part.parquet", "grid_fit", "COLUMNS", "a chunk of the grid"),
    ("grid/*/*/*/fits.parquet", "grid_fit", "COLUMNS", "its fits, as far as they are made"),
    ("grid/results.parquet", "grid_fit", "COLUMNS", "all configurations of the grid"),
)
NOTES = {
    "nfl/features/season=*/part.parquet": (
        "[nfl.md](../nfl.md) tells how each is made. Without a source: no weather, no lines, "
        "and nothing that needs them."
    ),
}
PUBLISHED = (  # as the source publishes them: what is read of them is in the script
    ("nfl/raw/schedules/season=*/games.csv", "scripts/nfl/games_csv.py"),
    ("nfl/raw/pbp/season=*/play_by_play.parquet", "scripts/nfl/plays.py"),
    ("nfl/raw/players/season=*/roster.csv", "scripts/nfl/build_players.py"),
    ("nfl/raw/team_stats/season=*/stats_team_week.csv", "scripts/nfl/score_points.py"),
)


def _entry(domain: str, place: str, script: str, constant: str, about: str) -> Table:
    """A table whose columns are a constant of a script."""
    name, _, entry = constant.partition(".")
    columns = getattr(import_module(f"scripts.{domain}.{script}"), name)
    if entry:
        columns = getattr(columns[entry], "columns", columns[entry])
    leaf = place.rpartition("/")[2]
    if place.startswith("quarantine/") and "." not in leaf:
        place += ".parquet"
    elif "." not in leaf:
        place += "/part.parquet"
    place = f"{domain}/{place}"
    return Table(
        *(place, f"scripts/{domain}/{script}.py", columns, about),
        optional=_optional(columns) if script == "feature_columns" else frozenset(),
        note=NOTES.get(place, ""),
    )


def _optional(columns: Mapping) -> frozenset[str]:
    """Features that need a source: of weather, or of lines."""
    from scripts.nfl.feature_columns import GROUPS

    lines = {"home_cover", "over_hit"} & set(columns)
    return frozenset({*GROUPS["weather"], *GROUPS["market"], *lines})


def _before_batch(columns: Mapping, others: Mapping) -> dict:
    """Columns of a partition of weekly, with those that the input decides."""
    own = {name: told for name, told in columns.items() if name != "batch"}
    return {**own, **others, "batch": columns["batch"]}


def _weekly() -> list[Table]:
    """Tables of weekly, some of which are made of others' columns."""
    weekly = _before_batch(FEATURES, OTHER_FEATURES)
    seen = {n: told for n, told in weekly.items() if n not in ("symbol", "week_end", "batch")}
    daily = {**CHECKED, **seen}
    made = (
        ("checked/batch=*", "build_bars", CHECKED, "daily bars as given, sorted"),
        ("bars/batch=*", "build_bars", _before_batch(BARS, OTHER_BARS), "weekly bars"),
        ("features/batch=*", "build_features", weekly, "features of weekly bars"),
        (
            *("daily/batch=*", "build_daily", {**daily, "batch": BATCH}),
            "daily rows with the features known by then",
        ),
    )
    return [
        *(
            Table(f"weekly/{at}/part.parquet", f"scripts/weekly/{script}.py", columns, about)
            for at, script, columns, about in made
        ),
        Table(
            *("weekly/features.parquet", "scripts/weekly/export_features.py", daily),
            "the daily rows of all batches, by symbol and date",
        ),
        _entry("weekly", "targets/batch=*", "build_targets", "COLUMNS", "triple-barrier targets"),
        _entry(
            *("weekly", "benchmarks.parquet", "build_benchmarks", "COLUMNS"),
            "weekly closes of the benchmarks",
        ),
        _entry(
            *("weekly", "source/daily.parquet", "simulate_daily", "COLUMNS"),
            "simulated daily bars",
        ),
    ]


TABLES = (
    *(_entry("lake", *told) for told in LAKE),
    *(_entry("ticks", *told) for told in TICKS),
    *_weekly(),
    *(_entry("nfl", *told) for told in NFL),
    *(
        Table(place, script, {}, "as nflverse publishes it", note="All columns of the source.")
        for place, script in PUBLISHED
    ),
    *(Table(*told) for told in INPUTS),
)
