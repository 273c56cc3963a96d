"""The twelve defects of spec section 6: the naive way shows each, ours does not, on one input.

The naive ways are in `tests/oracles/lake_naive.py`. Each test first proves that its input provokes
the defect, then that ours is free of it.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pyarrow as pa
import pytest
from botocore.exceptions import BotoCoreError
from polars.testing import assert_frame_equal

from scripts import tables
from scripts.errors import DataError
from scripts.lake import (
    build_adjustments,
    build_calculated_ratios,
    build_daily_bars,
    build_financial_ratios,
    build_fundamentals_wide,
    build_minute_bars,
    build_stocks_daily,
    land_actions,
    land_financials,
    land_flatfile,
)
from scripts.lake.landing import key_of
from scripts.lake.rest import Api
from scripts.lake.store import S3Store
from tests.oracles import lake_naive as naive
from tests.qlib import stores
from tests.servers import API_KEY, BUCKET, TRUNCATED, Fault, Respond, rest_server, s3_server
from tests.unit.lake import daily_bars, flatfiles
from tests.unit.lake.answers import Vendor, api_of, outs, serve
from tests.workflow.lakes import SESSIONS, keys_run, lake_of, ran, small
from tests.workflow.project import ROOT, Project, copy_project, tail

OLDER, BROKEN, LAST = SESSIONS
NAMED_LIKE_NULLS = ["NA", "NULL", "NaN", "None", "nan", "null"]
MINUTES = "landing/stocks_minute"
FROM_FILES = {"datasets": ["stocks_minute"], "skip": ["landing"]}  # the landed files as they are
KEY = ["ticker", "fiscal_year", "fiscal_period", "timeframe", "filing_date"]
STATEMENTS = {
    "balance_sheets": ("balance_sheet", {"assets": 1000.0, "current_assets": 400.0}),
    "cash_flow": ("cash_flow_statement", {"net_cash_flow_from_operating_activities": 120.0}),
    "income_statements": ("income_statement", {"revenues": 500.0, "cost_of_revenue": 300.0}),
}
DIVIDENDS, SPLITS = "/v3/reference/dividends", "/v3/reference/splits"


def put_minutes(landing: Path, *days: str) -> None:
    """Landed flat files of minutes: three tickers, ten minutes a day."""
    for day in days:
        clocks = [f"09:{minute}" for minute in range(30, 40)]
        lines = [flatfiles.row(t, clock, day) for t in ("AAPL", "MSFT", "XOM") for clock in clocks]
        flatfiles.write(landing / day[:4] / day[5:7] / f"{day}.csv.gz", *lines)


def minutes_project(folder: Path, *days: str) -> Project:
    """A copy of the project whose lake is made from the landed files of `days`."""
    project = copy_project(folder, small(**FROM_FILES))
    put_minutes(lake_of(project) / MINUTES, *days)
    return project


@pytest.fixture(scope="module")
def broken(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Project, subprocess.CompletedProcess]:
    """Two landed days, the first cut in half, and our run that met them."""
    project = minutes_project(tmp_path_factory.mktemp("broken"), BROKEN, LAST)
    cut = next((lake_of(project) / MINUTES).rglob(f"{BROKEN}.csv.gz"))
    cut.write_bytes(cut.read_bytes()[:60])
    return project, project.run("bronze")


def bronze_days(project: Project) -> list[str]:
    """Days of our bronze minutes."""
    return sorted(
        path.parent.name.removeprefix("date=")
        for path in lake_of(project).glob("bronze/stocks_minute/*/part.parquet")
    )


def ingest_daily(file: Path, day: str, folder: Path) -> pl.DataFrame:
    """Our bronze of one flat file of daily bars, of which no row may be refused."""
    month, paths = day[:7], outs(folder)
    report = build_daily_bars.build(
        files=[file],
        dates=[day],
        dataset="stocks_daily",
        month=month,
        max_quarantined_share=0.0,
        out=paths.partition,
        quarantine=paths.quarantine,
        reconcile=paths.reconcile,
    )
    assert report["quarantined"] == 0
    return pl.read_parquet(paths.partition, hive_partitioning=False)


def child(code: str, *args: object, env: Mapping[str, str]) -> str:
    """What a Python process prints that runs `code`, with its arguments in `sys.argv[1:]`."""
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


INGEST_MINUTES = """
import resource, sys
from pathlib import Path
if memory := int(sys.argv[4]):
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
from scripts.lake import build_minute_bars, build_stocks_minute
file, day, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
build_minute_bars.build(
    file=file, dataset="stocks_minute", date=day, max_quarantined_share=0.0,
    out=folder / "bronze.parquet", quarantine=folder / "bad.parquet",
    reconcile=folder / "reconcile.json",
)
build_stocks_minute.build(
    bars=folder / "bronze.parquet", universe=[], date=day, close="16:00",
    out=folder / "gold.parquet", sessions=folder / "sessions.parquet",
)
"""


def contents(folder: Path) -> dict[str, bytes]:
    """The partitions that `INGEST_MINUTES` writes, with their bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


# 1


def test_1_returns_cross_days_and_months(tmp_path: Path) -> None:
    """Returns computed inside each partition are all null."""
    symbols = ["A", "NA", "ZZZ"]
    close = {
        (symbol, day): 100.0 + 7 * place + number
        for place, symbol in enumerate(symbols)
        for number, day in enumerate(daily_bars.SESSIONS)
    }
    bars = [daily_bars.bar("symbol", symbol, day, price) for (symbol, day), price in close.items()]
    files = daily_bars.write_months(bars, build_daily_bars.STOCKS_DAILY, tmp_path)
    rows = len(bars)

    naive_returns = naive.returns_by_day(files)["returns_1d"]
    assert (naive_returns.null_count(), naive_returns.len()) == (rows, rows)

    adjustments = tmp_path / "adjustments.parquet"
    tables.write(pl.DataFrame(schema=tables.schema_of(build_adjustments.COLUMNS)), adjustments)
    golds = []
    for last, month in enumerate(daily_bars.MONTHS):
        golds.append(tmp_path / f"gold/month={month}/part.parquet")
        build_stocks_daily.build(
            bars=files[max(0, last - 2) : last + 1],
            adjustments=adjustments,
            session_bars=[],
            fundamentals=[],
            universe=[],
            month=month,
            out=golds[-1],
        )
    ours = tables.scan(golds).select("symbol", "date", "returns_1d").collect()
    before = dict(zip(daily_bars.SESSIONS[1:], daily_bars.SESSIONS, strict=False))
    expected = [
        math.log(close[symbol, day] / close[symbol, before[day]]) if day in before else None
        for symbol, day in ours.select("symbol", "date").iter_rows()
    ]
    assert ours.height == rows
    assert ours["returns_1d"].null_count() == len(symbols)  # the first bar of each, no other
    assert_frame_equal(
        ours.select("returns_1d"),
        pl.DataFrame({"returns_1d": expected}, schema={"returns_1d": pl.Float64}),
        rel_tol=1e-12,
    )


# 2


def dividends() -> list[dict]:
    """Five dividends of September."""
    return [
        {
            "id": f"D{n}",
            "ticker": "NA" if n == 3 else f"T{n}",
            "cash_amount": 0.25 * (n + 1),
            "currency": "USD",
            "dividend_type": "CD",
            "ex_dividend_date": f"2025-09-1{n}",
            "frequency": 4,
        }
        for n in range(5)
    ]


def filing() -> dict:
    """A quarter's filing, in the vendor's form."""
    cells = {
        name: {field: {"value": value, "unit": "USD"} for field, value in values.items()}
        for name, values in STATEMENTS.values()
    }
    return {
        "tickers": ["NA"],
        "filing_date": "2025-08-05",
        "end_date": "2025-06-30",
        "fiscal_year": "2025",
        "fiscal_period": "Q2",
        "timeframe": "quarterly",
        "financials": cells,
    }


def test_2_an_answer_fetched_twice_counts_once(tmp_path: Path) -> None:
    """Appending what every fetch brings doubles bronze and multiplies silver: x2, x8, x9."""
    answers = {DIVIDENDS: [dividends()], land_financials.PATH: [[filing()]]}
    with serve(answers) as vendor:
        _naive_fetches_add_up(vendor, tmp_path)
        first, again = (_our_silver(vendor, tmp_path / name) for name in ("first", "again"))
        second = _our_silver(vendor, tmp_path / "again")
    assert first == again == second
    with serve({DIVIDENDS: [dividends(), dividends()]}) as vendor:  # and twice in one answer
        paths = outs(tmp_path / "pages")
        report = land_actions.land(
            api=api_of(vendor), dataset="dividends", month="2025-09", **paths.paths()
        )
    assert (report["good"], report["duplicates"]) == (5, 5)
    assert paths.partition.read_bytes() == first["d/part.parquet"]


def _naive_fetches_add_up(vendor: Vendor, folder: Path) -> None:
    """The naive way: rows in dividends, flattened statements and ratios after one and two days."""
    api, rows = api_of(vendor), []
    files = [folder / f"naive_{name}.parquet" for name in STATEMENTS]
    for _ in range(2):
        naive.append(list(api.records(DIVIDENDS, {})), folder / "dividends.parquet")
        (found,) = api.records(land_financials.PATH, {})
        for file, (_, values) in zip(files, STATEMENTS.values(), strict=True):
            key = {name: found.get(name, found["tickers"][0]) for name in KEY}
            naive.append([key | values], file)
        wide = naive.flatten(files, KEY)
        naive.append(wide.to_dicts(), folder / "ratios.parquet")
        ratios = pl.read_parquet(folder / "ratios.parquet")
        rows.append(
            (pl.read_parquet(folder / "dividends.parquet").height, wide.height, ratios.height)
        )
    assert rows == [(5, 1, 1), (10, 8, 9)]  # 2 * 2 * 2 statements; ratios of both days


def _our_silver(vendor: Vendor, folder: Path) -> dict[str, bytes]:
    """Land and build what the naive way did, into `folder`; every partition's bytes."""
    report = land_actions.land(
        api=api_of(vendor), dataset="dividends", month="2025-09", **outs(folder / "d").paths()
    )
    assert report["good"] == 5
    bronze = {name: folder / f"{name}.parquet" for name in STATEMENTS}
    land_financials.land(
        api=api_of(vendor),
        tickers=None,
        month="2025-08",
        quarantine=folder / "quarantine.parquet",
        reconcile=folder / "reconcile.json",
        **bronze,
    )
    lists = {name: [path] for name, path in bronze.items()}
    wide, calculated, ratios = (folder / f"{name}.parquet" for name in ("wide", "calc", "ratios"))
    assert build_fundamentals_wide.build(**lists, quarter="2025Q3", out=wide) == 1
    build_calculated_ratios.build(**lists, prices=[], quarter="2025Q3", out=calculated)
    found = build_financial_ratios.build(
        calculated=[calculated], vendor=[], quarter="2025Q3", out=ratios
    )
    assert found == 1
    row = pl.read_parquet(ratios).row(0, named=True)
    assert (row["ticker"], row["gross_margin"], row["asset_turnover"]) == ("NA", 40.0, 0.5)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


# 3 and 4: the same landed days, one of them cut


def test_3_a_repaired_day_and_an_older_one_are_built(broken: tuple, tmp_path: Path) -> None:
    """A watermark skips for ever a day that was repaired, and any older day."""
    folder = tmp_path / "project"
    shutil.copytree(broken[0].folder, folder, symlinks=True)
    project, landing = Project(folder), lake_of(Project(folder)) / MINUTES
    watermark = naive.Watermark(landing, tmp_path / "naive")
    assert watermark.run() == [BROKEN]
    assert watermark.days() == bronze_days(project) == [LAST]
    untouched = project.digests(lake_of(project) / "bronze")

    put_minutes(landing, OLDER, BROKEN)
    assert watermark.run() == []
    assert watermark.days() == [LAST]  # and nothing failed: nobody will look again
    result = project.run("bronze", check=True)
    assert bronze_days(project) == [OLDER, BROKEN, LAST]
    built = keys_run(project, result, "lake_build_minute_bars")
    assert built == [f"stocks_minute {OLDER}", f"stocks_minute {BROKEN}"]
    assert project.digests(lake_of(project) / "bronze").items() >= untouched.items()


def test_4_a_failure_is_the_exit_status(broken: tuple, tmp_path: Path) -> None:
    """A shell script that starts jobs with `&` ends with 0 whatever became of them."""
    project, ours = broken
    month = lake_of(project) / MINUTES / BROKEN[:4] / BROKEN[5:7]
    script = subprocess.run(
        ["bash", "-c", naive.EACH_DAY, "-", sys.executable, month, tmp_path / "bronze"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (script.returncode, script.stdout) == (0, "all days done\n")
    assert "EOFError" in script.stderr
    assert [path.stem for path in (tmp_path / "bronze").iterdir()] == [LAST]

    assert ours.returncode != 0
    told = tail(ours).partition("What failed:")[2]
    assert "lake_build_minute_bars" in told
    assert f"{BROKEN}.csv.gz" in told
    assert "truncated" in told
    assert bronze_days(project) == [LAST]  # the others are built all the same


# 5


def test_5_dates_are_those_of_new_york_on_any_machine(tmp_path: Path) -> None:
    """Dates of the machine's clock move rows to other days and lose a month's last evening."""
    day, clocks = "2025-01-31", ["04:00", "09:30", "15:59", "18:30", "19:59"]
    file = flatfiles.write(
        tmp_path / f"{day}.csv.gz", *(flatfiles.row("AAPL", clock, day) for clock in clocks)
    )
    around = [str(date(2025, 1, 30) + timedelta(n)) for n in range(4)]
    code = (
        "import json, sys; from pathlib import Path; from tests.oracles import lake_naive; "
        "print(json.dumps(lake_naive.enrich_days([Path(sys.argv[1])], sys.argv[2:])))"
    )
    zones = ("America/New_York", "UTC", "Asia/Tokyo")
    found = {zone: json.loads(child(code, file, *around, env={"TZ": zone})) for zone in zones}
    assert found["America/New_York"] == dict.fromkeys(around, 0) | {day: 5}
    # 19:59 counts as of February, where no file holds it.
    assert found["UTC"] == dict.fromkeys(around, 0) | {day: 4}
    assert found["Asia/Tokyo"] == dict.fromkeys(around, 0) | {day: 2}

    made = {}
    for zone in zones[1:]:
        folder = tmp_path / zone
        folder.mkdir(parents=True)
        child(INGEST_MINUTES, file, day, folder, 0, env={"TZ": zone})
        made[zone] = contents(folder)
    assert len(made["UTC"]) == 4
    assert made["UTC"] == made["Asia/Tokyo"]
    gold = pl.read_parquet(tmp_path / "UTC/gold.parquet", hive_partitioning=False)
    local = gold["timestamp"].dt.convert_time_zone("America/New_York")
    assert local.dt.strftime("%H:%M").to_list() == clocks
    assert gold["date"].unique().to_list() == [date(2025, 1, 31)]
    assert gold["is_postmarket"].to_list() == [False, False, False, True, True]


# 6


def test_6_one_schema_whatever_the_machine(tmp_path: Path) -> None:
    """Types guessed from a file's first rows, or a chunk, differ by day and by memory, or fail."""
    fractional = {"2025-09-02": None, "2025-09-03": 0, "2025-09-04": 150}  # row of such a volume
    files = {
        day: flatfiles.write(
            tmp_path / f"{day}.csv.gz",
            *(
                flatfiles.row(f"T{n:03d}", day=day, volume=100.5 if n == odd else 100)
                for n in range(250)
            ),
        )
        for day, odd in fractional.items()
    }

    def naively(memory_gb: float, day: str) -> str:
        out = tmp_path / f"{memory_gb}_{day}.parquet"
        try:
            naive.ingest_by_memory(files[day], out, memory_gb)
        except (ValueError, pl.exceptions.ComputeError):
            return "failed"
        return str(pl.read_parquet_schema(out)["volume"])

    outcomes = {gb: [naively(gb, day) for day in files] for gb in (8.0, 64.0)}
    assert outcomes == {8.0: ["Int64", "failed", "failed"], 64.0: ["Int64", "Float64", "failed"]}

    libraries = ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS")
    machines = {  # bytes of memory, 0: all; threads
        "small": (2 * 10**9, dict.fromkeys(libraries, "1")),
        "large": (0, dict.fromkeys(libraries, "4")),
    }
    schemas = set()
    for day, file in files.items():
        made = []
        for name, (memory, threads) in machines.items():
            folder = tmp_path / name / day
            folder.mkdir(parents=True)
            child(INGEST_MINUTES, file, day, folder, memory, env=threads)
            made.append(contents(folder))
            bronze = folder / "bronze.parquet"
            schemas.add(tuple(pl.read_parquet_schema(bronze).items()))
            assert pl.read_parquet(bronze)["volume"].sum() == 25_000 + 0.5 * (
                fractional[day] is not None
            )
        assert made[0] == made[1]
    assert schemas == {tuple(tables.schema_of(build_minute_bars.STOCKS_MINUTE).items())}


# 7


def paged(pages: Sequence[Sequence[Any]], last_next: Callable[[], int | None]) -> Respond:
    """Pages of an answer, each naming the next one; `last_next` gives what the last names."""

    def respond(path: str, query: Mapping[str, str], base: str) -> tuple[int, Any]:
        number = int(query.get("page", 0))
        following = number + 1 if number + 1 < len(pages) else last_next()
        url = {} if following is None else {"next_url": f"{base}{path}?page={following}"}
        return 200, {"status": "OK", "results": list(pages[number]), **url}

    return respond


def test_7_every_page_once_none_lost_no_circle(tmp_path: Path) -> None:
    """Pagination asks twice for each page, loses the one that fails, and follows circles."""
    pages = [[{"n": 10 * page + n} for n in range(3)] for page in range(6)]
    every = [record for page in pages for record in page]

    with rest_server(paged(pages, lambda: None)) as server:
        api = Api(base=server.address, key=API_KEY, wait_s=0.01)
        naive_api = naive.Pages(server.address, API_KEY)
        assert naive_api.records(SPLITS) == every
        assert server.count() == 2 * len(pages) - 1
        server.requests.clear()
        assert list(api.records(SPLITS, {})) == every
        assert server.count() == len(pages)

        passing = Fault(), Fault(status=503)  # of page 3: the second answer is an error
        server.fail("page=3", *passing)
        assert naive_api.records(SPLITS) == [r for r in every if r not in pages[3]]
        server.heal()
        server.fail("page=3", *reversed(passing))  # ours asks once, so it meets the error first
        assert list(api.records(SPLITS, {})) == every
        server.heal()
        server.fail("page=3", Fault(status=400), always=True)
        with pytest.raises(DataError, match="page 4"):
            land_actions.land(api=api, dataset="splits", month="2025-09", **outs(tmp_path).paths())
        assert list(tmp_path.iterdir()) == []

    patience = 40  # requests after which the server lets go
    with rest_server(paged(pages, lambda: 1 if server.count() < patience else None)) as server:
        naive.Pages(server.address, API_KEY).records(SPLITS)
        assert server.count() > patience
        server.requests.clear()
        with pytest.raises(DataError, match="circle"):
            list(Api(base=server.address, key=API_KEY).records(SPLITS, {}))
        assert server.count() == len(pages)


# 8


def test_8_qlib_files_are_read_once_for_all_symbols(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Qlib writer that searches every file for every symbol takes symbols x files."""
    scan, opened = pl.scan_parquet, []

    def counted(source: Any, *args: Any, **kwargs: Any) -> pl.LazyFrame:
        opened.extend(source if isinstance(source, list) else [source])
        return scan(source, *args, **kwargs)

    monkeypatch.setattr(pl, "scan_parquet", counted)
    one = stores.gold().filter(pl.col("symbol") == "GAPS")
    work: dict[str, list[int]] = {"naive": [], "ours": []}
    for symbols in (10, 40):
        folder = tmp_path / str(symbols)
        named = [one.with_columns(symbol=pl.lit(f"S{n:02d}")) for n in range(symbols)]
        files = stores.write_months(pl.concat(named), folder)
        opened.clear()
        naive.write_qlib(files, folder / "naive", "close", "adj_close")
        work["naive"].append(len(opened))
        opened.clear()
        stores.export(files, folder)
        work["ours"].append(len(opened))
        theirs = sorted((folder / "naive").rglob("close.day.bin"))
        assert len(theirs) == symbols
        for file in theirs:
            place = file.relative_to(folder / "naive")
            assert (folder / "qlib/current/features" / place).read_bytes() == file.read_bytes()
    months = 7
    assert work["naive"] == [months * 11, months * 41]
    assert work["ours"][0] == work["ours"][1]  # the number of symbols is no factor
    assert 0 < work["ours"][1] <= 3 * months


# 9


def test_9_tickers_that_look_like_nulls_stay(tmp_path: Path) -> None:
    """pandas takes tickers such as NA and None for missing values."""
    day, tickers = "2025-09-03", ["AAPL", *NAMED_LIKE_NULLS]
    lines = [flatfiles.row(ticker, "16:00", day) for ticker in tickers]
    file = flatfiles.write(tmp_path / f"{day}.csv.gz", *lines)

    assert naive.read_bars(file)["ticker"].dropna().tolist() == ["AAPL"]

    ours = ingest_daily(file, day, tmp_path / "ours")
    assert ours["symbol"].to_list() == sorted(tickers)


# 10


def test_10_a_fractional_volume_is_a_volume(tmp_path: Path) -> None:
    """A volume cast to a whole number fails the day for one fractional share."""
    day = "2025-09-03"
    volumes = {"A": ("100", 100.0), "B": ("100.5", 100.5), "C": ("3e3", 3e3), "D": (2**33, 2.0**33)}
    lines = [flatfiles.row(name, "16:00", day, volume=text) for name, (text, _) in volumes.items()]
    file = flatfiles.write(tmp_path / f"{day}.csv.gz", *lines)

    with pytest.raises(pa.ArrowInvalid, match=r"100\.5"):
        naive.ingest(file, tmp_path / "naive.parquet")
    assert not (tmp_path / "naive.parquet").exists()

    ours = ingest_daily(file, day, tmp_path / "ours")
    assert dict(ours.select("symbol", "volume").iter_rows()) == {
        name: value for name, (_, value) in volumes.items()
    }


# 11


def test_11_a_file_that_is_there_need_not_be_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transfer that broke off leaves half a file, which later runs take for the whole."""
    dataset, key = "stocks_daily", key_of("stocks_daily", LAST)
    lines = [flatfiles.row(f"T{n}", "16:00", LAST, volume=n * 7919 % 10007) for n in range(3000)]
    whole = flatfiles.write(tmp_path / "vendor.csv.gz", *lines).read_bytes()
    half = tmp_path / "naive" / f"{LAST}.csv.gz"
    with s3_server({key: whole}) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        bucket = boto3.client("s3", endpoint_url=server.address, region_name="us-east-1")

        def fetch() -> bool:
            body = bucket.get_object(Bucket=BUCKET, Key=key)["Body"]
            return naive.fetch(body.iter_chunks(1024), half)

        def land(name: str, adopted: Path | None) -> dict:
            out = tmp_path / name / f"{LAST}.csv.gz"
            record = land_flatfile.land(
                store=S3Store(wait_s=0.01),
                dataset=dataset,
                date=LAST,
                adopted=adopted,
                revision=None,
                out=out,
                manifest=out.with_name(f"{LAST}.json"),
            )
            assert out.read_bytes() == whole
            assert len(list(out.parent.iterdir())) == 2  # the file, its manifest, nothing half
            return record

        server.fail(key, TRUNCATED)
        with pytest.raises(BotoCoreError):
            fetch()
        assert fetch() is False
        with pytest.raises(EOFError):
            gzip.decompress(half.read_bytes())

        (tmp_path / "ours").mkdir()
        shutil.copy(half, tmp_path / "ours")  # as a killed run of another program may leave it
        server.fail(key, TRUNCATED)
        assert "adopted" not in land("ours", None)
        assert "adopted" not in land("adopting", half)


# 12


def mistype(path: Path, name: str) -> Callable[[], None]:
    """Misspell the use of a function, once; returns what undoes it."""
    text = path.read_text()
    assert text.count(name) == 1, f"{name} in {path}"
    path.write_text(text.replace(name, name.replace("_", "__")))
    return lambda: path.write_text(text)


def test_12_an_undefined_function_is_told(tmp_path: Path) -> None:
    """A shell finds out in the background that a function is undefined: bronze never starts."""
    project = minutes_project(tmp_path, LAST)
    landing = lake_of(project) / MINUTES
    month = landing / LAST[:4] / LAST[5:7]
    command = ["bash", "-c", naive.TWO_LAYERS, "-", month, tmp_path / "bronze"]
    script = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (script.returncode, script.stdout) == (0, "landing done\nbronze done\n")
    assert "ingest_to_bronze: command not found" in script.stderr
    assert list((tmp_path / "bronze").iterdir()) == []

    # In the rules: before the first job.
    mend = mistype(project.folder / "rules/lake_bronze.smk", "file=landed_file,")
    result = project.run("bronze", check=False)
    assert "landed__file" in tail(result)
    assert project.jobs_run(result) == []
    mend()
    # In a script: its job fails, and so does the run.
    mend = mistype(project.folder / "scripts/lake/build_minute_bars.py", "rows = to_bronze(")
    result = project.run("bronze", check=False)
    told = tail(result).partition("What failed:")[2]
    assert "lake_build_minute_bars" in told
    assert "to__bronze" in told
    assert bronze_days(project) == []
    mend()
    assert ran(project, project.run("bronze", check=True)) == {"lake_build_minute_bars": 1}
    assert bronze_days(project) == [LAST]
