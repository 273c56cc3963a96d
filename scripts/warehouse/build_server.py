"""An empty PostgreSQL cluster for the warehouse -> server/data/cluster.json."""

import json
import subprocess
from pathlib import Path

from scripts.errors import DataError
from scripts.tables import write_json
from scripts.warehouse import programs


def build(folder: Path, out: Path) -> str:
    """Make the cluster, or know again the one that is there.

    Args:
        folder: of the server.
        out: {version, system_identifier}, inside the cluster: gone when that is.

    Returns:
        one line for the log.

    Raises:
        DataError: see `programs.initialise`.
    """
    new = programs.initialise(folder)
    told = subprocess.run(
        [str(programs.client("pg_controldata")), str(folder / "data")],
        check=False,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C"},
    )
    lines = dict(line.split(":", 1) for line in told.stdout.splitlines() if ":" in line)
    if "Database system identifier" not in lines:
        raise DataError(f"{folder}: no PostgreSQL cluster ({told.stderr.strip()}); remove {folder}")
    identifier = lines["Database system identifier"].strip()
    write_json({"version": programs.version(), "system_identifier": identifier}, out)
    return json.dumps({"new": new, "user": programs.account().name})


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                folder=Path(snakemake.params.folder),  # noqa: F821
                out=Path(snakemake.output.cluster),  # noqa: F821
            ),
        )
