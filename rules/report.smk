# The control room: one page on what ran, what it cost, and what lies in the results.
#
# In:  the events of earlier runs and, with config report.wait, the products of all domains
# Out: report/index.html


include: "report_common.smk"


rule report_build_page:
    input:
        products=awaited,
        front=FRONT,
    output:
        page=REPORT,
    log:
        "<logs>/report/report_build_page.log",
    benchmark:
        "<benchmarks>/report/report_build_page.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=FLOOR_MB,
        runtime=10,
    params:
        code=code("report/build_page"),
        products=report_products,
        simulated=report_simulated,
        version=VERSION,
        last=config["report"]["last"],
        told_of=told_of,
    message:
        "Write the control room"
    script:
        "../scripts/report/build_page.py"
