"""What all families of models promise, and the inside of those that a library fits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from nfl_model_games import FEATURES, simulated
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from statsmodels.discrete.discrete_model import Logit
from statsmodels.tools import add_constant

from scripts.errors import DataError
from scripts.nfl.models import base, boosting, estimators, families, glm
from scripts.plan.fingerprint import literal

SEASON = 2005  # the last one
GAMES = simulated()
TRAIN, TEST = GAMES.filter(pl.col("season") < SEASON), GAMES.filter(pl.col("season") == SEASON)
BASES = ["one", "two"]
QUICK = {
    "forest": {"trees": 20, "leaf": 5},
    "mlp": {"epochs": 30, "rate": 0.01},
    "xgboost": {"rounds": 40},
}


def with_bases(games: pl.DataFrame) -> pl.DataFrame:
    """Probabilities of two base models beside the games."""
    logit = pl.col("strength_diff") / 8
    return games.with_columns(one=1 / (1 + (-logit).exp()), two=1 / (1 + (-logit / 3).exp()))


def fitted(model: str, target: str = "home_win", train: pl.DataFrame = TRAIN) -> base.Model:
    """A small model of the family."""
    return families.fit(
        model,
        with_bases(train),
        target=target,
        features=BASES if model == "stack" else FEATURES,
        seed=3,
        settings=QUICK.get(model),
    )


@pytest.mark.parametrize("model", families.FILES)
def test_a_saved_model_predicts_the_same(model: str, tmp_path: Path) -> None:
    games = with_bases(TEST)
    made = fitted(model)
    before = made.predict(games)
    assert made.save(tmp_path / "one") == [tmp_path / "one" / families.FILES[model]]
    loaded = families.load(model, tmp_path / "one")
    np.testing.assert_array_equal(loaded.predict(games), before)
    loaded.save(tmp_path / "two")
    fitted(model).save(tmp_path / "three")
    first, *others = ((tmp_path / name / families.FILES[model]) for name in ("one", "two", "three"))
    assert all(other.read_bytes() == first.read_bytes() for other in others)


@pytest.mark.parametrize("model", families.FILES)
def test_a_model_finds_the_better_team_and_keeps_the_order_of_rows(model: str) -> None:
    games = with_bases(TEST)
    made = fitted(model)
    found = made.predict(games)
    known = games["home_win"].is_not_null().to_numpy()
    assert ((found > 0) & (found < 1)).all()
    assert roc_auc_score(games["home_win"].drop_nulls(), found[known]) > 0.65
    order = np.random.default_rng(1).permutation(games.height)
    np.testing.assert_allclose(made.predict(games[order]), found[order], rtol=1e-12)
    assert made.predict(games.clear()).shape == (0,)


@pytest.mark.parametrize("model", ["forest", "glm", "mlp", "skellam", "xgboost"])
def test_a_feature_that_training_never_saw_change_changes_nothing(model: str) -> None:
    assert TRAIN["later"].null_count() == TRAIN.height
    assert TEST["later"].null_count() == 0
    for value in (None, 7.0):
        constant = pl.lit(value, pl.Float64)
        made = fitted(model, train=TRAIN.with_columns(later=constant))
        unseen = TEST.with_columns(later=constant)
        np.testing.assert_array_equal(made.predict(TEST), made.predict(unseen))


@pytest.mark.parametrize("model", ["forest", "glm", "mlp", "skellam"])
@pytest.mark.parametrize("known", [0.4, 0.6])
def test_a_feature_that_is_null_in_most_of_training_is_left_out(model: str, known: float) -> None:
    # Its known values, among medians, would lie many standard deviations out.
    rows = np.arange(TRAIN.height) < known * TRAIN.height
    values = np.where(rows, np.random.default_rng(3).normal(size=rows.size), np.nan)
    train = TRAIN.with_columns(later=pl.Series(values).fill_nan(None))
    read = set(fitted(model, train=train).features)
    assert any("later" in name for name in read) == (known > 0.5)


@pytest.mark.parametrize("model", ["forest", "glm", "mlp", "xgboost"])
def test_features_all_unknown_give_the_base_rate(model: str) -> None:
    made = families.fit(model, TRAIN, target="home_win", features=["later"], seed=1)
    np.testing.assert_allclose(made.predict(TEST), TRAIN["home_win"].mean(), atol=2e-3)


@pytest.mark.parametrize("model", ["forest", "glm", "mlp", "stack", "xgboost"])
def test_rows_without_outcome_are_not_learned_from(model: str) -> None:
    games = with_bases(TEST)
    pushed = TRAIN.with_columns(
        home_cover=pl.when(pl.col("week") != 3).then("home_cover"),
        noise=pl.when(pl.col("week") != 3).then("noise").otherwise(1e9),
    )
    without = pushed.filter(pl.col("week") != 3)
    with_all = fitted(model, "home_cover", pushed).predict(games)
    np.testing.assert_array_equal(fitted(model, "home_cover", without).predict(games), with_all)


def test_bad_input_is_named() -> None:
    def fit(model: str, train: pl.DataFrame = TRAIN, **settings: object) -> None:
        families.fit(model, train, target="home_win", features=FEATURES, seed=1, settings=settings)

    with pytest.raises(DataError, match="no model gml; there are forest, glm"):
        fit("gml")
    with pytest.raises(DataError, match="xgboost: no setting dept; did you mean depth"):
        fit("xgboost", dept=3)
    with pytest.raises(DataError, match="games: no column noise"):
        fit("glm", TRAIN.drop("noise"))
    with pytest.raises(DataError, match="noise of row 7 is infinite"):
        fit("glm", TRAIN.with_columns(noise=pl.when(pl.int_range(pl.len()) == 7).then(np.inf)))
    with pytest.raises(DataError, match=r"home_win is \[1\] in 4 games"):
        fit("forest", TRAIN.filter(pl.col("home_win") == 1).head(4))
    with pytest.raises(DataError, match="features are numbers"):
        fit("glm", TRAIN.with_columns(noise=pl.lit("loud")))
    with pytest.raises(DataError, match="games: no column sometimes"):
        fitted("glm").predict(TEST.drop("sometimes"))


@pytest.mark.parametrize("model", families.FILES)
def test_a_damaged_file_is_named(model: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{families.FILES[model]}.*fit the model again"):
        families.load(model, tmp_path)
    (tmp_path / families.FILES[model]).write_text("{")
    with pytest.raises(DataError, match=f"{families.FILES[model]}.*fit the model again"):
        families.load(model, tmp_path)


def test_a_file_with_foreign_types_is_not_loaded(tmp_path: Path) -> None:
    estimators.dump({"features": [], "estimator": Fraction(1, 2)}, tmp_path / "x")
    with pytest.raises(DataError, match="Untrusted types"):
        estimators.restore(tmp_path / "x")


def test_file_names_can_be_read_without_importing(root: Path) -> None:
    files = literal(root / "scripts/nfl/models/families.py", "FILES")
    assert files == {name: families.module(name).Model.FILE for name in files}


def imputed(games: pl.DataFrame) -> np.ndarray:
    """The inputs by hand: medians of TRAIN, an indicator of `sometimes`, standardised."""

    def raw(frame: pl.DataFrame) -> np.ndarray:
        return frame.select(
            "strength_diff",
            "noise",
            pl.col("sometimes").fill_null(TRAIN.drop_nulls("home_win")["sometimes"].median()),
            unknown=pl.col("sometimes").is_null().cast(pl.Float64),
        ).to_numpy()

    known = raw(TRAIN.drop_nulls("home_win"))
    return (raw(games) - known.mean(axis=0)) / known.std(axis=0)


@pytest.mark.parametrize("c", [0.02, 0.05, 0.2])
def test_glm_is_the_optimum_of_its_penalised_likelihood(c: float) -> None:
    """As statsmodels finds it: -log likelihood + |weights| / c, the intercept free."""
    known = TRAIN.drop_nulls("home_win")
    design, outcome = add_constant(imputed(known)), known["home_win"].to_numpy()
    alpha = np.r_[0.0, np.full(design.shape[1] - 1, 1 / c)]
    best = Logit(outcome, design).fit_regularized(alpha=alpha, disp=0, acc=1e-10, maxiter=5000)
    expected = 1 / (1 + np.exp(-add_constant(imputed(TEST)) @ best.params))
    made = families.fit(
        "glm", TRAIN, target="home_win", features=FEATURES, seed=1, settings={"c": c}
    )
    np.testing.assert_allclose(made.predict(TEST), expected, atol=3e-3)


def test_glm_chooses_its_penalty_on_the_last_seasons_of_training() -> None:
    games = simulated(6, weeks=14, seed=3).drop_nulls("home_win")
    late = games["season"].unique().sort()[-2]
    early, held = games.filter(pl.col("season") < late), games.filter(pl.col("season") >= late)
    losses = {
        c: log_loss(
            held["home_win"],
            families.fit(
                "glm", early, target="home_win", features=FEATURES[:2], seed=1, settings={"c": c}
            ).predict(held),
        )
        for c in glm.CHOICES
    }
    told = {"target": "home_win", "features": FEATURES[:2], "seed": 1}
    best = min(losses, key=losses.__getitem__)
    chosen = families.fit("glm", games, **told)
    assert np.array_equal(
        chosen.predict(games),
        families.fit("glm", games, settings={"c": best}, **told).predict(games),
    )


def test_glm_reads_differences_where_there_are_any() -> None:
    names = ["home_a", "away_a", "a_diff", "home_b", "line"]
    assert glm.differences(names) == ["a_diff", "home_b", "line"]


def test_the_net_keeps_the_epoch_that_is_best_on_the_last_games() -> None:
    settings = {"epochs": 60, "patience": 60, "rate": 0.05, "l2": 0.01, "hidden": 32}
    made = families.fit(
        "mlp", TRAIN, target="home_win", features=FEATURES, seed=5, settings=settings
    )
    known = TRAIN.drop_nulls("home_win")
    cut = known.height - round(0.15 * known.height)
    prepared, outcome = made.estimator[:-1], known["home_win"].to_numpy()
    inputs = prepared.transform(base.matrix(known, made.features))
    np.testing.assert_allclose(inputs[:cut].mean(axis=0), 0, atol=1e-12)
    net = MLPClassifier((32,), alpha=0.01, learning_rate_init=0.05, batch_size=128, random_state=5)
    later, seen = prepared.transform(base.matrix(TEST, made.features)), []
    for _ in range(60):
        net.partial_fit(inputs[:cut], outcome[:cut], classes=[0, 1])
        loss = log_loss(outcome[cut:], net.predict_proba(inputs[cut:]))
        seen.append((loss, net.predict_proba(later)[:, 1]))
    losses = [loss for loss, _ in seen]
    best = int(np.argmin(losses))
    assert 0 < best < 59  # otherwise keeping the last epoch would do
    np.testing.assert_array_equal(made.predict(TEST), seen[best][1])


@pytest.mark.parametrize("rounds", [1, 15, 40])
def test_first_rounds_are_the_shorter_fit(rounds: int) -> None:
    whole = fitted("xgboost")
    assert isinstance(whole, boosting.Model)
    short = families.fit(
        "xgboost", TRAIN, target="home_win", features=FEATURES, seed=3, settings={"rounds": rounds}
    )
    np.testing.assert_array_equal(whole.first(TEST, rounds), short.predict(TEST))


@pytest.mark.parametrize("model", ["forest", "mlp", "xgboost"])
def test_the_seed_decides(model: str) -> None:
    one, other = (
        families.fit(
            model, TRAIN, target="home_win", features=FEATURES, seed=seed, settings=QUICK[model]
        )
        for seed in (3, 4)
    )
    assert (one.predict(TEST) != other.predict(TEST)).any()
