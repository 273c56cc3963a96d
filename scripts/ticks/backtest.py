"""Run a strategy by its name, and write what it did."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np

from scripts.atomic import atomic
from scripts.ticks.events import Events, Outcome

TRADE_TYPES = ("auction_entry", "vwap_exit", "stop_loss", "eod_flatten")
CLOCK = "exchange's local time, YYYY-MM-DD HH:MM:SS, with milliseconds where any fill has them"
# Columns of a trades CSV: the type that its text is of, and what it means.
QUOTING = {
    "timestamp": (str, f"time of the fill, {CLOCK}"),
    "side": (str, "buy or sell, ours"),
    "fill_price": (float, "price of the fill, AED"),
    "fill_qty": (int, "shares"),
    "realized_pnl": (float, "gain of what the fill closed, AED"),
    "position": (int, "shares held after the fill, negative: short"),
    "pnl": (float, "sum of realized_pnl so far, AED"),
}
CLOSING = {
    "timestamp": (str, f"time of the fill, {CLOCK}"),
    "side": (str, "buy or sell, ours"),
    "price": (float, "price of the fill, AED"),
    "quantity": (int, "shares"),
    "realized_pnl": (float, "gain of what the fill closed, AED"),
    "trade_type": (str, ", ".join(TRADE_TYPES)),
    "vwap_reference": (
        float,
        "the VWAP before the close that the orders are set by, AED",
    ),
    "security": (str, "the security"),
}


def keep_kernels(cache: Path) -> None:
    """Have numba keep compiled loops in `cache`-<processor>; call it before importing a strategy.

    Each kind of processor has its own folder: numba numbers its files without a lock, so on a
    shared file system nodes that differ could give their machine codes the same name.
    """
    kind = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    processor = hashlib.sha256(kind.encode()).hexdigest()[:8]
    numba.config.CACHE_DIR = f"{cache.absolute()}-{processor}"


def backtest(strategy: str, events: Events, parameters: Mapping) -> Outcome:
    """Replay `events` through `scripts/ticks/strategies/<strategy>.py` with `parameters`."""
    module = import_module(f"scripts.ticks.strategies.{strategy}")
    return module.simulate(events, parameters)


def clock_text(timestamp: np.ndarray) -> list[str]:
    """Times (ns since the epoch) as `YYYY-MM-DD HH:MM:SS`, with milliseconds where any has them."""
    unit = "s" if not np.any(timestamp % 1_000_000_000) else "ms"
    text = np.datetime_as_string(timestamp.astype("datetime64[ns]"), unit=unit)
    return [stamp.replace("T", " ") for stamp in text]


def write_trades(fills: np.ndarray, security: str, out: Path) -> None:
    """Write fills as CSV (spec section 4, raw): execution order, LF, floats as their shortest repr.

    Args:
        fills: `engine.FILLS`, or `closing.FILLS` (then `trade_type`, `vwap_reference` and
            `security` stand in the place of `position` and `pnl`).
    """
    stamps = clock_text(fills["timestamp"])
    sides = ["buy" if sign > 0 else "sell" for sign in fills["side"]]
    common = [fills[c].tolist() for c in ("price", "quantity", "realized_pnl")]
    if "trade_type" in fills.dtype.names:
        header = CLOSING
        kinds = [TRADE_TYPES[k] for k in fills["trade_type"]]
        rest = [kinds, fills["vwap_reference"].tolist(), [security] * len(fills)]
    else:
        header = QUOTING
        rest = [fills["position"].tolist(), fills["pnl"].tolist()]
    with atomic(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(stamps, sides, *common, *rest, strict=True))


def write_counts(counts: Mapping, out: Path) -> None:
    """Write the counts of a run as JSON."""
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(counts, indent=1) + "\n")
