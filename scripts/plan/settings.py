"""Config: defaults from the schema, and an error of one line that names the key and the fix."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from scripts.errors import DataError

JSON_TYPES = {
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def complete(config: Mapping, schema: Mapping) -> dict:
    """`config` with the schema's defaults filled in, checked against it.

    Args:
        config: as Snakemake read it from files and command line.
        schema: JSON Schema 2020-12 whose objects are closed.

    Raises:
        DataError: one line: the key, what is wrong, what is near or allowed.
    """
    filled = _with_defaults(copy.deepcopy(dict(config)), schema, schema)
    for key, value in _leaves(filled, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(f"config: {key}: got {value}, expected a number")
    error = best_match(Draft202012Validator(schema).iter_errors(filled))
    if error is not None:
        raise DataError(f"config: {_explain(error)}")
    return filled


def _leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    """Every leaf of nested mappings and lists, with its dotted key."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, key)
    else:
        yield key, value


def _resolve(schema: Mapping, root: Mapping) -> Mapping:
    """Follow `$ref: #/$defs/name`; keys beside it win."""
    if "$ref" not in schema:
        return schema
    target = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return {**target, **{k: v for k, v in schema.items() if k != "$ref"}}


def _with_defaults(value: object, schema: Mapping, root: Mapping) -> object:
    schema = _resolve(schema, root)
    if isinstance(value, date):  # what YAML makes of 2025-09-25
        return value.isoformat()
    if isinstance(value, str):
        return _typed(value, schema.get("type", []))
    if isinstance(value, list):
        return [_with_defaults(item, schema.get("items", {}), root) for item in value]
    if not isinstance(value, dict):
        return value
    parts = schema.get("properties", {})
    for key, part in parts.items():
        part = _resolve(part, root)
        if key not in value and "default" in part:
            value[key] = copy.deepcopy(part["default"])
    other = schema.get("additionalProperties")
    other = _resolve(other, root) if isinstance(other, dict) else {}
    if other.get("type") in (
        "object",
        "array",
    ):  # an entry that an overlay, or --config, set to null is taken out
        value = {k: v for k, v in value.items() if v not in (None, "null") or k in parts}
    return {k: _with_defaults(v, parts.get(k, other), root) for k, v in value.items()}


def _typed(text: str, types: str | list[str]) -> object:
    """Text as the schema's type: Snakemake hands on all below `--config a='{b: 1}'` as text."""
    types = {types} if isinstance(types, str) else set(types)
    try:
        value = yaml.safe_load(text) if types - {"string"} else text
    except (yaml.YAMLError, ValueError):  # the latter: 2025-02-30
        return text
    for name, kind in JSON_TYPES.items():
        if name in types and isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            return value
    return text


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the top level"
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(map(str, set(error.instance) - set(known)))
        near = get_close_matches(unknown[0], known, n=1)
        fix = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        full = f"{key}.{unknown[0]}" if error.absolute_path else unknown[0]
        return f"{full} is not a known key; {fix} (see config/README.md)"
    if error.validator == "required":
        return f"{key}: {error.message} (see config/README.md)"
    return f"{key}: got {json.dumps(error.instance, default=str)}, expected {_expected(error)}"


def _expected(error: ValidationError) -> str:
    text = {
        "type": lambda v: " or ".join(v) if isinstance(v, list) else str(v),
        "enum": lambda v: "one of " + ", ".join(map(str, v)),
        "minimum": lambda v: f"at least {v}",
        "maximum": lambda v: f"at most {v}",
        "exclusiveMinimum": lambda v: f"more than {v}",
        "pattern": lambda v: f"text like {v}",
        "uniqueItems": lambda _: "each item once",
        "minLength": lambda v: f"text of at least {v} character",
        "minItems": lambda v: f"at least {v} item",
        "minProperties": lambda v: f"at least {v} key",
    }
    show = text.get(error.validator)
    return show(error.validator_value) if show else error.message


def digest(value: object) -> str:
    """Hash of a config section, independent of the order of its keys, 16 digits."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
