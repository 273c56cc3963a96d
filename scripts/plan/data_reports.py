"""Small formats of the book, the warehouse and runs themselves; the others: data_formats.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SIMULATED = "whether anything that it rests on is simulated"


EVENTS = {  # key of the event: what it tells
    "workflow_started": "snakemake_version, python_version, platform, host, snakefile_main",
    "rulegraph": "rules, links [[from, to]] of the whole graph of what was asked for",
    "resources_info": "cores; or resources {name: limit}",
    "run_info": "rules {rule: jobs}, total",
    "job_info": "jobid, rule, wildcards, threads, resources, inputs (number), output, log, "
    "benchmark, reason",
    "job_started": "jobids",
    "job_finished": "jobid, rule, seconds, after (jobs whose output it read), run_s, cpu_s, "
    "peak_mib, host (the machine); null where unknown",
    "job_error": "jobid, rule, wildcards, cause, log, attempt",
    "error": "exception, message: what Snakemake said of it, in a line",
    "run_finished": "status (ok, failed), done, total, seconds, critical (rule or null); none: "
    "the run goes on, or was killed",
}


class Format(NamedTuple):
    """JSON files of one kind; a key that ends with `?` may be absent.

    Args:
        places: paths below results/<run>/, see `data_dictionary.described`.
        source: the script.
        about: what it holds, in a line.
        fields: key -> meaning; `<...>`: any keys.
    """

    places: tuple[str, ...]
    source: str
    about: str
    fields: Mapping[str, str]


REPORTS = (
    Format(
        ("book/values/*.json",),
        "scripts/book/desk.py",
        "numbers that prose quotes",
        {"<name>": "{value, unit, format (of Python), source (document), simulated}"},
    ),
    Format(
        ("book/manifest.json",),
        "scripts/book/build_manifest.py",
        "what made the book",
        {
            "engine": "engine that renders it",
            "backend": "typst or latex",
            "versions": "{package: version}",
        },
    ),
    Format(
        ("book/checks/main.json", "book/checks/chapters/*.json"),
        "scripts/book/compiling.py",
        "a PDF as it was checked",
        {
            "pages": "pages",
            "warnings": "what the typesetter says",
            "sha256": "checksum of the PDF",
            "backend": "typst or latex",
        },
    ),
    Format(
        ("book/checks/tables/*.json",),
        "scripts/book/check_tables.py",
        "the tables of a document as they were checked",
        {"tables": "[{table, rows}]", "compiled": "whether LaTeX set them, where there is one"},
    ),
    Format(
        ("book/xref.json",),
        "scripts/book/build_xref.py",
        "numbers of figures, tables, sections and equations",
        {"<label>": "{document, text: Figure 3.2}"},
    ),
    Format(
        ("book/report.json",),
        "scripts/book/build_report.py",
        "how the book was built",
        {
            "engine": "as in manifest.json",
            "backend": "likewise",
            "versions": "likewise",
            "steps": "[{step, document, status, seconds}]",
            "pdfs": "PDFs with pages, warnings and checksums",
            "tables": "tables with their rows",
            "files": "other files with their checksums",
        },
    ),
    Format(
        ("warehouse/schema.json",),
        "scripts/warehouse/apply_migrations.py",
        "the migrations that the database has",
        {
            "server": "the server, without any secret",
            "run": "the run whose results it holds",
            "migrations": "[{number, name, sha256}]",
        },
    ),
    Format(
        ("warehouse/receipts/season=*.json",),
        "scripts/warehouse/load_season.py",
        "a season as it was loaded",
        {
            "season": "the season",
            "seconds": "how long it took, s",
            "tables": "{table: {rows, sha256}}",
        },
    ),
    Format(
        tuple(
            f"warehouse/receipts/{table}.json"
            for table in (
                *("games", "odds", "player_games", "players"),
                *("plays", "rosters", "team_epa", "weather"),
            )
        ),
        "scripts/warehouse/loading.py",
        "a table as it was loaded",
        {
            "table": "the table",
            "rows": "rows",
            "seconds": "how long it took, s",
            "sha256?": "checksum of the rows, of a table that is loaded whole",
            "seasons?": "{season: {rows, sha256}}",
        },
    ),
    Format(
        ("warehouse/views.json",),
        "scripts/warehouse/views.py",
        "the refreshed views",
        {"views": "[{view, rows, seconds, concurrently}]"},
    ),
    Format(
        ("warehouse/consistency.json",),
        "scripts/warehouse/check_consistency.py",
        "the warehouse against the parquet",
        {
            "config_hash": "hash of the config of nfl",
            "run": "the run",
            "simulated": SIMULATED,
            "version": "version of the project",
            "checks": "[{check, got, limit, n, pass, note}]",
        },
    ),
    Format(
        ("warehouse/environments/*/*.json",),
        "scripts/warehouse/build_environment.py",
        "an environment as it is before a migration",
        {"<key>": "how it was seeded"},
    ),
    Format(
        ("warehouse/migration_test/*/*/*.json",),
        "scripts/warehouse/steps.py",
        "a step of the test of a migration",
        {
            "migration": "its name",
            "environment": "environment of the copy",
            "step": "snapshot, apply, validate, integration or drop",
            "ok": "whether it went well; null: not reached",
            "causes": "why the migration is unsafe",
            "seconds": "how long it took, s",
            "<more>?": "what the step tells besides",
        },
    ),
    Format(
        ("warehouse/migration_test/*/verdict.json",),
        "scripts/warehouse/score_verdict.py",
        "the verdict on a migration",
        {
            "migration": "its name",
            "verdict": "SAFE or UNSAFE",
            "causes": "why it is unsafe",
            "seconds": "{environment: s}",
            "environments": "{environment: {step: {ok, seconds}}}",
        },
    ),
    Format(
        ("warehouse/backups/latest.json", "warehouse/backups/*/manifest.json"),
        "scripts/warehouse/backup_database.py",
        "a backup",
        {
            "backup": "its folder",
            "server": "the server, without any secret",
            "files": "[{path, bytes, sha256}]",
            "rows": "rows in all",
            "restored": "whether it was restored and compared",
            "seconds": "how long it took, s",
            "sums": "{table: {rows, checksum}}",
        },
    ),
    Format(
        ("warehouse/backups/check.json",),
        "scripts/warehouse/check_backups.py",
        "all backups as they were found whole",
        {"backups": "{backup: {files, bytes}}"},
    ),
    Format(
        ("events/*.jsonl",),
        "plugin/snakemake_logger_plugin_almanac/events.py",
        "history of a run, an object a line",
        {
            "time": "time of the event, UTC",
            "event": "what happened, and with it:",
            **EVENTS,
        },
    ),
)
