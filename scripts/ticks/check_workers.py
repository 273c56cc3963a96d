"""One worker against all: the same backtests, the same bytes, and the time both take."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.ticks.backtest import backtest, keep_kernels
from scripts.ticks.events import read_events


def digest(run: Mapping, parquet: Path) -> str:
    """Hash of the fills of one backtest, its events read anew."""
    fills = backtest(run["strategy"], read_events(parquet), run["parameters"]).fills
    return hashlib.sha256(fills.tobytes()).hexdigest()


def compare(*, runs: Sequence[Mapping], folder: Path, workers: int, out: Path) -> dict:
    """Run all backtests with one thread, then with `workers`; the event loops hold no lock.

    Args:
        runs: {strategy, security, parameters} each.
        folder: holds `<security>.parquet`.
        workers: number of threads of the second pass.
        out: JSON {workers, runs, seconds_one, seconds_all, speed_up, identical}.

    Raises:
        DataError: a backtest gave other fills the second time.
    """
    files = [folder / f"{run['security']}.parquet" for run in runs]
    seconds, digests = [], []
    for run, file in zip(runs, files, strict=True):
        digest(run, file)  # compiled and in the cache of files before the clock runs
    for count in (1, workers):
        start = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            digests.append(list(pool.map(digest, runs, files)))
        seconds.append(time.perf_counter() - start)
    wrong = [run for run, one, many in zip(runs, *digests, strict=True) if one != many]
    if wrong:
        raise DataError(
            f"{wrong[0]['strategy']} on {wrong[0]['security']}: fills differ with {workers} workers"
        )
    report = {
        "workers": workers,
        "runs": len(runs),
        "seconds_one": round(seconds[0], 3),
        "seconds_all": round(seconds[1], 3),
        "speed_up": round(seconds[0] / seconds[1], 2),
        "identical": True,
    }
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    return report


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        keep_kernels(Path(snakemake.params.cache))  # noqa: F821
        compare(
            runs=snakemake.params.runs,  # noqa: F821
            folder=Path(snakemake.input.parquet[0]).parent,  # noqa: F821
            workers=snakemake.threads,  # noqa: F821
            out=Path(snakemake.output.report),  # noqa: F821
        )
