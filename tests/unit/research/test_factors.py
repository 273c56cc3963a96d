"""Weekly factors: against scipy, statsmodels and loops; worthless ones, a leak, and bad input."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from scripts.errors import DataError
from scripts.multiplicity import holm
from scripts.research import factors

MONDAY = date(2024, 1, 1)


def walks(symbols: int, weeks: int, seed: int) -> pl.DataFrame:
    """Daily random walks on Mondays to Fridays: symbol, date, price; x is noise of the day."""
    rng = np.random.default_rng(seed)
    days = [MONDAY + timedelta(weeks=w, days=d) for w in range(weeks) for d in range(5)]
    parts = []
    for i in range(symbols):
        price = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
        part = {"symbol": [f"S{i:02d}"] * len(days), "date": days, "price": price}
        parts.append(pl.DataFrame({**part, "x": rng.normal(size=len(days))}))
    return pl.concat(parts)


def test_panel_decides_on_the_first_session_of_a_week():
    daily = walks(2, 4, 1).filter(pl.col("date") != MONDAY + timedelta(weeks=1))  # a holiday
    panel = factors.decision_panel(daily, ["x"], [1, 2], price="price")
    days = panel["date"].unique().sort().to_list()
    assert days == [MONDAY + timedelta(days=n) for n in (0, 8, 14, 21)]
    price = {(s, d): p for s, d, p in daily.select("symbol", "date", "price").iter_rows()}
    for row in panel.iter_rows(named=True):
        at = days.index(row["date"])
        for weeks in (1, 2):
            if at + weeks < len(days):
                later = price[row["symbol"], days[at + weeks]]
                expected = later / price[row["symbol"], row["date"]] - 1
                assert row[f"return_{weeks}w"] == pytest.approx(expected)
            else:
                assert row[f"return_{weeks}w"] is None


def test_panel_leaves_a_delisted_symbol_unknown():
    daily = walks(2, 4, 2).filter(
        (pl.col("symbol") != "S01") | (pl.col("date") < MONDAY + timedelta(9))
    )
    panel = factors.decision_panel(daily, ["x"], [1], price="price")
    gone = panel.filter(symbol="S01")
    assert gone.height == 2 and gone["return_1w"].is_null().to_list() == [False, True]


def test_panel_without_a_column():
    with pytest.raises(DataError, match="no column y; expected symbol, date, price, y"):
        factors.decision_panel(walks(1, 1, 1), ["y"], [1], price="price")


def test_coefficients_are_spearmans():
    rng = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "date": [MONDAY] * 12 + [MONDAY + timedelta(7)] * 12,
            "x": rng.integers(0, 5, 24).astype(float),  # with ties
            "y": rng.normal(size=24),
        }
    ).with_columns(x=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(pl.col("x")))
    found = factors.rank_coefficients(frame, ["x"], "y", names=5)["x"].to_list()
    for value, (_, part) in zip(found, frame.group_by("date", maintain_order=True), strict=True):
        known = part.drop_nulls()
        assert value == pytest.approx(spearmanr(known["x"], known["y"]).statistic)


def test_weeks_without_an_order_have_no_coefficient():
    frame = pl.DataFrame(
        {
            "date": [MONDAY] * 4 + [MONDAY + timedelta(7)] * 3,
            "x": [1.0] * 4 + [1.0, 2.0, float("nan")],
            "y": [1.0, 2, 3, 4, 5, 6, 7],
        }
    )
    assert factors.rank_coefficients(frame, ["x"], "y", names=3)["x"].to_list() == [None, None]
    with pytest.raises(DataError, match="names 2"):
        factors.rank_coefficients(frame, ["x"], "y", names=2)


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 60), st.integers(0, 4), st.integers(0, 99))
def test_errors_are_those_of_statsmodels(n, lags, seed):
    values = np.cumsum(np.random.default_rng(seed).normal(size=n))
    found = factors.newey_west(values, lags=lags, level=0.95)
    fitted = OLS(values, np.ones(n)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    assert found.mean == pytest.approx(fitted.params[0])
    assert found.error == pytest.approx(fitted.bse[0], rel=1e-6, abs=1e-12)
    assert found.p_value == pytest.approx(fitted.pvalues[0], rel=1e-6, abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int()[0]))


def test_a_constant_series():
    assert factors.newey_west(np.full(5, 0.0), lags=1, level=0.95).p_value == 1
    assert factors.newey_west(np.full(5, 2.0), lags=1, level=0.95).p_value == 0


@pytest.mark.parametrize(("values", "lags"), [([1.0], 0), ([1.0, np.nan], 0), ([1.0, 2.0], 2)])
def test_series_without_an_error(values, lags):
    with pytest.raises(DataError):
        factors.newey_west(np.array(values), lags=lags, level=0.95)


def test_lags():
    assert factors.automatic_lags(100) == 4
    assert factors.automatic_lags(100, 13) == 12
    assert factors.automatic_lags(3, 13) == 2
    assert factors.automatic_lags(0) == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(np.asarray(p_values)).tolist() == pytest.approx(expected.tolist())


def test_worthless_factors_leave_zero_as_often_as_the_level_says():
    panel = factors.decision_panel(walks(15, 120, 4), ["x"], [1], price="price")
    found = factors.shuffled(
        panel, ["x"], "return_1w", names=10, lags=4, level=0.9, draws=400, seed=5
    )
    assert found.outside.mean() == pytest.approx(0.1, abs=0.05)
    assert found.outside.shape == found.largest.shape == (400,)


def test_an_intervals_coverage_over_markets():
    """Over many random walks the mean coefficient of a trend-like factor is zero."""
    means = []
    for seed in range(30):
        daily = walks(12, 40, 100 + seed)
        past = pl.col("price") / pl.col("price").shift(20).over("symbol") - 1
        panel = factors.decision_panel(daily.with_columns(past=past), ["past"], [1], price="price")
        series = factors.rank_coefficients(panel, ["past"], "return_1w", names=8)["past"]
        means.append(series.drop_nulls().mean())
    assert abs(np.mean(means)) < 3 * np.std(means, ddof=1) / len(means) ** 0.5


def test_a_leak_is_seen():
    panel = factors.decision_panel(walks(15, 60, 6), ["x"], [1], price="price")
    leak = panel.filter(pl.col("return_1w").is_not_null()).with_columns(
        x=pl.col("return_1w") + pl.col("x") * 0.01
    )
    series = factors.rank_coefficients(leak, ["x"], "return_1w", names=8)["x"].to_numpy()
    found = factors.newey_west(series, lags=4, level=0.95)
    chance = factors.shuffled(
        leak, ["x"], "return_1w", names=8, lags=4, level=0.95, draws=100, seed=7
    )
    assert found.low > 0.8
    assert chance.largest.max() < found.mean / found.error


def test_shuffling_needs_weeks():
    panel = factors.decision_panel(walks(3, 3, 8), ["x"], [1], price="price")
    with pytest.raises(DataError, match="0 weeks with 5 symbols"):
        factors.shuffled(panel, ["x"], "return_1w", names=5, lags=1, level=0.9, draws=5, seed=0)


def constant_and_noise() -> pl.DataFrame:
    """One factor that never changes its order, and one that always does."""
    panel = factors.decision_panel(walks(20, 80, 9), ["x"], [1], price="price")
    return panel.with_columns(fixed=pl.col("symbol").str.slice(1).cast(pl.Float64))


def test_persistence_and_turnover():
    panel = constant_and_noise()
    stays = factors.persistence(panel, ["fixed", "x"], names=8)
    assert stays["fixed"] == pytest.approx(1)
    assert stays["x"] == pytest.approx(0, abs=0.1)
    turns = factors.turnover(panel, ["fixed", "x"], share=0.2, names=8)
    assert turns["fixed"] == 0
    assert turns["x"] == pytest.approx(0.8, abs=0.05)  # a fifth stays by chance


def test_a_reversed_order_turns_everything_over():
    days = [MONDAY, MONDAY + timedelta(7)]
    rows = [(f"S{i}", day, float(i if n else -i)) for n, day in enumerate(days) for i in range(10)]
    panel = pl.DataFrame(rows, schema=["symbol", "date", "x"], orient="row")
    assert factors.turnover(panel, ["x"], share=0.2, names=5) == {"x": 1.0}
    assert factors.persistence(panel, ["x"], names=5)["x"] == pytest.approx(-1)
    with pytest.raises(DataError, match=r"share 0\.7"):
        factors.turnover(panel, ["x"], share=0.7, names=5)


def test_never_known_is_nan():
    panel = constant_and_noise()
    assert np.isnan(factors.turnover(panel, ["x"], share=0.2, names=99)["x"])
    assert np.isnan(factors.persistence(panel, ["x"], names=99)["x"])


def test_correlation_of_factors():
    panel = constant_and_noise().with_columns(minus=-pl.col("x"))
    found = factors.factor_correlation(panel, ["x", "minus", "fixed"], names=8)
    assert found[0, 1] == pytest.approx(-1) and found[1, 0] == found[0, 1]
    assert np.diag(found).tolist() == [1, 1, 1]
    assert abs(found[0, 2]) < 0.1
