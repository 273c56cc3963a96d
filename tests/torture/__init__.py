"""Proof under fire: what a run survives. `make torture` plays it; see docs/torture.md."""
