"""The simulated REST API: its windows and pages, what it knows when, and its records."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.lake import market, market_events, market_listings, statements
from scripts.lake.simulated_api import BASE, ENDPOINTS, SimulatedTransport, respond
from scripts.lake.simulated_query import PAGE, Page, asked, full, matching, ordered, paged

ROOT = Path(__file__).parents[3]
SEED, AS_OF = 1, date(2025, 9, 8)
FINANCIALS, DIVIDENDS = "/vX/reference/financials", "/v3/reference/dividends"
NEWS, RATIOS = "/v2/reference/news", "/stocks/financials/v1/ratios"
INTEREST, VOLUME = "/stocks/v1/short-interest", "/stocks/v1/short-volume"
DATED = {  # endpoint -> the field it is windowed by
    FINANCIALS: "filing_date",
    DIVIDENDS: "ex_dividend_date",
    "/v3/reference/splits": "execution_date",
    "/vX/reference/ipos": "listing_date",
    NEWS: "published_utc",
    INTEREST: "settlement_date",
    VOLUME: "date",
    RATIOS: "date",
}


def pages(path: str, query: Mapping[str, str], as_of: date = AS_OF, seed: int = SEED) -> list[list]:
    """The records of every page of an answer."""
    found, content = [], {"next_url": f"{BASE}{path}"}
    while "next_url" in content:
        url = urlsplit(content["next_url"])
        assert (f"{url.scheme}://{url.netloc}", url.path) == (BASE, path)
        status, content = respond(
            seed, as_of, path, query if not url.query else dict(parse_qsl(url.query)), BASE
        )
        assert (status, content["status"]) == (200, "OK")
        assert len(content["results"]) <= PAGE
        found.append(content["results"])
    return found


def told(path: str, as_of: date = AS_OF, seed: int = SEED, **query: str) -> list[dict]:
    """All records of an answer; `__` in a parameter's name stands for its dot.

    Without what a page tells again of the page before.
    """
    dotted = {name.replace("__", "."): value for name, value in query.items()}
    found, repeat = pages(path, dotted, as_of, seed), ENDPOINTS[path].repeat
    return [*found[0], *(record for page in found[1:] for record in page[repeat:])]


def window(path: str, first: str, end: str, **query: str) -> list[dict]:
    """Records of a window, with `end` left out."""
    field = DATED[path]
    return told(path, **{f"{field}__gte": first, f"{field}__lt": end, **query})


def text(records: list[dict]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)


# Windows, order, pages


@pytest.mark.parametrize("path", DATED)
def test_a_window_holds_its_days_and_no_others(path: str) -> None:
    field = DATED[path]
    year = window(path, "2025-01-01", "2026-01-01")
    days = {record[field][:10] for record in year}
    assert days
    parts = [window(path, f"2025-{m:02d}-01", f"2025-{m + 1:02d}-01") for m in range(1, 12)]
    assert text([r for part in parts for r in part]) == text(year)
    middle = sorted(days)[len(days) // 2]
    same_day = [record for record in year if record[field][:10] == middle]
    following = (date.fromisoformat(middle) + timedelta(days=1)).isoformat()
    assert text(window(path, middle, following)) == text(same_day)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.dates(date(2025, 1, 1), date(2025, 1, 9)), max_size=20),
    bounds=st.dictionaries(
        st.sampled_from(["gte", "gt", "lte", "lt", ""]),
        st.dates(date(2025, 1, 1), date(2025, 1, 9)),
    ),
)
def test_bounds_compare_dates(values: list[date], bounds: dict[str, date]) -> None:
    records = [{"ticker": "A", "date": f"{value}"} for value in values]
    query = {f"date.{name}".rstrip("."): f"{bound}" for name, bound in bounds.items()}
    wanted = [
        f"{v}"
        for v in values
        if v >= bounds.get("gte", v)
        and v <= bounds.get("lte", v)
        and not v <= bounds.get("gt", date.min)
        and not v >= bounds.get("lt", date.max)
        and v == bounds.get("", v)
    ]
    assert [record["date"] for record in matching(records, query, ("date",))] == wanted


def test_a_date_among_times_is_its_midnight() -> None:
    times = ["2025-09-01T23:59:59Z", "2025-09-02T00:00:00Z", "2025-09-02T00:00:01Z"]
    records = [{"published_utc": value} for value in times]

    def kept(**query: str) -> list[int]:
        asked = {f"published_utc.{name}": value for name, value in query.items()}
        found = matching(records, asked, ("published_utc",))
        return [times.index(record["published_utc"]) for record in found]

    assert kept(gte="2025-09-02") == [1, 2]
    assert kept(gt="2025-09-02") == [2]
    assert kept(lt="2025-09-02") == [0]
    assert kept(lte="2025-09-02") == [0, 1]
    assert kept(gte="2025-09-02T00:00:01Z") == [2]
    assert full("2025-09-02", "2025-09-02") == "2025-09-02"


def test_a_ticker_is_matched_by_case_and_in_lists() -> None:
    upper, lower = told(VOLUME, ticker="ABRPD"), told(VOLUME, ticker="ABRpD")
    assert {r["ticker"] for r in upper} == {"ABRPD"}
    assert {r["ticker"] for r in lower} == {"ABRpD"}
    assert told(VOLUME, ticker="abrpd") == []
    of_na = told(FINANCIALS, ticker="NaN")
    assert of_na == told(FINANCIALS, ticker="NA")
    assert of_na[0]["tickers"] == ["NA", "NaN"]
    assert all("KO" in r["tickers"] for r in told(NEWS, ticker="KO"))


def test_order_and_sort_are_those_asked_for() -> None:
    latest = [r["published_utc"] for r in window(NEWS, "2025-09-01", "2025-09-08")]
    assert latest == sorted(latest, reverse=True)
    earliest = window(NEWS, "2025-09-01", "2025-09-08", order="asc", sort="published_utc")
    assert [r["published_utc"] for r in earliest] == sorted(latest)
    by_day = told(DIVIDENDS, sort="declaration_date", order="desc", ticker="KO")
    days = [r["declaration_date"] for r in by_day]
    assert days == sorted(days, reverse=True)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 180), limit=st.integers(1, 200), repeat=st.integers(0, 2))
def test_pages_hold_every_record_and_repeat_as_told(count: int, limit: int, repeat: int) -> None:
    records, query, found = [{"n": n} for n in range(count)], {"limit": f"{limit}"}, []
    page = Page([], "")
    while page.cursor is not None:
        page = paged(records, asked({"cursor": page.cursor}) if page.cursor else query, repeat)
        found.append([record["n"] for record in page.records])
        assert len(found) <= count + 1
    size = min(limit, PAGE)
    for before, after in pairwise(found):
        assert len(before) == size
        assert after[0] == before[-1] + 1 - min(repeat, size - 1)
    assert sorted({n for numbers in found for n in numbers}) == list(range(count))


def test_answers_page_and_a_cursor_carries_the_query_but_no_key() -> None:
    query = {"date.gte": "2025-09-01", "date.lt": "2025-09-05", "limit": "20", "apiKey": "secret"}
    found = pages(VOLUME, query)
    assert [len(page) for page in found[:-1]] == [20] * (len(found) - 1)
    assert {r["date"] for page in found for r in page} == {
        "2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04",
    }  # fmt: skip
    keys = Counter((r["ticker"], r["date"], str(r["total_volume"])) for p in found for r in p)
    assert set(keys.values()) == {1}
    _, content = respond(SEED, AS_OF, VOLUME, query, "http://127.0.0.1:1")
    assert content["next_url"].startswith(f"http://127.0.0.1:1{VOLUME}?cursor=")
    cursor = dict(parse_qsl(urlsplit(content["next_url"]).query))["cursor"]
    assert "secret" not in base64.urlsafe_b64decode(cursor).decode()


def test_an_answer_depends_on_seed_as_of_and_query_alone() -> None:
    answers = {path: json.dumps(respond(SEED, AS_OF, path, {}, BASE)) for path in ENDPOINTS}
    code = (
        "import json; from datetime import date;"
        "from scripts.lake.simulated_api import ENDPOINTS, respond;"
        f"respond(3, date(2020, 1, 2), '{NEWS}', {{}}, '{BASE}');"  # another question before
        "print(json.dumps({path: json.dumps("
        f"respond({SEED}, date(2025, 9, 8), path, {{}}, '{BASE}'))"
        " for path in reversed(ENDPOINTS)}))"
    )
    env = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == answers
    assert len({json.loads(answer)[1]["request_id"] for answer in answers.values()}) == len(answers)
    assert all(json.loads(answer)[1]["results"] for answer in answers.values())
    assert respond(SEED, AS_OF, VOLUME, {}, BASE) != respond(2, AS_OF, VOLUME, {}, BASE)


def test_the_transport_answers_as_respond_does() -> None:
    client = httpx.Client(transport=SimulatedTransport(SEED, AS_OF), base_url=BASE)
    params = {"published_utc.gte": "2025-09-03", "published_utc.lt": "2025-09-04"}
    answer = client.get(NEWS, params=params)
    assert answer.json() == respond(SEED, AS_OF, NEWS, params, BASE)[1]
    assert client.get(answer.json()["next_url"]).json()["results"]
    assert (
        client.get("/vX/reference/tickers/ABRpD/events")
        .json()["results"]["name"]
        .startswith("Arbor")
    )
    assert client.get("/vX/reference/tickers/BRK%2EA/events").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/vX/reference/tickers/NONE/events",
        "/vX/reference/tickers/na/events",
        "/vX/reference/tickers/SEEDW/events",  # is listed in 2035
        "/v1/related-companies/NONE",
        "/v1/related-companies/SEEDW",
        "/v9/nothing",
    ],
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    status, content = respond(SEED, AS_OF, path, {}, BASE)
    assert (status, content["status"]) == (404, "NOT_FOUND")
    assert "results" not in content


# What is known when


@pytest.mark.parametrize("path", DATED)
def test_what_is_told_of_a_closed_month_does_not_change_later(path: str) -> None:
    query = {f"{DATED[path]}__gte": "2025-06-01", f"{DATED[path]}__lt": "2025-07-01"}
    then, later = (told(path, day, **query) for day in (date(2025, 7, 31), date(2026, 7, 31)))
    assert text(then) == text(later)


def test_nothing_is_told_before_it_is_known() -> None:
    as_of = date(2025, 8, 20)
    assert {r["filing_date"] <= f"{as_of}" for r in told(FINANCIALS, as_of)} == {True}
    assert {r["published_utc"][:10] <= f"{as_of}" for r in told(NEWS, as_of)} == {True}
    paid = [r for r in told(DIVIDENDS, as_of) if r.get("declaration_date")]
    assert max(r["declaration_date"] for r in paid) <= f"{as_of}" < paid[-1]["ex_dividend_date"]
    known = {(r["ticker"], r["execution_date"]) for r in told("/v3/reference/splits", as_of)}
    assert ("TINY", "2025-08-28") in known
    assert not {day for _, day in known if day > "2025-09-09"}
    offers = {r["ticker"]: r for r in told("/vX/reference/ipos", as_of)}
    assert (offers["DEBUT"]["ipo_status"], offers["DEBUT"]["final_issue_price"]) == (
        "pending",
        None,
    )
    assert {r["ticker"] for r in told("/vX/reference/ipos", date(2025, 8, 7))} < set(offers)
    assert max(r["date"] for r in told(VOLUME, as_of)) == "2025-08-19"
    assert max(r["settlement_date"] for r in told(INTEREST, as_of)) == "2025-07-31"
    assert {r["date"] for r in told(RATIOS, as_of)} == {"2025-08-20"}
    assert "DEBUT" not in {r["ticker"] for r in told("/v3/reference/tickers", as_of)}
    assert respond(SEED, as_of, "/v1/related-companies/DEBUT", {}, BASE)[0] == 404
    names = {t for r in told(NEWS, as_of, published_utc__gte="2025-08-01") for t in r["tickers"]}
    assert names
    assert not names & {"DEBUT", "NEWN"}


# Records


def test_actions_are_the_markets() -> None:
    paid = {
        (r.get("id"), r["ticker"], r["ex_dividend_date"], r["cash_amount"])
        for r in window(DIVIDENDS, "2025-08-25", "2025-09-09")
    }
    wanted = {
        (f"D{d.symbol}{d.day:%Y%m%d}{d.frequency}", d.symbol, f"{d.day}", d.cash)
        for d in market_events.dividends(SEED)
        if date(2025, 8, 25) <= d.day <= AS_OF
    }
    assert paid - wanted == {
        ("DBAD202508", "XOM", "2025-08-27", "n/a"),
        (None, "PFAN", "2025-09-02", 0.4),
    }
    assert wanted <= paid
    assert len({r["id"] for r in told(DIVIDENDS) if "id" in r}) == len(told(DIVIDENDS)) - 1
    found = window("/v3/reference/splits", "2025-08-25", "2025-09-09")
    assert [(r["ticker"], r["split_from"], r["split_to"]) for r in found] == [
        ("TINY", 10, 1), ("RSP", 1, 0), ("FORK", 1, 4),
    ]  # fmt: skip


def test_an_offer_becomes_history_on_the_day_of_listing() -> None:
    (offer,) = window("/vX/reference/ipos", "2025-08-25", "2025-09-09")
    assert (offer["ticker"], offer["listing_date"]) == ("DEBUT", "2025-08-28")
    assert (offer["ipo_status"], offer["announced_date"]) == ("history", "2025-08-08")
    assert offer["lowest_offer_price"] < offer["final_issue_price"] < offer["highest_offer_price"]
    assert offer["final_issue_price"] < market.close(SEED, "DEBUT", date(2025, 8, 28))


@pytest.mark.parametrize("ticker", ["OLDN", "NEWN"])
def test_both_tickers_tell_the_companys_renaming(ticker: str) -> None:
    _, content = respond(SEED, AS_OF, f"/vX/reference/tickers/{ticker}/events", {}, BASE)
    changes = [(e["date"], e["ticker_change"]["ticker"]) for e in content["results"]["events"]]
    assert changes == [("2025-09-03", "NEWN"), ("2003-01-02", "OLDN")]
    _, before = respond(SEED, date(2025, 9, 2), f"/vX/reference/tickers/{ticker}/events", {}, BASE)
    wanted = changes[1:] if ticker == "OLDN" else None
    events = before.get("results", {}).get("events", [])
    assert [(e["date"], e["ticker_change"]["ticker"]) for e in events] == (wanted or [])


def test_every_ticker_is_either_active_or_delisted() -> None:
    active = told("/v3/reference/tickers", active="true", limit="1000")
    gone = told("/v3/reference/tickers", active="false", limit="1000")
    names, old = [r["ticker"] for r in active], {r["ticker"]: r for r in gone}
    assert names == sorted(names, key=str.encode)
    assert {"NA", "NaN", "null", "ABRpD", "ABRPD", "NEWN", "DEBUT"} <= set(names)
    assert {"OLDN", "GONE"} <= set(old)
    assert not set(names) & set(old)
    assert old["GONE"]["delisted_utc"] == "2025-09-05T00:00:00Z"
    assert {r["active"] for r in active} | {r["active"] for r in gone} == {True, False}
    earlier = told("/v3/reference/tickers", active="true", date="2025-09-02")
    assert {"OLDN", "GONE"} <= {r["ticker"] for r in earlier}
    kinds = {r["code"] for r in told("/v3/reference/tickers/types")}
    assert {r["type"] for r in [*active, *gone]} == kinds
    assert [r["ticker"] for r in told("/v3/reference/tickers", type="ETF", ticker="XLK")] == ["XLK"]


def test_related_companies_are_listed_others() -> None:
    listed = set(market_listings.listed(SEED, AS_OF))
    for ticker in ("ABRpD", "NA", "GONE"):
        _, content = respond(SEED, AS_OF, f"/v1/related-companies/{ticker}", {}, BASE)
        names = [record["ticker"] for record in content["results"]]
        assert len(set(names)) == 3
        assert set(names) <= listed - {ticker}


def test_news_repeats_itself_pages_on_busy_days_and_rests_on_none() -> None:
    week = window(NEWS, "2025-08-30", "2025-09-07")
    counts = Counter(r["published_utc"][:10] for r in week)
    assert len(counts) == 8  # weekends too
    assert counts["2025-09-03"] > PAGE
    assert {day: n for day, n in counts.items() if n > 7}.keys() == {"2025-09-03"}
    busy = pages(NEWS, {"published_utc.gte": "2025-09-03", "published_utc.lt": "2025-09-04"})
    assert [len(page) for page in busy] == [50, 12]
    assert busy[0][-1] == busy[1][0]  # told on two pages
    assert [r["id"] for r in busy[0][:2]] == ["n20250903-59"] * 2
    assert any(not r["tickers"] for r in week)
    assert all(not r["title"].isascii() for r in week)
    assert [r["published_utc"][:10] for r in week if "id" not in r] == ["2025-09-01"]


def test_short_interest_settles_twice_a_month_by_finras_rule() -> None:
    days = sorted({r["settlement_date"] for r in told(INTEREST) if r["settlement_date"] > "2025"})
    assert days == [  # FINRA's schedule, holidays aside
        "2025-01-15", "2025-01-31", "2025-02-14", "2025-02-28", "2025-03-14", "2025-03-31",
        "2025-04-15", "2025-04-30", "2025-05-15", "2025-05-30", "2025-06-13", "2025-06-30",
        "2025-07-15", "2025-07-31", "2025-08-15",
    ]  # fmt: skip
    for record in told(INTEREST, settlement_date="2025-08-15"):
        ratio = record["short_interest"] / record["avg_daily_volume"]
        assert record["days_to_cover"] == pytest.approx(max(ratio, 1), abs=0.005)


def test_short_volume_adds_up_but_for_a_record_of_no_use() -> None:
    records = window(VOLUME, "2025-09-01", "2025-09-05")
    wrong = [r for r in records if not isinstance(r["total_volume"], int)]
    assert [(r["ticker"], r["date"], r["total_volume"]) for r in wrong] == [
        ("TINY", "2025-09-02", "many")
    ]
    for record in (r for r in records if r not in wrong):
        parts = record["exempt_volume"] + record["non_exempt_volume"]
        assert parts == record["short_volume"] <= record["total_volume"]
        share = 100 * record["short_volume"] / record["total_volume"]
        assert record["short_volume_ratio"] == pytest.approx(share, abs=0.005)


# Filings


def value(filing: dict, statement: str, field: str) -> float:
    return filing["financials"][statement][field]["value"]


def sound(**query: str) -> list[dict]:
    """Filings that can be used."""
    return [
        filing
        for filing in told(FINANCIALS, limit="100", **query)
        if "fiscal_year" in filing and "income_statement" in filing["financials"]
    ]


def test_filings_balance_and_name_known_fields() -> None:
    filings = sound()
    assert {name for f in filings for name in f["tickers"]} == {
        "AAPL", "FORK", "GONE", "JPM", "KO", "MSFT", "NA", "NaN", "XOM",
    }  # fmt: skip
    assert min(f["end_date"] for f in filings) == "2014-03-31"
    for filing in filings:
        sheet, income, cash = "balance_sheet", "income_statement", "cash_flow_statement"
        assets = value(filing, sheet, "assets")
        parts = [value(filing, sheet, name) for name in ("liabilities", "equity")]
        assert assets == sum(parts) == value(filing, sheet, "liabilities_and_equity")
        assert assets == sum(
            value(filing, sheet, f"{name}_assets") for name in ("current", "noncurrent")
        )
        assert value(filing, income, "gross_profit") == (
            value(filing, income, "revenues") - value(filing, income, "cost_of_revenue")
        )
        flows = ("operating", "investing", "financing")
        assert value(filing, cash, "net_cash_flow") == sum(
            value(filing, cash, f"net_cash_flow_from_{flow}_activities") for flow in flows
        )
        earned = value(filing, income, "net_income_loss")
        shares = value(filing, income, "basic_average_shares")
        eps = value(filing, income, "basic_earnings_per_share")
        assert eps == pytest.approx(earned / shares, abs=0.006)
    known = {
        "balance_sheet": statements.BALANCE_SHEET,
        "cash_flow_statement": statements.CASH_FLOW,
        "income_statement": statements.INCOME_STATEMENT,
    }
    unknown = {
        (f["tickers"][0], name)
        for f in filings
        for statement, fields in known.items()
        for name in set(f["financials"][statement]) - set(fields)
    }
    assert unknown == {("JPM", "deposits")}


def test_fields_go_missing_and_figures_grow() -> None:
    of_ko = [f for f in sound(ticker="KO") if f["fiscal_period"] == "Q1"]
    by_year = {f["fiscal_year"]: value(f, "income_statement", "revenues") for f in of_ko}
    assert by_year["2025"] > 1.4 * by_year["2015"]
    lacking = [
        f for f in sound(ticker="XOM") if "inventory" not in f["financials"]["balance_sheet"]
    ]
    assert 0 < len(lacking) < 15
    assert all(value(f, "income_statement", "net_income_loss") < 0 for f in sound(ticker="GONE"))


def test_a_quarter_is_restated_by_a_second_filing() -> None:
    found = sound(ticker="KO", filing_date__gte="2025-07-01")
    assert [(f["filing_date"], f["fiscal_year"], f["fiscal_period"]) for f in found] == [
        ("2025-09-03", "2025", "Q2"),
        ("2025-07-25", "2025", "Q2"),
    ]
    later, first = (value(f, "income_statement", "revenues") for f in found)
    assert later == pytest.approx(0.97 * first, rel=1e-6)


@pytest.mark.parametrize(
    ("ticker", "end", "fiscal"),
    [
        ("KO", "2024-12-31", ("2024", "Q4", "2024-10-01")),
        ("AAPL", "2024-12-31", ("2025", "Q1", "2024-10-01")),
        ("AAPL", "2024-09-30", ("2024", "Q4", "2024-07-01")),
        ("MSFT", "2024-09-30", ("2025", "Q1", "2024-07-01")),
        ("MSFT", "2024-06-30", ("2024", "Q4", "2024-04-01")),
    ],
)
def test_fiscal_years_are_the_companys_own(ticker: str, end: str, fiscal: tuple) -> None:
    (filing,) = [f for f in sound(ticker=ticker) if f["end_date"] == end]
    assert (filing["fiscal_year"], filing["fiscal_period"], filing["start_date"]) == fiscal
    assert (filing["timeframe"], filing["filing_date"] > end) == ("quarterly", True)


def test_two_filings_of_august_are_of_no_use() -> None:
    records = window(FINANCIALS, "2025-08-27", "2025-08-28")
    assert len(records) == 2
    assert [("fiscal_year" in r, "income_statement" in r["financials"]) for r in records] in (
        [[(False, True), (True, False)], [(True, False), (False, True)]]
    )
    assert told(FINANCIALS, timeframe="annual") == []


def test_ratios_follow_price_and_the_last_four_quarters_known() -> None:
    records = window(RATIOS, "2025-09-01", "2025-09-09", ticker="KO")
    assert [r["date"][-2:] for r in records] == ["01", "02", "03", "04", "05", "08"]
    versions = {
        f["end_date"]: f for f in reversed(sound(ticker="KO", filing_date__lte="2025-09-02"))
    }
    year = [versions[end] for end in sorted(versions)[-4:]]
    net = sum(value(f, "income_statement", "net_income_loss") for f in year)
    assert records[1]["price"] == market.close(SEED, "KO", date(2025, 9, 2))
    assert records[1]["price_to_earnings"] == pytest.approx(
        records[1]["market_cap"] / net, rel=1e-4
    )
    equity = value(year[-1], "balance_sheet", "equity")
    assert records[1]["return_on_equity"] == pytest.approx(net / equity, abs=1e-6)
    assert records[2]["return_on_equity"] < records[1]["return_on_equity"]  # restated that day
    losses = window(RATIOS, "2025-09-01", "2025-09-09", ticker="GONE")
    assert {r["date"] for r in losses} == {f"2025-09-0{n}" for n in range(1, 5)}
    assert {r["price_to_earnings"] for r in losses} == {None}


def test_market_value_survives_a_split() -> None:
    caps = {
        r["date"]: r["market_cap"]
        for r in window(RATIOS, "2025-09-01", "2025-09-09", ticker="FORK")
    }
    assert caps["2025-09-03"] == pytest.approx(caps["2025-09-02"], rel=0.08)


def test_records_are_ordered_by_day_then_ticker() -> None:
    records = [{"ticker": t, "date": d} for d in ("2", "1") for t in ("b", "NA", "a")]
    found = [(r["date"], r["ticker"]) for r in ordered(records, "date", "asc")]
    assert found == [(d, t) for d in ("1", "2") for t in ("NA", "a", "b")]
    assert ordered(records, "date", "desc") == ordered(records, "date", "asc")[::-1]
