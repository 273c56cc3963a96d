"""Plan of the tick domain: which securities, which variants, which parameters for each run.

Standard library only: Snakemake imports this while it parses the workflow.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from scripts.content import file_content
from scripts.errors import DataError
from scripts.plan.fingerprint import literal
from scripts.plan.parameters import EXCHANGES, RANGES, wrong_value
from scripts.ticks.sources import folder_securities, pick, workbook_content, workbook_securities

STRATEGIES = Path("scripts/ticks/strategies")
ANY = "*"  # row of the securities table for every security without one of its own
LONGEST = 60  # letters of a strategy's name
NAME = re.compile(r"[a-z][a-z0-9_]*")
PAIR = re.compile(r"([a-z0-9_]+)=([A-Za-z0-9_.+-]+)")
TEXT_COLUMNS = ("security", "exchange", "peer_exchange")
NUMBER_COLUMNS = sorted(set(RANGES) - {"fee_bps", "latency_ticks"})


def shortest(value: object) -> str:
    """A parameter's value as it stands in a variant's name: 5, 1.5, false, none, DFM."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def parse_value(text: str) -> object:
    """Value of a parameter from its text: none, true, false, an exchange, or a finite number.

    Raises:
        ValueError: none of these.
    """
    words = {"none": None, "true": True, "false": False, **{name: name for name in EXCHANGES}}
    if text in words:
        return words[text]
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def parse_variant(variant: str) -> dict[str, object]:
    """Parameters of a variant's name: `base`, or `key=value` pairs in key order joined by `,`.

    Raises:
        DataError: not of that form, not in key order, or a number not in its shortest form.
    """
    if variant == "base":
        return {}
    pairs = {}
    for part in variant.split(","):
        found = PAIR.fullmatch(part)
        if not found:
            raise DataError(f"variant {variant!r}: {part!r} is not key=value")
        try:
            pairs[found[1]] = parse_value(found[2])
        except ValueError:
            expected = f"a number, true, false, none, {' or '.join(EXCHANGES)}"
            raise DataError(f"variant {variant!r}: {found[2]!r} is not {expected}") from None
    canonical = ",".join(f"{key}={shortest(value)}" for key, value in sorted(pairs.items()))
    if canonical != variant:
        raise DataError(f"variant {variant!r} is written {canonical!r}: ask for that path")
    return pairs


def variant_name(**parameters: object) -> str:
    """Name of the variant that sets `parameters`."""
    return ",".join(f"{k}={shortest(v)}" for k, v in sorted(parameters.items())) or "base"


def read_table(
    path: Path, columns: Iterable[str] = (*TEXT_COLUMNS, *NUMBER_COLUMNS)
) -> dict[str, dict[str, object]]:
    """The securities table: security -> column -> value; an empty cell is left out.

    Raises:
        DataError: naming file, line, column and value; a column that is not in `columns`.
    """
    rows: dict[str, dict[str, object]] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")  # Excel puts a mark at the beginning
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise DataError(f"{path}: cannot read the securities table ({reason})") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        known, names, given = set(columns), reader.fieldnames or (), [*_numbered(reader)]
    except csv.Error as error:
        raise DataError(f"{path}, after line {reader.line_num}: {error}; correct it") from None
    if double := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{path}, line 1: column {double[0]!r} stands twice")
    if "security" not in names:
        raise DataError(f"{path}, line 1: no column security; write it first in the header")
    for column in names:
        if column not in known:
            near = get_close_matches(str(column), known, n=1)
            fix = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise DataError(f"{path}, line 1: unknown column {column!r}; {fix}")
    for line, row in given:
        if None in row or None in row.values():
            raise DataError(f"{path}, line {line}: has not as many cells as the header")
        cells = {c: _cell(path, line, c, v.strip()) for c, v in row.items() if v.strip()}
        security = str(cells.pop("security", ""))
        if not security or security in rows:
            raise DataError(f"{path}, line {line}: security {security!r} is empty or stands twice")
        rows[security] = cells
    return rows


def _numbered(reader: csv.DictReader) -> Iterator[tuple[int, dict]]:
    """Rows, each with the line it ends on."""
    for row in reader:
        yield reader.line_num, row


def _cell(path: Path, line: int, column: str, text: str) -> object:
    place = f"{path}, line {line}, {column} {text!r}"
    if column in ("exchange", "peer_exchange") and text not in EXCHANGES:
        raise DataError(f"{place}: unknown exchange, expected {' or '.join(EXCHANGES)}")
    if column in TEXT_COLUMNS:
        return text.upper()
    try:
        value = parse_value(text)
    except ValueError:
        value = None
    if problem := wrong_value(column, value) or (value is None and "a number"):
        raise DataError(f"{place}: expected {problem}")
    return value


def check_value(place: str, name: str, value: object, switches: Iterable[str] = ()) -> None:
    """Raise DataError when a parameter has a value it cannot have; unknown names pass."""
    wrong = wrong_value(name, value)
    if name in switches and not isinstance(value, bool):
        wrong = "true or false"
    if wrong:
        raise DataError(f"{place}: {name} is {shortest(value)}, expected {wrong}")


@dataclass(frozen=True)
class TickPlan:
    """The tick section of the config, turned into securities, runs and parameters.

    Args:
        config: the completed `ticks` section.
        root: folder of the project.
    """

    config: Mapping
    root: Path
    _modules: dict[str, tuple[tuple, tuple, tuple]] = field(default_factory=dict)
    _contents: dict[str, str] = field(default_factory=dict)  # of files: each is read once a plan

    def __post_init__(self) -> None:
        if self.config["workbook"] and self.config["parquet_dir"]:
            raise DataError("config: ticks.workbook and ticks.parquet_dir are both set; keep one")
        for section in ("strategies", "sweeps"):
            for strategy in self.config[section]:
                try:
                    self.declared(strategy)
                except DataError as error:
                    raise DataError(f"config: ticks.{section}: {error}") from None
        for strategy, parameters in self.config["strategies"].items():
            place = f"config: ticks.strategies.{strategy}"
            self._check_names(place, strategy, parameters)
            for name, value in parameters.items():
                if name not in self.declared(strategy)[0]:
                    raise DataError(f"{place}: {name} belongs to ticks.realistic, or to a variant")
                check_value(f"{place}.{name}", name, value)
        for strategy, parameters in self.config["sweeps"].items():
            place = f"config: ticks.sweeps.{strategy}"
            self._check_names(place, strategy, parameters)
            for name, value in ((n, v) for n, values in parameters.items() for v in values):
                check_value(f"{place}.{name}", name, value)

    @property
    def simulated(self) -> bool:
        """Whether the events come from the simulator."""
        return not (self.config["workbook"] or self.config["parquet_dir"])

    @cached_property
    def table(self) -> dict[str, dict[str, object]]:
        """The securities table, see `read_table`."""
        declared = {name for s in self.config["strategies"] for name in self.declared(s)[0]}
        columns = {*TEXT_COLUMNS, *NUMBER_COLUMNS, *declared}
        return read_table(Path(self.config["securities_table"]), columns)

    @property
    def _place(self) -> Path:
        """Where the events come from."""
        return Path(self.config["workbook"] or self.config["parquet_dir"] or "ticks.simulator")

    @cached_property
    def available(self) -> dict[str, str]:
        """Security -> sheet or file that holds it."""
        if self.config["workbook"]:
            return workbook_securities(self._place)
        if self.config["parquet_dir"]:
            return folder_securities(self._place)
        return {s: s for s in sorted(self.config["simulator"]["prices"])}

    @cached_property
    def securities(self) -> list[str]:
        """The securities to run, sorted: all, or those of `ticks.securities`, at most so many.

        Raises:
            DataError: one is not in the source, or lacks its exchange where that is needed.
        """
        wanted = sorted({s.upper() for s in self.config["securities"]}) or list(self.available)
        for security in wanted:
            pick(security, self.available, self._place)
        chosen = wanted[: self.config["max_securities"]]
        if "realistic" in self.config["modes"]:
            for security in chosen:
                self.cells(security, "realistic")
        return chosen

    def known(self, wildcard: str, value: str) -> None:
        """Raise DataError when a path asks for a security that is not run."""
        if wildcard == "security" and value not in self.securities:
            raise DataError(f"security {value} is not run; there are {', '.join(self.securities)}")

    def swept(self, strategy: str) -> list[str]:
        """Parameters that config sweeps for a strategy, sorted. Raises DataError: none."""
        parameters = sorted(self.config["sweeps"].get(strategy, {}))
        if not parameters:
            raise DataError(f"config: ticks.sweeps has nothing for {strategy}")
        return parameters

    def source(self, security: str, simulated_workbook: str) -> str:
        """The file that holds a security: workbook, parquet file, or the simulator's workbook.

        Raises:
            DataError: the source has no such security.
        """
        name = pick(security, self.available, self._place)
        if self.config["parquet_dir"]:
            return str(self._place / name)
        return self.config["workbook"] or simulated_workbook

    def content(self, security: str) -> str | None:
        """Hash of a security's rows in the source; None for the simulator's, which a rule makes.

        A file that is put in the place of another may well be older than what was made of it.
        """
        if self.simulated:
            return None
        if self.config["workbook"]:
            return self._sheets[pick(security, self.available, self._place)]
        if security not in self._contents:
            self._contents[security] = file_content(Path(self.source(security, "")))
        return self._contents[security]

    @cached_property
    def _sheets(self) -> dict[str, str]:
        return workbook_content(self._place)

    def cells(self, security: str, mode: str) -> dict[str, object]:
        """The table's cells for a security; parity takes the peer's defaults for an unknown one.

        Raises:
            DataError: the realistic mode, and no row, or one without an exchange.
        """
        cells = self.table.get(security, self.table.get(ANY, {}))
        if mode == "realistic" and (security not in self.table or "exchange" not in cells):
            raise DataError(
                f"{self.config['securities_table']}: no exchange for security {security}; add its "
                "row, name the securities you want in ticks.securities, or run with "
                "ticks.modes: [parity], which takes the peer's defaults"
            )
        return cells

    def declared(self, strategy: str) -> tuple[tuple[str, ...], ...]:
        """(PARAMETERS, FIXES, COSTS) of a strategy's module, read without importing it.

        Raises:
            DataError: no such module, or one that does not declare them.
        """
        if strategy not in self._modules:
            if not NAME.fullmatch(strategy) or len(strategy) > LONGEST:
                raise DataError(
                    f"strategy {strategy[:LONGEST]!r}: a name is lower case letters, digits and _, "
                    f"at most {LONGEST}"
                )
            path = self.root / STRATEGIES / f"{strategy}.py"
            if not path.is_file():
                known = sorted(p.stem for p in path.parent.glob("*.py") if p.stem != "__init__")
                near = get_close_matches(strategy, known, n=1)
                fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise DataError(f"no strategy {strategy}: {path} is missing; {fix}")
            try:
                names = tuple(literal(path, n) for n in ("PARAMETERS", "FIXES", "COSTS"))
            except LookupError as error:
                raise DataError(f"{error.args[0]}: a tuple of names is needed") from None
            self._modules[strategy] = names
        return self._modules[strategy]

    def _check_names(self, place: str, strategy: str, names: Mapping) -> None:
        known = [name for names in self.declared(strategy) for name in names]
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                fix = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
                raise DataError(f"{place}: {strategy} has no parameter {name}; {fix}")

    def parameters(self, mode: str, strategy: str, variant: str, security: str) -> dict:
        """All parameters and switches of one run, by name: variant over table over config.

        Raises:
            DataError: the variant's name or a parameter in it is wrong, or one is missing.
        """
        names, fixes, costs = self.declared(strategy)
        changes = parse_variant(variant)
        self._check_names(f"variant {variant}", strategy, changes)
        for name, value in changes.items():
            check_value(f"variant {variant}", name, value, switches=fixes)
        switches = self.config["realistic"] if mode == "realistic" else {}
        cells = self.cells(security, mode)
        values = {name: None for name in names if name in ("max_notional", "order_notional")}
        values |= {name: switches.get(name, False) for name in fixes}
        values |= {name: switches.get(name, 0) for name in costs}
        values |= self.config["strategies"].get(strategy, {})
        values |= {name: cell for name, cell in cells.items() if name in names}
        values |= changes
        optional = {"quote_size_bid", "quote_size_ask"}
        if not values.get("true_exchange"):
            optional.add("exchange")
        if missing := sorted(set(names) - set(values) - optional):
            raise DataError(
                f"{strategy} on {security}: no value for {', '.join(missing)}; set it in "
                f"ticks.strategies.{strategy} or in {self.config['securities_table']}"
            )
        return dict(sorted(values.items()))

    def sweep_variants(self, strategy: str, parameter: str) -> Iterator[tuple[str, str]]:
        """(mode, variant) of a sweep, in order. The sweep `fixes` switches one fix at a time.

        Raises:
            DataError: config has no such sweep.
        """
        if parameter == "fixes":
            fixes = [fix for fix in self.declared(strategy)[1] if self._can_switch(fix)]
            for mode in self.config["modes"]:
                yield mode, "base"
                yield from ((mode, variant_name(**{fix: mode == "parity"})) for fix in fixes)
            return
        values = self.config["sweeps"].get(strategy, {}).get(parameter)
        if values is None:
            raise DataError(f"config: ticks.sweeps.{strategy} has no values for {parameter}")
        for mode in self.config["modes"]:
            for value in sorted(values, key=lambda v: (not isinstance(v, int | float), v or 0)):
                yield mode, variant_name(**{parameter: value})

    def _can_switch(self, fix: str) -> bool:
        """Whether a fix can be had for every security: an unknown one has no true exchange."""
        every = (self.cells(security, "parity") for security in self.securities)
        return fix != "true_exchange" or all("exchange" in cells for cells in every)

    def runs(self, strategy: str, parameter: str, security: str) -> list[dict]:
        """The runs of one sweep job: {mode, variant, parameters} each."""
        return [
            {"mode": m, "variant": v, "parameters": self.parameters(m, strategy, v, security)}
            for m, v in self.sweep_variants(strategy, parameter)
        ]

    def simulator_securities(self) -> list[dict]:
        """What the simulator is to write: name, exchange, price (first), size (typical) each."""
        return [
            {
                "name": name,
                "exchange": self.cells(name, "realistic")["exchange"],
                "price": price,
                "size": self.cells(name, "realistic")["quote_size"],
            }
            for name, price in sorted(self.config["simulator"]["prices"].items())
        ]
