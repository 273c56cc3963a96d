# The names that rule files share, and all wildcards, before the first rule that has any: with a default
# storage provider Snakemake 9.27.1 forgets the constraints of the rules above a `wildcard_constraints`.
include: "shown.smk"
include: "ticks_common.smk"
include: "lake_common.smk"
include: "weekly_common.smk"
include: "nfl_common.smk"
include: "nfl_products.smk"
include: "book_common.smk"
include: "warehouse_common.smk"


wildcard_constraints:
    date=r"\d{4}-\d{2}-\d{2}",
    week=r"\d{4}-\d{2}-\d{2}",
    month=r"\d{4}-\d{2}",
    quarter=r"\d{4}Q[1-4]",
    year=r"\d{4}",
    mm=r"\d{2}",
    event_type="dividend|ipo|split|ticker_change",
    season=r"\d{4}",
    mode="parity|realistic",
    strategy="[a-z][a-z0-9_]*",
    variant="base|[a-z0-9_]+=[A-Za-z0-9_.,=+-]+",
    parameter="[a-z][a-z0-9_]*",
    security=r"[^/*\\.][^/*\\]*",
    batch=r"\d\d+",
    symbol=r"[^/*\\.][^/*\\]*",
    notebook=one_of(BOOK.notebooks),
    chapter=one_of(BOOK.chapters),
    document=one_of(DOCUMENTS),
    environment="|".join(WAREHOUSE.environments) or "-",
    migration=r"\d{3}(_\w+)?",
