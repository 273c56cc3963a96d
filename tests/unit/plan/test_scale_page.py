"""docs/scale.md: its tables are those of the figures measured."""

import json

import pytest

from tests.bench import scale_page
from tests.bench.measure import ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text()
FIGURES = json.loads((ROOT / "docs" / "scale.json").read_text())


def test_page_is_what_its_figures_make() -> None:
    assert scale_page.filled(PAGE, FIGURES) == PAGE


@pytest.mark.parametrize("name", scale_page.TABLES)
def test_every_row_has_as_many_cells_as_the_head(name: str) -> None:
    lines = scale_page.block(name).search(PAGE)[0].splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(FIGURES[name]["rows"])
    assert len({line.count("|") for line in rows}) == 1


def test_missing_marker_is_an_error() -> None:
    with pytest.raises(ValueError, match="table plan"):
        scale_page.filled(PAGE.replace("<!-- scale:plan -->", ""), FIGURES)
