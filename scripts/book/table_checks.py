"""What a LaTeX table must be, checked without LaTeX: it lets too few cells pass."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.book.programs import passed
from scripts.book.typesetting import TEX

MISSING = re.compile(r"(?<![\w.])(NA|None|null|(?i:nan|nat|n/a|inf|placeholder|todo|tbd))(?![\w.])")
NAMES = re.compile(r"\\(label|ref|cite\w*)\{[^{}]*\}|\\[a-zA-Z]+\*?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
RULES = ("toprule", "midrule", "bottomrule")
PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{textcomp}
\usepackage{amsmath,booktabs,array}
\begin{document}
"""


def faults(text: str) -> list[str]:
    """What is wrong with a table's LaTeX, each as `line N: ...`; empty: nothing.

    Braces and environments balance; each row has as many cells as the column specification,
    \\multicolumn counted, and ends in \\\\; the rules stand in their order; no special character
    is left unescaped; no cell says NaN, NA or placeholder; no label is given twice.
    """
    found = [*_balance(text), *_labels(text), *_rules(text)]
    if odd := CONTROL.search(text):
        found.append(f"line {_line(text, odd.start())}: the character {odd[0]!r}")
    try:
        spec = _specification(text)
    except ValueError:  # a bracket that is not closed, a number that is none
        spec = None
    if spec is None:
        return [*found, "line 1: no tabular environment with a column specification"]
    columns, start, end = spec
    if end < 0:
        return found
    found += [
        f"line {_line(text, place)}: \\{rule} is outside of the tabular"
        for rule in RULES
        if (place := text.find(f"\\{rule}")) >= 0 and not start <= place < end
    ]
    found += _rows(text, columns, start, end)
    return found


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _bare(text: str) -> str:
    """Text of the same length without comments and escaped characters."""
    text = re.sub(r"\\[&%$#_{}\\]", lambda found: "  ", text)
    return re.sub(r"%[^\n]*", lambda found: " " * len(found[0]), text)


def _balance(text: str) -> Iterator[str]:
    open_braces: list[int] = []
    bare = _bare(text)
    for brace in re.finditer(r"[{}]", bare):
        if brace[0] == "{":
            open_braces.append(brace.start())
        elif open_braces:
            open_braces.pop()
        else:
            yield f"line {_line(text, brace.start())}: a brace is closed that none opened"
    for position in open_braces:
        yield f"line {_line(text, position)}: a brace is not closed"
    inside: list[tuple[str, int]] = []
    for mark in re.finditer(r"\\(begin|end)\{(\w+\*?)\}", text):
        if mark[1] == "begin":
            inside.append((mark[2], mark.start()))
        elif not inside or inside.pop()[0] != mark[2]:
            yield f"line {_line(text, mark.start())}: \\end{{{mark[2]}}} closes nothing"
    for name, position in inside:
        yield f"line {_line(text, position)}: \\begin{{{name}}} is not closed"


def _labels(text: str) -> Iterator[str]:
    seen = set()
    for label in re.finditer(r"\\label\{([^}]*)\}", text):
        if label[1] in seen:
            yield f"line {_line(text, label.start())}: label {label[1]} is given twice"
        seen.add(label[1])


def _rules(text: str) -> Iterator[str]:
    places = [text.find(f"\\{rule}") for rule in RULES]
    for rule, place in zip(RULES, places, strict=True):
        if place < 0:
            yield f"line 1: no \\{rule}"
        elif text.count(f"\\{rule}") > 1 and rule != "midrule":
            yield f"line {_line(text, place)}: \\{rule} is given twice"
    if min(places) >= 0 and places != sorted(places):
        yield f"line {_line(text, places[0])}: \\toprule, \\midrule, \\bottomrule out of order"


def _specification(text: str) -> tuple[int, int, int] | None:
    """(columns, start, end) of the body of the first tabular; end -1: it is not closed."""
    begin = re.search(r"\\begin\{(tabular\*?|tabularx|longtable)\}", text)
    if not begin:
        return None
    position = begin.end()
    if begin[1] in ("tabular*", "tabularx"):
        position = _group(text, position)[1]
    while position < len(text) and text[position] in "[ \n":
        position = text.index("]", position) + 1 if text[position] == "[" else position + 1
    spec, start = _group(text, position)
    end = text.find(f"\\end{{{begin[1]}}}", start)
    return _columns(spec), start, end


def _group(text: str, position: int) -> tuple[str, int]:
    """Content of the braces at `position` and the position after them."""
    depth = 0
    for place in range(position, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[position + 1 : place], place + 1
    return text[position + 1 :], len(text)


def _columns(spec: str) -> int:
    """Columns of a specification: @{}, !{}, >{}, <{} and | are none, p{} is one, *{3}{r} three."""
    count, place = 0, 0
    while place < len(spec):
        char = spec[place]
        if char in "@!><":
            place = _group(spec, place + 1)[1]
        elif char == "*":
            times, place = _group(spec, place + 1)
            repeated, place = _group(spec, place)
            count += int(times) * _columns(repeated)
        elif char in "pmbX" and spec[place + 1 : place + 2] == "{":
            count += 1
            place = _group(spec, place + 1)[1]
        else:
            count += char in "lcrXS"
            place += 1
    return count


def _rows(text: str, columns: int, start: int, end: int) -> Iterator[str]:
    body = re.sub(
        r"\\(toprule|midrule|bottomrule|cmidrule|addlinespace|hline)(\([^)]*\))?"
        r"(\{[^}]*\})?(\[[^\]]*\])?",
        lambda found: " " * len(found[0]),
        text[start:end],
    )
    place = 0
    for row in re.split(r"(?<!\\)(\\\\(?:\[[^\]]*\])?)", body):
        if row.startswith("\\\\"):
            place += len(row)
            continue
        position = start + place + len(row) - len(row.lstrip())
        place += len(row)
        line = _line(text, position)
        if not row.strip():
            continue
        if start + place >= end:
            yield f"line {line}: the row does not end in \\\\"
        yield from (f"line {line}: {fault}" for fault in _row(row, columns))


def _row(row: str, columns: int) -> Iterator[str]:
    bare = _bare(row)
    spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", row)]
    cells = bare.count("&") + 1 + sum(spans) - len(spans)
    if cells != columns:
        yield f"{cells} cells, the column specification has {columns}"
    outside = re.sub(r"\$[^$]*\$", " ", bare)
    if "$" in outside:
        yield "a $ is not escaped"
    for char in ("_", "#", "^"):
        if char in NAMES.sub(" ", outside):
            yield f"a {char} is not escaped"
    if re.search(r"(?<!\\)%", row):
        yield "a % is not escaped: the rest of the line is a comment"
    for cell in re.split(r"(?<!\\)&", row):
        if found := MISSING.search(cell):
            yield f"a cell says {found[1]}"


def compiled(tables: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Name -> first error of the tables that pdflatex refuses, each alone."""
    found = {}
    for name, text in tables.items():
        with tempfile.TemporaryDirectory(prefix="almanac-") as folder:
            source = Path(folder) / "table.tex"
            source.write_text(f"{PREAMBLE}{text}\\end{{document}}\n", encoding="utf-8")
            done = _pdflatex(source, environment)
            if done.returncode:
                error = re.search(r"^! (.*)$", done.stdout, re.M)
                found[name] = error[1] if error else done.stdout[-200:].strip()
    return found


def _pdflatex(source: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    options: Sequence[str] = ("-interaction=nonstopmode", "-halt-on-error", "-draftmode")
    return subprocess.run(
        ["pdflatex", *options, source.name],
        cwd=source.parent,
        env=passed(environment, TEX),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
