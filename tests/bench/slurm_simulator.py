#!/usr/bin/env -S python3 -I -S
"""A simulated Slurm: sbatch, sacct, squeue, scontrol, sinfo, scancel, by the name it is called.

Notes each call in $SIMULATED_SLURM/calls.jsonl. A job is done $SIMULATED_JOB_S after it was
submitted; its cells' files are made at submission, and nothing is run. As in Slurm, the last task
of an array bears the array's own raw id.
"""

# No pathlib: it would slow the start, and each call is a start.
# ruff: noqa: PTH103, PTH110, PTH119, PTH120, PTH123
import base64
import fcntl
import json
import os
import re
import sys
import time
import zlib

NOW = time.time()
STATE = os.environ["SIMULATED_SLURM"]
JOB_S = float(os.environ["SIMULATED_JOB_S"])
LINE = " ".join(sys.argv[1:])


def append(name, text):
    """Append a line to a file of the simulator's, one writer at a time; returns its length."""
    with open(f"{STATE}/{name}", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(text + "\n")
        return file.tell()


def next_id(count):
    """First of `count` new ids."""
    with open(f"{STATE}/last", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = int(file.read() or 0)
        file.truncate(0)
        file.write(str(last + count))
    return last + 1


def make(cells):
    """The output and the benchmark of cells."""
    for cell in cells:
        for path in (f"out/{cell}.txt", f"benchmarks/cell/{cell}.tsv"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write("")


def sbatch():
    """Take a job, or an array of them."""
    script = sys.stdin.read() if "/dev/stdin" in sys.argv else ""
    text = LINE + "\n" + script
    array = re.search(r"--array=(\d+)-(\d+)", LINE)
    execs = re.search(r"--slurm-jobstep-array-execs[= ]'?([A-Za-z0-9+/=]+)", text)
    cells = re.findall(r"cell:n=(\d+)", text)
    if execs:
        packed = json.loads(base64.b64decode(execs[1])).values()
        for command in packed:
            cells += re.findall(r"cell:n=(\d+)", zlib.decompress(bytes.fromhex(command)).decode())
    make(set(cells))
    tasks = int(array[2]) - int(array[1]) + 1 if array else 1
    first = next_id(tasks)
    append("jobs", f"{first} {tasks} {NOW}")
    print(first)
    return {
        "tasks": tasks,
        "cells": len(set(cells)),
        "bytes": len(text),
        "line": LINE[:1500],
        "option_alone": "--slurm-jobstep-array-execs" in script.splitlines(),
    }


def status():
    """Raw ids and states of all jobs."""
    rows = []
    if os.path.exists(f"{STATE}/jobs"):
        with open(f"{STATE}/jobs") as file:
            for line in file:
                first, tasks, since = line.split()
                state = "COMPLETED" if NOW - float(since) > JOB_S else "RUNNING"
                rows += [f"{int(first) + task}|{state}" for task in range(int(tasks))]
    print("\n".join(rows))
    return {"rows": len(rows)}


def show():
    """What the plugin reads of the configuration."""
    print("MaxArraySize            = 1001\nMinJobAge               = 300 sec")
    return {}


def other():
    """Nothing to say."""
    return {}


program = os.path.basename(sys.argv[0])
calls = {"sbatch": sbatch, "sacct": status, "squeue": status, "scontrol": show}
note = calls.get(program, other)()
append("calls.jsonl", json.dumps({"time": NOW, "program": program, **note}))
