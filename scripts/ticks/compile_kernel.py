"""Compile the event loop of one strategy, so that no backtest waits for the compiler."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import numba

from scripts.atomic import atomic
from scripts.ticks.backtest import backtest, keep_kernels
from scripts.ticks.events import Events


def compile_kernel(*, strategy: str, cache: Path, out: Path) -> None:
    """Run a strategy over no events, which compiles its loop into numba's cache.

    Args:
        strategy: module in `scripts/ticks/strategies`.
        cache: folder for the compiled loop, `<strategy>-<version of the code>`, as given to
            `keep_kernels`; the folders of other versions beside it are removed.
        out: JSON that names what was compiled, and with what.
    """
    module = import_module(f"scripts.ticks.strategies.{strategy}")
    # Any values do: a compiled loop depends on the types of its arguments alone.
    parameters = {name: "ADX" if "exchange" in name else 1 for name in module.PARAMETERS}
    backtest(strategy, Events.of([], [], [], []), parameters)
    for other in cache.parent.glob(f"{strategy}-*"):
        if not other.name.startswith(cache.name):
            shutil.rmtree(other, ignore_errors=True)
    with atomic(out) as temporary:
        report = {"strategy": strategy, "numba": numba.__version__}
        temporary.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        keep_kernels(Path(snakemake.params.cache))  # noqa: F821
        compile_kernel(
            strategy=snakemake.wildcards.strategy,  # noqa: F821
            cache=Path(snakemake.params.cache),  # noqa: F821
            out=Path(snakemake.output.kernel),  # noqa: F821
        )
