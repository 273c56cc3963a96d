# NFL, levels 1 to 3: plays -> their classes, expected points -> team-games -> features of games.
#
# In:  nfl/raw/**, nfl/etl/{schedules,stadiums,odds,weather}.
# Out: nfl/etl/{pbp,play_types,player_games,team_epa}/season=*/part.parquet,
#      nfl/expected_points/season=*/model.ubj,
#      nfl/features/season=*/part.parquet, and all of them in nfl/features/games.parquet.
# Every file of a season is made of that season and earlier ones: another one reruns nothing of them.


rule nfl_build_pbp:
    input:
        source=source_of("pbp"),
        manifest=manifest_of("pbp"),
        schedule="<results>/nfl/etl/schedules/season={season}/part.parquet",
    output:
        partition="<results>/nfl/etl/pbp/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_pbp/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_pbp/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 60),
        runtime=3,
    params:
        code=code("nfl/build_pbp"),
        revision=revision_of("pbp"),
    message:
        "Check the plays of {wildcards.season}"
    script:
        "../scripts/nfl/build_pbp.py"


rule nfl_build_play_types:
    input:
        plays="<results>/nfl/etl/pbp/season={season}/part.parquet",
    output:
        partition="<results>/nfl/etl/play_types/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_play_types/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_play_types/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_play_types"),
    message:
        "Classify the plays of {wildcards.season}"
    script:
        "../scripts/nfl/build_play_types.py"


if NFL.has("player_games"):

    rule nfl_build_player_games:
        input:
            source=source_of(PLAYER_GAMES_TABLE),
            manifest=manifest_of(PLAYER_GAMES_TABLE),
            schedule="<results>/nfl/etl/schedules/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/player_games/season={season}/part.parquet",
        log:
            "<logs>/nfl/nfl_build_player_games/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_build_player_games/{season}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=memory_mb(300, 60),
            runtime=3,
        params:
            code=code("nfl/build_player_games"),
            kind=NFL.sources["player_games"],
            revision=revision_of(PLAYER_GAMES_TABLE),
        message:
            "Add up the players' games of {wildcards.season}"
        script:
            "../scripts/nfl/build_player_games.py"


rule nfl_fit_expected_points:
    input:
        earlier=earlier_plays,
    output:
        model=points_model("{season}"),
    log:
        "<logs>/nfl/nfl_fit_expected_points/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_fit_expected_points/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(330, 45),
        runtime=30,
    params:
        code=code("nfl/fit_expected_points"),
        seed=config["nfl"]["seed"],
    message:
        "Fit expected points on the seasons before {wildcards.season}"
    script:
        "../scripts/nfl/fit_expected_points.py"


rule nfl_build_team_epa:
    input:
        plays="<results>/nfl/etl/pbp/season={season}/part.parquet",
        types="<results>/nfl/etl/play_types/season={season}/part.parquet",
        model=points_model_of,
    output:
        partition="<results>/nfl/etl/team_epa/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_team_epa/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_team_epa/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_team_epa"),
    message:
        "Sum up expected points added of {wildcards.season}"
    script:
        "../scripts/nfl/build_team_epa.py"


rule nfl_build_features:
    input:
        schedules=etl_up_to("schedules"),
        stadiums=etl_up_to("stadiums"),
        team_epa=etl_up_to("team_epa"),
        odds=etl_up_to("odds"),
        weather=etl_up_to("weather"),
    output:
        partition=features_file("{season}"),
    log:
        "<logs>/nfl/nfl_build_features/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_features/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_features"),
        elo=sorted(config["nfl"]["elo"].items()),
    message:
        "Build the features of {wildcards.season}"
    script:
        "../scripts/nfl/build_features.py"


rule nfl_build_games:
    input:
        seasons=[features_file(season) for season in NFL.seasons],
    output:
        games=GAMES,
    log:
        "<logs>/nfl/nfl_build_games.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_games.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/build_games"),
    message:
        "Put the features of all seasons together"
    script:
        "../scripts/nfl/build_games.py"
