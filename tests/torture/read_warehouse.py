"""Blows on what the warehouse reads without a server: migrations, declaration, partitions."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from functools import partial
from pathlib import Path
from random import Random

import polars as pl

from scripts.nfl.columns import ODDS, PLAYERS, PLAYS, SCHEDULES, WEATHER
from scripts.nfl.play_types import COLUMNS as PLAY_TYPES
from scripts.plan import warehouse as plan
from scripts.tables import Columns, schema_of
from scripts.warehouse import declared, loading, migrations
from tests.torture.mutate import HOSTILE_NAMES
from tests.torture.mutate_more import of_json, of_lines, of_one, of_parquet, parquet_rows, yaml_of
from tests.torture.reader import Bad, Files, Reader, Unreadable, cases_of, named
from tests.torture.tally import Case
from tests.unit.nfl.nfl_play_frames import games, random_plays

KIND = "malformed warehouse"
ROOT = Path(__file__).parents[2]


# ---- migrations


def sqls(_rng: Random) -> dict[str, bytes]:
    """Three migrations."""
    texts = {
        "001_games": "-- Games.\nCREATE TABLE games (id integer PRIMARY KEY);\n",
        "002_plays": "-- changes: games\nALTER TABLE games ADD COLUMN week integer;\n",
        "003_more": "-- removes: games.week\nALTER TABLE games DROP COLUMN week;\n",
    }
    return {f"sql/{name}.sql": text.encode() for name, text in texts.items()}


def strike_sqls(rng: Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """A blow on the bytes of one, on its name, or on its being there."""
    how, name = rng.choice(("bytes", "bytes", "name", "gone", "more")), rng.choice(sorted(files))
    if how == "bytes":
        content, what = of_lines("-- changes: ", "\x00", "';", "$$", "COMMIT;")(rng, files[name])
        return {**files, name: content}, what, Path(name).parent.name
    kept = {n: text for n, text in files.items() if n != name}
    if how == "gone":
        return kept, f"{name} is gone", "sql"
    odd = rng.choice((
        "4_x", "0004_x", "004-x", "004_X", "004_", "000_x", "003_x", "005_x", "00\uff14_x", "004_é",
        "004 x", ".004_x", "004_x.sql", "004_" + "x" * 200,
    ))  # fmt: skip
    files = files if how == "more" else kept
    return {**files, f"sql/{odd}.sql": b"SELECT 1;\n"}, f"{odd[:20]} {how}", "sql"


def take_sqls(given: Path, _out: Path) -> dict:
    """Migrations by name, with what their heads announce."""
    found = migrations.read(given / "sql")
    return {m.name: [m.number, m.text, m.sha256, m.changes, m.removes] for m in found}


def sql_rows(files: Files) -> dict:
    """The oracle of `take_sqls`."""
    found, numbers = {}, []
    for path in sorted(files):
        name = path.removeprefix("sql/").removesuffix(".sql")
        if not re.fullmatch(r"[0-9]{3}_[a-z0-9_]+", name):
            raise Bad(f"name {name}")
        try:
            text = files[path].decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            raise Bad("no UTF-8") from None
        if "\0" in text:
            raise Bad("a zero byte, which no server takes")
        head: dict[str, set] = {"changes": set(), "removes": set()}
        for line in text.split("\n"):
            if line.strip(" \t") and not re.match(r"[ \t]*--", line):
                break
            for word, names in head.items():
                if told := re.match(rf"[ \t]*--[ \t]*{word}:(.+)", line, re.IGNORECASE):
                    names |= {part.strip() for part in told[1].split(",")}
        numbers.append(int(name[:3]))
        digest = hashlib.sha256(text.encode()).hexdigest()
        told = [sorted(head["changes"]), sorted(head["removes"])]
        found[name] = [numbers[-1], text, digest, *told]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        raise Bad(f"numbers {numbers}")
    return found


# ---- the declared schema


def declaration(_rng: Random) -> dict[str, bytes]:
    """The project's own."""
    return {"schema.yaml": (ROOT / "warehouse/schema.yaml").read_bytes()}


def take_declaration(given: Path, _out: Path) -> dict:
    """What is declared after the fifth migration."""
    return declared.at(declared.read(given / "schema.yaml"), 5)


def declared_rows(files: Files) -> dict:
    """The oracle of `take_declaration`."""
    try:
        told = yaml_of(files["schema.yaml"])
        kinds = ("tables", "materialised_views", "views")
        if not set(told) <= set(kinds):
            raise Bad("another kind")
        found: dict = {kind: {} for kind in kinds}
        for kind in kinds:
            for name, entry in (told.get(kind) or {}).items():
                known = {"since", "columns", "indexes", "constraints"}
                if not isinstance(name, str) or not set(entry) <= known:
                    raise Bad(f"{name}: {entry}")
                parts = {p: _parts(entry.get(p, {})) for p in known - {"since"}}
                if _since(entry) <= 5:
                    found[kind][name] = parts
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Bad(f"{type(error).__name__} {error}") from None
    return found


def _since(entry: dict) -> int:
    since = entry.get("since", 0)
    if type(since) is not int or ("since" in entry and since < 1):
        raise Bad(f"since {since}")
    return since


def _parts(told: dict) -> dict[str, str]:
    found = {}
    for key, value in told.items():
        if not isinstance(key, str):
            raise Bad(f"key {key}")
        if isinstance(value, dict) and not {"is"} <= set(value) <= {"is", "since"}:
            raise Bad(f"{key}: {value}")
        text = value["is"] if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise Bad(f"{key}: {text}")
        if not isinstance(value, dict) or _since(value) <= 5:
            found[key] = text
    return found


# ---- partitions


def _bytes(frame: pl.DataFrame, columns: Columns) -> bytes:
    schema = schema_of(columns)
    missing = [pl.lit(None, schema[n]).alias(n) for n in columns if n not in frame.columns]
    frame.with_columns(missing).select(*columns).write_parquet(out := io.BytesIO())
    return out.getvalue()


def partitions(rng: Random) -> dict[str, bytes]:
    """A season's schedule, plays with their types, lines and weather."""
    told = random_plays(rng.randrange(2**30), 12)
    types = told.select("season", "game_id", "play_id", play_class=pl.lit("run"))
    of = {"season": 2015, "game_id": "2015_01_NE_BUF"}
    lines = pl.DataFrame([{**of, "spread_line": 3.5, "total_line": 44.0, "simulated": False}])
    hours = pl.DataFrame([{**of, "temp_c": 20.5, "simulated": False}])
    frames = {
        "games": (games({"old_game_id": "2015091300"}), SCHEDULES),
        "plays": (told, PLAYS),
        "play_types": (types, PLAY_TYPES),
        "odds": (lines.cast({"season": pl.Int32}), ODDS),
        "weather": (hours.cast({"season": pl.Int32}), WEATHER),
    }
    return {f"{name}.parquet": _bytes(*told) for name, told in frames.items()}


def take_partitions(given: Path, _out: Path) -> dict:
    """Rows of each table by their place, and that they can be sent."""
    sources = {path.stem: path for path in sorted(given.glob("*.parquet"))}
    frames = loading.read_season(sources, None)
    for frame in frames.values():
        loading.as_csv(frame)
    rows = {n: f.drop(loading.CLASSES, strict=False).to_dicts() for n, f in frames.items()}
    return {f"{name} {n}": row for name, own in rows.items() for n, row in enumerate(own)}


LOADED = {"games": SCHEDULES, "plays": PLAYS, "odds": ODDS, "weather": WEATHER}


def partition_rows(files: Files) -> dict:
    """The oracle of `take_partitions`."""
    found = {}
    for name, columns in {**LOADED, "play_types": PLAY_TYPES}.items():
        schema, rows = parquet_rows(files, f"{name}.parquet")
        if missing := [column for column in columns if column not in schema.names]:
            raise Bad(f"no column {missing[0]}")
        kinds = pl.from_arrow(schema.empty_table()).schema
        for column, kind in schema_of(columns).items():
            _check_kind(column, kinds[column], kind, rows)
        if name == "play_types":
            keys = [(row["game_id"], row["play_id"]) for row in rows]
            if len(set(keys)) < len(keys):
                raise Bad("a class twice")
            continue
        for n, row in enumerate(rows):
            found[f"{name} {n}"] = {column: row[column] for column in columns}
    return found


def _check_kind(name: str, found: pl.DataType, declared: pl.DataType, rows: list[dict]) -> None:
    """Refuse true and false where they are not declared; leave open what else could be cast."""
    if found == pl.Boolean != declared:
        raise Bad(f"{name} is {found}")
    if found != declared and any(row[name] is not None for row in rows):
        raise Unreadable(f"{name} is {found}")


def rosters(rng: Random) -> dict[str, bytes]:
    """Players of two seasons."""
    files = {}
    for season in (2014, 2015):
        rows = [{"season": season, "player_id": f"00-000000{n}", "name": f"P{n}",
                 "team": rng.choice(("NE", None))} for n in range(4)]  # fmt: skip
        frame = pl.DataFrame(rows, schema_overrides={"season": pl.Int32, "team": pl.String})
        files[f"{season}.parquet"] = _bytes(frame, PLAYERS)
    return files


def take_rosters(given: Path, _out: Path) -> dict:
    """Players and rosters by key."""
    frames = loading.read_players(sorted(given.glob("*.parquet")))
    players = {row["player_id"]: row for row in frames["players"].to_dicts()}
    of_teams = {(r["season"], r["player_id"]): r["team"] for r in frames["rosters"].to_dicts()}
    return {"count": frames["rosters"].height, **players, **of_teams}


def roster_rows(files: Files) -> dict:
    """The oracle of `take_rosters`."""
    rows, known = [], schema_of(PLAYERS)
    for name in sorted(files):
        schema, own = parquet_rows(files, name)
        kinds = pl.from_arrow(schema.empty_table()).schema
        if missing := [n for n in PLAYERS if n not in kinds]:
            raise Bad(f"no column {missing[0]}")
        for column, kind in known.items():
            _check_kind(column, kinds[column], kind, own)
        rows += own
    if any(row["season"] is None or row["player_id"] is None for row in rows):
        raise Bad("a key is null")
    if len({(row["season"], row["player_id"]) for row in rows}) < len(rows):
        raise Bad("a player twice in a season")
    found: dict = {"count": sum(row["team"] is not None for row in rows)}
    for row in sorted(rows, key=lambda row: row["season"]):
        kept = {n: row[n] for n in ("player_id", "name", "position", "birth_date")}
        found[row["player_id"]] = kept | {"last_season": row["season"]}
        if row["team"] is not None:
            found[row["season"], row["player_id"]] = row["team"]
    return found


# ---- manifests of kept dumps


WRITTEN_NS = 1_757_000_000_000_000_000  # when the dump was written


def dumps(_rng: Random) -> dict[str, bytes]:
    """A dump and its manifest."""
    manifest = {"files": [{"path": "a.dump", "bytes": 4, "mtime_ns": WRITTEN_NS}]}
    return {"one/manifest.json": json.dumps(manifest).encode(), "one/a.dump": b"dump"}


def take_dumps(given: Path, _out: Path) -> list[str]:
    """What is suspected, by name."""
    os.utime(given / "one/a.dump", ns=(WRITTEN_NS, WRITTEN_NS))
    return [path.removeprefix(f"{given}/") for path in plan.suspects(given)]


def dump_rows(files: Files) -> list[str]:
    """The oracle of `take_dumps`: it refuses nothing, and suspects what it cannot read."""
    listed = {}
    try:
        for entry in json.loads(files["one/manifest.json"].decode())["files"]:
            listed[str(entry["path"])] = [entry["bytes"], entry["mtime_ns"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ["one/manifest.json"]
    there = {"a.dump": [len(files["one/a.dump"]), WRITTEN_NS]}
    wrong = [
        n for n in sorted({*there, *listed}) if listed.get(n) != there.get(n) or n not in there
    ]
    return [str(Path("one", name)) for name in wrong]


READERS = [
    Reader("migrations", sqls, strike_sqls, take_sqls, sql_rows),
    Reader("declaration", declaration, of_one(of_lines(
        "\t", "  ", ": ", "- ", "{", "since: 3", "since: x", "tables:", "null", "&a ", "*a", "!!x ",
    )), take_declaration, declared_rows),
    Reader("partitions", partitions, of_one(of_parquet), take_partitions, partition_rows),
    Reader("rosters", rosters, of_one(of_parquet), take_rosters, roster_rows),
    Reader("dumps", dumps, of_one(of_json, "one/manifest.json"), take_dumps, dump_rows),
]  # fmt: skip


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on what the warehouse reads."""
    return cases_of(KIND, READERS, seed, count)


def _named(name: str, rng: Random) -> dict[str, bytes]:
    return {**sqls(rng), f"sql/{name}.sql": b"SELECT 1;\n"}


def hostile_names(seed: int) -> list[Case]:
    """Migrations of hostile names, as far as a file can have them."""
    rng, made = Random(seed), []
    for name in HOSTILE_NAMES:
        for form in (name, f"004_{name}"):
            if not form or set("/\x00") & set(form) or form in (".", "..") or len(form) > 200:
                continue
            told, make = f"warehouse: migration {form[:24]!r}", partial(_named, form)
            made.append(named(told, make, "sql", take_sqls, sql_rows, rng))
    return made
