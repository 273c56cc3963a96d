"""Blows on the LaTeX of the book's tables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

from scripts.book.check_tables import check
from tests.torture.mutate_more import of_lines, of_one, text_of
from tests.torture.reader import Bad, Doubtful, Files, Reader

TABLE = r"""\begin{tabular}{@{}lrp{0.2\linewidth}@{}}
\toprule
name & value & what \\
\midrule
one & 1 & a \\
two \& more & 2 & b \\
\bottomrule
\end{tabular}
"""


def table(_rng: Random) -> dict[str, bytes]:
    """A table in LaTeX."""
    return {"one.tex": TABLE.encode()}


def take_table(given: Path, out: Path) -> int:
    """The rows that its report tells."""
    check(tables=[given / "one.tex"], latex=False, environment={}, out=out / "report.json")
    return json.loads((out / "report.json").read_text())["tables"][0]["rows"]


def table_rows(files: Files) -> Any:
    """The oracle of `take_table`."""
    text = text_of(files["one.tex"])
    bare = re.sub(r"\\[{}&%$#_]", "", text)
    if bare.count("{") != bare.count("}"):
        raise Bad("braces")
    if [bare.count(rf"\{word}") for word in ("toprule", "bottomrule", "begin", "end")] != [1] * 4:
        raise Bad("rules")
    places = [
        bare.find(rf"\{word}") for word in ("begin", "toprule", "midrule", "bottomrule", "end")
    ]
    if places != sorted(places) or -1 in places:
        raise Bad("rules that are missing, or out of order")
    head, body = bare[: places[1]].strip(), bare[places[1] : places[-1]]
    found = len(re.findall(r"\\\\\r?$", text.partition("\\midrule")[2], re.M))
    if head.split() != [TABLE.split("\n")[0]] or bare[places[-1] :].strip() != r"\end{tabular}":
        raise Doubtful("another head or end", found)
    if re.search(r"(rule|\\\\)\s*[\[({]", body):
        raise Doubtful("an argument of a rule or row", found)
    rows = re.sub(r"\\(top|mid|bottom)rule", "", body).split("\\\\")
    if rows[-1].strip():
        raise Bad("a row does not end")
    for row in filter(str.strip, rows):
        _check_row(row)
    return found


def _check_row(row: str) -> None:
    """Three cells of words."""
    spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", row)]
    if row.count("&") + 1 + sum(spans) - len(spans) != 3:
        raise Bad(f"row {row.strip()}")
    if found := re.search(r"[$_#^%]", row):
        raise Bad(f"{found[0]} is not escaped")
    if {"nan", "na", "none", "null", "inf"} & set(re.split(r"[\s&]+", row.lower())):
        raise Bad("a cell says nothing")


READER = Reader(
    "tables",
    table,
    of_one(
        of_lines(
            *("&", "\\\\", "{", "}", "%", "_", "NaN", "\\begin{tabular}", "\\end{tabular}"),
            *("[", "*{x}", "*{3}", "\\multicolumn{2}{c}{x}", "\\multicolumn{", "$"),
            *("\\midrule", "\\toprule"),
        )
    ),
    take_table,
    table_rows,
)
