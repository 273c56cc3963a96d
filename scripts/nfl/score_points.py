"""Our expected points added against the official ones -> check."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scripts import text_csv
from scripts.errors import DataError
from scripts.nfl import games_csv
from scripts.nfl.build_team_epa import COLUMNS as TEAM_EPA
from scripts.nfl.checks import check, write_all
from scripts.nfl.columns import SCHEDULES
from scripts.nfl.teams import check_teams, franchise
from scripts.tables import scan

LEAST = 0.95
KEYS = ("season", "week", "team")
LIMITS = {
    "season": (1900, 2100),
    "week": (1, 25),
    "passing_epa": (-1000, 1000),
    "rushing_epa": (-1000, 1000),
}
OFFICIAL = ("season", "week", "team", "passing_epa", "rushing_epa")


def official(paths: Sequence[Path]) -> pl.DataFrame:
    """Official expected points by season, week and team.

    Args:
        paths: nflverse's stats_team_week CSVs.

    Returns:
        season, week, team, passing, rushing.

    Raises:
        DataError: a file cannot be read, lacks a column, has a cell that cannot be used (it names
            the line), or a team twice in a week.
    """
    frames = [_of_file(path) for path in paths]
    return pl.concat(frames)


def _of_file(path: Path) -> pl.DataFrame:
    """The rows of one file, see `official`."""
    rows = text_csv.read(path, f"expected columns {', '.join(OFFICIAL)} of stats_team_week")
    if missing := [name for name in OFFICIAL if name not in rows.columns]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; expected columns {', '.join(OFFICIAL)} of "
            "stats_team_week"
        )
    cells = pl.col(OFFICIAL).str.strip_chars()
    rows = rows.select("line", pl.when(~cells.is_in(["", "NA"])).then(cells).name.keep())
    check_teams(rows["team"], str(path))
    for name in KEYS:
        games_csv.check(rows, path, name, pl.col(name).is_not_null(), "something")
    numbers = {
        name: games_csv.number(rows, path, name, *ends, whole=name in KEYS)
        for name, ends in LIMITS.items()
    }
    found = rows.with_columns(**numbers)
    again = found.filter(~pl.struct(KEYS).is_first_distinct())
    if again.height:
        line, team = again.select("line", "team").row(0)
        raise DataError(f"{path}: line {line}: {team} a second time in that week; remove one")
    return found.select(
        pl.col("season", "week").cast(pl.Int32),
        "team",
        passing="passing_epa",
        rushing="rushing_epa",
    )


def compared(ours: pl.DataFrame, games: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Ours and theirs side by side, a row for each team-game that both have.

    Args:
        ours: columns of `build_team_epa.COLUMNS`.
        games: columns `SCHEDULES`.
        theirs: from `official`.
    """
    weeks = games.select("game_id", "week")
    named = ours.join(weeks, on="game_id").with_columns(franchise(pl.col("team")))
    return named.join(theirs, on=["season", "week", "team"])


def score(
    team_epa: Sequence[Path],
    schedules: Sequence[Path],
    official_files: Sequence[Path],
    names: Sequence[str],
    outs: Sequence[Path],
) -> str:
    """Write the check of the correlation by team-game.

    As the official figures do, spikes count as passes and kneel-downs as runs here. The note tells
    how far the levels are apart. The official model sees the era, the roof and the timeouts as
    well: its expected points of a fresh drive are some .2 points higher, so a score adds less and a
    turnover costs more (ours come out higher); and it does not charge a passer with what receivers
    fumble away, some .5 points a team-game (ours come out lower).

    Args:
        team_epa: ours, of the seasons that are compared.
        schedules: their schedules.
        official_files: nflverse's stats_team_week CSVs.
        names: the checks to write.
        outs: their files.

    Returns:
        one line for the log.
    """
    games = scan(schedules, SCHEDULES).collect()
    both = compared(scan(team_epa, TEAM_EPA).collect(), games, official(official_files))
    both = both.filter(pl.col("epa_sum").is_not_null())
    passes = pl.col("pass_epa") + pl.col("spike_epa")
    runs = pl.col("rush_epa") + pl.col("kneel_epa")
    told = both.select(
        all=pl.corr(passes + runs, pl.col("passing") + pl.col("rushing")),
        passes=pl.corr(passes, pl.col("passing")),
        runs=pl.corr(runs, pl.col("rushing")),
        pass_offset=(passes - pl.col("passing")).mean(),
        run_offset=(runs - pl.col("rushing")).mean(),
        plays=pl.col("plays").mean(),
    ).row(0, named=True)
    note = (
        "correlation by team-game of expected points added by passes and runs with the official "
        "ones"
    )
    if both.height:
        note += (
            f"; passes {told['passes']:.3f}, runs {told['runs']:.3f}; ours are higher by "
            f"{told['pass_offset']:.2f} (passes) and {told['run_offset']:.2f} (runs) points on "
            f"{told['plays']:.0f} plays"
        )
    got = told["all"] if both.height else None
    return write_all(
        [check("epa_correlation", got, [LEAST, None], both.height, note=note)], names, outs
    )


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                team_epa=[Path(path) for path in snakemake.input.team_epa],  # noqa: F821
                schedules=[Path(path) for path in snakemake.input.schedules],  # noqa: F821
                official_files=[Path(path) for path in snakemake.input.official],  # noqa: F821
                names=snakemake.params.names,  # noqa: F821
                outs=[Path(path) for path in snakemake.output],  # noqa: F821
            ),
        )
