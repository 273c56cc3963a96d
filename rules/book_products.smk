# Book: what a chapter, the whole book and its report are made of, and all products. No rules here.
PRINTED = {"typst": ("typ", "svg"), "latex": ("tex", "pdf")}[BACKEND]


def executed_chapter(wildcards):
    """The cells of a chapter as they ran, where this edition has the chapter."""
    document = document_of(wildcards)
    _readable(document)
    return book_file(f"book/executed/{document.name}.ipynb")


def fragment(chapter):
    """What typesetting takes of a chapter."""
    return book_file(f"book/fragments/{chapter}.{FRAGMENT}")


def chapter_fragment(wildcards):
    """Of one chapter."""
    return fragment(wildcards.chapter)


def main_fragments(wildcards):
    """Of all, in their order."""
    return [fragment(name) for name in edition().chapters]


def main_floats(wildcards):
    """Tables and figures of all chapters."""
    documents = [BOOK.chapters[name] for name in edition().chapters]
    return sorted({path for document in documents for path in float_files(document, PRINTED)})


def chapter_title(wildcards):
    """Title of one chapter, as a list."""
    return titles([wildcards.chapter])


def main_titles(wildcards):
    """Titles of all."""
    return titles(edition().chapters)


def chapter_captions(wildcards):
    """Beginnings of a chapter's captions."""
    return captions([wildcards.chapter])


def main_captions(wildcards):
    """Of all chapters' captions."""
    return captions(edition().chapters)


def chapter_provenance(wildcards):
    """Where a chapter's domains come from."""
    return provenance_of([wildcards.chapter])


def main_provenance(wildcards):
    """Where the book's domains come from."""
    return provenance_of(edition().chapters)


def main_cited(wildcards):
    """Hashes of the entries that any chapter cites."""
    documents = [BOOK.chapters[name] for name in edition().chapters]
    return sorted({entry for document in documents for entry in BOOK.cited_by(document)})


def chapter_meta(wildcards):
    """What a chapter by itself says of itself."""
    cites = bool(BOOK.chapters[wildcards.chapter].citations)
    told = {"title": titles([wildcards.chapter])[0], "book": config["book"]["title"]}
    return meta_of(number=chapter_number(wildcards) or 0, cites=cites, **told)


def main_meta(wildcards):
    """What the title page says."""
    cites = any(BOOK.chapters[name].citations for name in edition().chapters)
    return meta_of(cites=cites)


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
    fragments = [f"book/fragments/{n}.{kind}" for n in edition().chapters for kind in kinds]
    return [
        MANIFEST,
        XREF,
        *results_of([*made, *notebooks, *fragments, "book/report.html", "book/report.json"]),
        *all_pages(None),
        *table_checks(None),
        *pdf_checks(None),
        *all_pdfs(None),
    ]


PRODUCTS["book"] = book_products
