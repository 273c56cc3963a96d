"""Check a notebook's LaTeX tables, by their text and, where it is there, by LaTeX itself."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.atomic import atomic
from scripts.book import table_checks
from scripts.errors import DataError


def check(
    *, tables: Sequence[Path], latex: bool, environment: Mapping[str, str], out: Path
) -> None:
    """Write {tables: [{table, rows}], compiled: whether LaTeX set each}.

    Args:
        tables: .tex files.
        latex: whether pdflatex is there to compile each alone.
        environment: variables of this process.
        out: report to write.

    Raises:
        DataError: file, line and fault of every table that is wrong; one that is no text.
    """
    texts = {str(path): _text(path) for path in tables}
    wrong = [
        f"{path}: {fault}" for path, text in texts.items() for fault in table_checks.faults(text)
    ]
    if latex and not wrong:
        refused = table_checks.compiled(texts, environment)
        wrong = [f"{path}: pdflatex: {error}" for path, error in refused.items()]
    if wrong:
        raise DataError("; ".join(wrong))
    listed = [
        {"table": Path(path).stem, "rows": len(re.findall(r"\\\\$", _body(text), re.M))}
        for path, text in texts.items()
    ]
    with atomic(out) as temporary:
        temporary.write_text(json.dumps({"tables": listed, "compiled": latex}, indent=1) + "\n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; make it anew") from None


def _body(text: str) -> str:
    return text.partition("\\midrule")[2]


if __name__ == "__main__":
    from scripts.book.retracting import retract
    from scripts.job import environment, job

    with job(snakemake):  # noqa: F821
        retract(map(Path, snakemake.params.retracts))  # noqa: F821
        check(
            tables=[Path(path) for path in snakemake.input.tables],  # noqa: F821
            latex=snakemake.params.latex,  # noqa: F821
            environment=environment(),
            out=Path(snakemake.output.report),  # noqa: F821
        )
