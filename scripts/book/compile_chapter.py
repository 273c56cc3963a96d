"""Set one chapter by itself, with the number that it has in the book."""

from pathlib import Path

from scripts.book.compiling import compile_pdf

if __name__ == "__main__":
    from scripts.job import environment, job

    with job(snakemake):  # noqa: F821
        compile_pdf(
            fragments=[Path(path) for path in snakemake.input.fragments],  # noqa: F821
            provenance=[Path(path) for path in snakemake.input.provenance],  # noqa: F821
            template=Path(snakemake.input.templates),  # noqa: F821
            references=Path(snakemake.input.references),  # noqa: F821
            backend=snakemake.params.backend,  # noqa: F821
            titles=snakemake.params.titles,  # noqa: F821
            numbers=snakemake.params.numbers,  # noqa: F821
            meta=dict(snakemake.params.meta),  # noqa: F821
            pages=snakemake.params.pages,  # noqa: F821
            environment=environment(),
            pdf=Path(snakemake.output.pdf),  # noqa: F821
            report=Path(snakemake.output.report),  # noqa: F821
        )
