"""Compile every strategy's event loop once, so that no backtest waits for the compiler."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numba

from scripts.atomic import atomic
from scripts.ticks.backtest import backtest
from scripts.ticks.events import Events


def compile_all(*, strategies: Mapping[str, Mapping], cache: Path, out: Path) -> None:
    """Run each strategy over no events, which compiles its loop into numba's cache.

    Args:
        strategies: strategy -> parameters it can run with.
        cache: numba's cache folder of this version of the code; its siblings belong to other versions
            and are removed.
        out: JSON that names what was compiled, and with what.
    """
    empty = Events.of([], [], [], [])
    for strategy, parameters in strategies.items():
        backtest(strategy, empty, parameters)
    for stale in cache.parent.iterdir():
        if stale != cache:
            shutil.rmtree(stale, ignore_errors=True)
    with atomic(out) as temporary:
        report = {"strategies": sorted(strategies), "numba": numba.__version__}
        temporary.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        compile_all(
            strategies=snakemake.params.strategies,  # noqa: F821
            cache=Path(numba.config.CACHE_DIR),
            out=Path(snakemake.output.kernels),  # noqa: F821
        )
