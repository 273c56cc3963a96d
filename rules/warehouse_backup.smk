# Warehouse: backups, each proven by restoring it, and the check that all of them are still whole.
#
# In:  warehouse/views.json (all is loaded).
# Out: warehouse/backups/{time}/ (pg_dump's directory format, manifest.json with checksums), of which
#      the last few are kept; warehouse/backups/{latest,check}.json.


PRODUCTS["migration_test"] = migration_test_products
PRODUCTS["backup"] = backup_products


rule warehouse_backup_database:
    input:
        cluster=CLUSTER,
        views="<results>/warehouse/views.json",
    output:
        latest="<results>/warehouse/backups/latest.json",
    log:
        "<logs>/warehouse/warehouse_backup_database.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_backup_database.tsv"
    localrule: HERE
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=FLOOR_MB,
        runtime=120,
        db=1,
    params:
        code=code("warehouse/backup_database"),
        server=WAREHOUSE.server,
        folder=server_folder,
        backups=backups_folder,
        keep=config["warehouse"]["backups"]["keep"],
    message:
        "Dump the warehouse and restore the dump"
    script:
        "../scripts/warehouse/backup_database.py"


rule warehouse_check_backups:
    input:
        latest="<results>/warehouse/backups/latest.json",
    output:
        report="<results>/warehouse/backups/check.json",
    log:
        "<logs>/warehouse/warehouse_check_backups.log",
    benchmark:
        "<benchmarks>/warehouse/warehouse_check_backups.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=60,
    params:
        code=code("warehouse/check_backups"),
        backups=backups_folder,
        suspects=suspects,
    message:
        "See that all backups are whole"
    script:
        "../scripts/warehouse/check_backups.py"
