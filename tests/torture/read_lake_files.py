"""Blows against flat files of the lake: bars, landing, adoption."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from scripts.lake import build_daily_bars, build_minute_bars, land_flatfile
from scripts.lake.landing import Head
from tests.torture import mutate
from tests.torture.reader import Bad, Reader
from tests.unit.lake import flatfiles

DAYS = ("2025-09-24", "2025-09-25")
SHARE = 0.2  # of the rows may be refused
TICKERS = ("AAPL", "ABRPD", "ABRpD", "BRK.A", "NA", "NaN", "null", "SPY", "None", "true")
CONTRACTS = (
    *("O:AAPL250919C00150000", "O:AAPL1250117C00150000", "O:XOM251399P00100000"),
    *("O:weird250101C00001000", "O:SPY251017P00640500", "O:KO251017C00070000"),
)
OCC = re.compile(r"O:([A-Z][A-Z0-9.]*)([0-9]{6})([CP])([0-9]{8})")
CLOCKS = [f"{hour:02}:{minute:02}" for hour in range(4, 20) for minute in (0, 17, 59)]


def file_of(day: str) -> str:
    """Name of a day's flat file."""
    return f"{day}.csv.gz"


def lines_of(rng: random.Random, names: tuple[str, ...], day: str, often: int) -> list[str]:
    """Good lines, each name so often, at different times."""
    lines = []
    for name in names:
        for clock in rng.sample(CLOCKS, often):
            low, high = sorted(round(rng.uniform(1, 900), rng.choice((0, 2, 4))) for _ in "ab")
            first, last = (round(rng.uniform(low, high), 2) for _ in "ab")
            volume = rng.choice((100, 100.5, "3e3", 0, 5_000_000_000))
            prices = {"open": first, "close": last, "high": high, "low": low}
            sums = {"volume": volume, "transactions": rng.choice((0, 1, 812))}
            lines.append(flatfiles.row(name, clock, day, **prices, **sums))
    return sorted(lines)


def flat(lines: list[str]) -> bytes:
    """A flat file."""
    return gzip.compress("\n".join([flatfiles.HEADER, *lines, ""]).encode(), mtime=0)


def make_bars(
    names: tuple[str, ...], often: int, days: tuple[str, ...], rng: random.Random
) -> dict[str, bytes]:
    """Flat files of some days."""
    return {file_of(day): flat(lines_of(rng, names, day, often)) for day in days}


def strike_bars(rng: random.Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """Strike one of the files: its bytes, its text, or its table up to three times."""
    name = rng.choice(sorted(files))
    content, how = files[name], rng.random()
    if how < 0.25:
        content, what = rng.choice(mutate.GZIP)(rng, content)
    elif how < 0.5:
        content, what = mutate.recompressed(rng.choice((*mutate.TEXT, *mutate.BYTES)))(rng, content)
    else:
        table, told = mutate.from_csv(gzip.decompress(content).decode()), []
        for _ in range(rng.choice((1, 1, 2, 3))):
            if not table.rows:
                break
            struck = rng.choice((*mutate.TABLE, *OWN))(rng, table)
            table, told = struck.table, [*told, struck.what]
        content, what = gzip.compress(mutate.to_csv(table).encode(), mtime=0), "; ".join(told)
    return {**files, name: content}, what, name


STAMPS = (
    *(str(flatfiles.stamp("12:00", DAYS[0]) // unit) for unit in (1, 100, 10**3, 10**6, 10**9)),
    *("0" * 5 + str(flatfiles.stamp("12:00", DAYS[1]) // 10**6), str(flatfiles.stamp("00:00"))),
    *("-1758722400", "1758722400.0", "1.7587224e9", str(2**63), str(10**30), "0", "+1758722400"),
)
NUMBERS = ("1e308", "1.7e308", "1e-320", ".5", "5.", "-0", "-0.0", "+1", "1E2", " 7", "7\t", "1e+2")
PRICES = ("volume", "open", "close", "high", "low")
OWN = (
    mutate.cell(mutate.HOSTILE_NAMES, ["ticker"]),
    mutate.cell(STAMPS, ["window_start"]),
    mutate.cell(NUMBERS, PRICES),
    mutate.cell(("4294967295", "4294967296", "1.5", "3e2", "1e400", "-0"), ["transactions"]),
)


def read_minutes(dataset: str, given: Path, out: Path) -> dict:
    """Call the job of a day of minute bars."""
    build_minute_bars.build(
        file=given / file_of(DAYS[1]),
        dataset=dataset,
        date=DAYS[1],
        max_quarantined_share=SHARE,
        out=out / "part.parquet",
        quarantine=out / "quarantine.parquet",
        reconcile=out / "reconcile.json",
    )
    return bars_in(out)


def read_month(dataset: str, given: Path, out: Path) -> dict:
    """Call the job of a month of daily bars."""
    build_daily_bars.build(
        files=[given / file_of(day) for day in DAYS],
        dates=DAYS,
        dataset=dataset,
        month=DAYS[0][:7],
        max_quarantined_share=SHARE,
        out=out / "part.parquet",
        quarantine=out / "quarantine.parquet",
        reconcile=out / "reconcile.json",
    )
    return bars_in(out)


def bars_in(out: Path) -> dict:
    """What a job of bars wrote: good rows, refused ones, and the account."""
    good = pl.read_parquet(out / "part.parquet", hive_partitioning=False)
    good = good.rename({"symbol": "ticker"}, strict=False)
    good = good.with_columns(pl.col("timestamp").dt.timestamp("ns"), pl.col("date").cast(pl.String))
    found: dict = {
        ("good", row.pop("ticker"), row.pop("timestamp")): row for row in good.to_dicts()
    }
    if len(found) != good.height:
        raise AssertionError("two rows of one key")
    for row in pl.read_parquet(out / "quarantine.parquet").to_dicts():
        place = ("bad", Path(row.pop("source")).name, row.pop("line"))
        found[place] = (row.pop("reason").split()[0], list(row.values()))
    told = json.loads((out / "reconcile.json").read_text())
    found["account"] = {name: told[name] for name in ("rows_in", "good", "quarantined")}
    return found


def bars_told(options: bool, once: tuple[str, ...], files: Mapping[str, bytes]) -> dict[Any, Any]:
    """What the files say, line by line."""
    found: dict = {}
    for name, content in files.items():
        day = name.split(".")[0]
        try:
            text = gzip.decompress(content)
        except Exception as error:  # any sort: it is no whole gzip file
            raise Bad(f"no gzip: {error!r}") from None
        if text.partition(b"\n")[0].removesuffix(b"\r") != flatfiles.HEADER.encode():
            raise Bad("another header")
        good, bad = flatfiles.judge_slowly(text, day, once)
        if not good or len(bad) > SHARE * (len(good) + len(bad)):
            raise Bad(f"{len(good)} good, {len(bad)} bad")
        for ticker, when, *values in good:
            names = ("open", "high", "low", "close", "volume", "transactions")
            row = dict(zip(names, values, strict=True)) | {"date": day}
            row |= {"month": day[:7]} if once == ("ticker",) else {}
            found["good", ticker, when] = row | (contract(ticker) if options else {})
        for line, *texts, fault in bad:
            found["bad", name, line] = (fault, texts)
    counts = {kind: sum(key[0] == kind for key in found) for kind in ("good", "bad")}
    good, bad = counts.values()
    found["account"] = {"rows_in": good + bad, "good": good, "quarantined": bad}
    return found


def contract(ticker: str) -> dict[str, Any]:
    """The parts of an option symbol, all None where it is none."""
    names = ("underlying", "expiration", "contract_type", "strike")
    if part := OCC.fullmatch(ticker):
        try:
            day = datetime.strptime(f"20{part[2]}", "%Y%m%d").date()
        except ValueError:
            return dict.fromkeys(names)
        kind = {"C": "call", "P": "put"}[part[3]]
        return dict(zip(names, (part[1], day, kind, int(part[4]) / 1000), strict=True))
    return dict.fromkeys(names)


# ---- landing


class Folder:
    """A store that gives what is in a folder."""

    def __init__(self, folder: Path) -> None:
        """Take over the folder."""
        self._folder = folder

    def download(self, key: str, out: Path) -> Head:
        """Copy the file of a key's name."""
        content = (self._folder / Path(key).name).read_bytes()
        out.write_bytes(content)
        return Head(hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))

    def fetched_at(self, _day: str) -> datetime:
        """Always the same time."""
        return datetime(2025, 9, 26, 15, tzinfo=UTC)


def make_adopted(rng: random.Random) -> dict[str, bytes]:
    """A file of the vendor, the same in a folder to adopt, and (mostly) a manifest there."""
    content = make_bars(TICKERS, 3, DAYS[1:], rng)[file_of(DAYS[1])]
    told = {
        "etag": "5d41402a",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "landed_at": "2025-09-26T15:20:00Z",
        "as_of": "2025-09-26",
    }
    files = {file_of(DAYS[1]): content, f"adopted/{file_of(DAYS[1])}": content}
    if rng.random() < 0.8:
        files[f"adopted/{DAYS[1]}.json"] = json.dumps(told).encode()
    return files


def strike_adopted(
    rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """Strike the adopted file, or its manifest."""
    name = rng.choice([name for name in files if name.startswith("adopted/")])
    if name.endswith(".json"):
        content, what = mutate.of_document(rng, files[name])
    else:
        content, what = rng.choice(mutate.GZIP)(rng, files[name])
    return {**files, name: content}, what, name


def read_landing(given: Path, out: Path) -> dict:
    """Land a file; adopt it where it is there to adopt."""
    adopted = given / "adopted" / file_of(DAYS[1])
    land_flatfile.land(
        store=Folder(given),
        dataset="stocks_minute",
        date=DAYS[1],
        adopted=adopted if adopted.is_file() else None,
        revision=None,
        out=out / file_of(DAYS[1]),
        manifest=out / f"{DAYS[1]}.json",
    )
    told = json.loads((out / f"{DAYS[1]}.json").read_text())
    datetime.strptime(told["landed_at"], "%Y-%m-%dT%H:%M:%SZ")
    date.fromisoformat(told["as_of"])
    content = (out / file_of(DAYS[1])).read_bytes()
    honest = (told["size"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    is_text = isinstance(told["etag"], str) and told["etag"].isprintable()
    return {"content": content, "honest": honest and is_text}


def landed(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The vendor's file; or the adopted one, where it is whole and no other than its manifest's."""
    own = files.get(f"adopted/{file_of(DAYS[1])}")
    expected = files[file_of(DAYS[1])]
    if own is None:
        if not is_whole(expected):
            raise Bad("not whole")
    else:
        digest = hashlib.sha256(own).hexdigest().encode()
        if is_whole(own) and digest in files.get(f"adopted/{DAYS[1]}.json", digest):
            expected = own
        elif not is_whole(expected):
            raise Bad("neither is whole")
    return {"content": expected, "honest": True}


def is_whole(content: bytes) -> bool:
    """Whether a file is gzip to its last byte, and has the vendor's header."""
    try:
        text = gzip.decompress(content)
    except Exception:
        return False
    return text.partition(b"\n")[0] == flatfiles.HEADER.encode()


def strike_landing(
    rng: random.Random, files: dict[str, bytes]
) -> tuple[dict[str, bytes], str, str]:
    """Strike the bytes of a file that the vendor gives."""
    name = file_of(DAYS[1])
    blows = (*mutate.GZIP, *(mutate.recompressed(how) for how in mutate.TEXT))
    content, what = rng.choice(blows)(rng, files[name])
    return {name: content}, what, name


MINUTE, DAILY = ("ticker", "timestamp"), ("ticker",)


def _bars(dataset: str) -> Reader:
    options, daily = dataset.startswith("options"), dataset.endswith("daily")
    names = CONTRACTS if options else TICKERS
    make = partial(make_bars, names, 1 if daily else 5, DAYS if daily else DAYS[1:])
    read = partial(read_month if daily else read_minutes, dataset)
    told = partial(bars_told, options, DAILY if daily else MINUTE)
    return Reader(dataset, make, strike_bars, read, told)


READERS = [
    *map(_bars, ("stocks_minute", "stocks_daily", "options_minute", "options_daily")),
    Reader(
        "landing", partial(make_bars, TICKERS, 3, DAYS[1:]), strike_landing, read_landing, landed
    ),
    Reader("adoption", make_adopted, strike_adopted, read_landing, landed),
]
