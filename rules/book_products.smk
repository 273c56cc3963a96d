# Book: what a chapter, the whole book and its report are made of, and all products. No rules here.
PRINTED = {"typst": ("typ", "svg"), "latex": ("tex", "pdf")}[BACKEND]


def executed_chapter(wildcards):
    """The cells of a chapter as they ran, where this edition has the chapter."""
    document = document_of(wildcards)
    _readable(document)
    return book_file(f"book/executed/{document.name}.ipynb")


def printed(wildcards):
    """What a job sets: one chapter, or all of the book in their order."""
    chapter = wildcards.get("chapter")
    return [BOOK.chapters[name] for name in ([chapter] if chapter else edition().chapters)]


def fragments(wildcards):
    """What typesetting takes of them."""
    return [book_file(f"book/fragments/{c.name}.{FRAGMENT}") for c in printed(wildcards)]


def printed_floats(wildcards):
    """Their tables and figures."""
    return sorted({path for c in printed(wildcards) for path in float_files(c, PRINTED)})


def titles(wildcards):
    """Their titles."""
    return [chapter.title for chapter in printed(wildcards)]


def captions(wildcards):
    """Beginnings of their captions: Figure 3.2."""
    return [text for c in printed(wildcards) for text in book.captions(edition().index, c.name)]


def provenance(wildcards):
    """Where the domains that they rest on come from."""
    domains = set().union(*map(edition().domains, printed(wildcards)))
    return [book_file(f"{domain}/provenance.json") for domain in sorted(domains)]


def cited_in_print(wildcards):
    """Hashes of the entries that they cite."""
    return sorted(set().union(*map(BOOK.cited_by, printed(wildcards))))


def cites(wildcards):
    """Whether they cite anything."""
    return any(chapter.citations for chapter in printed(wildcards))


def chapter_meta(wildcards):
    """What a chapter by itself says of itself."""
    told = {"title": titles(wildcards)[0], "book": config["book"]["title"]}
    return meta_of(number=chapter_number(wildcards) or 0, cites=cites(wildcards), **told)


def main_meta(wildcards):
    """What the title page says."""
    return meta_of(cites=cites(wildcards))


def benchmark_file(rule, document):
    """Where a job notes its seconds."""
    name = f"{rule}/{document}" if document else rule
    return f"{RESULTS}/benchmarks/book/{name}.tsv"


def report_steps(wildcards):
    """[step, document, benchmark] of all jobs of the book."""
    here, documents = edition(), [*edition().notebooks, *edition().chapters]
    steps = [("manifest", "", "book_build_manifest"), ("numbering", "", "book_build_xref")]
    steps += [("run cells", name, "book_build_outputs") for name in documents]
    tabled = [name for name in documents if outputs(DOCUMENTS[name])["tables"]]
    steps += [("check tables", name, "book_check_tables") for name in tabled]
    steps += [("render notebook", name, "book_render_notebook") for name in here.notebooks]
    steps += [("render chapter", name, "book_render_chapter") for name in here.chapters]
    steps += [("set chapter", name, "book_compile_chapter") for name in here.chapters]
    steps += [("set book", "", "book_compile_main")]
    return [[step, name, benchmark_file(rule, name)] for step, name, rule in steps]


def all_pages(wildcards):
    """Pages of all documents."""
    here = edition()
    notebooks = [book_file(f"book/notebooks/{name}.html") for name in here.notebooks]
    return notebooks + [book_file(f"book/chapters/{name}.html") for name in here.chapters]


def all_pdfs(wildcards):
    """The book and its chapters, each by itself."""
    chapters = [book_file(f"book/chapters/{name}.pdf") for name in edition().chapters]
    return [book_file("book/main.pdf"), *chapters]


def pdf_checks(wildcards):
    """Reports on them, in the same order."""
    chapters = [book_file(f"book/checks/chapters/{name}.json") for name in edition().chapters]
    return [book_file("book/checks/main.json"), *chapters]


def table_checks(wildcards):
    """Reports on all tables."""
    return table_reports([*edition().notebooks, *edition().chapters])


@cache
def book_products():
    """All files of the book; without chapters there are none."""
    if not BOOK.on:
        if "book" in sys.argv:
            print("book: nothing to build, book.chapters is empty", file=sys.stderr)
        return []
    for name in edition().left:
        print(edition().absent[name], file=sys.stderr)
    if not edition().chapters:
        return []
    documents = [DOCUMENTS[name] for name in (*edition().notebooks, *edition().chapters)]
    made = [path for d in documents for files in outputs(d).values() for path in files]
    notebooks = [f"book/notebooks/{name}.ipynb" for name in edition().notebooks]
    kinds = ("tex", "typ")
    both = [f"book/fragments/{n}.{kind}" for n in edition().chapters for kind in kinds]
    return [
        MANIFEST,
        XREF,
        *results_of([*made, *notebooks, *both, "book/report.html", "book/report.json"]),
        *all_pages(None),
        *table_checks(None),
        *pdf_checks(None),
        *all_pdfs(None),
    ]


PRODUCTS["book"] = book_products
