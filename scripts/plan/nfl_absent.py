"""What of the NFL domain has no source, and what is not built for it.

Standard library only: Snakemake imports this while it parses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.errors import DataError

if TYPE_CHECKING:
    from scripts.plan.nfl import NflPlan

LINE_TARGETS = ("home_cover", "over_hit")
NEEDS = {"efficiency": "pbp", "weather": "weather", "market": "odds"}  # feature group -> source


def check_player_games(plan: NflPlan) -> None:
    """Check that plays name players, where players' games are to be made of them.

    Raises:
        DataError: they do not, or there are no plays.
    """
    if plan.sources["player_games"] != "pbp":
        return
    asked, source = "config: nfl.sources.player_games: pbp", plan.sources["pbp"]
    if source not in ("nflverse", "files"):
        told = "sources.pbp is null" if source is None else f"plays of {source} name no players"
        raise DataError(f"{asked}, but {told}; take gamecenter or null, or pbp from nflverse")
    for season in plan.pbp_seasons:
        given = plan.given("pbp", season)
        if given is not None and given.suffix != ".parquet":
            raise DataError(
                f"{asked}, but {given} names no players; take gamecenter or null, or give "
                f"play_by_play_{season}.parquet"
            )


def absent(plan: NflPlan) -> list[str]:
    """One line for each source that is absent, with what is not built for it."""
    lines = []
    if not plan.tests:
        lines.append(
            f"nfl: no season to test (nfl.first_test; {len(plan.seasons)} seasons), so not "
            "built: models, tables, plots"
        )
    found = plan.pbp_seasons
    if found and (gaps := sorted(set(range(found[0], found[-1])) - set(found))):
        lines.append(f"nfl: no plays of {', '.join(map(str, gaps))}: features of them are null")
    if plan.sources["team_stats"] and not plan.stats_seasons:
        lines.append("nfl: no official team_stats of seasons with plays, so not built: its check")
    if plan.sources["player_games"] and not plan.has("player_games"):
        lines.append(
            f"nfl: no season with players' games (nfl.sources.player_games is "
            f"{plan.sources['player_games']}), so not built: player_games"
        )
    for table in ("pbp", "odds", "weather"):
        if plan.has(table):
            continue
        sets = sorted(
            name
            for name, groups in plan.config["feature_sets"].items()
            if any(NEEDS.get(group) == table for group in groups)
        )
        left = [f"feature set {name}" for name in sets]
        if table == "odds":
            left += [t for t in sorted(plan.config["targets"]) if t in LINE_TARGETS]
            left.append("checks against the market")
        if left:
            lines.append(f"nfl: no {table} (nfl.sources.{table}), so not built: {', '.join(left)}")
    return lines
