"""Why a job failed, in one line: from its log, else from what Snakemake says of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from snakemake_logger_plugin_almanac.start import Start

TAIL_BYTES = 64 * 1024
MAX_CHARS = 400
FULL_BYTES = 64 * 1024
STOPPED = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

Progress = Literal["waiting", "begun", "failed", "done"]

_MARK = "error: "
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_DIED = re.compile(r"died with <Signals\.\w+: (\d+)>")
_STATUS = re.compile(r"returned non-zero exit status (-?\d+)")
_CLUSTER = re.compile(r"status is: '?([A-Z_]+)")
_LATENCY = re.compile(r"--latency-wait:\n((?:.+\n?)+)")
_AFFECTED = re.compile(r"(?m)^(.+) for rule .+:\n(?:.+\n)*? +affected files:\n((?: +.+\n?)+)")
_RAISED = re.compile(r"[\w.]+(?:Error|Exception): ")
_NOISE = re.compile(r"\s+File \"|Traceback|Command '")


@dataclass(frozen=True)
class Cause:
    """One line for the reader, and the signal that ended the job, if one did."""

    text: str
    signal: int | None = None


@dataclass(frozen=True)
class Origin:
    """What the text of an exception says of the job it speaks of."""

    rule: str | None
    jobid: int | None
    wildcards: dict[str, str]
    cause: str


def find_cause(logs: Sequence[str], start: Start, message: str, note: str = "") -> Cause:
    """Return the cause of a job's failure.

    `logs` are the job's log, then those its executor kept; `start` is when it began;
    `message` is the exception Snakemake reported for it, `note` what a cluster
    executor said of it: either may be empty.
    """
    tails = [tail(log, start) for log in logs]
    own = tails[0] if tails else []
    number = _signal("\n".join([message, note, *(line for tail in tails[1:] for line in tail)]))
    stated = [line for line in own if line.startswith(_MARK)]
    status = _CLUSTER.search(note)
    if stated and (stated[-1] is own[-1] or number is None):
        text = stated[-1].removeprefix(_MARK)
    elif number == signal.SIGKILL or (status and status[1] == "OUT_OF_MEMORY"):
        text = "killed (no message in the log; out of memory or kill -9?)"
    elif number is not None:
        text = f"stopped by {_signal_name(number)} (no message in the log)"
    elif status and status[1] != "FAILED":
        text = note.splitlines()[0]
    elif own and (full := _full(logs[0])):  # its last words did not fit, nor the cause
        text = explain(message or note).cause + full
    elif own:
        text = own[-1]
    elif raised := [line for tail in tails[1:] for line in tail if _RAISED.match(line)]:
        text = raised[-1]  # the job was never begun: Snakemake itself failed on its node
    else:
        text = explain(message or note).cause + _missing(logs)
    return Cause(_shorten(text), number)


def progress(logs: Sequence[str], start: Start) -> Progress:
    """Return how far a job came, by its own log: a job's log ends with `done:` or `error:`."""
    lines = tail(logs[0], start) if logs else []
    if not lines:
        return "waiting"
    if lines[-1].startswith("done: "):
        return "done"
    return "failed" if lines[-1].startswith(_MARK) else "begun"


def explain(message: str) -> Origin:
    """Read rule, job, wildcards and cause from the text of one of Snakemake's exceptions.

    A command line is never part of the cause: it may hold what must not be told.
    """
    rule = re.search(r"\bin rule (\S+) in file", message)
    jobid = re.search(r"^Job (\d+)\s", message, re.MULTILINE)
    inline = re.search(r"^ +wildcards: (.+)$", message, re.MULTILINE)
    block = re.search(r"^Wildcards:\n((?:  .*\n?)+)", message, re.MULTILINE)
    pairs = inline[1].split(", ") if inline else block[1].splitlines() if block else []
    return Origin(
        rule=rule[1] if rule else None,
        jobid=int(jobid[1]) if jobid else None,
        wildcards={key.strip(): value for key, _, value in (pair.partition("=") for pair in pairs)},
        cause=_shorten(_cause_in(message)),
    )


def _cause_in(message: str) -> str:
    """Return the line of `message` that says most."""
    if status := _STATUS.search(message):
        return f"exit status {status[1]}"
    if found := _LATENCY.search(message):
        return f"missing output: {_files(re.sub(r' [(]missing.*', '', found[1]))}"
    if found := _AFFECTED.search(message):
        return f"{found[1]}: {_files(found[2])}"
    if found := re.search(r"^Error:\n +(?:\w+:\n +)?(.+)", message, re.MULTILINE):
        return found[1]
    lines = [line for line in message.splitlines() if line.strip() and not is_trace(line)]
    return lines[-1].strip() if lines else "no message; see Snakemake's output above"


def is_trace(line: str) -> bool:
    """Whether a line of an exception's text is one of its traceback, or a command line."""
    return bool(_NOISE.match(line))


def _files(lines: str) -> str:
    """Return the first of the listed files, and how many more there are."""
    first, *more = sorted(line.strip() for line in lines.splitlines())
    return first + (f" and {len(more)} more" if more else "")


def _signal(text: str) -> int | None:
    """Return the number of the signal that `text` blames, if any."""
    if died := _DIED.search(text):
        return int(died[1])
    for status in map(int, _STATUS.findall(text)):
        number = -status if status < 0 else status - 128  # a shell reports 128 + signal
        if 0 < number < 65:
            return number
    return None


def _signal_name(number: int) -> str:
    """Return SIGTERM for 15, and so on."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def tail(log: str, start: Start) -> list[str]:
    """Return the last non-empty lines of `log`, none when it is absent or of an earlier run."""
    if not start.precedes(log):
        return []
    try:
        with Path(log).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = (_ANSI.sub("", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line.strip()]


def _missing(logs: Sequence[str]) -> str:
    """Say why the log gave no cause."""
    if not logs:
        return " (the rule has no log)"
    if full := _full(logs[0]):
        return full
    return " (the log is empty)" if Path(logs[0]).exists() else " (no log was written)"


def _full(log: str) -> str:
    """Say that the disk of a log is full, if it is."""
    with contextlib.suppress(OSError):
        folder = next(f for f in Path(log).absolute().parents if f.is_dir())
        if shutil.disk_usage(folder).free < FULL_BYTES:
            return f" (No space left on device: {folder})"
    return ""


def _shorten(text: str) -> str:
    """Return `text` without line breaks, cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 3] + "..."
