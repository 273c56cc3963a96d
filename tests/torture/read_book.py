"""Blows on the sources of the book: documents, bibliography, values, tables, names of chapters."""

from __future__ import annotations

import ast
import json
import math
import re
from functools import partial
from pathlib import Path
from random import Random

import yaml

from scripts.book.desk import Desk
from scripts.plan import bibliography, portable, qmd
from scripts.plan.book import BookPlan
from tests.torture import read_book_tables
from tests.torture.mutate import HOSTILE_NAMES
from tests.torture.mutate_more import of_json, of_lines, of_one, text_of
from tests.torture.reader import Bad, Doubtful, Files, Reader, cases_of, named
from tests.torture.tally import Case

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNSOUND = (ValueError, TypeError, KeyError, RecursionError, AttributeError, OverflowError)
KIND = "malformed book"
DOCUMENT = """---
almanac:
  inputs: [lake/provenance.json, "nfl/checks/*.json"]
  notebooks: []
---

# A title {#sec-one}

Prose with `{python} quote("a.b")`, @fig-a and [@key2008; @other].

```{python}
#| tags: [parameters]
#| include: false
results = "results/demo"
```

```{python}
#| label: fig-a
#| fig-cap: A caption.
draw()
```

## Below {#sec-below}

$$
x < y
$$ {#eq-one}

The end.
"""
TOKENS = (
    *("```", "```{python}", "~~~", "---", "# ", "## ", "{#sec-one}", "#| label: fig-a", "#| x: y"),
    *(
        "$$",
        "`{python} ",
        "@fig-b",
        "[@x",
        "{{< include a >}}",
        "\\begin{a}",
        "<b>",
        "a: b: c",
        "[",
    ),
    *("\t", "&a ", "*a", "!!python/name:os ", "\u202e", "\x00", "a: 1, a: 2", "../x", "/x", ")"),
)


# ---- documents


def document(_rng: Random) -> dict[str, bytes]:
    """A chapter."""
    return {"chapters/one.qmd": DOCUMENT.encode()}


def take_document(given: Path, _out: Path) -> dict:
    """Its front matter, and every line that stands in a part of it."""
    read = qmd.read(given / "chapters/one.qmd")
    portable.check(read)
    lines = [
        line.strip()
        for part in read.parts
        for line in (part.code if isinstance(part, qmd.Cell) else part.text).split("\n")
        if line.strip()
    ]
    told = [read.inputs, read.notebooks, [c.line for c in read.cells], len(read.labels)]
    return {"front": told[:2], "cells": told[2], "lines": lines}


def document_rows(files: Files) -> dict:
    """The oracle of `take_document`: no line is lost, cells are where their fences are."""
    text = text_of(files["chapters/one.qmd"])
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---" or "---" not in lines[1:]:
        raise Bad("no front matter")
    end = lines.index("---", 1)
    try:
        front = yaml.load("\n".join(lines[1:end]), LOADER)["almanac"]
        inputs, notebooks = (list(front.get(n) or []) for n in ("inputs", "notebooks"))
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise Bad(f"front matter: {error}") from None
    if not all(isinstance(name, str) for name in (*inputs, *notebooks)) or set(front) - {
        "inputs",
        "notebooks",
    }:
        raise Bad("front matter of another form")
    kept, cells, inside, code = [], [], False, []
    for number, line in enumerate(lines[end + 1 :], end + 2):
        if not inside and line.startswith("```{python}"):
            inside, code = True, []
            cells.append(number)
        elif inside and line.rstrip() == "```":
            inside = False
            _check_cell(code)
        else:
            code.append(line)
            kept += [line.strip()] if line.strip() else []
    if inside:
        raise Bad("a cell is not closed")
    told = {"front": [inputs, notebooks], "cells": cells, "lines": kept}
    if _markup(lines) != _markup(DOCUMENT.split("\n")):
        raise Doubtful("its markup is another, which may not be portable", told)
    return told


def _markup(lines: list[str]) -> list[str]:
    """Front matter, cells, lines of prose that hold more than words; what stands at headings."""
    found, rules, fenced, above = [], 0, False, ""
    for line, below in zip(map(str.rstrip, lines), [*lines[1:], ""], strict=True):
        fenced ^= line.startswith("```")
        if rules < 2 or fenced or re.search(r"[`~#@$\[\]{}<>\\|]|^\s*[-=>:]", line):
            near = above if line.startswith("#") else below if "{#eq-" in line else ""
            found += [line, "in a paragraph"] if near.strip() else [line]
        rules += line == "---"
        above = line
    return found


def _check_cell(lines: list[str]) -> None:
    try:
        told = "\n".join(line[2:] for line in lines if line.startswith("#|"))
        options = yaml.load(told, LOADER)
        ast.parse("\n".join(lines))
    except (yaml.YAMLError, SyntaxError, ValueError) as error:
        raise Bad(f"a cell: {error}") from None
    known = {"tags", "include", "label", "fig-cap", "echo", "eval"}
    if options is not None and (not isinstance(options, dict) or set(options) - known):
        raise Bad(f"options {options}")


# ---- bibliography


KEYS = ("avellaneda2008high", "bailey2014deflated", "stern1991probability")


def references(_rng: Random) -> dict[str, bytes]:
    """Three entries."""
    entry = "@article{{{},\n  author = {{A. {{Name}}}},\n  year = {{2008}},\n}}\n"
    return {"references.bib": "\n".join(map(entry.format, KEYS)).encode()}


def take_references(given: Path, _out: Path) -> list[str]:
    """The keys that the documents cite; one that is not there is told as for a document."""
    path = given / "references.bib"
    known = bibliography.entries(path)
    cited = qmd.Document(path, {}, (qmd.Prose(1, " ".join(f"@{key}" for key in KEYS)),))
    portable.check_keys(cited, [], known)
    return sorted(set(known) & set(KEYS))


def reference_rows(files: Files) -> list[str]:
    """The oracle of `take_references`."""
    try:
        text = files["references.bib"].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Bad("no UTF-8") from None
    if "\x00" in text:
        raise Bad("a zero byte")
    found = _entries(text)
    if missing := [key for key in KEYS if found.count(key) != 1]:
        raise Bad(f"{missing[0]} is not there once")
    return sorted(KEYS)


def _entries(text: str) -> list[str]:
    """Keys of the entries, each of which begins a line and ends with its braces."""
    found, depth = [], 0
    for line in text.splitlines():
        begins = re.match(r"[ \t]*@(\w+)[ \t]*\{[ \t]*([^\s,{}]+)[ \t]*,", line)
        if begins and not depth:
            found.append(begins[2])
        if begins or depth:
            for brace in re.findall(r"(?<!\\)[{}]", line):
                depth += 1 if brace == "{" else -1
                if not depth:
                    break  # what follows on the line is no part of an entry
    if depth:
        raise Bad("braces")
    return found


# ---- values


def values(_rng: Random) -> dict[str, bytes]:
    """Values of a notebook, as it hands them on."""
    told = {
        "share": {"value": 0.687, "unit": "", "format": ".1%"},
        "games": {"value": 5667, "unit": "games", "format": "d"},
        "best": {"value": "glm", "unit": "", "format": ""},
    }
    common = {"source": "one, cell 1", "simulated": False}
    told = {name: {**entry, **common} for name, entry in told.items()}
    return {"book/values/one.json": json.dumps(told, indent=1).encode()}


def take_values(given: Path, _out: Path) -> dict:
    """Each value as prose quotes it."""
    desk = Desk(str(given), ["book/values/one.json"])
    return {name: desk.quote(f"one.{name}") for name in ("share", "games", "best")}


def value_rows(files: Files) -> dict:
    """The oracle of `take_values`."""
    try:
        told = json.loads(files["book/values/one.json"].decode())
        found = {}
        for name in ("share", "games", "best"):
            entry = told[name]
            value, unit, form = (entry[key] for key in ("value", "unit", "format"))
            sound = (
                isinstance(unit, str) and isinstance(form, str) and type(value) in (str, int, float)
            )
            if not sound or (not isinstance(value, str) and not math.isfinite(value)):
                raise Bad(f"{name}: {entry}")
            text = format(value, form)
            text = text if isinstance(value, str) else text.replace("-", "\u2212")
            percent = text.endswith("%")
            found[name] = (
                f"{text[:-1]}\u00a0%" if percent else f"{text}\u00a0{unit}" if unit else text
            )
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        AttributeError,
        OverflowError,
    ) as error:
        raise Bad(f"{type(error).__name__} {error}") from None
    return found


READERS = [
    Reader("documents", document, of_one(of_lines(*TOKENS)), take_document, document_rows),
    Reader("bibliography", references, of_one(of_lines("@", "{", "}", "@article{a,", ",", "\\")),
           take_references, reference_rows),
    Reader("values", values, of_one(of_json), take_values, value_rows),
    read_book_tables.READER,
]  # fmt: skip


def cases(seed: int, count: int) -> list[Case]:
    """So many blows on the sources of the book."""
    return cases_of(KIND, READERS, seed, count)


# ---- names


def _named(name: str, rng: Random) -> dict[str, bytes]:
    text = DOCUMENT.replace("sec-one", f"sec-{name}")
    return {f"book/chapters/{name}.qmd": text.encode(), "book/notebooks/n.qmd": _notebook()}


def _notebook() -> bytes:
    return DOCUMENT.replace("sec-one", "sec-n").replace("A title", "A notebook").encode()


def take_chapters(given: Path, _out: Path) -> list[str]:
    """Ids of the chapters."""
    return list(BookPlan({"chapters": ["n"]}, given)._documents("chapters"))


def chapter_ids(files: Files) -> list[str]:
    """The oracle of `take_chapters`: a hidden file is none."""
    name = next(Path(path).name for path in files if "/chapters/" in path)
    stem = name.removesuffix(".qmd")
    if name.startswith((".", "_", "!")):
        return []
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", stem, re.ASCII):
        raise Bad(f"{stem!r} is no id")
    return [stem]


def hostile_names(seed: int) -> list[Case]:
    """Chapters of hostile names, as far as a file can have them."""
    rng, made = Random(seed), []
    for name in HOSTILE_NAMES:
        if not name or set("/\x00") & set(name) or name in (".", "..") or len(name) > 200:
            continue
        told, make = f"book: chapter {name[:20]!r}", partial(_named, name)
        made.append(named(told, make, ".qmd", take_chapters, chapter_ids, rng))
    return made
