"""What references.bib holds, by key; typesetting is left to Typst, BibTeX and pandoc."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.errors import DataError


def entries(path: Path) -> dict[str, str]:
    """Key -> text of its entry.

    Raises:
        DataError: with file and line: no text; an entry whose braces do not balance, a key
            given twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if (zero := text.find("\0")) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise DataError(f"{path}:{line}: a zero byte; the file is damaged, restore it")
    found: dict[str, str] = {}
    end = 0
    for start in re.finditer(r"^[ \t]*@(\w+)\s*\{\s*([^\s,{}]+)\s*,", text, re.M):
        line = text[: start.start()].count("\n") + 1
        if start.start() < end or start[1].lower() in ("comment", "string", "preamble"):
            continue
        end = _closing(text, text.index("{", start.start()))
        if end < 0:
            raise DataError(f"{path}:{line}: the braces of @{start[1]}{{{start[2]} do not balance")
        if start[2] in found:
            raise DataError(f"{path}:{line}: key {start[2]} is given twice; rename or delete one")
        found[start[2]] = text[start.start() : end]
    return found


def _closing(text: str, start: int) -> int:
    """Position after the brace that closes the one at `start`; -1: there is none."""
    depth = 0
    for brace in re.finditer(r"(?<!\\)[{}]", text[start:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return start + brace.end()
    return -1
