"""Blows on the NFL's smaller tables: rosters, official figures of teams, stadiums."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from scripts.errors import DataError
from scripts.nfl import build_players, build_stadiums, land_release, score_points
from scripts.nfl.teams import CODES, FIRST_SEASONS, FRANCHISES
from scripts.patience import PassingError
from tests.torture.mutate_more import csv_rows, keyed, of_csv, of_one
from tests.torture.reader import Bad, Doubtful, Files, Reader

SEASON = 2015
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
ROOT = Path(__file__).parents[2]
PLACE = ("lat", "lon", "roof", "surface")


def text_of(header: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    """A CSV."""
    lines = [",".join(header), *(",".join(str(row.get(n, "")) for n in header) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def number(cell: str | None, low: float, high: float, *, whole: bool = False) -> float | None:
    """A number within limits; an empty cell is none."""
    if cell is None:
        return None
    value = float(cell) if NUMBER.fullmatch(cell) else float("nan")
    if not low <= value <= high or (whole and value % 1):
        raise Bad(f"{cell[:20]!r} is no number from {low} to {high}")
    return value


# ---- releases as they are landed


def landed(name: str, file: str, given: Path, _out: Path) -> list[str]:
    """Lines that stay of a release of the season."""
    dataset = land_release.DATASETS[name]
    try:
        kept = dataset.accept((given / file).read_bytes(), file, SEASON, dataset.columns)
    except PassingError as error:  # what is left of it after all attempts
        raise DataError(str(error)) from None
    rows = csv_rows(kept, dataset.columns, odd=True)
    return [{n: row[n] for n in dataset.columns} for row in rows]


def landed_rows(name: str, file: str, of_all: bool, files: Files) -> list[dict]:
    """The oracle of `landed`."""
    columns, body = land_release.DATASETS[name].columns, files[file]
    if not body.endswith(b"\n") or body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise Bad("cut off, or a page")
    rows = csv_rows(body, columns, odd=True)
    seasons = [row["season"].strip() for row in rows]
    if odd := [s for s in seasons if not re.fullmatch(r"\d{4}", s, re.ASCII)]:
        raise Bad(f"season is {odd[0]}")
    own = [
        {n: r[n] for n in columns} for r, s in zip(rows, seasons, strict=True) if s == str(SEASON)
    ]
    if not own or (len(own) < len(rows) and not of_all):
        raise Bad("no line of the season, or of another")
    try:
        csv_rows(body, columns)
    except Bad as bad:  # who reads it once it is landed refuses that
        raise Doubtful(str(bad), own) from None
    return own


def rosters(rng: Random) -> dict[str, bytes]:
    """A roster with rows that are refused, and a player twice."""
    rows = [
        {
            "season": SEASON,
            "team": rng.choice(FRANCHISES),
            "position": "QB",
            "full_name": f"Player {n}",
            "birth_date": rng.choice(("1990-01-31", "")),
            "gsis_id": f"00-00000{n:02}" if n != 2 else "",
        }
        for n in range(6)
    ]
    return {"roster.csv": text_of(land_release.ROSTERS, [*rows, rows[1]])}


def take_players(given: Path, out: Path) -> dict:
    """Players by id, and how many rows were refused."""
    said = build_players.build([given / "roster.csv"], SEASON, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    counts = re.findall(r"(\d+) no|(\d+) unknown", said.partition("refused rows:")[2])
    refused = sum(int(one or other) for one, other in counts)
    return {"refused": refused} | {row["player_id"]: row for row in rows}


def player_rows(files: Files) -> dict:
    """The oracle of `take_players`."""
    found: dict[str, Any] = {"refused": 0}
    for row in csv_rows(files["roster.csv"], land_release.ROSTERS):
        row = {name: cell.strip() for name, cell in row.items()}
        row = {name: None if cell in ("", "NA") else cell for name, cell in row.items()}
        season = row["season"] or ""
        if re.fullmatch(r"\d{4}", season, re.ASCII) and season != str(SEASON):
            continue
        try:
            born = row["birth_date"] and dt.datetime.strptime(row["birth_date"], "%Y-%m-%d").date()
            good = season == str(SEASON) and re.fullmatch(
                r"\d{2}-\d{7}", row["gsis_id"] or "", re.ASCII
            )
        except ValueError:
            good = None
        if not good or row["full_name"] is None or row["team"] not in (*CODES, None):
            found["refused"] += 1
            continue
        found[row["gsis_id"]] = {
            "season": SEASON,
            "player_id": row["gsis_id"],
            "name": row["full_name"],
            "team": CODES.get(row["team"]),
            "position": row["position"],
            "birth_date": born,
        }
    if len(found) == 1:
        raise Bad("no player")
    return found


def team_figures(rng: Random) -> dict[str, bytes]:
    """Official expected points."""
    rows = [
        {"season": SEASON, "week": n, "team": "NE", "season_type": "REG",
         "passing_epa": round(rng.gauss(0, 5), 3), "rushing_epa": rng.choice((1.5, "NA", ""))}
        for n in range(1, 6)
    ]  # fmt: skip
    return {"stats.csv": text_of(land_release.TEAM_STATS, rows)}


def take_figures(given: Path, _out: Path) -> list:
    """Official expected points, row by row."""
    return [list(row) for row in score_points.official([given / "stats.csv"]).rows()]


def figure_rows(files: Files) -> list:
    """The oracle of `take_figures`."""
    found = []
    for row in csv_rows(files["stats.csv"], score_points.OFFICIAL):
        row = {name: cell.strip() for name, cell in row.items()}
        row = {name: None if cell in ("", "NA") else cell for name, cell in row.items()}
        if row["season"] is None or row["week"] is None or row["team"] not in CODES:
            raise Bad("a key is not there")
        ends = [("season", 1900, 2100, True), ("week", 1, 25, True)]
        ends += [("passing_epa", -1e3, 1e3, False), ("rushing_epa", -1e3, 1e3, False)]
        values = [number(row[n], low, high, whole=w) for n, low, high, w in ends]
        found.append([*values[:2], row["team"], *values[2:]])
    keyed([{"key": row[:3].__str__()} for row in found], "key")
    return found


# ---- stadiums


def take_stadiums(given: Path, out: Path) -> dict:
    """Stadiums of the season by name and team."""
    build_stadiums.build(given / "stadiums.csv", SEASON, out / "part.parquet")
    rows = pl.read_parquet(out / "part.parquet").to_dicts()
    return {(r["stadium"].strip().lower(), r["team"]): [r[n] for n in PLACE] for r in rows}


def stadium_rows(files: Files) -> dict:
    """The oracle of `take_stadiums`."""
    table: list[tuple[str, str | None, list]] = []
    teams: Counter = Counter()
    for row in csv_rows(files["stadiums.csv"], build_stadiums.HEADER):
        if tuple(row) != build_stadiums.HEADER:
            raise Bad("another header")
        row = {name: cell.strip() or None for name, cell in row.items()}
        first, last = (
            number(row[f"{n}_season"], 1900, 2100, whole=True) for n in ("first", "last")
        )
        place = [number(row["lat"], -90, 90), number(row["lon"], -180, 180)]
        place += [row["roof"], row["surface"]]
        bad = row["stadium"] is None or None in place or row["team"] not in (None, *FRANCHISES)
        bad |= row["roof"] not in build_stadiums.ROOFS
        if bad or row["surface"] not in build_stadiums.SURFACES or (last or 3000) < (first or 0):
            raise Bad(f"row {row}")
        if not (first or 0) <= SEASON <= (last or 3000):
            continue
        teams[row["team"]] += 1
        table.append((row["stadium"].lower(), row["team"], place))
        others = [a.strip() for a in (row["aliases"] or "").split(";")]
        table += [(a.lower(), None, place) for a in others if a]
    for team in FRANCHISES:
        if teams[team] != 1 and not (teams[team] == 0 and FIRST_SEASONS.get(team, 0) > SEASON):
            raise Bad(f"{teams[team]} homes of {team}")
    found: dict[tuple, list] = {}
    for name, team, place in sorted(table, key=lambda row: (row[0], row[1] is None)):
        if any(key == name and other != place for (key, _), other in found.items()):
            raise Bad(f"{name} names two places")
        if team is not None or not any(key == name for key, _ in found):
            found[name, team] = place
    return found


READERS = [
    Reader(
        "roster as landed",
        rosters,
        of_one(of_csv),
        partial(landed, "players", "roster.csv"),
        partial(landed_rows, "players", "roster.csv", False),
    ),
    Reader("rosters", rosters, of_one(of_csv), take_players, player_rows),
    Reader("team figures", team_figures, of_one(of_csv), take_figures, figure_rows),
    Reader(
        "stadiums",
        lambda _: {"stadiums.csv": (ROOT / "config/universe/nfl_stadiums.csv").read_bytes()},
        of_one(of_csv),
        take_stadiums,
        stadium_rows,
    ),
]
