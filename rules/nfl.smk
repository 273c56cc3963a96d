# NFL: schedules, plays, lines and weather -> features known before kickoff -> models -> checks.
#
# In:  nfl.sources. Out: nfl/{raw,etl,features,models,tables,plots,checks,grid}/. Method: docs/nfl.md.
# What has no source is not in the plan; one line says so.
for line in planned(NFL.absent) if NFL.on else []:
    print(line, file=sys.stderr)


if NFL.on:

    include: "nfl_sources.smk"
    include: "nfl_outside.smk"
    include: "nfl_etl.smk"
    include: "nfl_checks.smk"


if NFL.on and NFL.tasks and NFL.tests:

    include: "nfl_models.smk"


if NFL.on and NFL.has_grid:

    include: "nfl_grid.smk"
