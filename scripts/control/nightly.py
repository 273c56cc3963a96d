"""`make nightly`: what `make update` does and then the report, for cron or a systemd timer.

    python -m scripts.control.nightly [--timeout 6h] -- <options of snakemake> [-- <targets>]

A good night says nothing and ends with 0. Any other prints one summary and ends with Snakemake's
status; with 75 (try again later) where another run is still going.
"""

import argparse
import fcntl
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TextIO

from snakemake_logger_plugin_almanac import lock

from scripts.control.child import Stop
from scripts.control.configured import configured
from scripts.control.mail import Night, Step, summary
from scripts.control.refused import Counts, growth, refused
from scripts.errors import DataError
from scripts.job import environment
from scripts.plan.calendar import Calendar
from scripts.plan.lake import FLAT

TRY_LATER = 75  # EX_TEMPFAIL
TIMED_OUT = 124  # as timeout(1) has it
REPORT_S = 1800  # for the page
LOCK = Path(".snakemake", "almanac-nightly.lock")
CALENDAR = Path("config", "calendars", "XNYS.csv")
KEPT = 30
WRITING = ("--logger", "almanac", "--nocolor")  # to a file
GOOD = "good.json"
REFUSED = "locked: another run"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Order:
    """What the night does.

    Attributes:
        run: name of the run.
        options: of snakemake, in all steps.
        targets: of the main step; none: all.
        probe: whether the vendor is asked first which files it has replaced.
    """

    run: str
    options: list[str]
    targets: list[str]
    probe: bool

    @property
    def folder(self) -> Path:
        """Where the nights' logs are."""
        return Path("results", self.run, "logs", "nightly")

    def steps(self) -> dict[str, list[str]]:
        """Name -> arguments of snakemake."""
        probe = [*self.options, "--forcerun", "lake_check_revisions", "--", "revisions"]
        return {
            **({"what the vendor has replaced": probe} if self.probe else {}),
            "build": [*self.options, "--", *self.targets],
        }

    def report(self) -> list[str]:
        """Arguments of snakemake for the page of what there is."""
        return [*with_config(self.options, "report={wait: false}"), "--", "report"]


def main(arguments: Sequence[str]) -> int:
    """Do the night's work; return the exit status."""
    own, options, targets = split(arguments)
    given = _parser().parse_args(own)
    try:
        order = ordered(options, targets, datetime.now(UTC))
        LOCK.parent.mkdir(exist_ok=True)
        with LOCK.open("a+", encoding="utf-8") as file:
            if since := held(file):
                print(f"last night's run is still going since {since}: tonight's is skipped")
                return TRY_LATER
            if lock.has_locks(Path()) and lock.recorded_run_alive(Path()):
                print(f"a run is still going here since {_since()}: tonight's is skipped")
                return TRY_LATER
            return night(order, given.timeout)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def night(order: Order, timeout_s: float | None) -> int:
    """Unlock, probe, build, make the report; tell of it unless all is well.

    Args:
        order: what to do.
        timeout_s: after which it is stopped; None: never.
    """
    started, begin = time.time(), time.monotonic()
    deadline = None if timeout_s is None else begin + timeout_s
    results = Path("results", order.run)
    before, since = last_good(order.folder) or (refused(results), "it began")
    order.folder.mkdir(parents=True, exist_ok=True)
    path = order.folder / f"{datetime.fromtimestamp(started, UTC):%Y%m%dT%H%M%SZ}.log"
    steps: list[Step] = []
    page = "not made"
    with path.open("ab+") as log, Stop() as stop:
        unlock = [sys.executable, "-m", "snakemake_logger_plugin_almanac.unlock"]
        steps.append(_step(stop, "unlock", unlock, log, deadline))
        for name, words in order.steps().items():
            if not stop.asked and not steps[0].status:
                steps.append(_step(stop, name, snakemake(words), log, deadline))
        whole = steps[-1].name == "build"
        if any(_is_refused(step) for step in steps):
            print(f"a run is still going here since {_since()}: tonight's is skipped")
            return TRY_LATER
        if stop.signal is None and not steps[0].status:
            steps.append(
                _step(stop, "report", snakemake(order.report()), log, time.monotonic() + REPORT_S)
            )
            page = f"results/{order.run}/report/index.html" if not steps[-1].status else page
    keep_newest(order.folder, KEPT)
    status = next((step.status for step in steps if step.status), 0)
    if not status and not whole and stop.asked:
        status = 128 + stop.signal if stop.signal else TIMED_OUT
    counts = refused(results)
    if not status:
        write_good(order.folder, _local(started), counts)
        return 0
    told = Night(
        run=order.run,
        started=_local(started),
        seconds=time.monotonic() - begin,
        status=status,
        steps=steps,
        log=path,
        page=page,
        stopped=_stopped(stop),
        grown=growth(before, counts),
        since=since,
    )
    print(summary(told), end="", flush=True)
    return status


def split(arguments: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Our own options, Snakemake's, and its targets; `--` stands between them."""
    parts: list[list[str]] = [[]]
    for word in arguments:
        if word == "--" and len(parts) < 3:
            parts.append([])
        else:
            parts[-1].append(word)
    own, options, targets = [*parts, [], []][:3]
    return own, options, targets


def ordered(options: Sequence[str], targets: Sequence[str], now: datetime) -> Order:
    """What the night does, by its config.

    Where config leaves the lake's day open it is settled here, once for all steps: the last session
    that is published at `now`.

    Raises:
        DataError: the config is not valid.
    """
    config = configured(options)
    lake = config["lake"]
    frozen = list(options)
    if lake["datasets"] and lake["as_of"] is None:
        day = Calendar(CALENDAR).published(now)
        frozen = with_config(frozen, f"lake={{as_of: {day}}}")
    probe = bool(set(lake["datasets"]) & set(FLAT)) and "landing" not in lake["skip"]
    return Order(config["run"], frozen, list(targets), probe)


def with_config(options: Sequence[str], pair: str) -> list[str]:
    """Options of snakemake with one more value of the config, over which given ones go.

    Of several --config Snakemake takes the last one only, so the value goes into that.
    """
    for i in range(len(options) - 1, -1, -1):
        name, equals, value = options[i].partition("=")
        if options[i] in ("--config", "-C"):
            return [*options[: i + 1], pair, *options[i + 1 :]]
        if name == "--config" and equals:
            return [*options[:i], "--config", pair, value, *options[i + 1 :]]
        if options[i].startswith("-C"):
            return [*options[:i], "--config", pair, options[i][2:], *options[i + 1 :]]
    return [*options, "--config", pair]


def snakemake(words: Sequence[str]) -> list[str]:
    """The command line of Snakemake."""
    return [sys.executable, "-m", "snakemake", *WRITING, *words]


def held(file: TextIO) -> str:
    """Take the lock of nights; where another one has it: since when. The kernel lets go of it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        return file.read().strip() or "an unknown time"
    file.truncate(0)
    file.write(f"{_local(time.time())}\n")
    file.flush()
    return ""


def last_good(folder: Path) -> tuple[Counts, str] | None:
    """The refused rows of the last good night, and when it was."""
    try:
        told = json.loads((folder / GOOD).read_text(encoding="utf-8"))
        return dict(told["counts"]), f"the last good night ({told['time']})"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_good(folder: Path, when: str, counts: Mapping) -> None:
    """Keep the refused rows of a good night for the next ones."""
    partial = folder / f"{GOOD}.tmp"
    partial.write_text(json.dumps({"time": when, "counts": counts}) + "\n", encoding="utf-8")
    partial.replace(folder / GOOD)


def keep_newest(folder: Path, number: int) -> None:
    """Remove all logs of nights but the newest."""
    for path in sorted(folder.glob("*.log"))[:-number]:
        with suppress(OSError):
            path.unlink()


def duration(text: str) -> float:
    """Seconds of 90, 90s, 30m, 6h or 1d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"got {text}, expected a time like 90s, 30m, 6h or 1d")
    return float(found[1]) * UNITS[found[2] or "s"]


def _step(stop: Stop, name: str, command: list[str], log: BinaryIO, deadline: float | None) -> Step:
    """Run one command, all that it prints going to the log."""
    shown = [word for word in (_relative(command[0]), *command[1:]) if word not in WRITING]
    while shown[-1] == "--":
        shown.pop()
    log.seek(0, os.SEEK_END)
    log.write(f"{_local(time.time())} {name}: {shlex.join(shown)}\n".encode())
    log.flush()
    start = log.tell()
    status = stop.run(command, log, _variables(), deadline)
    log.seek(start)
    said = log.read().decode(errors="replace")
    return Step(name, shown, status, said)


def _relative(program: str) -> str:
    """Python's path below the project, as people type it."""
    with suppress(ValueError):
        return str(Path(program).relative_to(Path().absolute()))
    return program


def _variables() -> dict[str, str]:
    """The environment, with the programs beside this Python found first, as `make` has it."""
    own = dict(environment())
    own["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)])
    return own


def _is_refused(step: Step) -> bool:
    """Whether Snakemake found the folder locked by a run that began in the meantime."""
    lines = [line for line in step.said.splitlines() if line.strip()]
    return bool(step.status and lines and lines[-1].startswith(REFUSED))


def _since() -> str:
    record = lock.read_record(Path()) or {}
    try:
        return _local(datetime.fromisoformat(record["started"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return "an unknown time"


def _stopped(stop: Stop) -> str:
    if stop.signal:
        return stop.signal.name
    return "its time limit" if stop.timed_out else ""


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make nightly", description=__doc__, allow_abbrev=False)
    parser.add_argument("--timeout", type=duration, help="stop after so long: 90s, 30m, 6h, 1d")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
