"""Snakemake's reasons read back. The texts are those of real dry runs with Snakemake 9.27.1."""

from __future__ import annotations

import pytest
from snakemake.jobs import Reason

from scripts.control.reasons import PARTS, Cause, own_cause, parts

UNION = (
    "Params have changed since last execution: Union of exclusive params before and now across "
    "all output: before: {} now: {} "
)
OLD, NEW = "3ee7dc6562f65fa9", "656f57a1fc1f4661"


def test_snakemake_says_it_in_these_words() -> None:
    reason = Reason()
    assert str(reason) == ""
    reason.missing_output.add("a")
    reason.incomplete_output.add("b")
    reason.updated_input.update({"c", "d"})
    reason.updated_input_run.add("d")
    reason.pipe = reason.service = True
    reason.input_changed = reason.code_changed = reason.software_stack_changed = True
    assert parts(str(reason)) == {
        "missing output": "a",
        "incomplete output": "b",
        "input changed": "c",
        "follows": "",
        "other input files": "",
        "code changed": "",
        "software environment": "",
    }
    reason.clear()
    reason.forced = True
    assert parts(str(reason)) == {"forced": ""}
    for name in ("noio", "nooutput"):
        reason.clear()
        setattr(reason, name, True)
        assert parts(str(reason)) == {"always run": ""}


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Input files updated by another job: a; b, c", None),
        ("Updated input files: ; Input files updated by another job: a", None),
        ("Forced execution", Cause("forced")),
        ("Missing output files: x", Cause("missing output")),
        (
            "Missing output files: x; Input files updated by another job: y; " + UNION,
            Cause("missing output"),
        ),
        ("Updated input files: a.csv, b.csv", Cause("input changed", "a.csv, b.csv")),
        ("Set of input files has changed since last execution", Cause("other input files")),
        (
            "Input files updated by another job: y; Set of input files has changed since last "
            "execution",
            None,
        ),
        (UNION.format("180", "181"), Cause("params changed", "180 -> 181")),
        (
            "Input files updated by another job: y; " + UNION.format("'2025-09-08'", "None"),
            Cause("params changed", "2025-09-08 -> None"),
        ),
        (UNION.format(f"'{OLD}'", f"'{NEW}'"), Cause("code of the script changed")),
        (
            UNION.format(f"'{OLD}',1", f"2,'{NEW}'"),
            Cause("code of the script changed, and params", "1 -> 2"),
        ),
        (UNION.format(f"'{OLD}'", f"'{OLD[::-1]}'"), Cause("code or config changed, by its hash")),
        (
            UNION.format(f"'{OLD}','k-{OLD}'", f"'k-{NEW[::-1]}','{NEW[::-1]}'"),
            Cause("code or config changed, by its hash"),
        ),
        (
            UNION.format("<nothing exclusive>", "[5, 60]"),
            Cause("params changed", "none -> [5, 60]"),
        ),
        (UNION.format("[5, 60]", "[5, 60, 600]"), Cause("params changed", "[] -> [600]")),
        (
            UNION.format("{'a': 1, 'b': {'c': [1, 2]}}", "{'a': 1, 'b': {'c': [1, 3]}, 'd': 4}"),
            Cause("params changed", "c: 2 -> 3, d: none -> 4"),
        ),
        (
            UNION.format("<function f at 0x7f>", "a;b"),
            Cause("params changed", "<function f at 0x7f> -> a;b"),
        ),
        (
            "Software environment definition has changed since last execution",
            Cause("software environment"),
        ),
        ("", Cause("asked for")),
    ],
)
def test_the_cause_of_a_reason(reason: str, cause: Cause | None) -> None:
    assert own_cause(reason, code=NEW) == cause


def test_long_values_and_many_of_them_are_shortened() -> None:
    old, new = ({f"k{i}": "x" * 90 + end for i in range(9)} for end in "ab")
    cause = own_cause(UNION.format(old, new))
    assert cause.detail.endswith("and 6 more")
    assert len(cause.detail) < 400


def test_a_file_named_like_a_reason_is_a_file() -> None:
    told = parts("Updated input files: my; Forced.csv; Input files updated by another job: b")
    assert told == {"input changed": "my; Forced.csv", "follows": "b"}


def test_what_snakemake_has_in_store_is_known() -> None:
    assert {"forced", "missing output", "input changed", "follows"} <= set(PARTS.values())
