"""The lake's plan: windows, what is on disk, what is open, universes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from scripts.errors import DataError
from scripts.plan.lake import FAMILIES, FAMILY, FLAT
from tests.plans import SCHEMA, land, put
from tests.plans import lake_plan as plan

DEMO = {"as_of": "2025-09-08", "days_back": 14}


def test_the_default_window_ends_with_the_last_published_session(tmp_path: Path) -> None:
    lake = plan(tmp_path)
    assert (lake.start, lake.end, lake.as_of) == ("2025-09-03", "2025-09-10", "2025-09-10")
    assert lake.days("stocks_daily")[-1] == "2025-09-10"


def test_the_demo_has_ten_sessions_across_a_holiday(tmp_path: Path) -> None:
    days = plan(tmp_path, **DEMO).days("options_minute")
    assert (len(days), days[0], days[-1]) == (10, "2025-08-25", "2025-09-08")
    assert "2025-09-01" not in days


def test_a_date_of_yaml_is_a_date(tmp_path: Path) -> None:
    day = yaml.safe_load("2025-09-03")
    lake = plan(tmp_path, **DEMO, end=day)
    assert lake.end == "2025-09-03"
    assert lake.as_of == "2025-09-08"


def test_as_of_is_never_before_the_end(tmp_path: Path) -> None:
    lake = plan(tmp_path, **DEMO, start="2025-10-01", end="2025-10-03")
    assert lake.as_of == "2025-10-03"
    assert lake.days("stocks_daily") == ["2025-10-01", "2025-10-02", "2025-10-03"]


def test_days_that_landed_before_stay(tmp_path: Path) -> None:
    land(tmp_path, "stocks_daily", "2025-08-04", "2025-09-08", "2025-09-10")
    lake = plan(tmp_path, as_of="2025-09-08", days_back=0)
    assert lake.days("stocks_daily") == ["2025-08-04", "2025-09-08"]  # none after the end
    assert lake.days("stocks_minute") == ["2025-09-08"]
    assert lake.partitions("stocks_daily") == ["2025-08", "2025-09"]


def test_day_by_day_and_at_once_plan_the_same(tmp_path: Path) -> None:
    at_once = plan(tmp_path / "none", as_of="2025-09-03", days_back=7)
    for day in at_once.days("stocks_daily"):
        daily = plan(tmp_path, as_of=day, days_back=0)
        for dataset in FLAT:
            land(tmp_path, dataset, *daily.days(dataset))
        for dataset in sorted(set(FAMILY) - set(FLAT) - {"tickers", "ticker_types", "related"}):
            key = "date" if dataset == "news" else "month"
            for value in daily.partitions(dataset):
                if value not in daily.on_disk(f"bronze/{dataset}"):
                    put(tmp_path, f"bronze/{dataset}/{key}={value}")
    last = plan(tmp_path, as_of="2025-09-03", days_back=0)
    for dataset in FAMILY:
        assert last.partitions(dataset) == at_once.partitions(dataset), dataset


def test_a_day_the_vendor_never_published_is_left_out(tmp_path: Path) -> None:
    missing = ["2025-09-03", "options_daily/2025-09-04"]
    lake = plan(tmp_path, **DEMO, known_missing=missing)
    assert "2025-09-03" not in lake.days("stocks_daily")
    assert "2025-09-04" in lake.days("stocks_daily")
    assert {"2025-09-03", "2025-09-04"} & set(lake.days("options_daily")) == set()


@pytest.mark.parametrize(
    ("lake", "message"),
    [
        ({"start": "2025-09-09", "end": "2025-09-08"}, "lake.start 2025-09-09 is after lake.end"),
        ({"as_of": "2025-02-30"}, "lake.as_of: '2025-02-30' is not a date"),
        ({"known_missing": ["stocks_daily/2025-13-01"]}, "'2025-13-01' is not a date"),
        ({"known_missing": ["2025-09-06"]}, "2025-09-06 is no session"),
    ],
)
def test_impossible_windows(tmp_path: Path, lake: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        plan(tmp_path, **lake)


def test_a_weekend_is_an_error_unless_something_has_landed(tmp_path: Path) -> None:
    weekend = {"start": "2025-09-06", "end": "2025-09-07"}
    with pytest.raises(DataError, match="no session of stocks_daily from 2025-09-06"):
        plan(tmp_path, **weekend).days("stocks_daily")
    land(tmp_path, "stocks_daily", "2025-09-05")
    assert plan(tmp_path, **weekend).days("stocks_daily") == ["2025-09-05"]
    assert plan(tmp_path, **weekend).last_session == "2025-09-05"


def test_skipped_layers_are_what_is_on_disk(tmp_path: Path) -> None:
    land(tmp_path, "stocks_daily", "2025-08-29")
    put(tmp_path, "bronze/stocks_daily/month=2025-07")
    put(tmp_path, "bronze/dividends/month=2025-06")
    landed = plan(tmp_path, **DEMO, skip=["landing"], datasets=["stocks_daily"])
    assert landed.days("stocks_daily") == ["2025-08-29"]
    assert landed.partitions("stocks_daily") == ["2025-08"]
    made = plan(tmp_path, **DEMO, skip=["landing", "bronze"])
    assert made.partitions("stocks_daily") == ["2025-07"]
    assert made.partitions("dividends") == ["2025-06"]
    assert made.partitions("tickers") == []


def test_rest_windows_look_back_by_their_family(tmp_path: Path) -> None:
    lake = plan(tmp_path, as_of="2025-09-08", days_back=14, fundamental_tickers=["KO"])
    assert lake.partitions("dividends") == ["2025-08", "2025-09"]
    assert lake.partitions("short_volume")[0] == "2025-07"  # 30 days before 2025-08-25
    assert lake.partitions("balance_sheets")[0] == "2025-02"
    assert lake.partitions("news")[0] == "2025-07-24"  # 30 days before Saturday, 2025-08-23
    assert lake.partitions("tickers") == ["2025-09-08"]
    assert lake.quarters("balance_sheets") == ["2025Q1", "2025Q2", "2025Q3"]


def test_a_partition_closes_when_its_revision_window_has_passed(tmp_path: Path) -> None:
    def known(as_of: str, dataset: str, key: str) -> str:
        return plan(tmp_path, as_of=as_of).known_at(dataset, key)

    assert known("2025-09-08", "splits", "2025-08") == "2025-09-08"
    assert known("2025-09-09", "splits", "2025-08") == "2025-09-09"
    assert known("2025-09-30", "splits", "2025-08") == "2025-09-30"
    assert known("2025-10-01", "splits", "2025-08") == "2025-09-30"
    assert known("2030-01-02", "splits", "2025-08") == "2025-09-30"
    assert known("2025-09-08", "news", "2025-09-01") == "2025-09-04"
    assert known("2025-09-08", "tickers", "2025-09-08") == "2025-09-08"


def test_only_landed_files_of_the_revision_window_are_probed(tmp_path: Path) -> None:
    land(tmp_path, "stocks_daily", "2025-08-28", "2025-08-29", "2025-09-08")
    probed = plan(tmp_path, **DEMO).open_files()
    assert [(dataset, day) for dataset, day, _ in probed] == [
        ("stocks_daily", "2025-08-29"),
        ("stocks_daily", "2025-09-08"),
    ]
    assert probed[0][2] == str(tmp_path / "landing/stocks_daily/2025/08/2025-08-29.json")


def test_revisions_are_read_and_a_broken_file_is_named(tmp_path: Path) -> None:
    assert plan(tmp_path).revisions == {}
    (tmp_path / "revisions.json").write_text(json.dumps({"stocks_daily/2025-09-08": "abc"}))
    assert plan(tmp_path).revisions == {"stocks_daily/2025-09-08": "abc"}
    (tmp_path / "revisions.json").write_text("{")
    with pytest.raises(DataError, match=r"revisions\.json: not readable"):
        _ = plan(tmp_path).revisions


def test_symbols_of_a_universe_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    path = tmp_path / "universe.csv"
    path.write_text("symbol\nNA\nNaN\nnull\n1\nABRpD\nABRPD\nNA\n", encoding="utf-8-sig")
    lake = plan(tmp_path, universe=str(path))
    assert lake.universe == ["1", "ABRPD", "ABRpD", "NA", "NaN", "null"]
    assert lake.tickers == lake.universe
    assert plan(tmp_path, universe=str(path), fundamental_tickers=["NA"]).tickers == ["NA"]
    path.write_text("ticker\nNA\n")
    with pytest.raises(DataError, match="no column symbol"):
        _ = plan(tmp_path, universe=str(path)).universe
    path.write_text("symbol\n\n")
    with pytest.raises(DataError, match="names no symbol"):
        _ = plan(tmp_path, universe=str(path)).universe


def test_what_needs_tickers_is_left_out_without_them(tmp_path: Path) -> None:
    lake = plan(tmp_path, **DEMO)
    assert lake.tickers is None
    assert [note.partition(":")[0] for note in lake.notes] == ["no ticker_events", "no related"]
    assert lake.partitions("related") == []
    assert lake.partitions("balance_sheets") != []
    assert plan(tmp_path, **DEMO, fundamental_tickers=["KO"]).notes == []


def test_datasets_not_named_have_no_partitions(tmp_path: Path) -> None:
    lake = plan(tmp_path, **DEMO, datasets=["stocks_daily"])
    used = {name for name in FAMILY if lake.partitions(name)}
    assert used == {"stocks_daily"}


def test_every_family_of_the_schema_is_known() -> None:
    items = SCHEMA["properties"]["lake"]["properties"]["datasets"]["items"]["enum"]
    assert sorted(items) == sorted(FAMILIES)


def test_adoption_finds_both_layouts(tmp_path: Path) -> None:
    ours = tmp_path / "a/stocks_daily/2025/09/2025-09-08.csv.gz"
    vendors = tmp_path / "a/us_options_opra/minute_aggs_v1/2025/09/2025-09-08.csv.gz"
    for path in (ours, vendors):
        path.parent.mkdir(parents=True)
        path.touch()
    lake = plan(tmp_path, adopt=str(tmp_path / "a"))
    assert lake.adopted("stocks_daily", "2025-09-08") == [str(ours)]
    assert lake.adopted("options_minute", "2025-09-08") == [str(vendors)]
    assert lake.adopted("stocks_daily", "2025-09-05") == []
    assert plan(tmp_path).adopted("stocks_daily", "2025-09-08") == []


def test_actions_are_known_from_the_first_kept_day_on(tmp_path: Path) -> None:
    land(tmp_path, "stocks_daily", "2025-05-28")
    put(tmp_path, "bronze/splits/month=2025-05")
    lake = plan(tmp_path, **DEMO)
    assert lake.partitions("splits") == ["2025-05", "2025-06", "2025-07", "2025-08", "2025-09"]
    assert lake.partitions("ticker_events") == []
    assert any("sessions between 2025-05-28 and 2025-09-08 are not there" in n for n in lake.notes)


def test_prices_without_actions_are_told(tmp_path: Path) -> None:
    lake = plan(tmp_path, **DEMO, datasets=["stocks_daily"])
    assert lake.notes == ["no actions in lake.datasets: adj_* prices are the raw ones"]


def test_days_after_an_older_end_are_told(tmp_path: Path) -> None:
    land(tmp_path, "stocks_daily", "2025-09-08")
    lake = plan(
        tmp_path, start="2025-07-07", end="2025-07-11", datasets=["stocks_daily", "actions"]
    )
    assert lake.notes == [
        "1 landed days after lake.end 2025-07-11 are left out; to add older days, set lake.start "
        "alone"
    ]


def test_a_day_in_bronze_whose_landed_file_is_gone_stays_planned(tmp_path: Path) -> None:
    put(tmp_path, "bronze/stocks_minute/date=2025-08-04")
    put(tmp_path, "bronze/stocks_daily/month=2025-08")
    account = tmp_path / "reconcile/stocks_daily/2025-08.json"
    account.parent.mkdir(parents=True)
    account.write_text(json.dumps({"days": {"2025-08-05": {}, "2025-08-06": {}}}))
    lake = plan(tmp_path, as_of="2025-09-08", days_back=0)
    assert lake.days("stocks_minute") == ["2025-08-04", "2025-09-08"]
    assert lake.days("stocks_daily") == ["2025-08-05", "2025-08-06", "2025-09-08"]
    account.write_text("{")
    assert plan(tmp_path, as_of="2025-09-08", days_back=0).days("stocks_daily") == ["2025-09-08"]


def test_a_qlib_export_whose_version_is_gone_is_not_intact(tmp_path: Path) -> None:
    assert plan(tmp_path).qlib_is_intact
    version = tmp_path / "qlib/versions/ab"
    version.mkdir(parents=True)
    (tmp_path / "qlib/manifest.json").write_text(json.dumps({"path": "versions/ab"}))
    assert not plan(tmp_path).qlib_is_intact
    (tmp_path / "qlib/current").symlink_to("versions/ab")
    assert plan(tmp_path).qlib_is_intact
    version.rmdir()
    assert not plan(tmp_path).qlib_is_intact
