"""Great-circle distances on the mean Earth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

RADIUS_KM = 6371.0088  # mean radius of the Earth (IUGG)


def distance_km(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distance in km between places, each against each as numpy broadcasts them.

    Haversine formula, which keeps its digits between near places (R. W. Sinnott, Sky and Telescope
    68, 1984, 159).

    Args:
        lat1, lon1, lat2, lon2: degrees north and east, as numbers, arrays or polars series without
            nulls; NaN gives NaN.
    """
    north1, east1, north2, east2 = (
        np.radians(np.asarray(x, dtype=np.float64)) for x in (lat1, lon1, lat2, lon2)
    )
    chord = (
        np.sin((north2 - north1) / 2) ** 2
        + np.cos(north1) * np.cos(north2) * np.sin((east2 - east1) / 2) ** 2
    )
    return 2 * RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
