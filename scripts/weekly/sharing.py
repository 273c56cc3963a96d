"""Which batch a symbol is in; standard library only, for the plan and the jobs alike."""

from zlib import crc32


def batch_of(symbol: str, batches: int) -> int:
    """Batch of a symbol: the same however many others there are."""
    return crc32(symbol.encode()) % batches
