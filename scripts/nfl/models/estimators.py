"""Models that scikit-learn fits, and how they are kept: skops, with the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
import skops.io
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.nfl.models import base

FILE = "model.skops"
TRUSTED = [  # of a file that this project wrote
    "numpy.dtype",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
]
PRESENT = 0.5  # share of the training games in which a feature must be known
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time a ZIP member can have
ID = re.compile(r'(?<="__id__": )\d+|\d+(?=\.npy")')


@dataclass(frozen=True)
class Estimated(base.Model):
    """A scikit-learn classifier and the features it reads."""

    FILE: ClassVar[str] = FILE
    features: list[str]
    estimator: ClassifierMixin

    def _predict(self, games: pl.DataFrame) -> np.ndarray:
        return self.estimator.predict_proba(base.matrix(games, self.features))[:, 1]

    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`; the files written."""
        return [dump({"features": self.features, "estimator": self.estimator}, folder / FILE)]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""
        return cls(**restore(folder / FILE))


def usable(train: pl.DataFrame, features: Sequence[str]) -> list[str]:
    """Those of `features` that `train` can teach: known in half of its games, and not constant.

    A feature that is null throughout (its source begins later) must not get a weight by chance. One
    that is null in most games is nearly constant once nulls are the median: its known values would
    be many standard deviations out.
    """
    values = base.matrix(train, features)
    known = ~np.isnan(values)
    return [
        name
        for name, column, there in zip(features, values.T, known.T, strict=True)
        if there.mean() >= PRESENT and len(np.unique(column[there])) > 1
    ]


def inputs() -> Pipeline:
    """Null is the training median, with a column that says so where training has nulls; then all
    are standardised."""
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
        ]
    )


def constant(outcome: np.ndarray) -> Estimated:
    """The model of no feature: the mean outcome."""
    estimator = DummyClassifier(strategy="prior")
    return Estimated([], estimator.fit(np.empty((len(outcome), 0)), outcome))


def dump(content: object, path: Path) -> Path:
    """Write `content` as skops without the addresses, times, stray memory of skops' own file."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(content))) as made:
        members = {info.filename: made.read(info) for info in made.infolist()}
    schema = members.pop("schema.json").decode()
    numbers: dict[str, str] = {}

    def number(found: re.Match) -> str:
        return numbers.setdefault(found[0], str(len(numbers) + 1))

    with (
        atomic(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
    ):
        text = ID.sub(number, schema)
        for name, data in members.items():
            stem, dot, ending = name.partition(".")
            file.writestr(_member(numbers.get(stem, stem) + dot + ending), _packed(data))
        file.writestr(_member("schema.json"), text)
    return path


def _packed(data: bytes) -> bytes:
    """An array file; between the fields of a record there may be anything: made 0."""
    if b"'descr': [" not in data[:64]:
        return data
    array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    clean, packed = np.zeros(array.shape, array.dtype), io.BytesIO()
    for name in array.dtype.names:
        clean[name] = array[name]
    np.lib.format.write_array(packed, clean, allow_pickle=False)
    return packed.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    """A member of the archive, of no particular time."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def restore(path: Path) -> dict:
    """What `dump` wrote; no other types than a model of ours has are loaded.

    Raises:
        DataError: there is no such file, or it is damaged or holds foreign types.
    """
    try:
        return skops.io.load(path, trusted=TRUSTED)
    except (
        *(OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError),
        skops.io.exceptions.UntrustedTypesFoundException,
    ) as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}; fit the model again") from None
