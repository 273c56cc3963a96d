"""The comparison of models as readers see it: fewer columns, intervals and verdicts as text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import norm

from scripts.errors import DataError
from scripts.nfl import evaluation
from scripts.nfl.comparison import REFERENCES, SPREAD_SD
from scripts.nfl.models import families
from scripts.nfl.models.base import read_json
from scripts.research import paired

NAMES = {
    "glm": "GLM",
    "xgboost": "boosted trees",
    "forest": "random forest",
    "mlp": "neural net",
    "state_space": "state space",
    "skellam": "Skellam",
    "stack": "stack",
    "closing_line": "closing line",
    "base_rate": "base rate",
}
LEAKS = ("truncation", "own_score", "time_order", "win_below_line")  # then these, and all MARKET
MARKET = ("cover_", "residual_sd", "line_brier", "line_log_loss", "line_auc", "band_")
CALIBRATIONS = ("none", "platt", "isotonic")


LINE = "spread_line"


class Sets(NamedTuple):
    """A feature set without closing lines, and one that holds them."""

    plain: str
    full: str


class Moneyline(NamedTuple):
    """The moneyline's probability without the bookmaker's margin beside the closing line's."""

    moneyline: dict[str, float]  # metrics of evaluation.metrics; n is that of both
    line: dict[str, float]
    difference: paired.Interval  # Brier score, moneyline less line


def read(path: Path) -> pl.DataFrame:
    """A table of nfl/tables, in which columns that are empty at first may hold numbers later."""
    return pl.read_csv(path, infer_schema_length=None)


def interval(low: float | None, high: float | None, spec: str) -> str:
    """Both ends as text, or a dash where one is not known."""
    if low is None or high is None:
        return "\u2013"
    return f"[{low:{spec}}, {high:{spec}}]".replace("-", "\u2212")


def sets(models: Iterable[Path]) -> Sets:
    """Which feature set knows no closing line, and which does: by what their GLM reads.

    Args:
        models: nfl/models/home_win/{features}/glm/none/season={year}/model.skops; the last season
            of each set is looked at. Of several sets of a kind the first by name.

    Raises:
        DataError: a kind has no set.
    """
    last = {path.parts[-5]: path.parent for path in sorted(models)}
    lines = {name: LINE in families.load("glm", last[name]).features for name in sorted(last)}
    found = []
    for kind, words in ((False, "without"), (True, "with")):
        if not (names := [name for name, has in lines.items() if has == kind]):
            raise DataError(f"feature sets {', '.join(lines)}: none {words} {LINE}")
        found.append(names[0])
    return Sets(*found)


def row(models: pl.DataFrame, model: str, features: str) -> dict:
    """The row of one model.

    Args:
        models: rows of nfl/tables/models.csv of one target and calibration.
        model, features: of nfl/tables/models.csv.

    Raises:
        DataError: none or several.
    """
    found = models.filter((pl.col("model") == model) & (pl.col("features") == features))
    if found.height != 1:
        raise DataError(f"{found.height} rows of {model} on {features}; expected one")
    return found.row(0, named=True)


def moneyline(games: pl.DataFrame, *, draws: int, seed: int) -> Moneyline:
    """Score the moneyline against the closing line of the same games.

    Args:
        games: season, week, home_win, spread_line, and market_prob (the implied probabilities of
            both sides, scaled to sum to 1), of the tested seasons; a null leaves a game out.
        draws, seed: of the interval, which is over weeks.

    Raises:
        DataError: no game has all of them.
    """
    known = games.drop_nulls(["home_win", LINE, "market_prob"])
    if known.is_empty():
        raise DataError(f"{games.height} games, none with outcome, spread and moneylines")
    won = known["home_win"].cast(pl.Float64).to_numpy()
    prices = known["market_prob"].to_numpy()
    lines = norm.cdf(known[LINE].to_numpy() / SPREAD_SD)
    apart = np.square(prices - won) - np.square(lines - won)
    return Moneyline(
        evaluation.metrics(won, prices, target="home_win"),
        evaluation.metrics(won, lines, target="home_win"),
        paired.by_weeks(apart, known, draws=draws, seed=seed),
    )


def together(apart: pl.DataFrame) -> float | None:
    """Mean correlation over seasons between families' differences; None where there is none.

    Args:
        apart: season, model, apart; a row a season and model. Seasons that a family lacks are left
            out for all.
    """
    wide = apart.pivot(on="model", index="season", values="apart").drop("season").drop_nulls()
    if wide.height < 3 or wide.width < 2:
        return None
    found = np.corrcoef(wide.to_numpy(), rowvar=False)
    return float(found[np.triu_indices(wide.width, 1)].mean())


def of_target(models: pl.DataFrame, target: str, features: str) -> pl.DataFrame:
    """Models of a target without calibration, on one feature set, then the references.

    Args:
        models: nfl/tables/models.csv.
        target: home_win, home_cover or over_hit.
        features: name of the feature set.

    Returns:
        model (in words), n, brier, brier_interval, auc, difference (Brier less the closing line's,
        on common games), difference_interval, verdict (by Holm's p), simulated; by shown
        name, references last.

    Raises:
        DataError: no such model.
    """
    part = models.filter(
        (pl.col("target") == target)
        & (pl.col("calibration") == "none")
        & pl.col("features").is_in([features, "reference"])
    ).sort(pl.col("features") == "reference", shown())
    if part.filter(pl.col("features") == features).is_empty():
        raise DataError(f"no model of {target} on {features}; the comparison has none")
    rows = [
        {
            "model": NAMES.get(row["model"], row["model"]),
            "n": row["n"],
            "brier": row["brier"],
            "brier_interval": interval(row["brier_low"], row["brier_high"], ".4f"),
            "auc": row["auc"],
            "difference": row["closing_line_difference"],
            "difference_interval": interval(
                row["closing_line_difference_low"], row["closing_line_difference_high"], "+.4f"
            ),
            "verdict": row["closing_line_verdict"],
            "simulated": row["simulated"] or row["closing_line_simulated"],
        }
        for row in part.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def shown() -> pl.Expr:
    """The name under which readers see a model, in small letters: what tables are sorted by."""
    return pl.col("model").replace(NAMES).str.to_lowercase()


def calibrations(models: pl.DataFrame, target: str, features: str) -> pl.DataFrame:
    """Calibration error and Brier score of each family with each calibration.

    Returns:
        model (in words), then ece_{calibration} and brier_{calibration}, null where there is none.
    """
    part = models.filter((pl.col("target") == target) & (pl.col("features") == features))
    kinds = [kind for kind in CALIBRATIONS if kind in part["calibration"].to_list()]
    if not kinds:
        raise DataError(f"no model of {target} on {features}; the comparison has none")
    table = part.select("model").unique().sort(shown())
    for score in ("ece", "brier"):
        for kind in kinds:
            own = part.filter(pl.col("calibration") == kind)
            own = own.select("model", pl.col(score).alias(f"{score}_{kind}"))
            table = table.join(own, on="model", how="left", maintain_order="left")
    return table.with_columns(pl.col("model").replace(NAMES))


def verdicts(models: pl.DataFrame, target: str, reference: str) -> str:
    """How many models of a target are better, worse, or neither: `0 better, 3 no difference, ...`.

    Args:
        models: nfl/tables/models.csv.
        target: whose models.
        reference: closing_line or base_rate.
    """
    told = models.filter(
        (pl.col("target") == target) & ~pl.col("model").is_in(list(REFERENCES))
    ).get_column(f"{reference}_verdict")
    counts = [f"{(told == kind).sum()} {kind}" for kind in ("better", "no difference", "worse")]
    return ", ".join(counts)


def checks(paths: Iterable[Path]) -> pl.DataFrame:
    """The checks that guard against leaks and wrong signs, as far as the run has them.

    Args:
        paths: nfl/checks/*.json.

    Returns:
        check, note, got and limit as text, n, holds (whether it passed), simulated; at least a row.

    Raises:
        DataError: none of them is there.
    """
    found = [read_json(path) for path in sorted(paths)]
    order = {name: place for place, name in enumerate(LEAKS)}
    own = [c for c in found if c["check"] in LEAKS or c["check"].startswith(MARKET)]
    if not own:
        raise DataError(f"{len(found)} checks, none against leaks; build nfl again")
    own.sort(key=lambda c: (order.get(c["check"], len(order)), c["check"]))
    return pl.DataFrame(
        [
            {
                "check": check["check"].replace("_", " "),
                "note": check["note"],
                "got": _text(check["got"]),
                "limit": _text(check["limit"]),
                "n": check["n"],
                "holds": check["pass"],
                "simulated": check["simulated"],
            }
            for check in own
        ],
        infer_schema_length=None,
    )


def _text(value: object) -> str:
    """A number with what digits it needs; a pair of limits, of which one may be open."""
    if isinstance(value, list):
        low, high = value
        if low is None or high is None:
            return f"at most {_text(high)}" if low is None else f"at least {_text(low)}"
        return f"{_text(low)} to {_text(high)}"
    if value is None:
        return "\u2013"
    return (f"{value:.4g}" if isinstance(value, float) else str(value)).replace("-", "\u2212")
