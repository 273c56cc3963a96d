"""A function called in a process of its own, with a limit of time: what came of it."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from scripts.errors import DataError
from scripts.job import one_line

LIMIT_S = 20
DOMAINS = ("lake", "ticks", "weekly", "nfl", "book", "warehouse", "config")
WARM = ["__main__", *(f"tests.torture.read_{domain}" for domain in DOMAINS)]  # imported once


class Ended(NamedTuple):
    """How a call ended: given (value), refused (a DataError's text), crashed or hung (what)."""

    how: str
    value: Any = None
    text: str = ""


def call(function: Callable, *args: Any, limit_s: float = LIMIT_S) -> Ended:
    """Call a function of a module in a forked process, and end it at the limit.

    Args:
        function: found by its name, as its arguments and what it gives are pickled.
        *args: its arguments.
        limit_s: seconds; over, the process is killed.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in a job
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, args), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit_s):
            return Ended("hung", text=f"no end after {limit_s:g} s")
        return Ended(*ours.recv())
    except EOFError:
        process.join(LIMIT_S)
        return Ended("crashed", text=f"the process ended with {process.exitcode}")
    finally:
        ours.close()
        process.kill()
        process.join()


def _answer(pipe: Connection, function: Callable, args: Sequence[Any]) -> None:
    """What runs in the child; compiled libraries that panic talk to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    try:
        answer = ("given", function(*args), "")
    except DataError as error:
        answer = ("refused", None, one_line(error))
    except BaseException as error:  # a panic of polars is no Exception
        place = traceback.extract_tb(error.__traceback__)
        ours = [f"{f.filename.rpartition('scripts/')[2]}:{f.lineno}" for f in place]
        where = next((w for w in reversed(ours) if not w.startswith("/")), "")
        answer = ("crashed", None, f"{type(error).__name__} at {where}: {str(error)[:200]}")
    pipe.send(answer)
    pipe.close()
