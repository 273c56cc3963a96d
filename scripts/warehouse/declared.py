"""The declared schema, warehouse/schema.yaml, and how a database differs from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from scripts.errors import DataError
from scripts.plan import strict_yaml

KINDS = {"tables": "table", "materialised_views": "materialised view", "views": "view"}
PARTS = {"columns": "column", "indexes": "index", "constraints": "constraint"}
SINCE = "since"
_NUMBER = {"type": "integer", "minimum": 1}
_PART = {
    "type": ["string", "object"],
    "properties": {"is": {"type": "string"}, SINCE: _NUMBER},
    "required": ["is"],
    "additionalProperties": False,
}
_RELATION = {
    "type": "object",
    "properties": {
        SINCE: _NUMBER,
        **{part: {"type": "object", "additionalProperties": _PART} for part in PARTS},
    },
    "additionalProperties": False,
}
FORM = {
    "type": "object",
    "properties": {
        kind: {"type": ["object", "null"], "additionalProperties": _RELATION} for kind in KINDS
    },
    "additionalProperties": False,
}


def read(path: Path) -> dict:
    """The declaration: {kind: {relation: {since, columns, indexes, constraints}}}.

    A part is text, or {is: text, since: number of the migration that makes it}; without `since` it
    is there from the beginning.

    Raises:
        DataError: it is not such a file (it says where).
    """
    found = strict_yaml.read(path)
    wrong = best_match(Draft202012Validator(FORM).iter_errors(found))
    if wrong is not None:
        place = ".".join(map(str, wrong.absolute_path)) or "the top"
        raise DataError(f"{path}: {place}: {wrong.message}; see the head of the file")
    return found


def at(declared: Mapping[str, Mapping], number: int) -> dict[str, dict]:
    """What is declared to be there after migration `number`, in the form of `catalog.describe`."""
    found = {}
    for kind in KINDS:
        found[kind] = {
            name: {
                part: {
                    key: value["is"] if isinstance(value, dict) else value
                    for key, value in entry.get(part, {}).items()
                    if not isinstance(value, dict) or value.get(SINCE, 0) <= number
                }
                for part in PARTS
            }
            for name, entry in (declared.get(kind) or {}).items()
            if entry.get(SINCE, 0) <= number
        }
    return found


def differences(declared: Mapping[str, Mapping], found: Mapping[str, Mapping]) -> Iterator[str]:
    """What is declared and not there, or not so; one line each.

    Args:
        declared: of `at`.
        found: of `catalog.describe`.
    """
    for kind, relations in declared.items():
        for name, entry in relations.items():
            there = found[kind].get(name)
            if there is None:
                yield f"{KINDS[kind]} {name} is declared and not there"
                continue
            for part, word in PARTS.items():
                for key, text in entry[part].items():
                    got = there.get(part, {}).get(key)
                    if got is None:
                        yield f"{word} {name}.{key} is declared ({text}) and not there"
                    elif got != text:
                        yield f"{word} {name}.{key} is {got}, declared {text}"


def additions(declared: Mapping[str, Mapping], found: Mapping[str, Mapping]) -> Iterator[str]:
    """What is there and not declared; one line each."""
    for kind, relations in found.items():
        for name, entry in relations.items():
            known = declared[kind].get(name)
            if known is None:
                yield f"{KINDS[kind]} {name}"
                continue
            for part, word in PARTS.items():
                for key, text in entry.get(part, {}).items():
                    if key not in known[part]:
                        yield f"{word} {name}.{key} ({text})"
