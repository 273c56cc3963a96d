"""The config that arguments of Snakemake stand for: config.yaml, --configfile, --config."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from scripts.errors import DataError
from scripts.plan import settings

BASE = Path("config", "config.yaml")
SCHEMA = Path("config", "schema.yaml")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What Snakemake's arguments say of the config: configfile, config, workflow_profile."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    parser.add_argument("--workflow-profile", default="")
    try:
        return parser.parse_known_args(list(arguments))[0]
    except argparse.ArgumentError as error:
        raise DataError(f"{error}") from None


def configured(arguments: Sequence[str]) -> dict:
    """The completed config.

    Args:
        arguments: of snakemake.

    Raises:
        DataError: a file or a value cannot be read, or the config is not valid.
    """
    given = options(arguments)
    config = _read(BASE)
    for path in given.configfile:
        config = merged(config, _read(Path(path)))
    for pair in given.config:
        key, equals, text = pair.partition("=")
        if not equals:
            raise DataError(f"--config: got {pair}, expected key=value")
        config = merged(config, {key: _parsed(f"--config {key}", text)})
    return settings.complete(config, _read(SCHEMA))


def merged(config: Mapping, over: Mapping) -> dict:
    """`config` with what `over` sets, at any depth, as Snakemake lays one over the other."""
    result = dict(config)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def _read(path: Path) -> dict:
    try:
        content = _parsed(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    if content is not None and not isinstance(content, dict):
        raise DataError(f"{path}: got {type(content).__name__}, expected keys and values")
    return content or {}


def _parsed(place: str, text: str) -> object:
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise DataError(f"{place}: no YAML ({line})") from None
