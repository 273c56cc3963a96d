"""The rule files read as text: rules with their directives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]


class Rule(NamedTuple):
    """One rule: its name and the text of each directive."""

    name: str
    file: Path
    directives: dict[str, str]


def _outdented(text: str) -> str:
    """Text whose blocks under an `if` or `for` stand at the margin, as all else."""
    lines, inside = [], False
    for line in text.splitlines(keepends=True):
        if line[:1].strip():
            inside = line.startswith(("if ", "for "))
        lines.append(line.removeprefix("    ") if inside else line)
    return "".join(lines)


def all_rules() -> list[Rule]:
    """Every rule of the workflow, in the order of the files; those under an `if` or `for` too."""
    rules = []
    for file in SOURCES:
        text = _outdented(file.read_text())
        for found in re.finditer(r"^rule (\w+):\n((?:    .*\n|\n(?=    ))+)", text, re.M):
            parts = re.split(r"^    (\w+):", found[2], flags=re.M)
            rules.append(Rule(found[1], file, dict(zip(parts[1::2], parts[2::2], strict=True))))
    return rules


def job_rules() -> list[Rule]:
    """Rules that make files: all but the public targets."""
    return [rule for rule in all_rules() if "output" in rule.directives]
