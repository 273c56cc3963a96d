# Warehouse: a migration tried on the copies of all environments, a file for every step.
#
# In:  warehouse/migrations/*.sql, warehouse/schema.yaml, warehouse/queries/*.sql, the snapshots.
# Out: warehouse/migration_test/{migration}/{environment}/{apply,validate,integration,drop}.json,
#      warehouse/migration_test/{migration}/verdict.{json,txt}.


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
        folder=server_folder,
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
        folder=server_folder,
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
        folder=server_folder,
        database=copy_of,
        kind=kind_of,
        variable=variable_of,
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
        folder=server_folder,
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
        table=shown(
            "<results>/warehouse/migration_test/{migration}/verdict.txt",
            "warehouse_verdict",
            "Checks",
            check="migration {migration}",
        ),
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
