-- Players as last known, who was on which roster, and what they did in each game.
CREATE TABLE players (
    player_id text PRIMARY KEY,
    name text NOT NULL,
    position text,
    birth_date date,
    last_season integer NOT NULL
);
COMMENT ON TABLE players IS 'players as in the latest season that has them';

CREATE TABLE rosters (
    season integer NOT NULL,
    player_id text NOT NULL REFERENCES players ON DELETE CASCADE,
    team text NOT NULL REFERENCES teams (code),
    position text,
    PRIMARY KEY (season, player_id)
);
COMMENT ON TABLE rosters IS 'franchise of each player in each season, where the source knows it';
CREATE INDEX rosters_team ON rosters (team, season);

CREATE TABLE player_games (
    season integer NOT NULL,
    game_id text NOT NULL REFERENCES games ON DELETE CASCADE,
    player_id text NOT NULL,
    name text NOT NULL,
    team text NOT NULL REFERENCES teams (code),
    attempts integer NOT NULL,
    completions integer NOT NULL,
    passing_yards integer NOT NULL,
    passing_tds integer NOT NULL,
    interceptions integer NOT NULL,
    sacks integer NOT NULL,
    sack_yards integer NOT NULL,
    carries integer NOT NULL,
    rushing_yards integer NOT NULL,
    rushing_tds integer NOT NULL,
    targets integer,
    receptions integer NOT NULL,
    receiving_yards integer NOT NULL,
    receiving_tds integer NOT NULL,
    fumbles_lost integer NOT NULL,
    PRIMARY KEY (game_id, player_id)
);
COMMENT ON TABLE player_games IS 'offensive box score of each player in each game, from the play-by-play';
CREATE INDEX player_games_player ON player_games (player_id, season);
CREATE INDEX player_games_season ON player_games (season);
