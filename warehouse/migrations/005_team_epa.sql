-- What each team added in each game, as the features of the models have it.
CREATE TABLE team_epa (
    season integer NOT NULL,
    game_id text NOT NULL REFERENCES games ON DELETE CASCADE,
    team text NOT NULL REFERENCES teams (code),
    plays integer NOT NULL CHECK (plays > 0),
    epa_sum double precision,
    epa_mean double precision,
    pass_epa double precision,
    rush_epa double precision,
    spike_epa double precision,
    kneel_epa double precision,
    success_rate double precision CHECK (success_rate BETWEEN 0 AND 1),
    explosive_passes integer NOT NULL,
    explosive_runs integer NOT NULL,
    explosive_rate double precision CHECK (explosive_rate BETWEEN 0 AND 1),
    turnovers integer NOT NULL,
    penalties integer,
    PRIMARY KEY (game_id, team)
);
COMMENT ON TABLE team_epa IS 'expected points added by each team in each game, from the parquet of the graph';
CREATE INDEX team_epa_season ON team_epa (season);
