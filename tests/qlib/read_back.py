"""What pyqlib itself reads from a folder in its format. Run by the Python of `.venv-qlib`.

Usage: python read_back.py FOLDER OUT

OUT, a numpy file (npz), gets
    calendar        dates, text
    instruments     name, start, end of each line of instruments/all.txt, text
    fields          the fields of the export, then the 158 factors of Alpha158
    symbol, date    of each row of `values`, text
    values          float32, a column per field
"""

from __future__ import annotations

import sys

import numpy as np
import qlib
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import D

STORED = ["open", "high", "low", "close", "volume", "vwap", "factor", "change", "transactions"]
STORED += ["total_return_factor", "volatility_20d", "volume_ratio_20d"]


def main(folder: str, out: str) -> None:
    qlib.init(provider_uri=folder, region="us", kernels=1, logging_level="WARNING")
    everything = D.instruments("all")
    listed = D.list_instruments(everything, as_list=False)
    factors, names = Alpha158DL.get_feature_config()
    expressions = [f"${name}" for name in STORED] + factors
    found = D.features(everything, expressions, freq="day")
    np.savez(
        out,
        calendar=[str(day.date()) for day in D.calendar(freq="day")],
        instruments=[
            (name, str(start.date()), str(end.date()))
            for name, spans in listed.items()
            for start, end in spans
        ],
        fields=STORED + names,
        symbol=found.index.get_level_values("instrument").to_numpy(str),
        date=found.index.get_level_values("datetime").strftime("%Y-%m-%d").to_numpy(str),
        values=found.to_numpy(np.float32),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
