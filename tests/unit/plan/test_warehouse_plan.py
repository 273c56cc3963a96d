"""The plan of the warehouse: servers by their address, migrations, environments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts.errors import DataError
from scripts.plan import settings
from scripts.plan import warehouse as plan
from scripts.plan.warehouse import EMBEDDED, WarehousePlan
from scripts.warehouse import loading, server, steps
from tests.warehouses import ROOT

SECTION = settings.complete({}, yaml.safe_load((ROOT / "config/schema.yaml").read_text()))[
    "warehouse"
]


def planned(monkeypatch: pytest.MonkeyPatch, environment: dict, **keys: object) -> WarehousePlan:
    """The plan of the defaults with some keys set."""
    monkeypatch.chdir(ROOT)
    return WarehousePlan({**SECTION, **keys}, environment)


def test_names_are_those_of_the_jobs() -> None:
    assert plan.DSN == server.DSN
    assert plan.STEPS == steps.STEPS
    assert set(plan.SEASONAL) - {"play_types"} == set(loading.SEASONAL)


def test_a_server_is_known_by_its_address_and_by_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(**environment: str) -> str:
        return planned(monkeypatch, environment).server

    uri = "postgresql://{}@db.lab:5433/nfl?sslmode=require"
    same = {
        known(ALMANAC_DSN=uri.format("me:one")),
        known(ALMANAC_DSN=uri.format("me:other")),
        known(ALMANAC_DSN="host=db.lab port=5433 dbname='nfl' password='x y'"),
    }
    assert len(same) == 1
    assert known() == EMBEDDED
    assert known(PGUSER="me", PGPASSWORD="x") == EMBEDDED
    others = [
        known(ALMANAC_DSN="host=db.lab dbname=nfl"),
        known(ALMANAC_DSN="host=db.lab dbname=other"),
        known(PGHOST="db.lab"),
        known(PGSERVICE="lab"),
    ]
    assert len({*others, *same}) == 5
    assert known(PGHOST="db.lab", PGDATABASE="nfl") == others[0]
    assert planned(monkeypatch, {"PGHOST": "x"}, server=EMBEDDED).server == EMBEDDED
    assert not planned(monkeypatch, {}, server=None).on


def test_what_config_names_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="environment, but neither ALMANAC_DSN nor PGHOST"):
        planned(monkeypatch, {}, server="environment")
    for key, said in (("migrations", "no folder none"), ("queries", "no folder none")):
        with pytest.raises(DataError, match=f"warehouse.{key}: {said}"):
            planned(monkeypatch, {}, **{key: "none"})
    with pytest.raises(DataError, match=r"warehouse\.schema: no file none"):
        planned(monkeypatch, {}, schema="none")


def test_a_migration_is_named_by_its_name_or_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("001_a", "002_b", "002_c"):
        (tmp_path / f"{name}.sql").touch()
    found = planned(monkeypatch, {}, migrations=str(tmp_path))
    assert found.migration("001") == found.migration("001_a") == "001_a"
    assert found.migration("002_c") == "002_c"
    assert found.last_migration == "002_c"
    with pytest.raises(DataError, match="002_b and 002_c are both 002"):
        found.migration("002")
    with pytest.raises(DataError, match="there is no migration 003; there are 001_a, 002_b, 002_c"):
        found.migration("003")
    before = found.content
    (tmp_path / "001_a.sql").write_text("SELECT 1;")
    assert planned(monkeypatch, {}, migrations=str(tmp_path)).content != before


def test_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"seasons": None, "dsn": "LAB_DSN", "integration": "timed"}
    environments = {**SECTION["environments"], "lab": named}
    found = planned(monkeypatch, {"LAB_DSN": "host=x"}, environments=environments)
    assert found.environments == ["dev", "staging", "prod", "lab"]
    assert found.seasons_of("dev", [1, 2, 3]) == [3]
    assert found.seasons_of("staging", [1, 2, 3]) == [1, 2, 3]
    assert found.seasons_of("prod", [1, 2, 3]) == [1, 2, 3]
    assert found.variable_of("lab") == "LAB_DSN"
    assert found.variable_of("dev") is None
    with pytest.raises(DataError, match=r"environments\.lab\.dsn: LAB_DSN is not set; export it"):
        planned(monkeypatch, {}, environments=environments).variable_of("lab")


def test_names_of_databases_fit() -> None:
    long = "a" * 16, "009_" + "x" * 200
    assert len(plan.copy_database(*long)) < 63
    assert plan.copy_database("dev", "009_a") != plan.copy_database("dev", "009_b")
    assert plan.seed_database("dev", "009_a") == "env_dev_009"


def test_an_entry_is_taken_out_from_the_command_line() -> None:
    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text())
    given = {"warehouse": {"environments": {"dev": {"seasons": "2"}, "prod": "null"}}}
    found = settings.complete(given, schema)["warehouse"]["environments"]
    assert found == {"dev": {"seasons": 2, "dsn": None, "integration": "research"}}
