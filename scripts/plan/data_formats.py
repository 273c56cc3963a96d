"""Small formats of a run: which JSON files there are, and what their keys mean."""

from __future__ import annotations

from scripts.nfl.evaluation import MEANINGS as SCORES
from scripts.nfl.grid_fit import COLUMNS as GRID
from scripts.plan.data_reports import REPORTS, SIMULATED, Format

ROWS = {
    "rows_in": "rows (records) of the source",
    "good": "rows kept",
    "quarantined": "rows refused: quarantine/ has them",
    "reasons": "{reason: rows} of those refused",
}
_LABELS = {
    "model": "family",
    "target": "home_win, home_cover or over_hit",
    "features": "feature set",
    "calibration": "none, platt or isotonic",
    "season": "season that it is tested on",
}
_OF_BACKTEST = {
    "trades": "fills",
    "position": "shares held at the end, negative: short",
    "market_dates": "dates with events",
    "strategy_dates": "dates on which the strategy took part",
    "unrealized_pnl": "gain of the position at the last price, AED",
    "filtered_sell?": "closing strategy: entries that the trend filter kept out, sales",
    "filtered_buy?": "the same, purchases",
}
FORMATS = (
    Format(
        tuple(f"{domain}/provenance.json" for domain in ("lake", "ticks", "weekly", "nfl")),
        "scripts/provenance.py",
        "where the results of a domain come from",
        {
            "version": "version of the project",
            "config_hash": "hash of the domain's section of the config",
            "simulated": SIMULATED,
            "products": "patterns of the files that it stands for, below results/<run>/",
            "sources": "[{path, sha256, etag (landed files)}] of all that was given or landed",
        },
    ),
    Format(
        ("lake/landing/*/*/*/*.json",),
        "scripts/lake/land_flatfile.py",
        "manifest of a landed flat file",
        {
            "etag": "the vendor's ETag, or the MD5",
            "size": "bytes",
            "sha256": "checksum of the file",
            "landed_at": "time of landing, UTC",
            "as_of": "day that the lake was known by",
            "adopted?": "true: the file was there before and is kept",
        },
    ),
    Format(
        tuple(
            f"lake/reconcile/{kind}_{grain}/*.json"
            for kind in ("stocks", "options")
            for grain in ("minute", "daily")
        ),
        "scripts/lake/bars.py",
        "account of bronze bars: rows_in = good + quarantined",
        {
            **ROWS,
            "volume": "sum of volumes, shares or contracts",
            "unparsed_occ?": "options: rows whose symbol does not parse",
            "days": "{date: {rows_in, good, quarantined, volume}}",
        },
    ),
    Format(
        ("lake/reconcile/sessions/*.json",),
        "scripts/lake/check_session.py",
        "account of a session from vendor to gold",
        {
            "date": "the session",
            "datasets": "{dataset: {rows_in, good, quarantined, out, outside_universe, volume_in, "
            "volume_bronze, volume_out}}; null: no such layer",
            "bars": "day bars rebuilt from minutes against the vendor's: compared, equal, ...",
        },
    ),
    Format(
        tuple(
            f"lake/reconcile/{name}/*.json"
            for name in (
                *("dividends", "financials", "ipos", "news", "ratios", "related"),
                *("short_interest", "short_volume", "splits"),
                *("ticker_events", "ticker_types", "tickers"),
            )
        ),
        "scripts/lake/records.py",
        "account of bronze records: rows_in = good + duplicates + quarantined",
        {
            **ROWS,
            "duplicates": "rows left out as repeated",
            "statements?": "{statement: rows} of the filings",
            "without_data?": "tickers of which the vendor knows nothing",
            "<count>?": "other counts",
        },
    ),
    Format(
        ("lake/qlib/manifest.json",),
        "scripts/lake/export_qlib.py",
        "the Qlib export",
        {
            "hash": "hash of its content: its version",
            "path": "its folder, below lake/qlib/",
            "symbols": "instruments",
            "sessions": "days of its calendar",
            "start": "first day",
            "end": "last day",
            "fields": "features of an instrument",
            "rows": "bars",
            "bytes": "size of the features",
            "names": "{symbol: name in Qlib} where they differ",
            "provenance": "{version, config_hash, simulated, sha256 of lake/provenance.json}",
        },
    ),
    Format(
        ("lake/revisions.json",),
        "scripts/lake/check_revisions.py",
        "files that the vendor has replaced",
        {"<dataset/date>": "ETag of the vendor's file"},
    ),
    Format(
        ("ticks/reconcile/ticks/*.json",),
        "scripts/ticks/build_parquet.py",
        "account of a security: rows_in = good + quarantined",
        {**ROWS, "repeated": "rows equal to the one before, kept"},
    ),
    Format(
        ("ticks/trades/*/*/*/*.json",),
        "scripts/ticks/simulate_trades.py",
        "counts of a backtest",
        _OF_BACKTEST,
    ),
    Format(
        ("ticks/kernels/*.json",),
        "scripts/ticks/compile_kernel.py",
        "a compiled event loop",
        {"strategy": "the strategy", "numba": "version of the compiler"},
    ),
    Format(
        ("ticks/benchmark.json",),
        "scripts/ticks/check_workers.py",
        "one worker against all",
        {
            "workers": "threads",
            "runs": "backtests",
            "seconds_one": "time with one thread, s",
            "seconds_all": "time with all, s",
            "speed_up": "their ratio",
            "identical": "whether all fills are the same",
        },
    ),
    Format(
        ("nfl/raw/*/season=*/account.json",),
        "scripts/nfl/land_odds.py, land_weather.py",
        "account of what was asked for: games = later + found + missing (weather: + indoors)",
        {
            "games": "games of the schedule",
            "later": "games that are still to come",
            "found": "games with an answer",
            "missing": "games without one",
            "missing_games": "their ids",
            "indoors?": "games indoors",
            "unknown_names?": "teams that are not known",
            "snapshots?": "{time asked for: {timestamp, sha256}}",
            "station_list?": "{url, sha256}",
            "stations?": "{station/year: sha256}",
        },
    ),
    Format(
        ("nfl/checks/*.json",),
        "scripts/nfl/checks.py",
        "a check",
        {
            "check": "its name",
            "got": "what was found; null never passes",
            "limit": "[lowest, highest] allowed, null: no end; or the only number allowed",
            "n": "games, plays or rows that it was found on",
            "pass": "whether it holds",
            "simulated": SIMULATED,
            "note": "what is meant, or what was found",
        },
    ),
    Format(
        ("nfl/passed.json",),
        "scripts/nfl/check_passed.py",
        "the checks that passed",
        {"passed": "names", "simulated": "names of those that rest on simulated data"},
    ),
    Format(
        ("nfl/models/*/*/*/*/season=*/metrics.json",),
        "scripts/nfl/artifacts.py",
        "scores of a model of a season",
        {
            **_LABELS,
            "n": "games with outcome and probability",
            **SCORES,
            "simulated": SIMULATED,
            "trained_on": "{n, seasons, last_date} of the games that it was fitted on",
        },
    ),
    Format(
        ("nfl/models/*/*/*/!(none)/season=*/model.json",),
        "scripts/nfl/artifacts.py",
        "a calibration, and the model that it stands on",
        {
            "kind": "platt or isotonic",
            "x": "points of its curve: probabilities of the model (platt: parameters)",
            "y": "the same, calibrated",
            "base": "path of the model, from here",
            "base_sha256": "its checksum",
        },
    ),
    Format(
        ("nfl/models/*/*/*/none/season=*/model.json",),
        "scripts/nfl/models/state_space.py, stack.py",
        "a model that is kept as JSON",
        {"<parameter>": "as the family's module says"},
    ),
    Format(
        ("nfl/grid/chosen.json",),
        "scripts/nfl/score_grid.py",
        "the configuration that the validation season chooses",
        {
            **{name: told.meaning for name, told in GRID.items() if name != "key"},
            "target": "what is predicted",
            "features": "feature set",
            "tests": "seasons that were not looked at",
            "simulated": SIMULATED,
        },
    ),
    *REPORTS,
)
