"""Config: defaults, types of values from the command line, errors of one line, and its hash."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from scripts.errors import DataError
from scripts.plan.settings import complete, digest

SCHEMA = yaml.safe_load("""
type: object
additionalProperties: false
required: [name]
properties:
  name: {type: string, pattern: "^[a-z]+$"}
  section:
    type: object
    additionalProperties: false
    default: {}
    properties:
      count: {type: integer, minimum: 1, maximum: 9, default: 3}
      share: {type: number, exclusiveMinimum: 0, default: 0.5}
      path: {type: [string, "null"], default: null}
      switch: {type: boolean, default: true}
      modes:
        type: array
        uniqueItems: true
        minItems: 1
        items: {enum: [fast, slow]}
        default: [fast]
      inner:
        type: object
        additionalProperties: false
        default: {}
        properties: {depth: {type: integer, default: 7}}
      named:
        type: object
        default: {}
        propertyNames: {pattern: "^[A-Z]+$"}
        additionalProperties: {$ref: "#/$defs/item"}
$defs:
  item:
    type: object
    additionalProperties: {type: [number, boolean, string, "null"]}
""")
FILLED = {
    "count": 3,
    "share": 0.5,
    "path": None,
    "switch": True,
    "modes": ["fast"],
    "inner": {"depth": 7},
    "named": {},
}


def section(**values: object) -> dict:
    """The completed section of a config that sets `values` in it."""
    return complete({"name": "x", "section": values}, SCHEMA)["section"]


def error(config: dict) -> str:
    with pytest.raises(DataError) as caught:
        complete(config, SCHEMA)
    return str(caught.value)


def test_a_missing_section_is_filled_with_nested_defaults() -> None:
    assert complete({"name": "x"}, SCHEMA) == {"name": "x", "section": FILLED}


def test_what_is_set_stays_beside_the_defaults() -> None:
    given = {"count": 5, "inner": {"depth": 1}, "named": {"A": {"b": 1.5}}}
    assert section(**given) == FILLED | given


def test_a_half_set_inner_section_gets_its_other_defaults() -> None:
    assert section(inner={}) == FILLED


def test_completing_twice_changes_nothing_more() -> None:
    once = complete({"name": "x"}, SCHEMA)
    assert complete(once, SCHEMA) == once


def test_neither_config_nor_schema_is_changed() -> None:
    config, schema = {"name": "x", "section": {}}, copy.deepcopy(SCHEMA)
    filled = complete(config, schema)
    filled["section"]["modes"].append("slow")
    assert config == {"name": "x", "section": {}}
    assert schema == SCHEMA


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("count", "5", 5),
        ("share", "0.25", 0.25),
        ("share", "1", 1),
        ("switch", "false", False),
        ("path", "null", None),
        ("path", "data/x.xlsx", "data/x.xlsx"),
        ("path", "2025", "2025"),
        ("path", "2025-04-14", "2025-04-14"),
        ("path", "[unclosed", "[unclosed"),
        ("modes", "[slow]", ["slow"]),
        ("named", {"A": {"b": "1.5", "c": "true", "d": "DFM", "e": "null"}},
         {"A": {"b": 1.5, "c": True, "d": "DFM", "e": None}}),
    ],
)  # fmt: skip
def test_text_from_the_command_line_takes_the_type_of_the_schema(key, text, value) -> None:
    found = section(**{key: text})[key]
    assert found == value
    assert type(found) is type(value)


def test_a_text_stays_text_where_the_schema_wants_text() -> None:
    schema = {"properties": {"names": {"type": "array", "items": {"type": "string"}}}}
    assert complete({"names": ["NO", "1", "null"]}, schema) == {"names": ["NO", "1", "null"]}


ERRORS = {
    "unknown key": ({"nome": 1, "name": "x"}, "nome is not a known key; did you mean name?"),
    "unknown key, nothing near": (
        {"qqq": 1, "name": "x"},
        "qqq is not a known key; known keys: name, section",
    ),
    "unknown nested key": (
        {"name": "x", "section": {"cuont": 1}},
        "section.cuont is not a known key; did you mean count?",
    ),
    "unknown key two levels down": (
        {"name": "x", "section": {"inner": {"deep": 1}}},
        "section.inner.deep is not a known key; did you mean depth?",
    ),
    "missing key": ({}, "the top level: 'name' is a required property"),
    "wrong type": (
        {"name": "x", "section": {"count": "many"}},
        'section.count: got "many", expected integer',
    ),
    "wrong type of two": (
        {"name": "x", "section": {"path": 5}},
        "section.path: got 5, expected string or null",
    ),
    "a section that is empty in YAML": (
        {"name": "x", "section": None},
        "section: got null, expected object",
    ),
    "too small": (
        {"name": "x", "section": {"count": 0}},
        "section.count: got 0, expected at least 1",
    ),
    "too large": (
        {"name": "x", "section": {"count": 10}},
        "section.count: got 10, expected at most 9",
    ),
    "not above": (
        {"name": "x", "section": {"share": 0}},
        "section.share: got 0, expected more than 0",
    ),
    "not in the list": (
        {"name": "x", "section": {"modes": ["fast", "medium"]}},
        'section.modes.1: got "medium", expected one of fast, slow',
    ),
    "twice in a list": (
        {"name": "x", "section": {"modes": ["fast", "fast"]}},
        'section.modes: got ["fast", "fast"], expected each item once',
    ),
    "another form": ({"name": "X1"}, 'name: got "X1", expected text like ^[a-z]+$'),
    "a name of another form": (
        {"name": "x", "section": {"named": {"a\nb": {}}}},
        'section.named: got "a\\nb", expected text like ^[A-Z]+$',
    ),
    "a value inside a reference": (
        {"name": "x", "section": {"named": {"A": {"b": [1]}}}},
        "section.named.A.b: got [1], expected number or boolean or string or null",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_one_line_that_names_key_and_fix(name: str) -> None:
    config, message = ERRORS[name]
    assert error(config).removesuffix(" (see config/README.md)") == f"config: {message}"
    assert "\n" not in error(config)


def test_an_empty_list_is_told_how_many_items_it_needs() -> None:
    assert error({"name": "x", "section": {"modes": []}}).endswith(
        "got [], expected at least 1 item"
    )


def test_a_number_that_is_none_is_an_error() -> None:
    assert "section.share" in error({"name": "x", "section": {"share": float("nan")}})


# The hash


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    one = {"a": 1, "b": {"c": [1, 2], "d": None}}
    other = {"b": {"d": None, "c": [1, 2]}, "a": 1}
    assert digest(one) == digest(other)
    assert len(digest(one)) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"a": 2, "b": [1, 2]},
        {"a": 1, "b": [2, 1]},
        {"a": 1},
        {"a": "1", "b": [1, 2]},
        {"a": True, "b": [1, 2]},
    ],
)
def test_the_hash_tells_other_values_apart(other: dict) -> None:
    assert digest(other) != digest({"a": 1, "b": [1, 2]})


# The project's own files


@pytest.fixture(scope="module")
def project(root: Path) -> tuple[dict, dict]:
    """The demo's config, and the schema."""
    files = ("config/config.yaml", "config/schema.yaml")
    config, schema = (yaml.safe_load((root / name).read_text()) for name in files)
    return config, schema


def test_every_key_of_the_schema_is_described_and_every_section_closed_or_typed(project) -> None:
    def walk(part: dict, place: str) -> None:
        for name, child in part.get("properties", {}).items():
            assert child.get("description"), f"{place}{name} has no description"
            walk(child, f"{place}{name}.")
        if "properties" in part:
            assert part["additionalProperties"] is False, f"{place} is open"

    walk(project[1], "")


def test_an_empty_config_is_complete_with_defaults_alone(project) -> None:
    filled = complete({}, project[1])
    assert filled["run"] == "demo"
    assert filled["ticks"]["modes"] == ["parity", "realistic"]
    assert filled["ticks"]["realistic"]["fill_at_quote"] is True


def test_the_demos_config_is_complete(project) -> None:
    config, schema = project
    assert set(complete(config, schema)["ticks"]["strategies"]) >= {
        "v1_baseline",
        "closing_strategy",
    }


@pytest.mark.parametrize(
    "preset", sorted((Path(__file__).parents[3] / "config/presets").glob("*.yaml"))
)
def test_a_preset_is_a_config(project, preset: Path) -> None:
    complete(yaml.safe_load(preset.read_text()), project[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tciks": {}}, "tciks is not a known key; did you mean ticks?"),
        (
            {"ticks": {"max_security": 2}},
            "ticks.max_security is not a known key; did you mean max_securities?",
        ),
        (
            {"ticks": {"realistic": {"fee": 1}}},
            "ticks.realistic.fee is not a known key; did you mean fee_bps?",
        ),
        (
            {"ticks": {"modes": ["real"]}},
            'ticks.modes.0: got "real", expected one of parity, realistic',
        ),
        ({"run": "a b"}, 'run: got "a b", expected text like ^[A-Za-z0-9_-]+$'),
    ],
)
def test_a_slip_in_the_projects_config_is_told(project, change: dict, message: str) -> None:
    with pytest.raises(DataError) as caught:
        complete(change, project[1])
    assert str(caught.value).removesuffix(" (see config/README.md)") == f"config: {message}"
