"""Snakemake logger plugin `almanac`: what failed and why, the locked folder, the run's events.

Enabled in the profile after rich (`logger: [rich, almanac]`); works alone too. It prints nothing
while Snakemake runs, only its last lines. Only the public logger interface is used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost a third of the time `unlock` takes
if TYPE_CHECKING:
    from snakemake_logger_plugin_almanac.handler import LogHandler as LogHandler


def __getattr__(name: str) -> object:
    """Import the handler only for Snakemake: `unlock`, run at every make, must stay light."""
    if name == "LogHandler":
        from snakemake_logger_plugin_almanac.handler import LogHandler

        return LogHandler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
