"""The quarto engine: `quarto render` of a staged copy, with references resolved beforehand.

Quarto numbers what it renders by itself and knows nothing of the other chapters of a book that is
set from fragments. So the book's own filter resolves references, figures and tables first, into
markdown; the cells have run already. What Quarto does not get it cannot change: the source tree is
not touched, and nothing is run or rendered twice.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from scripts.book import pandoc
from scripts.book.programs import passed, uncoloured
from scripts.errors import DataError

if TYPE_CHECKING:
    from scripts.book.engines import Page

SUFFIXES = {"latex": "tex", "typst": "typ", "html": "html"}
PASSED = r"DENO_\w+|QUARTO_\w+|XDG_\w+"
MARKDOWN = "markdown-implicit_figures-auto_identifiers-simple_tables-multiline_tables-grid_tables"


def convert(text: str, to: str, *, page: Page, options: Mapping[str, object]) -> str:
    """Markdown without cells in another format.

    Args:
        text: see `composing.compose`.
        to: latex, typst or html.
        page: what it belongs to.
        options: front matter of the staged document.

    Raises:
        DataError: what Quarto says; its warnings and unresolved references are errors too.
    """
    from scripts.book.engines import FILTERS, REFERENCES, TEMPLATES

    resolved = pandoc.convert(
        text,
        MARKDOWN,
        name=page.name,
        filters=sorted(FILTERS.glob("*.lua")),
        index=page.index,
        folder=page.folder,
        form=to,
    )
    with tempfile.TemporaryDirectory(prefix="almanac-") as temporary:
        staged = Path(temporary)
        for name in ("figures", "tables"):
            if (page.folder / name).is_dir():
                (staged / name).symlink_to((page.folder / name).resolve())
        shutil.copy(REFERENCES, staged)
        shutil.copy(TEMPLATES / "page.html", staged)
        (staged / "body.template").write_text("$body$\n")
        front = yaml.safe_dump(dict(options), allow_unicode=True, sort_keys=False)
        (staged / f"{page.name}.qmd").write_text(f"---\n{front}---\n\n{resolved}", "utf-8")
        done = subprocess.run(
            ["quarto", "render", f"{page.name}.qmd", "--to", to],
            cwd=staged,
            env=passed(page.environment, PASSED),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        said = uncoloured(done.stdout + done.stderr)
        made = staged / f"{page.name}.{SUFFIXES[to]}"
        if done.returncode or not made.is_file():
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            raise DataError(f"{page.name}: quarto: {' '.join(lines[-6:]) or 'no output'}")
        wrong = re.search(r"^.*(WARN|WARNING|Unable to resolve).*$", said, re.M)
        if wrong:
            raise DataError(f"{page.name}: quarto: {wrong[0].strip()}")
        return made.read_text(encoding="utf-8")
