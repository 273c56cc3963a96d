"""Weather at kickoff by latitude and day of the year, for sources that have none.

Temperature is a climatology (warmest in late July north of the equator, colder and more seasonal
away from it) with a daily course and a noise of the game; the rest is drawn around fixed means.
"""

import math
import zlib
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from scripts.nfl.columns import SCHEDULES, STADIUMS, WEATHER
from scripts.nfl.stadiums import locate
from scripts.tables import conform, write

INDOORS = ("dome", "closed", "retractable")  # a roof that can be closed, if nothing is known
KICKOFF = "13:00"  # where it is unknown, New York
NEW_YORK_LON = -75.0  # of the clock in which kickoffs are given
WARMEST_DAY = 205  # of the year, in the north
YEAR_DAYS = 365.25
WARMEST_HOUR, DAILY_C = 15.0, 4.0  # solar hour; half the daily range
TEMP_SD = 5.0  # degrees, of a day around the climatology
WIND_MEDIAN, WIND_SIGMA, MAX_WIND = 12.0, 0.5, 70.0  # km/h; log standard deviation; km/h
RAIN_SHARE, RAIN_MEAN = 0.08, 1.2  # share of wet hours; mm in one of them
HUMIDITY, HUMIDITY_SD, WET_HUMIDITY = 60.0, 15.0, 25.0  # percent; what rain adds
PRESSURE, PRESSURE_SD, WET_PRESSURE = 1016.0, 6.0, -6.0  # hPa


def climate_c(lat: float, day: date, hour: float) -> float:
    """Usual temperature in degrees Celsius at a latitude, day, and solar hour (0 to 24).

    The yearly mean is 25 at 25 degrees and falls .8 a degree of latitude; half the difference of
    summer and winter is 5 there and grows .5 a degree, to 14 at most; the tropics are like 25
    degrees with less season. Fitted by eye to American cities.
    """
    away = abs(lat) - 25
    mean = 25 - 0.8 * max(away, 0)
    season = min(max(5 + 0.5 * away if away > 0 else 5 + 0.2 * away, 0.5), 14)
    shift = WARMEST_DAY if lat >= 0 else WARMEST_DAY - YEAR_DAYS / 2
    turn = 2 * math.pi * (day.timetuple().tm_yday - shift) / YEAR_DAYS
    daily = DAILY_C * math.cos(2 * math.pi * (hour - WARMEST_HOUR) / 24)
    return mean + season * math.cos(turn) + daily


def weather_of(game: dict, seed: int) -> dict[str, float]:
    """Weather of a game outdoors; its noise depends on the seed and the game's id only.

    Args:
        game: game_id, date, kickoff, lat, lon.
        seed: of the noise.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"weather {game['game_id']}".encode())])
    warm, windy, humid, pressing = rng.standard_normal(4)
    wet = rng.random() < RAIN_SHARE
    rain = wet * (0.1 + rng.exponential(RAIN_MEAN))
    hour, minute = map(int, (game["kickoff"] or KICKOFF).split(":"))
    solar = (hour + minute / 60 + (game["lon"] - NEW_YORK_LON) / 15) % 24
    humidity = HUMIDITY + HUMIDITY_SD * humid + WET_HUMIDITY * wet
    drawn = {
        "temp_c": climate_c(game["lat"], game["date"], solar) + TEMP_SD * warm,
        "humidity_pct": min(max(humidity, 10.0), 100.0),
        "wind_kmh": min(WIND_MEDIAN * math.exp(WIND_SIGMA * windy), MAX_WIND),
        "pressure_hpa": PRESSURE + PRESSURE_SD * pressing + WET_PRESSURE * wet,
        "precip_mm": rain,
    }
    return {name: round(float(value), 1) for name, value in drawn.items()}


def simulate(games: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Weather of games, columns `WEATHER`, in their order.

    Null indoors (roof dome, closed, or retractable: then nobody knows that it was open), and where
    the place is unknown.

    Args:
        games: season, game_id, date, kickoff (HH:MM in New York; null: unknown), lat, lon, roof
            (null: none).
        seed: of the noise, not negative.
    """
    values = [name for name in WEATHER if name not in ("season", "game_id", "simulated")]
    outside = pl.col("lat").is_not_null() & ~pl.col("roof").fill_null("outdoors").is_in(INDOORS)
    rows = games.with_columns(outside.alias("outside")).iter_rows(named=True)
    drawn = [weather_of(row, seed) if row["outside"] else dict.fromkeys(values) for row in rows]
    return conform(
        games.select("season", "game_id").with_columns(
            pl.DataFrame(drawn, schema=dict.fromkeys(values, pl.Float64)).get_columns(),
            simulated=pl.lit(True),
        ),
        WEATHER,
    )


def build(schedule: Path, stadiums: Path, seed: int, out: Path) -> str:
    """Write the simulated weather of a season.

    The roof is that of the schedule; where it says nothing, that of the game's place.

    Args:
        schedule: partition of the season.
        stadiums: partition of the season.
        seed: of the noise.
        out: partition to write.

    Returns:
        one line for the log.

    Raises:
        DataError: see `scripts.nfl.stadiums.locate`.
    """
    games = conform(pl.read_parquet(schedule), SCHEDULES)
    places = locate(games, conform(pl.read_parquet(stadiums), STADIUMS))
    games = games.with_columns(
        places["lat"], places["lon"], pl.coalesce("roof", places["roof"]).alias("roof")
    )
    weather = simulate(games, seed)
    write(weather, out)
    known = weather["temp_c"].count()
    return f"weather of {known} of {weather.height} games; others: indoors, or no known place"


if __name__ == "__main__":
    from scripts.job import job

    with job(snakemake) as log:  # noqa: F821
        log.info(
            "%s",
            build(
                schedule=Path(snakemake.input.schedule),  # noqa: F821
                stadiums=Path(snakemake.input.stadiums),  # noqa: F821
                seed=snakemake.params.seed,  # noqa: F821
                out=Path(snakemake.output.partition),  # noqa: F821
            ),
        )
