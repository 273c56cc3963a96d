"""Blows on the config: keys, types, bytes; through the schema, the plans and Snakemake itself."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import math
import re
import subprocess
import sys
from contextlib import chdir
from functools import cache, cached_property, partial
from pathlib import Path
from random import Random
from typing import Any

import yaml

from scripts.errors import DataError
from scripts.plan import strict_yaml
from scripts.plan.book import BookPlan
from scripts.plan.lake import LakePlan
from scripts.plan.nfl import NflPlan
from scripts.plan.settings import complete
from scripts.plan.ticks import TickPlan
from scripts.plan.warehouse import WarehousePlan
from scripts.plan.weekly import WeeklyPlan
from tests.plans import CALENDAR, NOW, ROOT, SCHEMA
from tests.torture.mutate import HOSTILE_NAMES
from tests.torture.mutate_more import of_json, of_lines, yaml_of
from tests.torture.reader import Bad, Doubtful, Files, Reader, cases_of, named
from tests.torture.tally import Case, Silent, need_one_line

KIND, NAME = "malformed config", "config.yaml"
REAL = 2  # cases of a run that are played by Snakemake itself
OF_FILES = ("files", "contents")  # of a plan of weekly features that has some
DOMAINS = {
    f"{name}Plan": section
    for name, section in (
        *(("Lake", "lake"), ("Weekly", "weekly"), ("Nfl", "nfl"), ("Tick", "ticks")),
        *(("Warehouse", "warehouse"), ("Book", "book")),
    )
}
CHECKED = (  # places whose values a plan checks against each other, or against files
    *("ticks.strategies", "ticks.sweeps", "nfl.grid", "nfl.seasons", "weekly.lags"),
    *("weekly.input", "book.chapters"),
)
MADE = (None, "simulator", "lake")
TOKENS = ("\t", "  ", ": ", "- ", "{", "[", "null", "&a ", "*a", "!!x ", "!!python/name:os.getcwd ")


def _config(_rng: Random) -> dict[str, bytes]:
    return {NAME: (ROOT / "config" / NAME).read_bytes()}


def _strike(rng: Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
    """A blow on its text, or, which is mostly still YAML, on its values."""
    if rng.random() < 0.4:
        content, what = of_lines(*TOKENS)(rng, files[NAME])
    else:
        values = json.dumps(yaml.safe_load(files[NAME]), default=str).encode()
        content, what = of_json(rng, values)
    return {NAME: content}, what, "config"


def take(given: Path, _out: Path) -> dict:
    """The completed config; what is no mapping Snakemake refuses by itself."""
    told = strict_yaml.read(given / NAME)
    if not isinstance(told, dict):
        raise DataError(f"{NAME}: no mapping")
    return complete(told, SCHEMA)


# ---- the oracle: the schema, read plainly


def completed(files: Files) -> dict:
    """What `take` must give: what is set, by the schema, and the schema's defaults."""
    told = yaml_of(files[NAME])
    if not isinstance(told, dict):
        raise Bad("no mapping")
    return _of(told, SCHEMA, "")


def _node(schema: dict) -> dict:
    if "$ref" not in schema:
        return schema
    return {**SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], **schema}


KINDS = {"integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
KINDS |= {"array": list, "object": dict, "string": str}


def _is(value: Any, kind: str) -> bool:
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return True
    return isinstance(value, KINDS[kind]) and (isinstance(value, bool) == (kind == "boolean"))


def _typed(value: Any, kinds: list[str]) -> Any:
    """Text that stands for a number or null, as on the command line."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, str) or not set(kinds) - {"string"}:
        return value
    try:
        told = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        return value
    fits = any(_is(told, kind) and type(told) is not str for kind in kinds if kind != "string")
    return told if fits else value


def _of(value: Any, schema: dict, place: str) -> Any:
    schema = _node(schema)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    value = _typed(value, kinds)
    if kinds and not any(_is(value, kind) for kind in kinds):
        raise Bad(f"{place} is {str(value)[:30]}")
    if "enum" in schema and value not in schema["enum"]:
        raise Bad(f"{place} is {str(value)[:30]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Bad(f"{place} is {value}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
        if not low <= value <= high or value <= schema.get("exclusiveMinimum", -math.inf):
            raise Bad(f"{place} is {value}")
    if isinstance(value, str) and not _fits(value, schema):
        raise Bad(f"{place} is {value[:30]!r}")
    if isinstance(value, list):
        return _list(value, schema, place)
    return _object(value, schema, place) if isinstance(value, dict) else value


def _fits(value: str, schema: dict) -> bool:
    long = len(value) >= schema.get("minLength", 0)
    return long and bool(re.search(schema.get("pattern", ""), value))


def _list(value: list, schema: dict, place: str) -> list:
    value = [_of(item, schema.get("items", {}), f"{place}[]") for item in value]
    twice = schema.get("uniqueItems") and any(v in value[:n] for n, v in enumerate(value))
    if twice or len(value) < schema.get("minItems", 0):
        raise Bad(f"{place} is {str(value)[:30]}")
    return value


def _object(value: dict, schema: dict, place: str) -> dict:
    parts, other = schema.get("properties", {}), schema.get("additionalProperties", {})
    names = _node(schema.get("propertyNames", {}))
    if isinstance(other, dict) and _node(other).get("type") in ("object", "array"):
        value = {k: v for k, v in value.items() if v not in (None, "null") or k in parts}
    found = {}
    for key, part in value.items():
        if key not in parts and (other is False or not isinstance(key, str)):
            raise Bad(f"{place}.{key} is not known")
        if isinstance(key, str) and names and (
            key not in names.get("enum", [key]) or not re.search(names.get("pattern", ""), key)
        ):  # fmt: skip
            raise Bad(f"{place}.{key} is no name")
        found[key] = _of(part, parts.get(key, other), f"{place}.{key}".lstrip("."))
    for key, part in parts.items():
        if key not in value and "default" in _node(part):
            found[key] = _of(_node(part)["default"], part, f"{place}.{key}")
    if missing := [key for key in schema.get("required", []) if key not in found]:
        raise Bad(f"{place}.{missing[0]} is missing")
    if len(found) < schema.get("minProperties", 0):
        raise Bad(f"{place} is empty")
    return found


# ---- plans


def plan(given: Path, out: Path) -> dict[str, str]:
    """All that the plans tell by themselves; what they refuse is told with the key."""
    return _plans(take(given, out))


def planned(files: Files) -> dict[str, str]:
    """The oracle of `plan`: what there is to tell, the same of sections that were not struck."""
    config = completed(files)
    told = _plans(_own())
    told = {
        name: text
        if config[DOMAINS[name.split(".")[0]]] == _own()[DOMAINS[name.split(".")[0]]]
        else ""
        for name, text in told.items()
    }
    struck = _changed(config, _own())
    if any(place.startswith(CHECKED) for place in struck):
        raise Doubtful(f"a plan may want others than {', '.join(struck)}", told)
    return told


@cache
def _own() -> dict:
    """The project's own config, completed."""
    return completed(_config(Random()))


def _changed(one: Any, other: Any, place: str = "") -> list[str]:
    """Places at which two configs are not the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [
            told
            for key in keys
            for told in _changed(one.get(key), other.get(key), f"{place}.{key}".lstrip("."))
        ]
    return [] if one == other else [place]


def _plans(config: dict) -> dict[str, str]:
    """What each plan tells, as text where its section is the project's own."""
    with chdir(ROOT):
        plans: list[Any] = [
            LakePlan(config["lake"], Path("lake"), CALENDAR, NOW),
            WeeklyPlan(config["weekly"], True),
            NflPlan(config["nfl"], NOW.date()),
            TickPlan(config["ticks"], ROOT),
            WarehousePlan(config["warehouse"], {}),
            BookPlan(config["book"], ROOT),
        ]
        told = {}
        for one in plans:
            section = DOMAINS[type(one).__name__]
            same = config[section] == _own()[section]
            for name, part in inspect.getmembers(type(one)):
                if not isinstance(part, property | cached_property) or name.startswith("_"):
                    continue
                made = name in OF_FILES and config["weekly"]["input"] in MADE
                value = None if made else getattr(one, name)
                told[f"{type(one).__name__}.{name}"] = repr(value) if same else ""
        return told


READERS = [
    Reader("settings", _config, _strike, take, completed),
    Reader("plans", _config, _strike, plan, planned),
]


# ---- Snakemake itself


def _is_mapping(body: bytes) -> bool:
    try:
        told = yaml_of(body)
    except Bad:
        return False
    return isinstance(told, dict) and bool(told)


def snakemake(seed: int, folder: Path) -> str:
    """`snakemake -n` with a struck overlay of the config.

    What is no mapping in YAML Snakemake refuses by itself, before the project is asked.
    """
    rng = Random(seed)
    files, what, _ = _strike(rng, _config(rng))
    while not _is_mapping(files[NAME]):
        files, what, _ = _strike(rng, _config(rng))
    overlay = folder / "overlay.yaml"
    overlay.write_bytes(files[NAME])
    (folder / "work").mkdir()
    for name in ("config", "book", "warehouse", "rules", "scripts", "envs", "pyproject.toml"):
        (folder / "work" / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all", "--cores", "1"]
    command += ["-s", str(ROOT / "Snakefile"), "-d", str(folder / "work")]
    done = subprocess.run(
        [*command, "--configfile", str(overlay)], capture_output=True, text=True, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if line.strip()]
    if "Traceback" in done.stderr:
        raise Silent(f"{what}: a traceback: {said[-1][:200]}")
    if done.returncode == 0:
        return "planned"
    if not said:
        raise Silent(f"{what}: status {done.returncode} without a word")
    return f"refused: {need_one_line(said[-1])[:200]}"


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on the config, a few of them through Snakemake."""
    rng = Random(f"{seed} snakemake")
    real = [rng.randrange(2**32) for _ in range(min(REAL, count // 10))]
    made = [
        Case(KIND, "snakemake -n with a struck overlay", own, partial(snakemake, own))
        for own in real
    ]
    return [*cases_of(KIND, READERS, seed, count - len(made)), *made]


# ---- names


PLACES = (
    ("run",),
    ("weekly", "plots"),
    ("book", "chapters"),
    ("nfl", "feature_sets"),
    ("ticks", "strategies"),
    ("warehouse", "environments"),
)


def _named(name: str, keys: tuple[str, ...], _rng: Random) -> dict[str, bytes]:
    config = yaml.safe_load((ROOT / "config" / NAME).read_bytes())
    if keys == ("run",):
        config["run"] = name
    else:
        section, key = keys
        given = {"plots": [name], "chapters": [name], "strategies": {name: {}}}
        given |= {
            "feature_sets": {name: ["elo"]},
            "environments": {name: {"dsn": None, "seasons": 1}},
        }
        config.setdefault(section, {})[key] = given[key]
    return {NAME: json.dumps(config, default=str).encode()}


def hostile_names(seed: int) -> list[Case]:
    """Hostile names of runs, symbols, chapters, strategies and environments."""
    rng, made = Random(seed), []
    for name in HOSTILE_NAMES:
        for keys in PLACES:
            told = f"config: {'.'.join(keys)} {name[:20]!r}"
            made.append(named(told, partial(_named, name, keys), "config", plan, planned, rng))
    return made
