"""Scores, key numbers, teasers, decay, simulators on real seasons: known numbers to the digit.

`-s` prints what was got beside what was expected.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scripts.research import paired, score_distribution, season_simulation, teasers, windows

TESTED, LINES = (2020, 2024), (2004, 2024)


def show(what: str, got: object, expected: object) -> None:
    print(f"\n{what:46} got {got!s:>30}  expected {expected}", end="")


@pytest.fixture(scope="module")
def games(real_data: Path) -> pl.DataFrame:
    """Games of 1999 on with results and closing lines, in the columns of the features' table."""
    table = pl.read_csv(
        real_data / "nfl/games.csv", null_values=["NA", ""], infer_schema_length=None
    )
    return windows.played(table.with_columns(home_margin=pl.col("result")))


def between(games: pl.DataFrame, seasons: tuple[int, int]) -> pl.DataFrame:
    return games.filter(pl.col("season").is_between(*seasons))


def columns(games: pl.DataFrame) -> list[np.ndarray]:
    return [games[name].to_numpy() for name in ("home_margin", "spread_line", "total_line")]


def test_the_season_that_goes_on_is_not_used(games: pl.DataFrame) -> None:
    assert (games["season"].min(), games["season"].max()) == (1999, 2024)


def test_key_numbers(games: pl.DataFrame) -> None:
    margin, spread, total = columns(between(games, TESTED))
    found = score_distribution.key_numbers(
        margin, score_distribution.skellam_margins(spread, total)
    )
    show("games", len(margin), 1408)
    show("observed", found.table["observed"].to_list(), "[100, 53, 55, 36]")
    show("expected", found.table["expected"].round(1).to_list(), "[61.3, 55.6, 52.5, 40.9]")
    show("chi squared", round(found.chi_squared, 2), 25.25)
    assert len(margin) == 1408
    assert found.table["observed"].to_list() == [100, 53, 55, 36]
    assert found.table["expected"].to_list() == pytest.approx([61.3, 55.6, 52.5, 40.9], abs=0.05)
    assert found.chi_squared == pytest.approx(25.25, abs=0.005)


def test_home_legs(games: pl.DataFrame) -> None:
    margin, spread, _ = columns(between(games, LINES))
    leg = teasers.legs(teasers.won(margin, spread, 6, "home"))
    show("home leg with six points", round(leg.rate, 4), 0.687)
    show("two of them at -110", round(teasers.expected_value(leg.rate, 2, -110), 4), -0.099)
    assert len(margin) == 5680
    assert leg.rate == pytest.approx(0.687, abs=5e-4)
    assert leg.high < teasers.break_even(2, -110)


def test_both_corrections_help_out_of_sample(games: pl.DataFrame) -> None:
    train, test = games.filter(pl.col("season") < TESTED[0]), between(games, TESTED)
    phi = score_distribution.dispersion(train).margin
    show("variance by that of a Skellam", round(phi, 3), "about 4")
    assert 3.5 < phi < 4.7
    past, margin = train["home_margin"].to_numpy(), test["home_margin"].to_numpy()
    skellam = score_distribution.skellam_margins(*columns(test)[1:])
    wide = score_distribution.wide_margins(*columns(test)[1:], phi)
    before = score_distribution.wide_margins(*columns(train)[1:], phi)
    prior = score_distribution.margin_prior(past, before, train["season"].to_numpy())
    show("prior, games", prior, "not the largest or the smallest")
    assert score_distribution.PRIORS[0] < prior < score_distribution.PRIORS[-1]
    weight = score_distribution.reweighting(past, before, prior)
    both = score_distribution.reweighted(wide, weight)
    scores = [score_distribution.log_scores(margin, pmf) for pmf in (skellam, wide, both)]
    for better, worse in ((1, 0), (2, 1)):
        gain = paired.by_weeks(scores[better] - scores[worse], test, draws=500, seed=1)
        show("log score, difference", gain, "below 0")
        assert gain.high < 0
    learned = test.height / train.height
    assert score_distribution.key_numbers(margin, both, learned=learned).p > 0.05


def test_simulators(games: pl.DataFrame) -> None:
    train, test = windows.split(games, 5)
    found = score_distribution.dispersion(train)
    assert (test["season"].min(), test["season"].max()) == TESTED
    for simulator, expected in (
        (season_simulation.poisson(), False),
        (season_simulation.overdispersed(found), False),
        (season_simulation.lattice(train, found).simulator, True),
    ):
        scores = season_simulation.simulate(simulator, test, draws=20, seed=1)
        judged = season_simulation.judge(train, test, scores)
        show("accepted", judged.passed, expected)
        assert judged.passed == expected
