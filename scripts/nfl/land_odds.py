"""The closing lines of a season's games, from The Odds API's snapshots -> raw/odds."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl import odds_api
from scripts.nfl.columns import ODDS, SCHEDULES
from scripts.nfl.download import Web, sha256
from scripts.nfl.kickoffs import kickoff_utc
from scripts.nfl.odds_api import Lines, Snapshot
from scripts.nfl.teams import CODES, check_teams
from scripts.patience import Patience
from scripts.tables import conform, schema_of, write, write_json


def land(
    schedule: Path,
    base: str,
    as_of: str | None,
    environment: Mapping[str, str],
    out: Path,
    account: Path,
    **patience: float,
) -> dict:
    """Find the closing lines of a season's games: one request for each time at which any begins.

    Args:
        schedule: partition of the season, columns `columns.SCHEDULES`.
        base: address of the API, such as `odds_api.BASE`.
        as_of: games of later days have no closing lines yet, YYYY-MM-DD; None: all have.
        environment: holds the key, ODDS_API_KEY.
        out: partition to write, columns `columns.ODDS`; null where missing.
        account: JSON {games, later, found, missing, missing_games, unknown_names, snapshots: {time
            asked for: {timestamp, sha256}}}; games = later + found + missing. found: in a snapshot
            before kickoff, with at least one line.
        **patience: fields of `patience.Patience`.

    Returns:
        what was written to `account`.

    Raises:
        DataError: no key, a refusal, all games are of before 2020-06-06, or nothing usable came.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    check_teams(pl.concat([games["home_team"], games["away_team"]]), str(schedule))
    last = date.fromisoformat(as_of) if as_of else date.max
    if games.height and games["date"].max() < odds_api.FIRST_DAY:
        raise DataError(
            f"{schedule}: no game after {games['date'].max()}, and The Odds API begins on "
            f"{odds_api.FIRST_DAY}; take the lines of this season from the schedules"
        )
    kickoffs = {
        game["game_id"]: kickoff_utc(game["date"], game["kickoff"])
        for game in games.iter_rows(named=True)
        if odds_api.FIRST_DAY <= game["date"] <= last
    }
    known, sums = _snapshots(
        sorted(set(kickoffs.values())), base, environment, Patience(**patience)
    )
    rows, missing, found, unknown = [], [], 0, set()
    for game in games.iter_rows(named=True):
        kickoff = kickoffs.get(game["game_id"])
        lines = None
        if kickoff is not None:
            home, away = (CODES[game[f"{side}_team"]] for side in ("home", "away"))
            place = f"snapshot before {odds_api.iso(kickoff)}"
            lines = odds_api.consensus(known[kickoff], home, away, kickoff, place)
            unknown |= known[kickoff].unknown()
        lines = lines or Lines()
        if any(value is not None for value in lines):
            found += 1
        elif game["date"] <= last:
            missing.append(game["game_id"])
        keys = {"season": game["season"], "game_id": game["game_id"]}
        rows.append({**keys, **lines._asdict(), "simulated": False})
    report = {
        "games": games.height,
        "later": games.height - found - len(missing),
        "found": found,
        "missing": len(missing),
        "missing_games": missing,
        "unknown_names": sorted(unknown),
        "snapshots": sums,
    }
    write(conform(pl.DataFrame(rows, schema=schema_of(ODDS)), ODDS), out)
    write_json(report, account)
    return report


def _snapshots(
    kickoffs: list[datetime], base: str, environment: Mapping[str, str], patience: Patience
) -> tuple[dict[datetime, Snapshot], dict[str, dict[str, str]]]:
    """The last snapshot before each kickoff, and what the account tells of it."""
    known: dict[datetime, Snapshot] = {}
    sums: dict[str, dict[str, str]] = {}
    if not kickoffs:
        return known, sums
    key, address = odds_api.key_of(environment), f"{base.rstrip('/')}{odds_api.PATH}"
    with Web(patience) as web:
        for kickoff in kickoffs:
            asked = odds_api.asked_at(kickoff)
            moment = odds_api.iso(asked)
            answer = web.fetch(
                address,
                odds_api.snapshot,
                query={"apiKey": key, **odds_api.QUERY, "date": moment},
                secret=key,
                place=f"The Odds API at {moment}",
                hint=f"check {odds_api.KEY}, what its plan covers, and the base address",
            )
            known[kickoff] = answer.content
            stamp = odds_api.iso(answer.content.timestamp)
            if answer.content.timestamp > asked:
                raise DataError(f"The Odds API at {moment}: a snapshot of later, {stamp}")
            sums[moment] = {"timestamp": stamp, "sha256": sha256(answer.body)}
    return known, sums


if __name__ == "__main__":
    from scripts.job import environment, job
    from scripts.patience import log_retries

    with job(snakemake) as log:  # noqa: F821
        log_retries()
        report = land(
            schedule=Path(snakemake.input.games),  # noqa: F821
            base=snakemake.params.base,  # noqa: F821
            as_of=snakemake.params.as_of,  # noqa: F821
            environment=environment(),
            out=Path(snakemake.output.partition),  # noqa: F821
            account=Path(snakemake.output.account),  # noqa: F821
        )
        log.info("%s", {name: report[name] for name in ("games", "later", "found", "missing")})
