"""One line of `make check`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was looked for and what is there.

    Attributes:
        what: was looked for.
        found: is there; never the value of a secret.
        use: what needs it.
        fix: what to do where it is needed and not there; empty: nothing is missing.
        needed: by the configured run.
        there: whether it is there, or enough.
    """

    what: str
    found: str
    use: str
    fix: str = ""
    needed: bool = True
    there: bool = True

    @property
    def missing(self) -> bool:
        """Whether the configured run cannot do without it."""
        return self.needed and not self.there

    @property
    def verdict(self) -> str:
        """ok, or missing, and whether that matters."""
        if self.there:
            return "ok"
        return "MISSING" if self.needed else "missing: not needed by this config"
