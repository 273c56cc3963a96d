# Lake: the final files of each layer. No rules here.
from scripts.plan.estimate import estimate

PROVENANCE = "<results>/lake/provenance.json"


def source_files(wildcards):
    """What the lake's checksums are taken from: manifests of landed files, answers of the REST API."""
    places = [(name, day) for name in FLAT for day in planned(LAKE.days, name)]
    landed = [path for place in places for path in landing_source(*place)]
    answers = sorted(set(FAMILY) - set(FLAT))
    return landed + [path for name in answers for path in bronze_files(name)]


def landing_source(dataset, day):
    """The manifest of a landed file; the file itself where it was put there without one."""
    manifest = _manifests(dataset, [day])
    return manifest or [landing_path(dataset, day)]


def layer_products(layer):
    """The files of a layer, also what lies between: only a target that names a file misses it."""
    if LAKE.skips(layer):
        return []
    return {
        "landing": landing_products,
        "bronze": bronze_products,
        "silver": silver_products,
        "gold": gold_products,
        "qlib": qlib_products,
    }[layer]()


def landing_products():
    """Landed files and their manifests."""
    places = [(name, day) for name in FLAT for day in planned(LAKE.days, name)]
    return [landing_path(*place, suffix) for place in places for suffix in (".csv.gz", ".json")]


def bronze_products():
    """Bronze partitions with what was refused, and the lake's provenance."""
    refused = []
    for dataset in sorted(FAMILY):
        name = "financials" if dataset in STATEMENTS else dataset
        refused += [path for key in bronze_keys(dataset) for path in refusals(name, key)]
    partitions = [path for name in sorted(FAMILY) for path in bronze_files(name)]
    return [*partitions, *sorted(set(refused))]


def silver_products():
    """Ratios, statements, corporate actions, and what prices are adjusted with."""
    names = ("calculated_ratios", "financial_ratios", "fundamentals_wide")
    adjustments = ["<results>/lake/silver/adjustments/part.parquet"]
    return [
        *(path for name in names for path in silver_files(name)),
        *(path for event_type in event_types() for path in action_file(event_type)),
        *(adjustments if bronze_keys("stocks_daily") else []),
    ]


def gold_products():
    """Gold partitions, day bars rebuilt from minutes, and the account of every session."""
    names = ("alpha158", "options_daily", "stocks_daily", "stocks_minute")
    return [
        *(path for name in names for path in gold_files(name)),
        *(session_bars(day) for day in gold_keys("stocks_minute")),
        *([] if LAKE.skips("bronze") else session_reports()),
    ]


def session_reports():
    """The account of every session."""
    return [f"<results>/lake/reconcile/sessions/{day}.json" for day in sessions()]


def qlib_products():
    """The Qlib export."""
    return ["<results>/lake/qlib/manifest.json"] if gold_keys("stocks_daily") else []


def lake_products():
    """All layers, and where they come from."""
    products = [path for layer in LAYERS for path in layer_products(layer)]
    return [PROVENANCE, *products] if products else []


def revision_products():
    """What the vendor has replaced; nothing lands where landing is skipped."""
    return [] if LAKE.skips("landing") else ["<results>/lake/revisions.json"]


PRODUCTS["lake"] = lake_products
PRODUCTS["revisions"] = revision_products
PRODUCTS |= {layer: partial(layer_products, layer) for layer in LAYERS}


DRY_RUN = re.compile(r"-[a-zA-Z]*n[a-zA-Z]*|--dry-?run")

if not LAKE.simulated and any(map(DRY_RUN.fullmatch, sys.argv)):
    print(planned(estimate, LAKE), file=sys.stderr)
