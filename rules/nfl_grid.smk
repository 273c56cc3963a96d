# NFL, grid: XGBoost over all combinations of values, shared out over devices, in chunks of fits.
#
# In:  nfl/features/season=*/part.parquet up to the validation season; no test season is looked at.
# Out: nfl/grid/results.parquet (a row a configuration), nfl/grid/chosen.json.
# A chunk keeps each fit as soon as it is made (`update`): a killed or enlarged grid fits the rest.


rule nfl_fit_grid:
    input:
        features=[features_file(season) for season in NFL.up_to(NFL.validation)],
    output:
        store=update("<results>/nfl/grid/{device}/{chunk}/fits.parquet"),
        rows="<results>/nfl/grid/{device}/{chunk}/part.parquet",
    log:
        "<logs>/nfl/nfl_fit_grid/{device}/{chunk}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_fit_grid/{device}/{chunk}.tsv"
    wildcard_constraints:
        device="cpu|cuda",
        chunk="max_depth=[^/]+/learning_rate=[^/]+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=chunk_memory,
        runtime=60,
        gpu=chunk_gpu,
    params:
        code=code("nfl/fit_grid"),
        fits=fits_of,
        target=config["nfl"]["grid"]["target"],
        groups=NFL.feature_sets.get(config["nfl"]["grid"]["features"], []),
        rounds=sorted(config["nfl"]["grid"]["rounds"]),
        validation=NFL.validation,
        seed=config["nfl"]["seed"],
    message:
        "Fit the grid at {wildcards.chunk} on {wildcards.device}"
    script:
        "../scripts/nfl/fit_grid.py"


rule nfl_score_grid:
    input:
        chunks=[chunk_file(chunk) for chunk in grid_chunks()],
    output:
        table="<results>/nfl/grid/results.parquet",
        chosen=shown("<results>/nfl/grid/chosen.json", "nfl_grid", "Tables", table="grid: choice"),
    log:
        "<logs>/nfl/nfl_score_grid.log",
    benchmark:
        "<benchmarks>/nfl/nfl_score_grid.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/score_grid"),
        rows=len(grid.fits(config["nfl"]["grid"])) * len(config["nfl"]["grid"]["rounds"]),
        target=config["nfl"]["grid"]["target"],
        features=config["nfl"]["grid"]["features"],
        tests=NFL.tests,
        simulated=NFL.grid_simulated,
    message:
        "Choose from the grid by its validation season"
    script:
        "../scripts/nfl/score_grid.py"


# By itself: the checks of the models run without the grid.
rule nfl_check_selection:
    input:
        table="<results>/nfl/grid/results.parquet",
        chosen="<results>/nfl/grid/chosen.json",
    output:
        check=shown("<results>/nfl/checks/grid_selection.json", "nfl_check", "Checks", check="grid"),
    log:
        "<logs>/nfl/nfl_check_selection.log",
    benchmark:
        "<benchmarks>/nfl/nfl_check_selection.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/check_selection"),
        tests=NFL.tests,
    message:
        "Check that the grid chose on its validation season alone"
    script:
        "../scripts/nfl/check_selection.py"
