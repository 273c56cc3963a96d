"""The control room in a real browser: what is drawn, found and chosen; it asks for nothing."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import pytest

from tests.browser.conftest import Show
from tests.browser.made_up import (
    HOSTILE,
    NEWEST,
    OLDER,
    details,
    everything,
    job,
    nothing,
    run,
)

NONE, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


def column(page: Any, section: str, key: str) -> list[str]:
    """The texts of a table's column, from the top."""
    place = f"#{section} .table thead th"
    keys = page.eval_on_selector_all(place, "heads => heads.map(head => head.dataset.key)")
    nth = keys.index(key) + 1
    cells = page.locator(f"#{section} .table > .scroll > table > tbody > tr > :nth-child({nth})")
    return [text.strip() for text in cells.all_inner_texts()]


def press(page: Any, section: str, key: str) -> None:
    page.click(f"#{section} th[data-key={key}] button")


def names(page: Any, selector: str, attribute: str) -> set[str]:
    return {one.get_attribute(attribute) for one in page.locator(selector).all()}


def test_numbers_sort_as_numbers_and_what_is_unknown_stands_last(show: Show) -> None:
    page = show(everything())
    assert column(page, "rules", "total_s") == ["100.0", "10.0", "9.0", "0.5", NONE]
    press(page, "rules", "total_s")
    assert column(page, "rules", "total_s") == ["0.5", "9.0", "10.0", "100.0", NONE]
    head = page.locator("#rules th[data-key=total_s]")
    assert head.get_attribute("aria-sort") == "ascending"
    press(page, "rules", "rule")
    assert head.get_attribute("aria-sort") == "none"
    assert column(page, "rules", "rule")[1:] == ["book_render", "lake_land", "nfl_fit", "nfl_score"]


def test_the_keyboard_sorts(show: Show) -> None:
    page = show(everything())
    page.focus("#models th[data-key=n] button")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Brier score"
    assert column(page, "models", "brier") == ["0.2050", "0.2100", NONE]
    page.keyboard.press("Enter")
    assert column(page, "models", "brier") == ["0.2100", "0.2050", NONE]


def test_text_and_chips_filter(show: Show) -> None:
    page = show(everything())
    page.fill("#rules input", "NFL fit")
    assert column(page, "rules", "rule") == ["nfl_fit"]
    assert page.inner_text("#rules .count") == "1 of 5 rules"
    page.fill("#rules input", "")
    page.click("#rules [data-chip=nfl]")
    assert column(page, "rules", "rule") == ["nfl_fit", "nfl_score"]
    page.click("#rules [data-chip=book]")
    assert len(column(page, "rules", "rule")) == 3
    page.click("#rules [data-chip=nfl]")
    page.click("#rules [data-chip=book]")
    assert len(column(page, "rules", "rule")) == 5
    page.fill("#rules input", "no such rule")
    assert column(page, "rules", "rule") == []


def test_the_head_tells_the_newest_run(show: Show) -> None:
    page = show(everything())
    verdict = page.inner_text("#verdict")
    assert "The newest run failed: 5 of 6 jobs done, 1 failed in 1 min 0 s." in verdict
    assert f"nfl_fit {HOSTILE}".replace("\u2028", "") in verdict.replace("\u2028", "").replace(
        "\n", ""
    )
    assert "(attempt 3)" in verdict
    assert "an old cause" not in verdict
    assert page.get_attribute("#verdict a", "href") == "../logs/nfl/a%3D1%20b.log"
    assert page.inner_text("#verdict a") == "logs/nfl/a=1 b.log"
    assert page.inner_text("#head h1 .badge") == "simulated data"
    figures = page.locator("#head dd").all_inner_texts()
    assert figures == [
        "5 of 6",
        "1 min 0 s",
        "1 min 20 s",
        "2",
        "45.0 s",
        "1.33 " + TIMES,
        "600 MiB",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [("ok", "The newest run finished"), ("unfinished", "It is running, or it was killed.")],
)
def test_other_verdicts(show: Show, status: str, words: str) -> None:
    told = everything() | {"failures": [], "runs": [run(NEWEST, status)]}
    assert words in show(told).inner_text("#verdict")


def test_a_job_of_the_timeline_opens_with_all_that_is_known(show: Show) -> None:
    page = show(everything())
    page.click("#gantt rect[data-job='2']")
    panel = page.inner_text("#job")
    assert page.inner_text("#job h3") == "nfl_fit"
    for words in (
        "done, on the critical path",
        "25.00 s",
        "20.00 s after the run (2025-09-08 06:00:20 UTC)",
        "40.00 s (80 % of 2 threads)",
        "2, and the GPU",
        "peak 600 MiB, asked for 800 MB",
        "results/x.csv and 2 more",
    ):
        assert words in panel
    assert page.get_attribute("#job dl a", "href") == "../logs/nfl/a%3D1%20b.log"
    links = page.locator("#job .links button").all_inner_texts()
    assert links == ["lake_land date=2025-09-08", "lake_land date=2025-09-05", "book_render"]
    page.click("#job .links button >> nth=1")
    assert "date=2025-09-05" in page.inner_text("#job .label")
    assert "nothing of this run" in page.inner_text("#job")
    page.click("#job .close")
    assert page.is_hidden("#job")


def test_the_timeline_tells_states_and_the_critical_path(show: Show) -> None:
    page = show(everything())
    classes = {
        number: page.get_attribute(f"#gantt rect[data-job='{number}']", "class").split()
        for number in range(1, 7)
    }
    assert {number for number, found in classes.items() if "critical" in found} == {1, 2}
    assert "failed" in classes[5]
    assert "unfinished" in classes[6]
    steps = page.locator("#critical tbody tr").all_inner_texts()
    assert [step.split("\t")[1] for step in steps] == [
        "lake_land date=2025-09-08",
        f"nfl_fit {HOSTILE}".replace("\u2028", "\u2028"),
    ]
    assert "this run took 1 min 0 s, 1.33 times that" in page.inner_text("#bound")


def test_lanes_are_told_by_machine_where_there_are_several(show: Show) -> None:
    told = everything()
    assert show(told).locator("#gantt .lane").all_text_contents() == ["1", "2"]
    told["details"][NEWEST]["machines"] = ["node-1", "a-machine-with-a-long-name"]
    told["details"][NEWEST]["jobs"][0]["host"] = "node-1"
    page = show(told)
    assert page.locator("#gantt .lane").all_text_contents() == ["node-1", "a-machine-with-a…"]
    page.click("#gantt rect[data-job='1']")
    assert "Machine\nnode-1" in page.inner_text("#job")


def test_tooltips_by_mouse_and_arrows_by_keyboard(show: Show) -> None:
    page = show(everything())
    page.hover("#gantt rect[data-job='1']")
    assert page.inner_text("#tip").split("\n")[:2] == ["lake_land", "date=2025-09-08"]
    page.focus("#gantt rect[data-job='1']")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.job") == "2"
    assert "nfl_fit" in page.inner_text("#tip")
    assert page.locator("#gantt rect[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    assert page.inner_text("#job h3") == "nfl_fit"


def test_dragging_zooms_and_the_whole_run_comes_back(show: Show) -> None:
    page = show(everything())
    assert "6 jobs shown" in page.inner_text("#when .count")
    box = page.locator("#gantt").bounding_box()
    y = box["y"] + 10
    page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    page.mouse.up()
    assert "1 job shown" in page.inner_text("#when .count")
    assert page.is_hidden("#job")
    page.click("#when button:text('Whole run')")
    assert "6 jobs shown, 1 min 0 s" in page.inner_text("#when .count")
    page.click("#when button[title='Zoom in']")
    assert "30.0 s" in page.inner_text("#when .count")


def test_another_run_can_be_chosen(show: Show) -> None:
    page = show(everything())
    assert page.input_value("#run-select") == NEWEST
    options = page.locator("#run-select option").all()
    assert [option.is_disabled() for option in options] == [False, False, True]
    page.click("#gantt rect[data-job='1']")
    page.select_option("#run-select", OLDER)
    assert "2 jobs shown" in page.inner_text("#when .count")
    assert page.is_hidden("#job")
    assert "weekly_build" in page.inner_text("#critical tbody")
    assert page.locator("#slowest .opener").all_inner_texts() == ["weekly_build"]
    page.click("#history tbody tr >> nth=0")
    assert page.input_value("#run-select") == NEWEST


def test_thirty_thousand_jobs_are_a_bounded_drawing(show: Show) -> None:
    jobs = [job(n, "lake_land", n // 100, 0.9, lane=n % 100) for n in range(30_000)]
    told = everything() | {"details": {NEWEST: details(jobs, cores=100, wall_s=301)}}
    page = show(told)
    assert "30,000 jobs shown" in page.inner_text("#when .count")
    assert page.locator("#gantt *").count() < 7_000
    label = page.get_attribute("#gantt rect[data-shape]:not([data-job]) >> nth=0", "aria-label")
    assert "jobs: zoom in" in label
    page.locator("#gantt rect[data-shape]:not([data-job]) >> nth=0").dispatch_event("click")
    assert "30,000 jobs shown" not in page.inner_text("#when .count")


def slow_closure(links: list[tuple[str, str]], rule: str) -> set[str]:
    """What can be reached from a rule, found by asking every link again until nothing is new."""
    found: set[str] = set()
    for _ in links:
        found |= {b for a, b in links if a == rule or a in found}
    return found - {rule}


def test_a_rule_of_the_graph_shows_what_it_needs_and_what_needs_it(show: Show) -> None:
    told = everything()
    page = show(told)
    links = [(a, b) for a, b in told["graph"]["links"]]
    busiest = [rule for rule, _ in Counter(chain(*links)).most_common(5)]
    in_a_cycle = links[-1]
    for rule in dict.fromkeys([*busiest, *in_a_cycle]):
        page.locator(f"#rulegraph [data-rule='{rule}']").dispatch_event("click")
        needs = slow_closure([(b, a) for a, b in links], rule)
        needed = slow_closure(links, rule)
        assert names(page, "#rulegraph .node.needs", "data-rule") == needs
        assert names(page, "#rulegraph .node.needed", "data-rule") == needed
        assert names(page, "#rulegraph .node.self", "data-rule") == {rule}
        listed = page.locator("#lineage button").all_inner_texts()
        assert sorted(listed) == sorted([*needs, *needed])
        assert page.inner_text("#chosen span") == rule
    page.click("#chosen button")
    assert page.locator("#rulegraph .needs, #rulegraph .needed, #rulegraph .self").count() == 0


def test_a_rule_of_the_table_is_shown_everywhere(show: Show) -> None:
    told = everything()
    told["graph"]["rules"].append(
        {"rule": "lake_land", "domain": "lake", "jobs": 2, "column": 0, "lane": 0, "row": 40}
    )
    page = show(told)
    page.click("#rules tr[data-id^=lake_land] button")
    assert names(page, "#gantt rect.dim", "data-job") == {"2", "4", "5", "6"}
    assert names(page, "#rulegraph .self", "data-rule") == {"lake_land"}
    past = page.locator("#rules .below tbody tr").all_inner_texts()
    assert past == [
        "2025-09-08 06:00\t3\t3.00\t9.00\t" + NONE,
        "2025-09-07 06:00\t3\t2.00\t6.00\t90",
    ]
    assert page.evaluate("document.activeElement.textContent") == "lake_land"
    page.keyboard.press("Enter")
    assert page.locator("#rules .below, #gantt .dim, #rules .marked").count() == 0


def test_memory_is_judged_and_the_floor_is_no_waste(show: Show) -> None:
    page = show(everything())

    def level(rule: str) -> str:
        return page.get_attribute(f"#rules tr:has-text('{rule}') .memory", "class")

    assert level("book_render") == "memory little"
    assert level("nfl_fit") == "memory much"
    assert level("lake_land") == "memory right"
    assert level("onerror") == "memory right"
    assert page.locator("#rules tr:has-text('nfl_score') .memory").count() == 0
    assert "▲ slower 1.50 " + TIMES in page.inner_text("#rules tr:has-text('lake_land') .trend")


def test_datasets_tell_why_rows_were_quarantined(show: Show) -> None:
    page = show(everything())
    assert column(page, "data-sets", "share") == ["10.00", "0.00", NONE]
    page.click("#data-sets tr:has-text('lake/bars')")
    why = page.locator("#data-sets .below tbody tr").all_inner_texts()
    assert why[0] == "price is negative\t7\t7.000"
    assert HOSTILE[:20] in why[1]
    page.click("#data-sets tr:has-text('lake/plain')")
    assert "not counted" in page.inner_text("#data-sets .below")


def test_models_have_four_digits_and_tell_what_is_simulated(show: Show) -> None:
    page = show(everything())
    assert column(page, "models", "base_rate") == ["0.5642"] * 3
    assert column(page, "models", "model") == ["forest", "glm\nsimulated", "mlp"] or column(
        page, "models", "model"
    ) == ["forest", "glmsimulated", "mlp"]
    assert page.locator("#models th[data-key=auc]").count() == 0
    page.click("#models [data-chip=home_cover]")
    assert column(page, "models", "model") == ["mlp"]


def test_products_are_linked_and_the_rest_comes_on_demand(show: Show) -> None:
    page = show(everything())
    assert len(column(page, "products", "path")) == 200
    page.click("#products .more")
    assert len(column(page, "products", "path")) == 250
    assert page.is_hidden("#products .more")
    page.click("#products [data-chip=book]")
    assert names(page, "#products a", "href") == {"../book/a%3D1%20b.pdf"}
    assert page.inner_text("#products tr:has-text('late.pdf') .badge") == "not built"
    assert page.inner_text("#products .count") == "3 of 250 files"


def test_no_text_becomes_more_than_text(show: Show) -> None:
    page = show(everything())
    page.click("#gantt rect[data-job='2']")
    page.locator("#data-sets tbody tr >> nth=0").click()
    assert page.locator("img, script:not(head script):not(#data)").count() == 0
    assert HOSTILE in page.text_content("#job .label")
    assert HOSTILE in page.text_content("#verdict")
    assert page.locator("a[href^=javascript], a[href^='/']").count() == 0


def test_an_old_run_tells_its_failures(show: Show) -> None:
    page = show(everything())
    page.click("#history tbody tr >> nth=2")
    assert "an old cause" in page.inner_text("#history .below")
    assert "/elsewhere/x.log" in page.inner_text("#history .below")
    assert page.input_value("#run-select") == NEWEST


def test_nothing_yet_says_what_to_do(show: Show) -> None:
    page = show(nothing())
    for section in page.locator("main section").all():
        assert "snakemake --cores all" in section.inner_text()
    assert page.inner_text("#head .badge") == "sources not told"


def test_a_run_without_numbers_is_drawn(show: Show) -> None:
    """All that may be null is: as of an old file of events, of which a line is left."""
    told = everything()
    blank = {"jobs", "path"}
    for row in [*told["runs"], *told["rules"], *told["details"].values(), *told["models"]]:
        for name, value in row.items():
            if name not in blank and isinstance(value, int | float):
                row[name] = None
    for one in told["details"][NEWEST]["jobs"]:
        one |= dict.fromkeys(("seconds", "cpu_s", "peak_mib", "mem_mb", "threads", "label"))
    page = show(told)
    assert page.locator("text=could not be drawn").count() == 0
    assert "NaN" not in page.inner_text("main")
    page.locator("#gantt rect[data-job='1']").dispatch_event("click")
    assert "NaN" not in page.inner_text("#job")
