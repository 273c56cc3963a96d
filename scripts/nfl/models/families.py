"""The families of models by name. A family is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import polars as pl
from threadpoolctl import threadpool_limits

from scripts.errors import DataError
from scripts.nfl.models.base import Model, Settings

FILES = {  # model -> the file it is kept in
    "forest": "model.skops",
    "glm": "model.skops",
    "mlp": "model.skops",
    "skellam": "model.skops",
    "stack": "model.json",
    "state_space": "model.json",
    "xgboost": "model.ubj",
}


def fit(
    model: str,
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str = "cpu",
    settings: Settings | None = None,
) -> Model:
    """Fit a model of P(target = 1), single-threaded: the same model for the same input.

    Args:
        model: key of FILES.
        train: rows of nfl/features/games.parquet, in time order. Rows without a known target are
            not learned from, but for their scores by state_space and skellam.
        target: home_win, home_cover or over_hit (state_space: not over_hit).
        features: columns that are read. stack: the base models' out-of-sample probabilities.
        seed: of what is drawn (forest, mlp, xgboost).
        device: cpu, or cuda (xgboost).
        settings: those of the family that differ from its DEFAULTS.

    Raises:
        DataError: no such model, setting or column; outcomes of one kind only; values that are
            not numbers.
    """
    family = module(model)
    with threadpool_limits(1):
        return family.fit(
            train,
            target=target,
            features=features,
            seed=seed,
            device=device,
            settings=settings or {},
        )


def load(model: str, folder: Path) -> Model:
    """The model that was saved in `folder`; it predicts what the saved one did.

    Raises:
        DataError: no such model, or no readable file of it.
    """
    return module(model).Model.load(folder)


def module(model: str) -> ModuleType:
    """The module of a family, with `fit`, `Model` and `DEFAULTS`.

    Raises:
        DataError: no such model.
    """
    if model == "forest":
        from scripts.nfl.models import forest as family
    elif model == "glm":
        from scripts.nfl.models import glm as family
    elif model == "mlp":
        from scripts.nfl.models import mlp as family
    elif model == "skellam":
        from scripts.nfl.models import skellam as family
    elif model == "stack":
        from scripts.nfl.models import stack as family
    elif model == "state_space":
        from scripts.nfl.models import state_space as family
    elif model == "xgboost":
        from scripts.nfl.models import boosting as family
    else:
        raise DataError(f"no model {model}; there are {', '.join(FILES)}")
    return family
