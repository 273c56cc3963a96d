# Almanac: from raw vendor files to printed chapters, one dependency graph.
# `snakemake --cores all` builds everything; `snakemake --cores all ticks` one domain; see README.md.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


# Common first: it completes the config and gives the names that the targets below use.
include: "rules/common.smk"


rule all:
    default_target: True
    input:
        rules_of("lake", "ticks", "weekly", "nfl", "grid", "book"),


rule lake:
    input:
        rules_of("lake"),


rule ticks:
    input:
        rules_of("ticks"),


rule weekly:
    input:
        rules_of("weekly"),


rule nfl:
    input:
        rules_of("nfl"),


rule grid:
    input:
        rules_of("grid"),


rule book:
    input:
        rules_of("book"),


include: "rules/lake.smk"
include: "rules/ticks_common.smk"
include: "rules/ticks.smk"
include: "rules/ticks_tables.smk"
include: "rules/weekly_common.smk"
include: "rules/weekly.smk"
include: "rules/weekly_exports.smk"
include: "rules/nfl.smk"
include: "rules/book.smk"
