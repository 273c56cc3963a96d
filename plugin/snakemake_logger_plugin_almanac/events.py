"""The run's history: one JSON object per line, for the report page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


class EventFile:
    """Appends events to a file, keeping them back till it is opened.

    A history is not worth a run: the first error of the disk ends the writing and is kept.
    """

    def __init__(self) -> None:
        """Begin closed."""
        self.error: OSError | None = None
        self._kept: list[str] = []
        self._file: TextIO | None = None

    @property
    def is_open(self) -> bool:
        """True from `open` to `close`, be it that the disk refused."""
        return self._file is not None or self.error is not None

    def add(self, seconds: float, event: str, fields: dict[str, Any]) -> None:
        """Append one event that happened at `seconds`."""
        entry = {"time": timestamp(seconds), "event": event, **fields}
        self._kept.append(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        if self.is_open:
            self._guard(self._write)

    def open(self, path: Path) -> None:
        """Write to `path` from now on, first what was kept back."""

        def begin() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
            self._write()

        self._guard(begin)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._file is not None:
            self._guard(self._file.close)
            self._file = None

    def _write(self) -> None:
        """Write what was kept back; at once, a kill -9 may come any time."""
        if self._file is not None and self.error is None:
            self._file.write("".join(self._kept))
            self._file.flush()
        self._kept.clear()

    def _guard(self, action: Callable[[], None]) -> None:
        """Do `action`, keeping the first error."""
        try:
            action()
        except OSError as error:
            self.error = self.error or error
