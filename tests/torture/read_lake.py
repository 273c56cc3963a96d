"""Blows against every reader of outside data in the lake, and names that make trouble."""

from __future__ import annotations

import gzip
import json
import random
from functools import partial
from pathlib import Path

from scripts.lake.qlib_format import name_of
from tests.torture.mutate import HOSTILE_NAMES, Table, from_csv, to_csv
from tests.torture.read_lake_files import READERS as FILES
from tests.torture.read_lake_files import TICKERS
from tests.torture.read_lake_rest import READERS as REST
from tests.torture.read_lake_tables import READERS as TABLES
from tests.torture.reader import cases_of, play
from tests.torture.tally import Case, Lost

LONGEST_NAME = 255  # bytes of a folder's name


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on flat files, landing, adoption, small tables, and each REST dataset."""
    return cases_of("malformed lake", READERS, seed, count)


def hostile_names(seed: int) -> list[Case]:
    """Every hostile ticker in one of: a flat file, the universe, an answer; and all in Qlib."""
    rng, made = random.Random(seed), []
    known = {reader.name: reader for reader in READERS}
    for name in HOSTILE_NAMES:
        where, own = rng.choice(sorted(NAMED)), rng.randrange(2**32)
        reader = known[where]._replace(strike=partial(NAMED[where], name))
        told = f"{where}: ticker {name[:20]!r}"
        made.append(Case("hostile names", told, own, partial(play, reader, own)))
    return [*made, Case("hostile names", "Qlib: folders of all tickers", seed, in_qlib)]


def _in_flat(name: str, _rng: random.Random, files: dict[str, bytes]) -> tuple[dict, str, str]:
    """A ticker of a flat file has the name."""
    ((path, content),) = files.items()
    text = gzip.decompress(content).decode().replace("AAPL,", f"{name},")
    return {path: gzip.compress(text.encode(), mtime=0)}, "a hostile name", path


def _in_universe(name: str, _rng: random.Random, files: dict[str, bytes]) -> tuple[dict, str, str]:
    """A symbol of the universe has the name."""
    ((path, content),) = files.items()
    header, rows = from_csv(content.decode())
    rows = [*rows, [name, *rows[0][1:]]]
    return {path: to_csv(Table(header, rows)).encode()}, "a hostile name", path


def _in_answer(name: str, _rng: random.Random, files: dict[str, bytes]) -> tuple[dict, str, str]:
    """The ticker of a record is the name."""
    ((path, content),) = files.items()
    body = json.loads(content)
    body["results"][0]["ticker"] = name
    return {path: json.dumps(body).encode()}, "a hostile name", path


def in_qlib(_folder: Path) -> str:
    """Tickers have folders of their own, also where capitals do not count, and none elsewhere."""
    tickers = {*TICKERS, *(n for n in HOSTILE_NAMES if n and len(n) <= 40)}
    names = {ticker: name_of(ticker) for ticker in sorted(tickers)}
    if len({name.lower() for name in names.values()}) < len(tickers):
        raise Lost("two tickers have one folder")
    for ticker, name in names.items():
        safe = Path(name).name == name and name not in (".", "..") and name.isprintable()
        if not safe or len(name.encode()) > LONGEST_NAME:
            raise Lost(f"{ticker!r} has the folder {name!r}")
    return f"{len(names)} folders"


NAMED = {
    "dividends": _in_answer,
    "short_volume": _in_answer,
    "splits": _in_answer,
    "stocks_minute": _in_flat,
    "universe": _in_universe,
}
READERS = [*FILES, *TABLES, *REST]
