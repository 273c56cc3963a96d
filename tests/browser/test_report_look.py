"""How the control room looks: on narrow and wide screens, in both colour schemes, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Show
from tests.browser.made_up import everything
from tests.unit.report.test_build_page import build, record, told
from tests.unit.report.test_history import EVENTS


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_never_scrolls_sideways(show: Show, width: int) -> None:
    page = show(everything(), width=width)
    page.locator("#gantt rect[data-job='2']").dispatch_event("click")
    page.locator("#rulegraph .node >> nth=0").dispatch_event("click")
    page.locator("#data-sets tbody tr >> nth=0").click()
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(wide)
    page.set_viewport_size({"width": 700, "height": 800})
    assert page.evaluate(wide)


CONTRAST = """selectors => selectors.map(selector => {
  const light = text => {
    const part = text.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const element = document.querySelector(selector);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
    behind = behind.parentElement;
  const [a, b] = [light(getComputedStyle(element).color),
    light(getComputedStyle(behind).backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(show: Show, scheme: str) -> None:
    page = show(everything(), color_scheme=scheme)
    page.click("#rules tr[data-id^=lake_land] button")
    page.fill("#products input", "book")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    texts = ["body", ".note", "#verdict strong", "#head .badge", "nav a", "#rules thead button"]
    texts += [".memory.little", ".memory.much", ".trend.slower", "#rules .marked .opener"]
    texts += ["#products a", ".badge.missing", ".chip", "#chosen span", ".status.ok", ".soft"]
    for selector, ratio in zip(texts, page.evaluate(CONTRAST, texts), strict=True):
        assert ratio >= 4.5, selector


def test_print_leaves_out_what_cannot_be_pressed(show: Show) -> None:
    page = show(everything())
    page.emulate_media(media="print")
    assert page.is_hidden("nav")
    assert page.is_hidden("#rules .tools")
    assert page.is_visible("#rules table")


def test_a_page_made_of_recorded_events_is_drawn_whole(show: Show, tmp_path: Path) -> None:
    results = tmp_path / "demo"
    record(results, EVENTS)
    page = show(told(build(results)))
    assert page.inner_text("#verdict strong") == "The newest run failed"
    assert "worse" in page.inner_text("#verdict")
    assert page.locator("#gantt rect[data-job]").count() == 3
    assert page.locator("#rulegraph .node").count() == 1
    assert "elsewhere" not in page.inner_text("#when")
