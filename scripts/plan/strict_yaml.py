"""YAML in which a key that stands twice is an error, not the last of the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.errors import DataError

_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast

DEEPEST = 50


class _Loader(_FAST):
    """The safe loader, with mappings checked."""


def _mapping(loader: Any, node: yaml.MappingNode) -> Any:
    """A mapping, made in two steps, as the safe loader does it: it may hold itself."""
    seen = set()
    for key, _ in node.value:  # what << merges may stand there again
        if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key.value} stands twice", problem_mark=key.start_mark
            )
        if isinstance(key, yaml.ScalarNode):
            seen.add((key.tag, key.value))
    yield from _FAST.construct_yaml_map(loader, node)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _check_depth(text: str) -> None:
    """Refuse what is nested so deep that the loader would end the process."""
    depth = 0
    for event in yaml.parse(text, _FAST):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"deeper than {DEEPEST}", problem_mark=event.start_mark
            )


def load(text: str) -> Any:
    """The value of a YAML text.

    Raises:
        yaml.YAMLError: it is none, too deep, or a key of a mapping stands twice.
    """
    try:
        _check_depth(text)
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise
    except (ValueError, RecursionError, TypeError, AttributeError, OverflowError) as error:
        # 2025-02-30, a list as a key, [[[[...
        raise yaml.YAMLError(" ".join(str(error).split())[:100]) from None


def read(path: Path) -> Any:
    """The value of a YAML file.

    Raises:
        DataError: it cannot be read, or as `load`; it names the line.
    """
    try:
        return load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        why = " ".join(filter(None, (error.context, error.problem)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        place, why = str(path), " ".join(str(error).split())
    raise DataError(f"{place}: cannot be read ({why})")
