# What all rule files use. The completed config, paths, names, and small named functions;
# parsing imports the standard library, yaml and jsonschema, nothing heavier.
import math
import os
import re
import sys
import time
import tomllib
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

from scripts.errors import DataError
from scripts.plan import settings, strict_yaml
from scripts.plan.fingerprint import MEMORY, fingerprint

ROOT = Path(workflow.basedir)
ENVIRONMENT = str(ROOT / "envs" / "almanac.yaml")
YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
MIB = 2**20
# On a node a Snakemake runs beside the job, and counts: the profiles of clusters say how much.
NODE_MB = int(os.environ.get("ALMANAC_NODE_MB", 0))
FLOOR_MB = 500
FLOOR_MB += NODE_MB
MEMORY.keep(Path(".snakemake", "almanac-code.json"))


def planned(make, *args, **kwargs):
    """Call `make` while the workflow is planned; bad input ends the plan with its one-line message."""
    try:
        return make(*args, **kwargs)
    except DataError as error:
        told = " ".join(str(error).split())  # a file's name may hold line breaks
        raise WorkflowError(told) from None


if not re.fullmatch(r"[\w@%+=:,./-]+", sys.executable):
    raise WorkflowError(
        f"Snakemake cannot start jobs with {sys.executable!r}: a space or another special character "
        "is in its path; move the project (and its .venv) to a folder without one"
    )


# Snakemake has read them: of a key that stands twice it took the last.
for config_path in map(Path, workflow.configfiles):
    if config_path.suffix != ".json":
        planned(strict_yaml.read, config_path)


with open(ROOT / "config" / "schema.yaml") as schema_file:
    config = planned(settings.complete, config, yaml.load(schema_file, Loader=YAML))


with open(ROOT / "pyproject.toml", "rb") as project_file:
    VERSION = tomllib.load(project_file)["project"]["version"]


RESULTS = f"results/{config['run']}"  # for params, where pathvars do not count


# The job adapter (scripts/job.py) ends a job whose main process is gone, and keeps manifests in the
# results; the logger plugin writes the events of a run there. Both learn it from the environment: a
# job's params must not move with it.
# Jobs are many and small: the pool of polars would claim every core in each of them.
os.environ.update(
    ALMANAC_MAIN_PID=str(os.getpid()),
    ALMANAC_EVENTS=f"{RESULTS}/events",
    ALMANAC_RESULTS=RESULTS,
    POLARS_MAX_THREADS="1",
)
# Of the run, also where a Snakemake on a node of a cluster makes one job of it.
STARTED = os.environ.setdefault("ALMANAC_STARTED", f"{time.time()}")


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


PRODUCTS = {}  # domain -> function that lists its final files; each rule file adds its own


def rules_of(*domains):
    """Input function of a public target: the products of `domains`, listed once all rules are known."""
    return partial(_products, domains)


def _products(domains, wildcards):
    return [path for domain in domains for path in products(domain)]


@cache
def products(domain):
    """Final files of a domain."""
    return planned(PRODUCTS[domain])


def tell_critical():
    """Tell the logger plugin which rules stop a run, and how often they are tried again.

    Called when all rules are known.
    """
    known = {rule.name: rule for rule in workflow.rules}
    for name in config["critical"]:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            fix = f"did you mean {near[0]}?" if near else "snakemake --list-rules names them"
            raise WorkflowError(f"config: critical: there is no rule {name}; {fix}")
    running = workflow.execution_settings is not None  # else asked for a list, or for lint
    told = [f"{name}={known[name].restart_times if running else 0}" for name in config["critical"]]
    os.environ.update(ALMANAC_CRITICAL=",".join(told))


@cache
def code(script, *more):
    """Fingerprint of a rule's script (`<domain>/<name>`), and of `more` modules that it loads by name."""
    return fingerprint(ROOT, *(f"scripts/{path}.py" for path in (script, *more)))


def size_mb(files):
    """Size of existing input files in MiB; of a file that is not there yet, 0."""
    return sum(os.path.getsize(f) for f in files if os.path.exists(f)) / MIB


def memory_mb(base, per_mb, most=math.inf):
    """Resource function: `base` MB plus `per_mb` MB for each MiB of input, at least FLOOR_MB.

    At most `most`, which is what a job takes that reads its input in blocks. A second attempt gets
    twice of it: the first may have been killed for its memory.
    """
    return partial(_memory_mb, base, per_mb, most)


def _memory_mb(base, per_mb, most, wildcards, input, attempt):
    return attempt * max(FLOOR_MB, NODE_MB + int(min(most, base + per_mb * size_mb(input))))
