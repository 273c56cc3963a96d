# Warehouse: the NFL tables in PostgreSQL, for people who ask in SQL.
#
# In:  nfl/etl/{schedules,pbp,play_types,player_games,odds,weather,team_epa,players}/season=*,
#      nfl/expected_points, warehouse/migrations/NNN_name.sql, warehouse/schema.yaml.
# Out: warehouse/receipts/{season=*,games,plays,...}.json, warehouse/views.json,
#      warehouse/consistency.json.
# The server: ALMANAC_DSN or libpq's variables name one; else one of our own runs while a run needs
# it, its data in warehouse/server. Receipts say what was loaded; they know their server's address.


include: "warehouse_environments.smk"
include: "warehouse_migrations.smk"
include: "warehouse_backup.smk"


PRODUCTS["warehouse"] = warehouse_products


onsuccess:
    end_warehouse()


onerror:
    end_warehouse()


rule warehouse_build_server:
    output:
        cluster=CLUSTER,
    log:
        "<logs>/warehouse/warehouse_build_server.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_build_server.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("warehouse/build_server"),
        folder=server_folder,
    message:
        "Make an empty PostgreSQL cluster"
    script:
        "../scripts/warehouse/build_server.py"


rule warehouse_apply_migrations:
    input:
        cluster=cluster,
    output:
        schema="<results>/warehouse/schema.json",
    log:
        "<logs>/warehouse/warehouse_apply_migrations.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_apply_migrations.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        db=1,
    params:
        code=code("warehouse/apply_migrations"),
        server=WAREHOUSE.server,
        folder=server_folder,
        migrations=config["warehouse"]["migrations"],
        content=WAREHOUSE.migrations_content,
        limits=TIMES,
        facts=warehouse_facts,
    message:
        "Bring the warehouse to its last migration"
    script:
        "../scripts/warehouse/apply_migrations.py"


rule warehouse_load_season:
    input:
        schema="<results>/warehouse/schema.json",
        games=partition_of("games"),
        plays=partition_of("plays"),
        play_types=partition_of("play_types"),
        player_games=partition_of("player_games"),
        odds=partition_of("odds"),
        weather=partition_of("weather"),
        team_epa=partition_of("team_epa"),
        model=model_of_season,
    output:
        receipt="<results>/warehouse/receipts/season={season}.json",
    log:
        "<logs>/warehouse/warehouse_load_season/{season}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_load_season/{season}.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=20,
        db=1,
    params:
        code=code("warehouse/load_season"),
        server=WAREHOUSE.server,
        folder=server_folder,
        tables=loaded_tables_of,
    message:
        "Load season {wildcards.season} into the warehouse"
    script:
        "../scripts/warehouse/load_season.py"


rule warehouse_load_players:
    input:
        schema="<results>/warehouse/schema.json",
        partitions=etl_files("players"),
    output:
        players="<results>/warehouse/receipts/players.json",
        rosters="<results>/warehouse/receipts/rosters.json",
    log:
        "<logs>/warehouse/warehouse_load_players.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_load_players.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=20,
        db=1,
    params:
        code=code("warehouse/load_players"),
        server=WAREHOUSE.server,
        folder=server_folder,
    message:
        "Load players and rosters into the warehouse"
    script:
        "../scripts/warehouse/load_players.py"


rule warehouse_build_views:
    input:
        seasons=season_receipts(),
        players="<results>/warehouse/receipts/players.json",
    output:
        **{table: f"<results>/warehouse/receipts/{table}.json" for table in TABLES},
        views="<results>/warehouse/views.json",
    log:
        "<logs>/warehouse/warehouse_build_views.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_build_views.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        db=1,
    params:
        code=code("warehouse/build_views"),
        server=WAREHOUSE.server,
        folder=server_folder,
        tables=sorted(TABLES),
    message:
        "Refresh the materialised views"
    script:
        "../scripts/warehouse/build_views.py"


rule warehouse_check_consistency:
    input:
        views="<results>/warehouse/views.json",
        partitions=files_of(NFL.seasons),
        players=etl_files("players"),
        schema=config["warehouse"]["schema"],
    output:
        report=shown(
            "<results>/warehouse/consistency.json",
            "warehouse_consistency",
            "Checks",
            check="consistency",
        ),
    log:
        "<logs>/warehouse/warehouse_check_consistency.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_check_consistency.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(580, 14),
        runtime=30,
        db=1,
    params:
        code=code("warehouse/check_consistency"),
        server=WAREHOUSE.server,
        folder=server_folder,
        sources=[(season, sources_of(season)) for season in NFL.seasons],
        facts=warehouse_facts,
    message:
        "Hold the warehouse against the parquet and the features"
    script:
        "../scripts/warehouse/check_consistency.py"
