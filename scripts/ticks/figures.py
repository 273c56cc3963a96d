"""Names of the strategies for people."""

from __future__ import annotations

NAMES = {
    "v1_baseline": "v1 baseline",
    "v2_price_follow_qty_cooldown": "v2 price follow",
    "v2_1_stop_loss": "v2.1 stop-loss",
    "v3_liquidity_monitor": "v3 liquidity monitor",
    "closing_strategy": "closing auction",
}


def title_of(strategy: str) -> str:
    """A strategy's name for people."""
    return NAMES.get(strategy, strategy.replace("_", " "))
