# What Snakemake's own report shows: `snakemake --report report.zip`, or of one domain
# `snakemake --report ticks.zip ticks`. Captions: rules/captions/*.rst; they read the config of the run.
report: "captions/workflow.rst"


SHELVES = {
    "lake": "Lake",
    "ticks": "Ticks",
    "weekly": "Weekly",
    "nfl": "NFL",
    "warehouse": "Warehouse",
    "book": "Book",
}


def shown(path, caption, shelf, **labels):
    """An output, `<results>/<domain>/...`, that the report shows.

    A few dozen in all: what a reader wants, no partitions. A flag of an output is no part of what
    makes a job run again.
    """
    category = SHELVES[path.split("/")[1]]
    return report(
        path,
        caption=f"captions/{caption}.rst",
        category=category,
        subcategory=shelf,
        labels=labels,
    )


def shown_plot(files, caption, **labels):
    """The files of a picture, of which the report shows the SVG."""
    return [
        shown(path, caption, "Pictures", **labels) if path.endswith(".svg") else path
        for path in files
    ]
