# Book: functions that turn documents and config into paths and params. No rules here.
import shutil

from scripts.plan import book
from scripts.plan.book import BookPlan, outputs

BOOK = BookPlan(config["book"], ROOT)


def source_file_of(*parts):
    """A file below book/, as users see it from the project's folder."""
    return str(BOOK.folder.joinpath(*parts))


KINDS = ("chapter", "notebook", "document")  # wildcards that name a document
DOCUMENTS = planned(getattr, BOOK, "documents")
ENGINE = planned(getattr, BOOK, "engine") if BOOK.on else "embedded"
TOOLS = planned(getattr, BOOK, "tools") if BOOK.on else []
BACKEND = config["book"]["backend"]
FRAGMENT = {"typst": "typ", "latex": "tex"}[BACKEND]
XREF = "<results>/book/xref.json"
MANIFEST = "<results>/book/manifest.json"
REFERENCES = source_file_of("references.bib")
HAS_LATEX = bool(shutil.which("pdflatex"))
BOOK_PACKAGES = planned(getattr, BOOK, "packages")
TEMPLATE = source_file_of("templates", {"typst": "book.typ", "latex": "book.sty"}[BACKEND])
PAGE = [source_file_of("templates", "page.html"), source_file_of("filters", "almanac.lua")]
SIMULATED = {
    "lake": LAKE.simulated,
    "nfl": NFL.on and NFL.any_simulated,
    "ticks": TICKS.simulated,
    "weekly": WEEKLY.simulated,
}
FOOTER = f"{config['book']['title']} · almanac {VERSION}"


@cache
def edition():
    """The book as far as the other domains make what it reads."""
    made = [
        path for domain in PRODUCTS if domain not in ("book", "report") for path in products(domain)
    ]
    below = [path.removeprefix("<results>/") for path in made if path.startswith("<results>/")]
    return planned(BOOK.edition, below)


def book_file(path):
    """A path below the run's results, as rules write it."""
    return f"<results>/{path}"


def results_of(paths):
    """Paths below the run's results, as rules write them."""
    return [book_file(path) for path in paths]


def inputs_of(document):
    """Input function: what a document may read."""
    return partial(_inputs_of, document)


def _inputs_of(document, wildcards):
    return results_of(_readable(document))


def readable(document):
    """Params function: the same, below the run's results."""
    return partial(_readable, document)


def _readable(document, wildcards=None):
    if document.name in edition().absent:
        raise WorkflowError(edition().absent[document.name])
    if document.kind == "chapters" and document.name not in edition().chapters:
        raise WorkflowError(f"book: chapter {document.name} has no place; name it in book.chapters")
    return edition().inputs[document.name]


def rests_on_simulation(document):
    """Params function: whether anything that a document reads rests on simulated data."""
    return partial(_rests, document)


def _rests(document, wildcards=None):
    return any(SIMULATED[domain] for domain in edition().domains(document))


def document_memory(document):
    """Resource function: a chapter quotes what notebooks calculate."""
    return memory_mb(300 if document.kind == "chapters" else 590, 12)


def document_of(wildcards):
    """The document that a job's wildcard names."""
    name = next(value for value in (wildcards.get(key) for key in KINDS) if value)
    if name not in DOCUMENTS:
        raise WorkflowError(f"book: there is no {name}.qmd in book/notebooks or book/chapters")
    return DOCUMENTS[name]


def retracts(document):
    """What is printed and out of date once a document changes, as jobs write it."""
    return [f"{RESULTS}/{path}" for path in BOOK.retracted_by(document)]


def retracted(wildcards):
    """The same of the document that a job's wildcard names."""
    return retracts(document_of(wildcards))


def page_simulated(wildcards):
    """Whether a page says that it rests on simulated data."""
    return _rests(document_of(wildcards))


def source_of_page(wildcards):
    """A document's file."""
    return str(document_of(wildcards).path)


def tables_of(wildcards):
    """LaTeX tables that a notebook makes."""
    made = outputs(document_of(wildcards))["tables"]
    return [book_file(path) for path in made if path.endswith(".tex")]


def floats_of(*kinds):
    """Input function: tables and figures that a document shows, in these formats."""
    return partial(_floats_of, kinds)


def _floats_of(kinds, wildcards):
    return float_files(document_of(wildcards), kinds)


def float_files(document, kinds):
    """Tables and figures that a document shows, in these formats."""
    tables, figures = edition().tables(document), edition().figures(document)
    files = [f"{path}.{kind}" for path in tables for kind in kinds if kind in book.TABLE_FORMATS]
    files += [f"{path}.{kind}" for path in figures for kind in kinds if kind in book.FIGURE_FORMATS]
    return results_of(files)


def shown_notebooks(wildcards):
    """Executed notebooks whose figures and tables a chapter shows."""
    names = sorted({notebook for notebook, _ in document_of(wildcards).shown.values()})
    return [book_file(f"book/executed/{name}.ipynb") for name in names]


def checked_tables(wildcards):
    """Reports that the tables of a chapter and of the notebooks it uses are sound."""
    document = document_of(wildcards)
    return table_reports([document.name, *document.notebooks])


def table_reports(names):
    """Reports on the tables of those documents that make any."""
    made = [name for name in names if outputs(DOCUMENTS[name])["tables"]]
    return [book_file(f"book/checks/tables/{name}.json") for name in made]


def index_param(wildcards):
    """What a document refers to, and the labels it shows: [label, document, text], sorted."""
    document = document_of(wildcards)
    own = [[n, e["document"], e["text"]] for n, e in edition().index_of(document).items()]
    shown = [entry for entry in own if entry[1] == document.name]
    return sorted({tuple(entry) for entry in shown + edition().references(document)})


def whole_index(wildcards):
    """The whole index, in the order of the book."""
    return [[label, sorted(entry.items())] for label, entry in edition().index.items()]


def cited_param(wildcards):
    """Hashes of the entries that a document cites."""
    return BOOK.cited_by(document_of(wildcards))


def chapter_number(wildcards):
    """Its number in the book; None: it has none."""
    return edition().numbers[document_of(wildcards).name]


def meta_of(**more):
    """What title pages say, as sorted pairs."""
    told = {key: config["book"][key] or "" for key in ("title", "subtitle", "author", "date")}
    known = {
        "version": VERSION,
        "config": settings.digest({k: config[k] for k in ("book", *SIMULATED)}),
    }
    return sorted({**told, **known, **more}.items())
