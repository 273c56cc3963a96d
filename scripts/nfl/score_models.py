"""All models in one table, against the closing line and the base rate; by season; a conclusion."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from scripts.atomic import atomic
from scripts.errors import DataError
from scripts.nfl import artifacts, comparison
from scripts.nfl.evaluation import RELIABILITY, SCORES, metrics, reliability
from scripts.tables import Column, conform

REFERENCE_NAMES = {"closing_line": "the closing line", "base_rate": "the base rate"}
SIMULATED = {"simulated": Column(pl.Boolean, "whether anything that the row rests on is simulated")}
MODELS = {
    **comparison.COLUMNS,
    "closing_line_simulated": Column(pl.Boolean, "whether the closing lines are simulated"),
    **SIMULATED,
}
BINS = {**comparison.LABELS, **RELIABILITY, **SIMULATED}
SEASONS = {
    **comparison.LABELS,
    "season": Column(pl.Int32, "season that the models were tested on"),
    "n": comparison.GAMES,
    **SCORES,
    **SIMULATED,
}


def with_references(predictions: pl.DataFrame, games: pl.DataFrame) -> pl.DataFrame:
    """Predictions of the models, and of what needs none for the same games.

    Args:
        predictions: of all models, see `artifacts.read_predictions`.
        games: columns of nfl/features/games.parquet.
    """
    if "spread_line" not in games.columns:
        games = games.with_columns(spread_line=pl.lit(None, pl.Float64))
    columns = [*comparison.KEYS, *comparison.GAME]
    parts = [predictions.select(columns)]
    for (target,), part in predictions.group_by("target", maintain_order=True):
        found = comparison.references(games, target).join(part, on="game_id", how="semi")
        parts.append(found.select(columns).cast(dict(parts[0].schema)))
    known = pl.col("outcome").is_not_null() & pl.col("probability").is_not_null()
    return pl.concat(parts).filter(known)


def marked(table: pl.DataFrame, simulated: Sequence[str], lines: bool) -> pl.DataFrame:
    """A table with the column simulated.

    Args:
        table: columns target, features and model.
        simulated: `target/features` of models that rest on anything simulated.
        lines: whether the closing lines are simulated.
    """
    task = pl.col("target") + "/" + pl.col("features")
    targets = ["home_cover", "over_hit"] if lines else []
    priced = (pl.col("model") == comparison.CLOSING_LINE) & pl.lit(lines)
    if "closing_line_n" in table.columns:
        table = table.with_columns(closing_line_simulated=pl.lit(lines))
    return table.with_columns(
        simulated=task.is_in(list(simulated)) | priced | pl.col("target").is_in(targets)
    )


def by_season(predictions: pl.DataFrame) -> pl.DataFrame:
    """Scores of each model in each season: KEYS, season, n and `evaluation.SCORES`."""
    rows = []
    keys = [*comparison.KEYS, "season"]
    for names, part in predictions.group_by(keys, maintain_order=True):
        found = metrics(part["outcome"], part["probability"], target=names[0])
        rows.append(dict(zip(keys, names, strict=True)) | dict(found))
    schema = dict.fromkeys(SCORES, pl.Float64)
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None).sort(keys)


def bins_of(predictions: pl.DataFrame) -> pl.DataFrame:
    """Reliability of each model by bins of probability: of all seasons (season null), of each."""
    parts = []
    for names, part in predictions.group_by(list(comparison.KEYS), maintain_order=True):
        found = reliability(part["outcome"], part["probability"], season=part["season"])
        told = zip(comparison.KEYS, names, strict=True)
        parts.append(found.select(*(pl.lit(value).alias(key) for key, value in told), pl.all()))
    return pl.concat(parts)


def conclusion(table: pl.DataFrame, lines: bool) -> Iterator[str]:
    """What the table says, in sentences: for each target what beats the references and what not.

    Args:
        table: from `comparison.compare`, with the column simulated.
        lines: whether the closing lines are simulated.
    """
    yield "# What beats the closing line, what does not"
    yield ""
    yield (
        "A model is called better or worse where its Brier score differs at the 5 % level: "
        "Diebold-Mariano test on the same games, out of sample, Holm-adjusted over the models of a "
        "target. Differences with 95 % bootstrap intervals over weeks."
    )
    if lines:
        yield ""
        yield (
            "**The closing lines are simulated.** What is said of them here says nothing of the "
            "market."
        )
    for (target,), part in table.group_by("target", maintain_order=True):
        models = part.filter(~pl.col("model").is_in(list(comparison.REFERENCES)))
        yield ""
        yield f"## {target}"
        for name, words in REFERENCE_NAMES.items():
            yield ""
            yield from _verdicts(models, name, words)
        # Not by the score itself: families are not all tested on the same games.
        gain = "base_rate_difference"
        best = models.sort(gain, "features", "model", "calibration", nulls_last=True).row(
            0, named=True
        )
        yield ""
        yield (
            f"Most below the base rate on its own games: {_name(best)}, Brier score "
            f"{best['brier']:.4f} [{best['brier_low']:.4f}, {best['brier_high']:.4f}] on "
            f"{best['n']} games{' (simulated)' if best['simulated'] else ''}. It is the best of "
            f"{models.height} that were tried: its score alone flatters it."
        )


def _verdicts(models: pl.DataFrame, name: str, words: str) -> Iterator[str]:
    """Sentences of the models of a target against a reference."""
    tested = models.filter(pl.col(f"{name}_verdict").is_not_null())
    if tested.is_empty():
        yield f"Against {words}: there is none to compare with."
        return
    counts = dict(tested.group_by(f"{name}_verdict").len().rows())
    told = ", ".join(f"{counts.get(v, 0)} {v}" for v in ("better", "no difference", "worse"))
    yield f"Against {words} ({tested.height} models): {told}."
    better = tested.filter(pl.col(f"{name}_verdict") == "better").sort(f"{name}_difference")
    if better.is_empty():
        yield f"None beats {words}."
    for row in better.head(5).iter_rows(named=True):
        yield (
            f"- {_name(row)}: {row[f'{name}_difference']:+.4f} "
            f"[{row[f'{name}_difference_low']:+.4f}, {row[f'{name}_difference_high']:+.4f}]"
            f"{' (simulated)' if row['simulated'] else ''}"
        )


def _name(row: dict) -> str:
    """A model in words."""
    kind = "" if row["calibration"] == "none" else f", {row['calibration']}"
    return f"{row['model']} on {row['features']}{kind}"


def score(
    predictions: Sequence[Path],
    games: Path,
    draws: int,
    seed: int,
    simulated: Sequence[str],
    lines_simulated: bool,
    models: Path,
    reliable: Path,
    seasons: Path,
    concluded: Path,
) -> str:
    """Write the comparison of all models.

    Args:
        predictions: of all models and seasons.
        games: table of all features.
        draws: draws of the bootstrap.
        seed: its seed.
        simulated: `target/features` of models that rest on anything simulated.
        lines_simulated: whether the closing lines are.
        models: CSV to write, columns `MODELS`, see `comparison.compare`.
        reliable: CSV to write, columns `BINS`, see `bins_of`.
        seasons: CSV to write, columns `SEASONS`, see `by_season`.
        concluded: Markdown to write.

    Returns:
        one line for the log.

    Raises:
        DataError: no tested game has a result.
    """
    made = pl.concat([artifacts.read_predictions(path) for path in predictions])
    if not made["outcome"].count():
        raise DataError(
            "no tested game has a result yet; set nfl.first_test to a season that has begun"
        )
    made = with_references(made, pl.read_parquet(games))
    table = marked(comparison.compare(made, draws=draws, seed=seed), simulated, lines_simulated)
    for frame, columns, out in (
        (table, MODELS, models),
        (marked(bins_of(made), simulated, lines_simulated), BINS, reliable),
        (marked(by_season(made), simulated, lines_simulated), SEASONS, seasons),
    ):
        with atomic(out) as temporary:
            conform(frame, columns).write_csv(temporary)
    with atomic(concluded) as temporary:
        text = "\n".join(conclusion(table, lines_simulated)) + "\n"
        temporary.write_text(text, encoding="utf-8")
    return f"{table.height} models and references, {made['game_id'].n_unique()} games"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            score(
                predictions=[Path(path) for path in snakemake.input.predictions],  # noqa: F821
                games=Path(snakemake.input.games),  # noqa: F821
                draws=snakemake.params.draws,  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                simulated=snakemake.params.simulated,  # noqa: F821
                lines_simulated=snakemake.params.lines_simulated,  # noqa: F821
                models=Path(snakemake.output.models),  # noqa: F821
                reliable=Path(snakemake.output.reliability),  # noqa: F821
                seasons=Path(snakemake.output.seasons),  # noqa: F821
                concluded=Path(snakemake.output.conclusion),  # noqa: F821
            ),
        )
