"""The torture's own judgement: what was not survived is counted, told, and ends with status 1."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.torture import regressions, score
from tests.torture.child import Ended
from tests.torture.reader import judge
from tests.torture.tally import Case, Lost, Silent, need_one_line


def raises(error: BaseException) -> Callable[[Path], str]:
    """A blow that is not survived."""

    def play(_folder: Path) -> str:
        raise error

    return play


def case(play: Callable[[Path], str], kind: str = "kind") -> Case:
    """A case of one of two kinds."""
    return Case(kind, "name", 7, play)


CASES = [
    case(lambda folder: f"in {folder.name}"),
    case(raises(Lost("a row\nof two lines"))),
    case(raises(Silent("nothing said")), "other"),
    case(raises(KeyError("of the torture itself")), "other"),
]


def test_what_was_not_survived_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    told: list[score.Played] = []
    played, left = score.play_all(CASES, tmp_path, time.monotonic() + 60, told.append)
    assert [one.outcome for one in played] == ["survived", "lost", "silent", "lost"]
    assert (told, left) == (played, 0)
    assert "KeyError" in played[3].told
    assert score.line(played[1]) == "lost: kind: name (seed 7): \na row\nof two lines"
    assert score.show(played, Console(width=100)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[1:-1]] == [
        ["kind", "2", "1", "1", "0"],
        ["other", "2", "0", "1", "1"],
    ]
    assert lines[-1] == "torture: 4 tried, 2 lost, 1 silent"


def test_only_what_was_survived_ends_well(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    played = [score.play(CASES[0], tmp_path)]
    assert score.show(played, Console()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "torture: 1 tried, 0 lost, 0 silent"
    assert list(tmp_path.iterdir()) == []
    assert score.show([], Console()) == 1


REFUSED = Ended("refused", text="a.csv: cut")


def test_only_what_is_bad_may_be_refused(tmp_path: Path) -> None:
    assert judge(REFUSED, None, "it is cut", "a cut", "a.csv", tmp_path).startswith("refused")
    for why, struck in (("", "a.csv"), ("it is cut", "")):
        with pytest.raises(Lost, match="although nothing is wrong"):
            judge(REFUSED, None, why, "a cut", struck, tmp_path)


# Those with servers take seconds each: only `make torture` plays them.
MALFORMED = [row for row in regressions.listed() if row.kind.startswith("malformed ")]


@pytest.mark.parametrize("row", MALFORMED, ids=lambda row: f"{row.kind} {row.name} {row.seed}")
def test_what_once_was_not_survived_is(row: regressions.Regression, tmp_path: Path) -> None:
    assert regressions.case_of(row).play(tmp_path)


def test_every_blow_of_the_list_can_be_played() -> None:
    for row in regressions.listed():
        case = regressions.case_of(row)
        assert (case.kind, case.seed) == (row.kind, row.seed)


def test_after_the_deadline_nothing_is_played(tmp_path: Path) -> None:
    assert score.play_all(CASES, tmp_path, time.monotonic(), print) == ([], len(CASES))


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "says nothing of the file"])
def test_a_message_is_one_line_that_names_what_it_must(text: str) -> None:
    with pytest.raises(Silent):
        need_one_line(text, "a.csv")
    assert need_one_line("a.csv: cut", "a.csv") == "a.csv: cut"
