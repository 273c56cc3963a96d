"""Expected points added by each team in each game of a season -> etl/team_epa."""

from pathlib import Path

import polars as pl

from scripts.nfl.columns import KEYS, PLAYS
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.tables import Column, conform, write

SNAPS = ("pass", "run")
COLUMNS = {
    **KEYS,
    "team": Column(pl.String, "code of the team at the time"),
    "plays": Column(pl.Int32, "passes (sacks too) and runs, of any down"),
    "epa_sum": Column(pl.Float64, "expected points added by them; null without expected points"),
    "epa_mean": Column(pl.Float64, "epa_sum by play with expected points"),
    "pass_epa": Column(pl.Float64, "expected points added by passes"),
    "rush_epa": Column(pl.Float64, "expected points added by runs"),
    "spike_epa": Column(pl.Float64, "expected points added by spikes, not in epa_sum"),
    "kneel_epa": Column(pl.Float64, "expected points added by kneel-downs, not in epa_sum"),
    "success_rate": Column(pl.Float64, "share of this team's plays with expected points added > 0"),
    "explosive_passes": Column(pl.Int32, "passes of 20 yards or more"),
    "explosive_runs": Column(pl.Int32, "runs of 10 yards or more"),
    "explosive_rate": Column(pl.Float64, "explosive plays by play"),
    "turnovers": Column(pl.Int32, "interceptions thrown and fumbles lost on passes and runs"),
    "penalties": Column(pl.Int32, "penalties called on the team; null where no play names a team"),
}


def with_epa(plays: pl.DataFrame, model: Path | None) -> pl.DataFrame:
    """Plays with the column epa: the source's own where it has any, else by the model.

    Args:
        plays: columns `PLAYS`.
        model: expected points fitted on earlier seasons; None: there are none.

    Raises:
        DataError: the model cannot be read.
    """
    if plays["epa"].count() or model is None:
        return plays
    from scripts.nfl import expected_points  # the booster takes longer to import than most jobs run

    ep = expected_points.expected_points(expected_points.load(model), plays)
    return plays.with_columns(expected_points.added(plays, ep))


def team_games(plays: pl.DataFrame, types: pl.DataFrame) -> pl.DataFrame:
    """One row for each team in each game, columns `COLUMNS`.

    Args:
        plays: columns `PLAYS`, epa as it is to be counted.
        types: columns `play_types.COLUMNS`.
    """
    classes = types.select("game_id", "play_id", "play_class", "explosive")
    joined = plays.join(classes, on=["game_id", "play_id"], how="left")
    snaps = joined.filter(pl.col("play_class").is_in(SNAPS) & pl.col("posteam").is_not_null())
    passes, epa = pl.col("play_class") == "pass", pl.col("epa")
    known = epa.count() > 0
    teams = snaps.group_by("season", "game_id", "posteam", maintain_order=True).agg(
        plays=pl.len(),
        epa_sum=pl.when(known).then(epa.sum()),
        epa_mean=epa.mean(),
        pass_epa=pl.when(known).then(epa.filter(passes).sum()),
        rush_epa=pl.when(known).then(epa.filter(~passes).sum()),
        success_rate=(epa > 0).mean(),
        explosive_passes=(pl.col("explosive") & passes).sum(),
        explosive_runs=(pl.col("explosive") & ~passes).sum(),
        explosive_rate=pl.col("explosive").mean(),
        turnovers=(pl.col("interception") | pl.col("fumble_lost")).sum(),
    )
    fouls = joined.filter(pl.col("penalty_team").is_not_null())
    called = fouls.group_by("game_id", pl.col("penalty_team").alias("posteam")).agg(
        penalties=pl.len()
    )
    teams = teams.join(called, on=["game_id", "posteam"], how="left")
    for name in ("spike", "kneel"):
        made = joined.filter((pl.col("play_class") == name) & epa.is_not_null())
        total = made.group_by("game_id", "posteam").agg(epa.sum().alias(f"{name}_epa"))
        # None of them, where expected points are known at all, add 0.
        none = pl.when(pl.col("epa_sum").is_not_null()).then(0.0)
        teams = teams.join(total, on=["game_id", "posteam"], how="left").with_columns(
            pl.coalesce(f"{name}_epa", none)
        )
    if fouls.height:
        teams = teams.with_columns(pl.col("penalties").fill_null(0))
    return conform(teams.rename({"posteam": "team"}), COLUMNS).sort("game_id", "team")


def build(plays: Path, types: Path, model: Path | None, out: Path) -> str:
    """Write expected points added by team and game.

    Args:
        plays: the season's plays.
        types: their classes.
        model: expected points fitted on earlier seasons; None: there are none.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: an input cannot be used.
    """
    frame = with_epa(conform(pl.read_parquet(plays), PLAYS), model)
    teams = team_games(frame, conform(pl.read_parquet(types), PLAY_TYPES))
    write(teams, out)
    return f"{teams.height} team-games, {teams['epa_sum'].count()} with expected points"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                plays=Path(snakemake.input.plays),  # noqa: F821
                types=Path(snakemake.input.types),  # noqa: F821
                model=next(map(Path, snakemake.input.model), None),  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )
