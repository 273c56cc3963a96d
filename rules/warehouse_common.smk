# Warehouse: functions that turn config and wildcards into paths and params. No rules here.
import time

from scripts.plan import warehouse as warehouse_plan
from scripts.plan.warehouse import EMBEDDED, SEASONAL, WarehousePlan
from scripts.warehouse import stopping

WAREHOUSE = planned(WarehousePlan, config=config["warehouse"], environment=os.environ)
WAREHOUSE_ON = NFL.on and WAREHOUSE.on
SERVER = f"{RESULTS}/warehouse/server"
BACKUPS = f"{RESULTS}/warehouse/backups"
CLUSTER = "<results>/warehouse/server/data/cluster.json"
LIMITS = config["warehouse"]["limits"]
# One transaction must wait for this long at most: for a lock, and in all.
TIMES = [LIMITS["lock_s"], LIMITS["statement_s"]]
# The embedded server answers on the machine that runs Snakemake, and there alone.
HERE = WAREHOUSE.server == EMBEDDED
STARTED = time.time()
if not stopping.is_kept(Path(SERVER)):
    # A keeper that was killed could not: the next one drops the copies, so they are made anew.
    stopping.forget_copies(Path(SERVER))
    stopping.forget_lost(Path(SERVER))
TABLES = ("games", "plays", "player_games", "odds", "weather", "team_epa")
if WAREHOUSE_ON and not HERE:
    print("warehouse: the server named by the environment, not the embedded one", file=sys.stderr)


def server_folder(wildcards):
    """Params function: folder of the embedded server."""
    return SERVER


def cluster(wildcards):
    """The embedded server's cluster; none where the server is one of the user's."""
    return [CLUSTER] if HERE else []


def warehouse_tables(season):
    """Tables of the warehouse that a season has rows of, with play_types beside plays."""
    return [
        table
        for table, dataset in SEASONAL.items()
        if etl_file(dataset, season) in etl_files(dataset)
    ]


def partition_of(table):
    """Input function: a season's partition of a table, as far as there is one."""
    return partial(_partition_of, table)


def _partition_of(table, wildcards):
    season = int(wildcards.season)
    return [etl_file(SEASONAL[table], season)] if table in warehouse_tables(season) else []


def loaded_tables_of(wildcards):
    """Params function: tables that a season has rows of."""
    return sorted(warehouse_tables(int(wildcards.season)))


def model_with(season):
    """The model that gives a season's plays their expected points, where ours does."""
    fitted = season in NFL.pbp_seasons and NFL.fits_points(season)
    return [points_model(season)] if fitted else []


def model_of_season(wildcards):
    """Input function: that model."""
    return model_with(int(wildcards.season))


def sources_of(season):
    """{table: partition} and the model of a season, as text: params of what loads several."""
    tables = {
        table: results_path(etl_file(SEASONAL[table], season)) for table in warehouse_tables(season)
    }
    return [tables, next(map(results_path, model_with(season)), None)]


def results_path(path):
    """A path with its folder of results written out, since params know no pathvars."""
    return path.replace("<results>", RESULTS)


def files_of(seasons):
    """All partitions and models of seasons, and the players."""
    files = []
    for season in seasons:
        files += [etl_file(SEASONAL[table], season) for table in warehouse_tables(season)]
        files += model_with(season)
    return files


def season_receipts(wildcards=None):
    """Receipts of all seasons."""
    return [f"<results>/warehouse/receipts/season={s}.json" for s in NFL.seasons]


def warehouse_facts(wildcards):
    """Params function: whose results the database holds."""
    return sorted(
        {
            "run": config["run"],
            "version": VERSION,
            "config_hash": settings.digest(config["nfl"]),
            "simulated": NFL.any_simulated,
        }.items()
    )


# The test of a migration.


def migration_of(wildcards):
    """Name of the migration under test."""
    return planned(WAREHOUSE.migration, wildcards.migration)


def about(step):
    """Params function: what a report of a step is about."""
    return partial(_about, step)


def _about(step, wildcards):
    told = {"migration": migration_of(wildcards), "environment": wildcards.environment}
    return [*told.items(), ("step", step)]


def seed_of(wildcards):
    """Database of the environment, on the embedded server."""
    return warehouse_plan.seed_database(wildcards.environment, migration_of(wildcards))


def seed_before(wildcards):
    """Database of an environment before the migration of a number."""
    return warehouse_plan.seed_database(wildcards.environment, wildcards.number)


def copy_of(wildcards):
    """Database of its copy."""
    return warehouse_plan.copy_database(wildcards.environment, migration_of(wildcards))


def seeded(wildcards):
    """Report of a seeded environment; none of one that is somewhere else."""
    if variable_of(wildcards):
        return []
    number = migration_of(wildcards)[:3]
    return [f"<results>/warehouse/environments/{wildcards.environment}/{number}.json"]


def variable_of(wildcards):
    """Variable with the connection string of an environment that is somewhere else."""
    return planned(WAREHOUSE.variable_of, wildcards.environment)


def environment_seasons(wildcards):
    """Seasons of an environment."""
    return WAREHOUSE.seasons_of(wildcards.environment, NFL.seasons)


def environment_files(wildcards):
    """Input function: what an environment is seeded with."""
    return files_of(environment_seasons(wildcards))


def environment_sources(wildcards):
    """Params function: the same, by season and table."""
    return [(season, sources_of(season)) for season in environment_seasons(wildcards)]


def last_season_files(wildcards):
    """Input function: what the smoke test of loading loads."""
    return files_of(NFL.seasons[-1:])


def kind_of(wildcards):
    """How a migrated copy is used."""
    return config["warehouse"]["environments"][wildcards.environment]["integration"]


def reports_of(wildcards):
    """Reports of all steps of all environments."""
    folder = f"<results>/warehouse/migration_test/{wildcards.migration}"
    return [
        f"{folder}/{environment}/{step}.json"
        for environment in WAREHOUSE.environments
        for step in warehouse_plan.STEPS
    ]


def verdict_again(wildcards):
    """Params function: moves while the verdict is UNSAFE, so that every run says so and fails."""
    path = Path(f"{RESULTS}/warehouse/migration_test/{wildcards.migration}/verdict.json")
    return path.stat().st_mtime_ns if _is_unsafe(path) else None


def _is_unsafe(path):
    return path.is_file() and '"verdict": "UNSAFE"' in path.read_text()


def end_warehouse():
    """End the embedded server with the run, and fail a run whose verdict is UNSAFE."""
    if stopping.state(Path(SERVER)).get("owner") == os.getpid():
        stopping.stop(Path(SERVER))
    for path in sorted(Path(f"{RESULTS}/warehouse/migration_test").glob("*/verdict.json")):
        if path.stat().st_mtime > STARTED and _is_unsafe(path):
            table = path.with_suffix(".txt")
            print(f"\n{table.read_text()}", file=sys.stderr)
            raise WorkflowError(f"UNSAFE: migration {path.parent.name}; see {table}")


# All products, and backups.


def warehouse_products():
    """What `snakemake warehouse` makes."""
    if not WAREHOUSE_ON:
        return []
    receipts = [f"<results>/warehouse/receipts/{t}.json" for t in (*TABLES, "players", "rosters")]
    return ["<results>/warehouse/consistency.json", "<results>/warehouse/views.json", *receipts]


def migration_test_products():
    """What `snakemake migration_test` makes: the verdict on the newest migration."""
    if not WAREHOUSE_ON:
        return []
    name = planned(getattr, WAREHOUSE, "last_migration")
    return [f"<results>/warehouse/migration_test/{name}/verdict.json"]


def backup_products():
    """What `snakemake backup` makes."""
    if not WAREHOUSE_ON:
        return []
    return [f"<results>/warehouse/backups/{name}.json" for name in ("latest", "check")]


def backups_folder(wildcards):
    """Params function: folder of all dumps."""
    return BACKUPS


def suspects(wildcards):
    """Params function: files of dumps that are not as they were by size and time."""
    return planned(warehouse_plan.suspects, Path(BACKUPS))
