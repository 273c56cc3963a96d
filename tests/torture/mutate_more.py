"""Blows on whole files by their kind: CSV, parquet, JSON, lines; and reading them plainly."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from tests.torture import mutate
from tests.torture.mutate import HOSTILE_COLUMNS, HOSTILE_NAMES, VALUES
from tests.torture.mutate_bytes import BYTES, TEXT
from tests.torture.reader import Bad, Files, Unreadable

OfFile = Callable[[Random, bytes], tuple[bytes, str]]
DEEPEST = 50  # lists and mappings in each other, of a YAML file that is read
LONGEST_CELL = 131_071  # characters, of a reader that sets no limit of its own


def of_one(
    blow: OfFile, *names: str
) -> Callable[[Random, dict[str, bytes]], tuple[dict[str, bytes], str, str]]:
    """A strike on one of the files of a reader; without names: on any."""

    def strike(rng: Random, files: dict[str, bytes]) -> tuple[dict[str, bytes], str, str]:
        name = rng.choice(sorted(names or files))
        content, what = blow(rng, files[name])
        return {**files, name: content}, what, name

    return strike


def of_csv(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A blow on a CSV with a header: on its table, or its bytes."""
    kind = rng.choice(("table", "table", "table", "bytes", "text"))
    if kind == "table":
        table = mutate.from_csv(content.decode())
        struck = rng.choice(mutate.TABLE)(rng, table)
        return mutate.to_csv(struck.table).encode("utf-8", "surrogatepass"), struck.what
    return rng.choice(BYTES if kind == "bytes" else TEXT)(rng, content)


# ---- JSON: any place of a document


def _places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from _places(part, (*path, key))


def of_json(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A blow on any place of a JSON document, or on the whole of it."""
    document = json.loads(content)
    if rng.random() < 0.3 and isinstance(document, dict):
        return mutate.of_document(rng, content)
    if rng.random() < 0.15:
        return rng.choice((*BYTES, *TEXT))(rng, content)
    path = rng.choice(list(_places(document)))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    how, mark = rng.choice(("removed", "replaced", "replaced", "renamed", "twice")), '"\x01blow"'
    told = ".".join(map(str, path))[-60:]
    if how == "removed":
        del parent[path[-1]]
    elif how == "renamed" and isinstance(parent, dict):
        parent[rng.choice(HOSTILE_COLUMNS)] = parent.pop(path[-1])
    elif how == "twice" and isinstance(parent, list):
        parent.append(parent[path[-1]])
    else:
        how = rng.choice(VALUES)
        parent[path[-1]] = json.loads(mark, strict=False)
    text = json.dumps(document).replace(json.dumps(json.loads(mark, strict=False)), how)
    return text.encode("utf-8", "surrogatepass"), f"{told} {how[:20]}"


# ---- parquet


def parquet_of(table: pa.Table) -> bytes:
    """The bytes of a parquet file."""
    pq.write_table(table, out := io.BytesIO(), compression="zstd")
    return out.getvalue()


def _cells(kind: pa.DataType) -> Sequence[Any]:
    if pa.types.is_floating(kind):
        return (None, float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 1e308, 5e-324)
    if pa.types.is_integer(kind):
        top = 2 ** (kind.bit_width - 1) - 1
        return (None, 0, -1, top, -top - 1)
    if pa.types.is_boolean(kind):
        return (None, True, False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return (None, *HOSTILE_NAMES)
    return (None,)


CASTS = (
    *(pa.string(), pa.binary(), pa.float64(), pa.float32(), pa.int64(), pa.int8(), pa.uint64()),
    *(pa.bool_(), pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.null()),
    *(pa.decimal128(20, 4), pa.dictionary(pa.int32(), pa.string()), pa.time64("us")),
)


def _cast(rng: Random, table: pa.Table, place: int) -> tuple[pa.Table, str]:
    kind = rng.choice(CASTS)
    try:
        column = table.column(place).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        column = pa.nulls(table.num_rows, kind)
    name = table.column_names[place]
    return table.set_column(place, name, column), f"{name} is {kind}"


def _cell(rng: Random, table: pa.Table, place: int) -> tuple[pa.Table, str]:
    field, row = table.schema.field(place), rng.randrange(table.num_rows)
    value = rng.choice(_cells(field.type))
    mask = pa.array([n == row for n in range(table.num_rows)])
    column = pc.if_else(mask, pa.scalar(value, field.type), table.column(place).combine_chunks())
    struck = table.set_column(place, field.name, column)
    return struck, f"{field.name} of row {row} is {str(value)[:20]!r}"


def of_parquet(rng: Random, content: bytes) -> tuple[bytes, str]:
    """A blow on a parquet file: on its cells, columns, rows, or bytes."""
    how = rng.choice(("bytes", "cell", "cell", "cell", "cast", "column", "rows"))
    if how == "bytes":
        return rng.choice(BYTES)(rng, content)
    table = pq.read_table(io.BytesIO(content))
    place = rng.randrange(table.num_columns)
    if how == "cell":
        table, what = _cell(rng, table, place)
    elif how == "cast":
        table, what = _cast(rng, table, place)
    elif how == "column":
        table, what = _column(rng, table, place)
    else:
        row = rng.randrange(table.num_rows)
        order = [*range(table.num_rows)]
        shuffled = rng.sample(order, len(order))
        gone = [n for n in order if n != row]
        kept = {"twice": [*order, row], "none": [], "shuffled": shuffled, "one gone": gone}
        what = rng.choice(sorted(kept))
        table = table.take(pa.array(kept[what], pa.int64()))
        what = f"rows: {what}"
    return parquet_of(table), what


def _column(rng: Random, table: pa.Table, place: int) -> tuple[pa.Table, str]:
    name, other = table.column_names[place], rng.choice(HOSTILE_COLUMNS)
    how = rng.choice(("dropped", "renamed", "added", "doubled", "moved", "case"))
    if how == "dropped":
        return table.drop_columns([name]), f"no column {name}"
    if how == "added":
        return table.append_column(other, table.column(place)), f"a column {other[:20]!r} more"
    if how == "doubled":
        return table.append_column(name, table.column(place)), f"two columns {name}"
    names = list(table.column_names)
    if how == "moved":
        rng.shuffle(names)
        return table.select(names), "columns moved"
    names[place] = name.upper() if how == "case" else other
    return table.rename_columns(names), f"column {name} named {names[place][:20]!r}"


# ---- lines of text


def of_lines(*tokens: str) -> OfFile:
    """A blow on a text of lines: its bytes, its lines, or a token put in."""

    def struck(rng: Random, content: bytes) -> tuple[bytes, str]:
        how = rng.choice(("bytes", "text", "line", "line", "token", "token", "token"))
        if how in ("bytes", "text"):
            return rng.choice(BYTES if how == "bytes" else TEXT)(rng, content)
        lines = content.decode().split("\n")
        place = rng.randrange(len(lines))
        if how == "token":
            token = rng.choice(tokens)
            at = rng.randrange(len(lines[place]) + 1)
            at = rng.choice((0, at, len(lines[place])))
            lines[place] = lines[place][:at] + token + lines[place][at:]
            what = f"line {place + 1}: {token[:20]!r} put in"
        else:
            what = rng.choice(("removed", "twice", "swapped", "indented", "moved"))
            line = lines.pop(place)
            to = rng.randrange(len(lines) + 1)
            put = {"removed": [], "twice": [line, line], "indented": [f"  {line}"]}
            if what in ("swapped", "moved"):
                lines.insert(to, line)
            else:
                lines[place:place] = put[what]
            what = f"line {place + 1} {what}"
        return "\n".join(lines).encode("utf-8", "surrogatepass"), what

    return struck


# ---- plain readers of the oracles


def text_of(content: bytes) -> str:
    """A text in UTF-8, without control characters."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Bad("no UTF-8") from None
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        raise Bad("a control character")
    return text


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the csv module read cells of any length: for an oracle, never for who is struck."""
    limit = csv.field_size_limit(2**30)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def csv_rows(content: bytes, columns: Sequence[str], *, odd: bool = False) -> list[dict[str, str]]:
    """The rows of a CSV, strictly: UTF-8, one header with each name once, rows of its length.

    Without `odd` no cell is longer than the csv module takes by itself, and no byte is zero.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Bad("it is no UTF-8") from None
    if "\0" in text and not odd:
        raise Bad("a zero byte")
    try:
        with long_cells():
            header, *rows = [
                row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row
            ]
    except (csv.Error, ValueError) as error:
        raise Bad(f"it is no CSV ({error})") from None
    if missing := [name for name in (*columns, *header) if header.count(name) != 1]:
        raise Bad(f"column {missing[0]} is not there once")
    if not odd and any(len(cell) > LONGEST_CELL for row in (header, *rows) for cell in row):
        raise Bad("a cell is too long")
    if short := [n for n, row in enumerate(rows) if len(row) != len(header)]:
        raise Bad(f"row {short[0] + 1} has another length than the header")
    return [dict(zip(header, row, strict=True)) for row in rows]


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which no key stands twice."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict:
    pairs = loader.construct_pairs(node, deep=True)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise yaml.YAMLError("a key stands twice")
    return found


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def yaml_of(content: bytes) -> Any:
    """The value of a YAML file in UTF-8, nested no deeper than is read."""
    depth = 0
    try:
        text = content.decode("utf-8-sig")
        for event in yaml.parse(text, _Strict):  # the loader of deeper ones ends the process
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise Bad("too deep")
        return yaml.load(text, _Strict)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Bad(f"it is no YAML ({type(error).__name__} {error})") from None


def parquet_rows(files: Files, name: str) -> tuple[pa.Schema, list[dict[str, Any]]]:
    """Schema and rows of a parquet file."""
    try:
        table = pq.read_table(io.BytesIO(files[name]))
        if len(set(table.column_names)) < table.num_columns:
            raise Bad("a column stands twice")
        return table.schema, table.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise Unreadable(f"it is no parquet ({str(error)[:60]})") from None


def keyed(rows: Sequence[Mapping[str, Any]], *names: str) -> dict[tuple, Mapping[str, Any]]:
    """Rows by their key, which must be unique."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        if key in found:
            raise Bad(f"{key} stands twice")
        found[key] = row
    return found
