"""The jobs one by one: batches, benchmarks, the one file, the simulator, pictures, provenance."""

from __future__ import annotations

import json
import weakref
from datetime import date
from pathlib import Path
from zlib import crc32

import polars as pl
import pyarrow.parquet as pq
import pytest

from scripts.errors import DataError
from scripts.lake import market
from scripts.weekly import (
    batches,
    build_bars,
    build_benchmarks,
    build_daily,
    build_features,
    build_provenance,
    export_features,
    plot_visibility,
    simulate_daily,
    stream,
)
from scripts.weekly.features import FEATURES
from scripts.weekly.mappings import check_benchmarks, checked, read_mappings
from scripts.weekly.notebook import add_weekly_features_to_daily
from tests.plans import ROOT
from tests.unit.weekly.comparing import known_mappings, mappings_frame
from tests.unit.weekly.weekly_frames import mappings_for, random_market, with_others

LIMIT = 2048
HEAD = "symbol,sector_etf,equal_weight_etf,subsector_etf\n"


def chain(frame: pl.DataFrame, mappings: pl.DataFrame, count: int, folder: Path) -> pl.DataFrame:
    """All jobs up to the one file, with so many batches; the frame is shuffled into two files."""
    shuffled = frame.sample(fraction=1, shuffle=True, seed=count)
    sources = [folder / "one.parquet", folder / "two.parquet"]
    shuffled[: frame.height // 3].write_parquet(sources[0])
    shuffled[frame.height // 3 :].write_parquet(sources[1])
    mappings.write_csv(folder / "mappings.csv")
    how = {"columns": None, "adjusted_close": "adj_close"}
    table = [folder / "mappings.csv"]
    build_benchmarks.build(
        sources=sources,
        mappings=table,
        adjusted_close="adj_close",
        parity=False,
        out=folder / "benchmarks",
    )
    for batch in range(count):
        own = folder / str(batch)
        build_bars.build(
            sources=sources,
            batch=batch,
            batches_in_all=count,
            max_symbols=None,
            memory_limit_mb=LIMIT,
            checked=own / "checked",
            out=own / "bars",
            **how,
        )
        build_features.build(
            bars=own / "bars",
            benchmarks=folder / "benchmarks",
            mappings=table,
            adjusted_close="adj_close",
            parity=False,
            lags=[2],
            lagged=["w_ret", "w_vwap"],
            batch=batch,
            batches_in_all=count,
            memory_limit_mb=LIMIT,
            out=own / "features",
        )
        build_daily.build(
            daily=own / "checked",
            features=own / "features",
            visible_from="same_day",
            stale_after=10,
            batch=batch,
            batches_in_all=count,
            out=own / "daily",
        )
        assert set(pl.read_parquet(own / "daily")["batch"]) <= {batch}
    daily = [folder / str(batch) / "daily" for batch in range(count)]
    export_features.build(daily=daily, out=folder / "features.parquet")
    return pl.read_parquet(folder / "features.parquet")


@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_jobs_give_what_the_function_gives(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ROW_GROUP", 1000)  # blocks that cut symbols
    frame = with_others(random_market(3, 9, 500))
    mappings = mappings_frame(known_mappings(mappings_for(frame), frame))
    expected = add_weekly_features_to_daily(frame, mappings, lags=[2], lagged=["w_ret", "w_vwap"])
    assert chain(frame, mappings, count, tmp_path).equals(expected)


def test_the_batch_of_a_symbol_is_its_checksum() -> None:
    assert batches.batch_of("AAPL", 7) == crc32(b"AAPL") % 7
    rows = {"A": 3, "B": 4, "Ü": 5, "null": 6}
    parts = [batches.select(rows, batch, 3, None) for batch in range(3)]
    assert sorted(name for part in parts for name in part) == sorted(rows)
    assert sum(len(batches.select(rows, batch, 3, 2)) for batch in range(3)) == 2


def test_a_batch_that_needs_too_much_memory_says_how_many_would_fit(tmp_path: Path) -> None:
    need = 5e9
    with pytest.raises(DataError, match=r"batch 1 of 2 holds many rows, .*batches: \d+ would") as e:
        batches.check_memory(need, "many rows", 1, 2, LIMIT)
    fit = int(str(e.value).rpartition("batches: ")[2].split()[0])
    batches.check_memory(need * 2 / fit, "rows", 1, fit, LIMIT)
    random_market(1, 20, 900).write_parquet(tmp_path / "a.parquet")
    how = {"columns": None, "adjusted": None, "batch": 0, "batches": 1, "max_symbols": None}
    with pytest.raises(DataError, match="daily rows, for which a job needs about"):
        batches.read([tmp_path / "a.parquet"], memory_limit_mb=171, **how)
    assert batches.features_need(10**6, 500) > 10**6 * 500 * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.parquet: no parquet"),
        (b"symbol,date\nA,2023-01-01\n", "a.parquet: no parquet"),
        (None, "a.parquet: no parquet"),
    ],
)
def test_a_file_that_is_no_parquet_is_named(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=message):
        batches.scan([tmp_path / "a.parquet"], None, None)


def test_a_truncated_parquet_is_named(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    random_market(1, 3, 50).write_parquet(whole)
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"cut.parquet: no parquet"):
        batches.scan([cut], None, None)


def test_files_of_different_columns_are_named(tmp_path: Path) -> None:
    frame = random_market(1, 1, 50)
    for name, part in (
        ("a", frame),
        ("same", frame.select(reversed(frame.columns))),
        ("more", frame.with_columns(x=1)),
        ("typed", frame.cast({"volume": pl.Int64})),
        ("less", frame.drop("low")),
    ):
        part.write_parquet(tmp_path / f"{name}.parquet")
    pair = lambda name: [tmp_path / "a.parquet", tmp_path / f"{name}.parquet"]  # noqa: E731
    with pytest.raises(
        DataError, match=r"more.parquet: column x is Int32, in .*a.parquet not there"
    ):
        batches.scan(pair("more"), None, None)
    with pytest.raises(DataError, match=r"typed.parquet: column volume is Int64, in .* Float64"):
        batches.scan(pair("typed"), None, None)
    with pytest.raises(DataError, match=r"less.parquet: no column low"):
        batches.scan(pair("less"), None, None)
    with pytest.raises(DataError, match="no column y, named in"):
        batches.scan(pair("more"), ["y"], None)
    assert batches.scan(pair("more"), [], None).whole.collect().height == 2 * frame.height
    assert batches.scan(pair("same"), None, None).whole.collect().height == 2 * frame.height


def test_damaged_pages_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    random_market(1, 3, 50).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"x" * (len(content) // 2 - 4)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.parquet: cannot be read .*; write it again"):
        batches.rows_by_symbol(batches.scan([path], None, None))


def of_two_files(job: str, folder: Path) -> None:
    sources = [folder / "a.parquet", folder / "b.parquet"]
    if job == "bars":
        how = {"columns": None, "adjusted": "adj_close", "batch": 0, "batches": 1}
        batches.read(sources, memory_limit_mb=LIMIT, max_symbols=None, **how)
        return
    build_benchmarks.build(
        sources=sources,
        mappings=[],
        adjusted_close="adj_close",
        parity=False,
        out=folder / "benchmarks",
    )


def two_files(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bars without a fault, the later ones in the second file."""
    frame = random_market(1, 3, 50).with_columns(adj_close=pl.col("close"))
    day = pl.col("date") < date(2020, 2, 3)
    parts = frame.filter(day), frame.filter(~day)
    for name, part in zip("ab", parts, strict=True):
        part.write_parquet(folder / f"{name}.parquet")
    return parts


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"symbol": " S000"}, "symbol ' S000' is empty or has blanks around it; strip it"),
        ({"symbol": None}, "1 rows without symbol; give it or drop them"),
        ({"date": None}, "1 rows without date, first one of symbol RSP; give it or drop them"),
        ({"close": float("inf")}, "symbol RSP, date 2020-02-03: close is inf, expected a finite"),
    ],
)
def test_a_bad_row_is_told_with_its_file(fault: dict, said: str, tmp_path: Path) -> None:
    before, after = two_files(tmp_path)
    # Not a fault, though it looks like one in the first file alone.
    before.with_columns(
        adj_close=pl.when(pl.col("symbol") != "S001").then("adj_close")
    ).write_parquet(tmp_path / "a.parquet")
    of_two_files("bars", tmp_path)
    first = pl.int_range(pl.len()) == 0
    after = after.sort("symbol").with_columns(
        pl.when(first).then(pl.lit(value)).otherwise(name).alias(name)
        for name, value in fault.items()
    )
    after.write_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError) as caught:
        of_two_files("bars", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'b.parquet'}: {said}")


@pytest.mark.parametrize("job", ["bars", "benchmarks"])
@pytest.mark.parametrize("column", ["symbol", "close"])
def test_a_damaged_page_is_told_with_its_file(job: str, column: str, tmp_path: Path) -> None:
    two_files(tmp_path)
    of_two_files(job, tmp_path)
    path = tmp_path / "b.parquet"
    chunk = pq.read_metadata(path).row_group(0)
    (own,) = (
        chunk.column(i)
        for i in range(chunk.num_columns)
        if chunk.column(i).path_in_schema == column
    )
    content = bytearray(path.read_bytes())
    start = own.dictionary_page_offset or own.data_page_offset
    content[start : start + own.total_compressed_size] = b"x" * own.total_compressed_size
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        of_two_files(job, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be read (")
    assert message.count("cannot be read") == 1


def test_what_is_of_no_file_alone_is_told_once(tmp_path: Path) -> None:
    before, after = two_files(tmp_path)
    pl.concat([before[:1], after]).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError) as caught:
        of_two_files("bars", tmp_path)
    said = f"2 files from {tmp_path / 'a.parquet'} on: symbol RSP, date"
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("two rows of one date; drop one (1 such rows)")
    nothing = [frame.with_columns(adj_close=pl.lit(None, pl.Float64)) for frame in (before, after)]
    for name, frame in zip("ab", nothing, strict=True):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match=r"^2 files from .* on: symbol RSP: adj_close is null thro"):
        of_two_files("bars", tmp_path)


def test_partitions_of_an_earlier_number_of_batches_are_removed(tmp_path: Path) -> None:
    for batch in ("00", "01", "02"):
        (tmp_path / "daily" / f"batch={batch}").mkdir(parents=True)
    removed = export_features.drop_others([tmp_path / "daily", tmp_path / "none"], ["00", "01"])
    assert removed == [str(tmp_path / "daily/batch=02")]
    assert sorted(path.name for path in (tmp_path / "daily").iterdir()) == ["batch=00", "batch=01"]


def test_no_rows_and_null_symbols_are_named() -> None:
    frame = random_market(1, 1, 50)
    with pytest.raises(DataError, match="x: no rows; expected daily bars"):
        batches.rows_by_symbol(batches.Bars(["x"], [frame.clear().lazy()]))
    own = pl.col("symbol")
    nameless = frame.with_columns(pl.when(own != "SPY").then(own))
    with pytest.raises(DataError, match=r"x: \d+ rows without symbol; give it or drop them"):
        batches.rows_by_symbol(batches.Bars(["x"], [nameless.lazy()]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "symbol,sector_etf\nA,XLK\n",
            "m.csv: no column equal_weight_etf, subsector_etf; expected",
        ),
        (
            HEAD + "A,,,\nB,,,\nA,X,,\n",
            "line 4: A a second",
        ),
        (HEAD + "A,,,\n ,X,,\n", "line 3: no symbol"),
        (HEAD + "A,,,\nB,XLK\n", r"m.csv: cannot be read \(line 3: 2 fields, expected 4\)"),
        ("", r"m.csv: cannot be read \(it is empty\); expected CSV in UTF-8 with the columns"),
        (f"symbol,{HEAD}", "m.csv: column symbol is there twice"),
    ],
)
def test_bad_mappings_are_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_mappings(tmp_path / "m.csv")


def test_blanks_and_odd_names_of_mappings(tmp_path: Path) -> None:
    head = "symbol,sector_etf,equal_weight_etf,subsector_etf\n"
    (tmp_path / "m.csv").write_text(head + "NA,null, XLK ,\nnull,,NaN,0\n")
    assert read_mappings(tmp_path / "m.csv").rows() == [
        ("NA", "null", "XLK", None),
        ("null", None, "NaN", "0"),
    ]


def test_an_unknown_benchmark_is_an_error_but_in_parity() -> None:
    rows = {"symbol": ["A", "GONE"], "sector_etf": ["XLQ", "XLZ"]}
    mappings = checked(pl.DataFrame(rows).with_columns(equal_weight_etf=None, subsector_etf=None))
    with pytest.raises(DataError, match=r"m.csv, line 2: sector_etf XLQ of A has no bars in the"):
        check_benchmarks(mappings, ["A", "SPY"], parity=False, place="m.csv")
    assert check_benchmarks(mappings, ["A", "SPY"], parity=True) == ["RSP", "XLQ"]
    assert check_benchmarks(mappings, ["A", "SPY", "XLQ"], parity=False) == ["RSP"]


def test_of_a_table_of_very_many_columns_the_first_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(",".join(f"c{number}" for number in range(10_000)) + "\n")
    with pytest.raises(DataError, match=r", got c0, .*, c11, \.\.\. \(10,000 in all\)$") as caught:
        read_mappings(path)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_what_was_read_is_gone_before_the_file_is_looked_for() -> None:
    read, gone = [], []

    def work(bars: pl.LazyFrame, part: bool) -> None:
        gone.append(all(rows() is None for rows in read))
        rows = bars.collect()
        read.append(weakref.ref(rows))
        if rows.height > 1 or rows["symbol"][0] == "B":
            raise DataError("odd")

    parts = [pl.LazyFrame({"symbol": [name]}) for name in "AB"]
    with pytest.raises(DataError, match=r"^b: odd$"):
        batches.Bars(["a", "b"], parts).read(work)
    assert gone == [True] * 3


def test_blocks_are_merged_by_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("A", 1), ("A", 2), ("B", 1), ("C", 1), ("C", 2), ("C", 3), ("D", 1), ("E", 1)]
    frame = pl.DataFrame(rows, schema=["symbol", "date"], orient="row")
    for size in (1, 2, 3, 100):
        monkeypatch.setattr(stream, "ROW_GROUP", size)
        files = []
        for place, names in enumerate((["A", "D"], ["C"], ["B", "E"], [])):
            files.append(tmp_path / f"{place}.parquet")
            frame.filter(pl.col("symbol").is_in(names)).write_parquet(files[-1])
        assert pl.concat(export_features.merged(files)).equals(frame)


def test_the_simulated_history_is_the_lakes_market(tmp_path: Path) -> None:
    out = tmp_path / "daily.parquet"
    calendar = ROOT / "config/calendars/XNYS.csv"
    counts = simulate_daily.simulate(
        calendar=calendar, seed=7, end="2025-09-05", weeks=230, out=out
    )
    frame = pl.read_parquet(out)
    assert counts["rows"] == frame.height
    assert {"SPY", "RSP", "XLE", "XLF", "XLK"} <= set(frame["symbol"])
    assert frame["date"].max() == date(2025, 9, 5)
    assert frame.filter(pl.col("symbol") == "SPY").height > 220 * 4
    assert frame.select(pl.struct("symbol", "date").is_duplicated().any()).item() is False
    day = frame.filter(pl.col("symbol") == "AAPL", pl.col("date") == date(2025, 9, 4))
    assert day["close"].item() == market.close(7, "AAPL", date(2025, 9, 4))
    assert frame.filter(pl.col("low") > pl.min_horizontal("open", "close")).is_empty()
    assert frame.filter(pl.col("high") < pl.max_horizontal("open", "close")).is_empty()
    # Splits leave no jump in the adjusted close, and there is one in the raw one.
    moves = {c: pl.col(c).log().diff().abs().over("symbol").max() for c in ("close", "adj_close")}
    largest = frame.select(**moves).max().row(0)
    assert largest[0] > 0.5 > 0.15 > largest[1]
    days = frame.filter(pl.col("date") > date(2025, 6, 1))
    short = tmp_path / "short.parquet"
    simulate_daily.simulate(calendar=calendar, seed=7, end="2025-09-05", weeks=10, out=short)
    part = pl.read_parquet(short).join(days, on=["symbol", "date"], suffix="_long")
    assert part.height == pl.read_parquet(short).filter(pl.col("date") > date(2025, 6, 1)).height
    assert part["open"].equals(part["open_long"])


def test_the_picture_is_drawn_the_same_every_time(tmp_path: Path) -> None:
    frame = with_others(random_market(3, 1, 300))
    chain(frame, mappings_frame({}), 1, tmp_path)
    outs = [tmp_path / f"{n}.svg" for n in (1, 2)]
    how = {"adjusted_close": None, "visible_from": "next_day", "simulated": True}
    parts = {name: tmp_path / "0" / name for name in ("features", "daily")}
    for out in outs:
        plot_visibility.draw(symbol="S000", outs=[out], **parts, **how)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert "simulated data" in outs[0].read_text()
    with pytest.raises(DataError, match="no weekly bar of 'X'; name a symbol of the input"):
        plot_visibility.draw(symbol="X", outs=outs, **parts, **how)


def test_provenance_names_the_sources(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    out = tmp_path / "provenance.json"
    build_provenance.build(
        sources=[tmp_path / "a"], version="1", config_hash="c", simulated=False, out=out
    )
    noted = json.loads(out.read_text())
    assert [len(source["sha256"]) for source in noted["sources"]] == [64]
    assert noted["simulated"] is False


def test_every_feature_has_a_meaning_in_the_order_of_the_file() -> None:
    assert tuple(build_features.COLUMNS) == ("symbol", "week_end", *FEATURES, "batch")
