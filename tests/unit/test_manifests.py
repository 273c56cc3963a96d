"""Manifests of what jobs write, and their readers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from scripts import atomic, manifests
from scripts.control import verify
from scripts.errors import DataError
from scripts.tables import write

PART = "lake/bronze/x/month=2025-09/part.parquet"
RULE = "lake_land_x"


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Path]:
    """Results of a run, in which every atomic write of this process is noted."""
    folder = tmp_path / "results" / "demo"
    atomic.tell(manifests.Keeper(folder, RULE, {"month": "2025-09", "dataset": "x"}))
    yield folder
    atomic.tell(None)


@pytest.fixture
def part(top: Path) -> Path:
    """A partition that was written."""
    write(pl.DataFrame({"a": range(1000)}), top / PART)
    return top / PART


def flip(path: Path, place: int = -1) -> None:
    """Change one bit, and leave size and time as they were."""
    content, times = bytearray(path.read_bytes()), path.stat()
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_manifest_tells_of_the_file_and_its_maker(top: Path, part: Path) -> None:
    told = json.loads((top / "logs/manifests" / f"{PART}.json").read_text())
    assert told == {
        "path": PART,
        "sha256": manifests.sha256(part),
        "rows": 1000,
        "bytes": part.stat().st_size,
        "rule": RULE,
        "wildcards": {"dataset": "x", "month": "2025-09"},
    }
    manifests.check([part])


@pytest.mark.parametrize("place", [0, 40, -20, -1])
def test_one_changed_bit_is_known_and_the_rule_is_named(part: Path, place: int) -> None:
    flip(part, place)
    with pytest.raises(DataError) as caught:
        manifests.check([part])
    for fragment in (str(part), RULE, "dataset=x month=2025-09", "delete it", "SHA-256"):
        assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_known(part: Path) -> None:
    os.truncate(part, part.stat().st_size - 1)
    with pytest.raises(DataError, match="damaged or edited"):
        manifests.check([part])


def test_several_wrong_files_are_told_in_one_line(top: Path) -> None:
    files = [top / f"nfl/{number}.parquet" for number in range(6)]
    for file in files:
        write(pl.DataFrame({"a": [1]}), file)
        flip(file)
    with pytest.raises(DataError, match=r"0\.parquet: .*also .*1\.parquet, .*2\.parquet, 3 more"):
        manifests.check(files)


def test_a_file_written_again_is_known_by_its_new_content(part: Path) -> None:
    write(pl.DataFrame({"a": [1]}), part)
    manifests.check([part])


def test_between_the_old_file_and_the_new_one_there_is_no_manifest(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write(pl.DataFrame({"a": [1]}), part)
    assert manifests.place_of(part) is None
    manifests.check([part])


def test_files_elsewhere_and_logs_have_none(top: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "own.parquet", top / "logs/x.parquet"):
        write(pl.DataFrame({"a": [1]}), file)
        assert manifests.place_of(file) is None
    manifests.check([tmp_path / "own.parquet", tmp_path / "missing", tmp_path])


def test_a_damaged_manifest_is_named(top: Path, part: Path) -> None:
    place = top / "logs/manifests" / f"{PART}.json"
    for text in (
        "",
        "{}",
        "[1]",
        '{"path": 1}',
        place.read_text().replace('"sha256": "', '"x": "'),
    ):
        place.write_text(text)
        with pytest.raises(DataError, match=r"part\.parquet\.json: not a manifest .* delete it"):
            manifests.check([part])


def test_outputs_that_another_process_wrote_are_noted_and_kept_ones_are_not(top: Path) -> None:
    kept, new, folder = top / "a", top / "b", top / "c"
    folder.mkdir(parents=True)
    kept.write_text("old")
    keeper = manifests.Keeper(top, "book_compile_main", {}, [kept])
    new.write_text("new")
    keeper.note_others([kept, new, folder, top / "missing"])
    assert [manifests.place_of(path) is not None for path in (kept, new)] == [False, True]
    manifests.check([kept, new])


def test_what_a_job_continues_is_noted_at_its_end(top: Path, part: Path) -> None:
    old = part.read_bytes()
    keeper = manifests.Keeper(top, RULE, {}, [part])
    atomic.tell(keeper)
    write(pl.DataFrame({"a": [1]}), part)
    assert manifests.place_of(part) is None
    part.write_bytes(old)  # the job failed, and Snakemake puts back what was there
    manifests.check([part])
    write(pl.DataFrame({"a": [2]}), part)
    keeper.note_others([part])
    manifests.check([part])
    assert manifests.read(manifests.place_of(part)).rows == 1


def test_a_file_that_cannot_be_read_is_named(top: Path, part: Path) -> None:
    sick = part.with_name("sick.bin")
    sick.touch()
    manifests.Keeper(top, RULE, {}).note(sick)
    sick.unlink()
    sick.symlink_to("/proc/self/mem")  # the kernel answers EIO, as for a bad block
    with pytest.raises(DataError, match=rf"sick\.bin: .*{RULE}.* cannot be read \(Input/output"):
        manifests.check([part, sick])
    found = verify.verify(top)
    assert (found.good, [path for path, _ in found.wrong]) == (1, [sick])


def test_results_that_were_moved_are_still_known(top: Path, part: Path, tmp_path: Path) -> None:
    moved = top.rename(tmp_path / "elsewhere")
    manifests.check([moved / PART])
    flip(moved / PART)
    with pytest.raises(DataError, match=RULE):
        manifests.check([moved / PART])


def test_verify_lists_what_is_wrong_and_what_to_do(
    top: Path, part: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(top.parents[1])
    other, gone = top / "nfl/it's.parquet", top / "nfl/gone.parquet"
    for file in (other, gone):
        write(pl.DataFrame({"a": [1]}), file)
    gone.unlink()
    assert verify.main(["demo"]) == 0
    assert "2 files" in (out := capsys.readouterr().out)
    assert "1 are no longer there" in out
    flip(part)
    flip(other)
    assert verify.main(["demo"]) == 1
    out = capsys.readouterr().out
    assert f"results/demo/{PART}: made by {RULE} dataset=x month=2025-09" in out
    rm = out.splitlines()[-1].removesuffix(" && make")
    assert os.system(rm) == 0
    assert not part.exists()
    assert not other.exists()
    assert verify.main(["demo"]) == 0
    assert verify.main(["other"]) == 1
    assert "no manifests" in capsys.readouterr().err


def test_verify_names_a_damaged_manifest_and_its_file(top: Path, part: Path) -> None:
    place = manifests.place_of(part)
    place.write_text("{")
    assert [file for file, _ in verify.verify(top).wrong] == [place, part]
