# Warehouse: the test of a migration on copies of all environments, a file for every step.
#
# In:  warehouse/migrations/*.sql, warehouse/schema.yaml, warehouse/queries/*.sql, and what seeds an
#      environment (nfl/etl), or the server that its variable names, which is only read.
# Out: warehouse/environments/{environment}/{number}.json,
#      warehouse/migration_test/{migration}/{environment}/{snapshot,apply,validate,integration,drop}.json,
#      warehouse/migration_test/{migration}/verdict.{json,txt}.
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
        mem_mb=memory_mb(400, 40),
        runtime=60,
        db=1,
    params:
        code=code("warehouse/build_environment"),
        folder=SERVER,
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
        code=code(
            "warehouse/snapshot_environment",
            "warehouse/apply_candidate",
            "warehouse/check_candidate",
            "warehouse/check_queries",
            "warehouse/drop_snapshot",
        ),
        about=about("snapshot"),
        # Whatever a later step reads: that step would find no copy without this one.
        content=WAREHOUSE.content,
        limits=sorted(LIMITS.items()),
        kind=kind_of,
        folder=SERVER,
        variable=variable_of,
        source=seed_of,
        database=copy_of,
        queries=config["warehouse"]["queries"],
    message:
        "Copy environment {wildcards.environment} for migration {wildcards.migration}"
    script:
        "../scripts/warehouse/snapshot_environment.py"


rule warehouse_apply_candidate:
    input:
        snapshot=f"{TEST}/snapshot.json",
        marker=COPY,
    output:
        report=f"{TEST}/apply.json",
    log:
        "<logs>/warehouse/warehouse_apply_candidate/{migration}.{environment}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_apply_candidate/{migration}.{environment}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=120,
        db=1,
    params:
        code=code("warehouse/apply_candidate"),
        about=about("apply"),
        folder=SERVER,
        database=copy_of,
        migrations=config["warehouse"]["migrations"],
        limits=TIMES,
        held_s=LIMITS["held_s"],
    message:
        "Apply migration {wildcards.migration} to the copy of {wildcards.environment}"
    script:
        "../scripts/warehouse/apply_candidate.py"


rule warehouse_check_candidate:
    input:
        snapshot=f"{TEST}/snapshot.json",
        apply=f"{TEST}/apply.json",
        marker=COPY,
        schema=config["warehouse"]["schema"],
    output:
        report=f"{TEST}/validate.json",
    log:
        "<logs>/warehouse/warehouse_check_candidate/{migration}.{environment}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_check_candidate/{migration}.{environment}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        db=1,
    params:
        code=code("warehouse/check_candidate"),
        about=about("validate"),
        folder=SERVER,
        database=copy_of,
        migrations=config["warehouse"]["migrations"],
    message:
        "Hold the migrated copy of {wildcards.environment} against the declared schema"
    script:
        "../scripts/warehouse/check_candidate.py"


rule warehouse_check_queries:
    input:
        snapshot=f"{TEST}/snapshot.json",
        apply=f"{TEST}/apply.json",
        # It loads into the copy: rows are compared before.
        validate=f"{TEST}/validate.json",
        marker=COPY,
        loaded=last_season_files,
    output:
        report=f"{TEST}/integration.json",
    log:
        "<logs>/warehouse/warehouse_check_queries/{migration}.{environment}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_check_queries/{migration}.{environment}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=120,
        db=1,
    params:
        code=code("warehouse/check_queries"),
        about=about("integration"),
        folder=SERVER,
        database=copy_of,
        kind=kind_of,
        season=NFL.seasons[-1] if NFL.seasons else None,
        sources=sources_of(NFL.seasons[-1]) if NFL.seasons else [{}, None],
        migrations=config["warehouse"]["migrations"],
        queries=config["warehouse"]["queries"],
        limits=sorted(LIMITS.items()),
    message:
        "Use the migrated copy of {wildcards.environment}"
    script:
        "../scripts/warehouse/check_queries.py"


rule warehouse_drop_snapshot:
    input:
        snapshot=f"{TEST}/snapshot.json",
        integration=f"{TEST}/integration.json",
        marker=COPY,
    output:
        report=f"{TEST}/drop.json",
    log:
        "<logs>/warehouse/warehouse_drop_snapshot/{migration}.{environment}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_drop_snapshot/{migration}.{environment}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
        db=1,
    params:
        code=code("warehouse/drop_snapshot"),
        about=about("drop"),
        folder=SERVER,
        variable=variable_of,
        source=seed_of,
        database=copy_of,
    message:
        "Drop the copy of {wildcards.environment} for migration {wildcards.migration}"
    script:
        "../scripts/warehouse/drop_snapshot.py"


rule warehouse_score_verdict:
    input:
        reports=reports_of,
    output:
        verdict="<results>/warehouse/migration_test/{migration}/verdict.json",
        table="<results>/warehouse/migration_test/{migration}/verdict.txt",
    log:
        "<logs>/warehouse/warehouse_score_verdict/{migration}.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_score_verdict/{migration}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("warehouse/score_verdict"),
        migration=migration_of,
        again=verdict_again,
    message:
        "Judge migration {wildcards.migration}"
    script:
        "../scripts/warehouse/score_verdict.py"
