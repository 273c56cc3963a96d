"""What `make nightly` says of a night that was not good: one text for a mail, short and narrow."""

import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.control.refused import Growth
from scripts.control.screen import count, seconds

WIDTH, LINES = 100, 60
MOST_FAILED, MOST_WAITED, MOST_GROWN, MOST_SAID = 30, 5, 6, 10  # lines
FAILED = "What failed:"
WAITED = ("What waited for it:", "Not run:")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Step:
    """One command of the night."""

    name: str
    command: Sequence[str]
    status: int
    said: str  # all that it printed


@dataclass(frozen=True)
class Night:
    """What is to be told."""

    run: str
    started: str
    seconds: float
    status: int
    steps: list[Step]
    log: Path
    page: str  # where the report is, or why it is not there
    stopped: str = ""  # by what
    grown: list[Growth] = field(default_factory=list)
    since: str = ""  # when the refused rows were counted that they are held against


def summary(night: Night) -> str:
    """The whole text, LINES lines of WIDTH columns at most; the first can be the subject."""
    failed = [step for step in night.steps if step.status]
    stopped = f", stopped by {night.stopped}" if night.stopped else ""
    head = (
        f"Night of {night.started}: run {night.run} FAILED{stopped} "
        f"(exit status {night.status}, {seconds(night.seconds)})"
    )
    lines = [*_wrapped([head], 2)]
    for step in failed:
        lines += ["", *_of(step)]
    if not failed:
        lines += ["", "What was begun ended well; the rest was not begun."]
    if night.grown:
        told = _cut(_wrapped(f"  {one}" for one in night.grown), MOST_GROWN)
        lines += ["", f"Refused rows grew since {night.since}:", *told]
    to_mend = [step for step in failed if step.name != "report"] or failed or night.steps
    command = to_mend[-1].command  # of two, the build: it needs what the other one would tell
    tail = [
        *("", "Run again:", *command_lines(command)),
        *_wrapped([f"Report:      {night.page}", f"Full output: {night.log}"]),
    ]
    room = LINES - len(tail)
    return "\n".join([*_cut(lines, room), *tail]) + "\n"


def command_lines(words: Sequence[str]) -> list[str]:
    """A command that can be copied, on lines that end with a backslash where it goes on."""
    lines: list[str] = []
    for word in map(shlex.quote, words):
        if len(word) > WIDTH - 4:
            return ["  the command stands in the full output"]
        if lines and len(lines[-1]) + len(word) + 3 <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{'    ' if lines else '  '}{word}")
    return [*(f"{line} \\" for line in lines[:-1]), *lines[-1:]]


def _of(step: Step) -> list[str]:
    """What a step that failed said: the logger plugin's last words, else its last lines."""
    lines = [_ANSI.sub("", line).rstrip() for line in step.said.splitlines()]
    lines = [line for line in lines if line.strip()]
    starts = [i for i, line in enumerate(lines) if line == FAILED]
    if not starts:
        head = f"{step.name}: exit status {step.status}; it said last:"
        return [head, *_wrapped((f"  {line}" for line in lines[-MOST_SAID:]), MOST_SAID)]
    last = lines[starts[-1] + 1 :]
    waited = [line for line in last if line.startswith(WAITED)]
    failed = [line for line in last if line not in waited]
    return [
        f"What failed ({step.name}):",
        *_cut(_wrapped(failed), MOST_FAILED),
        *_wrapped(waited, MOST_WAITED),
    ]


def _wrapped(lines: Iterable[str], most: int | None = None) -> list[str]:
    """Lines of at most WIDTH columns; of each at most `most`."""
    found: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        parts = textwrap.wrap(
            line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
        ) or [""]
        if most is not None and len(parts) > most:
            parts = [*parts[: most - 1], f"{indent}..."]
        found += parts
    return found


def _cut(lines: Sequence[str], most: int) -> list[str]:
    """At most `most` lines, and how many there are more."""
    if len(lines) <= most:
        return list(lines)
    left = len(lines) - most + 1
    return [*lines[: most - 1], f"  and {count(left, 'line')} more in the full output"]
