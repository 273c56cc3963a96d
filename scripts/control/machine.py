"""What the machine gives: cores, memory, disk, clock, a folder that can be written to."""

import math
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil

GROUPS = Path("/proc/self/cgroup")
GROUPS_ROOT = Path("/sys/fs/cgroup")
SAFE = re.compile(r"[\w@%+=:,./-]+")  # as rules/common.smk has it


def cores(groups: Path = GROUPS, root: Path = GROUPS_ROOT) -> float:
    """Cores that this process may use: affinity, and the quota of its control group."""
    able = hasattr(os, "sched_getaffinity")
    most = float(len(os.sched_getaffinity(0)) if able else os.cpu_count() or 1)
    for folder in _folders(groups, root, "cpu"):
        quota, period = _text(folder / "cpu.max").split() or ["max"], None
        if len(quota) == 2:
            quota, period = quota
        else:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            most = min(most, int(quota) / int(period))
    return most


def memory_mb(groups: Path = GROUPS, root: Path = GROUPS_ROOT) -> float:
    """Memory that this process may use, in MB: the machine's, and its control group's limit."""
    most = float(psutil.virtual_memory().total)
    for folder in _folders(groups, root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _text(folder / name)
            if text.isdecimal():
                most = min(most, float(text))
    return most / 1e6


def free_mb(folder: Path) -> float:
    """Free disk where `folder` is, or would be made, in MB."""
    return psutil.disk_usage(str(standing(folder))).free / 1e6


def held_mb(folder: Path, within_s: float) -> float | None:
    """Size of all files below `folder` in MB; None: there is none, or counting takes too long."""
    end, total = time.monotonic() + within_s, 0
    if not folder.is_dir():
        return None
    for place, _, names in os.walk(folder):
        if time.monotonic() > end:
            return None
        total += sum(_size(os.path.join(place, name)) for name in names)  # noqa: PTH118
    return total / 1e6


def why_not_writable(folder: Path) -> str:
    """Why no file can be made where `folder` is, or would be made; empty: it can."""
    try:
        with tempfile.TemporaryFile(dir=standing(folder)) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def special(path: str) -> str:
    """The characters of a path that Snakemake cannot start jobs with."""
    return "".join(sorted({char for char in path if not SAFE.fullmatch(char)}))


def clock_behind_s(newest: Path | None, now: float) -> float:
    """Seconds that the clock is behind the newest recorded run; 0: it is not."""
    try:
        return max(0.0, newest.stat().st_mtime - now) if newest else 0.0
    except OSError:
        return 0.0


def clock(now: float) -> str:
    """The time with its zone."""
    return datetime.fromtimestamp(now).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def cards() -> int:
    """Cards of NVIDIA that this system knows."""
    return len([p for p in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", p.name)])


def standing(folder: Path) -> Path:
    """`folder`, or the nearest above it that is there."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def size(mb: float) -> str:
    """12 MB, 3.4 GB."""
    if mb < 1000:
        return f"{math.ceil(mb)} MB"
    return f"{mb / 1000:,.1f} GB"


def _folders(groups: Path, root: Path, controller: str) -> Iterator[Path]:
    """Folders of the control groups that limit this process: its own and all above it."""
    if sys.platform != "linux":
        return
    for line in _text(groups).splitlines():
        number, names, path = line.split(":", 2)
        if number == "0" and not names:
            top = root
        elif controller in names.split(","):
            top = root / controller
        else:
            continue
        own = top / path.lstrip("/")
        yield from (f for f in (own, *own.parents) if f == top or top in f.parents)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
