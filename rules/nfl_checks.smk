# NFL, checks: what must hold, each in a file; `nfl_check_passed` fails the build when one does not.
#
# In:  nfl/etl/**, nfl/features/**, nfl/models/**.
# Out: nfl/checks/{name}.json {check, got, limit, n, pass, simulated, note}, nfl/passed.json.
# A check that does not apply (market gates without real lines) is absent, not passed.


rule nfl_score_integrity:
    input:
        schedules=etl_files("schedules"),
        pbp=etl_files("pbp"),
        play_types=etl_files("play_types"),
        odds=etl_files("odds"),
        weather=etl_files("weather"),
    output:
        checks_of("integrity"),
    log:
        "<logs>/nfl/nfl_score_integrity.log",
    benchmark:
        "<benchmarks>/nfl/nfl_score_integrity.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(150, 42),
        runtime=20,
    params:
        code=code("nfl/score_integrity"),
        names=NFL.checks["integrity"],
        closed=[season for season in NFL.seasons if not NFL.is_open(season)],
        simulated=NFL.simulates("odds"),
    message:
        "Check that games, plays, lines and weather belong together"
    script:
        "../scripts/nfl/score_integrity.py"


rule nfl_score_leaks:
    input:
        schedules=etl_files("schedules"),
        stadiums=etl_files("stadiums"),
        team_epa=etl_files("team_epa"),
        odds=etl_files("odds"),
        weather=etl_files("weather"),
        games=GAMES,
        metrics=all_of_models("metrics.json"),
    output:
        checks_of("leaks"),
    log:
        "<logs>/nfl/nfl_score_leaks.log",
    benchmark:
        "<benchmarks>/nfl/nfl_score_leaks.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(150, 32),
        runtime=20,
    params:
        code=code("nfl/score_leaks"),
        names=NFL.checks["leaks"],
        elo=sorted(config["nfl"]["elo"].items()),
        seed=config["nfl"]["seed"],
        simulated=NFL.any_simulated,
    message:
        "Check that no feature or model has seen what came later"
    script:
        "../scripts/nfl/score_leaks.py"


if NFL.checks["points"]:

    rule nfl_score_points:
        input:
            team_epa=[etl_file("team_epa", season) for season in NFL.stats_seasons],
            schedules=[etl_file("schedules", season) for season in NFL.stats_seasons],
            official=official_files,
            manifests=official_manifests,
        output:
            checks_of("points"),
        log:
            "<logs>/nfl/nfl_score_points.log",
        benchmark:
            "<benchmarks>/nfl/nfl_score_points.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=20,
        params:
            code=code("nfl/score_points"),
            names=NFL.checks["points"],
            revisions=official_revisions,
        message:
            "Hold expected points added against the official ones"
        script:
            "../scripts/nfl/score_points.py"


if NFL.checks["market"]:

    rule nfl_score_market:
        input:
            games=GAMES,
            predictions=all_of_models("predictions.parquet"),
        output:
            checks_of("market"),
        log:
            "<logs>/nfl/nfl_score_market.log",
        benchmark:
            "<benchmarks>/nfl/nfl_score_market.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=memory_mb(250, 20),
            runtime=20,
        params:
            code=code("nfl/score_market"),
            names=NFL.checks["market"],
            groups=feature_groups(),
        message:
            "Hold the models against the closing lines"
        script:
            "../scripts/nfl/score_market.py"


rule nfl_check_passed:
    input:
        checks=check_files(),
    output:
        passed=shown("<results>/nfl/passed.json", "nfl_passed", "Checks", check="all checks"),
    log:
        "<logs>/nfl/nfl_check_passed.log",
    benchmark:
        "<benchmarks>/nfl/nfl_check_passed.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/check_passed"),
    message:
        "See that all checks of the NFL results passed"
    script:
        "../scripts/nfl/check_passed.py"
