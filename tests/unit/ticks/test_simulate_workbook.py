"""The simulated workbook: layout, the features of a market day, order, independent streams."""

import hashlib
import zipfile
from datetime import date, datetime, time

import openpyxl
import polars as pl
import pytest

from scripts.ticks import simulate_workbook
from scripts.ticks.simulate_workbook import build, simulate

SECURITIES = [
    {"name": "AURUM", "exchange": "ADX", "price": 4.6, "size": 3_000},
    {"name": "BARQ", "exchange": "DFM", "price": 6.3, "size": 1_100},
    {"name": "CEDAR", "exchange": "DFM", "price": 0.97, "size": 15_000},
    {"name": "DUNE", "exchange": "ADX", "price": 50.0, "size": 800},
]
DAYS = [date(2025, 4, day) for day in (14, 15, 16, 17, 18)]
ROWS, SEED = 2_500, 7
OPEN, CALL, CROSS, END = time(10), time(14, 45), time(14, 55), time(15)


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return {
        entry["name"]: simulate(entry, days=DAYS, rows=ROWS, seed=SEED).with_columns(
            day=pl.col("timestamp").dt.date(),
            time=pl.col("timestamp").dt.time(),
            step=pl.col("timestamp").diff().dt.total_seconds(),
        )
        for entry in SECURITIES
    }


@pytest.fixture(scope="module", params=SECURITIES, ids=lambda entry: entry["name"])
def entry(request) -> dict:
    return request.param


@pytest.fixture(scope="module")
def days(frames, entry) -> list[pl.DataFrame]:
    return frames[entry["name"]].partition_by("day", maintain_order=True)


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    path = tmp_path_factory.mktemp("workbook") / "ticks.xlsx"
    build(securities=SECURITIES, sessions=5, rows_per_session=ROWS, seed=SEED, out=path)
    return path


def small(out, **changes):
    arguments = {"securities": SECURITIES[:2], "sessions": 2, "rows_per_session": 300, "seed": 1}
    build(**arguments | changes, out=out)
    return out.read_bytes()


def within(frame: pl.DataFrame, start: time, end: time, *kinds: str) -> pl.DataFrame:
    """Rows of some kinds (none given: of all) from `start` to before `end`."""
    kinds = kinds or ("BID", "ASK", "TRADE")
    return frame.filter(pl.col("time") >= start, pl.col("time") < end, pl.col("type").is_in(kinds))


def with_market(day: pl.DataFrame) -> pl.DataFrame:
    """The continuous session with the best bid and ask shown before each row (null: empty)."""
    shown = [
        pl.when(pl.col("type") == kind)
        .then(pl.when(pl.col("size") > 0).then("price").otherwise(-1.0))
        .forward_fill()
        .shift(1)
        .replace(-1.0, None)
        .alias(kind.lower())
        for kind in ("BID", "ASK")
    ]
    return within(day, OPEN, CALL).with_columns(shown)


# --- bytes --------------------------------------------------------------------------------------


def test_same_arguments_same_bytes(tmp_path):
    assert small(tmp_path / "a.xlsx") == small(tmp_path / "b.xlsx")


def test_another_seed_other_bytes(tmp_path):
    assert small(tmp_path / "a.xlsx") != small(tmp_path / "b.xlsx", seed=2)


def test_no_clock_in_the_file(tmp_path):
    small(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}
        assert archive.read("docProps/core.xml").count(b"2025-01-01T00:00:00Z") == 2


def test_rows_are_the_same_on_every_machine():
    # A wanted change of the simulator changes the digest, and every result of the demo.
    digest = hashlib.sha256()
    for entry in SECURITIES:
        frame = simulate(entry, days=DAYS[:2], rows=400, seed=SEED)
        digest.update(repr(frame.rows()).encode())
    assert digest.hexdigest()[:16] == "f787010a2f708a15"


# --- layout -------------------------------------------------------------------------------------


def test_layout_read_back(workbook, frames):
    book = openpyxl.load_workbook(workbook, read_only=True)
    assert book.sheetnames == [
        "AURUM UH Equity",
        "BARQ DH Equity",
        "CEDAR DH Equity",
        "DUNE UH Equity",
    ]
    sheet = book["CEDAR DH Equity"]
    first, second, header, *data = sheet.iter_rows()
    assert [cell.value for cell in first] == ["CEDAR DH Equity", None, None, None]
    assert "SIMULATED" in second[0].value and f"seed {SEED}" in second[0].value
    assert [cell.value for cell in header] == ["Dates", "Type", "Price", "Size"]
    assert {cell[0].number_format for cell in data} == {"yyyy-mm-dd hh:mm:ss"}
    assert {type(cell[0].value) for cell in data} == {datetime}
    assert {type(cell[2].value) for cell in data} <= {int, float}
    assert {type(cell[3].value) for cell in data} == {int}
    rows = [tuple(cell.value for cell in row) for row in data]
    assert rows == frames["CEDAR"].select("timestamp", "type", "price", "size").rows()


def test_every_sheet_has_all_rows(workbook):
    book = openpyxl.load_workbook(workbook, read_only=True)
    assert {sheet.max_row for sheet in book} == {3 + 5 * ROWS}


# --- order and grid -----------------------------------------------------------------------------


def test_business_days_ascend_with_equal_rows(tmp_path, days, entry):
    assert [(day["day"][0], day.height) for day in days] == [(day, ROWS) for day in DAYS]
    path = tmp_path / "ticks.xlsx"
    build(securities=[entry], sessions=6, rows_per_session=300, seed=1, out=path)
    last = openpyxl.load_workbook(path, read_only=True).worksheets[0]["A1803"].value
    assert last.date() == date(2025, 4, 21)  # the Monday after the weekend


def test_backward_steps_only_on_adx_of_a_second_or_two_inside_trading(days, entry):
    for day in days:
        assert set(day["step"][1:].filter(day["step"][1:] < 0)) <= {-1, -2}
    back = [row for day in days for row in day[1:].filter(pl.col("step") < 0).rows(named=True)]
    assert bool(back) == (entry["exchange"] == "ADX")
    assert len(back) < 8 * len(days)
    assert all(OPEN <= row["time"] < CALL for row in back)


def test_most_rows_share_a_second(days):
    shares = [(day["step"][1:] == 0).mean() for day in days]
    assert all(0.58 < share < 0.72 for share in shares)
    assert 0.6 < sum(shares) / len(shares) < 0.7


def test_prices_on_the_tick_grid(frames, entry):
    bands = {
        "ADX": ((1_000, 1), (10_000, 10), (50_000, 20), (100_000, 50), (10**9, 100)),
        "DFM": ((1_000, 1), (10_000, 10), (10**9, 50)),
    }[entry["exchange"]]
    for price in frames[entry["name"]]["price"].unique():
        mils = round(price * 1000)
        assert mils / 1000 == price
        assert mils % next(tick for end, tick in bands if mils < end) == 0


# --- features of every session ------------------------------------------------------------------


def test_pre_open(days, entry):
    for day in days:
        quotes = within(day, time(0), OPEN)
        assert quotes.height > 20
        assert set(quotes["type"]) == {"BID", "ASK"}
        if entry["exchange"] == "ADX":
            assert quotes["time"][0] == time(9, 30)
            assert quotes[:2].select("type", "price", "size").rows() == [
                ("BID", 0.0, 0),
                ("ASK", 0.0, 0),
            ]
            assert quotes[2:].filter((pl.col("price") == 0) | (pl.col("size") == 0)).is_empty()
        else:
            assert quotes[:2].select("time", "size").rows() == [(time(8), 0)] * 2
            for kind in ("BID", "ASK"):
                orders = quotes.filter(type=kind, price=0.0)["size"]
                assert len(orders) > 3
                assert (orders.diff()[1:] > 0).all()


def test_opening_auction(days):
    for day in days:
        prints = within(day, OPEN, time(10, 0, 2), "TRADE")[:10]
        assert prints["price"].n_unique() == 1
        assert within(day, time(0), OPEN, "TRADE").is_empty()


def test_share_of_kinds(days):
    for day in days:
        share = dict(within(day, OPEN, CALL).group_by("type").len().iter_rows())
        assert 0.25 * ROWS < share["TRADE"] < 0.42 * ROWS
        assert 0.8 < share["BID"] / share["ASK"] < 1.25


def test_trades_meet_the_market(days):
    inside = 0
    for day in days:
        trades = with_market(day).filter(pl.col("type") == "TRADE").drop_nulls()
        bid, ask, price = trades["bid"], trades["ask"], trades["price"]
        assert (price == bid).mean() > 0.3
        assert (price == ask).mean() > 0.3
        assert (price < bid).sum() > 0
        assert (price > ask).sum() > 0
        inside += ((price > bid) & (price < ask)).sum()
    assert inside > 0


def test_quotes_reprice_and_change_size(days):
    for day in days:
        for kind in ("BID", "ASK"):
            quotes = within(day, OPEN, CALL, kind)
            repriced = (quotes["price"].diff()[1:] != 0).mean()
            assert 0.05 < repriced < 0.7
            assert quotes["size"].n_unique() > 100


def test_emptied_sides_and_prints_without_volume(days):
    for day in days:
        zero = within(day, OPEN, CALL).filter(pl.col("size") == 0)
        assert (zero["price"] > 0).all()
        assert (zero["type"] != "TRADE").sum() > 0
    every = pl.concat(within(day, OPEN, CALL) for day in days).filter(pl.col("size") == 0)
    assert set(every["type"]) == {"BID", "ASK", "TRADE"}


def test_trade_sizes_follow_the_security(frames, entry):
    trades = within(frames[entry["name"]], OPEN, CALL, "TRADE")["size"]
    quotes = within(frames[entry["name"]], OPEN, CALL, "BID", "ASK")["size"]
    assert 0.25 < trades.median() / entry["size"] < 1.5
    assert 5 < quotes.median() / entry["size"] < 40
    assert trades.quantile(0.99) > 5 * entry["size"]


def test_crossed_quotes_before_the_close(days, entry):
    for day in days:
        quotes = within(day, CALL, CROSS)
        assert set(quotes["type"]) == {"BID", "ASK"}
        priced = quotes.filter(pl.col("price") > 0)
        assert priced.filter(type="BID")["price"].min() > priced.filter(type="ASK")["price"].max()
        assert (quotes["price"] == 0).sum() > 10 if entry["exchange"] == "DFM" else True
        assert quotes.height > 40


def test_closing_cross_and_prints_after_it(days, entry):
    for day in days:
        prints = within(day, CROSS, time(23), "TRADE")
        assert prints["price"].n_unique() == 1
        assert prints["time"][0] == CROSS
        assert prints.filter(pl.col("time") == CROSS, pl.col("size") > 0).height > 10
        assert within(prints, time(14, 56), END).filter(pl.col("size") > 0).height > 5
        without = prints.filter(pl.col("size") == 0)["time"].to_list()
        assert without == ([CROSS, END] if entry["exchange"] == "ADX" else [time(15, 0, 20)])
        tail = within(day, END, time(23), "BID", "ASK")
        assert set(tail["type"]) == {"BID", "ASK"}
        assert day["time"][-1] == (END if entry["exchange"] == "ADX" else time(15, 50))


def test_prices_move_enough_and_not_too_much(frames):
    ranges, gaps = [], []
    for frame in frames.values():
        daily = (
            within(frame, OPEN, CALL, "TRADE")
            .group_by("day", maintain_order=True)
            .agg(
                first=pl.col("price").first(),
                last=pl.col("price").last(),
                range=pl.col("price").max() / pl.col("price").min() - 1,
            )
        )
        ranges += daily["range"].to_list()
        gaps += (daily["first"] / daily["last"].shift(1) - 1).abs()[1:].to_list()
    assert max(ranges) > 0.04  # a stop-loss of 2 % has something to do
    assert 0.01 < sorted(ranges)[len(ranges) // 2] < 0.04
    assert max(gaps) < 0.04


def test_price_returns_to_the_vwap(frames):
    turns = total = 0
    for frame in frames.values():
        for day in within(frame, OPEN, CALL, "TRADE").partition_by("day"):
            value = (day["price"] * day["size"]).cum_sum()
            away = day["price"] - value / day["size"].cum_sum().cast(pl.Float64)
            middle, end = away[day.height // 2], away[-50:].mean()
            turns += abs(end) < abs(middle) or end * middle < 0
            total += 1
    assert turns / total > 0.5


# --- independence -------------------------------------------------------------------------------


def test_another_security_changes_no_other_sheet(tmp_path):
    def sheets(securities):
        small(tmp_path / "ticks.xlsx", securities=securities)
        book = openpyxl.load_workbook(tmp_path / "ticks.xlsx", read_only=True)
        return {sheet.title: list(sheet.values) for sheet in book}

    few, more = sheets(SECURITIES[1:3]), sheets(SECURITIES)
    assert len(more) == 4
    assert all(more[name] == rows for name, rows in few.items())


def test_another_day_changes_no_earlier_one(entry):
    few, more = (simulate(entry, days=DAYS[:n], rows=300, seed=1) for n in (2, 3))
    assert more[: few.height].equals(few)


def test_securities_differ(frames):
    assert frames["AURUM"]["size"].to_list() != frames["DUNE"]["size"].to_list()


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "A/B"}, r"'A/B'.*Excel.*'/'"),
        ({"name": "A[1]"}, r"Excel.*'\[' '\]'"),
        ({"name": "A\\B:C*D?"}, "Excel"),
        ({"name": "A\n"}, "Excel"),
        ({"name": "'A"}, "Excel"),
        ({"name": "N" * 22}, "31"),
        ({"name": ""}, "1 to 21"),
        ({"exchange": "NYSE"}, "'NYSE' is not ADX or DFM"),
        ({"price": 0}, "price 0"),
        ({"price": float("nan")}, "price nan"),
        ({"size": 0}, "size 0"),
        ({"size": 2.5}, "size 2.5"),
    ],
)
def test_a_security_that_cannot_be(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "ticks.xlsx", securities=[SECURITIES[0], SECURITIES[1] | changes])
    assert not list(tmp_path.iterdir())


def test_a_sheet_named_twice(tmp_path):
    with pytest.raises(ValueError, match=r"'barq'.*once"):
        small(tmp_path / "a.xlsx", securities=[SECURITIES[1], SECURITIES[1] | {"name": "barq"}])


@pytest.mark.parametrize("rows", [299, simulate_workbook.SHEET_ROWS])
def test_rows_that_do_not_fit(rows):
    with pytest.raises(ValueError, match=f"{rows} rows per session"):
        simulate(SECURITIES[0], days=DAYS[:2], rows=rows, seed=1)


@pytest.mark.parametrize("exchange", ["ADX", "DFM"])
@pytest.mark.parametrize("price", [0.1, 0.999, 10, 49.99, 100, 10_000])
def test_small_sessions_and_edges_of_the_tick_table(exchange, price):
    entry = {"name": "EDGE", "exchange": exchange, "price": price, "size": 1}
    frame = simulate(entry, days=DAYS[:2], rows=300, seed=3)
    assert frame.height == 600
    assert (frame["price"] >= 0).all() and (frame["size"] >= 0).all()
    trades = frame.filter(type="TRADE")["price"]
    assert trades.min() > 0.8 * price
    assert trades.max() < 1.25 * price
