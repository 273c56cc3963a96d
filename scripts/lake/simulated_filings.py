"""Quarterly filings of the simulated companies, and the vendor's ratios made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from scripts.lake import market

FILERS = {  # symbol -> months that its fiscal year starts after January
    "AAPL": 9,
    "FORK": 0,
    "GONE": 0,
    "JPM": 0,
    "KO": 0,
    "MSFT": 6,
    "NA": 0,
    "XOM": 0,
}
FIRST_YEAR = 2014
RESTATED = "KO"  # files its second quarter twice
LAG = {"XOM": 35, "KO": 25, "NA": 55}  # days from a quarter's end to its filing; else 40
RESTATEMENT_LAG = 65
BALANCE = {  # field -> share of assets
    "assets": 1.0, "current_assets": 0.4, "cash": 0.1, "accounts_receivable": 0.12,
    "inventory": 0.05, "noncurrent_assets": 0.6, "fixed_assets": 0.3, "liabilities": 0.6,
    "current_liabilities": 0.2, "accounts_payable": 0.08, "noncurrent_liabilities": 0.4,
    "long_term_debt": 0.1, "equity": 0.4, "equity_attributable_to_parent": 0.4,
    "liabilities_and_equity": 1.0,
}  # fmt: skip
INCOME = {  # field -> share of revenues
    "revenues": 1.0, "cost_of_revenue": 0.6, "gross_profit": 0.4, "operating_expenses": 0.15,
    "operating_income_loss": 0.25, "interest_expense_operating": 0.01,
    "income_loss_from_continuing_operations_before_tax": 0.24, "income_tax_expense_benefit": 0.04,
    "net_income_loss": 0.2, "net_income_loss_attributable_to_parent": 0.2,
}  # fmt: skip
CASH = {  # field -> share of revenues
    "net_cash_flow": 0.05, "net_cash_flow_from_operating_activities": 0.24,
    "net_cash_flow_from_investing_activities": -0.06,
    "net_cash_flow_from_financing_activities": -0.13, "capital_expenditure": -0.05,
}  # fmt: skip


def _quarter_ends(last: date) -> Iterator[date]:
    for year in range(FIRST_YEAR, last.year + 1):
        for month, day in ((3, 31), (6, 30), (9, 30), (12, 31)):
            if date(year, month, day) <= last:
                yield date(year, month, day)


def _filings(seed: int, symbol: str, last: date) -> Iterator[dict]:
    """Filings of a company up to `last`, in the vendor's structure, by end of their quarter."""
    entry = market.LISTINGS[symbol]
    for number, end in enumerate(_quarter_ends(last)):
        filed = end + timedelta(days=LAG.get(symbol, 40))
        filed += timedelta(days=max(0, 7 - filed.weekday()) if filed.weekday() > 4 else 0)
        if filed <= min(last, entry.last):
            yield _filing(seed, symbol, number, end, filed, scale=1.0)
        again = end + timedelta(days=RESTATEMENT_LAG)
        if symbol == RESTATED and end.month == 6 and again <= last:
            yield _filing(seed, symbol, number, end, again, scale=0.97)


def _filing(seed: int, symbol: str, number: int, end: date, filed: date, scale: float) -> dict:
    rng = market.generator(seed, "filing", symbol, end)
    shift = FILERS[symbol]
    month = (end.month - 1 - shift) % 12 + 1
    year = end.year + (1 if shift and end.month > shift else 0)
    size = 1e6 * market.LISTINGS[symbol].price * (1.02**number) * (1 + 0.05 * rng.standard_normal())
    revenues = round(size * (0.5 + 0.02 * rng.standard_normal()) * scale)

    def part(shares: Mapping[str, float], whole: float, order: int) -> dict:
        wobble = {name: 1 + 0.02 * rng.standard_normal() for name in shares}
        fixed = ("assets", "revenues", "liabilities", "equity", "liabilities_and_equity")
        return {
            name: {
                "value": round(whole * share * (1.0 if name in fixed else wobble[name])),
                "unit": "USD",
                "label": name.replace("_", " ").title(),
                "order": order + place,
            }
            for place, (name, share) in enumerate(shares.items())
        }

    balance, income, cash = (
        part(BALANCE, size, 100),
        part(INCOME, revenues, 500),
        part(CASH, revenues, 900),
    )
    if symbol == "JPM":  # a bank has no inventory
        balance.pop("inventory")
        balance["deposits"] = {
            "value": round(size * 0.5),
            "unit": "USD",
            "label": "Deposits",
            "order": 180,
        }
    shares = 1e6 * (1 + number / 1000)
    income["basic_average_shares"] = {
        "value": round(shares),
        "unit": "shares",
        "label": "Shares",
        "order": 990,
    }
    earned = income["net_income_loss"]["value"] / round(shares)
    income["basic_earnings_per_share"] = {
        "value": round(earned, 2), "unit": "USD / shares", "label": "EPS", "order": 991,
    }  # fmt: skip
    start = (end.replace(day=1) - timedelta(days=40)).replace(day=1)
    return {
        "tickers": [symbol],
        "cik": f"{sum(map(ord, symbol)):010d}",
        "company_name": market.LISTINGS[symbol].name,
        "start_date": f"{start}",
        "end_date": f"{end}",
        "filing_date": f"{filed}",
        "timeframe": "quarterly",
        "fiscal_period": f"Q{(month + 2) // 3}",
        "fiscal_year": f"{year}",
        "source_filing_url": f"https://example.com/{symbol}/{filed}",
        "financials": {
            "balance_sheet": balance,
            "cash_flow_statement": cash,
            "income_statement": income,
            "comprehensive_income": {},
        },
    }


def financials(seed: int, as_of: date, query: Mapping[str, str]) -> list[dict]:
    """Results of /vX/reference/financials."""
    from scripts.lake.simulated_api import bounds

    first, last = bounds("filing_date", query)
    symbols = [query["ticker"]] if "ticker" in query else sorted(FILERS)
    found = [
        filing
        for symbol in symbols
        if symbol in FILERS
        for filing in _filings(seed, symbol, as_of)
        if first <= filing["filing_date"] <= last
    ]
    if query.get("timeframe", "quarterly") != "quarterly":
        return []
    return sorted(found, key=lambda f: (f["filing_date"], f["tickers"]))


def ratios(seed: int, as_of: date, query: Mapping[str, str]) -> list[dict]:
    """Results of /stocks/financials/v1/ratios: one record a ticker and weekday."""
    from scripts.lake.simulated_api import bounds, days

    first, last = bounds("date", query)
    start = date.fromisoformat(first[:10]) if first else as_of
    found = []
    for symbol in [query["ticker"]] if "ticker" in query else sorted(FILERS):
        filings = list(_filings(seed, symbol, as_of)) if symbol in FILERS else []
        for day in days(start, as_of):
            known = [f for f in filings if f["filing_date"] <= f"{day}"]
            if first <= f"{day}" <= last and len(known) > 3 and market.trades_on(symbol, day):
                found.append(_ratio(seed, symbol, day, known[-4:]))
    return found


def _ratio(seed: int, symbol: str, day: date, year: list[dict]) -> dict:
    def flow(statement: str, field: str) -> float:
        return sum(f["financials"][statement][field]["value"] for f in year)

    balance = {k: v["value"] for k, v in year[-1]["financials"]["balance_sheet"].items()}
    shares = year[-1]["financials"]["income_statement"]["basic_average_shares"]["value"]
    price = market.close(seed, symbol, day)
    income, revenues = (
        flow("income_statement", "net_income_loss"),
        flow("income_statement", "revenues"),
    )
    return {
        "ticker": symbol,
        "cik": year[-1]["cik"],
        "date": f"{day}",
        "price": price,
        "market_cap": round(price * shares),
        "earnings_per_share": round(income / shares, 2),
        "price_to_earnings": round(price * shares / income, 4),
        "price_to_book": round(price * shares / balance["equity"], 4),
        "price_to_sales": round(price * shares / revenues, 4),
        "return_on_assets": round(income / balance["assets"], 4),
        "return_on_equity": round(income / balance["equity"], 4),
        "debt_to_equity": round(balance["long_term_debt"] / balance["equity"], 4),
        "current": round(balance["current_assets"] / balance["current_liabilities"], 4),
    }
