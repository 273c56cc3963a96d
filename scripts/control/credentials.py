"""Which variables of the environment hold what the configured run must know; never their values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.control.finding import Finding
from scripts.plan.lake import FLAT
from scripts.plan.warehouse import DSN, NAMING

REST = ("financials", "actions", "ticker_events", "news", "shorts", "ratios", "reference")
PROFILES = {  # profile -> variables that it takes its settings from
    "generic": ("ALMANAC_SUBMIT", "ALMANAC_STATUS", "ALMANAC_CANCEL"),
    "kubernetes": ("ALMANAC_STORAGE", "ALMANAC_IMAGE"),
    "aws-batch": (
        "ALMANAC_STORAGE",
        "ALMANAC_IMAGE",
        "ALMANAC_JOB_QUEUE",
        "ALMANAC_JOB_ROLE",
        "AWS_DEFAULT_REGION",
    ),
}
OPTIONAL = {
    "AWS_ENDPOINT_URL_S3": "another S3 endpoint",
    "AWS_ENDPOINT_URL": "another S3 endpoint",
    "MASSIVE_API_BASE": "another REST server",
    "PGPASSWORD": "the password of a PostgreSQL of your own",
    "ALMANAC_NAMESPACE": "profiles/kubernetes",
    "ALMANAC_REAL_DATA": "tests on real data",
}


@dataclass(frozen=True)
class Need:
    """Something a run must know: any of some sets of variables tells it."""

    ways: tuple[tuple[str, ...], ...]
    use: str
    needed: bool
    elsewhere: bool = False  # whether a file gives it

    def findings(self, environment: Mapping[str, str]) -> Iterator[Finding]:
        """A line for each variable; one way that is complete is enough."""
        enough = self.elsewhere or any(
            all(is_set(environment, name) for name in way) for way in self.ways
        )
        one_of = " or ".join(" and ".join(way) for way in self.ways)
        for name in dict.fromkeys(name for way in self.ways for name in way):
            there = is_set(environment, name)
            yield Finding(
                name,
                "present" if there else "absent",
                self.use,
                f"export {one_of}",
                needed=self.needed and not enough,
                there=there,
            )


def is_set(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable holds more than blanks."""
    return bool(environment.get(name, "").strip())


def findings(
    config: Mapping, environment: Mapping[str, str], profile: str, home: Path
) -> list[Finding]:
    """A line for each variable that the project knows.

    Args:
        config: completed.
        environment: variables of this process.
        profile: name of the workflow profile, empty for the default one.
        home: folder of the user, where a file may hold the keys of S3.
    """
    needs = [*_vendors(config, home), *_servers(config), *_profiles(profile)]
    found = [line for need in needs for line in need.findings(environment)]
    known = {line.what for line in found}
    optional = [(name, use) for name, use in OPTIONAL.items() if name not in known]
    for name, use in optional:
        there = is_set(environment, name)
        found.append(
            Finding(name, "present" if there else "absent", use, needed=False, there=there)
        )
    return found


def _vendors(config: Mapping, home: Path) -> Iterator[Need]:
    lake, odds = config["lake"], config["nfl"]["sources"]["odds"]
    real = lake["vendor"] != "simulator"
    datasets, skipped = set(lake["datasets"]), set(lake["skip"])
    flat = real and bool(datasets & set(FLAT)) and "landing" not in skipped
    rest = real and bool(datasets & set(REST)) and "bronze" not in skipped
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    in_file = (home / ".aws" / "credentials").is_file()
    yield Need((keys, ("AWS_PROFILE",)), "the vendor's flat files (S3)", flat, in_file)
    yield Need((("MASSIVE_API_KEY",), ("POLYGON_API_KEY",)), "the vendor's REST API", rest)
    on = config["nfl"]["sources"]["schedules"] is not None
    yield Need((("ODDS_API_KEY",),), "closing lines (The Odds API)", on and odds == "odds_api")


def _servers(config: Mapping) -> Iterator[Need]:
    warehouse = config["warehouse"]
    ways = tuple((name,) for name in (DSN, *NAMING))
    yield Need(ways, "a PostgreSQL of your own", warehouse["server"] == "environment")
    for name, environment in sorted(warehouse["environments"].items()):
        if environment.get("dsn"):
            yield Need(((environment["dsn"],),), f"migration_test of environment {name}", False)


def _profiles(profile: str) -> Iterator[Need]:
    names = dict.fromkeys(name for given in PROFILES.values() for name in given)
    for name in names:
        users = [which for which, given in PROFILES.items() if name in given]
        use = " and ".join(f"profiles/{which}" for which in users)
        yield Need(((name,),), use, profile in users)
