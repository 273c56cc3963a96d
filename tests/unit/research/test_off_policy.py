"""Estimators of a policy's value against the truth, and against slow sums."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from scripts.errors import DataError
from scripts.research import bandit, off_policy, off_policy_study


def world(seed: int, games: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Contexts (two features), and rewards of three actions that depend on them."""
    rng = np.random.default_rng(seed)
    context = rng.standard_normal((games, 2))
    mean = np.column_stack([np.zeros(games), 0.5 * context[:, 0], 0.3 - 0.5 * context[:, 1]])
    return context, mean + 0.5 * rng.standard_normal((games, 3)) * [0, 1, 1]


def scores(context: np.ndarray) -> np.ndarray:
    return np.column_stack([np.zeros(len(context)), context[:, 0], -context[:, 1]])


def one_log(seed: int, events: int = 2000) -> tuple[bandit.Log, np.ndarray, np.ndarray]:
    """A log, its rewards, and a target policy over all games."""
    context, rewards = world(seed)
    behaviour = bandit.soft(scores(context), temperature=1.0, floor=0.2)
    rng = np.random.default_rng(seed)
    log = bandit.draw_log(context, rewards, behaviour, events=events, rng=rng)
    return log, rewards, bandit.greedy(scores(context))


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0.05, 5), st.floats(0.01, 1))
def test_the_behaviour_gives_every_action_a_chance(seed, temperature, floor):
    behaviour = bandit.soft(scores(world(seed, 20)[0]), temperature=temperature, floor=floor)
    assert behaviour.min() >= floor / 3 - 1e-12
    assert behaviour.sum(axis=1) == pytest.approx(np.ones(20))


def test_softmax_of_large_scores_does_not_overflow():
    assert np.isfinite(bandit.soft(np.array([[1e4, 0]]), temperature=0.1, floor=0.1)).all()


def test_policies():
    assert bandit.greedy(np.array([[0, 2, 1], [3, 3, 1]])).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert bandit.always(2, 2, 3).tolist() == [[0, 0, 1], [0, 0, 1]]
    assert bandit.true_value(np.array([[0.5, 0.5], [0, 1]]), np.array([[1, 3], [7, 4]])) == 3


def test_a_log_is_really_random_and_keeps_its_propensities():
    context, rewards = world(1, 5)
    behaviour = bandit.soft(scores(context), temperature=1.0, floor=0.3)
    rng = np.random.default_rng(1)
    log = bandit.draw_log(context, rewards, behaviour, events=50_000, rng=rng)
    for game in range(5):
        here = log.row == game
        shares = np.bincount(log.action[here], minlength=3) / here.sum()
        assert shares == pytest.approx(behaviour[game], abs=0.02)
    assert (log.propensity == behaviour[log.row]).all()
    assert (log.reward == rewards[log.row, log.action]).all()
    assert (log.context == context[log.row]).all()


def test_estimators_are_their_formulas():
    log, _, policy = one_log(2, events=200)
    target, w = policy[log.row], []
    model = off_policy.reward_model(log, folds=3, ridge=1.0)
    doubly, shrunk = 0.0, 0.0
    for i in range(200):
        w.append(target[i, log.action[i]] / log.propensity[i, log.action[i]])
        direct = sum(target[i, a] * model[i, a] for a in range(3))
        rest = log.reward[i] - model[i, log.action[i]]
        doubly += direct + w[i] * rest
        shrunk += direct + 25 * w[i] / (w[i] ** 2 + 25) * rest
    found = off_policy.terms(log, target, model, clip=2.0, shrinkage=25.0)
    assert tuple(found) == off_policy.ESTIMATORS
    r, w = log.reward, np.array(w)
    expected = {
        "IPS": (w * r).mean(),
        "SNIPS": (w * r).sum() / w.sum(),
        "clipped IPS": (np.minimum(w, 2) * r).mean(),
        "shrunk IPS": (25 * w / (w * w + 25) * r).mean(),
        "direct": (target * model).sum(axis=1).mean(),
        "DR": doubly / 200,
        "shrunk DR": shrunk / 200,
    }
    assert {name: term.estimate for name, term in found.items()} == pytest.approx(expected)


def test_unbiased_estimators_are_unbiased_and_the_intervals_cover():
    context, rewards = world(3)
    behaviour = bandit.soft(scores(context), temperature=1.0, floor=0.2)
    policies = {"greedy": bandit.greedy(scores(context)), "first": bandit.always(1, 400, 3)}
    settings = off_policy_study.Settings(
        folds=4,
        ridge=1.0,
        clip=2.0,
        shrinkage=9.0,
        draws=200,
        level=0.95,
        gate_draws=200,
        gate_level=0.95,
        gate_share=0.05,
    )
    found, verdicts = off_policy_study.repeated(
        context, rewards, behaviour, policies, settings, events=500, logs=120, seed=1
    )
    table = off_policy_study.errors(found)
    for row in table.iter_rows(named=True):
        assert row["truth"] == pytest.approx(bandit.true_value(policies[row["policy"]], rewards))
        if row["estimator"] in ("IPS", "SNIPS", "DR"):
            assert abs(row["bias"]) < 4 * row["sd"] / np.sqrt(120)
            assert 0.88 <= row["coverage"] <= 1
    rmse = {(p, e): r for p, e, r in table.select("policy", "estimator", "rmse").iter_rows()}
    assert rmse["greedy", "DR"] < rmse["greedy", "IPS"]
    assert verdicts.height == 240
    rates = dict(verdicts.group_by("policy").agg(pl.col("accepted").mean()).iter_rows())
    gains = dict(verdicts.group_by("policy").agg(pl.col("true_gain").first()).iter_rows())
    assert gains["greedy"] > 0 > gains["first"]
    assert rates["greedy"] > 0.9
    assert rates["first"] < 0.05


def test_effective_sample_size():
    assert off_policy.effective_sample_size(np.full(7, 3.0)) == pytest.approx(7)
    assert off_policy.effective_sample_size(np.array([5.0, 0, 0])) == pytest.approx(1)
    assert off_policy.effective_sample_size(np.zeros(3)) == 0


def test_weights_of_the_behaviour_itself_are_one():
    log, _, _ = one_log(4)
    assert off_policy.weights(log, log.propensity) == pytest.approx(np.ones(2000))


def test_a_deterministic_log_does_not_support_other_policies():
    context, rewards = world(5)
    logged = bandit.greedy(scores(context))
    rng = np.random.default_rng(1)
    log = bandit.draw_log(context, rewards, logged, events=5000, rng=rng)
    target = bandit.always(1, 400, 3)[log.row]
    share = off_policy.unsupported(log, target)
    assert share == pytest.approx(1 - logged[:, 1].mean(), abs=0.03)
    assert off_policy.weights(log, target).mean() == pytest.approx(1 - share, abs=0.03)
    assert off_policy.unsupported(log, logged[log.row]) == 0


def test_rewards_of_a_game_are_not_in_the_model_that_predicts_it():
    log, _, _ = one_log(6, events=300)
    model = off_policy.reward_model(log, folds=3, ridge=1.0)
    game = log.row == log.row[0]
    changed = np.where(game, 100.0, log.reward)
    again = off_policy.reward_model(
        bandit.Log(log.row, log.context, log.action, changed, log.propensity), folds=3, ridge=1.0
    )
    assert again[game] == pytest.approx(model[game])
    assert np.abs(again - model).max() > 0.1


def test_an_action_never_taken_is_predicted_as_nothing():
    log, _, _ = one_log(7, events=50)
    idle = bandit.Log(log.row, log.context, np.zeros(50, int), log.reward, log.propensity)
    model = off_policy.reward_model(idle, folds=2, ridge=1.0)
    assert (model[:, 1:] == 0).all()


def test_bootstrap_is_a_resampling_of_events():
    log, _, policy = one_log(8, events=60)
    found = off_policy.terms(log, policy[log.row], np.zeros((60, 3)), clip=5.0, shrinkage=25.0)
    times = off_policy.bootstrap_times(60, draws=20, seed=1)
    assert (times.sum(axis=1) == 60).all()
    got = off_policy.bootstrap(list(found.values()), times)
    for draw in range(20):
        events = np.repeat(np.arange(60), times[draw].astype(int))
        for place, term in enumerate(found.values()):
            expected = term.top[events].sum() / term.bottom[events].sum()
            assert got[draw, place] == pytest.approx(expected)
    ends = off_policy.intervals(list(found.values()), times, level=0.9)
    for place in range(len(found)):
        assert ends[:, place] == pytest.approx(np.quantile(got[:, place], [0.05, 0.95]))


def test_the_gate_needs_gain_and_sample():
    log, _, policy = one_log(9)
    model = off_policy.reward_model(log, folds=4, ridge=1.0)
    times = off_policy.bootstrap_times(2000, draws=200, seed=1)
    limits = {"level": 0.95, "share": 0.1}
    targets = {"good": policy[log.row], "same": log.propensity}
    good = off_policy.gate(log, targets, model, times, **limits)["good"]
    assert good.accepted
    assert good.gain > good.lower > 0
    scarce = off_policy.gate(log, targets, model, times, level=0.95, share=0.99)
    assert not scarce["good"].accepted
    same = off_policy.gate(log, targets, np.zeros((2000, 3)), times, **limits)["same"]
    assert same.gain == pytest.approx(0)
    assert same.lower == pytest.approx(0)  # event by event: the same reward cancels
    assert same.effective == pytest.approx(1)
    assert not same.accepted


def test_the_gates_bound_is_a_quantile_of_gains_event_by_event():
    log, _, policy = one_log(11, events=40)
    model = off_policy.reward_model(log, folds=3, ridge=1.0)
    times = off_policy.bootstrap_times(40, draws=100, seed=2)
    gains = []
    for i in range(40):
        target, taken = policy[log.row[i]], log.action[i]
        weight = target[taken] / log.propensity[i, taken]
        doubly = target @ model[i] + weight * (log.reward[i] - model[i, taken])
        gains.append(doubly - log.reward[i])
    means = [np.repeat(gains, count.astype(int)).mean() for count in times]
    found = off_policy.gate(log, {"one": policy[log.row]}, model, times, level=0.95, share=0)["one"]
    assert found.gain == pytest.approx(np.mean(gains))
    assert found.lower == pytest.approx(sorted(means)[4])  # rank .05 * 99, rounded down


def test_the_reward_model_is_ridge_regression_fold_by_fold():
    log, _, _ = one_log(12, events=120)
    found = off_policy.reward_model(log, folds=3, ridge=7.0)
    scaled = (log.context - log.context.mean(axis=0)) / log.context.std(axis=0)
    for fold in range(3):
        here = log.row % 3 == fold
        for action in range(3):
            train = ~here & (log.action == action)
            fit = Ridge(alpha=7.0).fit(scaled[train], log.reward[train])
            assert found[here, action] == pytest.approx(fit.predict(scaled[here]))


def test_bad_input_is_named():
    log, _, policy = one_log(10, events=20)
    with pytest.raises(DataError, match=r"shape \(400, 3\); expected \(20, 3\)"):
        off_policy.weights(log, policy)
    with pytest.raises(DataError, match="do not sum to 1"):
        bandit.true_value(np.array([[0.5, 0.4]]), np.ones((1, 2)))
    with pytest.raises(DataError, match="expected rows x actions"):
        bandit.checked(np.ones(3))
    never = bandit.Log(log.row, log.context, log.action, log.reward, np.zeros((20, 3)))
    with pytest.raises(DataError, match="propensity 0"):
        off_policy.weights(never, policy[log.row])
