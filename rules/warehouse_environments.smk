# Warehouse: environments as they are before a migration, and the copies that it is tried on.
#
# In:  nfl/etl and nfl/expected_points, or the server that an environment's variable names, which is
#      only read.
# Out: warehouse/environments/{environment}/{number}.json,
#      warehouse/migration_test/{migration}/{environment}/snapshot.json.
# All copies are databases of the embedded server. The file copies/... stands while there is one: it
# is temporary, so a step that is wanted again has its copy made again.
COPY = "<results>/warehouse/server/copies/{migration}.{environment}"
TEST = "<results>/warehouse/migration_test/{migration}/{environment}"


rule warehouse_build_environment:
    input:
        cluster=CLUSTER,
        partitions=environment_files,
        players=etl_files("players"),
    output:
        receipt="<results>/warehouse/environments/{environment}/{number}.json",
    log:
        "<logs>/warehouse/warehouse_build_environment/{environment}.{number}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_build_environment/{environment}.{number}.tsv"
    wildcard_constraints:
        number=r"\d{3}",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(380, 12),
        runtime=60,
        db=1,
    params:
        code=code("warehouse/build_environment"),
        folder=server_folder,
        database=seed_before,
        migrations=config["warehouse"]["migrations"],
        sources=environment_sources,
        limits=TIMES,
    message:
        "Seed environment {wildcards.environment} as it is before migration {wildcards.number}"
    script:
        "../scripts/warehouse/build_environment.py"


rule warehouse_snapshot_environment:
    input:
        cluster=CLUSTER,
        seeded=seeded,
        loaded=last_season_files,
    output:
        report=f"{TEST}/snapshot.json",
        marker=temp(COPY),
    log:
        "<logs>/warehouse/warehouse_snapshot_environment/{migration}.{environment}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_snapshot_environment/{migration}.{environment}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=120,
        db=1,
    params:
        code=code("warehouse/snapshot_environment"),
        about=about("snapshot"),
        # Whatever a later step reads: that step would find no copy without this one.
        later=code(
            "warehouse/apply_candidate",
            "warehouse/check_candidate",
            "warehouse/check_queries",
            "warehouse/drop_snapshot",
        ),
        content=WAREHOUSE.content,
        limits=sorted(LIMITS.items()),
        kind=kind_of,
        folder=server_folder,
        variable=variable_of,
        source=seed_of,
        database=copy_of,
        queries=config["warehouse"]["queries"],
    message:
        "Copy environment {wildcards.environment} for migration {wildcards.migration}"
    script:
        "../scripts/warehouse/snapshot_environment.py"
