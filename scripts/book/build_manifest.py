"""What makes the book: engine, backend, and the version of every tool."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pypandoc

from scripts.atomic import atomic


def build(
    *, engine: str, backend: str, packages: Sequence[str], tools: Sequence[str], out: Path
) -> None:
    """Write {engine, backend, versions: {tool: version}}.

    Args:
        engine: quarto or embedded.
        backend: typst or latex.
        packages: `name version` of the environment's packages.
        tools: programs outside the environment that are used.
        out: manifest to write.
    """
    versions = dict(package.split() for package in packages)
    versions["pandoc"] = pypandoc.get_pandoc_version()
    versions |= {name: _version(name) for name in tools}
    manifest = {"engine": engine, "backend": backend, "versions": dict(sorted(versions.items()))}
    with atomic(out) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n")


def _version(tool: str) -> str:
    """What a program calls its version: the first number on its first lines."""
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+(\.\d+)+[\w-]*", done.stdout)
    return found[0] if found else done.stdout.strip()[:40]


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake):  # noqa: F821
        build(
            engine=snakemake.params.engine,  # noqa: F821
            backend=snakemake.params.backend,  # noqa: F821
            packages=snakemake.params.packages,  # noqa: F821
            tools=[tool.split()[0] for tool in snakemake.params.tools],  # noqa: F821
            out=Path(snakemake.output.manifest),  # noqa: F821
        )
