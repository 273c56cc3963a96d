"""What kernels and programs are given of the environment, and what they say, without colours."""

from __future__ import annotations

import re
from collections.abc import Mapping

ALWAYS = r"PATH|HOME|TMPDIR|LANG|LC_\w+|TZ"
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def passed(environment: Mapping[str, str], more: str) -> dict[str, str]:
    """The few variables that a program gets; credentials are not among them.

    Args:
        environment: variables of this process.
        more: pattern of names that it gets beside those that every program gets.
    """
    names = re.compile(f"{ALWAYS}|{more}")
    return {name: value for name, value in environment.items() if names.fullmatch(name)}


def uncoloured(text: str) -> str:
    """What a terminal would show, without its escape sequences."""
    return ESCAPES.sub("", text)
