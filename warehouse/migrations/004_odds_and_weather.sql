-- What comes from outside: closing lines, and the weather at kickoff.
CREATE TABLE odds (
    season integer NOT NULL,
    game_id text PRIMARY KEY REFERENCES games ON DELETE CASCADE,
    spread_line double precision CHECK (spread_line BETWEEN -50 AND 50),
    total_line double precision CHECK (total_line BETWEEN 20 AND 100),
    home_moneyline double precision CHECK (abs(home_moneyline) >= 100),
    away_moneyline double precision CHECK (abs(away_moneyline) >= 100),
    simulated boolean NOT NULL
);
COMMENT ON TABLE odds IS 'closing lines; spread_line > 0: the home team is favoured by so many points';
CREATE INDEX odds_season ON odds (season);

CREATE TABLE weather (
    season integer NOT NULL,
    game_id text PRIMARY KEY REFERENCES games ON DELETE CASCADE,
    temp_c double precision,
    humidity_pct double precision,
    wind_kmh double precision,
    pressure_hpa double precision,
    precip_mm double precision,
    simulated boolean NOT NULL
);
COMMENT ON TABLE weather IS 'weather at kickoff; null indoors';
CREATE INDEX weather_season ON weather (season);
