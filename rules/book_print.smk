# Book, what is printed: each chapter by itself, the whole, and the report on how it was built.
#
# In:  book/fragments/*, tables, figures, references.bib, templates, provenance of the domains.
# Out: book/chapters/{chapter}.pdf, book/main.pdf, book/checks/**, book/report.{html,json}.


rule book_compile_chapter:
    input:
        printed_floats,
        fragments=fragments,
        provenance=provenance,
        # What is cited of it is told by the param `cited`.
        references=ancient(REFERENCES),
        templates=TEMPLATE,
        manifest=MANIFEST,
    output:
        pdf=shown("<results>/book/chapters/{chapter}.pdf", "book_pdf", "Print", pdf="{chapter}"),
        report="<results>/book/checks/chapters/{chapter}.json",
    log:
        "<logs>/book/book_compile_chapter/{chapter}.log",
    benchmark:
        "<benchmarks>/book/book_compile_chapter/{chapter}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 20),
        runtime=5,
    params:
        code=code("book/compile_chapter"),
        backend=BACKEND,
        cited=cited_in_print,
        titles=titles,
        numbers=captions,
        meta=chapter_meta,
        pages=[1, config["book"]["pages"]["most"]],
    message:
        "Set the chapter {wildcards.chapter}"
    script:
        "../scripts/book/compile_chapter.py"


rule book_compile_main:
    input:
        printed_floats,
        fragments=fragments,
        provenance=provenance,
        # What is cited of it is told by the param `cited`.
        references=ancient(REFERENCES),
        templates=TEMPLATE,
        manifest=MANIFEST,
    output:
        pdf=shown("<results>/book/main.pdf", "book_pdf", "Print", pdf="the book"),
        report="<results>/book/checks/main.json",
    log:
        "<logs>/book/book_compile_main.log",
    benchmark:
        "<benchmarks>/book/book_compile_main.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 20),
        runtime=15,
    params:
        code=code("book/compile_main"),
        backend=BACKEND,
        cited=cited_in_print,
        titles=titles,
        numbers=captions,
        meta=main_meta,
        pages=[config["book"]["pages"][key] for key in ("least", "most")],
    message:
        "Set the book"
    script:
        "../scripts/book/compile_main.py"


rule book_build_report:
    input:
        manifest=MANIFEST,
        documents=all_pages,
        pdfs=all_pdfs,
        checks=pdf_checks,
        tables=table_checks,
    output:
        page=shown("<results>/book/report.html", "book_report", "Print", pdf="how it was built"),
        report="<results>/book/report.json",
    log:
        "<logs>/book/book_build_report.log",
    benchmark:
        "<benchmarks>/book/book_build_report.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=5,
    params:
        code=code("book/build_report"),
        steps=report_steps,
    message:
        "Report how the book was built"
    script:
        "../scripts/book/build_report.py"
