"""A season of the league's GameCenter (real games of 2009 to 2019, from a wheel) -> flat files."""

from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.nfl import box_scores, gamecenter
from scripts.tables import schema_of, write


def land(season: int, folder: Path, games: Path, plays: Path, player_games: Path) -> str:
    """Write the games of a season as a CSV in nflverse's layout, its plays and players as parquet.

    Args:
        season: the season.
        folder: folder of the wheel's data.
        games: CSV to write, columns `gamecenter.GAMES`; a game of which the wheel has no record has
            no scores.
        plays: parquet to write, columns `gamecenter.PLAYS`.
        player_games: parquet to write, columns `box_scores.COLUMNS`.

    Returns:
        one line for the log.

    Raises:
        DataError: the wheel has no games of that season, or a damaged one.
    """
    listed = gamecenter.schedule(folder, season)
    if not listed:
        raise DataError(f"{folder}: no games of {season}; GameCenter's wheel has 2009 to 2019")
    rows, flat, box = [], [], []
    for game in listed:
        record = gamecenter.read(folder, game["eid"])
        rows.append(gamecenter.game_row(season, game, record))
        if record is not None:
            flat += gamecenter.plays(game["game_id"], record)
            box += box_scores.of_game(game, record)
    with atomic(games) as temporary:
        pl.DataFrame(rows, schema=schema_of(gamecenter.GAMES)).write_csv(temporary)
    write(pl.DataFrame(flat, schema=schema_of(gamecenter.PLAYS)), plays)
    write(pl.DataFrame(box, schema=schema_of(box_scores.COLUMNS)), player_games)
    known = sum(row["home_score"] is not None for row in rows)
    return f"{len(rows)} games, {known} with a record; {len(flat)} plays"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            land(
                season=int(snakemake.wildcards.season),  # noqa: F821
                folder=gamecenter.package(),
                games=Path(snakemake.output.games),  # noqa: F821
                plays=Path(snakemake.output.plays),  # noqa: F821
                player_games=Path(snakemake.output.player_games),  # noqa: F821
            ),
        )
