# NFL: functions that name the files of models, checks and grid, and all products. No rules here.
MODEL_TABLES = ("models.csv", "reliability.csv", "seasons.csv", "conclusion.md")
OF_MODELS = ("predictions.parquet", "metrics.json")
CARD_MB = 300  # of memory here for the driver of a card; not measured
# The same for all of a Slurm array.
FIT_MB = NODE_MB + 550 + CARD_MB * (config["nfl"]["device"] == "cuda")


def gpu_of(wildcards):
    """Cards a model's job takes: one for XGBoost where config says so."""
    return int(config["nfl"]["device"] == "cuda" and wildcards.model == "xgboost")


def device_of(wildcards):
    """Where a model is fitted."""
    return "cuda" if gpu_of(wildcards) else "cpu"


def model_folder(model, season, task, calibration):
    """Folder of a model of a season."""
    target, features = task
    return f"<results>/nfl/models/{target}/{features}/{model}/{calibration}/season={season}"


def model_outputs(name):
    """Output patterns of the families whose models are kept in files of that name."""
    models = [model for model in NFL.models if MODEL_FILES[model] == name] or ["glm"]
    return _outputs("{model}", NFL.tasks_of(models[0]), name)


def stack_outputs():
    """Output patterns of the stack."""
    return _outputs("stack", NFL.tasks, MODEL_FILES["stack"])


def _outputs(model, tasks, name):
    return [
        f"{model_folder(model, '{season}', task, calibration)}/{file}"
        for task in tasks
        for calibration in NFL.calibrations
        for file in (name if calibration == "none" else CALIBRATED, *OF_MODELS)
    ]


def one_of(names):
    """Constraint of a wildcard to some values; of none: to what nothing is called."""
    return "|".join(names) or "-"


def tasks_of(wildcards):
    """`target/features`, each, of a family."""
    return ["/".join(task) for task in NFL.tasks_of(wildcards.model)]


def settings_of(wildcards):
    """Settings of a family that config names, as sorted pairs."""
    return sorted(config["nfl"]["settings"].get(wildcards.model, {}).items())


def model_files(model, season, name):
    """A family's files of that name of a season, for all tasks and calibrations."""
    return [
        f"{model_folder(model, season, task, calibration)}/{name}"
        for task in NFL.tasks_of(model)
        for calibration in NFL.calibrations
    ]


def tests_of(model):
    """Seasons that a family is tested on."""
    return NFL.stack_tests if model == "stack" else NFL.tests


def families():
    """All families, the stack with them where there is one."""
    return [*NFL.models, *(["stack"] if NFL.stacks else [])]


def predictions_before(wildcards):
    """Predictions of all families but the stack, of the seasons up to and with the stack's own."""
    seasons = [season for season in NFL.tests if season <= int(wildcards.season)]
    return [
        path
        for model in NFL.models
        for season in seasons
        for path in model_files(model, season, "predictions.parquet")
    ]


def all_of_models(name):
    """One file of every model: predictions.parquet or metrics.json."""
    return [
        path
        for model in families()
        for season in tests_of(model)
        for path in model_files(model, season, name)
    ]


def simulated_tasks():
    """`target/features` of the models that rest on anything simulated."""
    return sorted(f"{t}/{f}" for t, f in NFL.tasks if NFL.groups_simulated(t, f))


def feature_groups():
    """`features/group` of all feature sets."""
    return sorted(f"{name}/{group}" for name, gs in NFL.feature_sets.items() for group in gs)


def checks_of(kind):
    """Files of the checks of one job."""
    return [f"<results>/nfl/checks/{name}.json" for name in NFL.checks[kind]]


def check_files():
    """The checks that apply, each in its file."""
    return [path for kind in NFL.checks for path in checks_of(kind)]


def official_files(wildcards):
    """Official expected points of each season that ours are held against."""
    return [source_file("team_stats", season) for season in NFL.stats_seasons]


def official_manifests(wildcards):
    """Manifests of those that were landed."""
    landed = NFL.sources["team_stats"] == "nflverse"
    return [raw_file("team_stats", s) + ".json" for s in NFL.stats_seasons] if landed else []


def official_revisions(wildcards):
    """What the content of those given by config is known by."""
    return [planned(NFL.revision, "team_stats", season) for season in NFL.stats_seasons]


def nfl_plots(name):
    """The files of a picture, one in each format."""
    return [f"<results>/nfl/plots/{name}.{kind}" for kind in PLOT_FORMATS]


def grid_chunks():
    """Chunks of the grid."""
    return planned(grid.chunks, config["nfl"]["grid"], config["nfl"]["device"])


def chunk_file(chunk):
    """Rows of a chunk of the grid."""
    return f"<results>/nfl/grid/{chunk.device}/{chunk.name}/part.parquet"


def fits_of(wildcards):
    """Names of the fits of a chunk."""
    for chunk in grid_chunks():
        if (chunk.device, chunk.name) == (wildcards.device, wildcards.chunk):
            return list(chunk.fits)
    raise WorkflowError(f"no chunk {wildcards.chunk} of the grid on {wildcards.device}")


def chunk_gpu(wildcards):
    """Cards a chunk's job takes."""
    return int(wildcards.device == "cuda")


def chunk_memory(wildcards, input, attempt):
    """Memory of a chunk's job (MB), with that of the card's driver."""
    base = 430 + CARD_MB * chunk_gpu(wildcards)
    return _memory_mb(base, 40, math.inf, wildcards, input, attempt)


def nfl_products():
    """All files of the domain but the grid; without schedules there are none."""
    if not NFL.on:
        if "nfl" in sys.argv:
            print("nfl: nothing to build, nfl.sources.schedules is null", file=sys.stderr)
        return []
    tables = ["schedules", "stadiums", "pbp", "play_types", "team_epa", "odds", "weather"]
    tables += [table for table in ("players", "player_games") if NFL.has(table)]
    raw = [path for path in provenance_sources() if path.startswith("<results>")]
    # Manifests too: a fetch that fails takes its manifest away and keeps the file as it was.
    landed = [path for path in raw if "raw/gamecenter" not in path and path[-5:] != ".json"]
    raw += [f"{path}.json" for path in landed]
    products = [
        "<results>/nfl/provenance.json",
        GAMES,
        # Also what lies between: only a target that names a file sees that it is missing.
        *raw,
        *(path for table in tables for path in etl_files(table)),
        *(points_model(season) for season in NFL.pbp_seasons if NFL.fits_points(season)),
        *(features_file(season) for season in NFL.seasons),
        *check_files(),
        "<results>/nfl/passed.json",
    ]
    if not NFL.tasks or not NFL.tests:
        return products
    for model in families():
        name = MODEL_FILES[model]
        for pattern in model_outputs(name) if model != "stack" else stack_outputs():
            products += expand(pattern, model=model, season=tests_of(model))
    products += [f"<results>/nfl/tables/{name}" for name in MODEL_TABLES]
    kinds = ("reliability", "seasons")
    return products + [p for t in NFL.targets for k in kinds for p in nfl_plots(f"{k}_{t}")]


def grid_products():
    """The grid's table, its choice, and the check of it."""
    if not NFL.on or not NFL.has_grid:
        if "grid" in sys.argv:
            print("grid: nothing to build, no source or no season to choose on", file=sys.stderr)
        return []
    return [
        *(chunk_file(chunk) for chunk in grid_chunks()),
        "<results>/nfl/grid/results.parquet",
        "<results>/nfl/grid/chosen.json",
        "<results>/nfl/checks/grid_selection.json",
    ]


PRODUCTS["nfl"] = nfl_products
PRODUCTS["grid"] = grid_products
