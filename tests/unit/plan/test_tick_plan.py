"""The plan of the tick domain: securities, sources, parameters, sweeps."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.errors import DataError
from scripts.plan.ticks import TickPlan
from tests.plans import demo_plan
from tests.unit.ticks import workbooks

TABLE = """security,exchange,peer_exchange,quote_size,max_notional,interval
AAA,DFM,ADX,100,5000,
BBB,ADX,ADX,200,,45
NOEX,,ADX,300,,
*,,ADX,999,,60
"""
MODULES = {
    "maker": ("max_notional", "quote_size", "interval", "quote_size_bid"),
    "closer": ("exchange", "peer_exchange", "order_notional"),
}
FIXES = ("share_volume", "true_exchange")
CONFIG = {
    "workbook": None,
    "parquet_dir": None,
    "securities": [],
    "max_securities": None,
    "modes": ["parity", "realistic"],
    "strategies": {"maker": {"interval": 30}, "closer": {}},
    "sweeps": {"maker": {"interval": [60, 5, 0.5]}},
    "realistic": {"share_volume": True, "true_exchange": True, "fee_bps": 2, "latency_ticks": 1},
    "simulator": {"prices": {"BBB": 2.5, "AAA": 1.5}},
}


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., TickPlan]:
    """A function that makes the plan of CONFIG, some keys changed, over two small strategies."""
    folder = tmp_path / "scripts/ticks/strategies"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for name, parameters in MODULES.items():
        text = f"import numba_is_not_imported\nPARAMETERS = {parameters}\nFIXES = {FIXES}\n"
        text += 'COSTS = ("fee_bps", "latency_ticks")\n'
        (folder / f"{name}.py").write_text(text)
    (tmp_path / "table.csv").write_text(TABLE)
    table = {"securities_table": str(tmp_path / "table.csv")}
    return lambda **changed: TickPlan({**CONFIG, **table, **changed}, tmp_path)


@pytest.fixture
def workbook(tmp_path: Path) -> str:
    sheets = {f"{name} UH Equity": [] for name in ("BBB", "aaa", "ZZZ")}
    return str(workbooks.write(tmp_path / "book.xlsx", sheets))


def refused(make: Callable, *args: object, **kwargs: object) -> str:
    with pytest.raises(DataError) as caught:
        make(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Sources and securities


def test_without_a_source_the_simulators_securities_run(plan) -> None:
    assert plan().simulated
    assert plan().securities == ["AAA", "BBB"]
    assert plan().source("AAA", "simulated.xlsx") == "simulated.xlsx"


def test_a_workbook_gives_its_sheets_and_serves_each_of_them(plan, workbook) -> None:
    made = plan(workbook=workbook, modes=["parity"])
    assert not made.simulated
    assert made.securities == ["AAA", "BBB", "ZZZ"]
    assert made.source("AAA", "simulated.xlsx") == workbook


def test_a_folder_gives_its_files_in_any_case(plan, tmp_path: Path) -> None:
    (tmp_path / "ticks").mkdir()
    (tmp_path / "ticks/aaa.parquet").touch()
    made = plan(parquet_dir=str(tmp_path / "ticks"))
    assert made.securities == ["AAA"]
    assert made.source("AAA", "simulated.xlsx") == str(tmp_path / "ticks/aaa.parquet")


def test_two_sources_are_one_too_many(plan) -> None:
    assert refused(plan, workbook="a.xlsx", parquet_dir="b") == (
        "config: ticks.workbook and ticks.parquet_dir are both set; keep one"
    )


def test_wanted_securities_are_taken_in_any_case_sorted_and_limited(plan) -> None:
    assert plan(securities=["bbb", "AAA"]).securities == ["AAA", "BBB"]
    assert plan(securities=["bbb"]).securities == ["BBB"]
    assert plan(max_securities=1).securities == ["AAA"]


def test_a_wanted_security_that_is_not_there_names_the_nearest(plan) -> None:
    message = refused(lambda: plan(securities=["AAAA"]).securities)
    assert message.endswith("no sheet or file for security AAAA; did you mean AAA?")


@pytest.mark.parametrize("security", ["ZZZ", "NOEX"])
def test_the_realistic_mode_wants_an_exchange_for_each_security(plan, security) -> None:
    message = refused(plan().parameters, "realistic", "maker", "base", security)
    assert f"no exchange for security {security}; add its row, name the securities" in message
    assert "ticks.modes: [parity]" in message


def test_an_unknown_security_is_told_before_anything_runs(plan, workbook) -> None:
    assert "no exchange for security ZZZ" in refused(lambda: plan(workbook=workbook).securities)
    assert plan(workbook=workbook, max_securities=2).securities == ["AAA", "BBB"]


def test_the_simulator_gets_exchange_price_and_size(plan) -> None:
    assert plan().simulator_securities() == [
        {"name": "AAA", "exchange": "DFM", "price": 1.5, "size": 100},
        {"name": "BBB", "exchange": "ADX", "price": 2.5, "size": 200},
    ]


# Parameters


@pytest.mark.parametrize(
    ("variant", "security", "interval"),
    [
        ("base", "AAA", 30),  # config
        ("base", "BBB", 45),  # the table's cell goes before config
        ("interval=7", "BBB", 7),  # the variant goes before both
        ("base", "ZZZ", 60),  # the row * of the table
    ],
)
def test_a_variant_goes_before_the_table_and_the_table_before_config(
    plan, variant: str, security: str, interval: int
) -> None:
    assert plan().parameters("parity", "maker", variant, security)["interval"] == interval


def test_parity_has_no_fix_fee_or_latency(plan) -> None:
    found = plan().parameters("parity", "maker", "base", "AAA")
    assert found == {
        "fee_bps": 0,
        "interval": 30,
        "latency_ticks": 0,
        "max_notional": 5000,
        "quote_size": 100,
        "share_volume": False,
        "true_exchange": False,
    }


def test_the_realistic_mode_has_the_switches_and_costs_of_config(plan) -> None:
    found = plan().parameters("realistic", "maker", "base", "BBB")
    assert (found["share_volume"], found["fee_bps"], found["latency_ticks"]) == (True, 2, 1)
    assert found["max_notional"] is None


def test_a_switch_may_be_changed_by_a_variant(plan) -> None:
    assert not plan().parameters("realistic", "maker", "share_volume=false", "AAA")["share_volume"]
    assert plan().parameters("parity", "maker", "fee_bps=1.5", "AAA")["fee_bps"] == 1.5


def test_a_known_security_takes_no_cell_from_the_any_row(plan) -> None:
    assert plan().parameters("parity", "maker", "base", "AAA")["interval"] == 30


def test_parameters_come_in_the_order_of_their_names(plan) -> None:
    found = plan().parameters("parity", "maker", "base", "AAA")
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("intervall=5", "variant intervall=5: maker has no parameter intervall; did you mean int"),
        ("order_notional=5", "maker has no parameter order_notional; "),
        ("zzz=5", "maker has no parameter zzz; it has max_notional, quote_size, "),
        ("interval=5.0", "is written 'interval=5'"),
    ],
)
def test_a_wrong_variant_is_one_line_with_a_hint(plan, variant: str, message: str) -> None:
    assert message in refused(plan().parameters, "parity", "maker", variant, "AAA")


def test_a_parameter_without_a_value_says_where_to_set_it(plan) -> None:
    made = plan(strategies={"maker": {}})
    message = refused(made.parameters, "parity", "maker", "base", "AAA")
    assert message.startswith(
        "maker on AAA: no value for interval; set it in ticks.strategies.maker"
    )


@pytest.mark.parametrize("section", ["strategies", "sweeps"])
def test_a_misspelt_parameter_in_config_is_told(plan, section: str) -> None:
    value = {"strategies": 5, "sweeps": [5]}[section]
    message = refused(plan, **{section: {"maker": {"intervall": value}}})
    assert message == (
        f"config: ticks.{section}.maker: maker has no parameter intervall; did you mean interval?"
    )


@pytest.mark.parametrize("section", ["strategies", "sweeps"])
@pytest.mark.parametrize(
    ("name", "hint"), [("makker", "did you mean maker\\?"), ("qqq", "there are closer, maker")]
)
def test_a_strategy_without_a_module_is_told(plan, section, name, hint) -> None:
    said = f"^config: ticks.{section}: no strategy {name}: .*{name}.py is missing; {hint}$"
    with pytest.raises(DataError, match=said):
        plan(**{section: {name: {}}})


def test_a_strategy_that_declares_nothing_is_one_line(plan, tmp_path: Path) -> None:
    (tmp_path / "scripts/ticks/strategies/maker.py").write_text("PARAMETERS = ()\n")
    refused(plan)


def test_the_true_exchange_of_an_unknown_security_is_told(plan) -> None:
    """The sweep over the fixes asks for this with modes: [parity]; the job ends in a KeyError."""
    try:
        found = plan().parameters("parity", "closer", "true_exchange=true", "ZZZ")
    except DataError:
        return
    assert found.get("exchange") in ("ADX", "DFM")


# Sweeps


def test_a_sweep_has_each_value_in_order_in_each_mode(plan) -> None:
    values = ("interval=0.5", "interval=5", "interval=60")
    expected = [(mode, value) for mode in ("parity", "realistic") for value in values]
    assert list(plan().sweep_variants("maker", "interval")) == expected


def test_the_sweep_over_fixes_adds_each_to_parity_and_takes_each_from_realistic(plan) -> None:
    assert list(plan().sweep_variants("maker", "fixes")) == [
        ("parity", "base"),
        ("parity", "share_volume=true"),
        ("parity", "true_exchange=true"),
        ("realistic", "base"),
        ("realistic", "share_volume=false"),
        ("realistic", "true_exchange=false"),
    ]


def test_the_runs_of_a_sweep_hold_their_parameters(plan) -> None:
    runs = plan(modes=["parity"]).runs("maker", "interval", "AAA")
    assert [(run["variant"], run["parameters"]["interval"]) for run in runs] == [
        ("interval=0.5", 0.5),
        ("interval=5", 5),
        ("interval=60", 60),
    ]
    assert {run["mode"] for run in runs} == {"parity"}


def test_a_sweep_may_hold_a_number_and_none(plan) -> None:
    made = plan(sweeps={"maker": {"max_notional": [None, 1000]}}, modes=["parity"])
    names = {variant for _, variant in made.sweep_variants("maker", "max_notional")}
    assert names == {"max_notional=none", "max_notional=1000"}


@pytest.mark.parametrize(
    ("strategy", "parameter"), [("maker", "quote_size"), ("closer", "interval")]
)
def test_a_sweep_that_config_does_not_hold_is_one_line(plan, strategy, parameter) -> None:
    refused(lambda: list(plan().sweep_variants(strategy, parameter)))


# The project's own config


@pytest.fixture(scope="module")
def project() -> TickPlan:
    return demo_plan()


def test_every_strategy_has_all_parameters_for_every_security_of_the_table(project) -> None:
    for strategy in project.config["strategies"]:
        for security in set(project.table) - {"*"}:
            for mode in ("parity", "realistic"):
                found = project.parameters(mode, strategy, "base", security)
                assert set(found) >= set(project.declared(strategy)[1])


def test_every_sweep_of_the_project_is_made_of_valid_variants(project) -> None:
    for strategy, parameters in project.config["sweeps"].items():
        for parameter in [*parameters, "fixes"]:
            assert project.runs(strategy, parameter, "MODON")


def test_the_table_follows_the_rules_of_the_spec(project) -> None:
    """Spec 2: max_position = 2 quote sizes, min_local = a fifth of one, 1.5 million at most."""
    with Path(project.config["securities_table"]).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["security"] != "*"]
    assert len(rows) == 16
    for row in rows:
        size = int(row["quote_size"])
        limits = (row["max_position"], row["min_local_currency_before_quote"], row["max_notional"])
        assert limits == (str(2 * size), str(size // 5), "1500000"), row["security"]


def test_the_name_of_a_strategy_is_no_longer_than_a_file_can_be(plan) -> None:
    with pytest.raises(DataError, match=r"^config: ticks\.strategies: strategy .* at most 60"):
        plan(strategies={"x" * 300: {}})
