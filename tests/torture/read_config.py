"""Blows on the config: keys, types, bytes; through the schema, the plans and Snakemake itself."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import math
import os
import re
import subprocess
import sys
from functools import cached_property, partial
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
from tests.torture.mutate_more import of_json, of_lines
from tests.torture.reader import Bad, Files, Reader, cases_of, named
from tests.torture.tally import Case, Silent, need_one_line

KIND, NAME = "malformed config", "config.yaml"
REAL = 2  # cases of a run that are played by Snakemake itself
OF_FILES = ("files", "contents")  # of a plan of weekly features that has some
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


def load(body: bytes) -> dict:
    """As Snakemake reads it; what is no mapping it refuses by itself.

    Raises:
        DataError: it is none.
    """
    try:
        strict_yaml._check_depth(body)  # Snakemake's own reader of YAML ends with the process
        told = yaml.load(body, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError) as error:
        raise DataError(f"config: {error}") from None
    if not isinstance(told, dict):
        raise DataError("config: no mapping")
    return told


def take(given: Path, _out: Path) -> dict:
    """The completed config."""
    return complete(load((given / NAME).read_bytes()), SCHEMA)


# ---- the oracle: the schema, read plainly


def completed(files: Files) -> dict:
    """What `take` must give: what is set, by the schema, and the schema's defaults."""
    try:
        told = load(files[NAME])
    except DataError as error:
        raise Bad(str(error)) from None
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


def _text(value: str, schema: dict, place: str) -> None:
    short = len(value) < schema.get("minLength", 0)
    if short or not re.search(schema.get("pattern", ""), value):
        raise Bad(f"{place} is {value[:30]!r}")


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


def plan(given: Path, _out: Path) -> list[str]:
    """All that the plans tell by themselves; what they refuse is told with the key."""
    config = complete(load((given / NAME).read_bytes()), SCHEMA)
    os.chdir(ROOT)
    plans: list[Any] = [
        LakePlan(config["lake"], given / "lake", CALENDAR, NOW),
        WeeklyPlan(config["weekly"], True),
        NflPlan(config["nfl"], NOW.date()),
        TickPlan(config["ticks"], ROOT),
        WarehousePlan(config["warehouse"], {}),
        BookPlan(config["book"], ROOT),
    ]
    told = []
    for one in plans:
        for name, part in inspect.getmembers(type(one)):
            if isinstance(part, property | cached_property) and not name.startswith("_"):
                if name not in OF_FILES or config["weekly"]["input"] not in (
                    None,
                    "simulator",
                    "lake",
                ):
                    getattr(one, name)
                told.append(f"{type(one).__name__}.{name}")
    return told


def planned(files: Files) -> list[str]:
    """The oracle of `plan`: the names of what there is to tell."""
    completed(files)
    kinds = (LakePlan, WeeklyPlan, NflPlan, TickPlan, WarehousePlan, BookPlan)
    return [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, part in inspect.getmembers(kind)
        if isinstance(part, property | cached_property) and not name.startswith("_")
    ]


READERS = [
    Reader("settings", _config, _strike, take, completed),
    Reader("plans", _config, _strike, plan, planned),
]


# ---- Snakemake itself


def _is_mapping(body: bytes) -> bool:
    try:
        return bool(body.decode()) and bool(load(body))
    except (DataError, UnicodeDecodeError):
        return False


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
