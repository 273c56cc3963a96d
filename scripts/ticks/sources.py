"""Which securities a tick source holds: sheets of a workbook, files of a folder.

Used while the workflow is planned (so: standard library only), and by the job that reads.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from xml.etree import ElementTree

from scripts.content import digest
from scripts.errors import DataError

BROKEN = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, EOFError, KeyError)
SHEET_SUFFIXES = (" UH Equity", " DH Equity")
_UNSAFE = re.compile(r"[/\\{}*?]|^\.|^$")  # {x} would be a wildcard of Snakemake
_BOOLEAN = re.compile(rb"""\st=["']b["']""")  # the type of such a cell in its XML
BLOCK = 2**20  # bytes of XML looked at together
LONGEST = 100  # bytes of a security; a file's name may have 255, some more than the security's


def security_of(name: str) -> str:
    """Security of a sheet or file stem: vendor suffixes removed, upper case."""
    name = name.upper()
    for suffix in SHEET_SUFFIXES:
        name = name.replace(suffix.upper(), "")
    return name.strip()


def is_file_name(security: str) -> bool:
    """Whether a security can be part of a path, and be seen as what it is."""
    short = len(security.encode(errors="replace")) <= LONGEST
    return short and security.isprintable() and not _UNSAFE.search(security)


@contextmanager
def _opened(workbook: Path) -> Iterator[zipfile.ZipFile]:
    """Open an xlsx file; whatever is wrong with what is then read of it becomes a DataError."""
    try:
        with zipfile.ZipFile(workbook) as archive:
            yield archive
    except FileNotFoundError:
        raise DataError(f"{workbook}: no such workbook; see ticks.workbook") from None
    except PermissionError:
        raise DataError(f"{workbook}: no permission to read it") from None
    except (*BROKEN, OSError) as error:
        raise DataError(
            f"{workbook}: not a complete xlsx file ({error}); delete it if it is simulated, "
            "else export or copy it again"
        ) from None


def _sheets(archive: zipfile.ZipFile) -> list[ElementTree.Element]:
    """The entries of the sheets in a workbook's table of contents, in its order."""
    root = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return [element for element in root.iter() if element.tag.endswith("}sheet")]


def sheet_names(workbook: Path) -> list[str]:
    """Names of the sheets of an xlsx file, in its order, read from its table of contents alone.

    Raises:
        DataError: the file is missing, is not an xlsx file, or is cut short.
    """
    with _opened(workbook) as archive:
        return [sheet.get("name", "") for sheet in _sheets(archive)]


def workbook_content(workbook: Path) -> dict[str, str]:
    """Sheet name -> hash of all that decides its rows, from the checksums in the zip directory.

    Raises:
        DataError: as `sheet_names`.
    """
    with _opened(workbook) as archive:
        parts = {info.filename: (info.CRC, info.file_size) for info in archive.infolist()}
        places = _places(archive)
    common = [parts.get(f"xl/{name}.xml") for name in ("sharedStrings", "styles")]
    return {
        name: digest(repr((name, parts.get(place), common)).encode())
        for name, place in places.items()
    }


def _places(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> its part of a workbook's archive."""
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    files = {link.get("Id"): link.get("Target", "").removeprefix("/xl/") for link in links}
    places = {}
    for sheet in _sheets(archive):
        link = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), None)
        places[sheet.get("name", "")] = f"xl/{files.get(link)}"
    return places


def has_booleans(workbook: Path, sheet: str) -> bool:
    """Whether a cell of a sheet is TRUE or FALSE, which some readers take for a number.

    Raises:
        DataError: as `sheet_names`.
    """
    with _opened(workbook) as archive, archive.open(_places(archive)[sheet]) as part:
        before = b""
        while block := part.read(BLOCK):
            if _BOOLEAN.search(before + block):
                return True
            before = block[-8:]
    return False


def by_security(names: Iterable[str], source: Path) -> dict[str, str]:
    """Map each security to the one name (sheet, or file) of `source` that holds it, sorted.

    Raises:
        DataError: two names mean the same security, or a name could not be part of a path.
    """
    found: dict[str, str] = {}
    for name in names:
        stem = name[: -len(".parquet")] if name.lower().endswith(".parquet") else name
        security = security_of(stem)
        if not is_file_name(security):
            raise DataError(
                f"{source}: {name[:LONGEST]!r} gives the security {security[:LONGEST]!r}, which "
                "cannot be a file name; rename it"
            )
        if security in found:
            raise DataError(
                f"{source}: both {found[security]!r} and {name!r} hold {security}; "
                "rename or remove one"
            )
        found[security] = name
    return dict(sorted(found.items()))


def workbook_securities(workbook: Path) -> dict[str, str]:
    """Security -> sheet name of a workbook. Raises DataError as `sheet_names`, `by_security`."""
    return by_security(sheet_names(workbook), workbook)


def folder_securities(folder: Path) -> dict[str, str]:
    """Security -> name of its parquet file in `folder`.

    Raises:
        DataError: no such folder, no parquet file in it, or as `by_security`.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; see ticks.parquet_dir")
    files = (path.name for path in folder.iterdir() if path.suffix.lower() == ".parquet")
    names = sorted(name for name in files if not name.startswith("."))  # macOS leaves ._ files
    if not names:
        raise DataError(f"{folder}: holds no *.parquet file; see ticks.parquet_dir")
    return by_security(names, folder)


def pick(security: str, available: dict[str, str], source: Path) -> str:
    """The sheet or file of one security. Raises DataError, with the nearest name, when missing."""
    if security in available:
        return available[security]
    near = get_close_matches(security, available, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(available)[:8])}"
    raise DataError(f"{source}: no sheet or file for security {security}; {hint}")
