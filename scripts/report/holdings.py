"""What lies in a run's results: datasets, their partitions and refused rows; models; products."""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

PARTITION = re.compile(r"[a-z_]+=[^/]+")
RECONCILE = re.compile(r"(?P<domain>[^/]+)/reconcile/(?P<dataset>[^/]+)/(?P<key>[^/]+)\.json")
OTHERS = {"quarantine", "models", "grid", "raw"}  # folders whose tables are no datasets
COUNTED_AS = {"ticks": "parquet"}  # dataset of the counts -> of the files, where not the same
UNCOUNTED = {"rows_in": None, "good": None, "quarantined": None, "reasons": {}}
NUMBERS = ("base_rate", "brier", "log_loss", "auc", "ece", "accuracy", "roi")


def datasets(results: Path) -> list[dict]:
    """Tables, and what was read with its rows counted.

    Args:
        results: folder of a run.

    Returns:
        a row for each: {domain, dataset (path below the domain), partitions, first, newest (keys
        of partitions, or names of files), written (when its last file was, UTC), bytes, rows_in,
        good, quarantined, reasons}. Counts are None where nothing was counted; what is counted
        and has no table of that name (one answer that makes several) has a row of its own.
    """
    found: dict[tuple[str, str], list[tuple[str, os.stat_result]]] = {}
    for domain, dataset, key, path in _tables(results):
        if stat := _stat(path):
            found.setdefault((domain, dataset), []).append((key, stat))
    counted = _counts(results)
    rows = []
    for (domain, dataset), leaves in sorted(found.items()):
        keys, stats = zip(*sorted(leaves), strict=True)
        told = {
            "partitions": len(keys),
            "first": keys[0],
            "newest": keys[-1],
            "written": _moment(max(stat.st_mtime for stat in stats)),
            "bytes": sum(stat.st_size for stat in stats),
        }
        counts = counted.pop((domain, dataset.removeprefix("bronze/")), UNCOUNTED)
        rows.append({"domain": domain, "dataset": dataset, **told, **counts})
    none = dict.fromkeys(("first", "newest", "written", "bytes"))
    for (domain, dataset), counts in sorted(counted.items()):
        rows.append({"domain": domain, "dataset": dataset, "partitions": 0, **none, **counts})
    return rows


def models(table: Path) -> list[dict]:
    """Rows of nfl/tables/models.csv with their headline figures; an absent file has none.

    A figure that is not there, or no number, is None.
    """
    if not table.is_file():
        return []
    names = ("target", "features", "model", "calibration")
    with table.open(newline="", encoding="utf-8") as file:
        return [
            {name: row.get(name) for name in names}
            | {"simulated": row.get("simulated") == "true"}
            | {name: _number(row.get(name)) for name in ("n", *NUMBERS)}
            for row in csv.DictReader(file)
        ]


def products(paths: Iterable[str], results: Path, page: Path) -> list[dict]:
    """What the graph makes, and whether it is there.

    Args:
        paths: below `results`.
        results: folder of the run.
        page: of which the links are to be.

    Returns:
        {domain, path, href, bytes, written} for each, in order; the last two are None for what is
        not there.
    """
    rows = []
    for path in sorted(set(paths)):
        file = results / path
        there = _stat(file)
        rows.append(
            {
                "domain": path.partition("/")[0],
                "path": path,
                "href": link(file, page),
                "bytes": there and there.st_size,
                "written": there and _moment(there.st_mtime),
            }
        )
    return rows


def _tables(results: Path) -> Iterator[tuple[str, str, str, Path]]:
    """(domain, dataset, key, file) of each: a partition of a table, one of several like files of a
    folder (a security's), or a table by itself.
    """
    places = []
    for path in _files(results, "*.parquet"):
        domain, *folders, name = path.relative_to(results).parts
        if not OTHERS & set(folders):
            places.append((domain, tuple(folders), name, path))
    alike = Counter((domain, folders) for domain, folders, _, _ in places)
    parents = {(domain, folders[:-1]) for domain, folders, _, _ in places if folders}
    for domain, folders, name, path in places:
        if folders and PARTITION.fullmatch(folders[-1]):
            yield domain, "/".join(folders[:-1]), folders[-1], path
        elif name == "part.parquet":
            yield domain, "/".join(folders), "", path
        elif alike[domain, folders] > 1 and (domain, folders) not in parents:
            yield domain, "/".join(folders), path.stem, path
        else:
            yield domain, "/".join([*folders, name]), "", path


def link(file: Path, page: Path) -> str:
    """How `page` links a file: relative, and escaped as a URL."""
    return quote(os.path.relpath(file, page.parent))


def _counts(results: Path) -> dict[tuple[str, str], dict]:
    """(domain, dataset) -> rows that came in, were good, were refused, and why."""
    found: dict[tuple[str, str], dict] = {}
    for path in _files(results, "*.json"):
        named = RECONCILE.fullmatch(path.relative_to(results).as_posix())
        if named and _is_account(told := _json(path)):
            key = named["domain"], COUNTED_AS.get(named["dataset"], named["dataset"])
            row = found.setdefault(
                key, {"rows_in": 0, "good": 0, "quarantined": 0, "reasons": Counter()}
            )
            for name in ("rows_in", "good", "quarantined"):
                row[name] += told[name]
            row["reasons"].update(told["reasons"])
    return found


def _files(results: Path, pattern: str) -> Iterator[Path]:
    """Files below the domains' folders that match; a server's data folder is its own."""
    for domain in ("lake", "ticks", "weekly", "nfl"):
        yield from sorted((results / domain).rglob(pattern))


def _is_account(told: Mapping) -> bool:
    """Whether it counts rows: whole numbers, and reasons with theirs."""
    reasons = told.get("reasons")
    numbers = [told.get(name) for name in ("rows_in", "good", "quarantined")]
    return isinstance(reasons, dict) and all(type(n) is int for n in [*numbers, *reasons.values()])


def _stat(path: Path) -> os.stat_result | None:
    """What the system tells of a file; None: it is not there, or is just being replaced."""
    try:
        return path.stat()
    except OSError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _json(path: Path) -> dict:
    """A JSON object; what cannot be read, or is another thing, counts as empty."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
