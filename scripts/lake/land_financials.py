"""Filings of a month -> bronze: balance sheets, cash flow and income statements."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from scripts import tables
from scripts.lake import records, statements
from scripts.lake.readers import names, year
from scripts.tables import Column

BALANCE_SHEETS = statements.bronze_columns(statements.BALANCE_SHEET)
CASH_FLOW = statements.bronze_columns(statements.CASH_FLOW)
INCOME_STATEMENTS = statements.bronze_columns(statements.INCOME_STATEMENT)


class Statement(NamedTuple):
    """A dataset of one statement: the vendor's name of it, its value fields, its columns."""

    name: str
    fields: tuple[str, ...]
    columns: tables.Columns


STATEMENTS = {
    "balance_sheets": Statement("balance_sheet", statements.BALANCE_SHEET, BALANCE_SHEETS),
    "cash_flow": Statement("cash_flow_statement", statements.CASH_FLOW, CASH_FLOW),
    "income_statements": Statement(
        "income_statement", statements.INCOME_STATEMENT, INCOME_STATEMENTS
    ),
}
PATH = "/vX/reference/financials"
LIMIT = "100"  # records of a page
COMMON = (
    "cik",
    "company_name",
    "filing_date",
    "start_date",
    "end_date",
    "fiscal_year",
    "fiscal_period",
    "timeframe",
    "source_filing_url",
)
ABSENT = (None, "")
THERE, EXTRA = "there", "extra"  # of a statement: whether the filing has it; its other fields


def filing_columns() -> tables.Columns:
    """A filing in one row: `tickers`, the common fields, and `statement.field` of all three."""
    columns = {"tickers": Column(pl.List(pl.String), "tickers the row is for")}
    columns |= {name: BALANCE_SHEETS[name] for name in COMMON}
    for name, fields, _ in STATEMENTS.values():
        columns |= {f"{name}.{field}": statements.value_column(field) for field in fields}
        columns[f"{name}.{EXTRA}"] = BALANCE_SHEETS[EXTRA]
        columns[f"{name}.{THERE}"] = Column(pl.Boolean, "whether the filing has the statement")
    return {**columns, "month": BALANCE_SHEETS["month"]}


LAYOUT = records.Layout(
    filing_columns(),
    needed=("tickers", "filing_date", "fiscal_year", "fiscal_period", "timeframe"),
    key=statements.KEY,
    window="filing_date",
    readers={"tickers": names, "fiscal_year": year},
)


def fields_of(ticker: str | None, filing: dict[str, Any]) -> dict[str, Any] | records.Refusal:
    """A filing as fields of LAYOUT.

    Args:
        ticker: it was asked for by; None: the whole market was, and all its tickers count.
        filing: the vendor's record.

    Returns:
        the fields, or why there are none: it is another company's, or a statement or a value is
        not built as the vendor documents it.
    """
    told = filing.get("tickers") or None
    if ticker is not None and isinstance(told, list) and ticker not in told:
        return records.Refusal("tickers", told, "do not include the ticker asked for")
    parts = {} if filing.get("financials") in ABSENT else filing["financials"]
    if not isinstance(parts, dict):
        return records.Refusal("financials", parts, "is not an object")
    fields = {name: filing.get(name) for name in COMMON}
    fields["tickers"] = told if ticker is None else [ticker]
    for statement in STATEMENTS.values():
        values = {} if parts.get(statement.name) in ABSENT else parts[statement.name]
        if not isinstance(values, dict):
            return records.Refusal(statement.name, values, "is not an object")
        found = statement_fields(statement, values)
        if isinstance(found, records.Refusal):
            return found
        fields |= found
    return fields


def statement_fields(
    statement: Statement, values: Mapping[str, Any]
) -> dict[str, Any] | records.Refusal:
    """The values of a filing's statement by our names; fields we do not know as JSON in `extra`."""
    fields: dict[str, Any] = {f"{statement.name}.{THERE}": bool(values)}
    extra = {}
    for name, cell in values.items():
        if not isinstance(cell, dict):
            return records.Refusal(f"{statement.name}.{name}", cell, "is not an object")
        if name in statement.fields:
            fields[f"{statement.name}.{name}"] = cell.get("value")
        else:
            extra[name] = cell.get("value")
    if extra:
        place = f"{statement.name}.{EXTRA}"
        try:
            fields[place] = json.dumps(extra, sort_keys=True, ensure_ascii=False, allow_nan=False)
        except ValueError:
            return records.Refusal(place, extra, "holds a number that is not finite")
    return fields


def statement_rows(filings: pl.DataFrame, statement: Statement) -> pl.DataFrame:
    """One statement of the filings that have it, with its own column names, distinct and sorted."""
    own = {f"{statement.name}.{field}": field for field in (*statement.fields, EXTRA)}
    there = filings.filter(pl.col(f"{statement.name}.{THERE}"))
    return records.distinct(there.select("ticker", *COMMON, *own).rename(own), LAYOUT)


def land(
    *,
    api: records.Api,
    tickers: list[str] | None,
    month: str,
    balance_sheets: Path,
    cash_flow: Path,
    income_statements: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Fetch the quarterly filings of a month and write the three statements' partitions.

    A filing is one row for the ticker asked for, or for each of its tickers. A statement that it
    does not have makes no row. A filing with any value that does not fit is refused as a whole.

    Args:
        api: the vendor.
        tickers: asked for one by one; None: the whole market at once.
        month: YYYY-MM of the filing date.
        balance_sheets: parquet of BALANCE_SHEETS.
        cash_flow: parquet of CASH_FLOW.
        income_statements: parquet of INCOME_STATEMENTS.
        quarantine: parquet of `records.QUARANTINE`.
        reconcile: JSON {rows_in, good, duplicates, quarantined, reasons, statements}, in filings
            x tickers (a refused one counts once); `statements`: rows of each partition; and with
            tickers without_data: how many of them the vendor told nothing of.

    Returns:
        what was written to `reconcile`.
    """
    window = records.month_window(month)
    params = {"timeframe": "quarterly", **window.query("filing_date"), "limit": LIMIT}
    if tickers is None:
        rows = records.fetch(api, PATH, params, partial(fields_of, None))
    else:
        rows = records.fetch_each(api, PATH, params, tickers, fields_of)
    typed = records.type_rows(rows, LAYOUT, window)
    filings = typed.good.explode("tickers").rename({"tickers": "ticker"})
    kept = {name: statement_rows(filings, s) for name, s in STATEMENTS.items()}
    counts: dict[str, Any] = {"statements": {name: frame.height for name, frame in kept.items()}}
    if tickers is not None:
        counts["without_data"] = len(tickers) - typed.answers
    good = filings.n_unique(statements.KEY)
    report = records.write_refused(typed, filings.height, good, quarantine, reconcile, **counts)
    outs = {
        "balance_sheets": balance_sheets,
        "cash_flow": cash_flow,
        "income_statements": income_statements,
    }
    for name, out in outs.items():
        records.write_partition(kept[name], STATEMENTS[name].columns, window.key, out)
    return report


if __name__ == "__main__":
    from scripts.job import environment, job
    from scripts.lake.vendor import open_api

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            land(
                api=open_api(
                    snakemake.params.vendor,  # noqa: F821
                    snakemake.params.seed,  # noqa: F821
                    snakemake.params.as_of,  # noqa: F821
                    environment(),
                ),
                tickers=snakemake.params.tickers,  # noqa: F821
                month=snakemake.wildcards.month,  # noqa: F821
                balance_sheets=Path(snakemake.output.balance_sheets),  # noqa: F821
                cash_flow=Path(snakemake.output.cash_flow),  # noqa: F821
                income_statements=Path(snakemake.output.income_statements),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )
