"""The vendor that config names, as the scripts of the lake need it: a store and an API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from scripts.errors import DataError
from scripts.lake.landing import Store
from scripts.patience import log_retries

if TYPE_CHECKING:
    from scripts.lake.rest import Api

KEYS = ("MASSIVE_API_KEY", "POLYGON_API_KEY")  # the first that is set
BASE_VARIABLE = "MASSIVE_API_BASE"


def open_store(vendor: str, seed: int) -> Store:
    """The vendor's flat files.

    Args:
        vendor: `massive` (settings from the standard AWS environment) or `simulator`.
        seed: of the simulated market.

    Raises:
        DataError: no such vendor. Missing credentials show at the first request only, so that
            adopting files needs none.
    """
    from scripts.lake.store import S3Store, SimulatedStore

    if is_simulated(vendor):
        return SimulatedStore(seed)
    log_retries()
    return S3Store()


def open_api(vendor: str, seed: int, as_of: str, environment: Mapping[str, str]) -> Api:
    """The vendor's REST API.

    Args:
        vendor: `massive` or `simulator`.
        seed: of the simulated market.
        as_of: YYYY-MM-DD; the simulator tells nothing of later days.
        environment: MASSIVE_API_KEY (else POLYGON_API_KEY), and maybe MASSIVE_API_BASE.

    Raises:
        DataError: no such vendor, no key, or an unusable one.
    """
    from scripts.lake.rest import BASE, Api  # not at the top: landing files needs no HTTP client

    if is_simulated(vendor):
        from scripts.lake.simulated_api import SimulatedTransport

        transport = SimulatedTransport(seed, date.fromisoformat(as_of))
        return Api(base=BASE, key="simulated", transport=transport, wait_s=0)
    key = next(filter(None, (environment.get(name, "").strip() for name in KEYS)), None)
    if key is None:
        raise DataError(
            f"no key for the vendor's REST API: set {KEYS[0]} in the environment (or {KEYS[1]})"
        )
    log_retries()
    return Api(base=environment.get(BASE_VARIABLE) or BASE, key=key)


def is_simulated(vendor: str) -> bool:
    """Whether `vendor` is the simulated market.

    Raises:
        DataError: there is no such vendor.
    """
    if vendor not in ("massive", "simulator"):
        raise DataError(f"lake.vendor: no vendor {vendor!r}; there are massive and simulator")
    return vendor == "simulator"
