"""The Alpha158 factors against plain loops over each window, by hand, and by their symmetries."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.lake import factors
from scripts.lake.factors import MEANINGS, WINDOWS, Bars, alpha158

NAN = math.nan
FIELDS = ("open", "high", "low", "close", "volume", "vwap")


def bars_of(symbols: Sequence[np.ndarray]) -> Bars:
    """Bars of several symbols, each an array (6, bars) in the order of `FIELDS`."""
    lengths = [symbol.shape[1] for symbol in symbols]
    first = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    return Bars(*np.concatenate(symbols, axis=1).astype(np.float32), first=first)


def factors_of(*symbols: np.ndarray) -> dict[str, np.ndarray]:
    """All factors of all rows by name."""
    bars = bars_of(symbols)
    return dict(zip(MEANINGS, alpha158(bars, np.arange(bars.close.size)), strict=True))


def symbol(rng: np.random.Generator, count: int, tick: float = 0.25) -> np.ndarray:
    """A random symbol whose prices often are equal, with flat stretches and bars without volume."""
    close = np.maximum(np.round(40 + np.cumsum(rng.normal(0, 1, count)) / tick), 1) * tick
    opening = np.maximum(close + np.round(rng.normal(0, 2, count)) * tick, tick)
    high = np.maximum(opening, close) + rng.integers(0, 4, count) * tick
    low = np.maximum(np.minimum(opening, close) - rng.integers(0, 4, count) * tick, tick)
    volume = rng.integers(0, 5, count) * 100.0
    rows = np.stack([opening, high, low, close, volume, (high + low) / 2])
    for start in rng.integers(0, count, max(count // 30, 1)):
        rows[:, start : start + 8] = rows[:, start : start + 1]
    rows[5, rng.random(count) < 0.1] = NAN
    return rows


def divide(a: float, b: float) -> float:
    """As IEEE does."""
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def spread(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else NAN


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else NAN


def line(y: Sequence[float]) -> tuple[float, float, float]:
    """Slope, R squared and last residual of a least-squares line."""
    if len(y) < 2:
        return NAN, NAN, NAN
    slope, start = statistics.linear_regression(range(len(y)), y)
    residual = y[-1] - (start + slope * (len(y) - 1))
    if spread(y) <= 2e-5:
        return slope, NAN, residual
    return slope, statistics.correlation(range(len(y)), y) ** 2, residual


def correlation(x: Sequence[float], y: Sequence[float]) -> float:
    if any(spread([v for v in side if math.isfinite(v)]) <= 2e-5 for side in (x, y)):
        return NAN
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    if len({a for a, _ in pairs}) < 2 or len({b for _, b in pairs}) < 2:
        return NAN
    return statistics.correlation(*zip(*pairs, strict=True))


def quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share))


def slow(rows: np.ndarray, t: int) -> dict[str, float]:
    """The factors of bar `t` of one symbol, as the formulas of Qlib read."""
    o, h, lo, c, v, w = (list(map(float, line_)) for line_ in rows.astype(np.float32))
    extent = h[t] - lo[t] + 1e-12
    body, upper = c[t] - o[t], h[t] - max(o[t], c[t])
    lower, shift = min(o[t], c[t]) - lo[t], 2 * c[t] - h[t] - lo[t]
    found = {"KMID": body / o[t], "KLEN": (h[t] - lo[t]) / o[t], "KMID2": body / extent}
    found |= {"KUP": upper / o[t], "KUP2": upper / extent, "KLOW": lower / o[t]}
    found |= {"KLOW2": lower / extent, "KSFT": shift / o[t], "KSFT2": shift / extent}
    found |= {
        "OPEN0": o[t] / c[t],
        "HIGH0": h[t] / c[t],
        "LOW0": lo[t] / c[t],
        "VWAP0": w[t] / c[t],
    }
    for d in WINDOWS:
        place = range(max(t - d + 1, 0), t + 1)
        known = [i for i in place if i > 0]
        closes, volumes = [c[i] for i in place], [v[i] for i in place]
        highs, lows = [h[i] for i in place], [lo[i] for i in place]
        slope, r_squared, residual = line(closes)
        top, bottom = highs.index(max(highs)) + 1, lows.index(min(lows)) + 1
        rises, falls = (
            [f(c[i] - c[i - 1]) for i in known] for f in (lambda x: max(x, 0), lambda x: max(-x, 0))
        )
        ratios = [c[i] / c[i - 1] if i else NAN for i in place]
        volume_ratios = [float(np.log(divide(v[i], v[i - 1]) + 1)) if i else NAN for i in place]
        moves = sum(map(abs, (c[i] - c[i - 1] for i in known))) + 1e-12 if known else NAN
        weighted = [abs(c[i] / c[i - 1] - 1) * v[i] for i in known]
        v_rises = sum(max(v[i] - v[i - 1], 0) for i in known)
        v_falls = sum(max(v[i - 1] - v[i], 0) for i in known)
        v_moves = v_rises + v_falls + 1e-12 if known else NAN
        up = mean([i > 0 and c[i] > c[i - 1] for i in place])
        down = mean([i > 0 and c[i] < c[i - 1] for i in place])
        rank = sum(x < c[t] for x in closes) + (sum(x == c[t] for x in closes) + 1) / 2
        found |= {
            f"{name}{d}": value
            for name, value in {
                "ROC": c[t - d] / c[t] if t >= d else NAN,
                "MA": mean(closes) / c[t],
                "STD": spread(closes) / c[t],
                "BETA": slope / c[t],
                "RSQR": r_squared,
                "RESI": residual / c[t],
                "MAX": max(highs) / c[t],
                "MIN": min(lows) / c[t],
                "QTLU": quantile(closes, 0.8) / c[t],
                "QTLD": quantile(closes, 0.2) / c[t],
                "RANK": rank / len(closes),
                "RSV": (c[t] - min(lows)) / (max(highs) - min(lows) + 1e-12),
                "IMAX": top / d,
                "IMIN": bottom / d,
                "IMXD": (top - bottom) / d,
                "CORR": correlation(closes, [math.log(x + 1) for x in volumes]),
                "CORD": correlation(ratios, volume_ratios),
                "CNTP": up,
                "CNTN": down,
                "CNTD": up - down,
                "SUMP": sum(rises) / moves,
                "SUMN": sum(falls) / moves,
                "SUMD": (sum(rises) - sum(falls)) / moves,
                "VMA": mean(volumes) / (v[t] + 1e-12),
                "VSTD": spread(volumes) / (v[t] + 1e-12),
                "WVMA": spread(weighted) / (mean(weighted) + 1e-12),
                "VSUMP": v_rises / v_moves,
                "VSUMN": v_falls / v_moves,
                "VSUMD": (v_rises - v_falls) / v_moves,
            }.items()
        }
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_factor_is_that_of_a_loop_over_its_window(seed: int) -> None:
    rng = np.random.default_rng(seed)
    symbols = [symbol(rng, count) for count in (1, 2, 90, 7, 130)]
    found = factors_of(*symbols)
    expected = [slow(rows, t) for rows in symbols for t in range(rows.shape[1])]
    for name, values in found.items():
        wanted = np.array([row[name] for row in expected])
        # Float32 holds 7 digits; sums over a window that is nearly flat lose some of 16.
        np.testing.assert_allclose(values, wanted, rtol=2e-6, atol=2e-6, err_msg=name)
        assert np.isfinite(wanted).sum() > 50, name


def test_the_factors_are_158_and_have_a_meaning_each() -> None:
    assert len(MEANINGS) == 158
    assert list(MEANINGS)[:2] + list(MEANINGS)[-1:] == ["KMID", "KLEN", "VSUMD60"]
    assert len(set(MEANINGS.values())) == 158


def test_a_straight_line_has_its_slope_and_no_residual() -> None:
    close = np.arange(100.0, 200.0)
    found = factors_of(np.stack([close, close, close, close, close, close]))
    last = {name: float(values[-1]) for name, values in found.items()}
    assert last["BETA60"] == pytest.approx(1 / 199)
    assert last["RSQR20"] == 1
    assert last["RESI30"] == 0
    assert last["ROC5"] == pytest.approx(194 / 199)
    assert last["MA5"] == pytest.approx(197 / 199)
    assert last["QTLU5"] == pytest.approx(198.2 / 199)  # between the fourth and the fifth
    assert last["RANK10"] == last["CNTP60"] == last["SUMP30"] == last["IMAX60"] == 1
    assert last["IMIN60"] == pytest.approx(1 / 60)


def test_of_equal_extremes_the_oldest_counts() -> None:
    high = np.array([3.0, 5, 4, 5, 5, 2, 3])
    rows = np.stack([high - 1, high, high - 2, high - 1, high * 100, high])
    found = factors_of(rows)
    # Windows of five: the one place 1..5 of 5 is counted from the oldest bar of the window.
    assert found["IMAX5"].tolist() == pytest.approx([0.2, 0.4, 0.4, 0.4, 0.4, 0.2, 0.4])
    assert found["IMIN5"].tolist() == pytest.approx([0.2, 0.2, 0.2, 0.2, 0.2, 1.0, 0.8])


def test_equal_values_share_their_rank() -> None:
    close = np.array([1.0, 2, 2, 3, 2])
    found = factors_of(np.stack([close] * 6))
    assert found["RANK5"].tolist() == pytest.approx([1, 1, 2.5 / 3, 1, 3 / 5])


def test_a_flat_price_has_no_r_squared_and_no_correlation() -> None:
    flat = np.full((6, 70), 20.0)
    found = factors_of(flat)
    for name in ("RSQR5", "RSQR60", "CORR5", "CORD60"):
        assert np.isnan(found[name]).all()
    assert found["STD60"][1:].tolist() == [0] * 69
    assert found["SUMP5"][1:].tolist() == [0] * 69
    assert found["RSV5"].tolist() == [0] * 70


def test_what_needs_more_bars_is_missing_at_the_start() -> None:
    found = factors_of(symbol(np.random.default_rng(5), 61))
    missing = {name: int(np.isnan(values[:62]).sum()) for name, values in found.items()}
    assert missing["ROC5"] == 5
    assert missing["ROC60"] == 60
    assert [missing[name] for name in ("STD60", "BETA5", "RESI60", "VSTD5", "SUMP5")] == [1] * 5
    assert missing["WVMA60"] == 2  # its standard deviation needs two returns
    assert [missing[name] for name in ("MA60", "MAX5", "RANK60", "IMXD5", "CNTP5")] == [0] * 5


def test_a_zero_price_is_divided_by_as_in_qlib() -> None:
    rows = symbol(np.random.default_rng(1), 10)
    rows[3, -1] = 0.0
    found = factors_of(rows)
    assert found["MA5"][-1] == np.inf
    assert np.isfinite(found["RANK5"][-1])


Change = Callable[[np.ndarray], np.ndarray]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 99))
def test_bars_that_come_later_and_other_symbols_change_nothing(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    own, other = symbol(rng, 100), symbol(rng, 30)
    whole, part = factors_of(other, own, other), factors_of(own[:, :cut])
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][30 : 30 + cut], err_msg=name)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_unit_of_prices_does_not_matter(seed: int) -> None:
    rows = symbol(np.random.default_rng(seed), 80)
    scaled = rows * np.array([4.0, 4, 4, 4, 1, 4])[:, None]
    plain, other = factors_of(rows), factors_of(scaled)
    for name, values in plain.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-6, atol=1e-6, err_msg=name)


def test_rows_are_cut_into_chunks_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = symbol(np.random.default_rng(2), 100)
    whole = alpha158(bars_of([rows]), np.arange(5, 100, 2))
    monkeypatch.setattr(factors, "CHUNK", 7)
    np.testing.assert_array_equal(alpha158(bars_of([rows]), np.arange(5, 100, 2)), whole)
