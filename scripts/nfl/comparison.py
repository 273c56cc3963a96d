"""Table of a target's models: scores with bootstrap intervals, tests against references."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import norm
from scipy.stats import t as student

from scripts.errors import DataError
from scripts.multiplicity import holm
from scripts.nfl import evaluation
from scripts.nfl.week_samples import sampled
from scripts.tables import Column, schema_of

SPREAD_SD = 13.5  # points: SD of home margins around the closing line
CLOSING_LINE, BASE_RATE = "closing_line", "base_rate"
REFERENCES = (CLOSING_LINE, BASE_RATE)
LABELS = {
    "target": Column(pl.String, "home_win, home_cover or over_hit"),
    "features": Column(pl.String, "feature set; `reference`: needs no model"),
    "model": Column(pl.String, "family, or closing_line, base_rate"),
    "calibration": Column(pl.String, "none, platt or isotonic"),
}
KEYS = tuple(LABELS)
GAME = ("game_id", "season", "week", "date", "outcome", "probability")
LEVEL = 0.95
GAMES = Column(pl.Int64, "games, with outcome and probability")
BOUNDS = {"": "", "_low": f": lower bound, {LEVEL:.0%}", "_high": f": upper bound, {LEVEL:.0%}"}
AGAINST = {  # a reference
    "n": Column(pl.Int64, "games in common with {}"),
    "difference": Column(pl.Float64, "Brier score less that of {}; negative: better"),
    "difference_low": Column(pl.Float64, "the same against {}: lower bound, 95%"),
    "difference_high": Column(pl.Float64, "the same against {}: upper bound, 95%"),
    "statistic": Column(pl.Float64, "Diebold-Mariano statistic against {}"),
    "p": Column(pl.Float64, "its two-sided p-value"),
    "p_holm": Column(pl.Float64, "the p-value, Holm-adjusted over the models of the target"),
    "verdict": Column(pl.String, "better, worse or no difference at 5 % by p_holm"),
}
COLUMNS = {  # of the table of models
    **LABELS,
    "n": GAMES,
    **{
        f"{name}{end}": Column(pl.Float64, meaning + bound)
        for name, meaning in evaluation.MEANINGS.items()
        for end, bound in BOUNDS.items()
    },
    **{
        f"{name}_{end}": Column(column.dtype, column.meaning.format(name.replace("_", " ")))
        for name in REFERENCES
        for end, column in AGAINST.items()
    },
}
LAGS = 16  # games: about a week of them
DRAWS = 1000


class Test(NamedTuple):
    """Diebold-Mariano test: mean loss difference, its statistic, two-sided p-value."""

    difference: float
    statistic: float
    p: float


def references(games: pl.DataFrame, target: str) -> pl.DataFrame:
    """Predictions that need no model, with the columns KEYS and GAME.

    closing_line: of home_win Phi(spread_line / SPREAD_SD), else .5; null without line. base_rate:
    mean outcome of all EARLIER seasons; null in the first one.

    Args:
        games: game_id, season, week, date, the target's column, and spread_line for home_win; all
            seasons, also those before the first predicted one.
        target: home_win, home_cover or over_hit.
    """
    if target == "home_win":
        line = games["spread_line"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        priced = pl.Series(norm.cdf(line / SPREAD_SD)).fill_nan(None)
    else:
        priced = pl.repeat(0.5, games.height, dtype=pl.Float64, eager=True)
    seasons = (
        games.group_by("season")
        .agg(ones=pl.col(target).cast(pl.Int64).sum(), n=pl.col(target).count().cast(pl.Int64))
        .sort("season")
        .with_columns(pl.col("ones", "n").cum_sum().shift(1))
        .select("season", rate=pl.col("ones") / pl.when(pl.col("n") > 0).then("n"))
    )
    rated = games.join(seasons, on="season", how="left", maintain_order="left")["rate"]
    made = [
        games.select(
            target=pl.lit(target),
            features=pl.lit("reference"),
            model=pl.lit(name),
            calibration=pl.lit("none"),
            **{name: pl.col(name) for name in GAME[:4]},
            outcome=pl.col(target).cast(pl.Int8),
            probability=probability,
        )
        for name, probability in ((CLOSING_LINE, priced), (BASE_RATE, rated))
    ]
    return pl.concat(made).select(*KEYS, *GAME)


def compare(
    predictions: pl.DataFrame, *, draws: int = DRAWS, seed: int, lags: int = LAGS
) -> pl.DataFrame:
    """One row a model: its scores with 95 % intervals, and its Brier score against the references.

    Args:
        predictions: columns KEYS and GAME, a row a game and model, those of `references` among
            them. Games without outcome or probability are left out.
        draws: bootstrap samples of whole weeks (season, week).
        seed: of the samples. Models of the same games are scored on the same samples.
        lags: of the tests' variance, in games.

    Returns:
        `COLUMNS`; null of a reference against itself. In the order of KEYS, references last.

    Raises:
        DataError: no column, a game twice in a model, or outcomes that contradict one another.
    """
    _check(predictions)
    known = predictions.filter(
        pl.col("outcome").is_not_null() & pl.col("probability").is_not_nan().fill_null(False)
    ).sort(*KEYS, "date", "game_id")
    groups = dict(known.group_by(KEYS, maintain_order=True))
    standards = {
        (key[0], key[2]): frame.select("game_id", standard="probability")
        for key, frame in groups.items()
        if key[1] == "reference"
    }
    rows = []
    for key, games in groups.items():
        row = dict(zip(KEYS, key, strict=True)) | _scores(games, key[0], draws, seed)
        for name in REFERENCES:
            if (key[0], name) in standards and key[1:3] != ("reference", name):
                common = games.join(
                    standards[key[0], name], on="game_id", maintain_order="left", how="inner"
                )
                row |= _against(name, common, draws, seed, lags)
        rows.append(row)
    return _judged(pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row"))


def diebold_mariano(difference: np.ndarray, *, lags: int = LAGS, horizon: int = 1) -> Test:
    """Test of mean zero of a loss differential in time order (Diebold and Mariano 1995).

    Long-run variance with Bartlett weights 1 - k / (lags + 1) (Newey and West 1987); correction
    sqrt((n + 1 - 2h + h (h - 1) / n) / n) and t(n - 1) of Harvey, Leybourne and Newbold (1997).

    Args:
        difference: loss of one forecast less that of the other.
        lags: of autocovariances, at most n - 1.
        horizon: h, the steps ahead of the forecasts.

    Returns:
        statistic and p are NaN where the variance is 0 or n < 2.
    """
    n = len(difference)
    if n < 2:
        return Test(float(difference.mean()) if n else np.nan, np.nan, np.nan)
    centred = difference - difference.mean()
    lags = min(lags, n - 1)
    variance = centred @ centred / n
    for k in range(1, lags + 1):
        variance += 2 * (1 - k / (lags + 1)) * (centred[k:] @ centred[:-k]) / n
    mean = float(difference.mean())
    if variance <= 1e-14 * max(np.abs(difference).max() ** 2, 1e-300):
        return Test(mean, np.nan, np.nan)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = float(mean / np.sqrt(variance / n) * np.sqrt(correction))
    return Test(mean, statistic, float(2 * student.sf(abs(statistic), n - 1)))


def bootstrap(games: pl.DataFrame, target: str, *, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Metrics of each of `draws` samples of weeks with replacement; NaN where one is not defined.

    Args:
        games: season, week, outcome and probability, all known.
        target: as in `evaluation.metrics`.
    """
    y, p = (games[name].cast(pl.Float64).to_numpy() for name in ("outcome", "probability"))
    week, times = sampled(games, draws, seed)
    sums = _summed(week, np.column_stack([np.ones(len(y)), *evaluation.losses(y, p).values()]))
    totals = times @ sums
    found = {
        name: totals[:, place] / totals[:, 0] for place, name in enumerate(evaluation.MEANS, 1)
    }
    gaps = np.zeros((len(y), evaluation.BINS))
    gaps[np.arange(len(y)), evaluation.bins(p)] = p - y
    found["ece"] = np.abs(times @ _summed(week, gaps)).sum(axis=1) / totals[:, 0]
    found["auc"] = _auc(y, p, week, times)
    found["roi"] = np.full(draws, np.nan)
    if target in evaluation.BETS:
        money = times @ _summed(week, np.column_stack(evaluation.stakes(y, p)))
        np.divide(money[:, 0], money[:, 1], out=found["roi"], where=money[:, 1] > 0)
    return found


def _summed(week: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums of the columns of `values` by week."""
    return np.column_stack([np.bincount(week, column) for column in values.T])


def _auc(y: np.ndarray, p: np.ndarray, week: np.ndarray, times: np.ndarray) -> np.ndarray:
    """AUC of each draw: of pairs (1, 0), those with the 1 above, and half of the ties.

    The pairs are counted once, by the weeks of both: a draw has them as often as both its weeks.
    """
    weeks, one = times.shape[1], y == 1
    zeros = np.argsort(p[~one], kind="stable")
    below = np.zeros((len(zeros) + 1, weeks))  # zeros of each week among the lowest ones
    below[np.arange(1, len(below)), week[~one][zeros]] = 1
    below = np.cumsum(below, axis=0)
    sides = (np.searchsorted(p[~one][zeros], p[one], side=side) for side in ("left", "right"))
    above = sum(below[place] for place in sides) / 2
    pairs = np.zeros((weeks, weeks))
    np.add.at(pairs, week[one], above)
    found = np.full(len(times), np.nan)
    ones = times @ np.bincount(week[one], minlength=weeks)
    number = ones * (times @ below[-1])
    np.divide(((times @ pairs) * times).sum(axis=1), number, out=found, where=number > 0)
    return found


def _interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """Percentile interval of the draws where the value is defined."""
    values = values[~np.isnan(values)]
    if not len(values):
        return None, None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _scores(games: pl.DataFrame, target: str, draws: int, seed: int) -> dict:
    """Metrics of a model and their intervals."""
    found = dict(evaluation.metrics(games["outcome"], games["probability"], target=target))
    for name, values in bootstrap(games, target, draws=draws, seed=seed).items():
        found[f"{name}_low"], found[f"{name}_high"] = _interval(values)
    return found


def _against(name: str, common: pl.DataFrame, draws: int, seed: int, lags: int) -> dict:
    """Brier score of a model less that of a reference on the same games, and the test of it."""
    if not common.height:
        return {f"{name}_n": 0}
    y, p, q = (
        common[column].cast(pl.Float64).to_numpy()
        for column in ("outcome", "probability", "standard")
    )
    difference = (p - y) ** 2 - (q - y) ** 2
    test = diebold_mariano(difference, lags=lags)
    week, times = sampled(common, draws, seed)
    sums = times @ _summed(week, np.column_stack([difference, np.ones(len(y))]))
    low, high = _interval(sums[:, 0] / sums[:, 1])
    values = (len(y), test.difference, low, high, test.statistic, test.p)
    ends = ("n", "difference", "difference_low", "difference_high", "statistic", "p")
    return {
        f"{name}_{end}": None if value is None or np.isnan(value) else value
        for end, value in zip(ends, values, strict=True)
    }


def _judged(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with Holm's p-values and verdicts; references after the models of their target."""
    reference = pl.col("features") == "reference"
    for name in REFERENCES:
        adjusted = pl.col(f"{name}_p").map_batches(
            lambda p: pl.Series(holm(p.fill_null(np.nan).to_numpy())).fill_nan(None),
            return_dtype=pl.Float64,
        )
        table = table.with_columns(
            adjusted.over("target", reference).alias(f"{name}_p_holm")
        ).with_columns(
            pl.when(pl.col(f"{name}_p_holm").is_null())
            .then(None)
            .when(pl.col(f"{name}_p_holm") >= 0.05)
            .then(pl.lit("no difference"))
            .when(pl.col(f"{name}_difference") < 0)
            .then(pl.lit("better"))
            .when(pl.col(f"{name}_difference") > 0)
            .then(pl.lit("worse"))
            .alias(f"{name}_verdict")
        )
    return table.sort("target", reference, "features", "model", "calibration")


def _check(predictions: pl.DataFrame) -> None:
    """Raise DataError where the long frame of predictions cannot be compared."""
    if missing := [name for name in (*KEYS, *GAME) if name not in predictions.columns]:
        raise DataError(f"predictions: no column {', '.join(missing)}")
    twice = predictions.filter(pl.struct(*KEYS, "game_id").is_duplicated())
    if twice.height:
        row = twice.row(0, named=True)
        name = "/".join(row[key] for key in KEYS)
        raise DataError(f"predictions: {name} has game {row['game_id']} twice; give each run once")
    outcomes = predictions.group_by("target", "game_id").agg(
        pl.col("outcome").drop_nulls().n_unique()
    )
    if (wrong := outcomes.filter(pl.col("outcome") > 1).sort("target", "game_id")).height:
        row = wrong.row(0, named=True)
        raise DataError(
            f"predictions: game {row['game_id']} has two outcomes of {row['target']}; score again"
        )
