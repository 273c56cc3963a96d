# Book: notebooks run once, chapters quote them, and everything is set as checked PDFs.
#
# In:  book/{notebooks,chapters}/*.qmd, references.bib, templates; what their front matter names.
# Out: book/{notebooks,values,tables,figures,fragments,chapters,checks}/, main.pdf, report.{html,json}.
# A document's cells and its prose are two inputs: running sees the cells, rendering sees the prose.
include: "book_products.smk"


rule book_build_manifest:
    output:
        manifest=MANIFEST,
    log:
        "<logs>/book/book_build_manifest.log",
    benchmark:
        "<benchmarks>/book/book_build_manifest.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("book/build_manifest"),
        packages=BOOK_PACKAGES,
        engine=ENGINE,
        backend=BACKEND,
        tools=TOOLS,
    message:
        "Note the versions of what makes the book"
    script:
        "../scripts/book/build_manifest.py"


# One rule for each document: only the files differ, which its cells name.
for DOCUMENT in DOCUMENTS.values():

    rule book_build_outputs:
        name:
            f"book_build_outputs_{DOCUMENT.name.replace('-', '_')}"
        input:
            inputs_of(DOCUMENT),
            # What the cells are is told by the param `cells`: prose may change without a run.
            source=ancient(str(DOCUMENT.path)),
        output:
            executed=book_file(outputs(DOCUMENT)["executed"][0]),
            values=book_file(outputs(DOCUMENT)["values"][0]),
            made=results_of(outputs(DOCUMENT)["tables"] + outputs(DOCUMENT)["figures"]),
        log:
            f"<logs>/book/book_build_outputs/{DOCUMENT.name}.log",
        benchmark:
            f"<benchmarks>/book/book_build_outputs/{DOCUMENT.name}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=document_memory(DOCUMENT),
            runtime=60,
        params:
            code=code("book/build_outputs"),
            cells=BOOK.cells(DOCUMENT),
            retracts=retracts(DOCUMENT),
            inputs=readable(DOCUMENT),
            simulated=rests_on_simulation(DOCUMENT),
        message:
            f"Run the cells of {DOCUMENT.name}"
        script:
            "../scripts/book/build_outputs.py"


rule book_check_tables:
    input:
        tables=tables_of,
    output:
        report="<results>/book/checks/tables/{document}.json",
    log:
        "<logs>/book/book_check_tables/{document}.log",
    benchmark:
        "<benchmarks>/book/book_check_tables/{document}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=5,
    params:
        code=code("book/check_tables"),
        latex=HAS_LATEX,
        retracts=retracted,
    message:
        "Check the tables of {wildcards.document}"
    script:
        "../scripts/book/check_tables.py"


rule book_render_notebook:
    input:
        floats_of("html", "svg"),
        source=source_of_page,
        executed="<results>/book/executed/{notebook}.ipynb",
        references=ancient(REFERENCES),
        page=PAGE,
        manifest=MANIFEST,
    output:
        notebook="<results>/book/notebooks/{notebook}.ipynb",
        page=shown(
            "<results>/book/notebooks/{notebook}.html", "book_page", "Notebooks", page="{notebook}"
        ),
    log:
        "<logs>/book/book_render_notebook/{notebook}.log",
    benchmark:
        "<benchmarks>/book/book_render_notebook/{notebook}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 20),
        runtime=5,
    params:
        code=code("book/render_notebook"),
        index=index_param,
        cited=cited_param,
        engine=ENGINE,
        simulated=page_simulated,
        footer=FOOTER,
    message:
        "Render the notebook {wildcards.notebook}"
    script:
        "../scripts/book/render_notebook.py"


rule book_build_xref:
    output:
        xref=XREF,
    log:
        "<logs>/book/book_build_xref.log",
    benchmark:
        "<benchmarks>/book/book_build_xref.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("book/build_xref"),
        index=whole_index,
    message:
        "Number figures, tables, sections and equations"
    script:
        "../scripts/book/build_xref.py"


rule book_render_chapter:
    input:
        floats_of("html", "svg"),
        checked_tables,
        source=source_of_page,
        executed=executed_chapter,
        sources=shown_notebooks,
        references=ancient(REFERENCES),
        page=PAGE,
        manifest=MANIFEST,
    output:
        page=shown(
            "<results>/book/chapters/{chapter}.html", "book_page", "Chapters", page="{chapter}"
        ),
        tex="<results>/book/fragments/{chapter}.tex",
        typ="<results>/book/fragments/{chapter}.typ",
    log:
        "<logs>/book/book_render_chapter/{chapter}.log",
    benchmark:
        "<benchmarks>/book/book_render_chapter/{chapter}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory_mb(300, 20),
        runtime=5,
    params:
        code=code("book/render_chapter"),
        # Not from xref.json: Snakemake looks at no param of a job that stands below one that runs.
        index=index_param,
        cited=cited_param,
        engine=ENGINE,
        number=chapter_number,
        retracts=retracted,
        simulated=page_simulated,
        footer=FOOTER,
    message:
        "Render the chapter {wildcards.chapter}"
    script:
        "../scripts/book/render_chapter.py"


include: "book_print.smk"
