# The control room: one page on what ran, what it cost, and what lies in the results.
#
# In:  the events of earlier runs and, with config report.wait, the products of all domains
# Out: report/index.html
from scripts.plan.runs import newest_run

REPORT = "<results>/report/index.html"
FRONT = sorted(str(path) for path in (ROOT / "scripts" / "report").glob("page*.*"))
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
    return newest_run(events) if config["report"]["wait"] else os.environ["ALMANAC_STARTED"]


rule report_build_page:
    input:
        products=awaited,
        front=FRONT,
    output:
        page=REPORT,
    log:
        "<logs>/report/report_build_page.log",
    benchmark:
        "<benchmarks>/report/report_build_page.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("report/build_page"),
        products=report_products,
        simulated=report_simulated,
        version=VERSION,
        last=config["report"]["last"],
        told_of=told_of,
    message:
        "Write the control room"
    script:
        "../scripts/report/build_page.py"


def report_page():
    """The page and, where it waits for them, the products: one that was deleted is made again."""
    return [REPORT, *awaited(None)]


PRODUCTS["report"] = report_page
