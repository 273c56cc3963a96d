"""Option symbols of the Options Clearing Corporation, as the vendor writes them.

`O:` root yymmdd C|P strike: the strike is in thousandths of a dollar, in eight digits. A digit in
the root marks an adjusted contract (of AAPL1 another bundle than 100 AAPL is delivered), so the
root is kept whole. Source: OCC, Option Symbology Initiative (2010).
"""

from __future__ import annotations

import polars as pl

SYMBOL = r"^O:(?<root>[A-Z][A-Z0-9.]*)(?<day>[0-9]{6})(?<side>[CP])(?<strike>[0-9]{8})$"
FIELDS = ("underlying", "expiration", "contract_type", "strike")


def parse(tickers: pl.Series) -> pl.DataFrame:
    """Parts of option symbols, row by row.

    Args:
        tickers: text.

    Returns:
        underlying (text), expiration (date), contract_type (`call`, `put`), strike (f64, dollars);
        all null where the symbol is not of this form or its date does not exist.
    """
    parts = pl.DataFrame({"part": tickers.str.extract_groups(SYMBOL)}).unnest("part")
    parts = parts.with_columns(
        day=("20" + pl.col("day")).str.to_date("%Y%m%d", strict=False),
        side=pl.col("side").replace_strict({"C": "call", "P": "put"}, return_dtype=pl.String),
        # as text: polars divides by 1000 as times 0.001, which is not the nearest number
        strike=(pl.col("strike").str.head(5) + "." + pl.col("strike").str.tail(3)).cast(pl.Float64),
    )
    real = pl.col("day").is_not_null()
    parts = parts.select("root", "day", "side", "strike")
    return parts.select(pl.when(real).then(pl.all())).rename(
        dict(zip(parts.columns, FIELDS, strict=True))
    )
