"""The embedded engine: pandoc with the book's filter."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pypandoc

from scripts.errors import DataError

READER = "markdown-implicit_figures-auto_identifiers"  # labels are the authors'


def convert(
    text: str,
    to: str,
    *,
    name: str,
    filters: Sequence[Path],
    index: Mapping[str, Mapping[str, str]],
    folder: Path,
    options: Sequence[str] = (),
    form: str | None = None,
) -> str:
    """Markdown without cells in another format.

    Args:
        text: see `composing.compose`.
        to: pandoc's name of the format.
        name: of the document, for messages.
        filters: Lua filters.
        index: label -> {text, href} of what the text refers to.
        folder: the book's results: HTML pages take tables and figures from there.
        options: of pandoc, beside these.
        form: format of what the filter writes, where that is not `to`.

    Raises:
        DataError: what pandoc says; its warnings are errors too.
    """
    with tempfile.TemporaryDirectory(prefix="almanac-") as temporary:
        path = Path(temporary) / "index.json"
        path.write_text(json.dumps(index), encoding="utf-8")
        command = [
            pypandoc.get_pandoc_path(),
            f"--from={READER}",
            f"--to={to}",
            "--fail-if-warnings",
            "--wrap=preserve",
            f"--resource-path={folder}",
            f"--metadata=almanac-index:{path}",
            f"--metadata=almanac-folder:{folder}",
            *([f"--metadata=almanac-format:{form}"] if form else []),
            *(f"--lua-filter={path}" for path in filters),
            *options,
        ]
        done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        said = re.sub(r"\s+", " ", done.stderr.split("stack traceback")[0]).strip()
        raise DataError(f"{name}: pandoc: {said}")
    return done.stdout
