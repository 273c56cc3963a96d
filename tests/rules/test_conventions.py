"""The house rules, checked on every rule, script and config key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.rules.graph import ROOT, SOURCES, Rule, all_rules, job_rules

VERBS = {
    "land", "build", "check", "fit", "simulate", "score", "plot", "render", "compile", "export",
    "load", "snapshot", "apply", "drop", "backup",
}  # fmt: skip
DIRECTIVES = {
    "output", "log", "benchmark", "params", "threads", "resources", "conda", "message", "script",
}  # fmt: skip
SCRIPTS = sorted(
    path
    for path in (ROOT / "scripts").glob("*/*.py")
    if '__name__ == "__main__"' in path.read_text() and path.parent.name not in ("plan", "control")
)
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
RULES = pytest.mark.parametrize("rule", job_rules(), ids=lambda rule: rule.name)


def test_there_are_rules() -> None:
    assert len(job_rules()) >= 10
    names = [rule.name for rule in all_rules()]
    assert names[0] == "all"
    assert len(names) == len(set(names))


@RULES
def test_a_rule_is_named_domain_verb_noun(rule: Rule) -> None:
    domain, verb, _ = rule.name.split("_", 2)
    assert (ROOT / "scripts" / domain).is_dir()
    assert verb in VERBS


@RULES
def test_a_rule_declares_everything(rule: Rule) -> None:
    assert rule.directives.keys() >= DIRECTIVES
    assert "mem_mb=" in rule.directives["resources"]
    assert "runtime=" in rule.directives["resources"]
    assert re.search(r"^\s*code=", rule.directives["params"], re.M)


@RULES
def test_one_stem_in_five_places(rule: Rule) -> None:
    domain, stem = rule.name.split("_", 1)
    assert f'"../scripts/{domain}/{stem}.py"' in rule.directives["script"]
    assert (ROOT / f"scripts/{domain}/{stem}.py").is_file()
    assert f"<logs>/{domain}/{rule.name}" in rule.directives["log"]
    assert f"<benchmarks>/{domain}/{rule.name}" in rule.directives["benchmark"]
    imported = rf"from scripts\.{domain} import (\([^)]*|.*)\b{stem}\b|scripts\.{domain}\.{stem}\b"
    assert re.search(imported, TESTS), f"no test imports scripts.{domain}.{stem}"


@RULES
def test_the_code_param_is_of_the_rules_own_script(rule: Rule) -> None:
    domain, stem = rule.name.split("_", 1)
    code = re.search(r"code=(.+),$", rule.directives["params"], re.M)[1]
    assert f'code("{domain}/{stem}")' in code


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_its_rule(script: Path) -> None:
    assert f"{script.parent.name}_{script.stem}" in {rule.name for rule in job_rules()}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_adapts_and_its_functions_know_nothing_of_snakemake(script: Path) -> None:
    body, adapter = script.read_text().split('if __name__ == "__main__":')
    assert "snakemake" not in body
    assert "__future__" not in body, "Snakemake puts a preamble above it"
    assert "with job(snakemake)" in adapter
    assert adapter.count("\n\n\n") == 0


def public_definitions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of those classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node)


@pytest.mark.parametrize("module", sorted((ROOT / "scripts").rglob("*.py")), ids=lambda p: p.stem)
def test_a_module_is_short_and_public_functions_are_documented(module: Path) -> None:
    text = module.read_text()
    assert text.count("\n") <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not tree.body
    for node in public_definitions(tree):
        assert ast.get_docstring(node), f"{module}: {node.name}"


@pytest.mark.parametrize("module", sorted((ROOT / "scripts").rglob("*.py")), ids=lambda p: p.stem)
def test_only_the_job_adapter_reads_the_environment(module: Path) -> None:
    if module.name != "job.py":
        assert not re.search(r"os\.environ|getenv|os\.getcwd|Path\.cwd", module.read_text())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_rule_files_are_short_and_hold_no_computation(source: Path) -> None:
    text = source.read_text()
    assert text.count("\n") <= (60 if source.name == "Snakefile" else 250)
    forbidden = r"^\s*run:|\blambda\b|^checkpoint |storage\(|\bpolars\b.*import|import pandas"
    assert not re.search(forbidden, text, re.M)


def test_rule_files_share_one_set_of_names_and_are_read_once() -> None:
    """Snakemake reads all of them into one namespace: of two definitions the later would hold."""
    texts = {source.name: source.read_text() for source in SOURCES}
    defined = [name for text in texts.values() for name in re.findall(r"^def (\w+)\(", text, re.M)]
    included = [
        name for text in texts.values() for name in re.findall(r'include: "(?:rules/)?(.+)"', text)
    ]
    assert len(defined) == len(set(defined))
    assert len(included) == len(set(included))
    assert set(included) == texts.keys() - {"Snakefile"}


def test_functions_of_the_rule_files_are_documented() -> None:
    for source in SOURCES:
        for name, body in re.findall(r"^def ([a-z]\w+)\(.*\):\n(.*)\n", source.read_text(), re.M):
            assert body.strip().startswith('"""'), f"{source.name}: {name}"


def test_every_line_of_a_profile_says_why() -> None:
    for profile in (ROOT / "profiles").glob("*/config.yaml"):
        above = ""
        for line in profile.read_text().splitlines():
            if re.match(r"\w", line):
                assert "#" in above + line, f"{profile}: {line}"
            above = line


def test_the_config_is_a_section_per_domain_and_shallow() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())

    def depth(value: object) -> int:
        return 1 + max(map(depth, value.values()), default=0) if isinstance(value, dict) else 0

    assert set(config) - {"run", "critical"} <= {
        p.name for p in (ROOT / "scripts").iterdir() if p.is_dir()
    }
    assert depth(config) <= 4  # section, what, which, value


def test_every_key_of_the_schema_is_described_and_closed() -> None:
    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text())

    def walk(part: dict, key: str) -> None:
        assert part.get("description"), key
        if "properties" in part:
            assert part["additionalProperties"] is False, key
            for name, below in part["properties"].items():
                walk(below, f"{key}.{name}")

    walk(schema, "config")


def test_the_top_level_is_the_floor_plan() -> None:
    known = {
        "Snakefile", "README.md", "Makefile", "pyproject.toml", "requirements.lock", "config",
        "profiles", "rules", "scripts", "book", "plugin", "envs", "docs", "tests", "LICENSE",
        "CHANGELOG.md", "CITATION.cff", ".ci", ".gitignore", "warehouse",
    }  # fmt: skip
    ignored = {".git", *(ROOT / ".gitignore").read_text().replace("/", "").split()}
    found = {path.name for path in ROOT.iterdir()}
    assert found - known - ignored == set()
