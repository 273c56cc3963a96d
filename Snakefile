# Almanac: from raw vendor files to printed chapters, one dependency graph.
# `snakemake --cores all` builds everything; `snakemake --cores all ticks` one domain; see README.md.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


# Common first: it completes the config and gives the names that the targets below use.
include: "rules/common.smk"
include: "rules/constraints.smk"


rule all:
    default_target: True
    input:
        rules_of("lake", "ticks", "weekly", "nfl", "grid", "warehouse", "book"),


for target in (
    *("lake", "ticks", "weekly", "nfl", "grid", "book"),
    *("warehouse", "migration_test", "backup", "report"),
):

    rule public:
        name:
            target
        input:
            rules_of(target),


include: "rules/lake.smk"
include: "rules/ticks.smk"
include: "rules/ticks_tables.smk"
include: "rules/weekly.smk"
include: "rules/weekly_exports.smk"
include: "rules/nfl.smk"
include: "rules/book.smk"
include: "rules/warehouse.smk"
include: "rules/report.smk"


tell_critical()
