# NFL, models: each family tested on each season by what earlier seasons taught it; comparison, plots.
#
# In:  nfl/features/season=*/part.parquet.
# Out: nfl/models/{target}/{features}/{model}/{calibration}/season=*/{model.*,predictions.parquet,
#      metrics.json}: a job makes those of all targets, feature sets and calibrations;
#      nfl/tables/, nfl/plots/.
MODELS_BY_FILE = {
    name: [model for model in NFL.models if MODEL_FILES[model] == name]
    for name in ("model.skops", "model.json", "model.ubj")
}


rule nfl_fit_model:
    input:
        features=features_up_to,
    output:
        model_outputs("model.skops"),
    log:
        "<logs>/nfl/nfl_fit_model/{model}/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_fit_model/{model}/{season}.tsv"
    wildcard_constraints:
        model=one_of(MODELS_BY_FILE["model.skops"]),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FIT_MB,
        runtime=60,
        gpu=gpu_of,
    params:
        code=code("nfl/fit_model"),
        tasks=tasks_of,
        groups=feature_groups(),
        simulated=simulated_tasks(),
        calibrations=NFL.calibrations,
        seed=config["nfl"]["seed"],
        device=device_of,
        settings=settings_of,
    message:
        "Test {wildcards.model} on {wildcards.season}"
    script:
        "../scripts/nfl/fit_model.py"


# The same job: these families only keep their models in other formats.
use rule nfl_fit_model as nfl_fit_model_json with:
    output:
        model_outputs("model.json"),
    wildcard_constraints:
        model=one_of(MODELS_BY_FILE["model.json"]),


use rule nfl_fit_model as nfl_fit_model_ubj with:
    output:
        model_outputs("model.ubj"),
    wildcard_constraints:
        model=one_of(MODELS_BY_FILE["model.ubj"]),


rule nfl_fit_stack:
    input:
        predictions=predictions_before,
    output:
        stack_outputs(),
    log:
        "<logs>/nfl/nfl_fit_stack/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_fit_stack/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=20,
    params:
        code=code("nfl/fit_stack"),
        tasks=["/".join(task) for task in NFL.tasks],
        simulated=simulated_tasks(),
        calibrations=NFL.calibrations,
        seed=config["nfl"]["seed"],
    message:
        "Test the stack on {wildcards.season}"
    script:
        "../scripts/nfl/fit_stack.py"


rule nfl_score_models:
    input:
        predictions=all_of_models("predictions.parquet"),
        games=GAMES,
        passed="<results>/nfl/passed.json",
    output:
        models=shown("<results>/nfl/tables/models.csv", "nfl_models", "Tables", table="models"),
        reliability=shown(
            "<results>/nfl/tables/reliability.csv",
            "nfl_reliability",
            "Tables",
            table="reliability",
        ),
        seasons=shown("<results>/nfl/tables/seasons.csv", "nfl_seasons", "Tables", table="seasons"),
        conclusion=shown(
            "<results>/nfl/tables/conclusion.md", "nfl_conclusion", "Tables", table="conclusion"
        ),
    log:
        "<logs>/nfl/nfl_score_models.log",
    benchmark:
        "<benchmarks>/nfl/nfl_score_models.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(400, 10),
        runtime=60,
    params:
        code=code("nfl/score_models"),
        draws=config["nfl"]["draws"],
        seed=config["nfl"]["seed"],
        simulated=simulated_tasks(),
        lines_simulated=NFL.simulates("odds"),
    message:
        "Compare all models with the closing line and the base rate"
    script:
        "../scripts/nfl/score_models.py"


rule nfl_plot_reliability:
    input:
        reliability="<results>/nfl/tables/reliability.csv",
    output:
        shown_plot(
            nfl_plots("reliability_{target}"),
            "nfl_reliability_plot",
            picture="reliability of {target}",
        ),
    log:
        "<logs>/nfl/nfl_plot_reliability/{target}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_plot_reliability/{target}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/plot_reliability"),
    message:
        "Plot how reliable the probabilities of {wildcards.target} are"
    script:
        "../scripts/nfl/plot_reliability.py"


rule nfl_plot_seasons:
    input:
        seasons="<results>/nfl/tables/seasons.csv",
    output:
        shown_plot(nfl_plots("seasons_{target}"), "nfl_seasons_plot", picture="seasons of {target}"),
    log:
        "<logs>/nfl/nfl_plot_seasons/{target}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_plot_seasons/{target}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/plot_seasons"),
    message:
        "Plot the scores of {wildcards.target} by season"
    script:
        "../scripts/nfl/plot_seasons.py"
