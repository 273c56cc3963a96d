"""YAML of documents and declarations: keys that stand twice, and what is too deep."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts.errors import DataError
from scripts.plan import strict_yaml


def test_what_is_merged_may_stand_there_again() -> None:
    text = "d: &q {z: 1, y: [a]}\ne: {<<: *q, z: 2}\n"
    assert strict_yaml.load(text)["e"] == {"z": 2, "y": ["a"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "key c stands twice"),
        ("[" * 100_000, "deeper than 50"),
        ("- " * 100, "deeper than 50"),
        ("a: 2025-02-30\n", "day is out of range"),
        ("? [a]\n: 1\n", "unhashable"),
    ],
)
def test_what_is_no_yaml_of_ours_is_told(text: str, said: str) -> None:
    with pytest.raises(yaml.YAMLError, match=said):
        strict_yaml.load(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\nlake: {}\nb: 2\nlake: {}\n", r"x\.yaml:4: cannot be read \(key lake stands twice"),
        (b"a: 1\nb: [\n", r"x\.yaml:\d: cannot be read \(while parsing a flow"),
        (b"a: 2025-02-30\n", r"x\.yaml: cannot be read \(day is out of range"),
        (b"a: \xff\n", r"x\.yaml: cannot be read \('utf-8' codec"),
    ],
)
def test_a_file_is_named_with_the_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        strict_yaml.read(path)
    assert "\n" not in str(caught.value)
