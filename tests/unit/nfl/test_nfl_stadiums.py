"""The table of stadiums, the stadiums of a season, and where games are played."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from scripts.errors import DataError
from scripts.nfl import build_stadiums
from scripts.nfl.build_stadiums import HEADER, of_season, read
from scripts.nfl.columns import SCHEDULES, STADIUMS
from scripts.nfl.geography import distance_km
from scripts.nfl.stadiums import key, locate
from scripts.nfl.teams import FIRST_SEASONS, FRANCHISES, franchise
from scripts.tables import schema_of

SEASONS = range(1999, 2026)
TABLE = Path(__file__).parents[3] / "config/universe/nfl_stadiums.csv"
AWAY_FROM_THEIR_LIST_KM = {  # name there -> distance, where that list errs
    "Mercedes-Benz Superdome": 70  # its longitude is -90.811, the Superdome's -90.081
}
MOVES = {  # homes more than 60 km from those of the season before
    ("CHI", 2002),  # Champaign
    ("CHI", 2003),
    ("NO", 2005),  # Baton Rouge
    ("NO", 2006),
    ("LA", 2016),  # from St. Louis
    ("LAC", 2017),  # from San Diego
    ("LV", 2020),  # from Oakland
}
CITIES = {  # centres of the cities of places for single games
    "Alamo Dome": (29.424, -98.494),
    "TCF Bank Stadium": (44.978, -93.265),
    "Azteca Stadium": (19.433, -99.133),
    "Rogers Centre": (43.653, -79.383),
    "Wembley Stadium": (51.507, -0.128),
    "Twickenham Stadium": (51.507, -0.128),
    "Tottenham Stadium": (51.507, -0.128),
    "Croke Park": (53.350, -6.260),
    "Allianz Arena": (48.137, 11.575),
    "Deutsche Bank Park": (50.111, 8.682),
    "Olympiastadion Berlin": (52.520, 13.405),
    "Santiago Bernabeu": (40.417, -3.704),
    "Arena Corinthians": (-23.551, -46.633),
}


@pytest.fixture(scope="module")
def stadiums() -> pl.DataFrame:
    rows = read(TABLE)
    return pl.concat([of_season(rows, season, TABLE) for season in SEASONS])


@pytest.fixture(scope="module")
def games(real_data: Path) -> pl.DataFrame:
    raw = pl.read_csv(real_data / "nfl/games.csv", infer_schema_length=None)
    return raw.with_columns(
        pl.col("season").cast(pl.Int32), neutral=pl.col("location") == "Neutral"
    )


def game(**values: object) -> dict:
    return dict.fromkeys(SCHEDULES) | {
        "season": 2015,
        "game_id": f"2015_01_{values['away_team']}_{values['home_team']}",
        "game_type": "REG",
        "date": date(2015, 9, 13),
        "neutral": False,
        **values,
    }


def located(stadiums: pl.DataFrame, *rows: dict) -> list[dict]:
    frame = pl.DataFrame(rows, schema=schema_of(SCHEDULES))
    return locate(frame, stadiums).to_dicts()


def test_every_team_has_one_home_a_season(stadiums: pl.DataFrame) -> None:
    assert stadiums.schema == schema_of(STADIUMS)
    for season in SEASONS:
        own = stadiums.filter(season=season)
        late = {team for team, first in FIRST_SEASONS.items() if first > season}
        assert sorted(own["team"].drop_nulls()) == sorted(set(FRANCHISES) - late)
        places = own.with_columns(key(pl.col("stadium"))).group_by("stadium")
        counts = places.agg(pl.struct("lat", "lon", "roof", "surface").n_unique(), pl.col("team"))
        assert (counts["lat"] == 1).all()
        # A name stands once, or once for each of its teams.
        assert all(len(t) == 1 or (None not in t and len(set(t)) == 2) for t in counts["team"])


def test_other_names_are_of_the_same_place(stadiums: pl.DataFrame) -> None:
    own = stadiums.filter(season=2020)
    seahawks = own.filter(pl.col("stadium").is_in(["Lumen Field", "CenturyLink Field"]))
    assert sorted(seahawks["team"].to_list(), key=str) == [None, "SEA"]
    assert seahawks["lat"].n_unique() == 1
    assert sorted(own.filter(stadium="SoFi Stadium")["team"]) == ["LA", "LAC"]
    assert "Georgia Dome" not in set(own["stadium"])


HOME = "Field,,{team},1999,,40.0,-80.0,outdoors,grass"
CAPITAL = "Capital,Old;Older,WAS,1999,,39.0,-77.0,outdoors,grass"


def table(folder: Path, *last: str, header: str = ",".join(HEADER)) -> Path:
    """A table in which all teams but WAS share one field, and these rows."""
    homes = [HOME.format(team=team) for team in FRANCHISES if team != "WAS"]
    path = folder / "table.csv"
    path.write_text("\n".join([header, *homes, *last]) + "\n")
    return path


def test_a_small_table(tmp_path: Path) -> None:
    capital = CAPITAL.replace("Older", "Older;OLD;capital")  # a name stands once
    path = table(tmp_path, capital, "Island, Isle ;,,2010,2012,50.5,3.25,dome,artificial")
    out = tmp_path / "part.parquet"
    assert build_stadiums.build(path, 2010, out) == "32 teams at home, 3 places, 36 rows"
    built = pl.read_parquet(out).filter(pl.col("lat") != 40)
    names = [("Capital", "WAS"), ("Island", None), ("Isle", None), ("Old", None), ("Older", None)]
    assert built.select("stadium", "team").rows() == names
    assert built.filter(stadium="Isle").row(0) == (
        2010, None, "Isle", 50.5, 3.25, "dome", "artificial",
    )  # fmt: skip
    build_stadiums.build(path, 2013, out)
    assert "Isle" not in set(pl.read_parquet(out)["stadium"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r": no home of WAS in 2010; add a row$"),
        ([CAPITAL, CAPITAL], r": lines 33 and 34: two homes of WAS in 2010; keep one$"),
        (
            [CAPITAL, " oLd ,,,,,1.0,2.0,dome,grass"],
            r": lines 33 and 34: 'old' names two places in 2010; rename one",
        ),
        (
            [CAPITAL.replace("39.0", "93.0")],
            r": line 33, column lat: got '93.0', expected degrees from -90 to 90$",
        ),
        ([CAPITAL.replace("-77.0", "")], r": line 33, column lon: got None, expected degrees"),
        ([CAPITAL.replace("-77.0", "W77")], r": line 33, column lon: got 'W77', expected"),
        ([CAPITAL.replace("WAS", "WSH")], r": line 33, column team: got 'WSH', expected a code"),
        ([CAPITAL.replace("outdoors", "open")], r"column roof: got 'open', expected outdoors or"),
        ([CAPITAL.replace("grass", "turf")], r"column surface: got 'turf', expected grass or"),
        ([CAPITAL.replace("1999", "99th")], r"column first_season: got '99th', expected the year"),
        ([CAPITAL.replace("1999,", "1999,1998")], r": line 33: last_season is before"),
        ([CAPITAL.replace("Capital", "")], r": line 33, column stadium: got None, expected a name"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path: Path, rows: list[str], message: str) -> None:
    path = table(tmp_path, *rows)
    with pytest.raises(DataError, match=message) as error:
        build_stadiums.build(path, 2010, tmp_path / "part.parquet")
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)
    assert not (tmp_path / "part.parquet").exists()


def test_another_header_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, CAPITAL, header=",".join(HEADER).replace("lat,lon", "lon,lat"))
    with pytest.raises(
        DataError, match=r"header stadium, .*, lon, lat, .*; it must be stadium,aliases"
    ):
        read(path)
    path.write_text(",".join(f"c{number}" for number in range(20_000)) + "\n")
    with pytest.raises(
        DataError, match=r"header c0, c1, .*, c11, \.\.\. \(20,000 in all\); it must"
    ):
        read(path)
    with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
        read(tmp_path / "none.csv")


def test_a_game_is_where_its_stadium_is_else_at_the_home_teams(stadiums: pl.DataFrame) -> None:
    named, unnamed, strange, abroad, nowhere, moved = located(
        stadiums,
        game(home_team="BUF", away_team="NE", stadium=" ralph wilson STADIUM"),
        game(home_team="STL", away_team="SD"),
        game(home_team="OAK", away_team="JAC", stadium="Nowhere Bowl"),
        game(home_team="JAX", away_team="BUF", stadium="Wembley Stadium", neutral=True),
        game(home_team="KC", away_team="DET", neutral=True),
        game(home_team="BUF", away_team="NYJ", stadium="Ford Field"),
    )
    orchard_park = (42.7738, -78.7870)
    assert (named["lat"], named["lon"]) == orchard_park == (named["home_lat"], named["home_lon"])
    assert (named["roof"], named["surface"]) == ("outdoors", "artificial")
    assert (named["away_lat"], named["away_lon"]) == (42.0909, -71.2643)
    # In 2015 the Rams were in St. Louis, the Chargers in San Diego, the Raiders in Oakland.
    assert (unnamed["lat"], unnamed["lon"], unnamed["roof"]) == (38.6328, -90.1885, "dome")
    assert (unnamed["away_lat"], unnamed["away_lon"]) == (32.7831, -117.1196)
    assert (strange["lat"], strange["lon"]) == (37.7516, -122.2005)
    assert (abroad["lat"], abroad["home_lat"]) == (51.5560, 30.3239)
    assert [nowhere[name] for name in ("lat", "lon", "roof", "surface")] == [None] * 4
    assert nowhere["home_lat"] == 39.0489
    assert (moved["lat"], moved["roof"], moved["home_lat"]) == (42.3400, "dome", 42.7738)


def test_a_neutral_game_at_home_is_nowhere_but_the_final(stadiums: pl.DataFrame) -> None:
    own = {"home_team": "TB", "away_team": "KC", "stadium": "Raymond James Stadium"}
    regular, final = located(
        stadiums, game(**own, neutral=True), game(**own, neutral=True, game_type="SB")
    )
    assert regular["lat"] is None and final["lat"] == final["home_lat"]


def test_missing_or_double_homes_are_told(stadiums: pl.DataFrame) -> None:
    row = game(home_team="BUF", away_team="NE", season=2030)
    with pytest.raises(DataError, match=r"^stadiums: no home of BUF in 2030; add it"):
        located(stadiums, row)
    with pytest.raises(DataError, match=r"^stadiums: two homes of"):
        located(pl.concat([stadiums, stadiums]), game(home_team="BUF", away_team="NE"))


def test_teams_stay_near_where_they_were_but_for_known_moves(stadiums: pl.DataFrame) -> None:
    homes = stadiums.drop_nulls("team").sort("team", "season")
    before = homes.select(pl.col("lat", "lon").shift().over("team")).fill_null(float("nan"))
    km = distance_km(homes["lat"], homes["lon"], before["lat"], before["lon"])
    far = homes.filter(pl.Series(km > 60))
    assert set(far.select("team", "season").iter_rows()) == MOVES


def test_places_for_single_games_are_in_their_cities() -> None:
    single = read(TABLE).filter(pl.col("team").is_null())
    assert set(single["stadium"]) == set(CITIES)
    for name, lat, lon in single.select("stadium", "lat", "lon").iter_rows():
        assert distance_km(lat, lon, *CITIES[name]) < 20, name


def test_coordinates_agree_with_another_list(real_data: Path, stadiums: pl.DataFrame) -> None:
    theirs = pl.read_csv(real_data / "nfl/weather/stadium_coordinates.csv")
    ours = stadiums.with_columns(key(pl.col("stadium")).alias("key")).unique(["key", "lat", "lon"])
    theirs = theirs.with_columns(key(pl.col("StadiumName")).alias("key"))
    both = theirs.join(ours, on="key", how="left")
    assert both["lat"].null_count() == 0  # every place of that list has its name here
    away = distance_km(both["lat"], both["lon"], both["Latitude"], both["Longitude"])
    both = both.with_columns(pl.Series("km", away)).filter(pl.col("km") >= 3)
    found = dict(both.select("StadiumName", pl.col("km").round().cast(int)).unique().iter_rows())
    assert found == AWAY_FROM_THEIR_LIST_KM


def test_every_real_stadium_is_known(games: pl.DataFrame, stadiums: pl.DataFrame) -> None:
    named = games.select("season", key(pl.col("stadium")).alias("key")).unique()
    known = stadiums.select("season", key(pl.col("stadium")).alias("key"))
    unknown = named.join(known, on=["season", "key"], how="anti")
    assert unknown.is_empty(), unknown


def test_homes_are_where_the_teams_played_most(games: pl.DataFrame, stadiums: pl.DataFrame) -> None:
    played = games.filter(~pl.col("neutral")).select(
        "season", franchise(pl.col("home_team")).alias("team"), key(pl.col("stadium")).alias("key")
    )
    places = stadiums.with_columns(key(pl.col("stadium")).alias("key"))
    places = places.unique(["season", "key"]).select("season", "key", "lat", "lon")
    most = (
        played.join(places, on=["season", "key"])
        .group_by("season", "team", "lat", "lon")
        .len()
        .sort("len", descending=True)
        .unique(["season", "team"], keep="first", maintain_order=True)
    )
    homes = stadiums.drop_nulls("team").join(most, on=["season", "team"], how="left")
    assert homes.height == 31 * 3 + 32 * 24
    wrong = homes.filter(
        (pl.col("lat") != pl.col("lat_right")) | (pl.col("lon") != pl.col("lon_right"))
    )
    assert wrong.is_empty() and homes["lat_right"].null_count() == 0, wrong


def test_roofs_and_surfaces_are_those_of_the_schedules(
    games: pl.DataFrame, stadiums: pl.DataFrame
) -> None:
    places = locate(games, stadiums).select("game_id", place="roof", floor="surface")
    both = games.join(places, on="game_id").drop_nulls("place")
    closable = both.filter(pl.col("roof").is_in(["open", "closed"]))
    assert set(closable["place"]) == {"retractable"} and closable.height > 700
    fixed = both.filter(pl.col("roof").is_in(["outdoors", "dome"]))
    other = fixed.filter(pl.col("roof") != pl.col("place")).select("stadium", "place").unique()
    assert set(other.iter_rows()) == {
        ("Rogers Centre", "retractable"),
        ("Deutsche Bank Park", "retractable"),
    }
    floor = pl.col("surface").str.strip_chars()
    natural = floor.is_in(["grass", "dessograss"])
    both = both.filter(floor != "").with_columns(natural == (pl.col("floor") == "grass"))
    # In 2019 and 2020, and where teams changed lately, the schedules repeat older surfaces.
    assert both.filter(pl.col("season") < 2019)["surface"].mean() > 0.998
    assert both["surface"].mean() > 0.975


def test_games_abroad_without_a_place_are_those_of_2025(
    games: pl.DataFrame, stadiums: pl.DataFrame
) -> None:
    """All seven of that season so far were abroad, though listed at the home team's own stadium."""
    nowhere = locate(games, stadiums).filter(pl.col("lat").is_null())["game_id"]
    assert nowhere.sort().to_list() == [
        "2025_01_KC_LAC",  # Sao Paulo
        "2025_04_MIN_PIT",  # Dublin
        "2025_05_MIN_CLE",  # London
        "2025_06_DEN_NYJ",  # London
        "2025_07_LA_JAX",  # London
        "2025_10_ATL_IND",  # Berlin
        "2025_11_WAS_MIA",  # Madrid
    ]
