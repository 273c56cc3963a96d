# NFL, level 0: sources as they are -> nfl/raw/; schedules, stadiums, players in one layout.
#
# In:  the package of real GameCenter games, nflverse's releases over HTTP, or files in nfl.folder.
# Out: nfl/raw/**, nfl/etl/{schedules,stadiums,players}/season=*/part.parquet.
rule nfl_land_gamecenter:
    output:
        games="<results>/nfl/raw/gamecenter/season={season}/games.csv",
        plays="<results>/nfl/raw/gamecenter/season={season}/plays.parquet",
        player_games="<results>/nfl/raw/gamecenter/season={season}/player_games.parquet",
    log:
        "<logs>/nfl/nfl_land_gamecenter/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_land_gamecenter/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/land_gamecenter"),
        revision=NFL.package,
    message:
        "Flatten the GameCenter records of {wildcards.season}"
    script:
        "../scripts/nfl/land_gamecenter.py"


rule nfl_land_release:
    output:
        file=update("<results>/nfl/raw/{dataset}/season={season}/{name}"),
        manifest="<results>/nfl/raw/{dataset}/season={season}/{name}.json",
    log:
        "<logs>/nfl/nfl_land_release/{dataset}/{season}/{name}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_land_release/{dataset}/{season}/{name}.tsv"
    wildcard_constraints:
        dataset="|".join(RAW),
        name="|".join(RAW.values()),
    retries: 2
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        http=1,
    params:
        code=code("nfl/land_release"),
        base=config["nfl"]["urls"]["nflverse"],
        dataset=release_of,
        as_of=season_known_at,
    message:
        "Land {wildcards.dataset} of {wildcards.season}"
    script:
        "../scripts/nfl/land_release.py"


rule nfl_build_schedules:
    input:
        source=source_of("schedules"),
        manifest=manifest_of("schedules"),
    output:
        partition="<results>/nfl/etl/schedules/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_schedules/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_schedules/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_schedules"),
        as_of=hides_after,
        revision=revision_of("schedules"),
    message:
        "Check the schedule of {wildcards.season}"
    script:
        "../scripts/nfl/build_schedules.py"


rule nfl_build_stadiums:
    input:
        source=config["nfl"]["stadiums"],
    output:
        partition="<results>/nfl/etl/stadiums/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_stadiums/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_stadiums/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_stadiums"),
        content=NFL.stadiums_content,
    message:
        "List the stadiums of {wildcards.season}"
    script:
        "../scripts/nfl/build_stadiums.py"


rule nfl_build_players:
    input:
        source=players_source,
        manifest=manifest_of("players"),
    output:
        partition="<results>/nfl/etl/players/season={season}/part.parquet",
    log:
        "<logs>/nfl/nfl_build_players/{season}.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_players/{season}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=3,
    params:
        code=code("nfl/build_players"),
        revision=revision_of("players"),
    message:
        "List the players of {wildcards.season}"
    script:
        "../scripts/nfl/build_players.py"


rule nfl_build_provenance:
    input:
        sources=provenance_sources,
    output:
        provenance=shown(
            "<results>/nfl/provenance.json", "provenance", "Provenance", file="sources"
        ),
    log:
        "<logs>/nfl/nfl_build_provenance.log",
    benchmark:
        "<benchmarks>/nfl/nfl_build_provenance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("nfl/build_provenance"),
        revisions=all_revisions,
        version=VERSION,
        config_hash=settings.digest(config["nfl"]),
        simulated=NFL.any_simulated,
    message:
        "Note where the NFL results come from"
    script:
        "../scripts/nfl/build_provenance.py"
