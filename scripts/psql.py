"""`make sql`: the warehouse of a run, asked in SQL; its server runs as long as psql does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from scripts.errors import DataError
from scripts.job import environment
from scripts.plan.warehouse import names_server
from scripts.warehouse import copies, programs, server, stopping


def main(arguments: list[str]) -> int:
    """Run psql.

    Args:
        arguments: the run's name, then what psql is given.

    Returns:
        status of psql; 1 where the warehouse is not there.
    """
    run, *given = arguments
    folder = Path("results") / run / "warehouse" / "server"
    try:
        own = names_server(environment())
        place = server.warehouse(folder, environment(), os.getpid(), own=own)
        variables = {**environment(), **copies.environment(place), "PGAPPNAME": "psql"}
        variables.pop("LC_ALL")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # psql's own: it cancels a query
        command = [str(programs.client("psql")), *given]
        return subprocess.run(command, env=variables, check=False).returncode
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        if stopping.state(folder).get("owner") == os.getpid():
            stopping.stop(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
