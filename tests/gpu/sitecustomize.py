"""Stands in for a graphics card: XGBoost takes `device: cuda`, trains on the CPU, and notes when.

Python imports a module of this name by itself, so it is enough that this folder is on PYTHONPATH.

ALMANAC_GPU_RECORD: file that gets a line of JSON for each fit, on any device: device, start and
    end (monotonic seconds, the same clock in all processes), pid, max_depth.
ALMANAC_GPU_SECONDS: how long a fit takes at least; .5 without it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

RECORD = os.environ.get("ALMANAC_GPU_RECORD")
SECONDS = float(os.environ.get("ALMANAC_GPU_SECONDS", ".5"))


def stand_in(xgboost: ModuleType) -> None:
    """Put a train function of the same kind in place of XGBoost's own."""
    train = xgboost.train

    def timed(parameters: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        start = time.monotonic()
        fitted = train({**parameters, "device": "cpu"}, *args, **kwargs)
        time.sleep(SECONDS)
        told = {
            "device": parameters.get("device", "cpu"),
            "start": start,
            "end": time.monotonic(),
            "pid": os.getpid(),
            "max_depth": parameters.get("max_depth"),
        }
        line = (json.dumps(told) + "\n").encode()
        file = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line)  # one write: lines of several jobs do not mix
        os.close(file)
        return fitted

    xgboost.train = timed
    xgboost.build_info = lambda: {"USE_CUDA": True}


class Finder(importlib.abc.MetaPathFinder):
    """Finds xgboost as always, and changes it once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of xgboost, whose loader ends with `stand_in`; of anything else None."""
        if name != "xgboost":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            stand_in(module)

        spec.loader.exec_module = exec_module
        return spec


if RECORD:
    sys.meta_path.insert(0, Finder())
