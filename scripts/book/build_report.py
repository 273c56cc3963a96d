"""How the book was built: seconds of each step, pages, warnings, tables, checksums, versions."""

import csv
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.atomic import atomic
from scripts.provenance import sha256

STYLE = """
body { margin: 2.5rem auto; max-width: 58rem; padding: 0 1.25rem; color: #1d2329;
  font: .92rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #d9dee3;
  vertical-align: top; }
td.n, th.n { text-align: right; } code { font-size: .8rem; overflow-wrap: anywhere; }
.ok, .built { color: #00704a; } .kept { color: #5b6670; } .warn { color: #b34700; }
.bar { background: #0072b2; height: .55rem;
  min-width: 1px; display: inline-block; }
.wide { overflow-x: auto; }
"""


def build(
    *,
    manifest: Path,
    documents: Sequence[Path],
    pdfs: Mapping[str, Path],
    tables: Sequence[Path],
    steps: Sequence[Sequence[str]],
    started: float,
    page: Path,
    report: Path,
) -> None:
    """Write the build report as HTML and JSON.

    Args:
        manifest: of the tools.
        documents: pages of notebooks and chapters.
        pdfs: PDF -> report of its checks.
        tables: reports of the checked tables.
        steps: (step, document, benchmark file of its job).
        started: when this run began, seconds since the epoch: jobs that ended before were kept.
        page: HTML to write.
        report: JSON to write: {engine, backend, versions, steps, pdfs, tables, files}.
    """
    told = {
        **json.loads(manifest.read_text()),
        "steps": [_step(*step, started) for step in steps],
        "pdfs": {path: json.loads(checks.read_text()) for path, checks in pdfs.items()},
        "tables": [
            {**table, "notebook": path.stem, "compiled": checked["compiled"]}
            for path in tables
            for checked in [json.loads(path.read_text())]
            for table in checked["tables"]
        ],
        "files": {str(path): sha256(path) for path in documents},
    }
    for out, text in ((page, _page(told)), (report, json.dumps(told, indent=1) + "\n")):
        with atomic(out) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _step(step: str, document: str, benchmark: str, started: float) -> dict[str, object]:
    """Status and seconds of a job, from its benchmark: built in this run, or kept from another."""
    path, told = Path(benchmark), {"step": step, "document": document}
    if not path.is_file():
        return {**told, "status": "kept", "seconds": None}
    with path.open(newline="") as file:
        row = next(csv.DictReader(file, delimiter="\t"))
    status = "built" if path.stat().st_mtime >= started else "kept"
    return {**told, "status": status, "seconds": float(row["s"])}


def _page(told: Mapping) -> str:
    seconds = [step["seconds"] or 0.0 for step in told["steps"]]
    warnings = [(p, w) for p, checks in told["pdfs"].items() for w in checks["warnings"]]
    count = f'<span class="{"warn" if warnings else "ok"}">{len(warnings)} warnings</span>'
    main = next((c for p, c in told["pdfs"].items() if p.endswith("main.pdf")), None)
    pages = f"{main['pages']} pages, " if main else ""
    built = sum(step["status"] == "built" for step in told["steps"])
    compiled = sum(table["compiled"] for table in told["tables"])
    parts = [
        f"<h1>Book: build report</h1><p>{pages}{count}, {len(told['tables'])} tables checked "
        f"({compiled} of them set by pdflatex alone), engine <b>{told['engine']}</b>, backend "
        f"<b>{told['backend']}</b>, {sum(seconds):.1f} s of work in {len(seconds)} steps, "
        f"{built} of them in this run.</p>",
        _table("PDFs", ("file", "pages", "warnings", "SHA-256"), _pdf_rows(told["pdfs"])),
        _table("Steps", ("step", "document", "status", "seconds", ""), _step_rows(told, seconds)),
    ]
    if warnings:
        parts.append(
            _table(
                "Warnings", ("file", "warning"), [[_code(p), html.escape(w)] for p, w in warnings]
            )
        )
    rows = [[_code(t["table"]), t["notebook"], f"{t['rows']}"] for t in told["tables"]]
    parts.append(_table("Tables", ("table", "notebook", "rows"), rows))
    versions = [[tool, value] for tool, value in told["versions"].items()]
    parts.append(_table("Versions", ("tool", "version"), versions))
    files = [[_code(path), _code(value)] for path, value in told["files"].items()]
    parts.append(_table("Pages", ("file", "SHA-256"), files))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Build report</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"


def _pdf_rows(pdfs: Mapping) -> list[list[str]]:
    return [
        [_code(path), str(c["pages"]), str(len(c["warnings"])), _code(c["sha256"])]
        for path, c in pdfs.items()
    ]


def _step_rows(told: Mapping, seconds: Sequence[float]) -> list[list[str]]:
    longest = max(seconds, default=1.0) or 1.0
    return [
        [
            step["step"],
            step["document"],
            f'<span class="{step["status"]}">{step["status"]}</span>',
            "" if step["seconds"] is None else f"{spent:.2f}",
            f'<span class="bar" style="width: {8 * spent / longest:.2f}rem"></span>',
        ]
        for step, spent in zip(told["steps"], seconds, strict=True)
    ]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A heading and a table; columns of numbers stand right."""
    right = [name in ("pages", "warnings", "seconds", "rows") for name in head]
    sides = [' class="n"' if r else "" for r in right]
    cells = "".join(f"<th{s}>{name}</th>" for s, name in zip(sides, head, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{s}>{c}</td>" for s, c in zip(sides, row, strict=True)) + "</tr>"
        for row in rows
    )
    table = f"<table>\n<tr>{cells}</tr>\n{body}\n</table>"
    return f'<h2>{title}</h2>\n<div class="wide">{table}</div>'


if __name__ == "__main__":
    from scripts.job import job, started

    with job(snakemake):  # noqa: F821
        build(
            manifest=Path(snakemake.input.manifest),  # noqa: F821
            documents=[Path(path) for path in snakemake.input.documents],  # noqa: F821
            pdfs=dict(
                zip(snakemake.input.pdfs, map(Path, snakemake.input.checks), strict=True)  # noqa: F821
            ),
            tables=[Path(path) for path in snakemake.input.tables],  # noqa: F821
            steps=snakemake.params.steps,  # noqa: F821
            started=started(),
            page=Path(snakemake.output.page),  # noqa: F821
            report=Path(snakemake.output.report),  # noqa: F821
        )
