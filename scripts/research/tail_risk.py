"""Value at risk, its conditional mean, and stakes that keep it least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from scripts.errors import DataError


def value_at_risk(loss: np.ndarray, level: float) -> float:
    """The smallest loss that at least a share `level` of the scenarios do not exceed."""
    _known(loss, level)
    place = int(np.ceil(level * len(loss) - 1e-9)) - 1
    return float(np.sort(loss)[place])


def conditional_value_at_risk(loss: np.ndarray, level: float) -> float:
    """Mean of the worst share 1 - level of scenarios; one at the edge counts in part.

    min over a of a + mean(max(loss - a, 0)) / (1 - level), whose minimum is at the value at risk.
    """
    edge = value_at_risk(loss, level)
    return float(edge + np.maximum(loss - edge, 0).mean() / (1 - level))


def _known(loss: np.ndarray, level: float) -> None:
    if not 0 < level < 1:
        raise DataError(f"level {level:g}; expected one inside (0, 1)")
    if not len(loss) or not np.isfinite(loss).all():
        raise DataError("losses of scenarios: none, or one that is not finite")


@dataclass(frozen=True)
class Portfolio:
    """Stakes of least CVaR; all None where no stakes reach the return that was asked for."""

    stakes: np.ndarray | None
    cvar: float | None
    expected: float | None

    @property
    def feasible(self) -> bool:
        """Whether there are such stakes."""
        return self.stakes is not None


def least_cvar(
    profit: np.ndarray,
    *,
    level: float,
    target: float | None,
    budget: float,
    cap: float,
    expected: np.ndarray | None = None,
) -> Portfolio:
    """Stakes of least CVaR among those with an expected return of at least `target`.

    The linear programme of Rockafellar and Uryasev (2000): one variable a scenario for the loss
    beyond the value at risk. Without a target the answer is to stake nothing as long as all other
    stakes have a positive CVaR; many independent bets with large edges need not.

    Args:
        profit: of 1 staked, scenarios x bets.
        level: of the CVaR, as .95.
        target: smallest expected profit, share of the bankroll; None: any, also none.
        budget: largest sum of all stakes, share of the bankroll.
        cap: largest stake of a bet.
        expected: profit of 1 staked of each bet; None: the scenarios' means.

    Raises:
        DataError: shapes that do not fit, or a solver that gives up.
    """
    profit = np.asarray(profit, np.float64)
    if profit.ndim != 2 or not profit.size:
        raise DataError(f"scenarios of shape {profit.shape}; expected scenarios x bets, not empty")
    if not 0 < level < 1:
        raise DataError(f"level {level:g}; expected one inside (0, 1)")
    scenarios, bets = profit.shape
    mean = profit.mean(axis=0) if expected is None else np.asarray(expected, np.float64)
    cost = np.concatenate([np.zeros(bets), [1], np.full(scenarios, 1 / (scenarios * (1 - level)))])
    # Variables: stakes, value at risk a, excesses e. Rows: -profit x - a - e <= 0, then the sums.
    excess = hstack(
        [csr_array(-profit), csr_array(np.full((scenarios, 1), -1.0)), -eye_array(scenarios)]
    )
    rows, bounds = [excess], [np.zeros(scenarios)]
    sums = [(np.ones(bets), budget)] + ([] if target is None else [(-mean, -target)])
    for row, bound in sums:
        rows.append(csr_array(np.concatenate([row, np.zeros(1 + scenarios)])[None, :]))
        bounds.append(np.array([bound]))
    solved = linprog(
        cost,
        A_ub=vstack(rows).tocsr(),
        b_ub=np.concatenate(bounds),
        bounds=[(0, cap)] * bets + [(None, None)] + [(0, None)] * scenarios,
        method="highs-ds",
    )
    if solved.status == 2:
        return Portfolio(None, None, None)
    if solved.status != 0:
        raise DataError(f"CVaR programme: {solved.message}")
    stakes = np.clip(solved.x[:bets], 0, cap)
    found = conditional_value_at_risk(-profit @ stakes, level)
    return Portfolio(stakes, found, float(mean @ stakes))


def scenarios(probability: np.ndarray, odds: np.ndarray, *, number: int, seed: int) -> np.ndarray:
    """Profit of 1 staked on each of several independent bets, number x bets.

    Args:
        probability: that each bet wins.
        odds: decimal.
        number: of scenarios.
        seed: of the outcomes.
    """
    uniform = np.random.default_rng(seed).random((number, len(probability)))
    return np.where(uniform < probability, odds - 1, -1.0)


def most_expected(expected: np.ndarray, *, budget: float, cap: float) -> float:
    """Greatest expected profit of stakes within budget and cap, share of the bankroll."""
    best = np.sort(np.maximum(expected, 0))[::-1]
    left = np.clip(budget - cap * np.arange(len(best)), 0, cap)
    return float(best @ left)
