"""Teams: franchises by their codes of today, their other codes and names, their divisions."""

from __future__ import annotations

import polars as pl

from scripts.errors import DataError

DIVISIONS = {  # since 2002
    "BUF": "AFC East",
    "MIA": "AFC East",
    "NE": "AFC East",
    "NYJ": "AFC East",
    "BAL": "AFC North",
    "CIN": "AFC North",
    "CLE": "AFC North",
    "PIT": "AFC North",
    "HOU": "AFC South",
    "IND": "AFC South",
    "JAX": "AFC South",
    "TEN": "AFC South",
    "DEN": "AFC West",
    "KC": "AFC West",
    "LAC": "AFC West",
    "LV": "AFC West",
    "DAL": "NFC East",
    "NYG": "NFC East",
    "PHI": "NFC East",
    "WAS": "NFC East",
    "CHI": "NFC North",
    "DET": "NFC North",
    "GB": "NFC North",
    "MIN": "NFC North",
    "ATL": "NFC South",
    "CAR": "NFC South",
    "NO": "NFC South",
    "TB": "NFC South",
    "ARI": "NFC West",
    "LA": "NFC West",
    "SEA": "NFC West",
    "SF": "NFC West",
}
FRANCHISES = tuple(sorted(DIVISIONS))  # as nflverse writes them today
FIRST_SEASONS = {"HOU": 2002}  # of those that joined after 1999
CODES = dict.fromkeys(FRANCHISES) | {
    "ARZ": "ARI",
    "PHO": "ARI",
    "PHX": "ARI",
    "BLT": "BAL",
    "CLV": "CLE",
    "GNB": "GB",
    "HST": "HOU",
    "JAC": "JAX",
    "KAN": "KC",
    "KCC": "KC",
    "LAR": "LA",
    "SL": "LA",
    "STL": "LA",
    "SD": "LAC",
    "SDG": "LAC",
    "LVR": "LV",
    "OAK": "LV",
    "NWE": "NE",
    "NOR": "NO",
    "SFO": "SF",
    "TAM": "TB",
    "WSH": "WAS",
}
CODES = {code: team or code for code, team in CODES.items()}  # code of any time -> franchise
NAMES = {  # full name of any time since 1999 -> franchise
    "Arizona Cardinals": "ARI",
    "Atlanta Falcons": "ATL",
    "Baltimore Ravens": "BAL",
    "Buffalo Bills": "BUF",
    "Carolina Panthers": "CAR",
    "Chicago Bears": "CHI",
    "Cincinnati Bengals": "CIN",
    "Cleveland Browns": "CLE",
    "Dallas Cowboys": "DAL",
    "Denver Broncos": "DEN",
    "Detroit Lions": "DET",
    "Green Bay Packers": "GB",
    "Houston Texans": "HOU",
    "Indianapolis Colts": "IND",
    "Jacksonville Jaguars": "JAX",
    "Kansas City Chiefs": "KC",
    "Las Vegas Raiders": "LV",
    "Los Angeles Chargers": "LAC",
    "Los Angeles Rams": "LA",
    "Miami Dolphins": "MIA",
    "Minnesota Vikings": "MIN",
    "New England Patriots": "NE",
    "New Orleans Saints": "NO",
    "New York Giants": "NYG",
    "New York Jets": "NYJ",
    "Oakland Raiders": "LV",
    "Philadelphia Eagles": "PHI",
    "Pittsburgh Steelers": "PIT",
    "San Diego Chargers": "LAC",
    "San Francisco 49ers": "SF",
    "Seattle Seahawks": "SEA",
    "St. Louis Rams": "LA",
    "Tampa Bay Buccaneers": "TB",
    "Tennessee Titans": "TEN",
    "Washington Commanders": "WAS",
    "Washington Football Team": "WAS",
    "Washington Redskins": "WAS",
}


def franchise(codes: pl.Expr) -> pl.Expr:
    """Franchises of codes of any time; null stays null. Polars fails at a code that is none.

    `check_teams` tells of such a code in words.
    """
    return codes.replace_strict(CODES, return_dtype=pl.String)


def check_teams(codes: pl.Series, place: str) -> None:
    """Check that all codes are known; null is none.

    Args:
        codes: team codes of any time.
        place: where they stand, for the message.

    Raises:
        DataError: a code is no team's.
    """
    unknown = codes.cast(pl.String).drop_nulls().unique().sort()
    unknown = unknown.filter(~unknown.is_in(list(CODES))).to_list()
    if unknown:
        raise DataError(
            f"{place}: no team {', '.join(map(repr, unknown[:3]))}; known codes: "
            f"{', '.join(sorted(CODES))}"
        )
