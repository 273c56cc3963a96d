-- Plays with their classes. Where the source has no expected points, epa is the one of our model.
CREATE TABLE plays (
    season integer NOT NULL,
    game_id text NOT NULL REFERENCES games ON DELETE CASCADE,
    play_id integer NOT NULL,
    drive integer,
    quarter integer NOT NULL CHECK (quarter BETWEEN 1 AND 6),
    half_seconds integer CHECK (half_seconds BETWEEN 0 AND 1800),
    game_seconds integer CHECK (game_seconds BETWEEN 0 AND 3600),
    posteam text REFERENCES teams (code),
    defteam text REFERENCES teams (code),
    down integer CHECK (down BETWEEN 1 AND 4),
    ydstogo integer,
    yardline_100 integer CHECK (yardline_100 BETWEEN 0 AND 100),
    kind text NOT NULL,
    yards_gained integer,
    interception boolean NOT NULL,
    fumble_lost boolean NOT NULL,
    sack boolean NOT NULL,
    penalty boolean NOT NULL,
    penalty_team text,
    touchdown boolean NOT NULL,
    scoring_team text,
    points integer NOT NULL,
    try_points integer,
    home_points integer NOT NULL,
    away_points integer NOT NULL,
    epa double precision,
    wp double precision CHECK (wp BETWEEN 0 AND 1),
    play_class text NOT NULL,
    explosive boolean NOT NULL,
    early_down boolean,
    red_zone boolean,
    garbage_time boolean,
    PRIMARY KEY (game_id, play_id)
);
COMMENT ON TABLE plays IS 'one row for each play of a game';
CREATE INDEX plays_season ON plays (season);
CREATE INDEX plays_posteam ON plays (posteam, season);
