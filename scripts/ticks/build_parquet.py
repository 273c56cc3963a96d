"""Sheet of a workbook, or parquet file -> checked parquet of one security, and what was refused."""

import json
import re
from datetime import datetime
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow.parquet as pq

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.tables import DAMAGED, Column, conform
from scripts.ticks.events import BATCH, KINDS, SCHEMA
from scripts.ticks.events import COLUMNS as EVENTS
from scripts.ticks.sources import folder_securities, has_booleans, pick, workbook_securities

COLUMNS = tuple(EVENTS)
QUARANTINE = {
    "source": Column(pl.String, "file, and sheet of a workbook"),
    "line": Column(pl.UInt32, "row of the sheet, or of the parquet file from 1"),
    **{name: Column(pl.String, f"{name} as it was, as text") for name in COLUMNS},
    "reason": Column(pl.String, "why the row was refused"),
}
EXPECTED = "Dates | Type | Price | Size"
FIRST, END = datetime(1990, 1, 1), datetime(2100, 1, 1)  # a date outside is a typing error
ZONES = (None, "Asia/Dubai")
NOTHING = pl.DataFrame()
SIZES = {"size", "vol", "volume", "qty", "quantity"}


def column_of(name: str) -> str | None:
    """Our column for a vendor's column name (spec 1.1), or None when we do not use it."""
    name = name.strip().lower()
    if "date" in name or "time" in name:
        return "timestamp"
    if name == "type":
        return "type"
    if "price" in name:
        return "price"
    return "volume" if name in SIZES else None


def read_sheet(workbook: Path, sheet: str, header_row: int) -> pl.DataFrame:
    """Rows below the header of one sheet, as the cells are: mixed columns come as text.

    Args:
        workbook: xlsx file.
        sheet: sheet name.
        header_row: row of the header, counted from 1.

    Returns:
        columns timestamp, type, price, volume of whatever type the cells have, and `line`, the row
        in the sheet. Empty rows are left out.

    Raises:
        DataError: unreadable sheet, header missing or elsewhere, or no row below it.
    """
    place = f"{workbook}, sheet {sheet!r}"
    try:
        reader = fastexcel.read_excel(workbook)
        # All rows decide a column's type: from a sample, text further down would become null.
        frame, exact = load(reader, sheet, header_row, as_text=has_booleans(workbook, sheet))
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{place}: cannot be read ({reason}); export it again") from None
    if missing_columns(frame.columns):
        raise DataError(f"{place}: {wrong_header(reader, sheet, header_row, frame.columns)}")
    return select(frame, place, header_row + 1, exact)


def load(
    reader: fastexcel.ExcelReader, sheet: str, header_row: int, as_text: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All columns of a sheet, and the exact numbers of those that mix text and numbers.

    fastexcel makes such a column text and rounds its numbers to nine decimals; read again as
    numbers (its text cells then are null) they keep every bit. `as_text`: all columns as text,
    for a sheet with TRUE or FALSE, which would become 1 or 0 in a column of numbers.
    """
    options = {"header_row": header_row - 1, "schema_sample_rows": None}
    try:
        found = reader.load_sheet(sheet, **options, dtypes="string" if as_text else None)
    except fastexcel.UnsupportedColumnTypeCombinationError:
        found = reader.load_sheet(sheet, **options, dtypes="string")
    frame = pl.DataFrame(found.to_arrow()) if found.width else pl.DataFrame()
    numeric = {"price", "volume"}
    mixed = [n for n in frame.columns if column_of(n) in numeric and frame[n].dtype == pl.String]
    if not mixed:
        return frame, NOTHING
    again = reader.load_sheet(sheet, **options, dtypes=dict.fromkeys(mixed, "float"))
    return frame, pl.DataFrame(again.to_arrow()).select(mixed)


def missing_columns(names: list[str]) -> list[str]:
    """Which of our columns no name in `names` stands for."""
    return [c for c in COLUMNS if c not in {column_of(name) for name in names}]


def wrong_header(
    reader: fastexcel.ExcelReader, sheet: str, header_row: int, names: list[str]
) -> str:
    """Say what stands where the header should be, and where the header is."""
    top = reader.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=header_row + 20)
    rows = pl.DataFrame(top.to_arrow()).rows() if top.width else []
    if len(rows) < header_row:
        return f"has {len(rows)} rows, so no header ({EXPECTED}) on row {header_row}"
    for number, row in enumerate(rows, start=1):
        if not missing_columns([str(cell) for cell in row if cell is not None]):
            return (
                f"the header is on row {number}, not {header_row}: set ticks.header_row: {number}"
            )
    shown = " | ".join("" if name.startswith("__UNNAMED__") else name for name in names)
    return f"row {header_row} is {shown!r}, expected {EXPECTED}"


def select(
    frame: pl.DataFrame, place: str, first_line: int, exact: pl.DataFrame = NOTHING
) -> pl.DataFrame:
    """Keep and name our four columns, number the lines, drop empty rows.

    Args:
        frame: all columns of the source, as the vendor names them.
        place: what to call the source in an error.
        first_line: number of the first row.
        exact: exact numbers of some of these columns, under the same names.

    Returns:
        columns line, timestamp, type, price, volume; of those in `exact` also `price#`, `volume#`.

    Raises:
        DataError: two columns of the source mean the same, or there is no row.
    """
    names: dict[str, str] = {}
    for name in frame.columns:
        again = re.sub(r"_\d+$", "", name)  # fastexcel numbers the second column of a name
        column = column_of(again if again in frame.columns else name)
        if column and column in names:
            raise DataError(
                f"{place}: columns {names[column]!r} and {name!r} both mean {column}; remove one"
            )
        if column:
            names[column] = name
    numbers = {f"{c}#": exact[names[c]] for c in COLUMNS if names[c] in exact.columns}
    frame = frame.select(**{column: pl.col(names[column]) for column in COLUMNS}, **numbers)
    frame = frame.with_row_index("line", offset=first_line)
    frame = frame.filter(pl.any_horizontal(pl.col(COLUMNS).is_not_null()))
    if frame.is_empty():
        raise DataError(
            f"{place}: no row below the header; leave this security out or export again"
        )
    return frame


def read_parquet(path: Path) -> pl.DataFrame:
    """Rows of a parquet file as `read_sheet` gives them; `line` counts rows from 1.

    Raises:
        DataError: not a parquet file, a column missing, meant twice or not of plain values, times
            of another zone, or no rows.
    """
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except DAMAGED as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not a readable parquet file ({reason})") from None
    if missing := missing_columns(frame.columns):
        raise DataError(
            f"{path}: no column for {', '.join(missing)}; has "
            f"{', '.join(map(repr, frame.columns))}, expected {', '.join(COLUMNS)}"
        )
    for name, dtype in frame.schema.items():
        zone = getattr(dtype, "time_zone", None)
        if column_of(name) == "timestamp" and zone not in ZONES:
            raise DataError(
                f"{path}: {name!r} is in the time zone {zone}, expected local exchange time "
                "without a zone: convert it"
            )
        if column_of(name) and (dtype.is_nested() or dtype == pl.Binary):
            raise DataError(f"{path}: {name!r} holds {dtype}, not plain values")
    return select(frame, str(path), first_line=1)


def number(column: str, schema: pl.Schema) -> pl.Expr:
    """`column` as float64; what is no number becomes null: text, true, times, NaN, infinities."""
    value, dtype = pl.col(column), schema[column]
    if dtype == pl.String:
        value = value.str.strip_chars()
    elif not dtype.is_numeric():
        return pl.lit(None, pl.Float64)
    value = value.cast(pl.Float64, strict=False)
    if f"{column}#" in schema:  # where it makes a number of a cell that is none: true, a time
        value = pl.when(value.is_not_null()).then(pl.coalesce(f"{column}#", value))
    return pl.when(value.is_finite()).then(value)


def moment(dtype: pl.DataType) -> pl.Expr:
    """The timestamp as datetime without a zone; null where it is none."""
    stamp = pl.col("timestamp")
    if dtype == pl.String:
        form = "%Y-%m-%d %H:%M:%S%.f"
        stamp = stamp.str.strip_chars().str.to_datetime(form, time_unit="us", strict=False)
    elif not isinstance(dtype, pl.Datetime):
        return pl.lit(None, pl.Datetime("us"))
    return stamp.dt.replace_time_zone(None)


def check(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split raw rows into good events and refused rows.

    Args:
        raw: columns line, timestamp, type, price, volume of any type, in event order, and maybe
            `price#`, `volume#`: exact numbers of a column that is text.

    Returns:
        good: line (u32), timestamp (datetime[ns]), type (BID, ASK, TRADE), price (f64),
            volume (i64), in the same order; price 0 (a market order in an auction) is good.
        bad: line, the four raw fields as text, reason.
    """
    schema = raw.schema
    text = [pl.col(c).cast(pl.String).alias(f"raw_{c}") for c in COLUMNS]
    parsed = raw.with_columns(
        *text,
        timestamp=moment(schema["timestamp"]),
        type=pl.col("type").cast(pl.String).str.strip_chars().str.to_uppercase(),
        price=number("price", schema),
        volume=number("volume", schema),
    )
    price, volume = pl.col("price"), pl.col("volume")
    possible = pl.col("timestamp").is_between(FIRST, END, closed="left")
    parsed = parsed.with_columns(
        reason=pl.when(pl.col("timestamp").is_null())
        .then(pl.lit("timestamp is missing or not a date"))
        .when(~possible)
        .then(pl.lit("timestamp is not of the years 1990 to 2099"))
        .when(~pl.col("type").is_in(KINDS).fill_null(False))
        .then(pl.lit("type is not BID, ASK or TRADE"))
        .when(price.is_null())
        .then(pl.lit("price is missing or not a number"))
        .when(price < 0)
        .then(pl.lit("price is negative"))
        .when(volume.is_null())
        .then(pl.lit("size is missing or not a number"))
        .when(volume < 0)
        .then(pl.lit("size is negative"))
        .when((volume != volume.floor()) | (volume >= 2**53))
        .then(pl.lit("size is not a whole number of shares"))
    )
    good = parsed.filter(pl.col("reason").is_null()).select(
        "line",
        pl.col("timestamp").cast(pl.Datetime("ns")),
        "type",
        "price",
        pl.col("volume").cast(pl.Int64),
    )
    bad = parsed.filter(pl.col("reason").is_not_null()).select(
        "line", *(pl.col(f"raw_{c}").alias(c) for c in COLUMNS), "reason"
    )
    return good, bad


def check_days(good: pl.DataFrame, place: str) -> None:
    """Raise DataError where a day comes after a later one; inside a day the order is kept."""
    day = pl.col("timestamp").dt.date()
    before = good.with_columns(line_before=pl.col("line").shift(1), day_before=day.shift(1))
    wrong = before.filter(day < pl.col("day_before")).head(1)
    for row in wrong.iter_rows(named=True):
        raise DataError(
            f"{place}, line {row['line']}: {row['timestamp']:%Y-%m-%d} comes after "
            f"{row['day_before']} on line {row['line_before']}; sort the export by day "
            "(the order inside a day matters and is kept)"
        )


def too_many(bad: pl.DataFrame, rows: int, share: float, place: str) -> DataError:
    """The error for a source with more bad rows than allowed, naming the first of them."""
    first = bad.row(0, named=True)
    column = first["reason"].split()[0].replace("size", "volume")
    return DataError(
        f"{place}, line {first['line']}, {column} {first[column]!r}: {first['reason']}; "
        f"{bad.height} of {rows} rows refused, more than ticks.max_quarantined_share {share}: "
        "mend the source"
    )


def write(good: pl.DataFrame, path: Path) -> None:
    """Write events in `SCHEMA`, in row groups a reader can take one by one."""
    table = good.select(COLUMNS).to_arrow().cast(SCHEMA)
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="snappy", row_group_size=BATCH)


def build(
    *,
    source: Path,
    security: str,
    header_row: int,
    max_quarantined_share: float,
    out: Path,
    quarantine: Path,
    reconcile: Path,
) -> dict:
    """Read one security from a workbook or a parquet file, check it, write the three files.

    Args:
        source: an xlsx workbook, or the security's own parquet file.
        security: as in `sources.security_of`.
        header_row: of every sheet, counted from 1.
        max_quarantined_share: largest share of refused rows that still is a success, 0 to 1.
        out: parquet of `events.SCHEMA`, in the source's order.
        quarantine: parquet of the refused rows, columns `QUARANTINE`.
        reconcile: JSON {rows_in, good, quarantined, reasons, repeated}; `repeated` counts rows
            equal to the row before, which are kept (two trades of one second may be alike).

    Returns:
        what was written to `reconcile`.

    Raises:
        DataError: as `read_sheet`, `read_parquet`, `check_days`; or too many refused rows.
    """
    if source.suffix.lower() == ".parquet":
        pick(security, folder_securities(source.parent), source.parent)
        place, raw = str(source), read_parquet(source)
    else:
        sheet = pick(security, workbook_securities(source), source)
        place, raw = f"{source}, sheet {sheet!r}", read_sheet(source, sheet, header_row)
    good, bad = check(raw)
    if good.is_empty():
        raise too_many(bad, raw.height, max_quarantined_share, place)
    if bad.height > max_quarantined_share * raw.height:
        raise too_many(bad, raw.height, max_quarantined_share, place)
    check_days(good, place)
    repeated = good.select(pl.all_horizontal(pl.col(COLUMNS) == pl.col(COLUMNS).shift(1)).sum())
    report = {
        "rows_in": raw.height,
        "good": good.height,
        "quarantined": bad.height,
        "reasons": dict(sorted(bad["reason"].value_counts().rows())),
        "repeated": repeated.item(),
    }
    with atomic(quarantine) as temporary:
        refused = bad.with_columns(source=pl.lit(place))
        conform(refused, QUARANTINE).write_parquet(temporary)
    with atomic(reconcile) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    write(good, out)
    return report


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                source=Path(snakemake.input.source),  # noqa: F821
                security=snakemake.wildcards.security,  # noqa: F821
                header_row=snakemake.params.header_row,  # noqa: F821
                max_quarantined_share=snakemake.params.max_quarantined_share,  # noqa: F821
                out=Path(snakemake.output.parquet),  # noqa: F821
                quarantine=Path(snakemake.output.quarantine),  # noqa: F821
                reconcile=Path(snakemake.output.reconcile),  # noqa: F821
            ),
        )
