"""Parts of the night: what is refused, the mail, Snakemake as a child, the order of things."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.control import child, nightly
from scripts.control.child import Stop
from scripts.control.mail import LINES, WIDTH, Night, Step, command_lines, summary
from scripts.control.refused import Growth, growth, refused
from tests.conftest import ROOT


def counts(quarantined: int, rows: int = 100, **reasons: int) -> dict:
    """A partition's counts."""
    return {"rows_in": rows, "quarantined": quarantined, "reasons": reasons}


def write(path: Path, told: object) -> None:
    """Write JSON, or text that is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(told if isinstance(told, str) else json.dumps(told))


def test_refused_rows_are_counted_by_partition(tmp_path: Path) -> None:
    write(tmp_path / "lake/reconcile/stocks_daily/2025-09.json", {**counts(3, bad=3), "good": 97})
    write(tmp_path / "ticks/reconcile/ticks/A.B.json", {"rows_in": 7, "quarantined": 0})
    write(tmp_path / "lake/reconcile/sessions/2025-09-02.json", {"date": "x", "datasets": {}})
    write(tmp_path / "lake/reconcile/news/1.json", '{"rows_in": 1')
    write(tmp_path / "lake/reconcile/news/2.json", [1])
    write(tmp_path / "nfl/tables/x.json", counts(5))
    assert refused(tmp_path) == {
        "lake/stocks_daily/2025-09": counts(3, bad=3),
        "ticks/ticks/A.B": counts(0, rows=7),
    }


def test_growth_is_of_old_and_new_partitions() -> None:
    before = {"a": counts(3, bad=3), "b": counts(5), "c": counts(9)}
    now = {"a": counts(9, bad=4, date=5), "b": counts(5), "d": counts(1), "e": counts(0)}
    assert growth(before, now) == [
        Growth("a", 3, 9, 100, {"date": 5, "bad": 1}),
        Growth("d", 0, 1, 100, {}),
    ]
    assert str(growth(before, now)[0]) == "a: 3 -> 9 of 100 rows (date +5, bad +1)"


def night(said: str, **more: object) -> Night:
    """A night whose build failed."""
    command = [sys.executable, "-m", "snakemake", "--config", "lake={as_of: 2025-09-09}"]
    steps = [Step("probe", command, 0, "fine"), Step("build", command, 1, said)]
    log, page = Path("results/demo/logs/nightly/x.log"), "results/demo/report/index.html"
    return Night("demo", "2025-09-09 03:00", 75.0, 1, steps, log, page, **more)


def test_the_mail_says_what_failed_what_waited_and_what_to_do() -> None:
    said = "noise\nWhat failed:\n  old\n\nmore noise\nWhat failed:\n  a_land x=1\n    cause: c\n"
    said += "    log:   l.log\nWhat waited for it: 2 b_build (2 jobs not run)\n"
    text = summary(night(said, grown=[Growth("a", 3, 9, 100, {})], since="the last good night"))
    assert text.splitlines()[0] == (
        "Night of 2025-09-09 03:00: run demo FAILED (exit status 1, 1 min 15 s)"
    )
    told = (
        "What failed (build):\n  a_land x=1\n    cause: c\n    log:   l.log\nWhat waited for it: "
    )
    assert told in text
    assert "noise" not in text
    assert "  old" not in text
    assert "Refused rows grew since the last good night:\n  a: 3 -> 9 of 100 rows" in text
    assert "'lake={as_of: 2025-09-09}'" in text
    assert "Full output: results/demo/logs/nightly/x.log" in text


def test_the_mail_is_short_and_narrow_whatever_happened() -> None:
    failed = "".join(
        f"  a_land x={i}\n    cause: {'word ' * 90}{'x' * 300}\n    log:   {'long/' * 40}x.log\n"
        for i in range(50)
    )
    waited = "What waited for it: " + ", ".join(f"{i} rule_number_{i}" for i in range(200))
    grown = [Growth("p" * 200, 0, i, i, {"r" * 30: i}) for i in range(1, 60)]
    for said in (
        f"What failed:\n{failed}{waited}",
        "x" * 10_000 + "\n" * 10,
        "\x1b[31mred\x1b[0m",
        "",
    ):
        lines = summary(night(said, grown=grown, since="x", stopped="SIGTERM")).splitlines()
        assert len(lines) <= LINES
        assert max(map(len, lines)) <= WIDTH
        assert lines[-1].startswith("Full output:")
        assert not any("\x1b" in line for line in lines)
    assert "  red" in summary(night("\x1b[31mred\x1b[0m")).splitlines()


def test_a_long_command_can_still_be_copied() -> None:
    words = ["snakemake", *(f"--option-{i} with blanks" for i in range(20)), "it's"]
    lines = command_lines(words)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 3
    assert shlex.split(" ".join(line.removesuffix("\\") for line in lines)) == words
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert command_lines(["x" * 200]) == ["  the command stands in the full output"]


def python(code: str) -> list[str]:
    """A command that runs code."""
    return [sys.executable, "-c", code]


POLITE = (
    "import signal, time; "
    "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(.2), exit(7))); "
    "print('begun', flush=True); time.sleep(60)"
)


def test_what_a_child_says_and_ends_with(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab+") as log, Stop() as stop:
        said = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
        assert stop.run(python(said), log, {}, None) == 3
        killed = "import os; os.kill(os.getpid(), 9)"
        assert stop.run(python(killed), log, {}, None) == 128 + 9
        assert not stop.asked
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def when_begun(log: Path, action: object) -> None:
    """Do something as soon as the child has said that it begun."""

    def wait() -> None:
        while "begun" not in log.read_text():
            time.sleep(0.02)
        action()

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_handed_on_and_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "log"
    before = signal.getsignal(number)
    with path.open("ab+") as log, Stop() as stop:
        when_begun(path, lambda: os.kill(os.getpid(), number))
        assert stop.run(python(POLITE), log, {}, None) == 7
        assert (stop.signal, stop.asked) == (number, True)
    assert signal.getsignal(number) == before


def test_at_the_deadline_it_is_asked_to_end(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab+") as log, Stop() as stop:
        assert stop.run(python(POLITE), log, {}, time.monotonic() + 1.5) == 7
        assert (stop.signal, stop.timed_out) == (None, True)


def test_a_child_that_will_not_end_is_killed_with_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_S", 0.2)
    monkeypatch.setattr(child, "LAST_GRACE_S", 0.2)
    deaf = (
        "import signal, subprocess, sys, time; "
        "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; "
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(c.pid, flush=True); time.sleep(60)"
    )
    path = tmp_path / "log"
    with path.open("ab+") as log, Stop() as stop:
        assert stop.run(python(deaf), log, {}, time.monotonic() + 1) == 128 + 9
    grandchild = int(path.read_text())
    end = time.monotonic() + 5
    while Path(f"/proc/{grandchild}").exists() and time.monotonic() < end:
        if "Z" in Path(f"/proc/{grandchild}/stat").read_text().split()[2]:
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{grandchild}").exists()


def test_options_and_targets() -> None:
    assert nightly.split(["--timeout", "6h", "--", "--config", "a=1", "--", "lake", "nfl"]) == (
        ["--timeout", "6h"],
        ["--config", "a=1"],
        ["lake", "nfl"],
    )
    assert nightly.split([]) == ([], [], [])
    assert nightly.split(["--", "--"]) == ([], [], [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["--config", "x=1"]),
        (["-k"], ["-k", "--config", "x=1"]),
        (["--config", "a=2", "-k"], ["--config", "x=1", "a=2", "-k"]),
        (["-C", "a=2", "--config", "b=3"], ["-C", "a=2", "--config", "x=1", "b=3"]),
        (["--config=a=2"], ["--config", "x=1", "a=2"]),
    ],
)
def test_one_more_value_of_the_config(options: list[str], expected: list[str]) -> None:
    assert nightly.with_config(options, "x=1") == expected


NOW = datetime(2025, 9, 9, 17, 30, tzinfo=UTC)  # 13:30 in New York


def test_the_night_settles_the_day_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    preset = ["--configfile", "config/presets/lake_massive.yaml"]
    order = nightly.ordered(preset, ["lake"], NOW)
    day = "lake={as_of: 2025-09-08}"
    assert order.steps() == {
        "what the vendor has replaced": [
            *(*preset, "--config", day, "--forcerun", "lake_check_revisions", "--", "revisions")
        ],
        "build": [*preset, "--config", day, "--", "lake"],
    }
    page = [*preset, "--config", "report={wait: false}", day, "--", "report"]
    assert order.report() == page
    assert order.folder.as_posix() == "results/lake/logs/nightly"
    given = [*preset, "--config", "lake={as_of: 2025-09-05}"]
    assert nightly.ordered(given, [], NOW).options == given


def test_without_landing_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for pair in ("lake={datasets: []}", "lake={datasets: [news]}", "lake={skip: [landing]}"):
        assert list(nightly.ordered(["--config", pair], [], NOW).steps()) == ["build"]
    assert len(nightly.ordered([], [], NOW).steps()) == 2


def test_the_newest_logs_are_kept(tmp_path: Path) -> None:
    for i in range(40):
        (tmp_path / f"202509{i:02d}T000000Z.log").write_text("")
    nightly.write_good(tmp_path, "now", {"a": counts(1)})
    nightly.keep_newest(tmp_path, 30)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert (len(names), names[0], names[-1]) == (31, "20250910T000000Z.log", "good.json")
    assert nightly.last_good(tmp_path) == ({"a": counts(1)}, "the last good night (now)")
    (tmp_path / "good.json").write_text("{")
    assert nightly.last_good(tmp_path) is None


def test_durations() -> None:
    assert [nightly.duration(t) for t in ("90", "90s", "1.5m", "6h", "1d")] == [
        *(90, 90, 90, 21600, 86400)
    ]
    for text in ("", "6 hours", "-1", "h"):
        with pytest.raises(nightly.argparse.ArgumentTypeError):
            nightly.duration(text)
