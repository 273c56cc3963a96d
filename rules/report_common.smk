# The control room: what it waits for, and what makes it out of date. No rules here.
from scripts.plan.runs import newest_run

REPORT = "<results>/report/index.html"
FRONT = sorted(map(os.path.relpath, (ROOT / "scripts" / "report").glob("page*.*")))
ALL = ("lake", "ticks", "weekly", "nfl", "grid", "warehouse", "book")


def awaited(wildcards):
    """All that the page tells of; without `wait` it tells of what there is."""
    return rules_of(*ALL)(wildcards) if config["report"]["wait"] else []


def report_products(wildcards):
    """Products below the run's results; others (of a folder named in config) are not the run's."""
    paths = [path for domain in ALL for path in products(domain)]
    return sorted({p.removeprefix("<results>/") for p in paths if p.startswith("<results>/")})


def report_simulated(wildcards):
    """Whether anything that is built rests on simulated data; null: nothing is built."""
    built = [SIMULATED[domain] for domain in SIMULATED if products(domain)]
    return any(built) if built else None


def told_of(wildcards):
    """What makes the page out of date beside its inputs: a run since; without `wait`, anything."""
    events = Path(RESULTS, "events")
    return newest_run(events) if config["report"]["wait"] else STARTED


def report_page():
    """The page and, where it waits for them, the products: one that was deleted is made again."""
    return [REPORT, *awaited(None)]


PRODUCTS["report"] = report_page
