"""What is kept of the code between starts: never another answer than parsing gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.plan.memory import Memory
from tests.workflow.project import ROOT

NAME = "scripts/a.py"
FINGERPRINT = """
import sys
from pathlib import Path
from scripts.plan import fingerprint
fingerprint.MEMORY.keep(Path(sys.argv[2]))
print(fingerprint.fingerprint(Path(sys.argv[1]), "scripts/a.py"))
print(len(fingerprint.MEMORY._entries), fingerprint.MEMORY._is_new)
"""


@pytest.fixture
def maker(tmp_path: Path) -> Path:
    path = tmp_path / "maker.py"
    path.write_text("one")
    return path


def kept(maker: Path, file: Path) -> Memory:
    memory = Memory(maker)
    memory.keep(file)
    return memory


def test_a_content_is_known_again_and_another_one_is_not(maker: Path, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    first = kept(maker, file)
    assert first.get(NAME, b"x") is None
    first.put(NAME, b"x", ["hash", ["scripts.b"]])
    first._save()
    second = kept(maker, file)
    assert second.get(NAME, b"x") == ["hash", ["scripts.b"]]
    assert second.get(NAME, b"y") is None
    assert second.get("scripts/b.py", b"x") is None
    second.put(NAME, b"y", ["other", []])
    second._save()
    third = kept(maker, file)
    assert third.get(NAME, b"x") is None
    assert third.get(NAME, b"y") == ["other", []]
    assert {path.name for path in tmp_path.iterdir()} == {maker.name, file.name}


def test_what_another_version_made_is_forgotten(maker: Path, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    memory = kept(maker, file)
    memory.put(NAME, b"x", ["hash", []])
    memory._save()
    maker.write_text("two")
    assert kept(maker, file).get(NAME, b"x") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"maker": 1}', "\x00\xff"])
def test_a_broken_file_is_as_good_as_none(maker: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "memory.json"
    file.write_text(text)
    memory = kept(maker, file)
    assert memory.get(NAME, b"x") is None
    memory.put(NAME, b"x", ["hash", []])
    memory._save()
    assert kept(maker, file).get(NAME, b"x") == ["hash", []]


def test_a_folder_that_is_not_there_is_no_trouble(maker: Path, tmp_path: Path) -> None:
    memory = kept(maker, tmp_path / "gone" / "memory.json")
    memory.put(NAME, b"x", ["hash", []])
    memory._save()
    assert not (tmp_path / "gone").exists()


def test_the_fingerprint_with_and_without_it_is_the_same_through_edits(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    file = tmp_path / "memory.json"

    def told(name: str) -> tuple[str, str]:
        command = [sys.executable, "-c", FINGERPRINT, tmp_path, tmp_path / name]
        done = subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ}
        )
        return tuple(done.stdout.splitlines())

    seen = set()
    edits = [
        {"a.py": "from scripts import b\nx = 1\n"},
        {"b.py": "y = 1\n"},  # an import that had no file
        {"b.py": "y = 2\n"},
        {"a.py": "from scripts import b\n# said\nx = 1\n"},  # the same code
        {"a.py": "from scripts import b, c\nx = 1\n", "c.py": "from scripts import b\n"},
        {"c.py": None},
    ]
    for number, edit in enumerate(edits):
        for name, text in edit.items():
            (scripts / name).write_text(text) if text else (scripts / name).unlink()
        warm, cold = told("memory.json"), told(f"none-{number}.json")
        assert warm[0] == cold[0]
        assert told("memory.json") == (warm[0], f"{warm[1].split()[0]} False")
        seen.add(warm[0])
    assert len(seen) == len(edits) - 1
    assert file.is_file()
