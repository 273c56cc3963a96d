"""Rows that were refused, by partition, and where there are more of them than before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Counts = dict[str, dict]  # partition (lake/stocks_daily/2025-09) -> {rows_in, quarantined, reasons}


@dataclass(frozen=True)
class Growth:
    """A partition with more refused rows than before."""

    partition: str
    before: int
    now: int
    rows: int
    reasons: dict[str, int]  # those with more rows, and how many more

    def __str__(self) -> str:
        """One line."""
        why = ", ".join(f"{reason} +{more:,}" for reason, more in self.reasons.items())
        told = f"{self.partition}: {self.before:,} -> {self.now:,} of {self.rows:,} rows"
        return told + (f" ({why})" if why else "")


def refused(results: Path) -> Counts:
    """Counts of all partitions of a run: {domain}/reconcile/**/*.json; others are left out."""
    found: Counts = {}
    for path in sorted(results.glob("*/reconcile/**/*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            counts = {name: int(told[name]) for name in ("rows_in", "quarantined")}
            reasons = {str(k): int(v) for k, v in (told.get("reasons") or {}).items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # the sessions' accounts, or a file that is being replaced
        domain, _, *below = path.relative_to(results).with_suffix("").parts
        found["/".join([domain, *below])] = {**counts, "reasons": reasons}
    return found


def growth(before: Mapping[str, Mapping], now: Mapping[str, Mapping]) -> list[Growth]:
    """Partitions with more refused rows than before, new ones included; the most first."""
    found = []
    for partition, counts in now.items():
        old = before.get(partition, {})
        earlier, known = old.get("quarantined", 0), old.get("reasons", {})
        if counts["quarantined"] > earlier:
            more = {k: v - known.get(k, 0) for k, v in counts["reasons"].items()}
            reasons = {k: v for k, v in sorted(more.items(), key=lambda kv: -kv[1]) if v > 0}
            numbers = (earlier, counts["quarantined"], counts["rows_in"])
            found.append(Growth(partition, *numbers, reasons))
    return sorted(found, key=lambda one: one.before - one.now)
