"""Ratings of teams: strengths as a linear Gaussian state space, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm

from scripts.errors import DataError
from scripts.nfl.models import base, kalman
from scripts.nfl.models.kalman import Parameters
from scripts.tables import write_json

FILE = "model.json"
DEFAULTS: base.Settings = {}
TARGETS = ("home_win", "home_cover")
LINE = "spread_line"
START = Parameters(0.5, 0.6, 36.0, 2.5, 160.0, 4.0, 4.0)
NO_LINE = {"line_noise": 1.0, "effect": 0.0}  # without lines an effect is noise
# Of the free numbers: log, but logit for carry and the edge as it is.
BOUNDS = Parameters((-9, 4), (-5, 5), (-2, 7), (-10, 10), (2, 8), (-4, 6), (-9, 6))
NEEDED = ("season", "date", "home_team", "away_team", "home_score", "away_score", "neutral")


@dataclass(frozen=True)
class Model(base.Model):
    """Parameters and the strengths after the last game of training."""

    FILE: ClassVar[str] = FILE
    target: str
    lines: bool  # whether a game's closing line is learned from
    parameters: Parameters
    teams: list[str]
    state: kalman.State

    def _predict(self, games: pl.DataFrame) -> np.ndarray:
        """Go on through `games` by date: each from games of earlier dates and its own line.

        A team that training did not know starts from the prior.

        Raises:
            DataError: a game is not later than all of training; home_cover without spread_line.
        """
        base.need(games, [LINE] if self.target == "home_cover" or self.lines else [])
        expected, variance = self.margins(games)
        line = np.zeros(len(expected))
        if self.target == "home_cover":
            line = games[LINE].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return norm.cdf((expected - line) / np.sqrt(variance))

    def margins(self, games: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Expected home margin of each game in points, and its variance."""
        base.need(games, NEEDED)
        if games.height and games["date"].min().toordinal() <= self.state.day:
            trained = date.fromordinal(self.state.day)
            raise DataError(
                f"games: one is of {games['date'].min()}, and training goes to {trained}; "
                "predict later games"
            )
        order = games["date"].arg_sort().to_numpy()
        ordered = games[order]
        teams = [*self.teams, *sorted(_teams(ordered) - set(self.teams))]
        state = _widened(self.state, len(teams), self.parameters.prior)
        (_, *found), _ = kalman.run(
            observed(ordered, teams, lines=self.lines), state, self.parameters
        )
        back = np.argsort(order, kind="stable")
        return found[0][back], found[1][back]

    def save(self, folder: Path) -> list[Path]:
        """Write the model below `folder`; the files written."""
        content = {
            "target": self.target,
            "lines": self.lines,
            "parameters": self.parameters._asdict(),
            "teams": self.teams,
            "state": {
                **self.state._asdict(),
                "mean": self.state.mean.tolist(),
                "covariance": self.state.covariance.tolist(),
            },
        }
        write_json(content, folder / FILE)
        return [folder / FILE]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The model that was saved in `folder`."""
        content = base.read_json(folder / FILE)
        state = content.pop("state")
        arrays = {name: np.array(state.pop(name)) for name in ("mean", "covariance")}
        parameters = Parameters(**content.pop("parameters"))
        return cls(**content, parameters=parameters, state=kalman.State(**arrays, **state))


def fit(
    train: pl.DataFrame,
    *,
    target: str,
    features: Sequence[str],
    seed: int,
    device: str,
    settings: base.Settings,
) -> Model:
    """Fit the parameters to the games of `train` with a known score, whatever their target.

    The likelihood is that of the margins (and lines), by the errors of one-day-ahead predictions.

    Args:
        train: the columns NEEDED, in any order; with lines also spread_line.
        target: home_win or home_cover.
        features: if spread_line is among them, lines are learned from; otherwise not read.
        seed, device: not used.
        settings: none.

    Raises:
        DataError: another target, a missing column, or no game with a score.
    """
    base.chosen("state_space", DEFAULTS, settings)
    if target not in TARGETS:
        raise DataError(f"state_space: no target {target}; it knows margins: {', '.join(TARGETS)}")
    lines = LINE in features
    base.need(train, [*NEEDED, *([LINE] if lines else [])])
    played = train.filter(base.PLAYED).sort("date", maintain_order=True)
    if not played.height:
        raise DataError("train: no game with a score; build the features again")
    teams = sorted(_teams(played))
    games = observed(played, teams, lines=lines)
    lines = lines and not np.isnan(games.line).all()  # what was never seen cannot be weighed
    parameters = estimate(games, len(teams), lines=lines)
    _, state = kalman.run(games, kalman.initial(len(teams), parameters), parameters)
    return Model(target, lines, parameters, teams, state)


def estimate(games: kalman.Games, teams: int, *, lines: bool) -> Parameters:
    """Parameters of the greatest likelihood; without lines those of NO_LINE are fixed."""
    free = [name for name in Parameters._fields if lines or name not in NO_LINE]

    def parameters(numbers: np.ndarray) -> Parameters:
        given = dict(zip(free, numbers.tolist(), strict=True))
        return Parameters(**{**({} if lines else NO_LINE), **_natural(given)})

    def loss(numbers: np.ndarray) -> float:
        tried = parameters(numbers)
        (loglik, *_), _ = kalman.run(games, kalman.initial(teams, tried), tried)
        return -loglik / len(games.day)

    start = _free({name: getattr(START, name) for name in free})
    bounds = [getattr(BOUNDS, name) for name in free]
    found = minimize(
        loss,
        list(start.values()),
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-11, "gtol": 1e-6},
    )
    return parameters(found.x)


def _natural(free: dict[str, float]) -> dict[str, float]:
    """Parameters of the free numbers."""
    special = {"carry": expit, "edge": float}
    return {name: float(special.get(name, np.exp)(value)) for name, value in free.items()}


def _free(natural: dict[str, float]) -> dict[str, float]:
    """The inverse of `_natural`."""
    special = {"carry": logit, "edge": float}
    return {name: float(special.get(name, np.log)(value)) for name, value in natural.items()}


def _teams(games: pl.DataFrame) -> set[str]:
    return {*games["home_team"], *games["away_team"]}


def observed(games: pl.DataFrame, teams: list[str], *, lines: bool) -> kalman.Games:
    """The filter's view of games in the order of dates."""
    number = {team: place for place, team in enumerate(teams)}
    margin = pl.col("home_score").cast(pl.Float64) - pl.col("away_score").cast(pl.Float64)
    line = pl.col(LINE).cast(pl.Float64) if lines else pl.lit(None, pl.Float64)
    read = games.select(
        season=pl.col("season").cast(pl.Int64),
        at_home=1.0 - pl.col("neutral").cast(pl.Float64).fill_null(0.0),
        line=line.fill_null(np.nan),
        margin=margin.fill_null(np.nan),
    )
    return kalman.Games(
        season=read["season"].to_numpy(),
        day=np.array([day.toordinal() for day in games["date"]], dtype=np.int64),
        home=np.array([number[team] for team in games["home_team"]], dtype=np.int64),
        away=np.array([number[team] for team in games["away_team"]], dtype=np.int64),
        at_home=read["at_home"].to_numpy(),
        line=read["line"].to_numpy(),
        margin=read["margin"].to_numpy(),
    )


def _widened(state: kalman.State, teams: int, prior: float) -> kalman.State:
    """`state` with unknown teams after the known ones."""
    known = len(state.mean)
    mean, covariance = np.zeros(teams), np.eye(teams) * prior
    mean[:known], covariance[:known, :known] = state.mean, state.covariance
    return state._replace(mean=mean, covariance=covariance)
