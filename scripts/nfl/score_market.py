"""The models against real closing lines: what is too good is a leak or a wrong sign -> checks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from scipy.stats import norm

from scripts.nfl import artifacts
from scripts.nfl.checks import check, write_all
from scripts.nfl.comparison import SPREAD_SD
from scripts.nfl.evaluation import metrics

COVER_AUC, COVER_BRIER, ENOUGH = 0.55, 0.245, 2000
# True of 2004 to 2024, 5,529 games; fewer seasons vary by three standard errors. The wrong sign
# gives .59 in any of them.
COVER_RATE, RATE_SLACK = 0.49, 0.01
SLACK = 0.01  # of AUC over the closing line
RESIDUAL_SD, SD_SLACK = 13.2, 0.5  # points; 13.2 in 2004 to 2024
ERRORS = 3
LINES = (2004, 2024)
# Of Phi(spread / 13.5) in these seasons, 5,667 games.
CONSTANTS = {"brier": 0.21125, "log_loss": 0.61039, "auc": 0.72128}
DIGITS = 5e-5  # those constants have five digits, of which the last is rounded
BANDS = {  # task -> metric -> band of the GLM in those seasons
    "home_win_football": {"brier": (0.218, 0.232), "auc": (0.65, 0.70)},
    "home_win_market": {"brier": (0.209, 0.217), "auc": (0.70, 0.73)},
    "home_cover_market": {"brier": (0.2485, 0.2545), "auc": (0.47, 0.53)},
}


def of_lines(games: pl.DataFrame) -> Iterator[dict]:
    """Checks of the lines themselves, in the seasons of their constants where all are there.

    Args:
        games: columns of nfl/features/games.parquet.
    """
    seasons = games.filter(pl.col("season").is_between(*LINES))
    if seasons["season"].n_unique() == LINES[1] - LINES[0] + 1:
        games = seasons
        priced = games.filter(
            pl.col("home_win").is_not_null() & pl.col("spread_line").is_not_null()
        )
        found = metrics(
            priced["home_win"],
            norm.cdf(priced["spread_line"].to_numpy() / SPREAD_SD),
            target="home_win",
        )
        for name, value in CONSTANTS.items():
            limit = [value - DIGITS, value + DIGITS]
            note = f"{name} of the closing line, Phi(spread / {SPREAD_SD}), 2004 to 2024"
            yield check(f"line_{name}", found[name], limit, found["n"], note=note)
    covers = games["home_cover"].drop_nulls() if "home_cover" in games.columns else pl.Series([])
    note = "share of games, pushes aside, in which the home team beat the spread"
    slack = max(RATE_SLACK, ERRORS * 0.5 / max(len(covers), 1) ** 0.5)
    limit = [COVER_RATE - slack, COVER_RATE + slack]
    yield check("cover_rate", covers.mean(), limit, len(covers), note=note)
    residual = games.select(pl.col("home_margin") - pl.col("spread_line")).to_series().drop_nulls()
    note = "standard deviation of margin less spread, points"
    slack = max(SD_SLACK, ERRORS * RESIDUAL_SD / (2 * max(len(residual), 1)) ** 0.5)
    limit = [RESIDUAL_SD - slack, RESIDUAL_SD + slack]
    yield check("residual_sd", residual.std(), limit, len(residual), note=note)


def of_covers(predictions: pl.DataFrame) -> Iterator[dict]:
    """Checks that no model of home_cover is better than any honest one.

    Args:
        predictions: of all models, see `artifacts.read_predictions`.
    """
    scored = [
        (name, metrics(part["outcome"], part["probability"], target="home_cover"))
        for name, part in _by_model(predictions.filter(pl.col("target") == "home_cover"))
    ]
    scored = [(name, found) for name, found in scored if found["n"] >= ENOUGH]
    note = f"of models of home_cover with {ENOUGH} games or more out of sample"
    best = max(scored, key=lambda one: one[1]["auc"], default=None)
    auc = (
        (best[1]["auc"], best[1]["n"], f"highest AUC {note}: {best[0]}")
        if best
        else (None, 0, note)
    )
    yield check("cover_auc", auc[0], [None, COVER_AUC], auc[1], note=auc[2])
    best = min(scored, key=lambda one: one[1]["brier"], default=None)
    told = (
        (best[1]["brier"], best[1]["n"], f"lowest {note}: {best[0]}") if best else (None, 0, note)
    )
    yield check("cover_brier", told[0], [COVER_BRIER, None], told[1], note=told[2])


def of_wins(
    predictions: pl.DataFrame, games: pl.DataFrame, without_lines: Sequence[str]
) -> Iterator[dict]:
    """Check that models of home_win that know no line do not order games better than it does.

    Args:
        predictions: of all models.
        games: columns of nfl/features/games.parquet.
        without_lines: feature sets without closing lines.
    """
    lines = games.select("game_id", "spread_line")
    blind = predictions.filter(
        (pl.col("target") == "home_win") & pl.col("features").is_in(list(without_lines))
    )
    worst, n, who = None, 0, ""
    for name, part in _by_model(blind):
        both = part.join(lines, on="game_id").filter(
            pl.col("spread_line").is_not_null() & pl.col("outcome").is_not_null()
        )
        ours = metrics(both["outcome"], both["probability"], target="home_win")["auc"]
        theirs = metrics(
            both["outcome"], norm.cdf(both["spread_line"].to_numpy() / SPREAD_SD), target="home_win"
        )["auc"]
        if ours is not None and (worst is None or ours - theirs > worst):
            worst, n, who = ours - theirs, both.height, name
    note = f"highest AUC above the closing line's, of models that know no line: {who}"
    yield check("win_below_line", worst, [None, SLACK], n, note=note)


def of_bands(predictions: pl.DataFrame) -> Iterator[dict]:
    """Checks that the GLM scores what it scored before, 2004 to 2024.

    Args:
        predictions: of all models.
    """
    glm = predictions.filter(
        (pl.col("model") == "glm")
        & (pl.col("calibration") == "none")
        & pl.col("season").is_between(*LINES)
    )
    for task, bands in BANDS.items():
        target = "home_cover" if task.startswith("home_cover") else "home_win"
        part = glm.filter(
            (pl.col("target") == target) & (pl.col("features") == task.removeprefix(f"{target}_"))
        )
        found = metrics(part["outcome"], part["probability"], target=target)
        for name, band in bands.items():
            note = f"{name} of the GLM, out of sample, 2004 to 2024"
            yield check(f"band_{task}_{name}", found[name], band, found["n"], note=note)


def _by_model(predictions: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and known predictions of each model."""
    known = predictions.filter(pl.col("outcome").is_not_null())
    keys = ["target", "features", "model", "calibration"]
    for names, part in known.group_by(keys, maintain_order=True):
        yield "/".join(names), part


def score(
    games: Path,
    predictions: Sequence[Path],
    names: Sequence[str],
    groups: Sequence[str],
    outs: Sequence[Path],
) -> str:
    """Write the checks against the market.

    Args:
        games: table of all features.
        predictions: of all models and seasons.
        names: the checks to write.
        groups: `features/group` of all feature sets.
        outs: their files.

    Returns:
        one line for the log.
    """
    table = pl.read_parquet(games)
    found = list(of_lines(table))
    if predictions:
        made = pl.concat([artifacts.read_predictions(path) for path in predictions])
        sets = {group.partition("/")[0] for group in groups}
        blind = sorted(name for name in sets if f"{name}/market" not in groups)
        found += [*of_covers(made), *of_wins(made, table, blind), *of_bands(made)]
    return write_all(found, names, outs)


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                games=Path(snakemake.input.games),  # noqa: F821
                predictions=[Path(path) for path in snakemake.input.predictions],  # noqa: F821
                names=snakemake.params.names,  # noqa: F821
                groups=snakemake.params.groups,  # noqa: F821
                outs=[Path(path) for path in snakemake.output],  # noqa: F821
            ),
        )
