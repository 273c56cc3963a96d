"""Quarterly filings of the simulated companies, and the vendor's ratios made of them.

Fields go missing here and there, one company restates a quarter every year, banks have a field of
their own, and each August two filings are of no use.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from scripts.lake import market
from scripts.lake.market_events import YIELDS, price_factor
from scripts.lake.market_listings import HISTORY, REFERENCE, YEARS, generator, listings
from scripts.lake.simulated_answers import code
from scripts.lake.simulated_query import Ask

FILERS = {  # ticker -> months from the end of its fiscal year to that of the calendar's
    "AAPL": 3,
    "FORK": 0,
    "GONE": 0,
    "JPM": 0,
    "KO": 0,
    "MSFT": 6,
    "NA": 0,
    "XOM": 0,
}
CLASSES = {"NA": ("NA", "NaN")}  # companies that file for more than one ticker
LAG, USUAL_LAG = {"XOM": 35, "KO": 25, "NA": 55}, 40  # days from a quarter's end to its filing
RESTATED, RESTATED_QUARTER, RESTATED_LAG = "KO", 2, 65  # files its second quarter twice
BANK = "JPM"  # has no inventory, and deposits
LOSSES = "GONE"
SHARES = 100_000_000  # on REFERENCE
GROWTH = 1.015  # of a quarter
OMITTED = 0.05  # probability of each field that may be missing
MAY_MISS = (
    "inventory", "intangible_assets", "other_current_assets", "wages", "capital_expenditure",
    "exchange_gains_losses", "research_and_development", "interest_expense_operating",
)  # fmt: skip
UNITS = {
    "basic_earnings_per_share": "USD / shares",
    "diluted_earnings_per_share": "USD / shares",
    "basic_average_shares": "shares",
    "diluted_average_shares": "shares",
}
STATEMENTS = {"balance_sheet": 100, "income_statement": 500, "cash_flow_statement": 900}


class Due(NamedTuple):
    """A filing: of the quarter that ends on `end`, on `filed`; `scale` 1 but for restatements."""

    symbol: str
    end: date
    filed: date
    scale: float = 1.0


@lru_cache(maxsize=64)
def schedule(seed: int, symbol: str) -> tuple[Due, ...]:
    """All filings of a company, by day; weekends wait for Monday."""
    found = []
    for year in YEARS[1:]:
        for quarter, (month, day) in enumerate(((3, 31), (6, 30), (9, 30), (12, 31)), start=1):
            end = date(year, month, day)
            lags = {LAG.get(symbol, USUAL_LAG): 1.0}
            if symbol == RESTATED and quarter == RESTATED_QUARTER:
                lags[RESTATED_LAG] = 0.97
            for lag, scale in lags.items():
                filed = end + timedelta(days=lag)
                filed += timedelta(days=max(0, 7 - filed.weekday()) if filed.weekday() > 4 else 0)
                if filed <= listings(seed)[symbol].last:
                    found.append(Due(symbol, end, filed, scale))
    return tuple(sorted(found, key=lambda due: due.filed))


def shares(seed: int, symbol: str, day: date) -> int:
    """Shares outstanding on a day: a few more every year, and multiplied by splits."""
    years = (day - REFERENCE).days / 365
    return round(SHARES * 1.01**years / price_factor(seed, symbol, day))


@lru_cache(maxsize=4096)
def values(seed: int, due: Due) -> Mapping[str, Mapping[str, float]]:
    """Statement -> field -> value (USD but for UNITS); sums and differences hold exactly."""
    rng = generator(seed, "filing", due.symbol, due.end)
    wobble = iter((1 + 0.02 * rng.standard_normal(40)).tolist())

    def part(whole: float, share: float) -> int:
        return round(whole * share * next(wobble))

    quarters = (due.end - REFERENCE).days / 91.25
    size = round(SHARES * listings(seed)[due.symbol].price * GROWTH**quarters)
    assets = part(size, 1.0)
    cash, receivable, inventory = part(size, 0.1), part(size, 0.12), part(size, 0.06)
    other_current, fixed, intangible = part(size, 0.08), part(size, 0.3), part(size, 0.1)
    current = cash + receivable + other_current + (0 if due.symbol == BANK else inventory)
    payable, wages, other_payable = part(size, 0.08), part(size, 0.02), part(size, 0.1)
    current_liabilities = payable + wages + other_payable
    long_debt, other_debt = part(size, 0.15), part(size, 0.2)
    liabilities = current_liabilities + long_debt + other_debt
    equity, noncontrolling = assets - liabilities, part(size, 0.004)

    revenues = round(part(size, 0.14) * due.scale)
    cost = part(revenues, 0.55)
    selling, research = part(revenues, 0.5 if due.symbol == LOSSES else 0.12), part(revenues, 0.06)
    operating = revenues - cost - selling - research
    interest = part(long_debt, 0.01)
    taxed = operating - interest
    tax = max(part(taxed, 0.2), 0)
    net = taxed - tax
    minority = round(net * noncontrolling / equity)
    count = shares(seed, due.symbol, due.end)
    diluted = round(count * 1.02)

    earned, invested, financed = part(net, 1.3), -part(revenues, 0.08), -part(net, 0.7)
    change, exchange = earned + invested + financed, part(revenues, 0.001)
    return {
        "balance_sheet": {
            "assets": assets,
            "current_assets": current,
            "cash": cash,
            "accounts_receivable": receivable,
            **({} if due.symbol == BANK else {"inventory": inventory}),
            "other_current_assets": other_current,
            "noncurrent_assets": assets - current,
            "fixed_assets": fixed,
            "intangible_assets": intangible,
            "other_noncurrent_assets": assets - current - fixed - intangible,
            "liabilities": liabilities,
            "current_liabilities": current_liabilities,
            "accounts_payable": payable,
            "wages": wages,
            "other_current_liabilities": other_payable,
            "noncurrent_liabilities": long_debt + other_debt,
            "long_term_debt": long_debt,
            "other_noncurrent_liabilities": other_debt,
            "equity": equity,
            "equity_attributable_to_parent": equity - noncontrolling,
            "equity_attributable_to_noncontrolling_interest": noncontrolling,
            "liabilities_and_equity": assets,
            **({"deposits": part(size, 0.5)} if due.symbol == BANK else {}),
        },
        "income_statement": {
            "revenues": revenues,
            "cost_of_revenue": cost,
            "gross_profit": revenues - cost,
            "operating_expenses": selling + research,
            "selling_general_and_administrative_expenses": selling,
            "research_and_development": research,
            "operating_income_loss": operating,
            "interest_expense_operating": interest,
            "nonoperating_income_loss": -interest,
            "income_loss_from_continuing_operations_before_tax": taxed,
            "income_tax_expense_benefit": tax,
            "net_income_loss": net,
            "net_income_loss_attributable_to_parent": net - minority,
            "preferred_stock_dividends_and_other_adjustments": 0,
            "basic_earnings_per_share": round(net / count, 2),
            "diluted_earnings_per_share": round(net / diluted, 2),
            "basic_average_shares": count,
            "diluted_average_shares": diluted,
        },
        "cash_flow_statement": {
            "net_cash_flow": change,
            "net_cash_flow_continuing": change,
            "net_cash_flow_from_operating_activities": earned,
            "net_cash_flow_from_operating_activities_continuing": earned,
            "net_cash_flow_from_investing_activities": invested,
            "net_cash_flow_from_investing_activities_continuing": invested,
            "net_cash_flow_from_financing_activities": financed,
            "net_cash_flow_from_financing_activities_continuing": financed,
            "capital_expenditure": part(invested, 0.8),
            "exchange_gains_losses": exchange,
        },
    }


def fiscal(symbol: str, end: date) -> tuple[int, int]:
    """Fiscal year and quarter of the calendar quarter that ends on `end`.

    A fiscal year is named by the calendar year that it ends in: Apfel's of 2025 is from October
    2024 to September 2025.
    """
    month = end.month + FILERS[symbol]
    return end.year + (month > 12), ((month - 1) % 12 + 3) // 3


def filing(seed: int, due: Due) -> dict:
    """A filing as the vendor tells it."""
    year, quarter = fiscal(due.symbol, due.end)
    drawn = generator(seed, "missing", due.symbol, due.end).random(len(MAY_MISS))
    missing = {name for name, value in zip(MAY_MISS, drawn, strict=True) if value < OMITTED}
    start = date(due.end.year, due.end.month - 2, 1)
    parts = {
        statement: {
            name: {
                "value": value,
                "unit": UNITS.get(name, "USD"),
                "label": name.replace("_", " ").capitalize(),
                "order": order + 10 * place,
            }
            for place, (name, value) in enumerate(values(seed, due)[statement].items())
            if name not in missing
        }
        for statement, order in STATEMENTS.items()
    }
    return {
        "tickers": list(CLASSES.get(due.symbol, (due.symbol,))),
        "cik": code(listings(seed)[due.symbol].name),
        "company_name": listings(seed)[due.symbol].name,
        "sic": "9999",
        "start_date": f"{start}",
        "end_date": f"{due.end}",
        "filing_date": f"{due.filed}",
        "acceptance_datetime": f"{due.filed}T16:30:00Z",
        "timeframe": "quarterly",
        "fiscal_period": f"Q{quarter}",
        "fiscal_year": f"{year}",
        "source_filing_url": f"https://example.com/filings/{due.symbol}/{due.filed}",
        "financials": {**parts, "comprehensive_income": {}},
    }


def financials(ask: Ask) -> Iterator[dict]:
    """/vX/reference/financials: quarterly filings, as far as they are filed."""
    if ask.query.get("timeframe", "quarterly") != "quarterly":
        return
    days = ask.days("filing_date", HISTORY, ask.as_of)
    if not days:
        return
    for symbol in FILERS:
        if ask.tickers(CLASSES.get(symbol, (symbol,))):
            for due in schedule(ask.seed, symbol):
                if days[0] <= due.filed <= days[-1]:
                    yield filing(ask.seed, due)
    for year in range(days[0].year, days[-1].year + 1):
        broken = Due("XOM", date(year, 6, 30), date(year, 8, 27))
        if days[0] <= broken.filed <= days[-1] and ask.tickers(["XOM"]):
            told = filing(ask.seed, broken)
            yield {name: value for name, value in told.items() if name != "fiscal_year"}
            yield {**told, "financials": {"balance_sheet": "see the PDF"}}


def ratios(ask: Ask) -> Iterator[dict]:
    """/stocks/financials/v1/ratios: every weekday; without a window those of the last day only."""
    days = ask.days("date", HISTORY if ask.is_bounded("date") else ask.as_of, ask.as_of)
    for symbol in ask.tickers(FILERS):
        filings = schedule(ask.seed, symbol)
        filed = [due.filed for due in filings]
        for day in days:
            # Of every quarter the last version; four of them make a year.
            known = {due.end: due for due in filings[: bisect_right(filed, day)][-6:]}
            if day.weekday() < 5 and len(known) > 3 and market.trades_on(ask.seed, symbol, day):
                yield ratio(ask.seed, symbol, day, [known[end] for end in sorted(known)[-4:]])


def ratio(seed: int, symbol: str, day: date, year: list[Due]) -> dict:
    """The vendor's ratios of a day, from the four last quarters; fractions, not per cent."""

    def flow(statement: str, field: str) -> float:
        return sum(values(seed, due)[statement][field] for due in year)

    balance, price = values(seed, year[-1])["balance_sheet"], market.close(seed, symbol, day)
    cash_flow, income = "cash_flow_statement", "income_statement"
    net, revenues = flow(income, "net_income_loss"), flow(income, "revenues")
    earned = flow(cash_flow, "net_cash_flow_from_operating_activities")
    free = earned - abs(flow(cash_flow, "capital_expenditure"))
    cap = price * shares(seed, symbol, day)
    value = cap + balance["long_term_debt"] - balance["cash"]
    volume = int(generator(seed, "average volume", symbol, day).integers(10**5, 10**6))
    quick = balance["current_assets"] - balance.get("inventory", 0)

    def over(whole: float, part: float) -> float | None:
        return round(whole / part, 6) if part > 0 else None

    return {
        "ticker": symbol,
        "cik": code(listings(seed)[symbol].name),
        "date": f"{day}",
        "price": price,
        "average_volume": volume,
        "market_cap": round(cap),
        "earnings_per_share": round(net / shares(seed, symbol, day), 2),
        "price_to_earnings": over(cap, net),
        "price_to_book": over(cap, balance["equity"]),
        "price_to_sales": over(cap, revenues),
        "price_to_cash_flow": over(cap, earned),
        "price_to_free_cash_flow": over(cap, free),
        "dividend_yield": YIELDS.get(symbol, 0.0),
        "return_on_assets": over(net, balance["assets"]),
        "return_on_equity": over(net, balance["equity"]),
        "debt_to_equity": over(balance["long_term_debt"], balance["equity"]),
        "current": over(balance["current_assets"], balance["current_liabilities"]),
        "quick": over(quick, balance["current_liabilities"]),
        "cash": over(balance["cash"], balance["current_liabilities"]),
        "ev_to_sales": over(value, revenues),
        "ev_to_ebitda": over(value, flow(income, "operating_income_loss")),
        "enterprise_value": round(value),
        "free_cash_flow": free,
    }
