-- Teams by every code they have had, the games of the schedule, and what was loaded from where.
CREATE TABLE warehouse (
    run text NOT NULL,
    version text NOT NULL,
    config_hash text NOT NULL,
    simulated boolean NOT NULL
);
CREATE UNIQUE INDEX warehouse_one_row ON warehouse ((TRUE));
COMMENT ON TABLE warehouse IS 'whose results these are: one run, one database';

CREATE TABLE loads (
    table_name text NOT NULL,
    season integer NOT NULL,
    rows bigint NOT NULL,
    sha256 text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_name, season)
);
COMMENT ON TABLE loads IS 'last load of each table and season; season 0: of all seasons together';

CREATE TABLE teams (
    code text PRIMARY KEY,
    franchise text NOT NULL,
    division text NOT NULL
);
COMMENT ON TABLE teams IS 'codes of teams at any time, with the code of today';

INSERT INTO teams (code, franchise, division)
SELECT code, franchise, division
FROM (VALUES
    ('BUF', 'AFC East'), ('MIA', 'AFC East'), ('NE', 'AFC East'), ('NYJ', 'AFC East'),
    ('BAL', 'AFC North'), ('CIN', 'AFC North'), ('CLE', 'AFC North'), ('PIT', 'AFC North'),
    ('HOU', 'AFC South'), ('IND', 'AFC South'), ('JAX', 'AFC South'), ('TEN', 'AFC South'),
    ('DEN', 'AFC West'), ('KC', 'AFC West'), ('LAC', 'AFC West'), ('LV', 'AFC West'),
    ('DAL', 'NFC East'), ('NYG', 'NFC East'), ('PHI', 'NFC East'), ('WAS', 'NFC East'),
    ('CHI', 'NFC North'), ('DET', 'NFC North'), ('GB', 'NFC North'), ('MIN', 'NFC North'),
    ('ATL', 'NFC South'), ('CAR', 'NFC South'), ('NO', 'NFC South'), ('TB', 'NFC South'),
    ('ARI', 'NFC West'), ('LA', 'NFC West'), ('SEA', 'NFC West'), ('SF', 'NFC West')
) AS divisions (franchise, division)
INNER JOIN (VALUES
    ('ARI', 'ARI'), ('ARZ', 'ARI'), ('ATL', 'ATL'), ('BAL', 'BAL'), ('BLT', 'BAL'),
    ('BUF', 'BUF'), ('CAR', 'CAR'), ('CHI', 'CHI'), ('CIN', 'CIN'), ('CLE', 'CLE'),
    ('CLV', 'CLE'), ('DAL', 'DAL'), ('DEN', 'DEN'), ('DET', 'DET'), ('GB', 'GB'),
    ('GNB', 'GB'), ('HOU', 'HOU'), ('HST', 'HOU'), ('IND', 'IND'), ('JAC', 'JAX'),
    ('JAX', 'JAX'), ('KAN', 'KC'), ('KC', 'KC'), ('KCC', 'KC'), ('LA', 'LA'),
    ('LAC', 'LAC'), ('LAR', 'LA'), ('LV', 'LV'), ('LVR', 'LV'), ('MIA', 'MIA'),
    ('MIN', 'MIN'), ('NE', 'NE'), ('NO', 'NO'), ('NOR', 'NO'), ('NWE', 'NE'),
    ('NYG', 'NYG'), ('NYJ', 'NYJ'), ('OAK', 'LV'), ('PHI', 'PHI'), ('PHO', 'ARI'),
    ('PHX', 'ARI'), ('PIT', 'PIT'), ('SD', 'LAC'), ('SDG', 'LAC'), ('SEA', 'SEA'),
    ('SF', 'SF'), ('SFO', 'SF'), ('SL', 'LA'), ('STL', 'LA'), ('TAM', 'TB'),
    ('TB', 'TB'), ('TEN', 'TEN'), ('WAS', 'WAS'), ('WSH', 'WAS')
) AS codes (code, franchise) USING (franchise);

CREATE TABLE games (
    season integer NOT NULL,
    game_id text PRIMARY KEY,
    old_game_id text,
    game_type text NOT NULL CHECK (game_type IN ('REG', 'WC', 'DIV', 'CON', 'SB')),
    week integer NOT NULL CHECK (week BETWEEN 1 AND 25),
    date date NOT NULL,
    kickoff text CHECK (kickoff ~ '^\d\d:\d\d$'),
    home_team text NOT NULL REFERENCES teams (code),
    away_team text NOT NULL REFERENCES teams (code),
    home_score integer CHECK (home_score BETWEEN 0 AND 100),
    away_score integer CHECK (away_score BETWEEN 0 AND 100),
    neutral boolean NOT NULL,
    div_game boolean,
    roof text,
    surface text,
    stadium text,
    home_qb text,
    away_qb text,
    home_coach text,
    away_coach text,
    CONSTRAINT games_two_teams CHECK (home_team <> away_team),
    CONSTRAINT games_both_scores CHECK ((home_score IS NULL) = (away_score IS NULL))
);
COMMENT ON TABLE games IS 'one row for each game of the schedule, played or not';
CREATE INDEX games_season ON games (season);
CREATE INDEX games_home_date ON games (home_team, date);
CREATE INDEX games_away_date ON games (away_team, date);
