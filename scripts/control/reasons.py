"""Snakemake's reasons for a job, read back: of its own, or because of another job."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

FOLLOWS = "follows"
OTHER_INPUTS = "other input files"
MOST_CHANGES = 3
MOST_CHARS = 40
HASHED = "code or config changed, by its hash"
NOTHING = "<nothing exclusive>"
# Snakemake 9.27, jobs.py, class Reason: how each part begins -> what we call it.
PARTS = {
    "Forced execution": "forced",
    "Rules with neither input nor output files are always executed.": "always run",
    "Rules with a run or shell declaration but no output are always executed.": "always run",
    "Missing output files: ": "missing output",
    "Incomplete output files: ": "incomplete output",
    "Updated input files: ": "input changed",
    "Input files updated by another job: ": FOLLOWS,
    "Output file is a pipe and has to be filled for consuming job.": FOLLOWS,
    "Job provides a service which has to be kept active until all consumers are finished.": FOLLOWS,
    "Set of input files has changed since last execution": OTHER_INPUTS,
    "Code has changed since last execution": "code changed",
    "Params have changed since last execution: ": "params changed",
    "Software environment definition has changed since last execution": "software environment",
}
_BEGIN = re.compile(rf"(?:^|; )({'|'.join(map(re.escape, PARTS))})")
_PARAMS = re.compile(r"(?s).*across all output: before: (.*) now: (.*?) ?")
_HASH = re.compile(r"\b[0-9a-f]{16}\b")  # of code, of a section of the config


@dataclass(frozen=True)
class Cause:
    """Why a job runs, of its own: what kind, and which files or values."""

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


def parts(reason: str) -> dict[str, str]:
    """{kind: what follows it} of a reason, in its order.

    Names of files and values of params may hold what separates the parts; what begins a part they
    do not.
    """
    found = list(_BEGIN.finditer(reason))
    ends = [*(match.start() for match in found), len(reason)][1:]
    return {
        PARTS[match[1]]: reason[match.end() : end]
        for match, end in zip(found, ends, strict=True)
        if PARTS[match[1]] != "input changed" or match.end() < end
    }


def own_cause(reason: str, code: str | None = None) -> Cause | None:
    """The cause of a job that is not merely another job's; None: it only follows.

    Args:
        reason: as Snakemake gives it.
        code: fingerprint of the rule's script as it is now; None: unknown.
    """
    told = parts(reason)
    for kind in PARTS.values():
        if kind not in told or kind == FOLLOWS:
            continue
        if kind == OTHER_INPUTS and FOLLOWS in told:
            continue  # one more input, that another job makes: it follows
        if kind == "params changed":
            return params_cause(told[kind], code)
        named = kind == "input changed"
        return Cause(kind, shortened(told[kind].split(", ")) if named else "")
    return None if FOLLOWS in told else Cause("asked for")


def params_cause(text: str, code: str | None) -> Cause:
    """What of the params has changed: the code's fingerprint among them, or values.

    Args:
        text: what Snakemake tells: all values that only one of both has, without their names.
        code: fingerprint of the rule's script as it is now; None: unknown.
    """
    match = _PARAMS.fullmatch(text)
    old, new = (values(part) for part in match.groups()) if match else ([], [])
    if code is not None and code in new:
        hashes = [value for value in old if _is_hash(value)]
        new.remove(code)
        if len(hashes) == 1:
            old.remove(hashes[0])
        kind = "code of the script changed"
        return Cause(kind + (", and params" if old or new else ""), changes(old, new))
    told = changes(old, new)
    return Cause("params changed", told) if told != HASHED else Cause(HASHED)


def values(text: str) -> list[object]:
    """The values in Snakemake's list of them; what is no literal stays text."""
    if text.strip() == NOTHING:
        return []
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [text.strip()]


def changes(old: list[object], new: list[object]) -> str:
    """`name: 1 -> 2` of all that differs; the nearest values are held against each other."""
    told: list[str] = []
    left = list(new)
    for value in old:
        if partner := _nearest(value, left):
            left.remove(partner[0])
            told += _differences(value, partner[0], "")
        else:
            told.append(f"{_short(value)} -> none")
    told += [f"none -> {_short(value)}" for value in left]
    return shortened(sorted(dict.fromkeys(told)))


def shortened(items: list[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(items) - MOST_CHANGES} more" if len(items) > MOST_CHANGES else ""
    return ", ".join(items[:MOST_CHANGES]) + more


def _nearest(value: object, others: list[object]) -> tuple[object] | None:
    """The other value of the same type that differs least, in a tuple: it may be None."""
    alike = [other for other in others if type(other) is type(value)]
    if not alike:
        single = len(others) == 1 and not isinstance(value, dict | list | tuple)
        return (others[0],) if single and not isinstance(others[0], dict | list | tuple) else None

    def distance(other: object) -> tuple[bool, int]:
        return _unhashed(value) != _unhashed(other), len(list(_differences(value, other, "")))

    return (min(alike, key=distance),)


def _differences(old: object, new: object, name: str) -> Iterator[str]:
    """Leaves that differ, by their innermost name."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key not in old:
                yield f"{key}: none -> {_short(new[key])}"
            elif key not in new:
                yield f"{key}: {_short(old[key])} -> none"
            else:
                yield from _differences(old[key], new[key], str(key))
    elif _are_lists(old, new) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other, name)
    elif _are_lists(old, new):
        gone, come = [x for x in old if x not in new], [x for x in new if x not in old]
        yield f"{name + ': ' if name else ''}{_short(gone)} -> {_short(come)}"
    elif old != new and isinstance(old, str) and _unhashed(old) == _unhashed(new):
        yield HASHED
    elif old != new or type(old) is not type(new):
        yield f"{name + ': ' if name else ''}{_short(old)} -> {_short(new)}"


def _are_lists(old: object, new: object) -> bool:
    return isinstance(old, list | tuple) and isinstance(new, list | tuple)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and bool(_HASH.fullmatch(value))


def _unhashed(value: object) -> object:
    """A text without the hashes in it: of the name of a file, too."""
    return _HASH.sub("#", value) if isinstance(value, str) else value


def _short(value: object) -> str:
    text = value if isinstance(value, str) and value else repr(value)
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 3] + "..."
