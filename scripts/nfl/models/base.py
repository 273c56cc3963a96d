"""What all families share: the interface of a model, inputs, outcomes, settings."""

from __future__ import annotations

import difflib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from scripts.errors import DataError

Settings = Mapping[str, object]
PLAYED = pl.col("home_score").is_not_null() & pl.col("away_score").is_not_null()


class Model(ABC):
    """A fitted model of one target."""

    FILE: ClassVar[str]

    def predict(self, games: pl.DataFrame) -> np.ndarray:
        """P(outcome 1) of each row of `games`; NaN where the outcome is not defined (no line).

        Raises:
            DataError: `games` lacks a column that the model was fitted on.
        """
        if games.is_empty():
            return np.empty(0)
        with threadpool_limits(1):  # sums of other thread counts differ in their last digits
            return self._predict(games)

    @abstractmethod
    def _predict(self, games: pl.DataFrame) -> np.ndarray: ...

    @abstractmethod
    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`, the same bytes for the same model; the files written."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""


def need(games: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raise DataError where `games` lacks one of `columns`."""
    if missing := [name for name in columns if name not in games.columns]:
        raise DataError(f"games: no column {', '.join(missing)}; build the features again")


def matrix(games: pl.DataFrame, features: Sequence[str]) -> np.ndarray:
    """The features as float64, a row a game; null is NaN.

    Raises:
        DataError: a column is missing, or a value is infinite or no number.
    """
    need(games, features)
    try:
        values = games.select(pl.col(list(features)).cast(pl.Float64)).to_numpy(order="fortran")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"games: {str(error).splitlines()[0]}; features are numbers") from None
    values = values.reshape(games.height, len(features))  # of no features too
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise DataError(f"games: {features[column]} of row {row} is infinite; null means unknown")
    return values


def labelled(train: pl.DataFrame, target: str) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows of `train` whose target is known, and their outcomes (int64, 0 or 1).

    Raises:
        DataError: no such column, or the outcomes are not of both kinds, 0 and 1.
    """
    need(train, [target])
    known = train.filter(pl.col(target).is_not_null())
    outcome = known[target].cast(pl.Int64).to_numpy()
    if (found := sorted(set(outcome.tolist()))) != [0, 1]:
        raise DataError(f"train: {target} is {found} in {known.height} games; both 0 and 1 needed")
    return known, outcome


def chosen(model: str, defaults: Settings, settings: Settings) -> dict[str, object]:
    """`defaults` with `settings` in their place.

    Raises:
        DataError: a setting that the model does not have.
    """
    for name in settings:
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, 1)
            hint = f"did you mean {near[0]}" if near else f"there are {', '.join(defaults)}"
            raise DataError(f"{model}: no setting {name}; {hint}")
    return {**defaults, **settings}


def read_json(path: Path) -> dict:
    """Content of a JSON file.

    Raises:
        DataError: there is none, or it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}; fit the model again") from None
