"""Which checks of the NFL domain apply, by what there is. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

LINES = range(2004, 2025)  # seasons of the constants of real closing lines
SETS = {  # feature sets that the bands were found with
    "football": ["efficiency", "form", "rating", "situation"],
    "market": ["efficiency", "form", "market", "rating", "situation", "weather"],
}
BANDS = (("home_win", "football"), ("home_win", "market"), ("home_cover", "market"))
ENOUGH_SEASONS = 9  # that are over, so that at least 2,000 games are tested
SOME_SEASONS = 4  # so that about 1,000 games are


class Plan(Protocol):
    """What of `scripts.plan.nfl.NflPlan` is asked here."""

    seasons: list[int]
    tests: list[int]
    stats_seasons: list[int]
    targets: list[str]
    models: list[str]
    tasks: list[tuple[str, str]]
    feature_sets: dict[str, list[str]]
    real_lines: bool
    config: Mapping

    def has(self, table: str) -> bool:
        """Whether there is a source of a table."""

    def is_open(self, season: int) -> bool:
        """Whether a season can still be revised."""

    def without_lines(self, features: str) -> bool:
        """Whether a feature set knows nothing of closing lines."""


def applying(plan: Plan) -> dict[str, list[str]]:
    """Job -> checks. Market checks need real lines, the one of expected points official figures."""
    integrity = ["game_ids", "game_teams", "scores", "games_per_season"]
    if plan.has("pbp"):
        integrity += ["orphan_plays", "play_scores", "plays_per_game", "games_without_plays"]
    integrity += ["orphan_weather"] if plan.has("weather") else []
    integrity += ["orphan_odds", "line_range"] if plan.has("odds") else []
    leaks = ["truncation", "own_score"]
    leaks += ["time_order"] if plan.tests and plan.tasks else []
    points = ["epa_correlation"] if plan.stats_seasons else []
    market = _market(plan) if plan.real_lines and plan.tests else []
    return {"integrity": integrity, "leaks": leaks, "points": points, "market": market}


def _market(plan: Plan) -> list[str]:
    """Checks against real lines; the constants where all of their seasons are there."""
    names = ["cover_rate", "residual_sd"]
    over = [season for season in plan.tests if not plan.is_open(season)]
    if set(LINES) <= set(plan.seasons):
        names += ["line_brier", "line_log_loss", "line_auc"]
    if "home_cover" in plan.targets and len(over) >= ENOUGH_SEASONS and plan.tasks:
        names += ["cover_auc", "cover_brier"]
    blind = "home_win" in plan.targets and any(map(plan.without_lines, plan.feature_sets))
    if blind and len(over) >= SOME_SEASONS:
        names.append("win_below_line")
    usual = "glm" in plan.models and not plan.config["settings"].get("glm")
    if set(LINES) <= set(plan.tests) and usual:
        bands = [
            f"band_{target}_{name}"
            for target, name in BANDS
            if (target, name) in plan.tasks and plan.feature_sets[name] == SETS[name]
        ]
        names += [f"{band}_{metric}" for band in bands for metric in ("auc", "brier")]
    return names
