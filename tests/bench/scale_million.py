"""What a million jobs would cost: straight lines (scheduling: a curve) through measured figures."""

from __future__ import annotations

Row = dict[str, object]
MILLION = 1_000_000
MIB = 2**20
BLOCK = 4096  # a file takes at least this on disk; measured of the metadata files


def line(low: Row, high: Row, what: str, at: int) -> float:
    """Value at `at` jobs on the line through two measurements."""
    slope = (high[what] - low[what]) / (high["jobs"] - low["jobs"])
    return low[what] + slope * (at - low["jobs"])


def curve(low: Row, high: Row, start_s: float, at: int) -> float:
    """CPU seconds at `at` jobs if a job costs a + b x jobs: each choice looks at all that wait."""
    each = [(row["own_cpu_s"] - start_s) / row["jobs"] for row in (low, high)]
    slope = (each[1] - each[0]) / (high["jobs"] - low["jobs"])
    return start_s + at * (each[0] + slope * (at - low["jobs"]))


def of(rows: list[Row], **wanted: object) -> list[Row]:
    """Rows that match, by number of jobs."""
    match = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return sorted(match, key=lambda row: row["jobs"])


def rows(figures: dict[str, dict]) -> list[list[str]]:
    """What, at 20,000 jobs, at a million, and from which figures it is computed."""
    plans = of(figures["plan"]["rows"], state="nothing there")
    done = [row for row in figures["plan"]["rows"] if "files" in row]
    runs = of(figures["run"]["rows"], backend="file")
    kinds = {row["kind"]: row for row in figures["slurm"]["rows"] if row["jobs"] >= 5000}
    low, high = runs[1], runs[-1]
    files = done[-1]["files"] / done[-1]["jobs"]
    start = runs[0]["done_cpu_s"]

    def both(value, form: str) -> list[str]:
        return [form.format(value(at)) for at in (20_000, MILLION)]

    def hours(value, unit: float = 3600) -> list[str]:
        return [f"{value(20_000) / 60:,.1f} min", f"{value(MILLION) / unit:,.1f} h"]

    out = [
        ["plan, memory", *both(lambda n: line(plans[0], plans[-1], "peak_mib", n), "{:,.0f} MiB")],
        ["plan, CPU", *hours(lambda n: line(plans[0], plans[-1], "cpu_s", n))],
        ["scheduling of a flat run, CPU", *hours(lambda n: curve(low, high, start, n))],
        ["output files, and as many of metadata", *both(lambda n: files * n, "{:,.0f}")],
        ["disk blocks of the metadata", *both(lambda n: files * n * BLOCK / MIB, "{:,.0f} MiB")],
        ["logs and benchmarks", *both(lambda n: 2 * n, "{:,.0f}")],
        ["files in all", *both(lambda n: (2 * files + 2) * n, "{:,.0f}")],
        ["events", *both(lambda n: high["events_bytes"] / high["jobs"] * n / MIB, "{:,.0f} MiB")],
    ]
    for kind, row in kinds.items():
        rate = row["submitting_s"] / row["jobs"]
        out.append([f"submitting, {kind}", *hours(lambda n, rate=rate: rate * n)])
    return out
