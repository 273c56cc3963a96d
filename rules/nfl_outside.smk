# NFL, level 1, from outside: closing lines and weather of each season.
#
# In:  games.csv of the schedules, The Odds API, Meteostat, files in nfl.folder, or a seeded simulator.
# Out: nfl/etl/{odds,weather}/season=*/part.parquet; each row says whether it is simulated.

if NFL.sources["odds"] == "schedules":

    rule nfl_build_odds:
        input:
            source=source_of("schedules"),
            manifest=manifest_of("schedules"),
            schedule="<results>/nfl/etl/schedules/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/odds/season={season}/part.parquet",
        log:
            "<logs>/nfl/nfl_build_odds/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_build_odds/{season}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=10,
        params:
            code=code("nfl/build_odds"),
            as_of=hides_after,
            revision=revision_of("schedules"),
        message:
            "Read the closing lines of {wildcards.season}"
        script:
            "../scripts/nfl/build_odds.py"


if NFL.sources["odds"] == "odds_api":

    rule nfl_land_odds:
        input:
            games="<results>/nfl/etl/schedules/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/odds/season={season}/part.parquet",
            account="<results>/nfl/raw/odds/season={season}/account.json",
        log:
            "<logs>/nfl/nfl_land_odds/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_land_odds/{season}.tsv"
        retries: 2
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=120,
            api=1,
        params:
            code=code("nfl/land_odds"),
            base=config["nfl"]["urls"]["odds_api"],
            as_of=season_known_at,
        message:
            "Land the closing lines of {wildcards.season}"
        script:
            "../scripts/nfl/land_odds.py"


if NFL.simulates("odds"):

    rule nfl_simulate_odds:
        input:
            schedules=etl_up_to("schedules"),
        output:
            partition="<results>/nfl/etl/odds/season={season}/part.parquet",
        log:
            "<logs>/nfl/nfl_simulate_odds/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_simulate_odds/{season}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=3,
        params:
            code=code("nfl/simulate_odds"),
            seed=config["nfl"]["seed"],
        message:
            "Simulate the closing lines of {wildcards.season}"
        script:
            "../scripts/nfl/simulate_odds.py"


if NFL.sources["weather"] in ("schedules", "files"):

    rule nfl_build_weather:
        input:
            source=source_of(WEATHER_TABLE),
            starts=weather_starts,
            manifest=manifest_of(WEATHER_TABLE),
            schedule="<results>/nfl/etl/schedules/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/weather/season={season}/part.parquet",
        log:
            "<logs>/nfl/nfl_build_weather/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_build_weather/{season}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=10,
        params:
            code=code("nfl/build_weather"),
            kind=NFL.sources["weather"],
            as_of=hides_after,
            revision=revision_of(WEATHER_TABLE),
        message:
            "Read the weather of {wildcards.season}"
        script:
            "../scripts/nfl/build_weather.py"


if NFL.sources["weather"] == "meteostat":

    rule nfl_land_weather:
        input:
            games="<results>/nfl/etl/schedules/season={season}/part.parquet",
            stadiums="<results>/nfl/etl/stadiums/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/weather/season={season}/part.parquet",
            account="<results>/nfl/raw/weather/season={season}/account.json",
        log:
            "<logs>/nfl/nfl_land_weather/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_land_weather/{season}.tsv"
        retries: 2
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=120,
            http=1,
        params:
            code=code("nfl/land_weather"),
            stations=config["nfl"]["urls"]["stations"],
            hourly=config["nfl"]["urls"]["hourly"],
            as_of=season_known_at,
        message:
            "Land the weather of {wildcards.season}"
        script:
            "../scripts/nfl/land_weather.py"


if NFL.simulates("weather"):

    rule nfl_simulate_weather:
        input:
            schedule="<results>/nfl/etl/schedules/season={season}/part.parquet",
            stadiums="<results>/nfl/etl/stadiums/season={season}/part.parquet",
        output:
            partition="<results>/nfl/etl/weather/season={season}/part.parquet",
        log:
            "<logs>/nfl/nfl_simulate_weather/{season}.log",
        benchmark:
            "<benchmarks>/nfl/nfl_simulate_weather/{season}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=FLOOR_MB,
            runtime=3,
        params:
            code=code("nfl/simulate_weather"),
            seed=config["nfl"]["seed"],
        message:
            "Simulate the weather of {wildcards.season}"
        script:
            "../scripts/nfl/simulate_weather.py"
