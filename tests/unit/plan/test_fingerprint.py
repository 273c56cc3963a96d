"""The hash of what a script does: what moves it, what does not, and whom a change reaches."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.plan.fingerprint import fingerprint, literal

SCRIPT = '''
"""Docstring of the module."""
from scripts.lib.helper import double

def run(x):
    """Docstring of the function."""
    # a comment
    return double(x) + 1

class Box:
    """Docstring of the class."""
    size = 3

if __name__ == "__main__":
    from scripts.job import job
    run(1)
'''
PROJECT = {
    "scripts/__init__.py": "",
    "scripts/lib/__init__.py": "",
    "scripts/lib/helper.py": "from scripts.lib import deep\n\ndouble = deep.two\n",
    "scripts/lib/deep.py": "def two():\n    return 2\n",
    "scripts/job.py": "X = 1\n",
    "scripts/main.py": SCRIPT,
    "scripts/other.py": "import json\n\nprint(json)\n",
}
MAIN, OTHER = "scripts/main.py", "scripts/other.py"


@pytest.fixture
def project(tmp_path: Path):
    """A function that writes PROJECT with some files changed to a new folder and returns that.

    A new folder each time: within one process the hash of a path is remembered.
    """
    count = iter(range(100))

    def make(**changed: str) -> Path:
        folder = tmp_path / str(next(count))
        by_stem = {Path(name).stem: name for name in PROJECT if "__init__" not in name}
        files = PROJECT | {by_stem[stem]: text for stem, text in changed.items()}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return make


def test_the_hash_is_sixteen_digits_and_the_same_in_every_folder(project) -> None:
    first, second = (fingerprint(project(), MAIN) for _ in range(2))
    assert first == second
    assert len(first) == 16
    assert int(first, 16) >= 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another\n    # and one more"),
        ("    # a comment\n", ""),
        ("Docstring of the module", "Other words"),
        ("Docstring of the function", "Other words"),
        ("Docstring of the class", "Other words"),
        ('    """Docstring of the function."""\n', ""),
        ("double(x) + 1", "(double( x )\n            +1)"),
        ("size = 3", "size   =   0x3"),
        ("\n\nclass", "\n\n\n\nclass"),
        ("import double\n", "import (\n    double,\n)\n"),
    ],
)
def test_what_does_not_run_in_a_job_does_not_move_the_hash(project, old: str, new: str) -> None:
    assert old in SCRIPT
    changed = project(main=SCRIPT.replace(old, new))
    assert fingerprint(changed, MAIN) == fingerprint(project(), MAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+ 1", "+ 2"),
        ("+ 1", "+ 1.0"),
        ("+ 1", "- 1"),
        ("double(x)", "double(y)"),
        ("size = 3", "size = True"),
        ("size = 3", "size = None"),
        ("size = 3", "size: int = 3"),
        ("def run(x)", "def run(x, /)"),
        ("def run(x)", "def run(x=None)"),
        ("def run(x)", "async def run(x)"),
        ("def run(x)", "@staticmethod\ndef run(x)"),
        ("class Box:", "class Box(dict):"),
        ("return double(x) + 1", "return"),
        ("import double", "import double as triple"),
        ("import double", "import double\nimport os"),
        ("    size = 3", '    size = 3\n    "a text that is no docstring"'),
        ("    size = 3", "    size = (3,)"),
    ],
)
def test_a_change_of_code_moves_the_hash(project, old: str, new: str) -> None:
    assert old in SCRIPT
    changed = project(main=SCRIPT.replace(old, new))
    assert fingerprint(changed, MAIN) != fingerprint(project(), MAIN)


def test_a_change_of_what_the_adapter_hands_on_moves_the_hash(project) -> None:
    changed = project(main=SCRIPT.replace("run(1)", "run(2)"))
    assert fingerprint(changed, MAIN) != fingerprint(project(), MAIN)


def test_an_empty_docstring_is_a_docstring(project) -> None:
    changed = project(main=SCRIPT.replace("Docstring of the function.", ""))
    assert fingerprint(changed, MAIN) == fingerprint(project(), MAIN)


@pytest.mark.parametrize(
    ("module", "main_moves", "other_moves"),
    [
        ("helper", True, False),
        ("deep", True, False),  # imported by what main imports
        ("job", False, False),  # imported under __main__ alone
        ("other", False, True),
    ],
)
def test_a_change_reaches_the_scripts_that_import_it_and_no_other(
    project, module: str, main_moves: bool, other_moves: bool
) -> None:
    text = next(text for name, text in PROJECT.items() if Path(name).stem == module)
    before, after = project(), project(**{module: text + "\nADDED = 1\n"})
    assert (fingerprint(after, MAIN) != fingerprint(before, MAIN)) is main_moves
    assert (fingerprint(after, OTHER) != fingerprint(before, OTHER)) is other_moves


@pytest.mark.parametrize(
    "statement",
    [
        "import scripts.lib.deep",
        "import scripts.lib.deep as d",
        "from scripts.lib import deep",
        "from scripts.lib import deep as d",
        "from scripts.lib.deep import two",
        "from scripts.lib.deep import *",
        "from .lib import deep",
        "from .lib.deep import two",
        "def late():\n    from scripts.lib.deep import two\n    return two",
        "try:\n    import scripts.lib.deep\nexcept ImportError:\n    pass",
    ],
)
def test_every_form_of_import_counts(project, statement: str) -> None:
    before = project(other=statement)
    after = project(other=statement, deep="def two():\n    return 22\n")
    assert fingerprint(after, OTHER) != fingerprint(before, OTHER)


@pytest.mark.parametrize(
    "statement", ["import scripts.lib.deep", "from scripts.lib.deep import two"]
)
def test_the_code_of_a_package_counts_for_who_imports_from_it(project, statement: str) -> None:
    before, after = project(other=statement), project(other=statement)
    (after / "scripts/lib/__init__.py").write_text("print('runs at import')\n")
    assert fingerprint(after, OTHER) != fingerprint(before, OTHER)


def test_modules_that_import_each_other_end(project) -> None:
    circle = project(deep="from scripts.lib import helper\n\ndef two():\n    return 2\n")
    assert fingerprint(circle, MAIN) != fingerprint(project(), MAIN)


def test_more_scripts_are_hashed_together_in_any_order(project) -> None:
    folder = project()
    both = fingerprint(folder, MAIN, OTHER)
    assert both == fingerprint(folder, OTHER, MAIN, OTHER)
    assert both not in (fingerprint(folder, MAIN), fingerprint(folder, OTHER))


def test_the_same_code_under_another_name_is_another_script(project) -> None:
    folder = project()
    (folder / "scripts/copy.py").write_text(PROJECT[OTHER])
    assert fingerprint(folder, "scripts/copy.py") != fingerprint(folder, OTHER)


# The project itself

ROOT = Path(__file__).parents[3]
MAKERS_OF_DOCS = re.compile(r"plan/(render_docs|data_\w+)\.py")  # load by name, and run in no job
SCRIPTS = sorted(
    p.relative_to(ROOT).as_posix()
    for p in (ROOT / "scripts").rglob("[!_]*.py")
    if not MAKERS_OF_DOCS.search(p.as_posix())
)
LIST_IMPORTS = """
import importlib, json, sys
LAZY = "scripts.nfl.models.families"  # imports a family when it is asked for
found = {}
for script in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "scripts"]:
        del sys.modules[name]
    importlib.import_module(script.removesuffix(".py").replace("/", "."))
    if LAZY in sys.modules:
        for family in sys.modules[LAZY].FILES:
            sys.modules[LAZY].module(family)
    own = [name for name in sys.modules if name.partition(".")[0] == "scripts"]
    found[script] = [name.replace(".", "/") + ".py" for name in own]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    """Script -> the files that Python itself loads for it."""
    command = [sys.executable, "-c", LIST_IMPORTS, *SCRIPTS]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


@pytest.mark.parametrize(
    "module",
    [
        "scripts/atomic.py",
        "scripts/errors.py",
        "scripts/ticks/engine.py",
        "scripts/ticks/metrics.py",
        "scripts/ticks/sources.py",
        "scripts/ticks/strategies/v1_baseline.py",
        "scripts/ticks/strategies/v2_price_follow_qty_cooldown.py",
    ],
)
def test_a_changed_module_moves_exactly_the_scripts_that_load_it(
    tmp_path: Path, imported, module: str
) -> None:
    for folder in ("before", "after"):
        shutil.copytree(ROOT / "scripts", tmp_path / folder / "scripts")
    with (tmp_path / "after" / module).open("a") as file:
        file.write("\nADDED = 1\n")
    moved = {
        script
        for script in SCRIPTS
        if fingerprint(tmp_path / "before", script) != fingerprint(tmp_path / "after", script)
    }
    assert moved == {script for script in SCRIPTS if module in imported[script]}
    assert module in moved < set(SCRIPTS)


# literal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NAMES = ('a', 'b')", ("a", "b")),
        ("NAMES = {'a': [1, -2.5, None]}", {"a": [1, -2.5, None]}),
        ("OTHER = NAMES = 'x'", "x"),
        ("import numba_that_is_not_installed\nNAMES = ()", ()),
    ],
)
def test_a_literal_is_read_without_importing_the_file(tmp_path: Path, text: str, value) -> None:
    (tmp_path / "module.py").write_text(text)
    assert literal(tmp_path / "module.py", "NAMES") == value


@pytest.mark.parametrize(
    "text",
    ["", "OTHER = 1", "NAMES = tuple('ab')", "def f():\n    NAMES = 1", "class A:\n    NAMES = 1"],
)
def test_a_missing_literal_names_file_and_constant(tmp_path: Path, text: str) -> None:
    (tmp_path / "module.py").write_text(text)
    with pytest.raises(LookupError, match=r"module\.py: no literal constant NAMES"):
        literal(tmp_path / "module.py", "NAMES")


def test_a_literal_may_have_an_annotation(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("NAMES: tuple[str, ...] = ('a',)")
    assert literal(tmp_path / "module.py", "NAMES") == ("a",)
