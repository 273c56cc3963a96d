"""A run of all domains but the warehouse, as small as they can be."""

from __future__ import annotations

from tests.workflow import books
from tests.workflow.lakes import SMALL
from tests.workflow.nfls import SMALLEST, tiny
from tests.workflow.project import TINY

RUN = "small"
CONFIG = {
    **tiny(**SMALLEST, **books.SEASONS),
    "run": RUN,
    "lake": SMALL["lake"],
    "weekly": {
        "input": "simulator",
        "batches": 2,
        "lags": {"weeks": [1], "columns": ["w_ret"]},
        "simulator": {"weeks": 60},
    },
    "ticks": {
        **TINY["ticks"],
        "modes": ["parity", "realistic"],
        "sweeps": {"v1_baseline": {"refill_interval_sec": [60, 180]}},
    },
    "book": books.BOOK,
}
